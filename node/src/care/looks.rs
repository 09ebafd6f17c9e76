//! Who opened a file, and who did what in it, here: what the trail of this node says about one circle, for the team of the person.
//!
//! Other structures of the circle keep trails of their own, which are shown to nobody here.

use std::collections::HashMap;

use maillon_protocol::{
    admin::AuditLine,
    content::Professional,
    ids::{CircleId, ThingId},
};

use super::{Actor, Care, CareError, Category};
use crate::{
    audit::{Trail, Wanted},
    clock::day_of,
};

/// The right of whoever has broken the glass, as the trail says it.
pub(super) const BY_GLASS: &str = "glass";
/// Lines of one page, at least where there are so many: the rest of the day that they end in comes with them.
const LINES_IN_A_PAGE: usize = 200;
/// Lines of one page, at most.
const MOST_LINES: usize = 2_000;

/// Who did it.
#[derive(Debug, Clone, PartialEq)]
pub enum LookedBy {
    /// A professional of this structure.
    Professional(Box<Professional>),
    /// Somebody who acts in no professional's name.
    Administrator,
    /// This node.
    Node,
}

/// One line about a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The professional's id at this node; none for the administrator and the node.
    pub actor: Option<ThingId>,
    /// Who did it.
    pub by: LookedBy,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// The fixed word of what was done.
    pub action: String,
    /// What it was about beside the file, in a fixed word and an id.
    pub object: Option<String>,
}

impl Look {
    /// Whether they looked by a broken glass.
    pub fn by_glass(&self) -> bool {
        let right = self
            .object
            .as_deref()
            .and_then(|one| one.strip_prefix("right "));
        right == Some(BY_GLASS)
    }
}

/// A page of them, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Looks {
    /// The lines.
    pub looks: Vec<Look>,
    /// The number of the line before which the next page goes on.
    pub next: Option<u64>,
}

impl Care {
    /// Goes on where somebody may see who opened a file: whoever is in the team and reads who takes part. A broken glass does not reach it: nobody needs it to act.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotReadable`].
    pub(super) fn may_see_looks(&self, actor: &Actor, circle: &CircleId) -> Result<(), CareError> {
        self.in_team(actor, circle)?;
        self.may_read(actor, Category::Identity)?;
        self.may_read(actor, Category::Administration)
    }

    /// Who opened a file and did what in it, before the line of a number. A page ends with a day, where the day is not too long. That somebody asks is in the trail
    /// by [`Care::read_file`] of [`Shown::Looks`](super::Shown::Looks).
    ///
    /// # Errors
    /// As [`Care::read_file`].
    pub fn looks(
        &self,
        actor: &Actor,
        circle: CircleId,
        before: Option<u64>,
    ) -> Result<Looks, CareError> {
        self.may_see_looks(actor, &circle)?;
        let people = self.professionals()?.into_iter();
        let people: HashMap<ThingId, Professional> =
            people.map(|one| (one.id, one.professional)).collect();
        let trail = Trail(&self.shared().rows().0);
        let mut looks = Vec::new();
        let (mut before, mut day) = (before, String::new());
        loop {
            let wanted = Wanted {
                circle: Some(circle),
                before,
                limit: LINES_IN_A_PAGE,
                ..Wanted::default()
            };
            let page = trail.page(&wanted, |_| None)?;
            for line in page.lines {
                let its_day = day_of(line.at_ms);
                if looks.len() >= LINES_IN_A_PAGE && its_day != day {
                    let next = Some(line.number + 1);
                    return Ok(Looks { looks, next });
                }
                day = its_day;
                looks.push(look(line, &people));
            }
            before = page.next;
            if before.is_none() || looks.len() >= MOST_LINES {
                return Ok(Looks {
                    looks,
                    next: before,
                });
            }
        }
    }
}

fn look(line: AuditLine, people: &HashMap<ThingId, Professional>) -> Look {
    let known = line.professional.and_then(|id| people.get(&id));
    let by = match (known, line.name) {
        (Some(one), _) => LookedBy::Professional(Box::new(one.clone())),
        (None, Some(_)) => LookedBy::Node,
        (None, None) => LookedBy::Administrator,
    };
    Look {
        actor: line.professional,
        by,
        at_ms: line.at_ms,
        action: line.action,
        object: line.object,
    }
}
