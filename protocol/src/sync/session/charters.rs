//! Charter entries and sealed copies of epoch secrets.

use super::{Pending, Session};
use crate::{
    cbor::Bytes,
    charter::{Entry, SealedSecret},
    circle::Circle,
    ids::CircleId,
    sign::Unverified,
    sync::{Batch, Message, View},
};

impl Session {
    pub(super) fn send_entries(
        &mut self,
        id: &CircleId,
        after: u64,
        up_to: u64,
        circle: &Circle,
        view: &impl View,
    ) {
        // Once these are committed there, everything is to be compared: our state must be told again.
        self.told.remove(id);
        let seals = if circle.charter.is_member(&self.peer) {
            view.seals(id, &self.peer)
        } else {
            Vec::new()
        };
        let mut after = after;
        let mut seals = Some(seals);
        loop {
            let entries = view.entries(id, after, up_to, self.limits.answer_bytes);
            after += entries.len() as u64;
            let more = !entries.is_empty() && after < up_to;
            let empty = entries.is_empty();
            let seals = if more {
                Vec::new()
            } else {
                seals.take().unwrap_or_default()
            };
            if !empty || !seals.is_empty() {
                self.send(Message::Entries {
                    circle: *id,
                    entries,
                    seals,
                    more,
                });
            }
            if !more {
                return;
            }
        }
    }

    pub(super) fn entries(
        &mut self,
        circle: CircleId,
        entries: Vec<Bytes>,
        seals: Vec<SealedSecret>,
    ) {
        let parsed: Result<Vec<_>, _> = entries
            .into_iter()
            .map(|entry| Unverified::<Entry>::parse(entry.0))
            .collect();
        match parsed {
            Ok(entries) => self.commit(
                Batch::Entries {
                    circle,
                    entries,
                    seals,
                },
                Pending::Other,
            ),
            Err(error) => self.report(error.into()),
        }
    }
}
