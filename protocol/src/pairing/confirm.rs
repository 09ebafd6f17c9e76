//! What comes after the proofs: two administrators compare, confirm or reject, and their nodes tell each other.

use minicbor::bytes::ByteArray;

use super::{
    Effect, End, Message, PairingError, Pending, RefuseCode, Words,
    proof::{confirmation, same},
    stage::{Bound, Stage},
};
use crate::{descriptor::Descriptor, ids::NodeId};

impl Pending {
    /// This node's administrator has heard the same words from the other one.
    ///
    /// A [`Effect::Send`] goes to the other node if a connection stands whose machine [is bound](super::Inviter::is_bound);
    /// else it is left out, and the next contact says it.
    ///
    /// # Errors
    /// [`PairingError::NotBound`], [`PairingError::OtherWords`] where `words` are not the present ones, and as any message.
    pub fn confirm(&mut self, words: &Words, now_ms: u64) -> Result<Vec<Effect>, PairingError> {
        self.check_open(now_ms)?;
        let Stage::Bound(bound) = &mut self.stage else {
            return Err(PairingError::NotBound);
        };
        if Words::of(&bound.transcript) != *words {
            return Err(PairingError::OtherWords);
        }
        if bound.confirmed_here {
            return Ok(Vec::new());
        }
        let paired = paired(bound, true, bound.confirmed_there)?;
        bound.confirmed_here = true;
        let mut effects = vec![Effect::Store];
        effects.extend(paired);
        effects.extend(self.confirm_message().map(Effect::Send));
        Ok(effects)
    }

    /// This node's administrator withdraws the invitation, or has heard other words.
    ///
    /// # Errors
    /// [`PairingError::AlreadyPaired`]; [`PairingError::Ended`].
    pub fn reject(&mut self) -> Result<Vec<Effect>, PairingError> {
        if self.is_paired() {
            return Err(PairingError::AlreadyPaired);
        }
        let end = match &self.stage {
            Stage::Offered => End::Withdrawn,
            Stage::Bound(_) => End::RejectedHere,
            Stage::Ended(end) => return Err(PairingError::Ended(*end)),
        };
        let code = match end {
            End::Withdrawn => RefuseCode::Ended,
            _ => RefuseCode::Rejected,
        };
        self.finish(end);
        Ok(vec![
            Effect::Store,
            Effect::Send(Message::Refuse { code }),
            Effect::Failed(PairingError::Ended(end)),
        ])
    }

    /// Our confirmation, once there is one.
    pub(super) fn confirm_message(&self) -> Option<Message> {
        let bound = self.bound().filter(|bound| bound.confirmed_here)?;
        let seen = bound.confirmed_there;
        Some(Message::Confirm {
            seen,
            mac: confirmation(&bound.key, self.role(), bound.transcript, seen),
        })
    }

    /// What to say and show when two bound nodes are connected.
    pub(super) fn on_contact(&self) -> Vec<Effect> {
        match (self.confirm_message(), self.words()) {
            (Some(message), _) => vec![Effect::Send(message)],
            (None, Some(words)) => vec![Effect::ShowWords(words)],
            (None, None) => Vec::new(),
        }
    }

    /// The other side's confirmation.
    pub(super) fn confirmed(
        &mut self,
        seen: bool,
        mac: &ByteArray<32>,
        now_ms: u64,
    ) -> Result<Vec<Effect>, PairingError> {
        self.check_open(now_ms)?;
        let theirs = self.role().other();
        let Stage::Bound(bound) = &mut self.stage else {
            return Err(PairingError::NotBound);
        };
        let expected = confirmation(&bound.key, theirs, bound.transcript, seen);
        if !same(&expected, mac) || (seen && !bound.confirmed_here) {
            return Err(PairingError::Confirmation);
        }
        let first = !bound.confirmed_there;
        let settles = seen && !bound.settled;
        let paired = paired(bound, bound.confirmed_here, first)?;
        bound.confirmed_there = true;
        bound.settled |= seen;
        // The other side holds this exchange: it needs no other one.
        self.secret = None;
        let mut effects = Vec::new();
        if first || settles {
            effects.push(Effect::Store);
        }
        effects.extend(paired);
        if first || !seen {
            effects.extend(self.confirm_message().map(Effect::Send));
        }
        Ok(effects)
    }

    /// `remote` refuses. Only the node to which this is bound can end it, and only before both have confirmed.
    pub(super) fn refused(&mut self, remote: NodeId, code: RefuseCode) -> PairingError {
        if code == RefuseCode::Rejected && self.remote() == Some(remote) && !self.is_paired() {
            self.finish(End::RejectedThere);
        }
        PairingError::Refused(code)
    }
}

/// What makes the remote a peer, where both `here` and `there` are now confirmed. Read before anything changes.
fn paired(bound: &Bound, here: bool, there: bool) -> Result<Option<Effect>, PairingError> {
    if !(here && there) {
        return Ok(None);
    }
    let descriptor = Descriptor::verify(bound.descriptor.0.clone())?;
    Ok(Some(Effect::Paired(Box::new(descriptor))))
}
