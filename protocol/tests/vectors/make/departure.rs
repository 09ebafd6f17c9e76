//! A member leaves by its own word.

use maillon_protocol::{
    cbor,
    charter::{Cut, Departure},
    ids::{CircleId, Incarnation, NodeId, RecordId},
    sign,
};
use serde_json::{Value, json};

use super::entry::charter;
use crate::{
    file::{File, hex},
    forge::{forgeries, weak_keys},
    node::{NOW, Node},
    world::World,
};

pub(crate) fn make(world: &World) -> Value {
    let mut file = File::new(
        "A member's word that it leaves: COSE_Sign1, external_aad [\"maillon/1 departure\"]. It counts for the first \
         `charter` entries; `members` are those that are left.",
    );
    file.share(json!({ "charter": charter(world) }));
    let [first, second, third] = &world.nodes;
    let held = world.charter(3);
    let cut = Cut {
        incarnation: second.log().incarnation,
        sequence: 1,
        id: RecordId([0x0c; 32]),
    };
    let honest = Departure {
        version: 1,
        circle: held.circle(),
        node: second.id(),
        entry: held.number(),
        entry_hash: held.head(),
        cuts: vec![cut],
        time_ms: NOW,
    };
    let given = |charter: u64, object: &[u8]| json!({ "charter": charter, "object": hex(object) });
    let silent = Departure {
        entry: 2,
        entry_hash: held.hash_of(2).expect("an entry"),
        cuts: Vec::new(),
        ..honest.clone()
    };
    for (name, object) in [
        ("with the end of one log", &honest),
        ("that knew an earlier entry, and wrote nothing", &silent),
    ] {
        let signed = sign::sign(object.clone(), &second.key());
        file.valid(
            name,
            given(3, &signed.bytes),
            json!({
                "id": hex(signed.id),
                "node": hex(second.id()),
                "members": [hex(first.id()), hex(third.id())],
            }),
        );
    }
    let later = Departure {
        node: first.id(),
        entry: 9,
        entry_hash: world.charter(10).hash_of(9).expect("an entry"),
        ..honest.clone()
    };
    let signed = sign::sign(later, &first.key());
    file.valid(
        "by the steward of before, who has handed over",
        given(10, &signed.bytes),
        json!({
            "id": hex(signed.id),
            "node": hex(first.id()),
            "members": [hex(third.id())],
        }),
    );
    let signed = sign::sign(honest.clone(), &second.key());
    file.forged(
        forgeries(&signed.bytes, &second.seed, "departure"),
        |object| given(3, &object),
    );
    let named = |key| Departure {
        node: NodeId(key),
        ..honest.clone()
    };
    file.forged(weak_keys(|key| cbor::encode(&named(key))), |object| {
        given(3, &object)
    });
    let changed = |change: &dyn Fn(&mut Departure)| {
        let mut object = honest.clone();
        change(&mut object);
        given(3, &sign::sign(object, &second.key()).bytes)
    };
    let logs = |object: &mut Departure| {
        let log = |number: u16| {
            let mut incarnation = [0; 16];
            incarnation[..2].copy_from_slice(&number.to_be_bytes());
            Cut {
                incarnation: Incarnation(incarnation),
                ..cut
            }
        };
        object.cuts = (0..80).map(log).collect();
    };
    let of = |node: &Node, number: u64, charter: u64| {
        let object = Departure {
            node: node.id(),
            entry: number,
            entry_hash: world.charter(10).hash_of(number).expect("an entry"),
            ..honest.clone()
        };
        given(charter, &sign::sign(object, &node.key()).bytes)
    };
    for (name, given, error) in [
        ("by the steward", of(first, 3, 3), "steward"),
        ("by who had been the steward", of(first, 8, 10), "steward"),
        (
            "by who became the steward before it was known",
            of(third, 8, 9),
            "steward",
        ),
        (
            "of a later version",
            changed(&|object| object.version = 2),
            "version",
        ),
        (
            "from another circle",
            changed(&|object| object.circle = CircleId([7; 32])),
            "circle",
        ),
        (
            "that knew an entry which is not here",
            changed(&|object| object.entry = 4),
            "unknown-entry",
        ),
        (
            "that names another entry of that number",
            changed(&|object| object.entry_hash = held.hash_of(2).expect("an entry")),
            "entry",
        ),
        ("from before its admission", of(third, 2, 3), "not-member"),
        ("after its removal", given(4, &signed.bytes), "not-member"),
        (
            "one log named twice",
            changed(&|object| object.cuts = vec![cut, cut]),
            "change",
        ),
        ("longer than a departure may be", changed(&logs), "limit"),
    ] {
        file.invalid(name, given, error);
    }
    file.json()
}
