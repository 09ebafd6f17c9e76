//! `consent`: what the person was told and answered.

use clap::{Args, Subcommand};
use maillon_protocol::{
    admin::Call,
    content::{ConsentDecision, ConsentKind},
};

use super::note::written;
use crate::{
    arguments::word,
    failure::Failure,
    session::{Session, answer},
};

/// What the person was told, and what they answered
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  maillonctl consent record 5f3a09c1d2e4 --kind consent --as 7b21"
)]
pub(crate) enum Consent {
    Record(Record),
}

/// Record that the person was informed, and their answer
///
/// Inside the care team the law asks for information without opposition; outside it, for consent. A circle is shared only once one of them
/// is recorded. The person's last answer counts, whichever structure of the circle recorded the one before.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl consent record 5f3a09c1d2e4 --kind non-opposition --how 'Told at home, leaflet given' --as 7b21\n  maillonctl consent record 5f3a09c1d2e4 --decision withdrawn --as 7b21"
)]
pub(crate) struct Record {
    /// The circle
    circle: String,
    /// What was asked for
    #[arg(long, default_value = "non-opposition", value_parser = word::<ConsentKind>(&["non-opposition", "consent"]))]
    kind: ConsentKind,
    /// What the person answered
    #[arg(long, default_value = "given", value_parser = word::<ConsentDecision>(&["given", "refused", "withdrawn"]))]
    decision: ConsentDecision,
    /// Who answered, where it was not the person
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "WHO"
    )]
    answered_by: String,
    /// How the person was informed, in words
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    how: String,
}

impl Consent {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let Self::Record(record) = self;
        let call = Call::ConsentRecord {
            circle: record.circle.clone(),
            kind: record.kind,
            decision: record.decision,
            answered_by: record.answered_by.clone(),
            how: record.how.clone(),
        };
        let answer = answer!(session, call, Written);
        session.print(&answer, |view| {
            written(view, "The answer has been recorded", &answer)
        })
    }
}
