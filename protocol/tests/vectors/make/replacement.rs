//! What recovery keys and identities say of themselves, and the charter entries that quote it.

use maillon_protocol::{
    cbor::{self, Bytes},
    charter::{self, Change, Charter, Cut, Entry, Grant, Made, Steward, Subject},
    descriptor::Descriptor,
    identity::{Identity, Replacement, Revocation, recovery_hash},
    ids::{Hash, NodeId, RecordId},
    invite::{Acceptance, Invitation, InvitationReason},
    keys::{NodeKey, SealPublic},
    sign::{self, Verified},
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    file::{File, hex},
    forge::{forgeries, weak_keys},
    node::{NOW, Node, rng},
    world::World,
};

/// The recovery key with this number.
fn recovery(number: u8) -> NodeKey {
    NodeKey::from_seed(&[0x70 + number; 32])
}

fn hash(number: u8) -> Hash {
    recovery_hash(&recovery(number).id())
}

/// A node whose descriptor names a recovery key that there is.
fn ruled(number: u8, by: u8) -> Node {
    let mut node = Node::new(number);
    let descriptor = Descriptor {
        recovery: hash(by),
        ..node.descriptor.object.clone()
    };
    node.descriptor = sign::sign(descriptor, &node.key());
    node
}

fn said(by: u8, old: &Node, new: Option<&Node>, next: u8, counter: u64) -> Replacement {
    Replacement {
        version: 1,
        recovery: recovery(by).id(),
        old: old.id(),
        new: new.map(Node::id),
        next: hash(next),
        counter,
    }
}

pub(crate) fn statements(world: &World) -> Value {
    let mut file = File::new(
        "What a recovery key says of the identity that it rules: COSE_Sign1, external_aad [\"maillon/1 replacement\"]. \
         `stands`: which identity, which recovery key and which counter stand before it.",
    );
    let [first, second, third] = &world.nodes;
    let stands = Identity {
        node: first.id(),
        recovery: hash(1),
        counter: NOW,
    };
    let given = |object: &[u8]| {
        json!({
            "object": hex(object),
            "stands": {
                "node": hex(stands.node), "recovery": hex(stands.recovery), "counter": stands.counter,
            },
        })
    };
    let honest = said(1, first, Some(second), 2, NOW + 1);
    let signed = sign::sign(honest.clone(), &recovery(1));
    for (name, object) in [
        ("another identity with another recovery key", honest.clone()),
        (
            "another identity with the same recovery key",
            said(1, first, Some(second), 1, NOW + 1),
        ),
        (
            "another recovery key of the same identity",
            said(1, first, None, 2, NOW + 1),
        ),
    ] {
        let signed = sign::sign(object, &recovery(1));
        let after = stands.after(&signed).expect("it stands");
        file.valid(
            name,
            given(&signed.bytes),
            json!({
                "id": hex(signed.id),
                "node": hex(after.node),
                "recovery": hex(after.recovery),
                "counter": after.counter,
            }),
        );
    }
    let seed = *recovery(1).seed();
    file.forged(forgeries(&signed.bytes, &seed, "replacement"), |object| {
        given(&object)
    });
    let named = |key| Replacement {
        recovery: NodeId(key),
        ..honest.clone()
    };
    file.forged(weak_keys(|key| cbor::encode(&named(key))), |object| {
        given(&object)
    });
    let itself = Replacement {
        recovery: first.id(),
        ..honest.clone()
    };
    let for_itself = Replacement {
        new: Some(recovery(1).id()),
        ..honest.clone()
    };
    let later = Replacement {
        version: 2,
        ..honest.clone()
    };
    let by = |object: Replacement, key: &NodeKey| given(&sign::sign(object, key).bytes);
    let key = recovery(1);
    for (name, given, error) in [
        ("of a later version", by(later, &key), "version"),
        (
            "by the identity itself",
            by(itself, &first.key()),
            "same-key",
        ),
        ("of itself", by(for_itself, &key), "same-key"),
        (
            "by the identity that it already is",
            by(said(1, first, Some(first), 2, NOW + 1), &key),
            "same-key",
        ),
        (
            "that changes nothing",
            by(said(1, first, None, 1, NOW + 1), &key),
            "nothing",
        ),
        (
            "of another identity",
            by(said(1, third, Some(second), 2, NOW + 1), &key),
            "identity",
        ),
        (
            "by another recovery key",
            by(said(2, first, Some(second), 2, NOW + 1), &recovery(2)),
            "recovery",
        ),
        (
            "with the counter that stands",
            by(said(1, first, Some(second), 2, NOW), &key),
            "older",
        ),
    ] {
        file.invalid(name, given, error);
    }
    file.json()
}

