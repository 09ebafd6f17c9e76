//! One circle as it stands: members, identity, things page by page, where each alert stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use maillon_protocol::{
    admin::{CircleView, ContestedView, ErasedView, MemberLine, ThingView},
    circle::Circle,
    content::{Content, Kind, PatientIdentity},
    dossier::{Thing, Version},
    ids::{CircleId, RecordId, ThingId},
    replica::Replica,
    time::Timestamp,
};

use super::{Around, alerts::Shown, shown, standing, things, waiting};
use crate::care::{Care, CareError};

/// Most things in one answer; more are counted.
const MOST_THINGS: usize = 300;
/// About how many bytes of them.
const MOST_BYTES: usize = 600 << 10;
/// Versions that do not count, of one thing.
const MOST_CONTESTED: usize = 8;
/// Characters of the reason of one.
const REASON: usize = 300;

/// About how many bytes of text a content has.
fn size_of_text(content: &Content) -> usize {
    content.payload().map_or(0, |payload| payload.0.len())
}

/// Where a page of things ended: when the last of it happened, when it was written, which record says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThingMark(u64, Timestamp, RecordId);

impl ThingMark {
    /// Of what is newest of a thing; none where nothing of it can be shown.
    fn of(thing: &Thing) -> Option<Self> {
        let newest = *shown(thing).first()?;
        Some(Self(newest.occurred_ms, newest.time, newest.record))
    }
}

impl fmt::Display for ThingMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1.0, self.2)
    }
}

/// A text that is no mark of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no mark of a page")]
pub struct NoMark;

impl FromStr for ThingMark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let mut parts = text.split('.');
        let (Some(occurred), Some(time), Some(record), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoMark);
        };
        Ok(Self(
            occurred.parse().map_err(|_| NoMark)?,
            Timestamp(time.parse().map_err(|_| NoMark)?),
            record.parse().map_err(|_| NoMark)?,
        ))
    }
}

/// Which things of a circle are wanted, beside who the person is.
pub(in crate::care) struct ThingsWanted<'a> {
    /// Those that are older than this.
    pub(in crate::care) before: Option<ThingMark>,
    /// At most so many.
    pub(in crate::care) most: usize,
    /// Those of these kinds, by number.
    pub(in crate::care) kinds: &'a dyn Fn(u64) -> bool,
    /// Whether the notes that answer them come with them, wherever they are.
    pub(in crate::care) answers: bool,
}

