//! One circle at one node: the charter, the logs, the opened secrets, and the pure functions that change them.
//!
//! [`Circle`] is everything that decides what is accepted. The functions here take the committed circle and what arrived, and return the
//! circle as it will be, the rows to write and what to tell others. They touch nothing: the daemon's ledger writes the result
//! to RocksDB in one batch, the simulation writes it to a map.

mod ack;
mod branches;
mod exceptions;
mod files;
mod ingest;
mod late;

pub use ack::{Ack, AckError, Exception, LogHeight, Reason};
pub use branches::{Branches, Kept};
pub use files::{Fetched, FileRow, Wanted};
pub use ingest::{
    Accepted, Entries, Evidence, IngestError, Ingested, Opened, begin, extend, ingest, open_secrets,
};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use crate::{
    charter::{Charter, EpochSecret, LogStart, Predecessor},
    content::Envelope,
    ids::{CircleId, EntryHash, Hash, Incarnation, LogId, NodeId, RecordId},
    keys::NodeKey,
    limits::LimitError,
    record::{self, Header, OlderLog, Previous, Record, log::LogTip},
    time::Timestamp,
};

/// A circle as committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle {
    /// Who is in, and since when.
    pub charter: Arc<Charter>,
    /// What is held of each log.
    pub logs: BTreeMap<LogId, LogTip>,
    /// Opened epoch secrets, by the number of the entry that starts the epoch.
    pub secrets: BTreeMap<u64, EpochSecret>,
    /// Records that are held, or known of, without being shown: told to the others with every acknowledgement.
    pub exceptions: Vec<Exception>,
    /// Logs in which attachments are missing here: the first sequence that names one. Told with every acknowledgement too.
    pub lacking: BTreeMap<LogId, u64>,
    /// The node's change counter when this circle last changed; node-local.
    pub changed: u64,
    /// The circle that this one continues, where this node is in both; node-local.
    pub continues: Option<Predecessor>,
    /// The circle that continues this one for this node; node-local.
    pub continued: Option<CircleId>,
    /// This node, its steward, was restored from a copy, and nobody has confirmed yet that the charter's head here is the newest; node-local.
    pub unconfirmed: bool,
    /// How many erasures are known of; node-local. While there are none, nothing is looked up for records that come.
    pub erasures: u64,
    /// Logs that have forked, and how much is kept aside; node-local.
    pub branches: Branches,
    /// Opened secrets of the epochs that only another branch of the charter has, by the entries that start them.
    pub beside: BTreeMap<EntryHash, EpochSecret>,
    /// Removals, by their entries, of which somebody here decided that what members hold beyond the cut counts; node-local.
    pub waived: BTreeSet<u64>,
}

/// [`Circle`] without its charter, as a row: the charter has a row of its own, because it changes seldom.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CircleRow {
    /// Logs.
    #[n(0)]
    pub logs: BTreeMap<LogId, LogTip>,
    /// Exceptions.
    #[n(1)]
    pub exceptions: Vec<Exception>,
    /// Opened secrets.
    #[n(2)]
    pub secrets: BTreeMap<u64, Hash>,
    /// Change counter.
    #[n(3)]
    pub changed: u64,
    /// Where attachments are missing.
    #[n(4)]
    #[cbor(default)]
    pub lacking: BTreeMap<LogId, u64>,
    /// The circle that this one continues.
    #[n(5)]
    pub continues: Option<Predecessor>,
    /// The circle that continues this one.
    #[n(6)]
    pub continued: Option<CircleId>,
    /// Whether the head waits for a confirmation.
    #[n(7)]
    #[cbor(default)]
    pub unconfirmed: bool,
    /// How many erasures are known of.
    #[n(8)]
    #[cbor(default)]
    pub erasures: u64,
    /// Forked logs, and how much is kept aside.
    #[n(9)]
    #[cbor(default)]
    pub branches: Branches,
    /// Opened secrets of other branches of the charter.
    #[n(10)]
    #[cbor(default)]
    pub beside: BTreeMap<EntryHash, Hash>,
    /// Removals whose cuts somebody lets move.
    #[n(11)]
    #[cbor(default)]
    pub waived: BTreeSet<u64>,
}

