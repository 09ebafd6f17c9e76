//! Invitations to a circle, and acceptances.
//!
//! An invitation travels outside the charter and says the least that lets the other side decide: who asks, a coded reason, and,
//! sealed to that node, the patient's identity for matching. It does not name the circle: a circle is named only to a node that the charter
//! lists. The one that it continues, if any, it does name to a member of that. Accepting is a person's act. The acceptance is signed, and the entry that admits the node quotes it. Silence, refusal and "no such
//! patient" look alike: nothing is sent.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::{
    cbor::{self, CborError},
    charter::{Predecessor, Subject},
    content::PatientIdentity,
    ids::{Hash, InvitationId, KeyId, NodeId, Token},
    keys::{NodeKey, SealKey, SealPublic},
    limits::{self, LimitError},
    seal::{self, SealContext, SealError, Sealed},
    sign::{self, SignError, Signed, Unverified, Verified},
};

/// Bytes of a signed invitation.
const INVITATION_BYTES: usize = 32 << 10;

/// Why a structure is invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum InvitationReason {
    /// Takes part in the person's care.
    #[n(0)]
    CareTeam,
    /// Supports the coordination of a complex situation.
    #[n(1)]
    Coordination,
    /// A stay: admission, discharge, return home.
    #[n(2)]
    Stay,
    /// Joins a community of professionals.
    #[n(3)]
    Community,
    /// Goes on in a circle that continues one in which it is: the steward was lost, or the charter forked.
    #[n(4)]
    Successor,
}

/// An invitation, signed by the circle's steward.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Invitation {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// Who asks.
    #[n(1)]
    pub from: NodeId,
    /// Who is asked.
    #[n(2)]
    pub to: NodeId,
    /// Random: makes each invitation its own.
    #[n(3)]
    pub nonce: Token,
    /// Patient or community.
    #[n(4)]
    pub subject: Subject,
    /// Why.
    #[n(5)]
    pub reason: InvitationReason,
    /// Receive key of the asked node that `identity` is sealed to.
    #[n(6)]
    pub key: KeyId,
    /// [`PatientIdentity`], or an empty array for a community, sealed.
    #[n(7)]
    pub identity: Sealed,
    /// The circle that the other one continues, where the asked node is a member of it too: the only circle that an invitation names.
    #[n(8)]
    pub continues: Option<Predecessor>,
    /// Not valid at or after this moment, Unix milliseconds.
    #[n(9)]
    pub expires_ms: u64,
}

impl Signed for Invitation {
    const DOMAIN: &'static str = "invitation";
    fn signer(&self) -> NodeId {
        self.from
    }
}

/// The asked node's agreement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Acceptance {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// Which invitation.
    #[n(1)]
    pub invitation: InvitationId,
    /// Who accepts.
    #[n(2)]
    pub node: NodeId,
    /// Who had asked.
    #[n(3)]
    pub to: NodeId,
    /// When, Unix milliseconds.
    #[n(4)]
    pub accepted_ms: u64,
    /// Hash of the descriptor that the accepting node had then.
    #[n(5)]
    pub descriptor: Hash,
}

impl Signed for Acceptance {
    const DOMAIN: &'static str = "acceptance";
    fn signer(&self) -> NodeId {
        self.node
    }
}

/// Why an invitation or an acceptance is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// Form or signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Written by a later version of the protocol.
    #[error("written in version {0}, this node reads version 1: update this node")]
    Version(u64),
    /// For another node.
    #[error("the invitation is for another node")]
    Addressee,
    /// Over its date.
    #[error("the invitation has expired: ask for a new one")]
    Expired,
    /// Longer valid than allowed.
    #[error("the invitation is valid for longer than seven days")]
    Life,
    /// The identity does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The identity is none.
    #[error("the sealed identity cannot be read: {0}")]
    Identity(CborError),
}

