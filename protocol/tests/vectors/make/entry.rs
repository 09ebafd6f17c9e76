//! Charter entries.

use maillon_protocol::{
    cbor::{self, Bytes},
    charter::{self, Change, Cut, Entry, Grant, LogStart, Predecessor, RemovalReason, Subject},
    ids::{CircleId, EntryHash, Hash, NodeId},
    sign,
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    file::{File, hex},
    forge::forgeries,
    node::{NOW, Node, rng},
    world::World,
};

const NAMES: [&str; 11] = [
    "found: node 1 alone",
    "admit node 2 to the whole past",
    "admit node 3 to nothing of the past, one log starting at 3",
    "remove node 2, one log cut at 1",
    "rotate",
    "close",
    "reopen",
    "appoint node 3 a deputy",
    "hand over to node 3, which is no deputy any more",
    "close, signed by the new steward",
    "move the cut of node 2's log to 2, in the closed circle",
];

/// The entries of the circle, as several files share them.
pub(crate) fn charter(world: &World) -> Value {
    world
        .made
        .iter()
        .map(|made| hex(&made.entry.bytes))
        .collect()
}

pub(crate) fn make(world: &World) -> Value {
    let mut file = File::new(
        "Charter entries: COSE_Sign1, external_aad [\"maillon/1 entry\"]. Each extends the charter of the first \
         `charter` entries in `shared`.",
    );
    file.share(json!({ "charter": charter(world) }));
    let successor = charter::found(
        Subject::Patient,
        Some(world.predecessor()),
        &world.nodes[1].descriptor,
        &world.nodes[1].key(),
        Timestamp::from_ms(NOW),
        &mut rng(61),
    );
    let chain = world.made.iter().zip(NAMES).enumerate();
    let others = [(0, (&successor, "found: node 2 alone, after another circle"))];
    for (before, (made, name)) in chain.chain(others) {
        let state = made.charter.state();
        let continues = state
            .predecessor
            .map(|_| hex(cbor::encode(&world.predecessor())));
        let members = state.members.iter().map(|member| hex(member.node));
        file.valid(
            name,
            json!({ "charter": before, "object": hex(&made.entry.bytes), "continues": continues }),
            json!({
                "id": hex(made.entry.id),
                "circle": hex(made.charter.circle()),
                "number": made.charter.number(),
                "members": members.collect::<Vec<_>>(),
                "epoch": state.epoch.number,
                "commitment": hex(state.epoch.commitment),
                "closed": state.closed,
                "steward": hex(state.steward),
                "deputies": state.deputies.iter().map(hex).collect::<Vec<_>>(),
                "predecessor": state.predecessor.map(hex),
            }),
        );
    }
    let other = Predecessor {
        entry: 1,
        ..world.predecessor()
    };
    file.invalid(
        "founded after another entry of that circle than is said",
        json!({
            "charter": 0,
            "object": hex(&successor.entry.bytes),
            "continues": hex(cbor::encode(&other)),
        }),
        "state",
    );
    let rotate = &world.made[4].entry.bytes;
    file.forged(
        forgeries(rotate, &world.nodes[0].seed, "entry"),
        |object| json!({ "charter": 4, "object": hex(object) }),
    );
    wrong_places(world, &mut file);
    wrong_changes(world, &mut file);
    wrong_stewards(world, &mut file);
    wrong_moves(world, &mut file);
    file.json()
}

/// Entry `number` of the circle with a change, signed by `node` and offered to the charter before it.
fn changed(world: &World, number: usize, node: &Node, change: &dyn Fn(&mut Entry)) -> Value {
    let mut entry = world.made[number - 1].entry.object.clone();
    change(&mut entry);
    entry.signer = node.id();
    json!({ "charter": number - 1, "object": hex(sign::sign(entry, &node.key()).bytes) })
}

