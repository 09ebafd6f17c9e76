//! Logs and charters that fork, in virtual time: a disk that goes back, a disk that is copied, a key that signs twice.
//!
//! | file | what |
//! |---|---|
//! | `logs` | two machines in one name: what either wrote is shown, marked, passed on and written again |
//! | `after` | what becomes of a forked log later: removal, erasure, the end of the file's time |
//! | `bounds` | who forks without end costs the others a bounded room |
//! | `charters` | two machines that sign as the steward |
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod after;
mod bounds;
mod charters;
mod logs;

use std::collections::BTreeSet;

use maillon_protocol::{
    ids::{CircleId, EntryHash},
    replica::{Notice, RowPrefix, Rows},
};
use maillon_tests::net::Net;

const WALKED: &str = "A marché jusqu'au portail ce matin.";
const ATE: &str = "N'a rien mangé à midi.";
const SLEPT: &str = "Dort beaucoup.";
const FELL: &str = "Est tombée dans l'escalier.";

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Everybody shows these notes and the same things.
fn agree(net: &Net, nodes: &[usize], circle: &CircleId, texts: &[&str]) -> bool {
    let digest = |node: usize| net.nodes[node].digest(circle);
    nodes
        .iter()
        .all(|node| net.notes(*node, circle) == set(texts) && digest(*node) == digest(nodes[0]))
}

/// What of a circle is kept aside at a node.
fn aside(net: &Net, node: usize, circle: &CircleId) -> usize {
    let rows = &net.nodes[node].memory;
    rows.scan(&RowPrefix::Aside(*circle)).unwrap().len()
}

fn was_told(net: &Net, node: usize, word: &str) -> bool {
    let told = |notice: &Notice| matches!(notice, Notice::Aside { what, .. } if *what == word);
    net.nodes[node].notices.iter().any(told)
}

/// Three members and a fourth that joins later. The first one's disk is copied: from then on two machines run in its name, one meets the second
/// member, the other the third, and both are written at.
fn two_machines(seed: u64) -> (Net, CircleId, usize) {
    let mut net = Net::new(seed, 4);
    let circle = net.circle(0, &[1, 2, 3]);
    assert!(net.run_until(|net| (1..4).all(|node| net.same(0, node, &circle))));
    net.cut_all();
    let twin = net.twin(0);
    net.connect(0, 1);
    net.connect(twin, 2);
    for day in 0..3 {
        net.write(0, &circle, &format!("Au premier, jour {day}."));
        net.write(twin, &circle, &format!("Au second, jour {day}."));
        net.run(24 * 3_600_000);
    }
    (net, circle, twin)
}

const OF_BOTH: [&str; 6] = [
    "Au premier, jour 0.",
    "Au premier, jour 1.",
    "Au premier, jour 2.",
    "Au second, jour 0.",
    "Au second, jour 1.",
    "Au second, jour 2.",
];

/// Three members, and the steward's disk is copied: from then on two machines can sign as the steward.
fn two_stewards(seed: u64) -> (Net, CircleId, usize) {
    let mut net = Net::new(seed, 5);
    let circle = net.circle(0, &[1, 2, 3]);
    net.connect_all();
    net.write(1, &circle, WALKED);
    assert!(net.run_until(|net| (1..4).all(|node| net.same(0, node, &circle))));
    net.run(120_000);
    net.cut_all();
    let twin = net.twin(0);
    (net, circle, twin)
}

fn head(net: &Net, node: usize, circle: &CircleId) -> (u64, EntryHash) {
    let charter = &net.nodes[node].circles[circle].charter;
    (charter.number(), charter.head())
}
