//! One pairing while this node runs: what is committed of it, the connection that it has, and what became of the last attempt.

use std::sync::{Mutex, MutexGuard, PoisonError};

use maillon_protocol::{
    admin,
    descriptor::Descriptor,
    ids::PairingId,
    pairing::{End, Message, PairingError, Pending, Role},
    sign::Unverified,
};
use tokio::sync::{Mutex as Turn, Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A pairing and everybody's way to it.
pub(super) struct Course {
    pub(super) id: PairingId,
    /// Who holds it does a step; all others wait.
    pub(super) turn: Turn<()>,
    /// Ends the wait before the next attempt of an accepter.
    pub(super) again: Notify,
    /// This course is no longer the one of its row: deleted, or begun anew.
    pub(super) gone: CancellationToken,
    /// Counts what has changed.
    pub(super) changed: watch::Sender<u64>,
    state: Mutex<State>,
}

struct State {
    /// As committed.
    pending: Pending,
    /// The way to the connection that is bound, where there is one.
    link: Option<(u64, mpsc::Sender<Message>)>,
    /// Connections so far.
    links: u64,
    /// Why an accepter has given up.
    failed: Option<PairingError>,
    /// What the last attempt came to.
    trouble: Option<String>,
    /// The other side has read that it was rejected here.
    told: bool,
}

impl Course {
    pub(super) fn new(pending: Pending) -> Self {
        Self {
            id: pending.id(),
            turn: Turn::new(()),
            again: Notify::new(),
            gone: CancellationToken::new(),
            changed: watch::Sender::new(0),
            state: Mutex::new(State {
                pending,
                link: None,
                links: 0,
                failed: None,
                trouble: None,
                told: false,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment: a poisoned lock leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(super) fn pending(&self) -> Pending {
        self.state().pending.clone()
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&Pending) -> T) -> T {
        look(&self.state().pending)
    }

    pub(super) fn committed(&self, pending: Pending) {
        self.change(|state| state.pending = pending);
    }

    pub(super) fn fail(&self, error: PairingError) {
        self.change(|state| state.failed = Some(error));
    }

    pub(super) fn failed(&self) -> Option<PairingError> {
        self.state().failed.clone()
    }

    pub(super) fn set_trouble(&self, trouble: String) {
        self.change(|state| state.trouble = Some(trouble));
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// The other side has read the refusal.
    pub(super) fn was_told(&self) {
        self.change(|state| state.told |= state.pending.end() == Some(End::RejectedHere));
    }

    /// Sends on the connection that is bound; says whether there is one that takes it.
    pub(super) fn say(&self, message: Message) -> bool {
        let link = self.state().link.clone();
        link.is_some_and(|(_, queue)| queue.try_send(message).is_ok())
    }

    /// A place for one connection's queue.
    pub(super) fn socket(&self, queue: mpsc::Sender<Message>) -> Socket<'_> {
        let mut state = self.state();
        state.links += 1;
        Socket {
            course: self,
            number: state.links,
            queue,
        }
    }

    /// Whether the words are there, or never will be.
    pub(super) fn is_answered(&self) -> bool {
        let state = self.state();
        state.failed.is_some() || state.pending.words().is_some() || state.pending.end().is_some()
    }

    /// Whether somebody still has to do something about it.
    pub(super) fn is_unfinished(&self, now_ms: u64) -> bool {
        self.look(|p| p.end().is_none() && !p.is_paired() && now_ms < p.expires_ms())
    }

    /// Whether the other side may still come for it.
    pub(super) fn awaits_guests(&self, now_ms: u64) -> bool {
        let state = self.state();
        let pending = &state.pending;
        let heard = match pending.end() {
            None => pending.is_settled(),
            // The accepter learns it when it comes back.
            Some(End::RejectedHere) => state.told,
            Some(_) => true,
        };
        pending.role() == Role::Inviter && !heard && now_ms < pending.expires_ms()
    }

    /// As an administrator sees it.
    pub(super) fn view(&self, now_ms: u64) -> admin::Pairing {
        let state = self.state();
        let pending = &state.pending;
        let expired = now_ms >= pending.expires_ms() && !pending.is_paired();
        let failed = match (pending.end(), &state.failed) {
            (Some(end), _) => Some(PairingError::Ended(end).to_string()),
            (None, _) if pending.is_paired() => None,
            (None, Some(error)) => Some(error.to_string()),
            (None, None) => expired.then(|| PairingError::Expired.to_string()),
        };
        admin::Pairing {
            pairing: pending.id().to_string(),
            inviter: pending.role() == Role::Inviter,
            structure: pending.descriptor().and_then(structure),
            node: pending
                .remote()
                .or((pending.role() == Role::Accepter).then(|| pending.inviter())),
            words: pending.words().map(|words| words.to_string()),
            confirmed_here: pending.confirmed_here(),
            confirmed_there: pending.confirmed_there(),
            paired: pending.is_paired(),
            failed,
            bad_proofs: pending.bad_proofs(),
            expires_ms: pending.expires_ms(),
        }
    }
}

fn structure(descriptor: &[u8]) -> Option<String> {
    let parsed = Unverified::<Descriptor>::parse(descriptor.to_vec()).ok()?;
    Some(parsed.trust_stored().object.name)
}

/// A connection's place at its course; given back when it is dropped.
pub(super) struct Socket<'a> {
    course: &'a Course,
    number: u64,
    queue: mpsc::Sender<Message>,
}

impl Socket<'_> {
    /// The connection is bound: what the administrator says goes to it.
    pub(super) fn plug(&self) {
        self.course.state().link = Some((self.number, self.queue.clone()));
    }
}

impl Drop for Socket<'_> {
    fn drop(&mut self) {
        let mut state = self.course.state();
        if state
            .link
            .as_ref()
            .is_some_and(|(number, _)| *number == self.number)
        {
            state.link = None;
        }
    }
}
