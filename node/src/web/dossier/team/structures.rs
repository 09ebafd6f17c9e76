//! The structures of a circle: what each has received, when it was last heard from, and what it may read.

use maillon_protocol::{admin::MemberLine, charter::Grant};

use crate::{
    care::{Actor, Awaited, FileView, Received},
    daemon::Heard,
    web::{
        Site,
        french::{self, Moment},
        problem::Problem,
    },
};

/// A structure, in words.
pub(in crate::web::dossier) struct Structure {
    pub(in crate::web::dossier) name: String,
    pub(in crate::web::dossier) here: bool,
    pub(in crate::web::dossier) steward: bool,
    pub(in crate::web::dossier) reads: &'static str,
    /// What it has not received; empty where it has everything.
    pub(in crate::web::dossier) missing: String,
    /// Since when the oldest of that waits.
    pub(in crate::web::dossier) since: Option<Moment>,
    pub(in crate::web::dossier) connected: bool,
    /// When it was heard from last.
    pub(in crate::web::dossier) heard: Option<Moment>,
}

/// A structure that was invited and has not answered, in words.
pub(in crate::web::dossier) struct Invited {
    pub(in crate::web::dossier) name: String,
    /// Until when it can accept.
    pub(in crate::web::dossier) until: Moment,
}

impl Invited {
    pub(in crate::web::dossier) fn of(site: &Site, one: &Awaited, now_ms: u64) -> Self {
        Self {
            name: site.node.care.structure_of(&one.node),
            until: french::moment(one.until_ms, now_ms),
        }
    }
}

/// What a structure may read of what was written before it came.
const fn reads(grant: Grant) -> &'static str {
    match grant {
        Grant::Whole => "Lit tout le dossier",
        Grant::Nothing => "Lit ce qui s’écrit depuis son entrée",
        Grant::From(_) => "Lit une partie de ce qui précède son entrée",
    }
}

/// What is missing, in words: « Il lui manque 3 éléments ».
fn missing(count: u64) -> String {
    match usize::try_from(count).unwrap_or(usize::MAX) {
        0 => String::new(),
        count => {
            let said = french::count(count, "élément", "éléments");
            format!("Il lui manque {said}")
        }
    }
}

fn structure(
    member: &MemberLine,
    received: Option<&Received>,
    heard: Option<&Heard>,
    now_ms: u64,
) -> Structure {
    let seen = heard.and_then(|heard| heard.last_ms);
    let said = received.and_then(|one| one.said_ms);
    // By another structure's clock, which may run ahead.
    let last = seen.max(said).map(|at_ms| at_ms.min(now_ms));
    let moment = |at_ms| french::moment(at_ms, now_ms);
    Structure {
        name: member.structure.clone(),
        here: received.is_none(),
        steward: member.steward,
        reads: reads(member.grant),
        missing: missing(received.map_or(0, |one| one.waiting)),
        since: received.and_then(|one| one.oldest_ms).map(moment),
        connected: heard.is_some_and(|heard| heard.now),
        heard: last.map(moment),
    }
}

/// Those that are in the circle of a file.
pub(in crate::web::dossier) async fn structures(
    site: &Site,
    actor: &Actor,
    view: &FileView,
    now_ms: u64,
) -> Result<Vec<Structure>, Problem> {
    let circle = &view.circle;
    let received = site.node.care.received(actor, &circle.line.circle)?;
    let heard = site.node.heard_from(now_ms).await;
    let there = circle.members.iter().filter(|member| !member.left);
    let said = |one: &MemberLine| {
        let (received, heard) = (received.get(&one.node), heard.get(&one.node));
        structure(one, received, heard, now_ms)
    };
    Ok(there.map(said).collect())
}

#[cfg(test)]
mod tests {
    use maillon_protocol::ids::NodeId;

    use super::*;

    /// Thursday, 26 November 2026, 14:05 in Paris.
    const THEN: u64 = 1_795_698_300_000;
    const HOUR: u64 = 3_600_000;

    fn member() -> MemberLine {
        MemberLine {
            node: NodeId([2; 32]),
            structure: "CPTS du Vallon".to_owned(),
            steward: false,
            deputy: false,
            since: 2,
            grant: Grant::Whole,
            waiting: 0,
            left: false,
        }
    }

    fn received(waiting: u64, said_ms: Option<u64>) -> Received {
        Received {
            waiting,
            oldest_ms: (waiting > 0).then_some(THEN - HOUR),
            said_ms,
        }
    }

    #[test]
    fn a_structure_was_heard_from_when_it_was_seen_or_said_something_last() {
        let last = |said_ms, last_ms| {
            let heard = Heard {
                now: false,
                last_ms,
            };
            let shown = structure(&member(), Some(&received(0, said_ms)), Some(&heard), THEN);
            shown.heard.map(|at| at.said)
        };
        assert_eq!(last(None, None), None);
        let two = Some(THEN - 2 * HOUR);
        let said = Some("aujourd’hui à 12\u{a0}h\u{a0}05".to_owned());
        assert_eq!(last(two, None), said);
        assert_eq!(last(Some(THEN - 30 * HOUR), two), said);
        // A clock that runs ahead heard nothing from the future.
        assert_eq!(
            last(Some(THEN + HOUR), None),
            Some("à l’instant".to_owned())
        );
    }

    #[test]
    fn what_is_missing_is_counted_and_since_when() {
        let shown = structure(&member(), Some(&received(3, None)), None, THEN);
        assert_eq!(shown.missing, "Il lui manque 3\u{a0}éléments");
        assert_eq!(
            shown.since.map(|at| at.said).as_deref(),
            Some("aujourd’hui à 13\u{a0}h\u{a0}05")
        );
        let shown = structure(&member(), Some(&received(0, None)), None, THEN);
        assert!(shown.missing.is_empty() && shown.since.is_none() && !shown.here);
    }
}
