//! What a verified charter says: who is and was a member, who leads, where logs start and end for whom, which epochs somebody reads.

use rand_core::CryptoRng;

use super::{
    Charter, EpochSecret, Grant, Member, SealedSecret, SecretError, Start, State, epoch::EpochPlace,
};
use crate::{
    ids::{CircleId, EntryHash, Hash, LogId, NodeId, RecordId},
    keys::{SealKey, SealPublic},
    seal::SealError,
};

impl Charter {
    /// The circle.
    pub const fn circle(&self) -> CircleId {
        self.circle
    }

    /// Number of the head, from 1.
    pub const fn number(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Hash of the head.
    pub fn head(&self) -> EntryHash {
        *self
            .hashes
            .last()
            .expect("a charter has its founding entry")
    }

    /// The steward once entry `number` stood.
    pub fn steward_at(&self, number: u64) -> Option<NodeId> {
        let mut known = self.stewards.iter().rev();
        let then = known.find(|(since, _)| *since <= number);
        then.map(|(_, steward)| *steward)
            .filter(|_| number <= self.number())
    }

    /// Hash of the entry with this number.
    pub fn hash_of(&self, number: u64) -> Option<EntryHash> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.hashes.get(index).copied()
    }

    /// What holds at the head.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Whether `node` is a member at the head, has not left, and no other branch of the charter removes it.
    pub fn is_member(&self, node: &NodeId) -> bool {
        self.member(node).is_some()
    }

    /// The member at the head that has not left.
    pub fn member(&self, node: &NodeId) -> Option<&Member> {
        let here = |_: &&Member| !self.has_left(node) && !self.shuns(node);
        self.listed(node).filter(here)
    }

    /// The members at the head that have not left.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let here = |member: &&Member| !self.has_left(&member.node) && !self.shuns(&member.node);
        self.state.members.iter().filter(here)
    }

    /// The member that the head lists, whether it has left or not.
    pub fn listed(&self, node: &NodeId) -> Option<&Member> {
        self.state
            .members
            .iter()
            .find(|member| member.node == *node)
    }

    /// Whether the head or any earlier entry lists `node`.
    pub fn ever_listed(&self, node: &NodeId) -> bool {
        self.terms.contains_key(node)
    }

    /// Every node that the head or any earlier entry lists.
    pub fn ever(&self) -> impl Iterator<Item = &NodeId> {
        self.terms.keys()
    }

    /// Number of the entry that removed `node` last, where it is no member now.
    pub fn removed_by(&self, node: &NodeId) -> Option<u64> {
        let last = self.terms.get(node)?.last()?;
        (last.until != 0).then_some(last.until)
    }

    /// Whether entry `number` lists `node` as a member.
    pub fn was_member(&self, node: &NodeId, number: u64) -> bool {
        self.terms
            .get(node)
            .is_some_and(|terms| terms.iter().any(|term| term.holds(number)))
    }

    /// Number and hash of the entry whose epoch entry `number` fixes.
    pub fn epoch_of(&self, number: u64) -> Option<(u64, EntryHash)> {
        if number > self.number() {
            return None;
        }
        let start = self
            .epochs
            .iter()
            .rev()
            .find(|epoch| epoch.number <= number)?;
        Some((start.number, self.hash_of(start.number)?))
    }

    /// Numbers of the entries that start epochs.
    pub fn epochs(&self) -> impl Iterator<Item = u64> + '_ {
        self.epochs.iter().map(|epoch| epoch.number)
    }

    /// Whether `node`, as a member at the head, may read the epoch that entry `number` starts.
    pub fn is_granted(&self, node: &NodeId, number: u64) -> bool {
        self.member(node).is_some_and(|member| {
            number >= member.since
                || match member.grant {
                    Grant::Whole => true,
                    Grant::From(from) => number >= from,
                    Grant::Nothing => false,
                }
        })
    }

    /// Where `log` starts for `node`, a member at the head.
    pub fn start_for(&self, node: &NodeId, log: &LogId) -> Option<Start> {
        let member = self.member(node)?;
        if member.grant == Grant::Whole || *node == log.node {
            return Some(Start::Sequence(1));
        }
        let named = self
            .starts
            .get(node)
            .and_then(|starts| starts.iter().find(|start| start.log == *log));
        let since = self.inherited.get(node).copied();
        let rest = Start::Entry(since.unwrap_or(member.since));
        Some(named.map_or(rest, |start| Start::Sequence(start.sequence)))
    }

    /// Up to where `log` counts, for a record that names entry `number`, if its node was removed in the term in which that was
    /// written: `Some(None)` means that nothing of it counts.
    pub fn cut_of(&self, log: &LogId, number: u64) -> Option<Option<(u64, RecordId)>> {
        let removals = self.cuts.get(&log.node)?;
        let mut terms = self.terms.get(&log.node)?.iter();
        let term = terms.find(|term| term.holds(number));
        let until = term.map_or(u64::MAX, |term| term.until);
        let lasts = until == 0;
        // What an earlier removal cut stays cut there; a later one says nothing of what was written before the one that ended this term.
        let said = removals.iter().filter(|at| lasts || at.entry <= until);
        let mut cuts = said.flat_map(|at| &at.cuts);
        let named = cuts.find(|cut| cut.incarnation == log.incarnation);
        if named.is_none() && lasts {
            // Readmitted: a new incarnation that no removal has cut.
            return None;
        }
        Some(named.map(|cut| (cut.sequence, cut.id)))
    }

    /// The hashes of the acceptances that entries quote.
    pub fn quoted(&self) -> impl Iterator<Item = &Hash> {
        self.acceptances.iter()
    }

    fn place(&self, number: u64) -> Option<EpochPlace> {
        let start = self.epochs.iter().find(|epoch| epoch.number == number)?;
        Some(EpochPlace {
            circle: self.circle,
            number,
            previous: self.hash_of(number - 1),
            epoch: self.hash_of(number)?,
            commitment: start.commitment,
        })
    }

    /// Seals the secret of the epoch that entry `number` starts to `recipient`.
    ///
    /// # Errors
    /// [`SealError`]. `None` where the recipient is not granted that epoch: nothing is sealed then.
    #[allow(
        clippy::too_many_arguments,
        reason = "a seal names its epoch, both ends and its time"
    )]
    pub fn seal_secret(
        &self,
        number: u64,
        secret: &EpochSecret,
        sealer: NodeId,
        recipient: NodeId,
        key: &SealPublic,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Option<Result<SealedSecret, SealError>> {
        if !self.is_granted(&recipient, number) {
            return None;
        }
        Some(
            self.place(number)?
                .seal(secret, sealer, recipient, key, now_ms, rng),
        )
    }

    /// Opens a sealed copy meant for `own`.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn open_secret(
        &self,
        copy: &SealedSecret,
        own: NodeId,
        keys: &[SealKey],
    ) -> Result<EpochSecret, SecretError> {
        self.place(copy.number)
            .ok_or(SecretError::Misplaced)?
            .open(copy, own, keys)
    }

    /// Whether `secret` is the one that the entry `number` committed to.
    pub fn committed(&self, number: u64, secret: &EpochSecret) -> bool {
        self.place(number)
            .is_some_and(|place| secret.commitment(place.previous, number) == place.commitment)
    }
}