/// What is known of where a charter and each log stand: what two nodes exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// Number and hash of the charter's head.
    pub charter: (u64, crate::ids::EntryHash),
    /// Heights.
    pub logs: Vec<LogHeight>,
}

impl Circle {
    /// The circle's name.
    pub fn id(&self) -> CircleId {
        self.charter.circle()
    }

    /// The row.
    pub fn row(&self) -> CircleRow {
        CircleRow {
            logs: self.logs.clone(),
            exceptions: self.exceptions.clone(),
            secrets: self
                .secrets
                .iter()
                .map(|(number, secret)| (*number, Hash(*secret.expose())))
                .collect(),
            changed: self.changed,
            lacking: self.lacking.clone(),
            continues: self.continues,
            continued: self.continued,
            unconfirmed: self.unconfirmed,
            erasures: self.erasures,
            branches: self.branches.clone(),
            beside: self
                .beside
                .iter()
                .map(|(epoch, secret)| (*epoch, Hash(*secret.expose())))
                .collect(),
            waived: self.waived.clone(),
        }
    }

    /// From its two rows.
    pub fn from_rows(charter: Arc<Charter>, row: CircleRow) -> Self {
        Self {
            charter,
            logs: row.logs,
            exceptions: row.exceptions,
            secrets: row
                .secrets
                .into_iter()
                .map(|(number, secret)| (number, EpochSecret::from_bytes(secret.0)))
                .collect(),
            changed: row.changed,
            lacking: row.lacking,
            continues: row.continues,
            continued: row.continued,
            unconfirmed: row.unconfirmed,
            erasures: row.erasures,
            branches: row.branches,
            beside: row
                .beside
                .into_iter()
                .map(|(epoch, secret)| (epoch, EpochSecret::from_bytes(secret.0)))
                .collect(),
            waived: row.waived,
        }
    }

    /// The secret in which members write now, where this node has it.
    pub fn current_secret(&self) -> Option<&EpochSecret> {
        self.secrets.get(&self.charter.state().epoch.number)
    }

    /// The secret of the epoch whose first entry has this hash.
    pub fn secret_of(&self, header: &Header) -> Option<&EpochSecret> {
        let named = self.charter.naming(header.entry, header.entry_hash)?;
        let (number, epoch) = named.epoch_of(header.entry)?;
        match self.charter.hash_of(number) == Some(epoch) {
            true => self.secrets.get(&number),
            false => self.beside.get(&epoch),
        }
    }

    /// Whether `own`, a member, lacks the secret of an epoch that it is granted.
    pub fn lacks_a_secret(&self, own: &NodeId) -> bool {
        let lacks =
            |epoch: &u64| !self.secrets.contains_key(epoch) && self.charter.is_granted(own, *epoch);
        self.charter.is_member(own) && self.charter.epochs().any(|epoch| lacks(&epoch))
    }

    /// Heights of all logs, in order.
    pub fn heights(&self) -> Vec<LogHeight> {
        self.logs
            .iter()
            .map(|(log, tip)| LogHeight {
                log: *log,
                height: tip.height,
                head: tip.head,
            })
            .collect()
    }

    /// The charter entry that the newest record of a log names; 0 where none is held.
    fn last_entry(&self, log: &LogId) -> u64 {
        self.logs.get(log).map_or(0, LogTip::last_entry)
    }

    /// The last place of a log that counts, where its node was removed: none in it where nothing does.
    pub fn cut(&self, log: &LogId) -> Option<Option<(u64, RecordId)>> {
        self.charter.cut_of(log, self.last_entry(log))
    }

    /// How far a log that is held counts: its height, or where its node was removed or left, if that is lower. None where nothing of it counts, or
    /// nothing of what is held: who was admitted without the past may hold only what lies above the cut, and another branch may be what counts.
    pub fn counted(&self, log: &LogId) -> Option<LogHeight> {
        let tip = self.logs.get(log)?;
        let (height, head) = match self.charter.taken_up_to(log, self.last_entry(log)) {
            Some(None) => return None,
            Some(Some((sequence, _))) if sequence < tip.first => return None,
            Some(Some((sequence, id))) if sequence < tip.height => {
                if self.branches.beside.contains(log) {
                    return None;
                }
                (sequence, id)
            }
            None | Some(Some(_)) => (tip.height, tip.head),
        };
        Some(LogHeight {
            log: *log,
            height,
            head,
        })
    }