impl Care {
    /// One circle with its newest things.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn show(&self, id: &CircleId) -> Result<CircleView, CareError> {
        self.show_before(id, None)
    }

    /// One circle with a page of its things: the newest of those that are older than `before`, as far as they fit into one answer.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn show_before(
        &self,
        id: &CircleId,
        before: Option<ThingMark>,
    ) -> Result<CircleView, CareError> {
        let wanted = ThingsWanted {
            before,
            most: MOST_THINGS,
            kinds: &|_| true,
            answers: false,
        };
        self.show_things(id, &wanted)
    }

    /// One circle with a page of those of its things that are wanted.
    pub(in crate::care) fn show_things(
        &self,
        id: &CircleId,
        wanted: &ThingsWanted<'_>,
    ) -> Result<CircleView, CareError> {
        let before = wanted.before;
        let shared = self.shared();
        let circle = shared.circle(id).ok_or(CareError::NoCircle)?;
        let around = self.around(id)?;
        let members = circle
            .charter
            .state()
            .members
            .iter()
            .map(|member| MemberLine {
                node: member.node,
                structure: around.names.of(&member.node),
                steward: member.node == circle.charter.state().steward,
                deputy: circle.charter.state().deputies.contains(&member.node),
                left: circle.charter.has_left(&member.node),
                since: member.since,
                grant: member.grant,
                waiting: if member.node == shared.own() {
                    0
                } else {
                    waiting(shared, &circle, &member.node, around.acks.get(&member.node))
                },
            })
            .collect();
        let things = things(shared, id)?;
        let mut order: Vec<(ThingMark, &ThingId, &Thing)> = things
            .iter()
            .filter_map(|(id, thing)| Some((ThingMark::of(thing)?, id, thing)))
            .collect();
        // Newest first, so that what does not fit into one answer is the oldest.
        order.sort_by_key(|(mark, ..)| std::cmp::Reverse(*mark));
        let mut identity = Vec::new();
        let mut page = Vec::new();
        let (mut older, mut next) = (0, None);
        let mut last = None;
        let mut bytes = 0;
        for (mark, thing_id, thing) in order {
            let is_identity = thing.kind() == Some(Kind::PatientIdentity as u64);
            let kind = shown(thing).first().map(|version| version.kind);
            let is_wanted = kind.is_some_and(wanted.kinds);
            if !is_identity && (!is_wanted || before.is_some_and(|before| mark >= before)) {
                continue;
            }
            if !is_identity && (page.len() >= wanted.most || bytes >= MOST_BYTES) {
                older += 1;
                next = last;
                continue;
            }
            if is_identity {
                for version in standing(thing) {
                    let view = self.view_with(&version.record, &around)?;
                    identity.extend(view.and_then(|view| match view.content {
                        Content::PatientIdentity(identity) => Some(identity),
                        _ => None,
                    }));
                }
                continue;
            }
            last = Some(mark);
            if let Some((view, size)) = self.thing_view(&circle, thing_id, thing, &around)? {
                bytes += size;
                page.push(view);
            }
        }
        if wanted.answers {
            self.add_answers(&circle, &things, &around, &mut page)?;
        }
        page.reverse();
        let doubts = identity.iter().flat_map(doubts_of).collect();
        Ok(CircleView {
            line: self.line(&circle),
            members,
            identity,
            sharing: self.sharing(id)?,
            things: page,
            older,
            next: next.map(|mark: ThingMark| mark.to_string()),
            doubts,
        })
    }

    /// Adds the notes that answer what is shown, which may be newer than the page: nothing stands without them. An answer to an answer comes too.
    fn add_answers(
        &self,
        circle: &Circle,
        things: &BTreeMap<ThingId, Thing>,
        around: &Around,
        shown: &mut Vec<ThingView>,
    ) -> Result<(), CareError> {
        let mut here: BTreeSet<ThingId> = shown.iter().map(|one| one.thing).collect();
        loop {
            let missing: Vec<_> = things
                .iter()
                .filter(|(id, thing)| {
                    let answered = thing.parent.first();
                    !here.contains(*id)
                        && answered.is_some_and(|parent| here.contains(parent))
                        && thing.kind() == Some(Kind::LiaisonNote as u64)
                })
                .take(MOST_THINGS.saturating_sub(shown.len()))
                .collect();
            if missing.is_empty() {
                break;
            }
            for (id, thing) in missing {
                here.insert(*id);
                let view = self.thing_view(circle, id, thing, around)?;
                shown.extend(view.map(|(view, _)| view));
            }
        }
        // As the page itself: newest first.
        let at = |one: &ThingView| things.get(&one.thing).and_then(ThingMark::of);
        shown.sort_by_key(|one| std::cmp::Reverse(at(one)));
        Ok(())
    }

    /// A thing as it stands, and about how many bytes that is; none where there is nothing to show of it.
    fn thing_view(
        &self,
        circle: &Circle,
        id: &ThingId,
        thing: &Thing,
        around: &Around,
    ) -> Result<Option<(ThingView, usize)>, CareError> {
        let (mut views, mut erased) = (Vec::new(), Vec::new());
        let versions = shown(thing);
        let after_removal = versions.iter().any(|version| version.after_removal);
        for version in versions {
            match self.view_with(&version.record, around)? {
                Some(view) => views.push(view),
                None => erased.extend(self.erased_view(circle, version, around)?),
            }
        }
        if views.is_empty() && erased.is_empty() {
            return Ok(None);
        }
        let mut bytes = 256 * erased.len();
        bytes += views
            .iter()
            .map(|view| 1024 + size_of_text(&view.content))
            .sum::<usize>();
        let alert = match views.first().map(|view| &view.content) {
            Some(Content::Alert(_)) => {
                self.alert_of(&circle.id(), id, around, Shown::Weightiest)?
            }
            _ => None,
        };
        let contested = thing.contested().count();
        let contested_by = self.contested_by(thing, around)?;
        bytes += alert
            .iter()
            .flat_map(|alert| &alert.answers)
            .map(|answer| 512 + answer.comment.len())
            .sum::<usize>();
        bytes += contested_by.len() * 1024;
        let view = ThingView {
            thing: *id,
            parent: thing.parent.first().copied(),
            superseded: (thing.versions.len()).saturating_sub(if after_removal {
                contested
            } else {
                views.len() + erased.len() + contested
            }) as u64,
            erased,
            contested: contested as u64,
            contested_by,
            standing: views,
            after_removal,
            alert,
        };
        Ok(Some((view, bytes)))
    }

    /// What stays of a version, if it was erased here.
    fn erased_view(
        &self,
        circle: &Circle,
        version: &Version,
        around: &Around,
    ) -> Result<Option<ErasedView>, CareError> {
        let erased = circle.erasures > 0
            && Replica::erasure_of(self.shared().rows(), &circle.id(), &version.record)?.is_some();
        Ok(erased.then(|| ErasedView {
            record: version.record,
            kind: version.kind,
            structure: around.names.of(&version.node),
            occurred_ms: version.occurred_ms,
        }))
    }

    /// The newest of the versions that do not count, with who wrote them.
    fn contested_by(
        &self,
        thing: &Thing,
        around: &Around,
    ) -> Result<Vec<ContestedView>, CareError> {
        let mut versions: Vec<&Version> = thing.contested().collect();
        versions.sort_by_key(|version| std::cmp::Reverse((version.time, version.record)));
        let mut shown = Vec::new();
        for version in versions.into_iter().take(MOST_CONTESTED) {
            let view = self.view_with(&version.record, around)?;
            let withdraws = view.as_ref().and_then(|view| withdrawal(&view.content));
            shown.push(ContestedView {
                record: version.record,
                node: version.node,
                structure: around.names.of(&version.node),
                by: view.map(|view| view.author.name).unwrap_or_default(),
                at_ms: version.time.ms(),
                withdraws,
                after_removal: version.after_removal,
            });
        }
        Ok(shown)
    }
}

/// The reason that a content gives for withdrawing what it is about.
fn withdrawal(content: &Content) -> Option<String> {
    let reason = match content {
        Content::LiaisonNote(note) => &note.withdrawn,
        Content::Document(document) => &document.withdrawn,
        _ => return None,
    };
    (!reason.is_empty()).then(|| reason.chars().take(REASON).collect())
}

/// Doubts that an identity carries by itself.
fn doubts_of(identity: &PatientIdentity) -> Vec<String> {
    match &identity.ins {
        Some(ins) if !ins.may_match() => {
            vec!["the control key of the INS is wrong: the number is kept as unverified and matches nobody".to_owned()]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is() {
        let mark = ThingMark(1_795_348_800_000, Timestamp(77), RecordId([0x9c; 32]));
        assert_eq!(mark.to_string().parse(), Ok(mark));
        for wrong in ["", "1.2", "1.2.zz", "1.2.3.4", "-1.2.9c"] {
            assert_eq!(wrong.parse::<ThingMark>(), Err(NoMark), "{wrong}");
        }
    }
}
