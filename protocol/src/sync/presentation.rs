//! What a stranger may say: the end of a charter that makes it a fellow member.
//!
//! A steward admits a node and is gone before another member has heard of it. The new member knows that other one from the charter and dials it;
//! there it is a stranger still. It may present the end of the charter, 64 entries at most, of which the last lists it. It gets no answer, whatever
//! becomes of it: so nobody learns whether a circle is known. Where the entries extend the head that is committed there, and every signature
//! is right, they are committed ([`Replica::take_presented`](crate::replica::Replica::take_presented)), and it is a stranger no more.
//!
//! Beside the entries it gives the copies, sealed to that member, of the secrets of epochs that they start: without the newest one the other could not
//! write until somebody else brings it. Nothing more is said, no record and no descriptor beside those that the entries quote.

use minicbor::{Decode, Encode};

use super::View;
use crate::{
    cbor::{self, Bytes, CborError},
    charter::{Entry, SealedSecret},
    circle::Circle,
    ids::{CircleId, EntryHash, NodeId},
    limits::{self, LimitError},
    sign::{SignError, Unverified, Verified},
};

/// What CBOR puts around a list of entries, and around each, at most.
const ENVELOPE: usize = 8;

/// The last entries of a circle's charter, as they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Presentation {
    /// COSE_Sign1 bytes, in order; the first names the entry that it follows, by its hash.
    #[n(0)]
    pub entries: Vec<Bytes>,
    /// Copies for the receiver of the secrets of the epochs that they start.
    #[n(1)]
    pub seals: Vec<SealedSecret>,
}

/// Entries that extend a head which is held here, with signatures that are right.
#[derive(Debug)]
pub struct Presented {
    pub(crate) circle: CircleId,
    pub(crate) entries: Vec<Verified<Entry>>,
    pub(crate) seals: Vec<SealedSecret>,
}

/// Why what a stranger presented is passed over. Nobody is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresentationError {
    /// Too much.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Not what it should be.
    #[error("what a stranger presented has no such form: {0}")]
    Form(#[from] CborError),
    /// An entry.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Of no circle that is here, or not the continuation of its charter.
    #[error("a stranger presented entries that continue no charter of this node's")]
    Elsewhere,
    /// It would be a stranger still.
    #[error("a stranger presented entries that do not list it")]
    NotListed,
}

impl Presentation {
    /// What this node presents to `peer`, that may not know yet that they share a circle: of those in which this node came after it, another one in
    /// each `turn`. Nothing where there is none.
    pub fn of(view: &impl View, peer: &NodeId, turn: usize) -> Option<Self> {
        let own = view.own();
        let came_after = |circle: &Circle| {
            let since = |node| circle.charter.member(node).map(|member| member.since);
            matches!((since(&own), since(peer)), (Some(own), Some(peer)) if own > peer)
        };
        let circles = view.changed_since(peer, 0).into_iter();
        let circles = circles.filter_map(|circle| view.circle(&circle));
        let circles: Vec<_> = circles.filter(|circle| came_after(circle)).collect();
        let circle = circles.get(turn.checked_rem(circles.len())?)?;
        let head = circle.charter.number();
        let after = head.saturating_sub(limits::PRESENTED);
        let all = view.entries(&circle.id(), after, head, usize::MAX);
        if all.len() as u64 != head - after {
            return None;
        }
        let granted = |epoch: &u64| *epoch > after && circle.charter.is_granted(peer, *epoch);
        let epochs = circle.charter.epochs().filter(granted).collect();
        let seals = view.seals(&circle.id(), peer, &epochs);
        // Where they are long the newest count.
        let mut bytes = 2 * ENVELOPE + cbor::encode(&seals).len();
        let fits = all.iter().rev().take_while(|entry| {
            bytes += ENVELOPE + entry.0.len();
            bytes <= limits::PRESENTATION
        });
        let entries = all[all.len() - fits.count()..].to_vec();
        (!entries.is_empty()).then_some(Self { entries, seals })
    }

    /// The frame's content.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads a frame's content.
    ///
    /// # Errors
    /// [`PresentationError::Limit`], [`PresentationError::Form`].
    pub fn decode(frame: &[u8]) -> Result<Self, PresentationError> {
        let (found, limit) = (frame.len() as u64, limits::PRESENTATION as u64);
        limits::within("a presentation in bytes", found, limit)?;
        let presentation: Self = cbor::decode(frame)?;
        let (entries, seals) = (&presentation.entries, &presentation.seals);
        let count = entries.len().max(seals.len()) as u64;
        limits::within("the entries of a presentation", count, limits::PRESENTED)?;
        Ok(presentation)
    }

    /// Looks at what `stranger` presented: what is cheap first, and signatures only where the charter is held here.
    ///
    /// # Errors
    /// [`PresentationError`].
    pub fn check(
        self,
        view: &impl View,
        stranger: &NodeId,
    ) -> Result<Presented, PresentationError> {
        let parsed = self.entries.into_iter();
        let parsed = parsed.map(|entry| Unverified::<Entry>::parse(entry.0));
        let mut entries = parsed.collect::<Result<Vec<_>, _>>()?;
        let elsewhere = PresentationError::Elsewhere;
        let number = |entry: &Unverified<Entry>| entry.object.number;
        let mut pairs = entries.windows(2);
        if !pairs.all(|pair| Some(number(&pair[1])) == number(&pair[0]).checked_add(1)) {
            return Err(elsewhere);
        }
        let named = entries.last().and_then(|last| last.object.circle);
        let Some(circle) = named.and_then(|circle| view.circle(&circle)) else {
            return Err(elsewhere);
        };
        let charter = &circle.charter;
        let head = charter.head();
        let next = |entry: &Unverified<Entry>| entry.object.previous == Some(head);
        let Some(at) = entries.iter().position(next) else {
            return Err(elsewhere);
        };
        let entries = entries.split_off(at);
        if !charter.is_member(&view.own()) {
            return Err(elsewhere);
        }
        let last = entries.last().map(|last| &last.object.state);
        let lists = last.is_some_and(|state| state.members.iter().any(|one| one.node == *stranger));
        if !lists || view.refuses(stranger) {
            return Err(PresentationError::NotListed);
        }
        let entries = entries.into_iter().map(Unverified::verify);
        Ok(Presented {
            circle: circle.id(),
            entries: entries.collect::<Result<_, _>>()?,
            seals: self.seals,
        })
    }
}

impl Presented {
    /// The head after the last of them.
    pub fn head(&self) -> Option<EntryHash> {
        self.entries.last().map(|last| EntryHash(last.id))
    }
}
