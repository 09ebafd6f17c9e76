//! Alerts and withdrawals as they are shown, and files to import that go in parts.

use std::fs;

use data_encoding::BASE64;
use maillon_protocol::{
    admin::{
        AlertLine, AlertPage, AlertView, Answer, AnswerView, Call, CircleLine, CircleView,
        ContestedView, Imported, Outcome, PART, RecordView, Sharing, ThingView, Upload,
    },
    charter::Subject,
    content::{
        Alert, AlertStep, Content, LiaisonNote, NoteKind, Professional, Severity, Structure,
    },
    dossier::Delivery,
    ids::{CircleId, NodeId, RecordId, ThingId, Token},
    time::Timestamp,
};

use super::{NOON, daemon::Daemon, maillonctl};

const CPTS: NodeId = NodeId([8; 32]);
const DAC: NodeId = NodeId([7; 32]);

/// Sent to the CPTS and the hospital, acknowledged by a colleague of the sender alone, an hour over its deadline.
fn alert() -> AlertView {
    AlertView {
        severity: Severity::High,
        step: Some(AlertStep::Acknowledge),
        open: true,
        answer_by_ms: Some(NOON - 3_600_000),
        left: false,
        addressees: vec![(CPTS, "CPTS du \u{1b}[2JVallon".to_owned())],
        structures: vec![(
            CPTS,
            "CPTS du Vallon".to_owned(),
            Delivery::Waiting {
                since_ms: NOON - 7_200_000,
            },
        )],
        answers: vec![AnswerView {
            record: RecordId([0x3d; 32]),
            node: DAC,
            structure: "DAC des Monts".to_owned(),
            by: "Anne Morel".to_owned(),
            step: AlertStep::Acknowledge,
            at_ms: NOON - 60_000,
            comment: "Vu ici.".to_owned(),
        }],
        more: 0,
    }
}

fn line() -> AlertLine {
    AlertLine {
        circle: CircleId([0x5f; 32]),
        patient: "MOREAU Yvonne".to_owned(),
        record: RecordId([0x9c; 32]),
        thing: ThingId([1; 16]),
        node: DAC,
        structure: "DAC des Monts".to_owned(),
        by: "Camille \u{1b}[2JRoux".to_owned(),
        written_ms: NOON - 7_200_000,
        text: "Chute.\nPorte ferm\u{e9}e.".to_owned(),
        overdue: true,
        alert: alert(),
    }
}

fn record(content: Content) -> RecordView {
    RecordView {
        circle: CircleId([0x5f; 32]),
        record: RecordId([0x9c; 32]),
        thing: ThingId([1; 16]),
        node: DAC,
        structure: "DAC des Monts".to_owned(),
        author: Professional {
            name: "Camille Roux".to_owned(),
            identifiers: Vec::new(),
            profession: None,
            structure: Structure {
                name: "DAC des Monts".to_owned(),
                identifiers: Vec::new(),
            },
        },
        time: Timestamp::from_ms(NOON - 60_000),
        occurred_ms: NOON - 60_000,
        content,
        ahead: None,
        forked: false,
        delivery: Vec::new(),
        alert: None,
    }
}

fn note(withdrawn: &str) -> Content {
    Content::LiaisonNote(LiaisonNote {
        note: NoteKind::General,
        text: "Pansement refait.".to_owned(),
        emergency: false,
        written_by: Vec::new(),
        attachments: Vec::new(),
        withdrawn: withdrawn.to_owned(),
    })
}

