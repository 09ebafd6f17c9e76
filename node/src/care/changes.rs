//! What changed in which files: told to whoever has a page open, once the index of patients has followed.
//!
//! Each change has a number. A page names the last one that it knows, when it is made and when its stream is cut, and hears what came after it; where that is
//! forgotten, it hears that anything may have changed.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use maillon_protocol::ids::CircleId;
use tokio::sync::broadcast::{self, error::RecvError};

use super::Care;
use crate::clock::now_ms;

/// Changes that are remembered for pages that were just made, or whose stream was cut.
const REMEMBERED: usize = 512;

/// What one commit changed, as far as pages show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Its number: later changes have higher ones, also after a restart.
    pub number: u64,
    /// Which commit it was: whoever counted before may have seen it already; [`Care::commits_begun`].
    pub commit: u64,
    /// The files in which something changed, and whether that may change which alerts wait.
    pub files: BTreeMap<CircleId, bool>,
    /// Whether an invitation came or went.
    pub invitations: bool,
}

/// What somebody hears who listens.
#[derive(Debug, Clone)]
pub enum Heard {
    /// One change.
    Change(Arc<Change>),
    /// More than is remembered: anything may have changed.
    Anything(u64),
}

/// The changes since the start.
pub(super) struct Changes {
    kept: Mutex<(u64, VecDeque<Arc<Change>>)>,
    told: broadcast::Sender<Heard>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            // A clock that was put back makes one page more load itself again.
            kept: Mutex::new((now_ms(), VecDeque::new())),
            told: broadcast::channel(REMEMBERED).0,
        }
    }
}

/// Hears of changes, from one of them on.
pub struct Listener {
    missed: VecDeque<Heard>,
    told: broadcast::Receiver<Heard>,
    changes: Arc<Changes>,
}

impl Changes {
    // A poisoned lock leaves a list that is whole.
    fn kept(&self) -> MutexGuard<'_, (u64, VecDeque<Arc<Change>>)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, mut change: Change) {
        let mut kept = self.kept();
        kept.0 += 1;
        change.number = kept.0;
        let change = Arc::new(change);
        if kept.1.len() == REMEMBERED {
            kept.1.pop_front();
        }
        kept.1.push_back(Arc::clone(&change));
        // Nobody listening is no error.
        let _ = self.told.send(Heard::Change(change));
    }

    /// Changes were missed. Whoever comes back from before them finds that nothing of that time is remembered.
    fn tell_anything(&self) {
        let mut kept = self.kept();
        kept.0 += 1;
        kept.1.clear();
        let _ = self.told.send(Heard::Anything(kept.0));
    }

    fn newest(&self) -> u64 {
        self.kept().0
    }

    fn after(self: &Arc<Self>, number: u64) -> Listener {
        // Under the lock nothing is told between what is remembered and what is heard.
        let kept = self.kept();
        let told = self.told.subscribe();
        let oldest = kept.1.front().map_or(kept.0 + 1, |change| change.number);
        let missed = if number > kept.0 || number + 1 < oldest {
            VecDeque::from([Heard::Anything(kept.0)])
        } else {
            let later = kept.1.iter().filter(|change| change.number > number);
            later.cloned().map(Heard::Change).collect()
        };
        drop(kept);
        Listener {
            missed,
            told,
            changes: Arc::clone(self),
        }
    }
}

impl Listener {
    /// The next change; none where the node stops.
    pub async fn next(&mut self) -> Option<Heard> {
        if let Some(missed) = self.missed.pop_front() {
            return Some(missed);
        }
        match self.told.recv().await {
            Ok(heard) => Some(heard),
            Err(RecvError::Lagged(_)) => Some(Heard::Anything(self.changes.newest())),
            Err(RecvError::Closed) => None,
        }
    }
}

impl Care {
    /// Tells of a change. Where nothing in it is shown on pages, nobody is told.
    pub(crate) fn tell_change(&self, change: Change) {
        if !change.files.is_empty() || change.invitations {
            self.changes.tell(change);
        }
    }

    /// Tells that anything may have changed, where nobody knows what did.
    pub(crate) fn tell_anything(&self) {
        self.changes.tell_anything();
    }

    /// The number of the newest change: asked for before a page is made, it is one whose effects the page shows.
    pub fn newest_change(&self) -> u64 {
        self.changes.newest()
    }

    /// How many commits were begun. Whoever has counted, and asks then, knows nothing of changes by later commits.
    pub fn commits_begun(&self) -> u64 {
        self.shared().begun()
    }

    /// Listens to what comes after a change.
    pub fn changes_after(&self, number: u64) -> Listener {
        self.changes.after(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(of: u8) -> Change {
        Change {
            files: BTreeMap::from([(CircleId([of; 32]), true)]),
            ..Change::default()
        }
    }

    fn numbers(changes: &Changes) -> Vec<u64> {
        changes.kept().1.iter().map(|one| one.number).collect()
    }

    #[test]
    fn changes_are_numbered_upwards_and_the_oldest_are_forgotten() {
        let changes = Changes::default();
        let first = changes.newest();
        for _ in 0..REMEMBERED + 3 {
            changes.tell(change(1));
        }
        let numbers = numbers(&changes);
        assert_eq!(numbers.len(), REMEMBERED);
        assert_eq!(numbers.first(), Some(&(first + 4)));
        assert_eq!(numbers.last(), Some(&changes.newest()));
    }

    #[tokio::test]
    async fn where_changes_were_missed_whoever_listens_and_whoever_comes_back_hears_it() {
        let changes = Arc::new(Changes::default());
        changes.tell(change(1));
        let before = changes.newest();
        let mut open = changes.after(before);
        changes.tell_anything();
        let missed = changes.newest();
        let anything = |heard: &Option<Heard>| matches!(heard, Some(Heard::Anything(number)) if *number == missed);
        assert!(anything(&open.next().await));
        assert!(anything(&changes.after(before).next().await));
        // Whoever has heard it goes on from there.
        let mut again = changes.after(missed);
        changes.tell(change(2));
        for listener in [&mut open, &mut again] {
            let heard = listener.next().await;
            assert!(matches!(heard, Some(Heard::Change(one)) if one.number == missed + 1));
        }
    }
}
