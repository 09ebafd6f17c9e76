//! What each node sent, was sent, and did wrong: counters for its line, for `doctor` and for metrics.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use maillon_protocol::ids::NodeId;

/// Kinds of problems that are kept for one node; more are counted together.
const KINDS: usize = 64;
/// Nodes that are kept apart.
const NODES: usize = 4096;

/// Counters by node.
#[derive(Debug, Default)]
pub struct Scores(Mutex<HashMap<NodeId, Score>>);

/// One node's counters since the start.
#[derive(Debug, Default, Clone)]
pub struct Score {
    /// Frames by direction and message, such as `sync.in.records`.
    pub frames: BTreeMap<String, u64>,
    /// Problems by their sentence.
    pub problems: BTreeMap<String, u64>,
}

impl Scores {
    fn of(&self, node: NodeId, change: impl FnOnce(&mut Score)) {
        // Counters are whole after every change; a poisoned lock loses nothing.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < NODES || all.contains_key(&node) {
            change(all.entry(node).or_default());
        }
    }

    /// Counts a frame.
    pub fn frame(&self, node: NodeId, incoming: bool, message: &'static str) {
        let way = if incoming { "in" } else { "out" };
        self.of(node, |score| {
            *score
                .frames
                .entry(format!("sync.{way}.{message}"))
                .or_default() += 1
        });
    }

    /// Counts a problem.
    pub fn problem(&self, node: NodeId, problem: &str) {
        self.of(node, |score| {
            let key = if score.problems.len() < KINDS || score.problems.contains_key(problem) {
                problem
            } else {
                "other problems"
            };
            *score.problems.entry(key.to_owned()).or_default() += 1;
        });
    }

    /// One node's counters.
    pub fn score(&self, node: &NodeId) -> Score {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(node)
            .cloned()
            .unwrap_or_default()
    }

    /// Problems of all nodes, counted together.
    pub fn problems(&self) -> u64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().flat_map(|score| score.problems.values()).sum()
    }
}
