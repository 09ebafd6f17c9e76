//! What is held of a log without being shown, as ranges with a reason: told to the others with every acknowledgement.

use super::{Circle, Exception, Reason};
use crate::{
    ids::{LogId, NodeId},
    limits,
    record::Header,
};

impl Exception {
    pub(crate) fn holds(&self, log: &LogId, sequence: u64) -> bool {
        self.log == *log && (self.from..=self.to).contains(&sequence)
    }

    /// Whether two ranges have a place in common.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.log == other.log && self.from <= other.to && other.from <= self.to
    }
}

impl Circle {
    /// Why the record at a place is held and not shown; none where it is shown.
    pub fn excepted(&self, log: &LogId, sequence: u64) -> Option<Reason> {
        let mut all = self.exceptions.iter();
        all.find(|exception| exception.holds(log, sequence))
            .map(|exception| exception.reason)
    }

    /// The ranges of which `own`, a member, may have the bodies, which are missing here.
    pub fn missing(&self, own: &NodeId) -> impl Iterator<Item = &Exception> {
        let member = self.charter.is_member(own);
        // Whoever was removed and has come back with less is given nothing of what lies before.
        let given = |exception: &Exception| {
            let tip = self.logs.get(&exception.log);
            let first = tip.and_then(|tip| tip.first_for(own, &exception.log, &self.charter));
            first.is_some_and(|first| first <= exception.to)
        };
        let missing = move |exception: &&Exception| {
            member && exception.reason == Reason::Missing && given(exception)
        };
        self.exceptions.iter().filter(missing)
    }

    /// Whether one more body may be missing, at the end of a log.
    pub(super) fn may_miss(&self, own: &NodeId, log: &LogId, sequence: u64) -> bool {
        let joins = |range: &&Exception| range.log == *log && range.to + 1 == sequence;
        self.missing(own).count() < limits::MISSING || self.missing(own).any(|range| joins(&range))
    }

    /// Lists a record as held and not shown.
    pub(crate) fn except(&mut self, log: LogId, sequence: u64, reason: Reason) {
        let joined = |exception: &&mut Exception| {
            exception.log == log
                && exception.reason == reason
                && exception.to + 1 >= sequence
                && exception.from <= sequence
        };
        if let Some(neighbour) = self.exceptions.iter_mut().find(joined) {
            neighbour.to = neighbour.to.max(sequence);
            return;
        }
        self.exceptions.push(Exception {
            log,
            from: sequence,
            to: sequence,
            reason,
        });
    }

    /// Takes a record off the list, where it stands there for this reason.
    pub(crate) fn clear_exception(&mut self, log: &LogId, sequence: u64, reason: Reason) {
        let mut kept = Vec::with_capacity(self.exceptions.len() + 1);
        for exception in self.exceptions.drain(..) {
            if exception.reason != reason || !exception.holds(log, sequence) {
                kept.push(exception);
                continue;
            }
            if exception.from < sequence {
                kept.push(Exception {
                    to: sequence - 1,
                    ..exception
                });
            }
            if sequence < exception.to {
                kept.push(Exception {
                    from: sequence + 1,
                    ..exception
                });
            }
        }
        self.exceptions = kept;
    }

    /// Why a record has no body here: `own` is not granted its epoch, or whoever sent the header had erased it.
    pub(super) fn why_without_body(&self, header: &Header, own: &NodeId) -> Reason {
        let granted = self
            .charter
            .may_read(own, (header.entry, header.entry_hash));
        if granted {
            Reason::Missing
        } else {
            Reason::NotGranted
        }
    }
}
