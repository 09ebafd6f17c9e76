//! Session keys that would be written to a file. What the handshake offers is read from the wire by `tests/tests/nodes/handshake.rs`.

use std::process::Command;

use maillon_node::network::{NetworkError, refuse_key_log};

/// Run by the test below in a process of its own, where the variable can be set.
#[test]
fn a_process_whose_environment_asks_for_tls_keys_is_refused() {
    if std::env::var_os("SSLKEYLOGFILE").is_some() {
        assert!(matches!(refuse_key_log(), Err(NetworkError::KeyLog)));
        return;
    }
    refuse_key_log().expect("nothing asks for keys here");
    let me = std::env::current_exe().expect("a path");
    let run = Command::new(me)
        .args([
            "--exact",
            "a_process_whose_environment_asks_for_tls_keys_is_refused",
        ])
        .env("SSLKEYLOGFILE", "")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}
