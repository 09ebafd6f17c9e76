//! What a steward makes: entries and the sealed copies that travel beside them.

use rand_core::CryptoRng;

use super::{
    Change, Charter, CharterError, Cut, Entry, EpochSecret, Grant, LogStart, Member, Predecessor,
    RemovalReason, RotationReason, SealedSecret, State, Subject, entry::EpochStart,
};
use crate::{
    cbor::Bytes,
    descriptor::Descriptor,
    ids::{CircleId, Hash, NodeId},
    invite::Acceptance,
    keys::{NodeKey, SealPublic},
    sign::{self, Verified},
    time::Timestamp,
};

/// A new head and what goes with it.
#[derive(Debug, Clone)]
pub struct Made {
    /// The signed entry.
    pub entry: Verified<Entry>,
    /// The charter with that entry at its head.
    pub charter: Charter,
    /// The new epoch's secret, where one begins.
    pub secret: Option<EpochSecret>,
    /// Copies of secrets for those whose key was valid. Who is missing is sealed to later.
    pub seals: Vec<SealedSecret>,
}

/// Why a steward cannot make an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StewardError {
    /// This node is not the steward.
    #[error("this node is not the circle's steward")]
    NotSteward,
    /// The entry would not extend the charter.
    #[error(transparent)]
    Charter(#[from] CharterError),
}

/// Founds a circle with this node alone in it; `predecessor` is the one that it continues, if any.
pub fn found(
    subject: Subject,
    predecessor: Option<Predecessor>,
    descriptor: &Verified<Descriptor>,
    key: &NodeKey,
    time: Timestamp,
    rng: &mut impl CryptoRng,
) -> Made {
    let mut founding = Hash([0; 32]);
    rng.fill_bytes(&mut founding.0);
    let secret = EpochSecret::generate(rng);
    let own = key.id();
    let entry = sign::sign(
        Entry {
            version: 1,
            circle: None,
            number: 1,
            previous: None,
            time,
            signer: own,
            change: Change::Found {
                descriptor: Bytes(descriptor.bytes.clone()),
            },
            state: State {
                subject,
                founding,
                steward: own,
                deputies: Vec::new(),
                predecessor: predecessor.map(|old| old.commitment(&founding)),
                members: vec![Member {
                    node: own,
                    since: 1,
                    grant: Grant::Whole,
                }],
                epoch: EpochStart {
                    number: 1,
                    commitment: secret.commitment(None, 1),
                },
                closed: false,
            },
        },
        key,
    );
    let charter = Charter::found(&entry).expect("a founding entry that was just made founds");
    Made {
        entry,
        charter,
        secret: Some(secret),
        seals: Vec::new(),
    }
}

/// What every change after the founding needs.
pub struct Steward<'a, K> {
    /// The charter to extend.
    pub charter: &'a Charter,
    /// The steward's key.
    pub key: &'a NodeKey,
    /// The newest valid receive key of a node, where one is known.
    pub seal_key: K,
    /// Now.
    pub time: Timestamp,
}

impl<K: Fn(&NodeId) -> Option<SealPublic>> Steward<'_, K> {
    pub(super) fn make(
        &self,
        change: Change,
        edit: impl FnOnce(&mut State),
        rng: &mut impl CryptoRng,
    ) -> Result<Made, StewardError> {
        let own = self.key.id();
        if self.charter.state().steward != own {
            return Err(StewardError::NotSteward);
        }
        let number = self.charter.number() + 1;
        let previous = Some(self.charter.head());
        let secret = change.starts_epoch().then(|| EpochSecret::generate(rng));
        let mut state = self.charter.state().clone();
        edit(&mut state);
        if let Some(secret) = &secret {
            state.epoch = EpochStart {
                number,
                commitment: secret.commitment(previous, number),
            };
        }
        let circle: CircleId = self.charter.circle();
        let entry = sign::sign(
            Entry {
                version: 1,
                circle: Some(circle),
                number,
                previous,
                time: self.time,
                signer: own,
                change,
                state,
            },
            self.key,
        );
        let charter = self.charter.extend(&entry)?;
        let mut seals = Vec::new();
        if let Some(secret) = &secret {
            for member in &charter.state().members {
                if member.node != own {
                    seals.extend(self.seal(&charter, number, secret, member.node, rng));
                }
            }
        }
        Ok(Made {
            entry,
            charter,
            secret,
            seals,
        })
    }

    pub(super) fn seal(
        &self,
        charter: &Charter,
        number: u64,
        secret: &EpochSecret,
        recipient: NodeId,
        rng: &mut impl CryptoRng,
    ) -> Option<SealedSecret> {
        let key = (self.seal_key)(&recipient)?;
        charter
            .seal_secret(
                number,
                secret,
                self.key.id(),
                recipient,
                &key,
                self.time.ms(),
                rng,
            )?
            .ok()
    }
}

