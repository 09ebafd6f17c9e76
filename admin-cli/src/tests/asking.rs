//! Destructive commands show what will happen and want a yes.

use maillon_protocol::{
    admin::{Answer, Call, CircleDigest, ErasureCall, Keys, Outcome, Pairing, Peers, Request},
    ids::{CircleId, Hash, KeyId, NodeId},
};

use super::{NOON, daemon::Daemon, maillonctl};

const WORDS: &str = "abaisser cerise jardin nuage voyage";

fn daemon() -> Daemon<Vec<Request>> {
    Daemon::answering(|call| {
        Outcome::Done(match call {
            Call::SyncCheck { .. } => Answer::SyncCheck(vec![CircleDigest {
                circle: CircleId([0x5f; 32]),
                entry: 4,
                records: 340,
                digest: None,
            }]),
            Call::KeysShow | Call::KeysRotate => Answer::Keys(Keys {
                node: NodeId([7; 32]),
                receive: vec![(KeyId([9; 8]), NOON, NOON)],
                recovery: Hash([1; 32]),
            }),
            Call::PeerList => Answer::Peers(Peers {
                peers: Vec::new(),
                pairings: vec![pairing(false)],
            }),
            Call::PeerConfirm { .. } => Answer::Pairing(pairing(true)),
            _ => Answer::Ok,
        })
    })
}

fn pairing(confirmed_here: bool) -> Pairing {
    Pairing {
        pairing: "4be07a19c3d2aa".to_owned(),
        inviter: true,
        structure: Some("CPTS du Vallon".to_owned()),
        node: Some(NodeId([8; 32])),
        words: Some(WORDS.to_owned()),
        confirmed_here,
        confirmed_there: false,
        paired: false,
        failed: None,
        bad_proofs: 0,
        expires_ms: NOON + 3_600_000,
    }
}

fn was_closed(asked: &[Request]) -> bool {
    asked
        .iter()
        .any(|request| matches!(request.call, Call::CircleClose { reason: 2, .. }))
}

const CLOSE: [&str; 5] = ["circle", "close", "5f5f", "--reason", "death"];

#[test]
fn nothing_is_destroyed_where_nobody_can_be_asked() {
    let daemon = daemon();
    let ran = maillonctl(&daemon.socket(), &CLOSE, None);
    assert_eq!(ran.code, 64);
    assert!(ran.notes.contains("This will happen:"), "{}", ran.notes);
    assert!(ran.notes.contains(&format!(
        "circle {} (340 records, entry 4) is closed",
        "5f".repeat(32)
    )));
    assert!(ran.notes.contains("--yes"));
    assert!(!was_closed(&daemon.end()));
}

#[test]
fn a_person_who_says_no_or_nothing_is_obeyed() {
    for typed in ["n\n", "\n", "", "yesterday\n"] {
        let daemon = daemon();
        let ran = maillonctl(&daemon.socket(), &CLOSE, Some(typed));
        assert_eq!(ran.code, 64, "{typed:?}");
        assert!(!was_closed(&daemon.end()), "{typed:?}");
    }
}

#[test]
fn a_yes_is_taken_from_the_person_or_in_full_from_the_command() {
    let by_person = daemon();
    let ran = maillonctl(&by_person.socket(), &CLOSE, Some("y\n"));
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "The circle has been closed.\n")
    );
    assert!(was_closed(&by_person.end()));

    let by_word = daemon();
    let words: Vec<_> = CLOSE.into_iter().chain(["--yes"]).collect();
    assert_eq!(maillonctl(&by_word.socket(), &words, None).code, 0);
    let asked = by_word.end();
    assert!(was_closed(&asked) && asked.len() == 1);

    let short = daemon();
    let words: Vec<_> = CLOSE.into_iter().chain(["-y"]).collect();
    assert_eq!(maillonctl(&short.socket(), &words, None).code, 64);
}

