//! Charter entries and sealed copies of epoch secrets.

use std::collections::BTreeSet;

use super::{Pending, Session};
use crate::{
    cbor::Bytes,
    charter::{Charter, Entry, SealedSecret},
    circle::Circle,
    ids::{CircleId, EntryHash},
    sign::Unverified,
    sync::{Batch, Message, Problem, View},
};

/// Sealed copies in one message: each has about 1,300 bytes, a frame has room for them beside an answer's entries.
const SEALS: usize = 256;

/// Entries before the head of another branch among which the place is looked for where it parts from ours.
const LOOKED_BACK: u64 = 64;

/// The beginning of a charter that does not fit into one message.
#[derive(Debug)]
pub(super) struct Founding {
    circle: CircleId,
    entries: Vec<Unverified<Entry>>,
    bytes: usize,
}

impl Session {
    pub(super) fn send_entries(
        &mut self,
        id: &CircleId,
        after: u64,
        up_to: u64,
        opened: &BTreeSet<u64>,
        circle: &Circle,
        view: &impl View,
    ) {
        // Once these are committed there, everything is to be compared: our state must be told again.
        self.told.remove(id);
        let mut after = after;
        while after < up_to {
            let entries = view.entries(id, after, up_to, self.limits.answer_bytes);
            if entries.is_empty() {
                break;
            }
            after += entries.len() as u64;
            self.send(Message::Entries {
                circle: *id,
                entries,
                seals: Vec::new(),
                more: after < up_to,
            });
        }
        self.sealed.retain(|(circle, _)| circle != id);
        self.send_seals(id, opened, circle, view);
    }

    /// The peer stands on another branch of the charter, at this entry: it gets the end of ours, once for each head, and the secrets that it may have,
    /// so that it can follow our branch beside its own.
    pub(super) fn send_branch(&mut self, circle: &Circle, theirs: u64, view: &impl View) {
        let (id, charter) = (circle.id(), &circle.charter);
        let (own, peer) = (view.own(), self.peer);
        let both = charter.is_member(&own) && charter.is_member(&peer);
        if !both || self.shown.insert(id, charter.head()) == Some(charter.head()) {
            return;
        }
        let common = theirs.min(charter.number());
        let after = common.saturating_sub(LOOKED_BACK);
        let told = self.told.get(&id).copied();
        self.send_entries(&id, after, charter.number(), &BTreeSet::new(), circle, view);
        if let Some(told) = told {
            self.told.insert(id, told);
        }
    }

    /// Shows the peer the other branches of a charter that this node knows: their records may come to it from here.
    pub(super) fn send_rivals(&mut self, circle: &Circle, view: &impl View) {
        let (id, charter) = (circle.id(), &circle.charter);
        let (own, peer) = (view.own(), self.peer);
        let heads: Vec<EntryHash> = charter.rivals().iter().map(Charter::head).collect();
        let both = charter.is_member(&own) && charter.is_member(&peer);
        if !both || heads.is_empty() || self.rivals.get(&id) == Some(&heads) {
            return;
        }
        self.rivals.insert(id, heads);
        let mut entries = view.rival_entries(&id);
        while !entries.is_empty() {
            let mut bytes = 0;
            let some = entries.iter().take_while(|entry| {
                bytes += entry.0.len();
                bytes <= self.limits.answer_bytes
            });
            let rest = entries.split_off(some.count().max(1));
            let entries = std::mem::replace(&mut entries, rest);
            self.send(Message::Entries {
                circle: id,
                entries,
                seals: Vec::new(),
                more: false,
            });
        }
        for some in view.rival_seals(&id, &peer).chunks(SEALS) {
            self.send(Message::Entries {
                circle: id,
                entries: Vec::new(),
                seals: some.to_vec(),
                more: false,
            });
        }
    }

    /// Sends the copies of secrets that the peer is granted and has not opened, each once on a connection.
    pub(super) fn send_seals(
        &mut self,
        id: &CircleId,
        opened: &BTreeSet<u64>,
        circle: &Circle,
        view: &impl View,
    ) {
        let missing: BTreeSet<u64> = circle
            .charter
            .epochs()
            .filter(|epoch| {
                circle.charter.is_granted(&self.peer, *epoch)
                    && !opened.contains(epoch)
                    && !self.sealed.contains(&(*id, *epoch))
            })
            .collect();
        if missing.is_empty() {
            return;
        }
        let seals = view.seals(id, &self.peer, &missing);
        self.sealed
            .extend(seals.iter().map(|seal| (*id, seal.number)));
        for some in seals.chunks(SEALS) {
            self.send(Message::Entries {
                circle: *id,
                entries: Vec::new(),
                seals: some.to_vec(),
                more: false,
            });
        }
    }

    pub(super) fn entries(
        &mut self,
        circle: CircleId,
        entries: Vec<Bytes>,
        seals: Vec<SealedSecret>,
        more: bool,
        view: &impl View,
    ) {
        let parsed: Result<Vec<_>, _> = entries
            .into_iter()
            .map(|entry| Unverified::<Entry>::parse(entry.0))
            .collect();
        let entries = match parsed {
            Ok(entries) => entries,
            Err(error) => {
                self.founding = None;
                return self.report(error.into());
            }
        };
        let Some(entries) = self.gather(circle, entries, more, view) else {
            return;
        };
        self.commit(
            Batch::Entries {
                circle,
                entries,
                seals,
            },
            Pending::Other,
        );
    }

    /// A circle begins with the entry that admits this node, which may come in a later message than its first ones: they are kept until
    /// the last has come. Entries of a circle that is here are handed on at once.
    fn gather(
        &mut self,
        circle: CircleId,
        mut entries: Vec<Unverified<Entry>>,
        more: bool,
        view: &impl View,
    ) -> Option<Vec<Unverified<Entry>>> {
        if view.circle(&circle).is_some() {
            self.founding = None;
            return Some(entries);
        }
        let held = self.founding.take().filter(|held| held.circle == circle);
        let before = held.as_ref().map_or(0, |held| held.bytes);
        let bytes = entries
            .iter()
            .fold(before, |sum, entry| sum + entry.bytes.len());
        if let Some(mut held) = held {
            held.entries.append(&mut entries);
            entries = held.entries;
        }
        if !more {
            return Some(entries);
        }
        if bytes > self.limits.founding_bytes {
            self.report(Problem::NotShared("entries"));
            return None;
        }
        self.founding = Some(Founding {
            circle,
            entries,
            bytes,
        });
        None
    }
}