fn context(from: NodeId, to: NodeId, key: KeyId, nonce: Token) -> SealContext {
    SealContext {
        purpose: format!("invitation {nonce}"),
        circle: None,
        number: 0,
        previous: None,
        epoch: None,
        sealer: from,
        recipient: to,
        key,
    }
}

impl Invitation {
    /// Makes a signed invitation for the node `to` whose receive key is `recipient`.
    ///
    /// # Errors
    /// [`InviteError::Seal`] where that key has expired or is none.
    #[allow(clippy::too_many_arguments)]
    pub fn make(
        to: NodeId,
        recipient: &SealPublic,
        subject: Subject,
        reason: InvitationReason,
        identity: Option<&PatientIdentity>,
        continues: Option<Predecessor>,
        key: &NodeKey,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Verified<Self>, InviteError> {
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let nonce = Token(nonce);
        let plain = zeroize::Zeroizing::new(match identity {
            Some(identity) => cbor::encode(identity),
            None => cbor::encode(&Vec::<u64>::new()),
        });
        let sealed = seal::seal(
            &plain,
            recipient,
            &context(key.id(), to, recipient.id, nonce),
            now_ms,
            rng,
        )?;
        Ok(sign::sign(
            Self {
                version: 1,
                from: key.id(),
                to,
                nonce,
                subject,
                reason,
                key: recipient.id,
                identity: sealed,
                continues,
                expires_ms: now_ms + limits::INVITATION_LIFE_MS,
            },
            key,
        ))
    }

    /// Reads and verifies an invitation for `own`.
    ///
    /// # Errors
    /// [`InviteError`].
    pub fn verify(bytes: Vec<u8>, own: NodeId, now_ms: u64) -> Result<Verified<Self>, InviteError> {
        limits::within(
            "an invitation in bytes",
            bytes.len() as u64,
            INVITATION_BYTES as u64,
        )?;
        let parsed = Unverified::<Self>::parse(bytes)?;
        let Self {
            version,
            to,
            expires_ms,
            ..
        } = parsed.object;
        if version != 1 {
            return Err(InviteError::Version(version));
        }
        if to != own {
            return Err(InviteError::Addressee);
        }
        if expires_ms <= now_ms {
            return Err(InviteError::Expired);
        }
        if expires_ms > now_ms + limits::INVITATION_LIFE_MS + limits::CLOCK_GRACE_MS {
            return Err(InviteError::Life);
        }
        Ok(parsed.verify()?)
    }

    /// Opens the identity for matching; `None` for a community.
    ///
    /// # Errors
    /// [`InviteError::Seal`] or [`InviteError::Identity`].
    pub fn identity(&self, keys: &[SealKey]) -> Result<Option<PatientIdentity>, InviteError> {
        let plain = seal::open(
            &self.identity,
            keys,
            &context(self.from, self.to, self.key, self.nonce),
        )?;
        match self.subject {
            Subject::Community => Ok(None),
            Subject::Patient => cbor::decode(&plain)
                .map(Some)
                .map_err(InviteError::Identity),
        }
    }
}

impl Acceptance {
    /// Accepts `invitation`.
    pub fn make(
        invitation: &Verified<Invitation>,
        descriptor: Hash,
        key: &NodeKey,
        now_ms: u64,
    ) -> Verified<Self> {
        sign::sign(
            Self {
                version: 1,
                invitation: InvitationId(invitation.id),
                node: key.id(),
                to: invitation.object.from,
                accepted_ms: now_ms,
                descriptor,
            },
            key,
        )
    }

    /// Reads and verifies.
    ///
    /// # Errors
    /// [`InviteError`].
    pub fn verify(bytes: Vec<u8>) -> Result<Verified<Self>, InviteError> {
        limits::within("an acceptance in bytes", bytes.len() as u64, 1024)?;
        let parsed = Unverified::<Self>::parse(bytes)?;
        if parsed.object.version != 1 {
            return Err(InviteError::Version(parsed.object.version));
        }
        Ok(parsed.verify()?)
    }
}
