//! The golden output of `status`, one for each verdict.

use maillon_protocol::{
    admin::{Answer, ClockAhead, ClockState, Outcome, PeerLine, Reason, Relation, Status, Verdict},
    descriptor::StructureKind,
    ids::NodeId,
};

use super::{NOON, Ran, daemon::Daemon, maillonctl};

fn status(verdict: Verdict, sentence: &str) -> Status {
    Status {
        verdict,
        sentence: sentence.to_owned(),
        reasons: Vec::new(),
        notices: Vec::new(),
        node: NodeId([7; 32]),
        structure: "DAC des Monts".to_owned(),
        kind: StructureKind::Dac,
        version: "0.1.0".to_owned(),
        started_ms: NOON - 3 * 86_400_000,
        addresses: vec!["/ip4/192.0.2.1/udp/4900/quic-v1".to_owned()],
        peers: vec![
            PeerLine {
                node: NodeId([8; 32]),
                structure: "CPTS du Vallon".to_owned(),
                relation: Relation::Peer,
                connected: true,
                relay: None,
                last_seen_ms: Some(NOON),
                waiting: 0,
                refused: 0,
                last_error: None,
                replaced_by: None,
            },
            PeerLine {
                node: NodeId([9; 32]),
                structure: "Hôpital \u{1b}[31mNord".to_owned(),
                relation: Relation::Fellow,
                connected: false,
                relay: None,
                last_seen_ms: Some(NOON - 2 * 86_400_000),
                waiting: 12,
                refused: 3,
                last_error: Some("no answer".to_owned()),
                replaced_by: None,
            },
        ],
        circles: 12,
        records: 340,
        disk_free: 20_400_000_000,
        disk_used: 1_450_000,
        clock: ClockState {
            now_ms: NOON,
            ahead: Vec::new(),
        },
        last_backup_ms: Some(NOON - 3 * 3_600_000),
        care_commands: false,
    }
}

fn run(status: &Status, words: &[&str]) -> Ran {
    let status = status.clone();
    let daemon = Daemon::answering(move |_| Outcome::Done(Answer::Status(status.clone())));
    maillonctl(&daemon.socket(), words, None)
}

#[test]
fn nothing_to_do() {
    let ran = run(&status(Verdict::Good, "Everything works."), &["status"]);
    assert_eq!(ran.out, include_str!("golden/status-good.txt"));
    assert_eq!((ran.code, ran.notes.as_str()), (0, ""));
}

#[test]
fn something_to_look_at() {
    let mut status = status(Verdict::Look, "The last backup is old.");
    status.last_backup_ms = None;
    status.care_commands = true;
    status.peers.clear();
    status.reasons = vec![Reason {
        sentence: "set care_commands = false in [admin] and restart".to_owned(),
        command: None,
    }];
    status.notices = vec![Reason {
        sentence: "an invitation waits for a professional".to_owned(),
        command: Some("maillonctl circle invitations".to_owned()),
    }];
    status.clock.ahead = vec![ClockAhead {
        node: NodeId([9; 32]),
        structure: "Hôpital \u{1b}[31mNord".to_owned(),
        records: 2,
        last_ms: NOON - 120_000,
        by_ms: 55 * 60_000,
    }];
    let ran = run(&status, &["status"]);
    assert_eq!(ran.out, include_str!("golden/status-look.txt"));
    assert_eq!(ran.code, 1);
}

#[test]
fn something_to_do_now() {
    let mut status = status(Verdict::Act, "The disk is almost full.");
    status.disk_free = 900;
    status.reasons = vec![
        Reason {
            sentence: "Less than 1 % of the disk is free.".to_owned(),
            command: Some("maillonctl doctor".to_owned()),
        },
        Reason {
            sentence: "A record was refused.".to_owned(),
            command: Some("maillonctl peer show 'CPTS du Vallon'".to_owned()),
        },
    ];
    let ran = run(&status, &["status"]);
    assert_eq!(ran.out, include_str!("golden/status-act.txt"));
    assert_eq!(ran.code, 2);
}

#[test]
fn a_program_gets_the_same_status_on_one_line() {
    let status = status(Verdict::Look, "The last backup is old.");
    let ran = run(&status, &["status", "--json"]);
    assert_eq!(ran.out.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Status>(&ran.out).ok(), Some(status));
    assert_eq!(ran.code, 1);
    assert!(!ran.out.contains('\u{1b}'));
}
