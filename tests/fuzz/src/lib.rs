//! What the fuzzers run.

#[path = "../targets.rs"]
mod targets;
#[cfg(feature = "node")]
#[path = "../targets_node.rs"]
mod targets_node;

/// Runs a target by its name.
///
/// # Panics
/// Where the target finds something, or there is none of that name.
pub fn run(name: &str, data: &[u8]) {
    let all = targets::TARGETS.iter();
    #[cfg(feature = "node")]
    let all = all.chain(&targets_node::NODE_TARGETS);
    let found = all.clone().find(|(known, _)| *known == name);
    (found.expect("a target").1)(data);
}
