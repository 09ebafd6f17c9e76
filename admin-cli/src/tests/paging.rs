//! Answers that come in pages, and the audit trail.

use maillon_protocol::{
    admin::{
        Answer, AuditLine, AuditPage, AuditVerified, Call, CircleLine, CircleView, Outcome, Sharing,
    },
    charter::Subject,
    ids::{CircleId, NodeId, ThingId},
};

use super::{NOON, daemon::Daemon, maillonctl};

fn page(older: u64, next: Option<&str>) -> CircleView {
    CircleView {
        line: CircleLine {
            circle: CircleId([0x5f; 32]),
            subject: Subject::Patient,
            steward: true,
            member: true,
            members: 1,
            entry: 1,
            records: 3,
            closed: false,
            continues: None,
            continued: None,
            unconfirmed: false,
        },
        members: Vec::new(),
        identity: Vec::new(),
        sharing: Sharing::Allowed,
        things: Vec::new(),
        older,
        next: next.map(str::to_owned),
        doubts: Vec::new(),
    }
}

fn circle() -> Daemon<Vec<maillon_protocol::admin::Request>> {
    Daemon::answering(|call| {
        let Call::CircleShow { before, .. } = call else {
            return Outcome::Done(Answer::Ok);
        };
        Outcome::Done(Answer::Circle(match before.as_deref() {
            None => page(7, Some("30.1.aa")),
            Some("30.1.aa") => page(2, Some("20.1.aa")),
            Some(_) => page(0, None),
        }))
    })
}

#[test]
fn a_circle_that_does_not_fit_ends_with_a_command_to_paste_for_the_rest() {
    let daemon = circle();
    let ran = maillonctl(&daemon.socket(), &["circle", "show", "5f5f"], None);
    assert!(
        ran.out
            .ends_with(": maillonctl circle show 5f5f5f5f5f5f --before 30.1.aa\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("7 older things"), "{}", ran.out);
    assert_eq!(daemon.end().len(), 1);
}

#[test]
fn all_of_a_circle_is_asked_for_page_by_page_to_its_end() {
    let daemon = circle();
    let ran = maillonctl(&daemon.socket(), &["circle", "show", "5f5f", "--all"], None);
    assert!(!ran.out.contains("older"), "{}", ran.out);
    let marks: Vec<_> = daemon
        .end()
        .into_iter()
        .filter_map(|request| match request.call {
            Call::CircleShow { before, .. } => Some(before),
            _ => None,
        })
        .collect();
    let wanted = [None, Some("30.1.aa"), Some("20.1.aa")].map(|mark| mark.map(str::to_owned));
    assert_eq!(marks, wanted);
}

fn line() -> AuditLine {
    AuditLine {
        number: 41,
        at_ms: NOON - 60_000,
        professional: Some(ThingId([1; 16])),
        name: Some("Camille \u{1b}[2JRoux".to_owned()),
        user: 1001,
        action: "circle.rotate".to_owned(),
        circle: Some(CircleId([0x5f; 32])),
        record: None,
        node: Some(NodeId([8; 32])),
        object: Some("pairing 7a3b00c1d2e4f5a67a3b00c1d2e4f5a6".to_owned()),
    }
}

#[test]
fn the_audit_trail_says_who_did_what_and_where_it_goes_on() {
    let daemon = Daemon::answering(|_| {
        Outcome::Done(Answer::Audit(AuditPage {
            lines: vec![line()],
            next: Some(41),
        }))
    });
    let words = ["audit", "list", "--circle", "5f5f", "--since", "1h"];
    let ran = maillonctl(&daemon.socket(), &words, None);
    for part in [
        "2026-11-22 11:59:00",
        "Camille \\u{1b}[2JRoux",
        "1001",
        "circle.rotate",
        "5f5f5f5f5f5f",
        "pairing 7a3b00c1d2e4\n",
        "maillonctl audit list --before 41 --circle 5f5f --since 1h",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let asked = daemon.end();
    assert!(matches!(
        asked[0].call,
        Call::AuditList { since_ms: Some(since), limit: 100, before: None, .. } if since == NOON - 3_600_000
    ));
}

#[test]
fn a_trail_that_was_changed_ends_with_two() {
    for (broken, code) in [(None, 0), (Some("line 4 is missing".to_owned()), 2)] {
        let verified = AuditVerified {
            lines: 12,
            signatures: u64::from(broken.is_none()),
            signed_to: broken.is_none().then_some(9),
            signed_ms: broken.is_none().then_some(NOON),
            broken,
        };
        let daemon =
            Daemon::answering(move |_| Outcome::Done(Answer::AuditVerified(verified.clone())));
        let ran = maillonctl(&daemon.socket(), &["audit", "verify"], None);
        assert_eq!(ran.code, code, "{}", ran.out);
        assert_eq!(ran.out.contains("Line 4 is missing."), code == 2);
        assert_eq!(ran.out.contains("signed up to line 9"), code == 0);
    }
}
