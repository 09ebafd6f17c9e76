//! What goes wrong is said in a sentence, with what to do, and with an exit code.

use std::path::Path;

use maillon_protocol::{
    admin::{AdminError, Answer, Call, ErrorCode, Outcome},
    limits,
};
use serde_json::Value;

use super::{Ran, daemon::Daemon, maillonctl};
use crate::EXIT_CODES;

const CODES: [ErrorCode; 9] = [
    ErrorCode::BadRequest,
    ErrorCode::Version,
    ErrorCode::NotFound,
    ErrorCode::NotAllowed,
    ErrorCode::Conflict,
    ErrorCode::Limit,
    ErrorCode::Storage,
    ErrorCode::Unreachable,
    ErrorCode::Internal,
];

fn refusing(code: ErrorCode) -> Daemon<Vec<maillon_protocol::admin::Request>> {
    Daemon::answering(move |_| {
        Outcome::Failed(AdminError {
            code,
            cause: "no circle has the name 5f3a\u{1b}[2J".to_owned(),
            action: "List them with maillonctl circle list.".to_owned(),
            request: "r-0042".to_owned(),
        })
    })
}

fn lines(ran: &Ran) -> Vec<&str> {
    ran.notes.lines().collect()
}

#[test]
fn a_refusal_says_the_cause_then_the_action_then_the_request() {
    let daemon = refusing(ErrorCode::NotFound);
    let ran = maillonctl(&daemon.socket(), &["circle", "show", "5f3a"], None);
    assert_eq!(ran.code, 66);
    assert_eq!(ran.out, "");
    assert_eq!(
        lines(&ran),
        [
            "Error: No circle has the name 5f3a\\u{1b}[2J.",
            "  → List them with maillonctl circle list.",
            "  (request r-0042)"
        ]
    );
}

#[test]
fn a_refusal_is_json_for_a_program() {
    let daemon = refusing(ErrorCode::NotFound);
    let ran = maillonctl(
        &daemon.socket(),
        &["circle", "show", "5f3a", "--json"],
        None,
    );
    let value: Value = serde_json::from_str(&ran.notes).expect("JSON");
    assert_eq!(value["code"], "not-found");
    assert_eq!(value["cause"], "no circle has the name 5f3a\u{1b}[2J");
    assert_eq!(value["request"], "r-0042");
    assert_eq!(value["exit"], 66);
    assert!(!ran.notes.contains('\u{1b}'));
    assert_eq!(lines(&ran).len(), 1);
}

#[test]
fn every_code_of_the_daemon_has_its_exit_code_and_the_help_lists_it() {
    let mut seen = std::collections::BTreeSet::new();
    for code in CODES {
        let daemon = refusing(code);
        let ran = maillonctl(&daemon.socket(), &["outbox"], None);
        assert_eq!(i32::from(ran.code), code.exit_code());
        assert!(seen.insert(ran.code), "{code:?} shares its exit code");
        assert!(
            EXIT_CODES.contains(&format!("\n  {}  ", ran.code)),
            "{code:?}"
        );
    }
}

#[test]
fn without_a_daemon_the_exit_code_is_three_and_a_sentence_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("admin.sock");
    let ran = maillonctl(&socket, &["status"], None);
    assert_eq!(ran.code, 3);
    assert!(
        ran.notes.contains("There is no admin socket at"),
        "{}",
        ran.notes
    );
    assert!(ran.notes.contains("→ Start the daemon"), "{}", ran.notes);

    let ran = maillonctl(&socket, &["status", "--json"], None);
    let value: Value = serde_json::from_str(&ran.notes).expect("JSON");
    assert_eq!(
        (&value["code"], &value["exit"]),
        (&"no-daemon".into(), &3.into())
    );
}

#[test]
fn a_command_that_is_not_well_formed_does_not_look_like_a_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("admin.sock");
    assert_eq!(maillonctl(&socket, &["stauts"], None).code, 64);
    assert_eq!(
        maillonctl(&socket, &["circle", "accept", "e81c"], None).code,
        64
    );
    let help = maillonctl(&socket, &["--help"], None);
    assert_eq!(help.code, 0);
    assert!(help.out.contains("Exit codes:"));
    assert_eq!(help.notes, "");
}

#[test]
fn an_answer_to_another_question_is_not_shown() {
    let daemon = Daemon::answering(|_| Outcome::Done(Answer::Ok));
    let ran = maillonctl(&daemon.socket(), &["outbox"], None);
    assert_eq!((ran.code, ran.out.as_str()), (76, ""));
}

