//! `maillond`: the daemon of a Maillon node.
#![forbid(unsafe_code)]

use std::process::ExitCode;

mod program;

fn main() -> ExitCode {
    program::run()
}
