//! What others wrote, as it is shown.

use maillon_protocol::{
    admin::{
        Answer, Call, Check, Exported, Outcome, PeerInvitation, RecordView, Reply, WatchEvent,
    },
    content::{Content, LiaisonNote, NoteKind, Professional, Structure},
    dossier::Delivery,
    ids::{CircleId, NodeId, RecordId, ThingId},
    time::Timestamp,
};
use serde_json::Value;

use super::{
    NOON,
    daemon::{Daemon, greet, request, send},
    maillonctl,
};

const EVIL: &str = "\u{1b}[2J\u{9b}31m\u{202e}\u{7}";

fn record() -> RecordView {
    let professional = Professional {
        name: format!("Camille {EVIL}Roux"),
        identifiers: Vec::new(),
        profession: None,
        structure: Structure {
            name: format!("Cabinet{EVIL}"),
            identifiers: Vec::new(),
        },
    };
    RecordView {
        circle: CircleId([0x5f; 32]),
        record: RecordId([0x9c; 32]),
        thing: ThingId([1; 16]),
        node: NodeId([7; 32]),
        structure: format!("DAC{EVIL}"),
        author: professional.clone(),
        time: Timestamp::from_ms(NOON - 60_000),
        occurred_ms: NOON - 3_600_000,
        content: Content::LiaisonNote(LiaisonNote {
            note: NoteKind::Observation,
            text: format!("Pansement refait.\n{EVIL}\r\nSignature valid"),
            emergency: true,
            written_by: vec![professional],
            attachments: Vec::new(),
            withdrawn: format!("w{EVIL}"),
        }),
        ahead: Some(NOON),
        forked: false,
        alert: None,
        delivery: vec![(
            NodeId([8; 32]),
            format!("CPTS{EVIL}"),
            Delivery::Waiting {
                since_ms: NOON - 120_000,
            },
        )],
    }
}

fn harmless(text: &str) -> bool {
    text.chars()
        .all(|character| character == '\n' || !(character.is_control() || character == '\u{202e}'))
}

