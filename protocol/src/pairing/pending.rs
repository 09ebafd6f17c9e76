//! The durable part of a pairing: what each side stores, and what its administrator does to it.
//!
//! One [`Pending`] for each invitation and side. It is encoded by [`Pending::to_bytes`] and stored under seal, because it
//! holds the secret until that is of no more use.

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use super::{
    Effect, Invitation, Message, PairingError, RefuseCode, Role, Secret, Words,
    invitation::VERSION,
    proof::{confirmation, confirmation_key, same},
};
use crate::{
    cbor::{self, Bytes, CborError},
    descriptor::Descriptor,
    ids::{Hash, NodeId, PairingId},
    limits,
    sign::Verified,
};

/// How an invitation ended without a pairing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum End {
    /// [`limits::BAD_PROOFS`] wrong proofs.
    #[n(0)]
    BadProofs,
    /// This node's administrator withdrew it before anybody used it.
    #[n(1)]
    Withdrawn,
    /// This node's administrator said that the words differ.
    #[n(2)]
    RejectedHere,
    /// The other node's administrator said so.
    #[n(3)]
    RejectedThere,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BadProofs => "too many wrong proofs",
            Self::Withdrawn => "withdrawn here",
            Self::RejectedHere => "rejected here",
            Self::RejectedThere => "rejected by the other side",
        })
    }
}

/// How far an invitation has come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
enum Stage {
    /// Nobody has proved the secret.
    #[n(0)]
    Offered,
    /// Both nodes have proved the secret to each other.
    #[n(1)]
    Bound(#[n(0)] Bound),
    /// Over, without a pairing.
    #[n(2)]
    Ended(#[n(0)] End),
}

/// Two nodes that have proved the secret to each other, and how far their administrators are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Bound {
    #[n(0)]
    remote: NodeId,
    /// The remote's descriptor, verified before it came here.
    #[n(1)]
    descriptor: Bytes,
    #[n(2)]
    transcript: Hash,
    #[n(3)]
    key: Secret<32>,
    #[n(4)]
    confirmed_here: bool,
    #[n(5)]
    confirmed_there: bool,
    /// The other side holds our confirmation.
    #[n(6)]
    settled: bool,
}

/// One side of one invitation, from its making to its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Pending {
    #[n(0)]
    version: u64,
    #[n(1)]
    role: Role,
    #[n(2)]
    id: PairingId,
    #[n(3)]
    inviter: NodeId,
    #[n(4)]
    addresses: Vec<String>,
    #[n(5)]
    expires_ms: u64,
    #[n(6)]
    bad_proofs: u64,
    #[n(7)]
    secret: Option<Secret<16>>,
    #[n(8)]
    stage: Stage,
}

impl Pending {
    /// The inviter's side of an invitation that its administrator has made.
    pub fn invite(invitation: Invitation) -> Self {
        Self::new(Role::Inviter, invitation)
    }

    /// The accepter's side of an invitation that its administrator, at the node `own`, has pasted.
    ///
    /// # Errors
    /// [`PairingError::Itself`] or [`PairingError::Expired`].
    pub fn accept(invitation: Invitation, own: NodeId, now_ms: u64) -> Result<Self, PairingError> {
        if invitation.inviter == own {
            return Err(PairingError::Itself);
        }
        let pending = Self::new(Role::Accepter, invitation);
        pending.check_open(now_ms)?;
        Ok(pending)
    }

    fn new(role: Role, invitation: Invitation) -> Self {
        Self {
            version: VERSION,
            role,
            id: invitation.id,
            inviter: invitation.inviter,
            addresses: invitation.addresses,
            expires_ms: invitation.expires_ms,
            bad_proofs: 0,
            secret: Some(invitation.secret),
            stage: Stage::Offered,
        }
    }