fn wrong_places(world: &World, file: &mut File) {
    let [steward, second, _] = &world.nodes;
    let wrong = |number, change: &dyn Fn(&mut Entry)| changed(world, number, steward, change);
    let other = EntryHash([0xee; 32]);
    for (name, given, error) in [
        (
            "of a later version",
            wrong(2, &|entry| entry.version = 2),
            "version",
        ),
        (
            "of another circle",
            wrong(2, &|entry| entry.circle = Some(CircleId([0xee; 32]))),
            "circle",
        ),
        (
            "of no circle",
            wrong(2, &|entry| entry.circle = None),
            "circle",
        ),
        (
            "a number left out",
            wrong(3, &|entry| entry.number = 4),
            "number",
        ),
        (
            "names another entry before it",
            wrong(3, &|entry| entry.previous = Some(other)),
            "previous",
        ),
        (
            "names no entry before it",
            wrong(3, &|entry| entry.previous = None),
            "previous",
        ),
        (
            "signed by a member that is not the steward",
            changed(world, 5, second, &|_| ()),
            "steward",
        ),
        (
            "founded with a number",
            wrong(1, &|entry| entry.number = 2),
            "number",
        ),
        (
            "founded with a circle",
            wrong(1, &|entry| entry.circle = Some(CircleId([1; 32]))),
            "number",
        ),
        (
            "founded with a descriptor of another node",
            wrong(1, &|entry| {
                entry.change = Change::Found {
                    descriptor: Bytes(second.descriptor.bytes.clone()),
                };
            }),
            "change",
        ),
        (
            "founded with a second member",
            wrong(1, &|entry| {
                let member = entry.state.members[0];
                entry.state.members.push(member);
            }),
            "state",
        ),
        (
            "says later that it continues another circle",
            wrong(5, &|entry| entry.state.predecessor = Some(Hash([0xee; 32]))),
            "state",
        ),
        (
            "states another steward",
            wrong(5, &|entry| entry.state.steward = second.id()),
            "state",
        ),
        (
            "states another epoch's number",
            wrong(5, &|entry| entry.state.epoch.number = 4),
            "state",
        ),
        (
            "states other founding bytes",
            wrong(5, &|entry| entry.state.founding = Hash([0; 32])),
            "state",
        ),
        (
            "closes with a new commitment",
            wrong(6, &|entry| entry.state.epoch.commitment = Hash([0; 32])),
            "state",
        ),
        (
            "closes and states that it is open",
            wrong(6, &|entry| entry.state.closed = false),
            "state",
        ),
        (
            "a deputy slipped in",
            wrong(5, &|entry| entry.state.deputies.push(second.id())),
            "state",
        ),
    ] {
        file.invalid(name, given, error);
    }
    let after = {
        let mut entry = world.made[4].entry.object.clone();
        entry.number = 7;
        entry.previous = Some(world.charter(6).head());
        json!({ "charter": 6, "object": hex(sign::sign(entry, &steward.key()).bytes) })
    };
    file.invalid("an entry after closing", after, "closed");
}

fn wrong_changes(world: &World, file: &mut File) {
    let [steward, second, third] = &world.nodes;
    let wrong = |number, change: &dyn Fn(&mut Entry)| changed(world, number, steward, change);
    let admit = |number, node: &Node, acceptance: usize, grant, starts: Vec<LogStart>| {
        wrong(number, &|entry| {
            entry.change = Change::Admit {
                node: node.id(),
                descriptor: Bytes(node.descriptor.bytes.clone()),
                acceptance: Bytes(world.acceptances[acceptance].bytes.clone()),
                grant,
                starts: starts.clone(),
            };
        })
    };
    let start = LogStart {
        log: steward.log(),
        sequence: 3,
    };
    for (name, given, error) in [
        (
            "founds a second time",
            wrong(2, &|entry| {
                entry.change = world.made[0].entry.object.change.clone()
            }),
            "change",
        ),
        (
            "admits a member",
            admit(3, second, 0, Grant::Whole, vec![]),
            "change",
        ),
        (
            "admits with another node's acceptance",
            admit(3, third, 0, Grant::Whole, vec![]),
            "change",
        ),
        (
            "admits with a used acceptance",
            admit(5, second, 0, Grant::Whole, vec![]),
            "change",
        ),
        (
            "admits to the whole past with starts",
            admit(3, third, 1, Grant::Whole, vec![start]),
            "change",
        ),
        (
            "admits from an epoch that does not exist",
            admit(3, third, 1, Grant::From(9), vec![]),
            "change",
        ),
        (
            "admits with an acceptance that is not signed",
            wrong(3, &|entry| {
                if let Change::Admit { acceptance, .. } = &mut entry.change {
                    *acceptance.0.last_mut().expect("bytes") ^= 1;
                }
            }),
            "acceptance",
        ),
        (
            "admits with a descriptor that is not signed",
            wrong(3, &|entry| {
                if let Change::Admit { descriptor, .. } = &mut entry.change {
                    *descriptor.0.last_mut().expect("bytes") ^= 1;
                }
            }),
            "descriptor",
        ),
        (
            "removes the steward",
            wrong(4, &|entry| {
                entry.change = Change::Remove {
                    node: steward.id(),
                    reason: RemovalReason::Left,
                    cuts: vec![],
                };
            }),
            "change",
        ),
        (
            "removes a stranger",
            wrong(5, &|entry| {
                entry.change = Change::Remove {
                    node: second.id(),
                    reason: RemovalReason::Left,
                    cuts: vec![],
                };
            }),
            "change",
        ),
        (
            "cuts a log twice",
            wrong(4, &|entry| {
                if let Change::Remove { cuts, .. } = &mut entry.change {
                    cuts.push(cuts[0]);
                }
            }),
            "change",
        ),
        (
            "removes and still lists",
            wrong(4, &|entry| {
                entry.state.members = world.charter(3).state().members.clone();
            }),
            "state",
        ),
    ] {
        file.invalid(name, given, error);
    }
}