#[test]
fn a_note_cannot_command_the_terminal_or_pretend_to_be_the_program() {
    let daemon = Daemon::answering(|_| Outcome::Done(Answer::Record(record())));
    let ran = maillonctl(&daemon.socket(), &["record", "show", "9c"], None);
    assert!(harmless(&ran.out), "{:?}", ran.out);
    assert!(
        ran.out
            .contains("Kind     note (observation, EMERGENCY, withdrawn)"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("\n  │ Signature valid\n"), "{}", ran.out);
    assert!(
        ran.out.contains("waiting since 2 minutes ago (11:58)"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("1 hour ago (11:00)"), "{}", ran.out);
}

#[test]
fn json_is_harmless_too_and_says_the_same() {
    let daemon = Daemon::answering(|_| Outcome::Done(Answer::Record(record())));
    let ran = maillonctl(&daemon.socket(), &["record", "show", "9c", "--json"], None);
    assert!(harmless(&ran.out), "{:?}", ran.out);
    assert_eq!(
        serde_json::from_str::<RecordView>(&ran.out).ok(),
        Some(record())
    );
}

#[test]
fn a_watch_prints_one_line_for_each_event_and_ends_with_the_daemon() {
    let daemon = Daemon::doing(|mut stream| {
        greet(&mut stream);
        let asked = request(&mut stream).expect("a request");
        assert_eq!(asked.call, Call::Watch);
        let events = [
            WatchEvent::Watching,
            WatchEvent::Recorded {
                circle: CircleId([0x5f; 32]),
                record: RecordId([0x9c; 32]),
                thing: ThingId([1; 16]),
                kind: format!("alert{EVIL}"),
                node: NodeId([7; 32]),
                at_ms: NOON,
            },
            WatchEvent::Missed { count: 1 },
        ];
        for event in events {
            let outcome = Outcome::Event(event);
            send(
                &mut stream,
                &Reply {
                    id: asked.id,
                    outcome,
                },
            );
        }
    });
    let ran = maillonctl(&daemon.socket(), &["watch"], None);
    assert_eq!(ran.out.lines().count(), 3, "{}", ran.out);
    assert!(harmless(&ran.out), "{:?}", ran.out);
    assert!(ran.out.contains("12:00:00 alert"), "{}", ran.out);
    assert!(ran.out.ends_with("1 event could not be shown in time\n"));
    assert_eq!(ran.code, 3);
}

#[test]
fn an_exported_record_goes_into_a_new_file_of_this_user_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("record.sealed");
    let words = [
        "record",
        "export",
        "9c",
        "--sealed",
        "-o",
        file.to_str().expect("a path"),
    ];
    let export = || {
        Daemon::answering(|_| {
            Outcome::Done(Answer::Exported(Exported {
                record: RecordId([0x9c; 32]),
                content: "gkEBQQI=".to_owned(),
            }))
        })
    };
    let ran = maillonctl(&export().socket(), &words, None);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    assert_eq!(
        std::fs::read_to_string(&file).ok().as_deref(),
        Some("gkEBQQI=\n")
    );
    let mode = std::fs::metadata(&file)
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let again = maillonctl(&export().socket(), &words, None);
    assert_eq!(again.code, 74);
    assert!(
        again.notes.contains("that does not exist yet"),
        "{}",
        again.notes
    );
}

#[test]
fn a_doctor_who_finds_something_says_how_to_repair_it() {
    let check = |holds, repair: Option<&str>| Check {
        name: "store.every-row-opens".to_owned(),
        sentence: "Every row opens with this node's keys.".to_owned(),
        holds,
        found: if holds {
            String::new()
        } else {
            "2 rows".to_owned()
        },
        repair: repair.map(str::to_owned),
        advice: (!holds && repair.is_none()).then(|| "call somebody".to_owned()),
    };
    for (found, code) in [
        (check(true, None), 0),
        (check(false, Some("maillonctl sync rebuild")), 1),
        (check(false, None), 2),
    ] {
        let checks = vec![check(true, None), found];
        let daemon = Daemon::answering(move |_| Outcome::Done(Answer::Checks(checks.clone())));
        let ran = maillonctl(&daemon.socket(), &["doctor"], None);
        assert_eq!(ran.code, code, "{}", ran.out);
        assert_eq!(ran.out.contains("→ maillonctl sync rebuild"), code == 1);
        assert_eq!(ran.out.contains("Call somebody."), code == 2);
    }
}

#[test]
fn an_invitation_is_a_text_and_a_code_for_a_camera() {
    let daemon = Daemon::answering(|_| {
        Outcome::Done(Answer::PeerInvitation(PeerInvitation {
            pairing: "4be07a19c3d2aa".to_owned(),
            text: "maillon1:ABCDE\nFGHIJ".to_owned(),
            expires_ms: NOON + 86_400_000,
        }))
    });
    let ran = maillonctl(&daemon.socket(), &["peer", "invite", "--qr"], None);
    assert!(
        ran.out.starts_with("maillon1:ABCDE\nFGHIJ\n\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains('█'), "{}", ran.out);
    assert!(
        ran.out.contains("maillonctl peer confirm 4be07a19c3d2\n"),
        "{}",
        ran.out
    );
}

#[test]
fn done_is_a_value_for_a_program() {
    let daemon = Daemon::answering(|_| Outcome::Done(Answer::Ok));
    let ran = maillonctl(&daemon.socket(), &["peer", "retry", "--json"], None);
    assert_eq!(
        serde_json::from_str::<Value>(&ran.out).ok(),
        Some("ok".into())
    );
}

#[test]
fn a_text_can_come_on_standard_input() {
    let daemon = Daemon::answering(|_| Outcome::Done(Answer::Ok));
    maillonctl(
        &daemon.socket(),
        &["note", "add", "5f3a", "-", "--as", "7b21"],
        Some("Deux\nlignes\n"),
    );
    let asked = daemon.end();
    assert!(matches!(&asked[0].call, Call::NoteAdd { text, .. } if text == "Deux\nlignes"));
    assert_eq!(asked[0].actor.as_deref(), Some("7b21"));
}
