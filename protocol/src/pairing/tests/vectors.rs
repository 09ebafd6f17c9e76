//! Known answers, computed with another program (Python's hashlib and hmac) from the formulas of [`super::proof`].

use super::*;
use crate::{
    ids::PairingId,
    pairing::proof::{Exchange, commitment, confirmation, confirmation_key},
};

fn words(head: [u8; 8]) -> [&'static str; 5] {
    let mut hash = [0xee; 32];
    hash[..8].copy_from_slice(&head);
    Words::of(&Hash(hash)).words()
}

#[test]
fn the_words_of_known_transcripts_are_known() {
    assert_eq!(words([0; 8]), ["abaisser"; 5]);
    assert_eq!(words([0xff; 8]), ["zoologie"; 5]);
    // 1, 2, 3, 4, 5 in eleven bits each, nine bits left over.
    let head: u64 = (1 << 53) | (2 << 42) | (3 << 31) | (4 << 20) | (5 << 9) | 0x1ff;
    assert_eq!(
        words(head.to_be_bytes()),
        ["abandon", "abdiquer", "abeille", "abolir", "aborder"]
    );
}