#[test]
fn a_wrong_ins_is_refused_before_the_daemon_is_asked_and_is_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = [
        "circle",
        "open",
        "--birth-name",
        "A",
        "--given-name",
        "B",
        "--ins",
        "279035121518988",
    ];
    let ran = maillonctl(&folder.path().join("none.sock"), &open, None);
    assert_eq!(ran.code, 64);
    assert!(
        ran.notes.contains("The key of this INS is wrong"),
        "{}",
        ran.notes
    );
    assert!(!ran.notes.contains("279035121518988"));
}

#[test]
fn a_file_that_does_not_fit_or_does_not_exist_is_refused_before_the_daemon_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("none.sock");
    let file = folder.path().join("bundle.json");
    let name = file.to_str().expect("a path");
    assert_eq!(maillonctl(&socket, &["import", name], None).code, 66);
    let long = std::fs::File::create(&file).expect("a file");
    long.set_len(limits::IMPORT + 1).expect("a long file");
    let ran = maillonctl(&socket, &["import", name], None);
    assert_eq!(ran.code, 78);
    assert!(
        ran.notes.contains("has more than 37748736 bytes"),
        "{}",
        ran.notes
    );
}

#[test]
fn the_largest_file_that_is_read_is_announced_with_its_length() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bundle.json");
    let long = std::fs::File::create(&file).expect("a file");
    long.set_len(limits::IMPORT).expect("a long file");
    let daemon = refusing(ErrorCode::NotAllowed);
    let name = file.to_str().expect("a path");
    let ran = maillonctl(&daemon.socket(), &["import", name, "--as", "7b21"], None);
    assert_eq!(ran.code, 77, "{}", ran.notes);
    let asked = daemon.end();
    assert_eq!(asked.len(), 1);
    assert!(matches!(asked[0].call, Call::ImportBegin { length } if length == limits::IMPORT));
}

/// What a program gets for a command line, where no daemon is.
fn told(words: &[&str]) -> (u8, Value) {
    let ran = maillonctl(Path::new("/nowhere/admin.sock"), words, None);
    assert_eq!((ran.out.as_str(), lines(&ran).len()), ("", 1), "{ran:?}");
    (ran.code, serde_json::from_str(&ran.notes).expect("JSON"))
}

#[test]
fn a_command_that_is_not_well_formed_is_json_for_a_program_like_every_other_error() {
    for (words, cause, action) in [
        (&["stauts", "--json"][..], "stauts", "status"),
        (
            &["--json", "circle", "show"],
            "<CIRCLE>",
            "Usage: maillonctl",
        ),
        (
            &[
                "worker",
                "set",
                "verify",
                "--tranquillity",
                "1001",
                "--json",
            ],
            "1001",
            "--help",
        ),
        (
            &["--json", "circle", "show", "5f3a", "--loud"],
            "--loud",
            "Usage: maillonctl",
        ),
        (&["--json", "peer"], "command", "Usage: maillonctl peer"),
        (&["--json"], "command", "Usage: maillonctl"),
    ] {
        let (code, value) = told(words);
        assert_eq!(code, 64, "{words:?}");
        let part = |name: &str| value[name].as_str().unwrap_or_default();
        assert_eq!((part("code"), &value["exit"]), ("bad-request", &64.into()));
        assert!(part("cause").contains(cause), "{value}");
        assert!(part("action").contains(action), "{value}");
        assert!(!part("cause").contains("error:"), "{value}");
        let (_, refused) = told(&["status", "--json"]);
        let keys = |value: &Value| -> Vec<String> {
            value
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect()
        };
        assert_eq!(keys(&value), keys(&refused));
    }
}

#[test]
fn who_did_not_ask_for_json_gets_the_usage_as_people_read_it() {
    let nowhere = Path::new("/nowhere/admin.sock");
    for words in [
        &["stauts"][..],
        &["note", "add", "5f3a", "--", "x", "--json"],
    ] {
        let ran = maillonctl(nowhere, words, None);
        assert_eq!(ran.code, 64);
        assert!(ran.notes.starts_with("error: "), "{}", ran.notes);
    }
    let help = maillonctl(nowhere, &["circle", "--help", "--json"], None);
    assert!(help.code == 0 && help.out.contains("Usage: maillonctl circle"));
}

#[test]
fn a_file_is_named_as_it_was_typed() {
    for words in [
        &["document", "add", "talon.png", "--circle", "5f3a"][..],
        &["import", "talon"],
        &["record", "verify", "talon.png"],
        &["document", "add", "src", "--circle", "5f3a"],
    ] {
        let ran = maillonctl(Path::new("/nowhere/admin.sock"), words, None);
        let typed = if words[0] == "import" {
            words[1]
        } else {
            words[2]
        };
        assert!(ran.notes.contains(&format!(" {typed} ")), "{}", ran.notes);
        assert!(ran.notes.starts_with("Error: The "), "{}", ran.notes);
    }
}