pub(crate) fn revocations(world: &World) -> Value {
    let mut file = File::new(
        "A node's word that its identity is used no more: COSE_Sign1, external_aad [\"maillon/1 revocation\"].",
    );
    let node = &world.nodes[1];
    let honest = Revocation {
        version: 1,
        node: node.id(),
        time_ms: NOW,
    };
    let signed = sign::sign(honest.clone(), &node.key());
    let given = |object: Vec<u8>| json!({ "object": hex(object) });
    file.valid(
        "of node 2",
        given(signed.bytes.clone()),
        json!({ "id": hex(signed.id), "node": hex(node.id()) }),
    );
    file.forged(forgeries(&signed.bytes, &node.seed, "revocation"), given);
    let named = |key| Revocation {
        node: NodeId(key),
        ..honest.clone()
    };
    file.forged(weak_keys(|key| cbor::encode(&named(key))), given);
    let later = Revocation {
        version: 2,
        ..honest
    };
    file.invalid(
        "of a later version",
        given(sign::sign(later, &node.key()).bytes),
        "version",
    );
    file.json()
}

/// A circle whose members have recovery keys: 1 founds it, 2 is admitted to everything, 3 to nothing; 5 is nobody yet.
struct Circle {
    nodes: [Node; 4],
    made: Vec<Made>,
}

impl Circle {
    fn new() -> Self {
        let nodes = [ruled(1, 1), ruled(2, 2), ruled(3, 3), ruled(5, 2)];
        let made = vec![charter::found(
            Subject::Patient,
            None,
            &nodes[0].descriptor,
            &nodes[0].key(),
            Timestamp::from_ms(NOW),
            &mut rng(71),
        )];
        let mut circle = Self { nodes, made };
        for (guest, grant, seed) in [(1, Grant::Whole, 72), (2, Grant::Nothing, 73)] {
            let acceptance = circle.acceptance(guest, seed);
            let descriptor = circle.nodes[guest].descriptor.clone();
            circle.extend(|steward| {
                let mut rng = rng(seed);
                charter::admit(
                    steward,
                    &descriptor,
                    &acceptance,
                    grant,
                    Vec::new(),
                    &[],
                    &mut rng,
                )
                .expect("admitted")
            });
        }
        circle
    }

    fn acceptance(&self, guest: usize, seed: u8) -> Verified<Acceptance> {
        let guest = &self.nodes[guest];
        let invitation = Invitation::make(
            guest.id(),
            guest.seal().public(),
            Subject::Patient,
            InvitationReason::CareTeam,
            None,
            None,
            &self.nodes[0].key(),
            NOW,
            &mut rng(seed),
        )
        .expect("a valid key");
        Acceptance::make(
            &invitation,
            Hash(guest.descriptor.id),
            &guest.key(),
            NOW + 1,
        )
    }

    fn head(&self) -> &Charter {
        &self.made.last().expect("founded").charter
    }

