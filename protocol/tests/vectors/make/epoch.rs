//! Epochs: commitments and sealed copies.

use maillon_protocol::{
    cbor::{self, Bytes},
    charter::{EpochSecret, SealedSecret},
    ids::{EntryHash, NodeId},
    seal::{self, SealContext},
};
use serde_json::{Value, json};

use super::entry::charter;
use crate::{
    file::{File, hex},
    node::{NOW, Node, rng},
    world::World,
};

pub(crate) fn make(world: &World) -> Value {
    let mut file = File::new(
        "Epoch secrets: the commitment is SHA-256 of [\"maillon/1 epoch\", previous entry's hash, number, secret]; a \
         copy is sealed by HPKE, whose info is [\"maillon/1 seal\", \"epoch\", circle, number, previous entry's hash, \
         epoch, sealer, recipient, key id]. `seal_seed` is the recipient's private seed.",
    );
    file.share(json!({ "charter": charter(world) }));
    let [_, second, third] = &world.nodes;
    let given = |charter: usize, copy: &SealedSecret, node: &Node| {
        json!({
            "charter": charter,
            "copy": hex(cbor::encode(copy)),
            "own": hex(node.id()),
            "seal_seed": hex(node.seal_seed),
        })
    };
    for made in &world.made {
        for copy in &made.seals {
            let node = if copy.recipient == second.id() {
                second
            } else {
                third
            };
            let entry = usize::try_from(made.charter.number()).expect("few");
            let epoch = usize::try_from(copy.number).expect("few");
            let secret = world.secret(epoch);
            let previous = made.charter.hash_of(copy.number - 1);
            let number = world
                .nodes
                .iter()
                .position(|known| known.id() == node.id())
                .expect("known")
                + 1;
            file.valid(
                &format!("epoch of entry {epoch}, sealed beside entry {entry} to node {number}"),
                given(entry, copy, node),
                json!({
                    "number": copy.number,
                    "secret": hex(secret.expose()),
                    "commitment": hex(secret.commitment(previous, copy.number)),
                }),
            );
        }
    }

    // The copy of entry 2's epoch for node 2, and everything that it is not.
    let copy = world.made[1]
        .seals
        .iter()
        .find(|copy| copy.number == 2)
        .expect("a copy")
        .clone();
    let changed = |change: &dyn Fn(&mut SealedSecret)| {
        let mut changed = copy.clone();
        change(&mut changed);
        given(3, &changed, second)
    };
    let head = |number: u64| world.charter(6).hash_of(number).expect("an entry");
    for (name, given, error) in [
        (
            "moved to another epoch",
            changed(&|copy| {
                copy.number = 3;
                copy.epoch = head(3);
            }),
            "seal-open",
        ),
        (
            "said to be of another sealer",
            changed(&|copy| copy.sealer = third.id()),
            "seal-open",
        ),
        (
            "one bit of the ciphertext changed",
            changed(&|copy| copy.sealed.ciphertext.0[0] ^= 1),
            "seal-open",
        ),
        (
            "one bit of the ML-KEM ciphertext changed",
            changed(&|copy| copy.sealed.encapsulated.0[0] ^= 1),
            "seal-open",
        ),
        (
            "one bit of the X25519 part changed",
            changed(&|copy| copy.sealed.encapsulated.0[1100] ^= 1),
            "seal-open",
        ),
        (
            "encapsulated key cut",
            changed(&|copy| {
                copy.sealed.encapsulated.0.pop();
            }),
            "seal-open",
        ),
        (
            "names another hash than the entry's",
            changed(&|copy| copy.epoch = EntryHash([0; 32])),
            "misplaced",
        ),
        (
            "names an entry that starts no epoch",
            changed(&|copy| copy.number = 0),
            "misplaced",
        ),
        (
            "for another node",
            changed(&|copy| copy.recipient = third.id()),
            "misplaced",
        ),
        (
            "to a key that is not held",
            changed(&|copy| copy.key = third.seal().public().id),
            "other-key",
        ),
        (
            "of another circle",
            {
                let other = moved_to_circle(&copy, second, world);
                given(3, &other, second)
            },
            "seal-open",
        ),
        (
            "another secret than the entry committed to",
            {
                let wrong = EpochSecret::from_bytes([0xee; 32]);
                given(3, &sealed(world, second, wrong.expose()), second)
            },
            "commitment",
        ),
        (
            "a secret of 31 bytes",
            given(3, &sealed(world, second, &[0xee; 31]), second),
            "commitment",
        ),
    ] {
        file.invalid(name, given, error);
    }
    let mut long = changed(&|_| ());
    long["copy"] = hex([cbor::encode(&copy), vec![0]].concat());
    file.invalid_payload("a byte behind the copy", long, "trailing");
    file.json()
}

fn context(world: &World, sealer: NodeId, node: &Node) -> SealContext {
    let charter = world.charter(2);
    SealContext {
        purpose: "epoch".to_owned(),
        circle: Some(charter.circle()),
        number: 2,
        previous: charter.hash_of(1),
        epoch: charter.hash_of(2),
        sealer,
        recipient: node.id(),
        key: node.seal().public().id,
    }
}

/// Whatever bytes, sealed to `node` at the right place.
fn sealed(world: &World, node: &Node, secret: &[u8]) -> SealedSecret {
    let context = context(world, world.nodes[0].id(), node);
    copy_of(&context, secret, node)
}

fn copy_of(context: &SealContext, secret: &[u8], node: &Node) -> SealedSecret {
    SealedSecret {
        number: context.number,
        epoch: context.epoch.expect("an epoch"),
        sealer: context.sealer,
        recipient: node.id(),
        key: context.key,
        sealed: seal::seal(secret, node.seal().public(), context, NOW, &mut rng(71))
            .expect("a valid key"),
    }
}

/// The right secret, sealed as if for another circle.
fn moved_to_circle(copy: &SealedSecret, node: &Node, world: &World) -> SealedSecret {
    let other = SealContext {
        circle: Some(maillon_protocol::ids::CircleId([0xee; 32])),
        ..context(world, copy.sealer, node)
    };
    let sealed = copy_of(&other, world.secret(2).expose(), node).sealed;
    SealedSecret {
        sealed: seal::Sealed {
            encapsulated: Bytes(sealed.encapsulated.0),
            ciphertext: sealed.ciphertext,
        },
        ..copy.clone()
    }
}
