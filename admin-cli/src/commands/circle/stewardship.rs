//! `circle hand-over`, `circle deputies`, `circle continue` and `circle carry-over`: who is the steward, who may go on in its place, going on, and
//! what was before.

use clap::Args;
use maillon_protocol::admin::{self, Call};

use super::change::meant;
use crate::{
    failure::Failure,
    session::{Consequence, Session, answer},
    terminal::{text, words},
};

/// Make another member the steward: from then on it alone admits, removes and closes
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle hand-over 5f3a09c1d2e4 'CPTS du Vallon' --yes"
)]
pub(crate) struct HandOver {
    /// The circle
    circle: String,
    /// The member
    to: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Name the members that may go on with the circle where its steward is lost
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle deputies 5f3a09c1d2e4 'CPTS du Vallon' 'CH de Bray'\n  maillonctl circle deputies 5f3a09c1d2e4 --none"
)]
pub(crate) struct Deputies {
    /// The circle
    circle: String,
    /// The members, all of them: who was a deputy and is not named is none any more
    #[arg(required_unless_present = "none")]
    deputies: Vec<String>,
    /// Nobody
    #[arg(long, conflicts_with = "deputies")]
    none: bool,
}

/// Go on with a circle whose steward does nothing any more, in a new one of which this node is the steward
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle continue 5f3a09c1d2e4 --yes --as 7b21\n  maillonctl circle continue 5f3a09c1d2e4 --without 'CH de Bray' --as 7b21"
)]
pub(crate) struct Continue {
    /// The circle
    circle: String,
    /// A member that is not asked, because its key may be in other hands; may be said several times
    #[arg(long, value_name = "MEMBER")]
    without: Vec<String>,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Tell again, in a circle that continues another one, what this structure wrote there: for those who joined later
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle carry-over 91c4e07a22bd --as 7b21")]
pub(crate) struct CarryOver {
    /// The newer circle
    circle: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// After this node was restored: say that no other member has a later change of the circle's membership
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle confirm 5f3a09c1d2e4 --yes\n  maillonctl circle confirm --all"
)]
pub(crate) struct Confirm {
    /// The circle
    #[arg(required_unless_present = "all")]
    circle: Option<String>,
    /// All circles that wait for it
    #[arg(long, conflicts_with = "circle")]
    all: bool,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

impl Confirm {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let which = match &self.circle {
                Some(circle) => meant(session, circle)?,
                None => "all circles that wait".to_owned(),
            };
            Ok(Consequence {
                lines: vec![
                    format!("This node signs again for {which}."),
                    "If another structure was admitted or removed after the copy was made, and this node has not met it since, the circle splits in two, and only a new circle brings it together again.".to_owned(),
                    "To be safe, wait until a member has been met: it confirms by itself.".to_owned(),
                ],
            })
        })?;
        session.done(
            Call::CircleConfirm {
                circle: self.circle.clone(),
            },
            "Confirmed.",
        )
    }
}

impl Continue {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            let mut lines = vec![
                format!("This node goes on with {circle} in a new circle, and is its steward."),
                "The other members are asked into it; those for whom this node is a deputy follow by themselves.".to_owned(),
                "What was written so far stays where it is and can be read. What is new is written in the new circle only, and this node cannot go back."
                    .to_owned(),
            ];
            if !self.without.is_empty() {
                let names: Vec<_> = self.without.iter().map(|name| text::line(name)).collect();
                lines.push(format!("Not asked: {}.", names.join(", ")));
            }
            Ok(Consequence { lines })
        })?;
        let call = Call::CircleContinue {
            circle: self.circle.clone(),
            without: self.without.clone(),
        };
        let made = answer!(session, call, Succession);
        session.print(&made, |_| shown(&made))
    }
}

impl CarryOver {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            Ok(Consequence {
                lines: vec![
                    format!("What this structure wrote in the circle before is written again in {circle}: notes, documents and the team, as they stand, with their authors and dates."),
                    "Every member of it reads that, those who come later too. It can be erased there record by record, and not taken back.".to_owned(),
                    "The steward's node does so also for structures that are not in it and not asked into it. Each other structure does it for itself.".to_owned(),
                ],
            })
        })?;
        let call = Call::CircleCarryOver {
            circle: self.circle.clone(),
        };
        let done = answer!(session, call, CarriedOver);
        session.print(&done, |_| {
            let mut shown = format!("{} records were written again.\n", done.written);
            if done.left > 0 {
                shown += &format!(
                    "{} documents were left out: not all of their attachments are here, or they have more than 50 MiB together. Ask again when they have arrived.\n",
                    done.left
                );
            }
            shown
        })
    }
}

fn shown(made: &admin::Succession) -> String {
    let names = |names: &[String]| {
        let names: Vec<_> = names.iter().map(|name| text::line(name)).collect();
        names.join(", ")
    };
    let mut shown = format!(
        "The file goes on in circle {}.\n",
        words::short(&made.circle)
    );
    if !made.asked.is_empty() {
        shown += &format!(
            "Asked: {} (maillonctl circle invitations).\n",
            names(&made.asked)
        );
    }
    if !made.not_asked.is_empty() {
        shown += &format!(
            "Could not be asked, for nothing can be sealed to them: {}. Invite them when their node has been reached.\n",
            names(&made.not_asked)
        );
    }
    shown
}

impl HandOver {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            let to = text::line(&self.to);
            Ok(Consequence {
                lines: vec![
                    format!("{to} is the steward of {circle} from now on."),
                    "This node stays a member. It can admit, remove and close no more, and only the new steward can give that back.".to_owned(),
                    "Who was invited and has not answered must be invited by the new steward.".to_owned(),
                ],
            })
        })?;
        session.done(
            Call::CircleHandOver {
                circle: self.circle.clone(),
                to: self.to.clone(),
            },
            "The circle has been handed over.",
        )
    }
}

impl Deputies {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let said = if self.none {
            "The circle has no deputies any more."
        } else {
            "These members are the deputies now."
        };
        session.done(
            Call::CircleDeputies {
                circle: self.circle.clone(),
                deputies: self.deputies.clone(),
            },
            said,
        )
    }
}
