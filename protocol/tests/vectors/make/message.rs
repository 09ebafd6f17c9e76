//! Frames of the exchange between two nodes.

use maillon_protocol::{
    cbor::Bytes,
    circle::LogHeight,
    ids::{Hash, InvitationId, Token},
    sync::{CircleState, Message, SentRecord},
};
use serde_json::{Value, json};

use crate::{
    file::{File, hex},
    judge::items,
    world::World,
};

pub(crate) fn make(world: &World) -> Value {
    let mut file = File::new("What two nodes say on their stream, one message a frame.");
    let [first, second, _] = &world.nodes;
    let charter = world.charter(3);
    let (circle, entry, entry_hash) = (charter.circle(), charter.number(), charter.head());
    let (log, note) = (first.log(), &world.log()[1].record);
    let descriptor = Bytes(second.descriptor.bytes.clone());
    let letter = Bytes(vec![0x0d; 16]);
    let acceptance = Bytes(world.acceptances[0].bytes.clone());
    let sent = SentRecord {
        header: Bytes(note.header.bytes.clone()),
        body: Bytes(note.body.clone().unwrap_or_default()),
    };
    let bare = SentRecord {
        body: Bytes::default(),
        ..sent.clone()
    };
    let state = CircleState {
        circle,
        entry,
        entry_hash,
        heights: vec![LogHeight {
            log,
            height: 2,
            head: note.id(),
        }],
        acks: Vec::new(),
        departures: vec![acceptance.clone()],
        finished: false,
    };
    let address = Hash([0x0a; 32]);
    let messages = [
        Message::Hello {
            lowest: 1,
            highest: 1,
            descriptor: descriptor.clone(),
            marks: vec![Token([7; 16])],
        },
        Message::States(vec![state]),
        Message::Compared(1),
        Message::Finished(1),
        Message::Mark(1, Token([8; 16])),
        Message::Entries {
            circle,
            entries: vec![Bytes(world.made[4].entry.bytes.clone())],
            seals: world.made[4].seals.clone(),
            more: false,
        },
        Message::Want {
            circle,
            log,
            after: 0,
            up_to: 2,
        },
        Message::Records {
            circle,
            entry,
            entry_hash,
            records: vec![sent, bare],
            wanted: true,
        },
        Message::Ack(acceptance.clone()),
        Message::Invitation(acceptance.clone()),
        Message::Acceptance(acceptance),
        Message::Descriptor(descriptor),
        Message::WantChunks {
            circle,
            record: note.id(),
            address,
            from: 0,
            count: 16,
        },
        Message::Chunks {
            address,
            from: 0,
            chunks: vec![Bytes(vec![9; 32])],
        },
        Message::Cancelled(InvitationId([0x0b; 32])),
        Message::Replacement(letter.clone()),
        Message::Revocation(letter),
    ];
    for message in &messages {
        file.valid(
            message.name(),
            json!({ "frame": hex(message.encode()) }),
            json!({ "name": message.name(), "items": seen(message) }),
        );
    }

    let compared = messages[2].encode();
    let want = messages[6].encode();
    for (name, cause, frame) in [
        ("an unknown message", "shape", vec![0x82, 0x18, 0x63, 0x80]),
        ("nothing", "shape", Vec::new()),
        ("cut", "shape", want[..want.len() - 1].to_vec()),
        ("a byte behind", "trailing", [&compared[..], &[0]].concat()),
        (
            "a number in a longer form",
            "not-deterministic",
            vec![0x82, 0x02, 0x81, 0x18, 0x01],
        ),
        (
            "an array of indefinite length",
            "not-deterministic",
            vec![0x82, 0x02, 0x9f, 0x01, 0xff],
        ),
        ("a tag in front", "shape", [&[0xc1], &compared[..]].concat()),
        (
            "an id of another length",
            "shape",
            vec![0x82, 0x04, 0x82, 0x01, 0x41, 0x00],
        ),
    ] {
        file.invalid_payload(name, json!({ "frame": hex(frame) }), cause);
    }
    file.json()
}

/// The fields as a reader sees them who knows nothing of messages.
fn seen(message: &Message) -> Value {
    items(&mut minicbor::Decoder::new(&message.encode())).expect("CBOR")
}
