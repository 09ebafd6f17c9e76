//! The program itself, as a shell sees it.
#![allow(missing_docs, reason = "tests")]

use std::process::{Command, Output, Stdio};

fn maillonctl(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_maillonctl"))
        .args(words)
        .env("MAILLON_SOCKET", "/nowhere/admin.sock")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

#[test]
fn the_exit_code_reaches_the_shell() {
    assert_eq!(maillonctl(&["--version"]).status.code(), Some(0));
    assert_eq!(maillonctl(&["no-such-command"]).status.code(), Some(64));
    assert_eq!(maillonctl(&["status"]).status.code(), Some(3));
}

#[test]
fn the_socket_of_the_environment_is_used_and_named_when_it_is_not_there() {
    let ran = maillonctl(&["status"]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("/nowhere/admin.sock"), "{said}");
    assert!(ran.stdout.is_empty());
}

#[test]
fn a_usage_error_is_json_where_json_was_asked_for() {
    let ran = maillonctl(&["--json", "no-such-command"]);
    assert_eq!(ran.status.code(), Some(64));
    let said = String::from_utf8_lossy(&ran.stderr);
    let error: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(error["exit"], 64, "{said}");
    assert!(ran.stdout.is_empty());
}
