//! Words for the protocol's values, and short forms of its ids.

use std::fmt::Display;

use maillon_protocol::{
    charter::{Grant, Subject},
    circle,
    content::{AlertStep, Erased, IdentityStatus, Kind, Sex},
    descriptor::StructureKind,
    dossier::Delivery,
    ids::NodeId,
};
use serde::Serialize;

use super::{View, text};

/// The first twelve characters of an id: the daemon takes them as its name.
pub(crate) fn short(id: &impl Display) -> String {
    text::line(&id.to_string()).chars().take(12).collect()
}

/// The first sixteen characters of a node's id, of which the first eight are the same for every node: the daemon takes them as its name.
pub(crate) fn node(id: &NodeId) -> String {
    id.to_string().chars().take(16).collect()
}

/// A count with its noun: `1 circle`, `2 circles`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A number of bytes: `1.4 GB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    for (unit, name) in UNITS {
        if number >= unit {
            let tenths = u128::from(number) * 10 / u128::from(unit);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    count(number, "byte")
}

/// `yes` or `no`.
pub(crate) const fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// The word that a value has on the wire, with spaces for hyphens.
pub(crate) fn plain<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => text::line(&word.replace('-', " ")),
        Ok(other) => text::json(&other),
        Err(_) => String::new(),
    }
}

/// What a structure is.
pub(crate) const fn structure(kind: StructureKind) -> &'static str {
    match kind {
        StructureKind::Dac => "DAC",
        StructureKind::Cpts => "CPTS",
        StructureKind::Esms => "ESMS",
        StructureKind::Hospital => "hospital",
        StructureKind::Article51 => "article 51 group",
        StructureKind::Other => "other structure",
    }
}

/// What a circle is about.
pub(crate) const fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Patient => "patient",
        Subject::Community => "community",
    }
}

/// How much of the past a member may read.
pub(crate) fn past(grant: Grant) -> String {
    match grant {
        Grant::Nothing => "nothing of the past".to_owned(),
        Grant::Whole => "the whole past".to_owned(),
        Grant::From(entry) => format!("the past from entry {entry}"),
    }
}

/// Administrative sex.
pub(crate) const fn sex(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
        Sex::Unknown => "sex unknown",
    }
}

/// How far an identity is trusted.
pub(crate) const fn status(status: IdentityStatus) -> &'static str {
    match status {
        IdentityStatus::Provisional => "provisional",
        IdentityStatus::Retrieved => "retrieved",
        IdentityStatus::Validated => "validated",
        IdentityStatus::Qualified => "qualified",
    }
}

/// What somebody did about an alert.
pub(crate) const fn step(step: AlertStep) -> &'static str {
    match step {
        AlertStep::Acknowledge => "acknowledged",
        AlertStep::TakeCharge => "taken in charge",
        AlertStep::Close => "closed",
    }
}

/// What a structure did about an erasure.
pub(crate) const fn erased(answer: Erased) -> &'static str {
    match answer {
        Erased::Done => "erased it",
        Erased::Refused => "keeps it",
        Erased::Differs => "keeps it: what the erasure says of it is not what it says",
    }
}

/// What a record is, by the number of its kind.
pub(crate) fn kind(number: u64) -> &'static str {
    match Kind::from_number(number) {
        Some(Kind::PatientIdentity) => "the identity",
        Some(Kind::Consent) => "the answer about sharing",
        Some(Kind::CareTeam) => "the care team",
        Some(Kind::Participation) => "a term in the care team",
        Some(Kind::LiaisonNote) => "note",
        Some(Kind::Alert) => "alert",
        Some(Kind::AlertAnswer) => "answer to an alert",
        Some(Kind::Document) => "document",
        Some(Kind::ReadMark) => "read mark",
        Some(
            Kind::LogOpened
            | Kind::MembershipRequest
            | Kind::RequestAnswer
            | Kind::Erasure
            | Kind::ErasureAnswer,
        )
        | None => "record",
    }
}

/// How far a record got at one structure.
pub(crate) fn delivery(view: &View, delivery: &Delivery) -> String {
    let clock = &view.clock;
    match delivery {
        Delivery::Waiting { since_ms } => format!("waiting since {}", clock.when(*since_ms)),
        Delivery::Delivered { at_ms } => format!("delivered {}", clock.when(*at_ms)),
        Delivery::FilesMissing { at_ms } => {
            format!(
                "delivered {}, its files are on their way",
                clock.when(*at_ms)
            )
        }
        Delivery::NotShown { reason } => format!("delivered, not shown: {}", why(*reason)),
        Delivery::Read { at_ms } => format!("read {}", clock.when(*at_ms)),
        Delivery::Answered { step: taken, at_ms } => {
            format!("{} {}", step(*taken), clock.when(*at_ms))
        }
    }
}

const fn why(reason: circle::Reason) -> &'static str {
    match reason {
        circle::Reason::NotGranted => "that structure may not read this part of the past",
        circle::Reason::NotOpened => "its key has not arrived there yet",
        circle::Reason::Invalid => "its content is not well formed",
        circle::Reason::KindUnknown => "that node does not know this kind yet",
        circle::Reason::Erased => "it was erased",
        circle::Reason::Missing => "its text has not come there",
        circle::Reason::AfterRemoval => "it was written after its author's removal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_the_unit_that_people_use() {
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_450_000), "1.4 MB");
        assert_eq!(bytes(u64::MAX), "18446744.0 TB");
    }
}
