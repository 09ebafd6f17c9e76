//! What somebody has seen of a file's liaison notebook, and so which notes wait to be read (« notes non lues »).
//!
//! For each file a person's row says how far they had seen each log, at the last look at its newest notes on a page, and which notes up to there were on no page yet:
//! what comes late stands where it belongs by its time, behind many others. A page that loads itself again is no look: nobody may be in front of it.

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
    record::Record,
};

use super::{
    Actor, Care, CareError, Category, Filed,
    own::{AboutFile, Own, SeenOfFile},
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
/// Notes that wait on when somebody has looked at a file; what is older counts as seen.
const KEPT: usize = 400;
/// Records of one log at which somebody's list looks for notes, the newest first: what is before them is as if it had been seen.
const LOOKED_AT: usize = 1_000;

/// A row that somebody keeps for themselves: its key, and what it holds.
pub(super) type OwnRow = (Vec<u8>, Vec<u8>);

/// How far somebody has seen a file.
pub(super) struct Seen {
    /// By log; none where they have never looked.
    heights: Option<BTreeMap<LogId, u64>>,
    /// Notes up to there that were on no page.
    left: BTreeMap<ThingId, RecordId>,
    now_ms: u64,
}

/// Notes of others that somebody has not seen.
#[derive(Default)]
struct Waiting {
    notes: BTreeMap<ThingId, RecordId>,
    /// When the newest was written, where, and by whom.
    newest: Option<(u64, NodeId, Professional)>,
    more: bool,
}

impl Waiting {
    /// Counts a note; false where no more than `most` are counted.
    fn add(&mut self, note: Note, most: usize) -> bool {
        if self.notes.len() == most && !self.notes.contains_key(&note.thing) {
            self.more = true;
            return false;
        }
        self.notes.entry(note.thing).or_insert(note.record);
        let newest = self.newest.as_ref();
        if newest.is_none_or(|(newest, ..)| *newest < note.at_ms) {
            self.newest = Some((note.at_ms, note.node, note.author));
        }
        true
    }
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
        if !self.left.is_empty() {
            return false;
        }
        let mut logs = circle.logs.iter();
        logs.all(|(log, tip)| heights.get(log).is_some_and(|seen| *seen >= tip.height))
    }
}