    /// The stored form. It may hold the secret: wiped when dropped.
    ///
    /// # Panics
    /// Never: writing to memory cannot fail.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Larger than every Pending within the limits, so that no growing buffer leaves a copy of the secret behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limits::PAIRING_MESSAGE));
        minicbor::encode(self, &mut *bytes).expect("writing to memory cannot fail");
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`CborError`] where the bytes are damaged or of a later version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CborError> {
        let pending: Self = cbor::decode(bytes)?;
        if pending.version != VERSION {
            return Err(CborError::Shape(format!(
                "a pairing stored in version {}: update this node",
                pending.version
            )));
        }
        Ok(pending)
    }

    /// Which invitation.
    pub const fn id(&self) -> PairingId {
        self.id
    }

    /// This node's side.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The node that made the invitation.
    pub const fn inviter(&self) -> NodeId {
        self.inviter
    }

    /// Where the accepter dials.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Unix milliseconds. Until the first valid proof, the invitation's; from then on, the administrators' time to confirm.
    pub const fn expires_ms(&self) -> u64 {
        self.expires_ms
    }

    /// How many wrong proofs there were.
    pub const fn bad_proofs(&self) -> u64 {
        self.bad_proofs
    }

    /// The node to which the invitation is bound, once it is.
    pub fn remote(&self) -> Option<NodeId> {
        self.bound().map(|bound| bound.remote)
    }

    /// The words to compare, once the nodes have met.
    pub fn words(&self) -> Option<Words> {
        self.bound().map(|bound| Words::of(&bound.transcript))
    }

    /// Whether this node's administrator has confirmed.
    pub fn confirmed_here(&self) -> bool {
        self.bound().is_some_and(|bound| bound.confirmed_here)
    }

    /// Whether the other node's administrator has confirmed.
    pub fn confirmed_there(&self) -> bool {
        self.bound().is_some_and(|bound| bound.confirmed_there)
    }

    /// Whether the two nodes are peers: both administrators have confirmed.
    pub fn is_paired(&self) -> bool {
        self.confirmed_here() && self.confirmed_there()
    }

    /// Whether the other side is known to hold our confirmation. Until then, the accepter dials again from time to time.
    pub fn is_settled(&self) -> bool {
        self.bound().is_some_and(|bound| bound.settled)
    }

    /// Why it ended without a pairing, where it did.
    pub const fn end(&self) -> Option<End> {
        match self.stage {
            Stage::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// Whether it may be deleted: its time is over and nobody waits for anything that it holds.
    pub fn is_over(&self, now_ms: u64) -> bool {
        now_ms >= self.expires_ms && (!self.is_paired() || self.is_settled())
    }

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
        bound.confirmed_here = true;
        let mut effects = vec![Effect::Store];
        if self.is_paired() {
            effects.push(self.paired()?);
        }
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
        let code = RefuseCode::Rejected;
        self.finish(end);
        Ok(vec![
            Effect::Store,
            Effect::Send(Message::Refuse { code }),
            Effect::Failed(PairingError::Ended(end)),
        ])
    }

    fn bound(&self) -> Option<&Bound> {
        match &self.stage {
            Stage::Bound(bound) => Some(bound),
            _ => None,
        }
    }

    fn finish(&mut self, end: End) {
        self.stage = Stage::Ended(end);
        self.secret = None;
    }

    /// Ended and expired invitations are refused; what both have confirmed does not expire.
    pub(super) fn check_open(&self, now_ms: u64) -> Result<(), PairingError> {
        if let Stage::Ended(end) = self.stage {
            return Err(PairingError::Ended(end));
        }
        if now_ms >= self.expires_ms && !self.is_paired() {
            return Err(PairingError::Expired);
        }
        Ok(())
    }

    /// As [`Self::check_open`], and bound to nobody but `remote`.
    pub(super) fn check_open_to(&self, remote: NodeId, now_ms: u64) -> Result<(), PairingError> {
        self.check_open(now_ms)?;
        match self.bound() {
            Some(bound) if bound.remote != remote => Err(PairingError::Taken),
            _ => Ok(()),
        }
    }

    /// The exchange that only waits for confirmations.
    pub(super) fn transcript(&self) -> Option<Hash> {
        self.bound().map(|bound| bound.transcript)
    }

    /// The secret, where a full exchange is still possible.
    pub(super) fn secret(&self) -> Result<&Secret<16>, PairingError> {
        self.secret.as_ref().ok_or(PairingError::Taken)
    }

    /// Counts a wrong proof; the last one ends the invitation.
    pub(super) fn count_bad_proof(&mut self) -> PairingError {
        self.bad_proofs = self.bad_proofs.saturating_add(1);
        let left = limits::BAD_PROOFS.saturating_sub(self.bad_proofs);
        if left == 0 {
            self.finish(End::BadProofs);
        }
        PairingError::Proof { left }
    }

    /// Both proofs of this exchange were right.
    pub(super) fn bind(
        &mut self,
        remote: &Verified<Descriptor>,
        transcript: Hash,
        now_ms: u64,
    ) -> Result<(), PairingError> {
        let key = confirmation_key(self.secret()?, transcript);
        if self.role == Role::Accepter {
            // The inviter stored its side before it sent its proof: no second exchange can be needed.
            self.secret = None;
        }
        self.expires_ms = self
            .expires_ms
            .max(now_ms.saturating_add(limits::CONFIRMATION_LIFE_MS));
        self.stage = Stage::Bound(Bound {
            remote: remote.object.node,
            descriptor: Bytes(remote.bytes.clone()),
            transcript,
            key,
            confirmed_here: false,
            confirmed_there: false,
            settled: false,
        });
        Ok(())
    }

    /// Our confirmation, once there is one.
    pub(super) fn confirm_message(&self) -> Option<Message> {
        let bound = self.bound().filter(|bound| bound.confirmed_here)?;
        let seen = bound.confirmed_there;
        Some(Message::Confirm {
            seen,
            mac: confirmation(&bound.key, self.role, bound.transcript, seen),
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
        mac: &minicbor::bytes::ByteArray<32>,
        now_ms: u64,
    ) -> Result<Vec<Effect>, PairingError> {
        self.check_open(now_ms)?;
        let theirs = self.role.other();
        let Stage::Bound(bound) = &mut self.stage else {
            return Err(PairingError::NotBound);
        };
        let expected = confirmation(&bound.key, theirs, bound.transcript, seen);
        if !same(&expected, mac) || (seen && !bound.confirmed_here) {
            return Err(PairingError::Confirmation);
        }
        let first = !bound.confirmed_there;
        let settles = seen && !bound.settled;
        bound.confirmed_there = true;
        bound.settled |= seen;
        // The other side holds this exchange: it needs no other one.
        self.secret = None;
        let mut effects = Vec::new();
        if first || settles {
            effects.push(Effect::Store);
        }
        if first && self.is_paired() {
            effects.push(self.paired()?);
        }
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

    /// The descriptor with which the daemon makes the remote a peer.
    fn paired(&self) -> Result<Effect, PairingError> {
        let bound = self.bound().ok_or(PairingError::NotBound)?;
        let descriptor = Descriptor::verify(bound.descriptor.0.clone())?;
        Ok(Effect::Paired(Box::new(descriptor)))
    }
}
