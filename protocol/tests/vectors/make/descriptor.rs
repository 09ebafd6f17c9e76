//! Descriptors.

use maillon_protocol::{
    cbor::{self, Bytes},
    descriptor::Descriptor,
    ids::{KeyId, NodeId},
    sign,
};
use serde_json::{Value, json};

use crate::{
    file::{File, hex},
    forge::{forgeries, weak_keys},
    world::World,
};

pub(crate) fn make(world: &World) -> Value {
    let mut file = File::new(
        "What a node says of itself: COSE_Sign1, external_aad [\"maillon/1 descriptor\"]. `id` is SHA-256 over \
         \"maillon/1 descriptor id\", a zero byte and the Sig_structure.",
    );
    for (number, node) in world.nodes.iter().enumerate() {
        file.valid(
            &format!("of node {}", number + 1),
            json!({ "object": hex(&node.descriptor.bytes) }),
            json!({
                "id": hex(node.descriptor.id),
                "node": hex(node.id()),
                "counter": node.descriptor.object.counter,
                "key_id": hex(node.seal().public().id),
            }),
        );
    }

    let node = &world.nodes[2];
    let given = |object: Vec<u8>| json!({ "object": hex(object) });
    file.forged(
        forgeries(&node.descriptor.bytes, &node.seed, "descriptor"),
        given,
    );
    file.forged(
        weak_keys(|key| {
            cbor::encode(&Descriptor {
                node: NodeId(key),
                ..node.descriptor.object.clone()
            })
        }),
        given,
    );
    let changed = |change: &dyn Fn(&mut Descriptor)| {
        let mut object = node.descriptor.object.clone();
        change(&mut object);
        json!({ "object": hex(sign::sign(object, &node.key()).bytes) })
    };
    file.invalid(
        "of a later version",
        changed(&|object| object.version = 2),
        "version",
    );
    file.invalid(
        "another sealing suite",
        changed(&|object| object.suite.push('x')),
        "suite",
    );
    file.invalid(
        "receive key of another length",
        changed(&|object| {
            object.seal.public.0.pop();
        }),
        "receive-key",
    );
    file.invalid(
        "receive key with another id",
        changed(&|object| object.seal.id = KeyId([0; 8])),
        "receive-key",
    );
    file.invalid(
        "receive key whose ML-KEM part is not reduced",
        changed(&|object| {
            let mut public = object.seal.public.0.clone();
            public[..3].fill(0xff);
            object.seal.public = Bytes(public);
        }),
        "receive-key",
    );
    file.invalid(
        "longer than a descriptor may be",
        changed(&|object| object.territory = "x".repeat(8 << 10)),
        "limit",
    );
    file.json()
}
