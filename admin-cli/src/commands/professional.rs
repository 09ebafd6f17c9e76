//! `professional`: the people of this structure in whose name care content is read and written.

use clap::{Args, Subcommand};
use maillon_protocol::admin::{Call, LocalProfessional};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, text},
};

/// The professionals of this structure
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl professional list")]
pub(crate) enum Professional {
    Add(Add),
    List(List),
}

/// Add a professional of this structure
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl professional add 'Camille Roux' --rpps 10999001018 --profession 60"
)]
pub(crate) struct Add {
    /// Given and family name, as shown to other structures
    name: String,
    /// RPPS, eleven digits
    #[arg(long)]
    rpps: Option<String>,
    /// Profession: a code of TRE_G15 or TRE_R94
    #[arg(long, value_name = "CODE")]
    profession: Option<String>,
}

/// List the professionals of this structure
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl professional list")]
pub(crate) struct List {}

impl Professional {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::Add(add) => {
                let call = Call::ProfessionalAdd {
                    name: add.name.clone(),
                    rpps: add.rpps.clone(),
                    profession: add.profession.clone(),
                };
                let added = answer!(session, call, Professional);
                session.print(&added, |_| {
                    let (name, id) = (text::line(&added.professional.name), text::line(&added.id));
                    format!("{name} has been added.\nName them in care commands with: --as {id}")
                })
            }
            Self::List(_) => {
                let all = answer!(session, Call::ProfessionalList, Professionals);
                session.print(&all, |view| show(view, &all))
            }
        }
    }
}

fn show(view: &View, all: &[LocalProfessional]) -> String {
    if all.is_empty() {
        return "No professionals yet. Add one: maillonctl professional add NAME".to_owned();
    }
    table(
        view,
        ["id", "name", "profession", "identifiers"],
        all.iter().map(|each| {
            let who = &each.professional;
            let profession = who.profession.as_ref().map_or_else(String::new, |code| {
                text::line(if code.label.is_empty() {
                    &code.code
                } else {
                    &code.label
                })
            });
            let identifiers: Vec<_> = who
                .identifiers
                .iter()
                .map(|id| text::line(&id.value))
                .collect();
            [
                text::line(&each.id),
                text::line(&who.name),
                profession,
                identifiers.join(", "),
            ]
        }),
    )
}
