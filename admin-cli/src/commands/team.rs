//! `team`: who follows a person, and so opens their file on the pages.

use clap::{Args, Subcommand};
use maillon_protocol::{
    admin::{Call, Team as Answered, TeamCall, TeamLine},
    content::{PartialDate, Party},
};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, text},
};

/// A person's team: who opens their file on the pages
///
/// A file that was opened or imported with this command has nobody in its team yet: no professional finds it among their patients.
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl team add 5f3a09c1d2e4 3c8d --as 7b21")]
pub(crate) enum Team {
    Add(Add),
    List(List),
}

/// Add a professional of this structure to a person's team, from today on
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl team add 5f3a09c1d2e4 3c8d --as 7b21")]
pub(crate) struct Add {
    /// The person's circle
    circle: String,
    /// The professional, from `maillonctl professional list`
    professional: String,
}

/// List a person's team
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl team list 5f3a09c1d2e4 --as 7b21")]
pub(crate) struct List {
    /// The person's circle
    circle: String,
}

impl Team {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = match self {
            Self::Add(add) => TeamCall::Add {
                circle: add.circle.clone(),
                professional: add.professional.clone(),
            },
            Self::List(list) => TeamCall::List {
                circle: list.circle.clone(),
            },
        };
        let team = answer!(session, Call::Team(call), Team);
        session.print(&team, |view| show(view, &team))
    }
}

fn show(view: &View, team: &Answered) -> String {
    if team.members.is_empty() {
        return "Nobody is in this team. Add somebody: maillonctl team add CIRCLE PROFESSIONAL"
            .to_owned();
    }
    table(
        view,
        ["name", "as", "structure", "from", "until"],
        team.members.iter().map(row),
    )
}

fn row(line: &TeamLine) -> [String; 5] {
    let part = &line.participation;
    let (name, profession, structure) = match &part.party {
        Party::Professional(one) => {
            let profession = one.profession.as_ref().map(|code| code.label.as_str());
            (
                &one.name,
                profession.unwrap_or(""),
                one.structure.name.as_str(),
            )
        }
        Party::Organisation(structure, _) => (&structure.name, "", structure.name.as_str()),
        Party::RelatedPerson { name, .. } => (name, "close to the person", ""),
    };
    let role = match (part.referent, profession) {
        (true, "") => "referent".to_owned(),
        (true, profession) => format!("referent, {profession}"),
        (false, profession) => profession.to_owned(),
    };
    let day = |date: &Option<PartialDate>| {
        let date = date.as_ref();
        date.map_or_else(|| "-".to_owned(), |date| text::line(date.as_str()))
    };
    [
        text::line(name),
        text::line(&role),
        text::line(structure),
        day(&part.period.start),
        day(&part.period.end),
    ]
}
