//! Records: header and body, with the epoch's secret, the salt's key and the content.

use maillon_protocol::{
    ids::{CircleId, EntryHash, RecordId},
    record::{Header, Previous},
};
use serde_json::{Value, json};

use super::{body, entry::charter};
use crate::{
    file::{File, hex},
    forge::forgeries,
    node::Node,
    world::{World, Written},
};

pub(crate) fn make(world: &World) -> Value {
    let mut file = File::new(
        "Records: the header is COSE_Sign1, external_aad [\"maillon/1 record\"]; the body is COSE_Encrypt0 under \
         HKDF-SHA256(secret, [\"maillon/1 body\", circle, epoch, log, sequence, salt]), external_aad [\"maillon/1 \
         body\", circle, log, sequence, epoch], nonce the sequence. Salt is HMAC-SHA256(fresh, padded content). The \
         reader `own` holds the first `charter` entries and the first `before` headers of `log`.",
    );
    file.share(json!({
        "charter": charter(world),
        "log": world.log().iter().map(|one| hex(&one.record.header.bytes)).collect::<Vec<_>>(),
    }));
    for (before, (written, name)) in world
        .log()
        .iter()
        .zip([
            "a log opened, empty content",
            "a short note",
            "a long note, in the next epoch",
        ])
        .enumerate()
    {
        valid(world, &mut file, name, written, 6, before);
    }
    valid(
        world,
        &mut file,
        "the last record of a removed node that counts",
        world.cut(),
        6,
        0,
    );

    let note = &world.log()[1];
    let [first, _, _] = &world.nodes;
    file.forged(
        forgeries(&note.record.header.bytes, &first.seed, "record"),
        |object| {
            let mut given = given(world, note, 3, 1, 2);
            given["object"] = hex(object);
            given
        },
    );
    wrong_headers(world, &mut file);
    body::wrong(world, &mut file);
    file.json()
}

/// As node 1 reads it, with the secret of epoch `epoch`.
fn given(world: &World, written: &Written, charter: usize, before: usize, epoch: usize) -> Value {
    json!({
        "charter": charter,
        "before": before,
        "own": hex(world.nodes[0].id()),
        "object": hex(&written.record.header.bytes),
        "body": hex(written.record.body.as_deref().expect("a body")),
        "secret": hex(world.secret(epoch).expose()),
        "fresh": hex(written.fresh),
    })
}

fn valid(
    world: &World,
    file: &mut File,
    name: &str,
    written: &Written,
    charter: usize,
    before: usize,
) {
    let header = &written.record.header;
    let epoch = usize::try_from(header.object.entry).expect("few");
    file.valid(
        name,
        given(world, written, charter, before, epoch),
        json!({
            "id": hex(header.id),
            "sequence": header.object.sequence,
            "content": hex(&written.content),
        }),
    );
}

fn wrong_headers(world: &World, file: &mut File) {
    let [first, second, third] = &world.nodes;
    let [opening, note, _] = world.log() else {
        panic!("three records");
    };
    let entry = |number: u64| world.charter(6).hash_of(number).expect("an entry");
    // The note again, with one field changed before it was sealed and signed.
    let changed = |change: &dyn Fn(&mut Header)| {
        let mut header = world.header(first, Some(opening), 2);
        change(&mut header);
        let written = world.write_header(first, header, 2, b"note", 65);
        given(world, &written, 3, 1, 2)
    };
    let by = |node: &Node, before, number, charter, held| {
        let written = world.write(node, before, number, b"note", 66);
        given(world, &written, charter, held, number)
    };
    for (name, given, error) in [
        (
            "of a later version",
            changed(&|header| header.version = 2),
            "version",
        ),
        (
            "of another circle",
            changed(&|header| header.circle = CircleId([0xee; 32])),
            "circle",
        ),
        (
            "names another epoch than its entry fixes",
            changed(&|header| header.epoch = entry(3)),
            "epoch",
        ),
        (
            "names the epoch before its entry's",
            changed(&|header| header.epoch = entry(1)),
            "epoch",
        ),
        (
            "names an entry by another hash",
            changed(&|header| header.entry_hash = EntryHash([0xee; 32])),
            "entry",
        ),
        (
            "names another record before it",
            changed(&|header| header.previous = Previous::Record(RecordId([0xee; 32]))),
            "previous",
        ),
        (
            "opens a log in its second record",
            changed(&|header| header.previous = Previous::Opening(Vec::new())),
            "opening",
        ),
        (
            "the first record names one before it",
            changed(&|header| header.sequence = 1),
            "opening",
        ),
        (
            "sequence 0",
            changed(&|header| header.sequence = 0),
            "opening",
        ),
        (
            "a record left out",
            changed(&|header| header.sequence = 3),
            "gap",
        ),
        (
            "a record that is held",
            given(world, opening, 3, 1, 2),
            "held",
        ),
        (
            "names an entry that the reader has not",
            by(first, Some(opening), 3, 2, 1),
            "unknown-entry",
        ),
        (
            "names an older entry than the one before it",
            {
                let later = &world.log()[2];
                by(first, Some(later), 2, 4, 3)
            },
            "entry-decreases",
        ),
        (
            "says of the one before it that it names another entry",
            changed(&|header| header.entry_before = 1),
            "entry-before",
        ),
        (
            "says that there is none before it",
            changed(&|header| header.entry_before = 0),
            "entry-before",
        ),
        (
            "the first record says that there is one before it",
            changed(&|header| {
                header.sequence = 1;
                header.previous = Previous::Opening(Vec::new());
            }),
            "entry-before",
        ),
        (
            "by a node that was no member yet",
            by(third, None, 2, 4, 0),
            "not-member",
        ),
        (
            "by a node that was removed",
            by(second, Some(world.cut()), 4, 4, 0),
            "not-member",
        ),
        (
            "written before the removal was known, beyond the cut",
            by(second, Some(world.cut()), 3, 4, 0),
            "after-removal",
        ),
        (
            "another record at the cut",
            by(second, None, 2, 4, 0),
            "after-removal",
        ),
    ] {
        file.invalid(name, given, error);
    }
    let mut other_secret = given(world, note, 3, 1, 2);
    other_secret["secret"] = hex(world.secret(1).expose());
    file.invalid(
        "opened with another epoch's secret",
        other_secret,
        "body-open",
    );
    let mut other_body = given(world, note, 3, 1, 2);
    other_body["body"] = hex(opening.record.body.as_deref().expect("a body"));
    file.invalid("the body of another header", other_body, "other-body");
}