/// A row that says that all was seen that a circle has now, but some notes.
fn all_of(circle: &Circle, left: &BTreeMap<ThingId, RecordId>) -> Vec<u8> {
    let logs = circle.logs.iter();
    let row: SeenOfFile = (
        circle.id(),
        logs.map(|(log, tip)| (*log, tip.height)).collect(),
        left.iter()
            .map(|(thing, record)| (*thing, *record))
            .collect(),
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
        let row = row.and_then(|row| {
            let earlier = || cbor::decode::<AboutFile>(&row).ok();
            let now = cbor::decode::<SeenOfFile>(&row).ok();
            now.or_else(|| earlier().map(|(circle, heights)| (circle, heights, Vec::new())))
        });
        let (heights, left) = row.map_or((None, Vec::new()), |(_, heights, left)| {
            (Some(heights.into_iter().collect()), left)
        });
        Ok(Seen {
            heights,
            left: left.into_iter().collect(),
            now_ms,
        })
    }

    /// What is to be kept where somebody looks at notes of a file themselves: a row, where it says more than the one that is there. What was new and is not on the page
    /// waits on; from an older page only what is on it is taken away.
    pub(super) fn sees(
        &self,
        actor: &Actor,
        circle: &Circle,
        seen: &Seen,
        view: &CircleView,
        newest: bool,
    ) -> Result<Option<OwnRow>, CareError> {
        let looks = actor.present && actor.seat == Seat::Page;
        if !looks || seen.is_all(circle) {
            return Ok(None);
        }
        let mut left = if newest {
            self.waiting_in(actor, circle, seen, KEPT)?.notes
        } else {
            seen.left.clone()
        };
        for thing in &view.things {
            left.remove(&thing.thing);
        }
        let row = match &seen.heights {
            _ if newest => all_of(circle, &left),
            Some(heights) if left.len() < seen.left.len() => {
                let heights = heights.iter().map(|(log, height)| (*log, *height));
                let left: Vec<_> = left.into_iter().collect();
                let row: SeenOfFile = (circle.id(), heights.collect(), left);
                cbor::encode(&row)
            }
            _ => return Ok(None),
        };
        let key = self.own_key(Own::Seen, actor, &circle.id(), b"");
        Ok(Some((key, row)))
    }

    /// The notes of others in a view that were not there when somebody last looked.
    pub(super) fn new_among(
        &self,
        actor: &Actor,
        view: &CircleView,
        seen: &Seen,
    ) -> Result<BTreeSet<RecordId>, CareError> {
        let mut new = BTreeSet::new();
        let things = view.things.iter();
        for (thing, one) in
            things.flat_map(|thing| thing.standing.iter().map(move |one| (thing, one)))
        {
            let stands =
                matches!(&one.content, Content::LiaisonNote(note) if note.withdrawn.is_empty());
            if !stands || self.is_own(actor, &one.node, &one.author) {
                continue;
            }
            if seen.left.contains_key(&thing.thing) {
                new.insert(one.record);
                continue;
            }
            let place = read::locate(self.shared(), &one.record)?;
            if place.is_some_and(|at| seen.is_new(&at.log, at.sequence, one.time.ms())) {
                new.insert(one.record);
            }
        }
        Ok(new)
    }

    /// Whether somebody's habilitation shows them notes.
    pub fn reads_messages(&self, actor: &Actor) -> bool {
        self.may_read(actor, Category::Messages).is_ok()
    }

    /// The files in which notes wait to be read by somebody, those with the newest note first. Nothing that they say is shown, so nothing stands in the trail. None
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
        unread.sort_by_key(|one| std::cmp::Reverse((one.at_ms, one.filed.circle)));
        Ok(unread)
    }

    fn unread_in(
        &self,
        actor: &Actor,
        filed: &Arc<Filed>,
        circle: &Circle,
        seen: &Seen,
    ) -> Result<Option<Unread>, CareError> {
        let waiting = self.waiting_in(actor, circle, seen, NOTES)?;
        Ok(waiting.newest.map(|(at_ms, node, mut by)| {
            if node != self.shared().own() {
                // A record says of its author's structure what it likes; the log says which node wrote it.
                by.structure.name = self.names().of(&node);
            }
            Unread {
                filed: Arc::clone(filed),
                notes: waiting.notes.len(),
                more: waiting.more,
                by,
                at_ms,
            }
        }))
    }

    /// The notes of others in a file that somebody has not seen.
    fn waiting_in(
        &self,
        actor: &Actor,
        circle: &Circle,
        seen: &Seen,
        most: usize,
    ) -> Result<Waiting, CareError> {
        let mut waiting = Waiting::default();
        'logs: for (log, tip) in &circle.logs {
            // The newest first, until something was seen.
            for sequence in (tip.first..=tip.height).rev().take(LOOKED_AT) {
                let Some(Placed { at_ms, note }) = placed(self.shared(), circle, log, sequence)?
                else {
                    continue;
                };
                if !seen.is_new(log, sequence, at_ms) {
                    break;
                }
                let note = note.filter(|note| !self.is_own(actor, &note.node, &note.author));
                if note.is_some_and(|note| !waiting.add(note, most)) {
                    break 'logs;
                }
            }
        }
        for record in seen.left.values() {
            // What is erased meanwhile, or not to be read here any more, waits for nobody.
            let found = read::record(self.shared(), record)?;
            let note = found.and_then(|(_, record)| note_of(circle, &record));
            if note.is_some_and(|note| !waiting.add(note, most)) {
                break;
            }
        }
        Ok(waiting)
    }
}

/// What is at a place of a log.
struct Placed {
    /// When it was written, Unix milliseconds.
    at_ms: u64,
    /// The note, where it is one that stands.
    note: Option<Note>,
}

/// A note, and who wrote it.
struct Note {
    thing: ThingId,
    record: RecordId,
    node: NodeId,
    author: Professional,
    /// When it was written, Unix milliseconds.
    at_ms: u64,
}

/// What a record says, where it is a note that was not withdrawn.
fn note_of(circle: &Circle, record: &Record) -> Option<Note> {
    let opened = circle.read(record).ok()?;
    let Content::LiaisonNote(note) = opened.content else {
        return None;
    };
    note.withdrawn.is_empty().then(|| Note {
        thing: opened.envelope.thing,
        record: record.id(),
        node: record.header.object.log.node,
        author: opened.envelope.author,
        at_ms: record.header.object.time.ms(),
    })
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
    let note = note_of(circle, &record);
    Ok(Some(Placed { at_ms, note }))
}