    fn act<T>(
        &self,
        act: impl FnOnce(&Steward<'_, &dyn Fn(&NodeId) -> Option<SealPublic>>) -> T,
    ) -> T {
        let key = self.nodes[0].key();
        let nobody = |_: &NodeId| None;
        act(&Steward {
            charter: self.head(),
            key: &key,
            seal_key: &nobody,
            time: Timestamp::from_ms(NOW),
        })
    }

    fn extend(
        &mut self,
        act: impl FnOnce(&Steward<'_, &dyn Fn(&NodeId) -> Option<SealPublic>>) -> Made,
    ) {
        let made = self.act(act);
        self.made.push(made);
    }

    fn replace(&self, old: usize, new: &Node, statements: Vec<Bytes>, seed: u8) -> Made {
        let old = self.nodes[old].id();
        let cut = Cut {
            incarnation: self.nodes[1].log().incarnation,
            sequence: 1,
            id: RecordId([0x0c; 32]),
        };
        let mut rng = rng(seed);
        self.act(|steward| {
            charter::replace(
                steward,
                (old, vec![cut]),
                &new.descriptor,
                statements,
                &[],
                &mut rng,
            )
        })
        .expect("replaced")
    }
}

fn signed(statement: Replacement, by: u8) -> Bytes {
    Bytes(sign::sign(statement, &recovery(by)).bytes)
}

pub(crate) fn entries(_: &World) -> Value {
    let mut file = File::new(
        "Charter entries that replace a member's identity: as in `entry.json`. Nodes 1, 2 and 3 are in the circle, ruled by the recovery keys of \
         seeds 71, 72 and 73 (hexadecimal, 32 times); the fourth entry puts node 5 in the place of node 2.",
    );
    let mut circle = Circle::new();
    let [steward, second, third, new] = circle.nodes.clone();
    let by_three = ruled(5, 3);
    let direct = signed(said(2, &second, Some(&new), 2, NOW), 2);
    let rotation = signed(said(2, &second, None, 4, NOW), 2);
    let through = signed(said(4, &second, Some(&new), 2, NOW + 1), 4);
    let of_three = signed(said(3, &third, Some(&by_three), 3, NOW), 3);
    let replaced = circle.replace(1, &new, vec![direct.clone()], 74);
    for (name, made) in [
        ("node 5 in the place of node 2", replaced.clone()),
        (
            "node 5 in the place of node 2, whose recovery key had become another one",
            circle.replace(1, &new, vec![rotation.clone(), through.clone()], 75),
        ),
        (
            "node 5 in the place of node 3, which was granted nothing of the past",
            circle.replace(2, &by_three, vec![of_three], 76),
        ),
    ] {
        let state = made.charter.state();
        file.valid(
            name,
            json!({ "charter": 3, "object": hex(&made.entry.bytes) }),
            json!({
                "id": hex(made.entry.id),
                "circle": hex(made.charter.circle()),
                "number": made.charter.number(),
                "members": state.members.iter().map(|member| hex(member.node)).collect::<Vec<_>>(),
                "epoch": state.epoch.number,
                "commitment": hex(state.epoch.commitment),
                "closed": state.closed,
                "steward": hex(state.steward),
                "deputies": Vec::<String>::new(),
                "predecessor": null,
            }),
        );
    }
    let nothing = circle.replace(
        2,
        &by_three,
        vec![signed(said(3, &third, Some(&by_three), 3, NOW), 3)],
        76,
    );
    let from = |made: &Made, change: &dyn Fn(&mut Entry)| {
        let mut entry = made.entry.object.clone();
        change(&mut entry);
        json!({ "charter": 3, "object": hex(sign::sign(entry, &steward.key()).bytes) })
    };
    let wrong = |change: &dyn Fn(&mut Entry)| from(&replaced, change);
    let quoting = |statements: Vec<Bytes>| {
        wrong(&|entry| {
            if let Change::Replace {
                statements: said, ..
            } = &mut entry.change
            {
                said.clone_from(&statements);
            }
        })
    };
    let naming = |node: &Node| {
        wrong(&|entry| {
            if let Change::Replace {
                new, descriptor, ..
            } = &mut entry.change
            {
                *new = node.id();
                *descriptor = Bytes(node.descriptor.bytes.clone());
            }
        })
    };
    let instead_of = |node: NodeId| {
        wrong(&|entry| {
            if let Change::Replace { old, .. } = &mut entry.change {
                *old = node;
            }
        })
    };
    let older = signed(said(4, &second, Some(&new), 2, NOW), 4);
    for (name, given, error) in [
        ("no statement", quoting(vec![]), "change"),
        (
            "only another recovery key",
            quoting(vec![rotation.clone()]),
            "change",
        ),
        (
            "a statement of the identity itself",
            quoting(vec![Bytes(
                sign::sign(
                    Replacement {
                        recovery: second.id(),
                        ..said(2, &second, Some(&new), 2, NOW)
                    },
                    &second.key(),
                )
                .bytes,
            )]),
            "replacement",
        ),
        (
            "a statement of another member's recovery key",
            quoting(vec![signed(said(3, &second, Some(&new), 2, NOW), 3)]),
            "replacement",
        ),
        (
            "a recovery key that was never named",
            quoting(vec![through]),
            "replacement",
        ),
        (
            "a statement that is not newer than the one before",
            quoting(vec![rotation, older]),
            "replacement",
        ),
        (
            "more statements than there may be",
            quoting(vec![direct; 9]),
            "limit",
        ),
        (
            "another node than the statement names",
            naming(&Node::new(6)),
            "change",
        ),
        (
            "a member in the place of a member",
            naming(&third),
            "change",
        ),
        (
            "a descriptor with another recovery key",
            naming(&ruled(5, 4)),
            "change",
        ),
        (
            "a descriptor that is not signed",
            wrong(&|entry| {
                if let Change::Replace { descriptor, .. } = &mut entry.change {
                    *descriptor.0.last_mut().expect("bytes") ^= 1;
                }
            }),
            "descriptor",
        ),
        ("the steward's identity", instead_of(steward.id()), "change"),
        (
            "a stranger's identity",
            instead_of(Node::new(6).id()),
            "change",
        ),
        (
            "cuts a log twice",
            wrong(&|entry| {
                if let Change::Replace { cuts, .. } = &mut entry.change {
                    cuts.push(cuts[0]);
                }
            }),
            "change",
        ),
        (
            "and states that the old one stays",
            wrong(&|entry| entry.state.members = circle.head().state().members.clone()),
            "state",
        ),
        (
            "and states the epoch before",
            wrong(&|entry| entry.state.epoch = circle.head().state().epoch),
            "state",
        ),
        (
            "and states more of the past than the old one had",
            from(&nothing, &|entry| {
                if let Some(member) = entry.state.members.last_mut() {
                    member.grant = Grant::Whole;
                }
            }),
            "state",
        ),
    ] {
        file.invalid(name, given, error);
    }
    circle.made.push(replaced);
    let acceptance = circle.acceptance(1, 77);
    let again = Change::Admit {
        node: second.id(),
        descriptor: Bytes(second.descriptor.bytes.clone()),
        acceptance: Bytes(acceptance.bytes.clone()),
        grant: Grant::Whole,
        starts: Vec::new(),
    };
    let admitted = circle
        .act(|steward| charter::rotate(steward, charter::RotationReason::Precaution, &mut rng(78)));
    let mut entry = admitted.expect("rotated").entry.object;
    entry.change = again;
    file.invalid(
        "admits an identity that was replaced",
        json!({ "charter": 4, "object": hex(sign::sign(entry, &steward.key()).bytes) }),
        "change",
    );
    let shared: Value = circle
        .made
        .iter()
        .map(|made| hex(&made.entry.bytes))
        .collect();
    file.share(json!({ "charter": shared }));
    file.json()
}