fn says(shown: &str, parts: &[&str]) {
    for part in parts {
        assert!(shown.contains(part), "{part}\nis not in\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn a_list_of_alerts_says_for_each_who_sent_it_how_far_it_got_and_that_it_is_overdue() {
    let daemon = Daemon::answering(|_| {
        Outcome::Done(Answer::Alerts(AlertPage {
            alerts: vec![line()],
            next: Some("1.0.2.9c".to_owned()),
        }))
    });
    let words = [
        "alert", "list", "--open", "--circle", "5f5f", "--as", "7b21",
    ];
    let ran = maillonctl(&daemon.socket(), &words, None);
    says(
        &ran.out,
        &[
            "OVERDUE: 9c9c9c9c9c9c for MOREAU Yvonne in circle 5f5f5f5f5f5f, Camille \\u{1b}[2JRoux of DAC des Monts, 2 hours ago (10:00)\n",
            "  │ Chute.\n  │ Porte fermée.\n",
            "Alert (high): acknowledged, by nobody who must answer, OVERDUE\n",
            "Must answer: CPTS du \\u{1b}[2JVallon; deadline 1 hour ago (11:00)\n",
            "CPTS du Vallon: waiting since 2 hours ago (10:00)\n",
            "acknowledged 1 minute ago (11:59) by Anne Morel of DAC des Monts\n",
            "More: maillonctl alert list --open --circle 5f5f --after 1.0.2.9c\n",
        ],
    );
    let asked = daemon.end();
    assert!(matches!(
        &asked[0].call,
        Call::AlertList { open: true, circle: Some(circle), after: None, limit: 50 } if circle == "5f5f"
    ));
}

#[test]
fn an_alert_by_itself_tells_every_answer_with_its_words_its_deadline_and_who_must_answer() {
    let daemon = Daemon::answering(|_| {
        let mut view = record(Content::Alert(Alert {
            severity: Severity::High,
            text: "Chute.".to_owned(),
            addressees: vec![CPTS],
            answer_by_ms: NOON - 3_600_000,
        }));
        let mut shown = alert();
        shown.open = false;
        shown.step = Some(AlertStep::Close);
        shown.answers.push(AnswerView {
            record: RecordId([0x4e; 32]),
            node: CPTS,
            structure: "CPTS du Vallon".to_owned(),
            by: "Yann Le Goff".to_owned(),
            step: AlertStep::Close,
            at_ms: NOON - 30_000,
            comment: "Sur place,\nstable.".to_owned(),
        });
        shown.structures[0].2 = Delivery::Answered {
            step: AlertStep::Close,
            at_ms: NOON - 30_000,
        };
        view.alert = Some(shown);
        Outcome::Done(Answer::Record(view))
    });
    let ran = maillonctl(&daemon.socket(), &["record", "show", "9c"], None);
    says(
        &ran.out,
        &[
            "Alert (high): closed\n",
            "deadline 1 hour ago (11:00)\n",
            "CPTS du Vallon: closed 30 seconds ago (11:59) by Yann Le Goff\n",
            "3d3d3d3d3d3d acknowledged 1 minute ago (11:59) by Anne Morel of DAC des Monts\n  │ Vu ici.\n",
            "4e4e4e4e4e4e closed 30 seconds ago (11:59) by Yann Le Goff of CPTS du Vallon\n  │ Sur place,\n  │ stable.\n",
        ],
    );
    assert!(!ran.out.contains("OVERDUE"), "{}", ran.out);
}

#[test]
fn an_alert_to_structures_that_have_left_says_who_must_answer_instead() {
    let daemon = Daemon::answering(|_| {
        let mut line = line();
        line.alert.left = true;
        Outcome::Done(Answer::Alerts(AlertPage {
            alerts: vec![line],
            next: None,
        }))
    });
    let ran = maillonctl(&daemon.socket(), &["alert", "list", "--as", "7b21"], None);
    says(
        &ran.out,
        &[
            "Must answer: every structure but the sender's (CPTS du \\u{1b}[2JVallon left the circle); deadline",
        ],
    );
}

#[test]
fn a_withdrawal_says_who_withdrew_and_that_of_another_structure_that_it_does_not_count() {
    let contested = |withdraws: Option<&str>, by: &str, after_removal| ContestedView {
        record: RecordId([0x4e; 32]),
        node: CPTS,
        structure: "CPTS du \u{1b}Vallon".to_owned(),
        by: by.to_owned(),
        at_ms: NOON - 60_000,
        withdraws: withdraws.map(str::to_owned),
        after_removal,
    };
    let circle = CircleView {
        line: CircleLine {
            circle: CircleId([0x5f; 32]),
            subject: Subject::Patient,
            steward: true,
            member: true,
            members: 2,
            entry: 2,
            records: 3,
            closed: false,
            continues: None,
            continued: None,
            unconfirmed: false,
        },
        members: Vec::new(),
        identity: Vec::new(),
        sharing: Sharing::Allowed,
        things: vec![ThingView {
            erased: Vec::new(),
            thing: ThingId([1; 16]),
            parent: None,
            standing: vec![record(note("Autre patiente"))],
            after_removal: false,
            superseded: 1,
            contested: 4,
            contested_by: vec![
                contested(Some("Doublon"), "Yann Le Goff", false),
                contested(None, "Maël Riou", false),
                contested(None, "", true),
            ],
            alert: None,
        }],
        older: 0,
        next: None,
        doubts: Vec::new(),
    };
    let daemon = Daemon::answering(move |_| Outcome::Done(Answer::Circle(circle.clone())));
    let ran = maillonctl(&daemon.socket(), &["circle", "show", "5f5f"], None);
    says(
        &ran.out,
        &[
            "  │ Withdrawn by Camille Roux of DAC des Monts: Autre patiente\n",
            "Yann Le Goff of CPTS du \\u{1b}Vallon withdrew this 1 minute ago (11:59): Doublon; it does not count, for only",
            "Maël Riou of CPTS du \\u{1b}Vallon wrote another version 1 minute ago (11:59): it does not count, for only",
            "somebody of CPTS du \\u{1b}Vallon wrote another version 1 minute ago (11:59): it does not count, for that structure had been removed",
            "1 version more by authors who had no right to write",
        ],
    );
    let daemon = Daemon::answering(|_| Outcome::Done(Answer::Record(record(note("Doublon")))));
    let ran = maillonctl(&daemon.socket(), &["record", "show", "9c"], None);
    says(
        &ran.out,
        &["Withdrawn by Camille Roux of DAC des Monts: Doublon"],
    );
}

#[test]
fn a_file_to_import_goes_in_parts_that_no_frame_is_too_short_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cahier.json");
    let bytes: Vec<u8> = (0..2 * PART + 7).map(|number| number as u8).collect();
    fs::write(&file, &bytes).expect("a file");
    let daemon = Daemon::answering(|call| {
        let received = match call {
            Call::ImportPart { offset, bytes, .. } => {
                offset + BASE64.decode(bytes.as_bytes()).expect("base64").len() as u64
            }
            _ => 0,
        };
        Outcome::Done(match call {
            Call::ImportEnd { .. } => Answer::Imported(Imported {
                circles: Vec::new(),
                mapped: Vec::new(),
                kept: Vec::new(),
                refused: Vec::new(),
                warnings: Vec::new(),
                left_out: 3,
                unchanged: false,
            }),
            _ => Answer::Upload(Upload {
                upload: Token([4; 16]),
                received,
            }),
        })
    });
    let file = file.to_str().expect("a path");
    let ran = maillonctl(&daemon.socket(), &["import", file, "--dry-run"], None);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    says(&ran.out, &["3 paths more did not fit into the answer."]);
    let mut given = Vec::new();
    let asked = daemon.end();
    for request in &asked[1..asked.len() - 1] {
        let Call::ImportPart { offset, bytes, .. } = &request.call else {
            panic!("{:?}", request.call)
        };
        assert_eq!(*offset, given.len() as u64);
        given.extend(BASE64.decode(bytes.as_bytes()).expect("base64"));
    }
    assert_eq!(given, bytes);
    assert!(matches!(asked[0].call, Call::ImportBegin { length } if length == bytes.len() as u64));
    assert!(matches!(
        asked.last().expect("the end").call,
        Call::ImportEnd { dry_run: true, upload } if upload == Token([4; 16])
    ));
}
