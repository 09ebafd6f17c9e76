//! Files sealed and opened, and what a hostile carrier can do to them.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::content::AttachmentRef;

const CHUNK: usize = limits::CHUNK;

fn plain(length: usize) -> Vec<u8> {
    (0..length)
        .map(|place| u8::try_from(place % 251).expect("below 251"))
        .collect()
}

/// Seals `plain`, given in pieces of `step` bytes.
fn sealed(plain: &[u8], step: usize) -> (AttachmentRef, Vec<Vec<u8>>) {
    let mut chunks = Vec::new();
    let mut sealer = Sealer::new(&mut ChaCha20Rng::seed_from_u64(1));
    for piece in plain.chunks(step) {
        sealer
            .add(piece, &mut |chunk| chunks.push(chunk))
            .expect("short enough");
    }
    let named = Named {
        media_type: "application/pdf".to_owned(),
        name: "courrier.pdf".to_owned(),
    };
    let named = sealer
        .finish(named, &mut |chunk| chunks.push(chunk))
        .expect("short enough");
    (named, chunks)
}

fn opened(named: &AttachmentRef, chunks: &[Vec<u8>]) -> Result<Vec<u8>, AttachmentError> {
    let mut opener = Opener::new(named)?;
    let mut plain = Vec::new();
    for chunk in chunks {
        plain.extend_from_slice(&opener.open(chunk)?);
    }
    opener.finish()?;
    Ok(plain)
}

#[test]
fn a_file_of_any_length_comes_out_as_it_went_in_however_it_was_handed_over() {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17] {
        let plain = plain(length);
        let (named, chunks) = sealed(&plain, CHUNK);
        assert_eq!(chunks.len(), length.div_ceil(CHUNK).max(1), "{length}");
        assert_eq!(opened(&named, &chunks), Ok(plain.clone()), "{length}");
        for step in [1000, CHUNK - 1, CHUNK + 1, 10 * CHUNK] {
            assert_eq!(sealed(&plain, step).1, chunks, "{length} by {step}");
        }
    }
}

#[test]
fn what_is_cut_off_moved_changed_or_added_is_named() {
    let (named, chunks) = sealed(&plain(3 * CHUNK + 17), CHUNK);
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut chunks = chunks.clone();
        change(&mut chunks);
        opened(&named, &chunks)
    };
    use AttachmentError as E;
    assert_eq!(with(&|all| all.truncate(3)), Err(E::Truncated { chunk: 3 }));
    assert_eq!(
        with(&|all| all[1].truncate(100)),
        Err(E::Truncated { chunk: 1 })
    );
    assert_eq!(
        with(&|all| all.swap(0, 2)),
        Err(E::Reordered { chunk: 0, found: 2 })
    );
    assert_eq!(
        with(&|all| drop(all.remove(1))),
        Err(E::Reordered { chunk: 1, found: 2 })
    );
    assert_eq!(with(&|all| all[1][7] ^= 1), Err(E::Chunk { chunk: 1 }));
    assert_eq!(with(&|all| all[1].push(0)), Err(E::Longer { chunk: 1 }));
    assert_eq!(
        with(&|all| all.push(all[0].clone())),
        Err(E::Longer { chunk: 4 })
    );
}

#[test]
fn another_key_another_address_another_plaintext_and_another_length_are_named() {
    let (named, chunks) = sealed(&plain(CHUNK + 1), CHUNK);
    let with = |change: &dyn Fn(&mut AttachmentRef)| {
        let mut named = named.clone();
        change(&mut named);
        opened(&named, &chunks)
    };
    use AttachmentError as E;
    assert_eq!(
        with(&|named| named.key.0[0] ^= 1),
        Err(E::Chunk { chunk: 0 })
    );
    assert_eq!(with(&|named| named.key.0.truncate(16)), Err(E::Key(16)));
    assert_eq!(with(&|named| named.address.0[0] ^= 1), Err(E::Address));
    assert_eq!(
        with(&|named| named.plaintext_hash.0[0] ^= 1),
        Err(E::Plaintext)
    );
    // A record that says less: its last chunk is not marked as last.
    assert_eq!(
        with(&|named| named.length = CHUNK as u64),
        Err(E::Chunk { chunk: 0 })
    );
    assert_eq!(
        with(&|named| named.length = CHUNK as u64 + 2),
        Err(E::Truncated { chunk: 1 })
    );
    assert!(matches!(
        with(&|named| named.length = limits::ATTACHMENT + 1),
        Err(E::Limit(_))
    ));
}

#[test]
fn a_file_over_the_limit_is_refused_as_soon_as_it_is() {
    let mut sealer = Sealer::new(&mut ChaCha20Rng::seed_from_u64(2));
    let piece = vec![0; 1 << 20];
    let mut count = 0;
    for _ in 0..25 {
        sealer
            .add(&piece, &mut |_| count += 1)
            .expect("25 MiB are allowed");
    }
    assert_eq!(count, 25 * 16 - 1, "the last one waits");
    let over = sealer.add(&[0], &mut |_| {});
    assert!(matches!(over, Err(AttachmentError::Limit(_))), "{over:?}");
}

#[test]
fn an_address_is_taken_up_again_where_it_was_written_down() {
    let (named, chunks) = sealed(&plain(2 * CHUNK + 5), CHUNK);
    let mut address = Address::new();
    for chunk in &chunks {
        address = Address::resume(&address.save()).expect("written by us");
        address.add(chunk);
    }
    assert_eq!(address.finish(), named.address);
    assert!(Address::resume(b"something else").is_none());
}
