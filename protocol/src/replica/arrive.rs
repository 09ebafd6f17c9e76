//! What peers send, verified by the driver, taken into what is committed.

use rand_core::CryptoRng;

use super::{
    Notice, Replica, Row, RowPrefix, Rows, StorageError, Written,
    erasure::{about, erasures_of, tells_of_missing},
    project::read_record,
    rows::read,
};
use crate::{
    attachment::AttachmentError,
    cbor,
    charter::{Entry, SealedSecret},
    circle::{self, Ack, Circle, Evidence, IngestError, Reason},
    descriptor::{Descriptor, DescriptorOrder, order},
    identity::ReplacementError,
    ids::{CircleId, EntryHash, Hash, Incarnation, InvitationId, NodeId, ThingId},
    record::Record,
    sign::Verified,
    sync::{Change, News, Outcome},
};
use std::{collections::BTreeSet, sync::Arc};

/// Time over which incarnations are counted, milliseconds.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// Why something that a peer sent is refused. Nothing is staged then.
#[derive(Debug, thiserror::Error)]
pub enum ArriveError {
    /// The circle is not here, or the peer is no member of it.
    #[error("the peer sent something of a circle that is not shared with it")]
    NotShared,
    /// The charter.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// An older descriptor than the one held.
    #[error(
        "the descriptor is older than the one held: the peer was restored from a backup, or somebody replays"
    )]
    OlderDescriptor,
    /// Chunks of a file that may not be.
    #[error(transparent)]
    Attachment(#[from] AttachmentError),
    /// The same counter with other content.
    #[error("the node has signed two different descriptors with one counter")]
    DescriptorConflict,
    /// Another recovery key than the one that stands, without its word.
    #[error(
        "the descriptor names another recovery key, and the one before has not said so: the node's key may be in other hands"
    )]
    OtherRecovery,
    /// By an identity that is used no more.
    #[error("the node's identity was revoked: nothing that it says of itself counts any more")]
    Revoked,
    /// A recovery key's statement.
    #[error(transparent)]
    Replacement(#[from] ReplacementError),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What this node did by itself because of what came.
#[derive(Debug, Default)]
pub struct ByItself {
    /// What it wrote again.
    pub renewed: Vec<Written>,
    /// The invitations that it accepted.
    pub accepted: Vec<InvitationId>,
    /// Those whom it removed as the steward, because they had left.
    pub removed: Vec<NodeId>,
}

impl Replica {
    /// Takes records of a circle from `peer`. Signatures have been verified; bodies have not been looked at.
    ///
    /// # Errors
    /// [`ArriveError`].
    pub fn take_records(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        id: CircleId,
        records: Vec<Record>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Outcome, ArriveError> {
        let own = self.own();
        let Some(circle) = self.at_hand(rows, &id, &peer)?.cloned() else {
            return Ok(Outcome::default());
        };
        // From who is no member any more only what counts is taken: what lies beyond could be sent without end, and members have it.
        let member = circle.charter.is_member(&peer);
        let passes = |record: &Record| {
            let header = &record.header.object;
            let last = circle.charter.taken_up_to(&header.log, header.entry);
            let counts = || matches!(last, Some(Some((last, _))) if header.sequence <= last);
            circle.charter.passes(&header.log, &peer, &own) && (member || counts())
        };
        if !records.iter().all(passes) {
            return Err(ArriveError::NotShared);
        }
        let (mut next, mut ingested) = self.ingest(rows, &circle, records, now_ms);
        if member {
            (next, ingested) = self.count_what_came(rows, next, ingested, now_ms, rng)?;
        }
        let reasons: Vec<String> = ingested
            .evidence
            .iter()
            .filter_map(|one| match one {
                Evidence::Invalid { error, .. } => Some(error.to_string()),
                _ => None,
            })
            .collect();
        let mut outcome = Outcome {
            gaps: ingested.gaps,
            unknown_entry: ingested.unknown_entry,
            refused: ingested.spoiled || !reasons.is_empty(),
            reasons,
            ..Outcome::default()
        };
        let evidence = if member {
            ingested.evidence
        } else {
            Vec::new()
        };
        let aside = self.keep_aside(rows, &mut next, evidence, &mut outcome)?;
        let filled = !ingested.filled.is_empty();
        if ingested.accepted.is_empty() && !filled && !aside.changed {
            return Ok(outcome);
        }
        // Seen ahead of what is here, or forked: this node was restored or runs twice. It goes on in a new life, one for all that came.
        if aside.overtaken {
            self.begin_incarnation(rows, now_ms, rng)?;
            outcome.refused = true;
        }
        let came = || ingested.accepted.iter().chain(&ingested.filled);
        for accepted in came() {
            if let Ok(opened) = &accepted.opened {
                self.want_files(rows, &mut next, &accepted.record, opened)?;
            }
        }
        self.report_other_lives(&circle, came().map(|accepted| &accepted.record));
        let next = self.put_circle(next);
        for accepted in came() {
            self.clock
                .observe(accepted.record.header.object.time, now_ms);
            self.project(rows, &next, accepted, now_ms)?;
        }
        let (mut erasures, bare) = erasures_of(came());
        for record in &aside.shown {
            self.clock.observe(record.header.object.time, now_ms);
            erasures.extend(self.project_branch(rows, &next, record)?);
        }
        let last = self.clock.last();
        self.stage(Row::Clock, cbor::encode(&last));
        erasures.extend(self.asked_of(rows, &id, &bare)?);
        self.follow_erasures(rows, &id, erasures)?;
        if !bare.is_empty() {
            self.follow_what_is_missing(rows, &id)?;
        }
        if filled {
            // What is said to be missing here is less now.
            self.published.news.push(News {
                circle: Some(id),
                change: Change::Attachment,
                from: Some(peer),
            });
        }
        let records: Vec<Record> = ingested
            .accepted
            .into_iter()
            .chain(ingested.filled)
            .map(|accepted| accepted.record)
            .collect();
        if !records.is_empty() {
            self.published.news.push(News {
                circle: Some(id),
                change: Change::Records(Arc::new(records)),
                from: Some(peer),
            });
        }
        Ok(outcome)
    }

    /// A new life of this node's logs. More than a few in a day are the sign of a machine that runs twice: see [`Replica::lives`].
    pub(super) fn begin_incarnation(
        &mut self,
        rows: &impl Rows,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StorageError> {
        let mut lives = self.lives(rows, now_ms)?;
        lives.push(now_ms);
        self.stage(Row::Lives, cbor::encode(&lives));
        self.incarnation = Incarnation(crate::record::random_token(rng).0);
        self.stage(Row::Incarnation, cbor::encode(&self.incarnation));
        self.published.notices.push(Notice::NewIncarnation);
        Ok(())
    }

    /// When this node began the incarnations of the last day.
    pub(super) fn lives(&self, rows: &impl Rows, now_ms: u64) -> Result<Vec<u64>, StorageError> {
        let mut lives: Vec<u64> = self.read_row(rows, &Row::Lives)?.unwrap_or_default();
        lives.retain(|began| now_ms.saturating_sub(*began) < DAY_MS);
        Ok(lives)
    }

    /// Takes charter entries and sealed copies, whose signatures have been verified, from `peer`.
    ///
    /// # Errors
    /// [`ArriveError`].
    #[allow(
        clippy::too_many_arguments,
        reason = "rows, time and chance come from the driver"
    )]
    pub fn take_entries(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        id: CircleId,
        entries: Vec<Verified<Entry>>,
        seals: &[SealedSecret],
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<ByItself, ArriveError> {
        let own = self.own();
        let mut strange = Vec::new();
        let (mut next, taken) = match self.circles.get(&id) {
            Some(circle) => {
                strange = strangers(circle, &entries);
                let (next, taken) = circle::extend(circle, entries);
                // Or these entries list it: a steward whose disk went back does not know whom it has admitted since.
                if !next.charter.ever_listed(&peer) {
                    return Err(ArriveError::NotShared);
                }
                (next, taken)
            }
            None => {
                if self.row(rows, &Row::Finishing(id))?.is_some() {
                    // It comes again when nothing of its earlier time is left.
                    return Ok(ByItself::default());
                }
                let came = self.row(rows, &Row::Finished(id))?.map(|_| entries.clone());
                let acceptances = self.acceptances_for(rows, &id, &entries)?;
                let accepted = |quoted: &_| {
                    let spent = || self.is_spent(rows, &id, quoted).unwrap_or(true);
                    let forgotten = || self.has_forgotten(rows, quoted).unwrap_or(false);
                    (acceptances.contains(&Hash(quoted.id)) || forgotten()) && !spent()
                };
                // One identity takes another one's place in a circle once: a circle whose time is over here does not come back by that.
                let over = came.is_some();
                let said =
                    |quoted: &[cbor::Bytes]| !over && self.said_so(rows, quoted).unwrap_or(false);
                let forgotten =
                    |first: &Entry| !over && self.was_restored_after(rows, first).unwrap_or(false);
                let begun = circle::begin(entries, &own, accepted, said, forgotten);
                if let (Err(IngestError::Uninvited), Some(came)) = (&begun, came) {
                    self.who_came_after(rows, &id, &came)?;
                    return Ok(ByItself::default());
                }
                let (mut circle, taken) = begun?;
                // What it signed since then may be on its way, too.
                circle.unconfirmed = circle.charter.state().steward == own;
                if circle.id() != id || !circle.charter.ever_listed(&peer) {
                    return Err(ArriveError::NotShared);
                }
                if over {
                    self.stage_delete(Row::Finished(id));
                }
                (circle, taken)
            }
        };
        for entry in &taken.accepted {
            self.stage(Row::Entry(id, entry.object.number), entry.bytes.clone());
            self.take_quoted(rows, &entry.object)?;
        }
        let stopped = match &taken.stopped {
            Some((entry, _)) => self.keep_entry(rows, &mut next, entry)?.changed,
            None => false,
        };
        let rivals = self.take_rivals(rows, &mut next, &strange)?;
        let (opened, refused) = circle::open_secrets(&mut next, seals, own, &self.keys.seals);
        let ours = |seal: &&SealedSecret| next.charter.hash_of(seal.number) == Some(seal.epoch);
        let fresh = |seal: &&SealedSecret| opened.contains(&seal.number);
        for seal in seals.iter().filter(ours).filter(fresh) {
            self.stage(Row::Seal(id, own, seal.number), cbor::encode(seal));
        }
        if !refused.is_empty() {
            self.published.notices.push(Notice::Aside {
                circle: id,
                what: "seal",
            });
        }
        if taken.accepted.is_empty() && opened.is_empty() {
            if stopped || rivals {
                self.put_circle(next);
            }
            if rivals {
                self.published.news.push(News {
                    circle: Some(id),
                    change: Change::Charter,
                    from: None,
                });
            }
            return Ok(ByItself::default());
        }
        self.claim_forgotten(rows, &mut next, &taken.accepted)?;
        self.claim_acceptances(rows, &mut next, &taken.accepted)?;
        let moved = self.apply_changes(rows, &mut next, &taken.accepted, now_ms, rng)?;
        let erasures = match opened.is_empty() {
            true => BTreeSet::new(),
            false => self.open_what_waited(rows, &mut next)?,
        };
        let member = next.charter.is_member(&own);
        let entry = next.charter.number();
        self.put_circle(next);
        for node in moved {
            self.count_again(rows, &id, &node)?;
        }
        self.count_what_is_here(rows, &id, now_ms, rng)?;
        self.follow_erasures(rows, &id, erasures)?;
        self.published.notices.push(Notice::Charter {
            circle: id,
            entry,
            member,
        });
        self.published.news.push(News {
            circle: Some(id),
            change: Change::Charter,
            from: Some(peer),
        });
        Ok(ByItself {
            removed: self.remove_who_left(rows, &id, now_ms, rng)?,
            accepted: self.follow_deputy(rows, &id, now_ms)?,
            renewed: self.renew(rows, &id, now_ms, rng)?,
        })
    }

    /// What entries that were taken change beside the charter: what a removed node wrote beyond the cut counts no more, and a node that is
    /// admitted again begins anew. The removed nodes of which more counts than before.
    fn apply_changes(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        entries: &[Verified<Entry>],
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<BTreeSet<NodeId>, StorageError> {
        use crate::charter::Change::{Admit, MoveCuts, Remove, Replace};
        let (own, own_log) = (self.own(), self.own_log());
        let (mut again, mut moved) = (false, BTreeSet::new());
        for entry in entries {
            match &entry.object.change {
                Remove { node, .. } | Replace { old: node, .. } => {
                    self.uncount(rows, next, node)?;
                }
                Admit { node, .. } => again |= *node == own,
                MoveCuts { node, .. } => {
                    moved.insert(*node);
                }
                _ => {}
            }
        }
        if again && next.charter.is_member(&own) {
            next.begin_again(&own);
            if next.logs.contains_key(&own_log) {
                self.begin_incarnation(rows, now_ms, rng)?;
            }
        }
        Ok(moved)
    }

    /// Marks what a removed node wrote beyond the cut and what was projected before this was known.
    fn uncount(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        node: &NodeId,
    ) -> Result<(), StorageError> {
        let id = next.id();
        let logs: Vec<_> = next
            .logs
            .iter()
            .filter(|(log, _)| log.node == *node)
            .map(|(log, tip)| (*log, tip.first, tip.height))
            .collect();
        for (log, first, height) in logs {
            let counted = next.counted(&log);
            let from = counted.map_or(first, |counted| counted.height + 1);
            for sequence in from.max(first)..=height {
                let Some(bytes) = self.row(rows, &Row::Record(id, log, sequence))? else {
                    continue;
                };
                let record = read_record(&bytes)?;
                next.except(log, sequence, Reason::AfterRemoval);
                if let Some(facts) = self.facts(rows, next, &record)? {
                    self.mark_after_removal(rows, next, &facts.thing, &record.id())?;
                }
            }
        }
        self.look_beside(rows, next, node)?;
        self.uncount_branches(rows, next, node)
    }

    /// Projects the records that were taken while their epoch's secret was missing. The erasures that they are, or answer.
    fn open_what_waited(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
    ) -> Result<BTreeSet<ThingId>, StorageError> {
        let (id, mut erasures) = (next.id(), BTreeSet::new());
        let waiting: Vec<_> = next
            .exceptions
            .iter()
            .filter(|exception| exception.reason == Reason::NotOpened)
            .copied()
            .collect();
        for exception in waiting {
            for sequence in exception.from..=exception.to {
                let Some(bytes) = self.row(rows, &Row::Record(id, exception.log, sequence))? else {
                    continue;
                };
                let record = read_record(&bytes)?;
                if let Ok(opened) = next.reopen(&record) {
                    self.want_files(rows, next, &record, &opened)?;
                    self.project_opened(rows, next, &record, &opened, false)?;
                    erasures.extend(about(&opened));
                }
            }
        }
        erasures.extend(self.open_branches(rows, next)?);
        Ok(erasures)
    }

    /// Takes acknowledgements, whose signatures have been verified. Older ones, and those that say nothing new, are passed over.
    ///
    /// # Errors
    /// [`ArriveError`].
    pub fn take_acks(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        id: CircleId,
        acks: Vec<Verified<Ack>>,
        now_ms: u64,
    ) -> Result<(), ArriveError> {
        let own = self.own();
        let Some(circle) = self.at_hand(rows, &id, &peer)?.cloned() else {
            return Ok(());
        };
        if !circle.charter.is_member(&peer) {
            // Signed before it knew of its removal, and on its way since: of no use, and nobody's fault.
            let before = |removal| acks.iter().all(|ack| ack.object.entry < removal);
            return match circle.charter.removed_by(&peer) {
                Some(removal) if before(removal) => Ok(()),
                _ => Err(ArriveError::NotShared),
            };
        }
        let (mut changed, mut told) = (false, false);
        for ack in acks {
            let node = ack.object.node;
            if ack.object.circle != id || !circle.charter.is_member(&node) {
                continue;
            }
            // This node's clock was put back: what it signs from now on must be taken for newer than what others hold of it.
            if node == own && ack.object.counter < now_ms {
                continue;
            }
            let held: Option<Verified<Ack>> = self
                .row(rows, &Row::Ack(id, node))?
                .map(crate::sign::Unverified::parse)
                .transpose()
                .map_err(|_| StorageError::damaged("acknowledgement"))?
                .map(crate::sign::Unverified::trust_stored);
            if let Some(held) = &held {
                let news = Ack {
                    counter: 0,
                    time_ms: 0,
                    ..held.object.clone()
                } != Ack {
                    counter: 0,
                    time_ms: 0,
                    ..ack.object.clone()
                };
                let said = !news && node != own;
                if ack.object.counter <= held.object.counter || said {
                    continue;
                }
            }
            self.stage(Row::Ack(id, node), ack.bytes.clone());
            changed = true;
            if node == own {
                continue;
            }
            let held = held.as_ref().map(|held| &held.object);
            told |= tells_of_missing(&circle, &ack.object, held);
            self.note_deliveries(rows, &circle, &ack.object, held, now_ms)?;
        }
        if changed {
            self.put_circle((*circle).clone());
            if told {
                self.follow_what_is_missing(rows, &id)?;
            }
            self.published.news.push(News {
                circle: Some(id),
                change: Change::Acks,
                from: Some(peer),
            });
        }
        Ok(())
    }

    /// Takes a verified descriptor.
    ///
    /// # Errors
    /// [`ArriveError`].
    pub fn take_descriptor(
        &mut self,
        rows: &impl Rows,
        descriptor: &Verified<Descriptor>,
    ) -> Result<(), ArriveError> {
        let node = descriptor.object.node;
        if node == self.own() {
            return Ok(());
        }
        let decision = match self.descriptor_of(rows, &node)? {
            None => DescriptorOrder::Newer,
            Some(held) => order(&held, descriptor),
        };
        match decision {
            DescriptorOrder::Newer => {
                self.may_describe(rows, descriptor)?;
                self.stage(Row::Descriptor(node), descriptor.bytes.clone());
                self.published.notices.push(Notice::Descriptor(node));
                Ok(())
            }
            DescriptorOrder::Same => Ok(()),
            DescriptorOrder::Older => Err(ArriveError::OlderDescriptor),
            DescriptorOrder::Conflict => Err(ArriveError::DescriptorConflict),
        }
    }

    /// Keeps the descriptors that an entry quotes, where they are newer than those held.
    fn take_quoted(&mut self, rows: &impl Rows, entry: &Entry) -> Result<(), StorageError> {
        use crate::charter::Change::{Admit, Found, Replace};
        if let Replace { statements, .. } = &entry.change {
            self.take_quoted_statements(rows, statements)?;
        }
        if let Found { descriptor } | Admit { descriptor, .. } | Replace { descriptor, .. } =
            &entry.change
            && let Ok(descriptor) = Descriptor::verify(descriptor.0.clone())
        {
            match self.take_descriptor(rows, &descriptor) {
                Ok(()) | Err(ArriveError::OlderDescriptor) => {}
                Err(ArriveError::Storage(error)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Acknowledgements of others held of a circle.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn acks(&self, rows: &impl Rows, circle: &CircleId) -> Result<Vec<Ack>, StorageError> {
        let own = self.own();
        self.over(rows)
            .scan(&RowPrefix::Acks(*circle))?
            .into_iter()
            .map(|bytes| {
                crate::sign::Unverified::<Ack>::parse(bytes)
                    .map(|ack| ack.object)
                    .map_err(|_| StorageError::damaged("acknowledgement"))
            })
            .filter(|ack| ack.as_ref().map_or(true, |ack| ack.node != own))
            .collect()
    }

    /// Reads a row's value as `T`: for rows whose type the caller knows.
    pub(super) fn read_row<T>(&self, rows: &impl Rows, row: &Row) -> Result<Option<T>, StorageError>
    where
        T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
    {
        self.row(rows, row)?.map(|bytes| read(&bytes)).transpose()
    }
}

/// The entries that are not, or not next, in a circle's charter: they may belong to another branch of it.
fn strangers(circle: &Circle, entries: &[Verified<Entry>]) -> Vec<Verified<Entry>> {
    let charter = &circle.charter;
    let is_held =
        |entry: &Verified<Entry>| charter.hash_of(entry.object.number) == Some(EntryHash(entry.id));
    let (number, head) = (charter.number(), charter.head());
    let extends = |entry: &Verified<Entry>| {
        entry.object.number == number + 1 && entry.object.previous == Some(head)
    };
    let mut new = entries.iter().filter(|entry| !is_held(entry)).peekable();
    if new.peek().is_none_or(|first| extends(first)) {
        return Vec::new();
    }
    new.cloned().collect()
}
