//! Everything that needs a whole Maillon node or several: the parts that scenarios share.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

pub mod bench;
pub mod browser;
pub mod daemon;
pub mod examples;
pub mod ground;
pub mod mounts;
pub mod net;
pub mod sift;
pub mod skip;
pub mod story;
pub mod strace;
pub mod visitor;
pub mod wire;
