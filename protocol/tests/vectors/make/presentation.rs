//! What a stranger presents.

use maillon_protocol::{cbor::Bytes, sync::Presentation};
use serde_json::{Value, json};

use crate::{
    file::{File, hex},
    judge::items,
    world::World,
};

pub(crate) fn make(world: &World) -> Value {
    let mut file = File::new("The end of a charter, as a stranger presents it.");
    let entry = |at: usize| Bytes(world.made[at].entry.bytes.clone());
    let one = Presentation {
        entries: vec![entry(4)],
        seals: world.made[4].seals.clone(),
    };
    let several = Presentation {
        entries: vec![entry(2), entry(3), entry(4)],
        seals: Vec::new(),
    };
    for (name, said) in [
        ("an entry with its copies", &one),
        ("several entries", &several),
    ] {
        let frame = said.encode();
        let items = items(&mut minicbor::Decoder::new(&frame)).expect("CBOR");
        file.valid(
            name,
            json!({ "frame": hex(&frame) }),
            json!({ "entries": said.entries.len(), "items": items }),
        );
    }
    let frame = one.encode();
    for (name, cause, frame) in [
        ("nothing", "shape", Vec::new()),
        ("cut", "shape", frame[..frame.len() - 1].to_vec()),
        ("a byte behind", "trailing", [&frame[..], &[0]].concat()),
        ("without copies", "shape", vec![0x81, 0x81, 0x41, 0x00]),
        (
            "a list of indefinite length",
            "not-deterministic",
            vec![0x82, 0x9f, 0x41, 0x00, 0xff, 0x80],
        ),
    ] {
        file.invalid_payload(name, json!({ "frame": hex(frame) }), cause);
    }
    file.json()
}
