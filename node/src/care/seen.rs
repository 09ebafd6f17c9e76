//! What somebody has seen of a file's liaison notebook, and so which notes wait to be read (« notes non lues »).
//!
//! For each file a person's row says how far they had seen each log, at the last look at its newest notes on a page. A page that loads itself again is no look: nobody
//! may be in front of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use maillon_protocol::{
    admin::CircleView,
    cbor,
    circle::Circle,
    content::{Content, Professional},
    ids::{CircleId, LogId, NodeId, RecordId, ThingId},
};

use super::{
    Actor, Care, CareError, Category, Filed,
    own::{AboutFile, Own},
    people::Seat,
    read,
};
use crate::{ledger::Shared, store::Table};

/// What was written earlier than this is not new to whoever looks at a file for the first time, milliseconds: two weeks.
const NEW_MS: u64 = 14 * 24 * 3_600_000;
/// Files in one list.
const FILES: usize = 20;
/// Notes that are counted of one file; more are « plus de ».
const NOTES: usize = 50;

/// How far somebody has seen a file.
pub(super) struct Seen {
    /// By log; none where they have never looked.
    heights: Option<BTreeMap<LogId, u64>>,
    now_ms: u64,
}

/// A file in which notes wait to be read.
#[derive(Debug, Clone)]
pub struct Unread {
    /// The file.
    pub filed: Arc<Filed>,
    /// How many.
    pub notes: usize,
    /// Whether there are more than are counted.
    pub more: bool,
    /// Who wrote the newest of them.
    pub by: Professional,
    /// When, Unix milliseconds.
    pub at_ms: u64,
}

impl Seen {
    /// Whether a record, written at that time, was not there when they last looked.
    fn is_new(&self, log: &LogId, sequence: u64, at_ms: u64) -> bool {
        match &self.heights {
            Some(heights) => heights.get(log).is_none_or(|seen| sequence > *seen),
            None => at_ms.saturating_add(NEW_MS) > self.now_ms,
        }
    }

    /// Whether they have seen all that is here.
    fn is_all(&self, circle: &Circle) -> bool {
        let Some(heights) = &self.heights else {
            return false;
        };
        let mut logs = circle.logs.iter();
        logs.all(|(log, tip)| heights.get(log).is_some_and(|seen| *seen >= tip.height))
    }
}

/// A row that says that all was seen that a circle has now.
fn all_of(circle: &Circle) -> Vec<u8> {
    let logs = circle.logs.iter();
    let row: AboutFile = (
        circle.id(),
        logs.map(|(log, tip)| (*log, tip.height)).collect(),
    );
    cbor::encode(&row)
}

impl Care {
    /// How far somebody has seen a file.
    pub(super) fn seen(
        &self,
        actor: &Actor,
        circle: &CircleId,
        now_ms: u64,
    ) -> Result<Seen, CareError> {
        let key = self.own_key(Own::Seen, actor, circle, b"");
        let row = self.shared().rows().0.get(Table::Access, &key)?;
        // One that cannot be read is as one that is lost: something old is shown as new.
        let row = row.and_then(|row| cbor::decode::<AboutFile>(&row).ok());
        Ok(Seen {
            heights: row.map(|(_, heights)| heights.into_iter().collect()),
            now_ms,
        })
    }

    /// What is to be kept where somebody looks at the newest notes of a file themselves: a row, where it says more than the one that is there.
    pub(super) fn sees(
        &self,
        actor: &Actor,
        circle: &Circle,
        seen: &Seen,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let looks = actor.present && actor.seat == Seat::Page;
        (looks && !seen.is_all(circle)).then(|| {
            let key = self.own_key(Own::Seen, actor, &circle.id(), b"");
            (key, all_of(circle))
        })
    }

