//! What the person answered about sharing, as those who look and those who write are told.

use maillon_protocol::{
    admin::{
        Answer, CircleLine, CircleView, MemberLine, Outcome, Sharing, SharingRefused, Written,
    },
    charter::{Grant, Subject},
    ids::{CircleId, NodeId, RecordId, ThingId},
};

use super::{NOON, daemon::Daemon, maillonctl};

fn refused(withdrawn: bool) -> SharingRefused {
    SharingRefused {
        withdrawn,
        record: RecordId([0x9c; 32]),
        by: "Yann \u{1b}Le Goff".to_owned(),
        structure: "CPTS du Vallon".to_owned(),
        at_ms: NOON - 60_000,
    }
}

fn member(number: u8) -> MemberLine {
    MemberLine {
        node: NodeId([number; 32]),
        structure: format!("Structure {number}"),
        steward: number == 1,
        deputy: false,
        since: 1,
        grant: Grant::Whole,
        waiting: 0,
        left: false,
    }
}

/// A circle of so many members, as it is shown.
fn shown(sharing: Sharing, members: u8) -> String {
    let view = CircleView {
        line: CircleLine {
            circle: CircleId([0x5f; 32]),
            subject: Subject::Patient,
            steward: true,
            member: true,
            members: u64::from(members),
            entry: 1,
            records: 3,
            closed: false,
            continues: None,
            continued: None,
            unconfirmed: false,
        },
        members: (1..=members).map(member).collect(),
        identity: Vec::new(),
        sharing,
        things: Vec::new(),
        older: 0,
        next: None,
        doubts: Vec::new(),
    };
    let daemon = Daemon::answering(move |_| Outcome::Done(Answer::Circle(view.clone())));
    maillonctl(&daemon.socket(), &["circle", "show", "5f5f"], None).out
}

#[test]
fn a_circle_says_what_the_person_answered_who_wrote_it_down_and_whom_that_concerns() {
    let allowed = shown(Sharing::Allowed, 2);
    assert!(
        allowed.contains("Sharing is allowed by what is recorded."),
        "{allowed}"
    );
    let nothing = shown(Sharing::Unanswered, 1);
    assert!(nothing.contains("maillonctl consent record"), "{nothing}");
    let alone = shown(Sharing::Refused(refused(false)), 1);
    assert!(
        alone.contains("The person does not agree to share this file: Yann \\u{1b}Le Goff of CPTS du Vallon recorded it, 1 minute ago (11:59). Nobody is invited."),
        "{alone}"
    );
    let shared = shown(Sharing::Refused(refused(true)), 2);
    assert!(
        shared.contains("no longer agrees")
            && shared.contains("maillonctl circle remove ends that"),
        "{shared}"
    );
    // Whoever refused is not to be asked again: nothing says how to record another answer.
    assert!(!shared.contains("consent record") && !alone.contains("consent record"));
}

#[test]
fn whoever_writes_against_the_persons_word_is_told_who_reads_it_and_how_that_ends() {
    for (against, told) in [(None, false), (Some(refused(true)), true)] {
        let written = Written {
            circle: CircleId([0x5f; 32]),
            record: RecordId([0x9c; 32]),
            thing: ThingId([1; 16]),
            against,
        };
        let daemon = Daemon::answering(move |_| Outcome::Done(Answer::Written(written.clone())));
        let words = ["note", "add", "5f5f", "Vue ce matin", "--as", "7b21"];
        let ran = maillonctl(&daemon.socket(), &words, None);
        assert_eq!(ran.code, 0, "{}", ran.notes);
        let said = ran.out.contains("\n! The person no longer agrees")
            && ran
                .out
                .contains("maillonctl circle remove 5f5f5f5f5f5f MEMBER");
        assert_eq!(said, told, "{}", ran.out);
        assert!(!ran.out.contains('\u{1b}'), "{:?}", ran.out);
    }
}
