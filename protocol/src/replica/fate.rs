//! What is known of a node's identity beside its descriptor: its recovery key's statements, its revocation, what a person said about them.
//!
//! A statement is taken from whoever brings it, because it proves itself; only whether the new identity itself has brought it is noted, because
//! that is its consent. Of a node of which nothing is known here nothing is kept.

use minicbor::{Decode, Encode};

use super::{ArriveError, Notice, Replica, Row, RowPrefix, Rows, StorageError, rows::read};
use crate::{
    cbor::{self, Bytes},
    charter::{Charter, Entry},
    descriptor::Descriptor,
    identity::{Identity, Replacement, ReplacementError, Revocation, recovery_hash},
    ids::{Hash, NodeId},
    limits,
    sign::{Unverified, Verified},
    sync::{Change, Message, News},
};

/// Statements that contradict the one that stays: as many are kept as evidence.
const OTHERS: usize = 4;

/// What is known of one identity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Fate {
    /// The identity.
    #[n(0)]
    pub node: NodeId,
    /// SHA-256 of the recovery public key that rules it now.
    #[n(1)]
    pub recovery: Hash,
    /// Counter of the last statement that changed the recovery key; 0: none did.
    #[n(2)]
    pub counter: u64,
    /// The statements that changed the recovery key, in order: signed bytes.
    #[n(3)]
    pub rotations: Vec<Bytes>,
    /// The first statement that names another identity: signed bytes.
    #[n(4)]
    pub replaced: Option<Bytes>,
    /// Later statements of the same recovery key that say something else: signed bytes, a few of them.
    #[n(5)]
    pub others: Vec<Bytes>,
    /// The word of the identity itself that it is used no more: signed bytes.
    #[n(6)]
    pub revoked: Option<Bytes>,
    /// The new identity has brought the statement itself.
    #[n(7)]
    pub presented: bool,
    /// When this node's administrator said that it is the same structure, Unix milliseconds; 0: not yet.
    #[n(8)]
    pub confirmed_ms: u64,
}

impl Fate {
    pub(super) fn of(identity: Identity) -> Self {
        Self {
            node: identity.node,
            recovery: identity.recovery,
            counter: identity.counter,
            rotations: Vec::new(),
            replaced: None,
            others: Vec::new(),
            revoked: None,
            presented: false,
            confirmed_ms: 0,
        }
    }

    /// The identity, with the recovery key that rules it.
    pub const fn identity(&self) -> Identity {
        Identity {
            node: self.node,
            recovery: self.recovery,
            counter: self.counter,
        }
    }

    /// The identity that is to stand in its place, by the first statement.
    pub fn replaced_by(&self) -> Option<NodeId> {
        let statement = stored(self.replaced.as_ref()?).ok()?;
        statement.object.new
    }

    /// Whether the identity is not spoken to any more: by its own word, or because a person has said that another one stands in its place.
    pub const fn is_refused(&self) -> bool {
        self.revoked.is_some() || self.confirmed_ms != 0
    }

    /// What others are told of it.
    pub(super) fn messages(self) -> impl Iterator<Item = Message> {
        let statements = self.rotations.into_iter().chain(self.replaced);
        let revoked = self.revoked.into_iter().map(Message::Revocation);
        statements.map(Message::Replacement).chain(revoked)
    }
}

pub(super) fn stored(bytes: &Bytes) -> Result<Verified<Replacement>, StorageError> {
    Ok(Unverified::parse(bytes.0.clone())
        .map_err(|_| StorageError::damaged("replacement"))?
        .trust_stored())
}

/// A charter that was kept before recovery keys were looked at learns them from its entries.
pub(super) fn recall_recoveries(
    rows: &impl Rows,
    charter: &mut Charter,
) -> Result<(), StorageError> {
    if charter.lacks_recoveries() {
        let entries = rows.scan(&RowPrefix::Entries(charter.circle(), 0))?;
        let entries = entries
            .into_iter()
            .filter_map(|bytes| Some(Unverified::<Entry>::parse(bytes).ok()?.object));
        charter.recall_recoveries(entries);
    }
    Ok(())
}

