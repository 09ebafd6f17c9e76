//! `circle request`, `circle requests`, `circle grant`, `circle refuse` and `circle withdraw`: what a member asks of the steward.

use clap::{Args, Subcommand};
use maillon_protocol::{
    admin::{Call, RequestCall, RequestLine, Wish},
    charter::{Grant as Past, RemovalReason, RotationReason},
    content::AskedChange,
    invite::InvitationReason,
};

use super::change::{CLOSING, coded};
use crate::{
    arguments::{grant, word},
    failure::Failure,
    session::{Session, answer},
    terminal::{View, text, words},
};

/// Ask the circle's steward for a change of who is in it
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle request invite 5f3a09c1d2e4 'SSIAD de la Béthune' --past whole --why 'Retour à domicile jeudi' --as 7b21\n  maillonctl circle request remove 5f3a09c1d2e4 'CH de Bray' --as 7b21"
)]
pub(crate) struct Request {
    #[command(subcommand)]
    wish: Asked,
    /// Why, in words
    #[arg(long, global = true, default_value = "")]
    why: String,
}

/// What is asked for
#[derive(Debug, Subcommand)]
enum Asked {
    /// That a structure is invited, which the steward's node must know
    #[command(
        after_help = "Example:\n  maillonctl circle request invite 5f3a09c1d2e4 'SSIAD de la Béthune' --as 7b21"
    )]
    Invite {
        /// The circle
        circle: String,
        /// The structure
        peer: String,
        /// Why
        #[arg(long, default_value = "care-team", value_parser = word::<InvitationReason>(&["care-team", "coordination", "stay", "community"]))]
        reason: InvitationReason,
        /// How much of the past it is to read: nothing, whole, or the number of a charter entry
        #[arg(long, value_parser = grant, value_name = "HOW MUCH", default_value = "nothing")]
        past: Past,
    },
    /// That a member is removed
    #[command(
        after_help = "Example:\n  maillonctl circle request remove 5f3a09c1d2e4 'CH de Bray' --as 7b21"
    )]
    Remove {
        /// The circle
        circle: String,
        /// The member
        member: String,
        /// Why
        #[arg(long, default_value = "ended", value_parser = word::<RemovalReason>(&["ended", "left", "compromised"]))]
        reason: RemovalReason,
    },
    /// That a new epoch begins
    #[command(
        after_help = "Example:\n  maillonctl circle request rotate 5f3a09c1d2e4 --reason suspected --as 7b21"
    )]
    Rotate {
        /// The circle
        circle: String,
        /// Why
        #[arg(long, default_value = "precaution", value_parser = word::<RotationReason>(&["precaution", "suspected"]))]
        reason: RotationReason,
    },
    /// That the circle is closed
    #[command(
        after_help = "Example:\n  maillonctl circle request close 5f3a09c1d2e4 --reason end-of-care --as 7b21"
    )]
    Close {
        /// The circle
        circle: String,
        /// Why
        #[arg(long, value_parser = coded(&CLOSING))]
        reason: u64,
    },
    /// That another member is the steward
    #[command(
        after_help = "Example:\n  maillonctl circle request hand-over 5f3a09c1d2e4 'CPTS du Vallon' --as 7b21"
    )]
    HandOver {
        /// The circle
        circle: String,
        /// The member
        to: String,
    },
}

/// Show what members ask and no steward has answered
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle requests --as 7b21")]
pub(crate) struct Requests {
    /// One circle only
    circle: Option<String>,
}

/// As the steward, do what a member asks for
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle grant 9c0b7e1a2f3d --as 7b21")]
pub(crate) struct Grant {
    /// The request, as `circle requests` names it
    request: String,
}

/// As the steward, refuse what a member asks for
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle refuse 9c0b7e1a2f3d --why 'Après la réunion de jeudi' --as 7b21"
)]
pub(crate) struct Refuse {
    /// The request, as `circle requests` names it
    request: String,
    /// Why, in words
    #[arg(long, default_value = "")]
    why: String,
}