    /// Heights of the logs of which this node can serve something to `peer`, a member.
    pub fn heights_for(&self, peer: &NodeId) -> Vec<LogHeight> {
        self.logs
            .iter()
            .filter_map(|(log, tip)| {
                let counted = self.counted(log)?;
                let first = tip.first_for(peer, log, &self.charter)?;
                (first <= counted.height).then_some(counted)
            })
            .collect()
    }

    /// Where every log stands now: what a new member without the past is told as its starts.
    pub fn starts_after_now(&self) -> Vec<LogStart> {
        self.logs
            .iter()
            .map(|(log, tip)| LogStart {
                log: *log,
                sequence: tip.height + 1,
            })
            .collect()
    }

    /// The header's fields for the next record of `own` in this circle: the log opens where it does not exist.
    fn next_header(
        &self,
        own: NodeId,
        incarnation: Incarnation,
        branches: &[OlderLog],
        time: Timestamp,
    ) -> Option<Header> {
        let log = LogId {
            node: own,
            incarnation,
        };
        let (_, epoch) = self.charter.epoch_of(self.charter.number())?;
        let (sequence, previous, entry_before) = match self.logs.get(&log) {
            Some(tip) => (tip.height + 1, Previous::Record(tip.head), tip.last_entry()),
            None => {
                let older = self
                    .logs
                    .iter()
                    .filter(|(other, _)| other.node == own)
                    .map(|(other, tip)| OlderLog {
                        incarnation: other.incarnation,
                        height: tip.height,
                        head: tip.head,
                    })
                    .chain(branches.iter().copied())
                    .collect();
                (1, Previous::Opening(older), 0)
            }
        };
        Some(Header {
            version: 1,
            circle: self.id(),
            log,
            sequence,
            previous,
            entry: self.charter.number(),
            entry_hash: self.charter.head(),
            epoch,
            time,
            salt: Hash([0; 32]),
            body_hash: Hash([0; 32]),
            body_length: 0,
            entry_before,
        })
    }

    /// Writes `content` as this node's next record, and returns it. Where that opens a log, it names the node's older logs, and `branches`,
    /// the other heads of those that have forked.
    ///
    /// # Errors
    /// [`WriteError`]; nothing has changed then.
    pub fn write(
        &mut self,
        content: &Envelope,
        key: &NodeKey,
        incarnation: Incarnation,
        branches: &[OlderLog],
        time: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Record, WriteError> {
        let own = key.id();
        if self.charter.has_left(&own) {
            return Err(WriteError::Left);
        }
        if !self.charter.is_member(&own) {
            return Err(WriteError::NotMember);
        }
        if self.charter.state().closed {
            return Err(WriteError::Closed);
        }
        let secret = self.current_secret().ok_or(WriteError::NoSecret)?;
        let header = self
            .next_header(own, incarnation, branches, time)
            .ok_or(WriteError::NoSecret)?;
        let record = record::write(header, secret, &content.write(), key, rng)?;
        self.put_own(&record);
        Ok(record)
    }

    fn put_own(&mut self, record: &Record) {
        let header = &record.header.object;
        let tip = self.logs.entry(header.log).or_insert_with(|| LogTip {
            first: header.sequence,
            height: 0,
            head: RecordId([0; 32]),
            entries: Vec::new(),
            before: header.entry_before,
        });
        tip.height = header.sequence;
        tip.head = record.id();
        if tip
            .entries
            .last()
            .is_none_or(|(entry, _)| *entry < header.entry)
        {
            tip.entries.push((header.entry, header.sequence));
        }
    }
}

/// Why this node cannot write in a circle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Removed, or never in.
    #[error("this node is no longer a member of the circle: ask its steward")]
    NotMember,
    /// It said so itself.
    #[error("this node has left the circle: ask its steward to be invited again")]
    Left,
    /// Closed.
    #[error("the circle is closed: nothing more is written in it")]
    Closed,
    /// Something new belongs into the circle that continues this one.
    #[error(
        "the circle is continued by another one: what is new is written there, `maillonctl circle show CIRCLE` names it"
    )]
    Continued,
    /// The secret of the current epoch has not arrived.
    #[error(
        "the circle's current key has not arrived yet: it comes with the next contact with a member"
    )]
    NoSecret,
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
}