fn wrong_stewards(world: &World, file: &mut File) {
    let [steward, second, third] = &world.nodes;
    let wrong = |number, change: &dyn Fn(&mut Entry)| changed(world, number, steward, change);
    let hands_over = |to: &Node| {
        let to = to.id();
        wrong(9, &move |entry| entry.change = Change::HandOver { to })
    };
    let appoints = |deputies: &[&Node]| {
        let deputies: Vec<_> = deputies.iter().map(|node| node.id()).collect();
        wrong(8, &move |entry| {
            entry.change = Change::Appoint {
                deputies: deputies.clone(),
            };
        })
    };
    for (name, given, error) in [
        (
            "reopens what is open",
            wrong(5, &|entry| entry.change = Change::Reopen { reason: 0 }),
            "change",
        ),
        (
            "reopens and states that it is closed",
            wrong(7, &|entry| entry.state.closed = true),
            "state",
        ),
        ("appoints the steward", appoints(&[steward]), "change"),
        ("appoints who was removed", appoints(&[second]), "change"),
        (
            "appoints a member twice",
            appoints(&[third, third]),
            "change",
        ),
        (
            "appoints and states none",
            wrong(8, &|entry| entry.state.deputies.clear()),
            "state",
        ),
        ("hands over to itself", hands_over(steward), "change"),
        (
            "hands over to who was removed",
            hands_over(second),
            "change",
        ),
        (
            "hands over and states the same steward",
            wrong(9, &|entry| entry.state.steward = steward.id()),
            "state",
        ),
        (
            "hands over and keeps the new steward as a deputy",
            wrong(9, &|entry| entry.state.deputies.push(third.id())),
            "state",
        ),
        (
            "signed by the steward that has handed over",
            changed(world, 10, steward, &|_| ()),
            "steward",
        ),
    ] {
        file.invalid(name, given, error);
    }
}

fn wrong_moves(world: &World, file: &mut File) {
    let [_, second, third] = &world.nodes;
    let moves = |change: &dyn Fn(&mut NodeId, &mut u64, &mut Vec<Cut>)| {
        changed(world, 11, third, &|entry| {
            if let Change::MoveCuts {
                node,
                removal,
                cuts,
            } = &mut entry.change
            {
                change(node, removal, cuts);
            }
        })
    };
    for (name, given) in [
        (
            "moves the cut of who was never removed",
            moves(&|node, _, _| *node = third.id()),
        ),
        (
            "moves the cut of a removal by an entry that removed nobody",
            moves(&|_, removal, _| *removal = 5),
        ),
        ("moves no cut", moves(&|_, _, cuts| cuts.clear())),
        (
            "moves the cut of a log twice",
            moves(&|_, _, cuts| cuts.push(cuts[0])),
        ),
        (
            "moves a cut to where it is",
            moves(&|_, _, cuts| cuts[0].sequence = 1),
        ),
    ] {
        file.invalid(name, given, "change");
    }
    file.invalid(
        "moves a cut and lists the removed node",
        changed(world, 11, third, &|entry| {
            let mut member = entry.state.members[0];
            member.node = second.id();
            entry.state.members.push(member);
        }),
        "state",
    );
}
