//! The durable part of a pairing: what each side stores. What administrators do to it stands in [`super::confirm`].
//!
//! One [`Pending`] for each invitation and side. It is encoded by [`Pending::to_bytes`] and stored under seal, because it
//! holds the secret until that is of no more use.

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use super::{
    End, Invitation, PairingError, Role, Secret, Words,
    invitation::VERSION,
    proof::confirmation_key,
    stage::{Bound, Stage},
};
use crate::{
    cbor::{Bytes, CborError},
    descriptor::Descriptor,
    ids::{Hash, NodeId, PairingId},
    limits,
    sign::Verified,
};

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
    pub(super) secret: Option<Secret<16>>,
    #[n(8)]
    pub(super) stage: Stage,
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
        // As `cbor::decode`, with a buffer that is wiped.
        let pending: Self =
            minicbor::decode(bytes).map_err(|error| CborError::Shape(error.to_string()))?;
        if pending.to_bytes().as_slice() != bytes {
            return Err(CborError::NotDeterministic);
        }
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

    /// The signed descriptor of that node, verified before it came here.
    pub fn descriptor(&self) -> Option<&[u8]> {
        self.bound().map(|bound| bound.descriptor.0.as_slice())
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

    pub(super) fn bound(&self) -> Option<&Bound> {
        match &self.stage {
            Stage::Bound(bound) => Some(bound),
            _ => None,
        }
    }

    pub(super) fn finish(&mut self, end: End) {
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
}
