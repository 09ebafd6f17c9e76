//! Charters that fork: the entries of other branches are kept aside, and what they say is checked and followed beside the own branch.

use super::{Notice, Replica, Row, RowPrefix, Rows, StorageError, rows::read};
use crate::{
    cbor::{self, Bytes},
    charter::{Charter, Entry},
    circle::Circle,
    ids::{CircleId, EntryHash, Hash},
    sign::{Unverified, Verified},
};
use std::sync::Arc;

/// The word under which charter entries are kept aside.
const ENTRY: &str = "entry";

/// What became of an entry that does not extend the charter.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptEntry {
    /// It is aside.
    pub(super) held: bool,
    /// Something is to be written because of it.
    pub(super) changed: bool,
}

impl Replica {
    /// Keeps aside a charter entry that does not extend the charter. Of who was never listed nothing is kept: such an entry proves nothing, and anybody
    /// can sign as many as they like.
    pub(super) fn keep_entry(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        entry: &Verified<Entry>,
    ) -> Result<KeptEntry, StorageError> {
        let (id, signer) = (next.id(), entry.object.signer);
        let row = Row::Aside(id, Hash(entry.id));
        let (mut held, mut changed) = (self.row(rows, &row)?.is_some(), false);
        if held {
            return Ok(KeptEntry { held, changed });
        }
        let what = ENTRY;
        self.published
            .notices
            .push(Notice::Aside { circle: id, what });
        if next.charter.ever_listed(&signer) {
            match next.branches.keep(signer, entry.bytes.len()) {
                Ok(()) => {
                    self.stage(row, cbor::encode(&(what, Bytes(entry.bytes.clone()))));
                    (held, changed) = (true, true);
                }
                Err(error) => changed = self.say_full(next, signer, error),
            }
        }
        Ok(KeptEntry { held, changed })
    }

    /// Follows the other branches of a charter as far as these entries show them; whether they show something new. An entry for which there is no more
    /// room aside is not followed.
    pub(super) fn take_rivals(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        entries: &[Verified<Entry>],
    ) -> Result<bool, StorageError> {
        let (id, own) = (next.id(), self.own());
        let mut fresh = false;
        for entry in entries {
            let mut failed = None;
            let replay = |up_to| {
                let replayed = self.replay(rows, &id, up_to);
                replayed
                    .map_err(|error| failed = Some(error))
                    .ok()
                    .flatten()
            };
            let beside = next.charter.beside(entry, &own, replay);
            if let Some(error) = failed {
                return Err(error);
            }
            let Ok(Some(charter)) = beside else {
                continue;
            };
            if !self.keep_entry(rows, next, entry)?.held {
                break;
            }
            if charter.rivals().len() > next.charter.rivals().len() {
                let entry = entry.object.number;
                let notice = Notice::CharterForked { circle: id, entry };
                self.published.notices.push(notice);
            }
            next.charter = Arc::new(charter);
            fresh = true;
        }
        Ok(fresh)
    }

    /// A circle's charter as it was at an earlier entry.
    fn replay(
        &self,
        rows: &impl Rows,
        id: &CircleId,
        up_to: u64,
    ) -> Result<Option<Charter>, StorageError> {
        let mut charter: Option<Charter> = None;
        for number in 1..=up_to {
            let bytes = self.row(rows, &Row::Entry(*id, number))?;
            let bytes = bytes.ok_or_else(|| StorageError::missing("charter entry"))?;
            let entry = stored_entry(bytes)?;
            let longer = match &charter {
                Some(charter) => charter.extend(&entry),
                None => Charter::found(&entry),
            };
            charter = Some(longer.map_err(|_| StorageError::damaged("charter entry"))?);
        }
        Ok(charter)
    }

    /// The last entry before any second one of the same number that was kept aside.
    pub(super) fn last_common(&self, rows: &impl Rows, held: &Circle) -> Result<u64, StorageError> {
        let charter = &held.charter;
        let mut last = charter.number();
        for bytes in self.over(rows).scan(&RowPrefix::Aside(held.id()))? {
            let (what, object): (String, Bytes) = read(&bytes)?;
            if what != ENTRY {
                continue;
            }
            let entry = stored_entry(object.0)?.object;
            let Some(before) = entry.number.checked_sub(1) else {
                continue;
            };
            if entry.previous.is_some() && charter.hash_of(before) == entry.previous {
                last = last.min(before);
            }
        }
        Ok(last)
    }
}

/// The entries of a charter's other branches, in the order of their numbers.
pub(super) fn entries(rows: &impl Rows, held: &Circle) -> Result<Vec<Bytes>, StorageError> {
    if held.charter.rivals().is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<(u64, Bytes)> = Vec::new();
    for bytes in rows.scan(&RowPrefix::Aside(held.id()))? {
        let (what, object): (String, Bytes) = read(&bytes)?;
        if what == ENTRY {
            let entry = stored_entry(object.0)?;
            let number = entry.object.number;
            if held.charter.is_rival(number, EntryHash(entry.id)) {
                found.push((number, Bytes(entry.bytes)));
            }
        }
    }
    found.sort_by_key(|(number, _)| *number);
    Ok(found.into_iter().map(|(_, entry)| entry).collect())
}

pub(super) fn stored_entry(bytes: Vec<u8>) -> Result<Verified<Entry>, StorageError> {
    let entry = Unverified::<Entry>::parse(bytes);
    let entry = entry.map_err(|_| StorageError::damaged("charter entry"))?;
    Ok(entry.trust_stored())
}