impl Replica {
    /// What is known of an identity, staged or committed.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn fate(&self, rows: &impl Rows, node: &NodeId) -> Result<Option<Fate>, StorageError> {
        self.read_row(rows, &Row::Fate(*node))
    }

    /// All identities of which something is known.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn fates(rows: &impl Rows) -> Result<Vec<Fate>, StorageError> {
        let rows = rows.scan(&RowPrefix::Fates)?;
        rows.iter().map(|bytes| read(bytes)).collect()
    }

    /// Whether nothing is done with a node any more: its identity was revoked, or replaced by a person's word.
    pub(super) fn is_refused(&self, rows: &impl Rows, node: &NodeId) -> Result<bool, StorageError> {
        Ok(self.fate(rows, node)?.is_some_and(|fate| fate.is_refused()))
    }

    pub(super) fn put_fate(&mut self, fate: &Fate) {
        self.stage(Row::Fate(fate.node), cbor::encode(fate));
        self.published.news.push(News {
            circle: None,
            change: Change::Identity(fate.node),
            from: None,
        });
    }

    /// What is known of a node, or what its descriptor says, or what the statement says by which it stands in another one's place.
    pub(super) fn known_fate(
        &self,
        rows: &impl Rows,
        node: &NodeId,
    ) -> Result<Option<Fate>, StorageError> {
        if let Some(fate) = self.fate(rows, node)? {
            return Ok(Some(fate));
        }
        if let Some(descriptor) = self.descriptor_of(rows, node)? {
            return Ok(Some(Fate::of(Identity::of(&descriptor.object))));
        }
        for bytes in self.over(rows).scan(&RowPrefix::Fates)? {
            let before: Fate = read(&bytes)?;
            let Some(statement) = &before.replaced else {
                continue;
            };
            let after = before.identity().after(&stored(statement)?);
            if let Ok(after) = after.map(Fate::of)
                && after.node == *node
            {
                return Ok(Some(after));
            }
        }
        Ok(None)
    }

    /// Whether a newer descriptor may stand: not of an identity that was revoked, and not with a recovery key that the one before did not name.
    pub(super) fn may_describe(
        &self,
        rows: &impl Rows,
        descriptor: &Verified<Descriptor>,
    ) -> Result<(), ArriveError> {
        let said = &descriptor.object;
        let fate = self.fate(rows, &said.node)?;
        if fate.as_ref().is_some_and(|fate| fate.revoked.is_some()) {
            return Err(ArriveError::Revoked);
        }
        let held = self.descriptor_of(rows, &said.node)?;
        let held = held.map(|held| held.object.recovery);
        let ruled = fate.map(|fate| fate.recovery);
        // Whoever has not heard of its own new recovery key yet still names the one before.
        let names_it = [held, ruled].contains(&Some(said.recovery));
        if names_it || (held.is_none() && ruled.is_none()) {
            return Ok(());
        }
        Err(ArriveError::OtherRecovery)
    }

    /// Takes a recovery key's statement, verified, from `peer`. One about a node of which nothing is known here is passed over.
    ///
    /// # Errors
    /// [`ArriveError::Replacement`] where the statement does not follow from what stands.
    pub fn take_replacement(
        &mut self,
        rows: &impl Rows,
        peer: Option<NodeId>,
        statement: &Verified<Replacement>,
    ) -> Result<(), ArriveError> {
        let said = &statement.object;
        let bytes = Bytes(statement.bytes.clone());
        let Some(mut fate) = self.known_fate(rows, &said.old)? else {
            return Ok(());
        };
        if fate.rotations.contains(&bytes) || fate.others.contains(&bytes) {
            return Ok(());
        }
        let brings_it = said.new.is_some() && said.new == peer;
        if fate.replaced.as_ref() == Some(&bytes) {
            if brings_it && !fate.presented {
                fate.presented = true;
                self.put_fate(&fate);
            }
            return Ok(());
        }
        let after = match fate.identity().after(statement) {
            // Whoever met the node later has its descriptor, which names what came of that: no offence, and kept as the way there.
            Err(_) if said.new.is_none() => return self.keep_way(fate, peer, statement),
            after => after?,
        };
        match (said.new, &fate.replaced) {
            (_, Some(_)) => {
                if fate.others.len() >= OTHERS {
                    return Ok(());
                }
                fate.others.push(bytes);
                self.published.notices.push(Notice::Contested(fate.node));
            }
            (Some(new), None) => {
                self.fits_descriptor(rows, &after)?;
                fate.replaced = Some(bytes);
                fate.presented = brings_it;
                let old = fate.node;
                self.published.notices.push(Notice::Replacing { old, new });
            }
            (None, None) => {
                limits::within(
                    "the statements of a replacement",
                    fate.rotations.len() as u64 + 1,
                    limits::REPLACEMENTS as u64,
                )
                .map_err(ReplacementError::from)?;
                fate.recovery = after.recovery;
                fate.counter = after.counter;
                fate.rotations.push(bytes);
            }
        }
        self.put_fate(&fate);
        Ok(())
    }

    /// Keeps an earlier change of the recovery key, if the node itself brings it and it leads to what is known. It proves nothing by itself, and
    /// nothing is counted from it: whoever knows where the way begins can go it.
    fn keep_way(
        &mut self,
        mut fate: Fate,
        peer: Option<NodeId>,
        statement: &Verified<Replacement>,
    ) -> Result<(), ArriveError> {
        let begins = match fate.rotations.first() {
            Some(first) => recovery_hash(&stored(first)?.object.recovery),
            None => fate.recovery,
        };
        let room = fate.rotations.len() < limits::REPLACEMENTS;
        if room && peer == Some(fate.node) && statement.object.next == begins {
            fate.rotations.insert(0, Bytes(statement.bytes.clone()));
            self.put_fate(&fate);
        }
        Ok(())
    }

    /// A new identity whose descriptor is here names the recovery key that the statement says, or one that followed.
    fn fits_descriptor(&self, rows: &impl Rows, after: &Identity) -> Result<(), ArriveError> {
        let Some(descriptor) = self.descriptor_of(rows, &after.node)? else {
            return Ok(());
        };
        let fate = self.fate(rows, &after.node)?;
        let mut at = after.recovery;
        for word in fate.iter().flat_map(|fate| &fate.rotations) {
            let said = stored(word)?.object;
            if recovery_hash(&said.recovery) == at {
                at = said.next;
            }
        }
        // It may not have heard of its own newest key yet.
        let named = descriptor.object.recovery;
        match named == at || named == after.recovery {
            true => Ok(()),
            false => Err(ArriveError::OtherRecovery),
        }
    }

    /// The statements that a charter entry quotes, which were checked against its charter: those that say nothing new, or that contradict what
    /// stands here, change nothing.
    pub(super) fn take_quoted_statements(
        &mut self,
        rows: &impl Rows,
        statements: &[Bytes],
    ) -> Result<(), StorageError> {
        for statement in statements {
            let Ok(statement) = Replacement::verify(statement.0.clone()) else {
                continue;
            };
            if let Err(ArriveError::Storage(error)) = self.take_replacement(rows, None, &statement)
            {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes a node's word that its identity is used no more, verified. Of a node of which nothing is known here nothing is kept.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn take_revocation(
        &mut self,
        rows: &impl Rows,
        revocation: &Verified<Revocation>,
    ) -> Result<(), StorageError> {
        let Some(mut fate) = self.known_fate(rows, &revocation.object.node)? else {
            return Ok(());
        };
        if fate.revoked.is_none() {
            fate.revoked = Some(Bytes(revocation.bytes.clone()));
            self.put_fate(&fate);
            self.published.notices.push(Notice::Revoked(fate.node));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::{
        charter::Subject,
        descriptor::StructureKind,
        keys::{NodeKey, SealKey},
        replica::{Keys, Memory},
        sign::sign,
    };

    #[test]
    fn a_charter_that_was_kept_before_recovery_keys_were_looked_at_learns_them_from_its_entries() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let keys = Keys {
            node: NodeKey::generate(&mut rng),
            seals: vec![SealKey::generate(2_000_000_000_000, &mut rng)],
        };
        let descriptor = Descriptor {
            version: 1,
            node: keys.node.id(),
            counter: 1,
            name: "DAC".to_owned(),
            kind: StructureKind::Dac,
            finess: String::new(),
            territory: String::new(),
            addresses: Vec::new(),
            suite: crate::seal::SUITE.to_owned(),
            seal: keys.seals[0].public().clone(),
            protocols: (1, 1),
            administrator: String::new(),
            dpo: String::new(),
            recovery: Hash([7; 32]),
        };
        let descriptor = sign(descriptor, &keys.node);
        let mut rows = Memory::default();
        let mut replica =
            Replica::load(&rows, keys.clone(), descriptor.clone(), &mut rng).expect("empty rows");
        let circle = replica.found(Subject::Community, 1, &mut rng);
        let known = replica.circle(&circle).map(|held| held.charter.clone());
        let known = known.expect("founded");
        // As it was written by the version before: the first ten fields.
        let new = cbor::encode(&*known);
        let mut decoder = minicbor::Decoder::new(&new);
        decoder.array().expect("an array");
        let begin = decoder.position();
        for _ in 0..10 {
            decoder.skip().expect("a field");
        }
        let old = [&[0x8a], &new[begin..decoder.position()]].concat();
        replica.stage(Row::Charter(circle), old);
        rows.commit(replica.staged());
        let again = Replica::load(&rows, keys.clone(), descriptor, &mut rng).expect("old rows");
        let read = again.circle(&circle).expect("kept");
        assert_eq!(read.charter, known);
        let identity = read.charter.identity_of(&keys.node.id());
        assert_eq!(identity.map(|known| known.recovery), Some(Hash([7; 32])));
    }
}
