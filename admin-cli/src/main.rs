//! `maillonctl`: the administrator's command of a Maillon node.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    maillon_admin_cli::main()
}