    /// The notes of others in a view that were not there when somebody last looked.
    pub(super) fn new_among(
        &self,
        actor: &Actor,
        view: &CircleView,
        seen: &Seen,
    ) -> Result<BTreeSet<RecordId>, CareError> {
        let mut new = BTreeSet::new();
        for one in view.things.iter().flat_map(|thing| &thing.standing) {
            if !matches!(one.content, Content::LiaisonNote(_))
                || self.is_own(actor, &one.node, &one.author)
            {
                continue;
            }
            let place = read::locate(self.shared(), &one.record)?;
            if place.is_some_and(|at| seen.is_new(&at.log, at.sequence, one.time.ms())) {
                new.insert(one.record);
            }
        }
        Ok(new)
    }

    /// The files in which notes wait to be read by somebody, those with the newest activity first. Nothing that they say is shown, so nothing stands in the trail. None
    /// where the habilitation does not show notes.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn unread(&self, actor: &Actor, now_ms: u64) -> Result<Vec<Unread>, CareError> {
        for category in [Category::Identity, Category::Messages] {
            match self.may_read(actor, category) {
                Err(CareError::NotReadable(_)) => return Ok(Vec::new()),
                answer => answer?,
            }
        }
        let mut followed = Vec::new();
        for circle in self.followed(actor) {
            followed.extend(self.filed(&circle)?);
        }
        followed.sort_by_key(|filed| std::cmp::Reverse((filed.latest_ms, filed.circle)));
        let mut unread = Vec::new();
        for filed in followed {
            let Some(circle) = self.shared().circle(&filed.circle) else {
                continue;
            };
            let seen = self.seen(actor, &filed.circle, now_ms)?;
            if seen.is_all(&circle) {
                continue;
            }
            unread.extend(self.unread_in(actor, &filed, &circle, &seen)?);
            if unread.len() == FILES {
                break;
            }
        }
        Ok(unread)
    }

    fn unread_in(
        &self,
        actor: &Actor,
        filed: &Arc<Filed>,
        circle: &Circle,
        seen: &Seen,
    ) -> Result<Option<Unread>, CareError> {
        let mut notes: BTreeSet<ThingId> = BTreeSet::new();
        let mut newest: Option<(u64, NodeId, Professional)> = None;
        let mut more = false;
        for (log, tip) in &circle.logs {
            // The newest first, until something was seen.
            for sequence in (tip.first..=tip.height).rev() {
                let Some(Placed { at_ms, note }) = placed(self.shared(), circle, log, sequence)?
                else {
                    continue;
                };
                if !seen.is_new(log, sequence, at_ms) {
                    break;
                }
                let Some((thing, author)) = note else {
                    continue;
                };
                if self.is_own(actor, &log.node, &author) {
                    continue;
                }
                if notes.len() == NOTES && !notes.contains(&thing) {
                    more = true;
                    break;
                }
                notes.insert(thing);
                if newest.as_ref().is_none_or(|(newest, ..)| *newest < at_ms) {
                    newest = Some((at_ms, log.node, author));
                }
            }
        }
        Ok(newest.map(|(at_ms, node, mut by)| {
            if node != self.shared().own() {
                // A record says of its author's structure what it likes; the log says which node wrote it.
                by.structure.name = self.names().of(&node);
            }
            Unread {
                filed: Arc::clone(filed),
                notes: notes.len(),
                more,
                by,
                at_ms,
            }
        }))
    }
}

/// What is at a place of a log.
struct Placed {
    /// When it was written, Unix milliseconds.
    at_ms: u64,
    /// Of a note that stands, which, and by whom.
    note: Option<(ThingId, Professional)>,
}

/// What is at a place of a log; none where nothing is there.
fn placed(
    shared: &Shared,
    circle: &Circle,
    log: &LogId,
    sequence: u64,
) -> Result<Option<Placed>, CareError> {
    let id = circle.id();
    let Some(record) = shared.read(|view| view.record(&id, log, sequence))? else {
        return Ok(None);
    };
    let at_ms = record.header.object.time.ms();
    // What is erased, or not to be read here, waits for nobody.
    let note = circle
        .read(&record)
        .ok()
        .and_then(|opened| match opened.content {
            Content::LiaisonNote(note) if note.withdrawn.is_empty() => {
                Some((opened.envelope.thing, opened.envelope.author))
            }
            _ => None,
        });
    Ok(Some(Placed { at_ms, note }))
}