/// Admits the node that signed `acceptance`, with `grant`; `secrets` are the epochs that this node can open, sealed to the new
/// member as far as they are granted.
///
/// # Errors
/// [`StewardError`].
pub fn admit<K: Fn(&NodeId) -> Option<SealPublic>>(
    steward: &Steward<'_, K>,
    descriptor: &Verified<Descriptor>,
    acceptance: &Verified<Acceptance>,
    grant: Grant,
    starts: Vec<LogStart>,
    secrets: &[(u64, EpochSecret)],
    rng: &mut impl CryptoRng,
) -> Result<Made, StewardError> {
    let node = acceptance.object.node;
    let number = steward.charter.number() + 1;
    let change = Change::Admit {
        node,
        descriptor: Bytes(descriptor.bytes.clone()),
        acceptance: Bytes(acceptance.bytes.clone()),
        grant,
        starts,
    };
    let mut made = steward.make(
        change,
        |state| {
            state.members.push(Member {
                node,
                since: number,
                grant,
            })
        },
        rng,
    )?;
    for (epoch, secret) in secrets {
        let sealed = steward.seal(&made.charter, *epoch, secret, node, rng);
        made.seals.extend(sealed);
    }
    Ok(made)
}

/// Removes `node`; its logs count up to `cuts`.
///
/// # Errors
/// [`StewardError`].
pub fn remove<K: Fn(&NodeId) -> Option<SealPublic>>(
    steward: &Steward<'_, K>,
    node: NodeId,
    reason: RemovalReason,
    cuts: Vec<Cut>,
    rng: &mut impl CryptoRng,
) -> Result<Made, StewardError> {
    steward.make(
        Change::Remove { node, reason, cuts },
        |state| {
            state.members.retain(|member| member.node != node);
            state.deputies.retain(|deputy| *deputy != node);
        },
        rng,
    )
}

/// Starts a new epoch.
///
/// # Errors
/// [`StewardError`].
pub fn rotate<K: Fn(&NodeId) -> Option<SealPublic>>(
    steward: &Steward<'_, K>,
    reason: RotationReason,
    rng: &mut impl CryptoRng,
) -> Result<Made, StewardError> {
    steward.make(Change::Rotate { reason }, |_| {}, rng)
}

/// Closes the circle.
///
/// # Errors
/// [`StewardError`].
pub fn close<K: Fn(&NodeId) -> Option<SealPublic>>(
    steward: &Steward<'_, K>,
    reason: u64,
    rng: &mut impl CryptoRng,
) -> Result<Made, StewardError> {
    steward.make(Change::Close { reason }, |state| state.closed = true, rng)
}

/// Makes another member the steward.
///
/// # Errors
/// [`StewardError`].
pub fn hand_over<K: Fn(&NodeId) -> Option<SealPublic>>(
    steward: &Steward<'_, K>,
    to: NodeId,
    rng: &mut impl CryptoRng,
) -> Result<Made, StewardError> {
    steward.make(
        Change::HandOver { to },
        |state| {
            state.steward = to;
            state.deputies.retain(|deputy| *deputy != to);
        },
        rng,
    )
}

/// Says who the deputies are from now on.
///
/// # Errors
/// [`StewardError`].
pub fn appoint<K: Fn(&NodeId) -> Option<SealPublic>>(
    steward: &Steward<'_, K>,
    deputies: Vec<NodeId>,
    rng: &mut impl CryptoRng,
) -> Result<Made, StewardError> {
    let change = Change::Appoint {
        deputies: deputies.clone(),
    };
    steward.make(change, |state| state.deputies = deputies, rng)
}

/// Opens a closed circle again.
///
/// # Errors
/// [`StewardError`].
pub fn reopen<K: Fn(&NodeId) -> Option<SealPublic>>(
    steward: &Steward<'_, K>,
    reason: u64,
    rng: &mut impl CryptoRng,
) -> Result<Made, StewardError> {
    steward.make(Change::Reopen { reason }, |state| state.closed = false, rng)
}