/// Ask no more for what this node asked for
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle withdraw 9c0b7e1a2f3d --as 7b21")]
pub(crate) struct Withdraw {
    /// The request, as `circle requests` names it
    request: String,
}

impl Asked {
    fn circle(&self) -> &str {
        match self {
            Self::Invite { circle, .. }
            | Self::Remove { circle, .. }
            | Self::Rotate { circle, .. }
            | Self::Close { circle, .. }
            | Self::HandOver { circle, .. } => circle,
        }
    }

    fn wish(&self) -> Wish {
        match self {
            Self::Invite {
                peer, reason, past, ..
            } => Wish::Invite {
                peer: peer.clone(),
                reason: *reason,
                grant: *past,
            },
            Self::Remove { member, reason, .. } => Wish::Remove {
                member: member.clone(),
                reason: *reason,
            },
            Self::Rotate { reason, .. } => Wish::Rotate { reason: *reason },
            Self::Close { reason, .. } => Wish::Close { reason: *reason },
            Self::HandOver { to, .. } => Wish::HandOver { to: to.clone() },
        }
    }
}

impl Request {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::Request(RequestCall::Ask {
            circle: self.wish.circle().to_owned(),
            wish: self.wish.wish(),
            why: self.why.clone(),
        });
        let written = answer!(session, call, Written);
        session.print(&written, |_| {
            format!(
                "The circle's steward is asked (request {}).",
                words::short(&written.record)
            )
        })
    }
}

impl Requests {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::Request(RequestCall::List {
            circle: self.circle.clone(),
        });
        let lines = answer!(session, call, Requests);
        session.print(&lines, |view| {
            if lines.is_empty() {
                return "Nothing is asked.".to_owned();
            }
            let shown: Vec<_> = lines.iter().map(|line| one(view, line)).collect();
            shown.join("\n")
        })
    }
}

/// One request, with what to type.
fn one(view: &View, line: &RequestLine) -> String {
    let request = words::short(&line.request);
    let mut shown = format!(
        "{request} {}, in circle {}\n  asked by {} of {}, {}\n",
        asked(line),
        words::short(&line.circle),
        text::line(&line.by),
        text::line(&line.structure),
        view.clock.when(line.at_ms)
    );
    if !line.why.is_empty() {
        shown += &format!("{}\n", text::paragraph(&line.why, "  │ "));
    }
    if line.here {
        shown += &format!(
            "  This node is the steward: maillonctl circle grant {request}, or circle refuse {request}\n"
        );
    } else if line.ours {
        shown += &format!("  To take it back: maillonctl circle withdraw {request}\n");
    }
    shown
}

fn asked(line: &RequestLine) -> String {
    let about = text::line(line.about.as_deref().unwrap_or("a structure"));
    change(&line.asked, &about)
}

/// What is asked for, in words.
pub(super) fn change(asked: &AskedChange, about: &str) -> String {
    match asked {
        AskedChange::Invite { grant, .. } => {
            format!("invite {about}, which may read {}", words::past(*grant))
        }
        AskedChange::Remove { reason, .. } => {
            format!("remove {about} ({})", words::plain(reason))
        }
        AskedChange::Rotate { reason } => format!("begin a new epoch ({})", words::plain(reason)),
        AskedChange::Close { reason } => {
            let index = usize::try_from(*reason).unwrap_or(usize::MAX);
            let why = CLOSING.get(index).copied().unwrap_or("other");
            format!("close the circle ({why})")
        }
        AskedChange::HandOver { .. } => format!("make {about} the steward"),
    }
}

impl Grant {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let request = self.request.clone();
        let call = Call::Request(RequestCall::Grant { request });
        session.done(call, "Done, and the others are told.")
    }
}

impl Refuse {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::Request(RequestCall::Refuse {
            request: self.request.clone(),
            why: self.why.clone(),
        });
        session.done(call, "Refused, and the others are told.")
    }
}

impl Withdraw {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let request = self.request.clone();
        let call = Call::Request(RequestCall::Withdraw { request });
        session.done(call, "It is not asked any more.")
    }
}