#[test]
fn all_destructive_commands_ask_first() {
    for words in [
        &["circle", "remove", "5f5f", "CPTS"][..],
        &["circle", "close", "5f5f", "--reason", "other"],
        &["circle", "hand-over", "5f5f", "CPTS"],
        &["circle", "leave", "5f5f"],
        &["circle", "continue", "5f5f"],
        &["circle", "carry-over", "5f5f"],
        &["circle", "finish", "5f5f"],
        &["circle", "confirm", "5f5f"],
        &["circle", "count-late", "5f5f", "CPTS"],
        &["erasure", "ask", "9c0b", "--reason", "law"],
        &["erasure", "carry-out", "9c0b"],
        &["circle", "replace", "5f5f", "Qx7f"],
        &["keys", "rotate"],
        &["keys", "revoke"],
        &["peer", "end", "CPTS"],
        &["peer", "replace", "Qx7f", "--by", "9kLw"],
    ] {
        let daemon = daemon();
        let ran = maillonctl(&daemon.socket(), words, None);
        assert_ne!(ran.code, 0, "{words:?}");
        let destroyed = |request: &Request| {
            matches!(
                request.call,
                Call::CircleRemove { .. }
                    | Call::CircleClose { .. }
                    | Call::CircleLeave { .. }
                    | Call::CircleHandOver { .. }
                    | Call::CircleContinue { .. }
                    | Call::CircleCarryOver { .. }
                    | Call::CircleFinish { .. }
                    | Call::CircleConfirm { .. }
                    | Call::CircleCountLate { .. }
                    | Call::Erasure(ErasureCall::Ask { .. } | ErasureCall::CarryOut { .. })
                    | Call::CircleReplace { .. }
                    | Call::KeysRotate
                    | Call::KeysRevoke
                    | Call::PeerEnd { .. }
                    | Call::PeerReplace { .. }
            )
        };
        assert!(!daemon.end().iter().any(destroyed), "{words:?}");
    }
}

#[test]
fn the_words_of_a_pairing_are_shown_and_then_confirmed_as_they_were_shown() {
    let daemon = daemon();
    let ran = maillonctl(
        &daemon.socket(),
        &["peer", "confirm", "4be0"],
        Some("yes\n"),
    );
    assert_eq!(ran.code, 0);
    assert!(ran.notes.contains(WORDS), "{}", ran.notes);
    assert!(
        ran.out.contains("CPTS du Vallon must confirm too"),
        "{}",
        ran.out
    );
    let confirmed = Call::PeerConfirm {
        pairing: "4be0".to_owned(),
        words: WORDS.to_owned(),
    };
    assert!(daemon.end().iter().any(|request| request.call == confirmed));
}

#[test]
fn words_that_differ_or_that_nobody_compared_confirm_nothing() {
    for (name, typed, code) in [
        ("4be0", Some("n\n"), 64),
        ("4be0", None, 64),
        ("ffff", Some("y\n"), 66),
        ("4be", Some("y\n"), 64),
    ] {
        let daemon = daemon();
        let ran = maillonctl(&daemon.socket(), &["peer", "confirm", name], typed);
        assert_eq!(ran.code, code);
        let asked = daemon.end();
        assert!(
            !asked
                .iter()
                .any(|request| matches!(request.call, Call::PeerConfirm { .. }))
        );
    }
}

#[test]
fn a_pairing_that_is_not_clear_or_has_no_words_yet_is_told_with_its_own_exit_code() {
    let daemon = || {
        Daemon::answering(|_| {
            let other = Pairing {
                pairing: "4be0ffffffffff".to_owned(),
                words: None,
                ..pairing(false)
            };
            Outcome::Done(Answer::Peers(Peers {
                peers: Vec::new(),
                pairings: vec![pairing(false), other],
            }))
        })
    };
    for (name, code, words) in [
        ("4be", 64, "4 digits at least, this has 3"),
        ("4be0", 66, "Several pairings"),
        ("ffff", 66, "No pairing under way"),
        ("4be0f", 75, "not met yet"),
    ] {
        let daemon = daemon();
        let ran = maillonctl(&daemon.socket(), &["peer", "confirm", name], Some("y\n"));
        assert_eq!(ran.code, code, "{}", ran.notes);
        assert!(ran.notes.contains(words), "{}", ran.notes);
    }
}

#[test]
fn a_program_that_did_not_say_yes_gets_json_alone_with_what_would_happen() {
    for words in [
        &["--json", "keys", "rotate"][..],
        &["--json", "circle", "close", "5f5f", "--reason", "death"],
    ] {
        let daemon = daemon();
        // Somebody sits at the terminal and would say yes: a program is not asked.
        let ran = maillonctl(&daemon.socket(), words, Some("yes\n"));
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{ran:?}");
        let said: serde_json::Value = serde_json::from_str(&ran.notes).expect("JSON alone");
        assert_eq!(said["code"], "unconfirmed");
        assert!(
            said["would"]
                .as_array()
                .is_some_and(|lines| lines.len() > 1),
            "{said}"
        );
        let asked = daemon.end();
        assert!(
            !asked
                .iter()
                .any(|request| matches!(request.call, Call::KeysRotate | Call::CircleClose { .. }))
        );
    }
}
