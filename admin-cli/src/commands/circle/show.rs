//! `circle show`: members, dossier, deliveries.

use clap::Args;
use maillon_protocol::admin::{Call, CircleView, ContestedView, Sharing, ThingView};

use super::{dossier, list};
use crate::{
    commands::{alert::states, note::refused},
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, text, words},
};

/// Show one circle: its members, who the person is, what was written, how far it got
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle show 5f3a09c1d2e4 --as 7b21\n  maillonctl circle show 5f3a09c1d2e4 --all --as 7b21"
)]
pub(crate) struct Show {
    /// The circle
    circle: String,
    /// Everything, however long, instead of the newest page
    #[arg(long, conflicts_with = "before")]
    all: bool,
    /// Go on with what is older than the page before
    #[arg(long, value_name = "WHERE")]
    before: Option<String>,
}

impl Show {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let mut circle = self.page(session, self.before.clone())?;
        while let Some(next) = circle.next.take_if(|_| self.all) {
            let older = self.page(session, Some(next))?;
            // Within a page, the oldest comes first.
            circle.things.splice(0..0, older.things);
            circle.older = older.older;
            circle.next = older.next;
        }
        session.print(&circle, |view| {
            let mut shown = show(view, &circle);
            if let Some(next) = &circle.next {
                shown += &format!(
                    "\n{} (everything at once: --all): maillonctl circle show {} --before {}\n",
                    words::count(circle.older, "older thing"),
                    words::short(&circle.line.circle),
                    text::line(next)
                );
            }
            shown
        })
    }

    fn page(
        &self,
        session: &mut Session<'_, '_>,
        before: Option<String>,
    ) -> Result<CircleView, Failure> {
        let call = Call::CircleShow {
            circle: self.circle.clone(),
            before,
        };
        Ok(answer!(session, call, Circle))
    }
}

/// A whole circle.
pub(super) fn show(view: &View, circle: &CircleView) -> String {
    let line = &circle.line;
    let mut shown = format!(
        "Circle {} ({}{}), this node is its {}, entry {}, {}\n",
        words::short(&line.circle),
        words::subject(line.subject),
        if line.closed { ", closed" } else { "" },
        list::role(line),
        line.entry,
        words::count(line.records, "record")
    );
    if line.unconfirmed {
        shown += "  This node was restored: it admits and removes nobody here before another member confirms that nothing is missing.\n";
    }
    if let Some(old) = &line.continues {
        shown += &format!(
            "  It continues circle {}, where the older past is.\n",
            words::short(old)
        );
    }
    if let Some(next) = &line.continued {
        shown += &format!(
            "  It goes on in circle {}: what is new is written there.\n",
            words::short(next)
        );
    }
    if circle.identity.len() > 1 {
        shown += "The identity is in conflict; these versions stand:\n";
    }
    for identity in &circle.identity {
        shown += &format!("  {}\n", dossier::identity(identity));
    }
    for doubt in &circle.doubts {
        shown += &format!("  ? {}\n", text::line(doubt));
    }
    shown += &format!("  {}\n", sharing(view, circle));
    let members = table(
        view,
        ["member", "node", "since entry", "may read", "waiting"],
        circle.members.iter().map(|member| {
            let role = match (member.left, member.steward, member.deputy) {
                (true, ..) => " (has left)",
                (false, true, _) => " (steward)",
                (false, false, true) => " (deputy)",
                (false, false, false) => "",
            };
            [
                format!("{}{role}", text::line(&member.structure)),
                words::node(&member.node),
                member.since.to_string(),
                words::past(member.grant),
                member.waiting.to_string(),
            ]
        }),
    );
    shown += &format!("\n{members}\n");
    for thing in &circle.things {
        shown += &format!("\n{}", one(view, thing));
    }
    shown
}

/// What the person answered about sharing.
fn sharing(view: &View, circle: &CircleView) -> String {
    match &circle.sharing {
        Sharing::Allowed => "Sharing is allowed by what is recorded.".to_owned(),
        Sharing::Unanswered => {
            "Nothing is recorded of the person's answer about sharing: inform them, then maillonctl consent record.".to_owned()
        }
        Sharing::Refused(against) if circle.members.len() > 1 => format!(
            "{} Nobody more is invited; the structures below go on reading what is written (maillonctl circle remove ends that).",
            refused(view, against)
        ),
        Sharing::Refused(against) => format!("{} Nobody is invited.", refused(view, against)),
    }
}

fn one(view: &View, thing: &ThingView) -> String {
    let mut shown = String::new();
    for erased in &thing.erased {
        shown += &format!(
            "{} {} of {}, {}: erased\n",
            words::short(&erased.record),
            words::kind(erased.kind),
            text::line(&erased.structure),
            view.clock.when(erased.occurred_ms)
        );
    }
    if thing.standing.len() > 1 {
        shown += "These versions are in conflict:\n";
    }
    for record in &thing.standing {
        shown += &dossier::record(view, record);
    }
    if thing.superseded > 0 {
        shown += &format!(
            "  {} before this one\n",
            words::count(thing.superseded, "version")
        );
    }
    for contested in &thing.contested_by {
        shown += &format!("  {}\n", does_not_count(view, contested));
    }
    let unnamed = (thing.contested).saturating_sub(thing.contested_by.len() as u64);
    if unnamed > 0 {
        shown += &format!(
            "  {} more by authors who had no right to write\n",
            words::count(unnamed, "version")
        );
    }
    if let Some(alert) = &thing.alert {
        shown += &states::lines(view, alert, "  ");
    }
    shown
}

/// Who wrote a version that does not count, and why it does not.
fn does_not_count(view: &View, contested: &ContestedView) -> String {
    let who = states::somebody(&contested.by, &contested.structure);
    let when = view.clock.when(contested.at_ms);
    let why = if contested.after_removal {
        "it does not count, for that structure had been removed"
    } else {
        "it does not count, for only the structure that wrote this may change it"
    };
    match &contested.withdraws {
        Some(reason) => format!("{who} withdrew this {when}: {}; {why}", text::line(reason)),
        None => format!("{who} wrote another version {when}: {why}"),
    }
}
