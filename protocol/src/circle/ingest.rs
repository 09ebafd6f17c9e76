//! What arrives, checked against what is committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Branches, Circle, Reason};
use crate::{
    charter::{
        Change, Charter, CharterError, Entry, EpochSecret, Grant, SealedSecret, SecretError, Start,
    },
    content::{Content, ContentError, Envelope},
    ids::{LogId, NodeId, RecordId},
    keys::SealKey,
    record::{
        self, Header, Previous, Record,
        log::{LogError, LogTip, Place},
    },
    sign::Verified,
    time::AHEAD_LIMIT_MS,
};

/// A record that is now part of its log.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The record, to be kept as it came.
    pub record: Record,
    /// What it says, where it opens and has its form.
    pub opened: Result<Opened, Reason>,
    /// Its clock was more than ten minutes ahead when it arrived.
    pub ahead: bool,
    /// It is about something new, of which nothing is held.
    pub fresh: bool,
}

/// An opened body.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Who, what thing, which versions.
    pub envelope: Envelope,
    /// The typed payload; unknown kinds included.
    pub content: Content,
}

/// Something signed that does not fit: kept aside and reported. Of it, the records of another branch are shown.
#[derive(Debug, Clone)]
pub enum Evidence {
    /// A record of another branch of a log than the one that is held.
    Fork {
        /// The record.
        other: Record,
        /// Whether the one before it is here, on either branch: nothing of the branch is missing before it.
        linked: bool,
    },
    /// A record of this node's own current log that this node does not have: it was restored, or runs twice.
    OwnLogAhead(Record),
    /// Written after its author's removal.
    AfterRemoval(Record),
    /// Signed, and wrong.
    Invalid {
        /// The record.
        record: Record,
        /// What is wrong.
        error: LogError,
    },
}

/// What a batch of records came to.
#[derive(Debug, Default)]
pub struct Ingested {
    /// New records, in the order of their logs.
    pub accepted: Vec<Accepted>,
    /// Records that were held without a body that this node may have, and now came with it.
    pub filled: Vec<Accepted>,
    /// What was kept aside.
    pub evidence: Vec<Evidence>,
    /// Logs in which something is missing before what came: (log, the sequence that must come next, the last one that came).
    pub gaps: BTreeMap<LogId, (u64, u64)>,
    /// A record names a charter entry that is not here yet.
    pub unknown_entry: bool,
    /// A record came with another body than its header covers, or without one where too many are missing already: whoever sent it is at fault, not
    /// who wrote it, and another member has it right.
    pub spoiled: bool,
}

/// Why nothing of a batch is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// An entry.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// A charter that was never asked for: it quotes no acceptance of this node.
    #[error("the charter does not admit this node by an acceptance that it gave")]
    Uninvited,
}

/// Opens a record with what the circle can open.
fn open(circle: &Circle, header: &Verified<Header>, body: &[u8]) -> Result<Opened, Reason> {
    let secret = circle.secret_of(&header.object).ok_or(Reason::NotOpened)?;
    let plain = record::open(&header.object, secret, body).map_err(|_| Reason::Invalid)?;
    let envelope = Envelope::read(&plain).map_err(|_: ContentError| Reason::Invalid)?;
    let content = envelope.content().map_err(|_| Reason::Invalid)?;
    Ok(Opened { envelope, content })
}

impl Accepted {
    /// A record that this node wrote itself; `fresh` where it is about something new.
    pub fn own(record: Record, envelope: Envelope, content: Content, fresh: bool) -> Self {
        Self {
            record,
            opened: Ok(Opened { envelope, content }),
            ahead: false,
            fresh,
        }
    }

    fn came(circle: &Circle, own: &NodeId, record: Record, now_ms: u64, erased: bool) -> Self {
        let header = &record.header.object;
        let ahead = header.time.ms() > now_ms.saturating_add(AHEAD_LIMIT_MS);
        let opened = match &record.body {
            _ if erased => Err(Reason::Erased),
            Some(body) => open(circle, &record.header, body),
            None => Err(circle.why_without_body(header, own)),
        };
        let body = record.body.filter(|_| !erased);
        Self {
            record: Record { body, ..record },
            opened,
            ahead,
            fresh: false,
        }
    }

    /// The reason for which an acknowledgement lists this record as an exception.
    fn exception(&self) -> Option<Reason> {
        match &self.opened {
            Ok(Opened {
                content: Content::Unknown { .. },
                ..
            }) => Some(Reason::KindUnknown),
            Ok(_) => None,
            Err(reason) => Some(*reason),
        }
    }
}

/// Whether a record came as it was written: with the body that its header covers, or with none. It comes without where its epoch is not granted to
/// this node, and where whoever sent it has erased it: that is believed for the moment, and other members are asked ([`Reason::Missing`]).
fn is_whole(record: &Record) -> bool {
    let body = record.body.as_deref();
    body.is_none_or(|body| record::belongs(&record.header.object, body))
}

/// Takes verified records into a circle.
///
/// `held` gives the id of a record that is committed at a place of a log, `aside` says whether one is kept aside as part of another branch; `own_log` is
/// the log that this node writes now; `erased` says of a record whether an erasure of it has been carried out here: its body is dropped.
#[allow(
    clippy::too_many_arguments,
    reason = "what is committed is looked up, and time comes from the driver"
)]
pub fn ingest(
    circle: &Circle,
    records: Vec<Record>,
    own: &NodeId,
    own_log: &LogId,
    now_ms: u64,
    held: impl Fn(&LogId, u64) -> Option<RecordId>,
    aside: impl Fn(&RecordId) -> bool,
    erased: impl Fn(&RecordId) -> bool,
) -> (Circle, Ingested) {
    let mut next = circle.clone();
    let mut result = Ingested::default();
    let mut fresh: BTreeMap<(LogId, u64), RecordId> = BTreeMap::new();
    let mut branch: BTreeSet<RecordId> = BTreeSet::new();
    for record in records {
        let log = record.header.object.log;
        let sequence = record.header.object.sequence;
        if !is_whole(&record) {
            result.spoiled = true;
            continue;
        }
        let here = |sequence: u64| {
            let known = fresh.get(&(log, sequence)).copied();
            known.or_else(|| held(&log, sequence))
        };
        let parted = next.branches.from.contains_key(&log);
        let on_branch = |id: &RecordId| branch.contains(id) || (parted && aside(id));
        let before = match record.header.object.previous {
            Previous::Opening(_) => None,
            Previous::Record(before) => Some(before),
        };
        let follows = || before.is_some_and(|before| on_branch(&before));
        let linked = || before.is_none_or(|id| on_branch(&id) || here(sequence - 1) == Some(id));
        match LogTip::check(next.logs.get(&log), &record.header, &next.charter, own) {
            Ok(Place::Gap { .. }) if follows() => {
                branch.insert(record.id());
                let (other, linked) = (record, true);
                result.evidence.push(Evidence::Fork { other, linked });
            }
            Ok(Place::Next(_)) if log == *own_log => {
                result.evidence.push(Evidence::OwnLogAhead(record));
            }
            Ok(Place::Gap { .. }) if log == *own_log => {
                result.evidence.push(Evidence::OwnLogAhead(record));
            }
            Ok(Place::Next(tip)) => {
                let gone = erased(&record.id());
                let accepted = Accepted::came(&next, own, record, now_ms, gone);
                let missing = matches!(accepted.opened, Err(Reason::Missing));
                if missing && !next.may_miss(own, &log, sequence) {
                    result.spoiled = true;
                    continue;
                }
                if let Some(reason) = accepted.exception() {
                    next.except(log, sequence, reason);
                }
                fresh.insert((log, sequence), accepted.record.id());
                next.logs.insert(log, tip);
                result.accepted.push(accepted);
            }
            Ok(Place::Held) => match here(sequence) {
                Some(known) if known != record.id() => {
                    let linked = linked();
                    branch.insert(record.id());
                    let other = record;
                    result.evidence.push(Evidence::Fork { other, linked });
                }
                Some(_) if record.body.is_some() => {
                    if let Some(filled) = fill(&mut next, own, record, now_ms) {
                        result.filled.push(filled);
                    }
                }
                _ => {}
            },
            Ok(Place::Gap { expected }) => {
                let gap = result.gaps.entry(log).or_insert((expected, sequence));
                gap.1 = gap.1.max(sequence);
            }
            Ok(Place::AfterRemoval) => {
                result.evidence.push(Evidence::AfterRemoval(record));
            }
            Ok(Place::UnknownEntry) => result.unknown_entry = true,
            Err(LogError::Link) => {
                let linked = linked();
                branch.insert(record.id());
                let other = record;
                result.evidence.push(Evidence::Fork { other, linked });
            }
            Err(error) => result.evidence.push(Evidence::Invalid { record, error }),
        }
    }
    (next, result)
}

/// A body comes for a record of which only the header is held.
fn fill(next: &mut Circle, own: &NodeId, record: Record, now_ms: u64) -> Option<Accepted> {
    let Header { log, sequence, .. } = record.header.object;
    if next.excepted(&log, sequence) != Some(Reason::Missing) {
        return None;
    }
    next.clear_exception(&log, sequence, Reason::Missing);
    let filled = Accepted::came(next, own, record, now_ms, false);
    if let Some(reason) = filled.exception() {
        next.except(log, sequence, reason);
    }
    Some(filled)
}

/// What a batch of charter entries came to.
#[derive(Debug, Default)]
pub struct Entries {
    /// Entries that are now in the charter, in order, with their bytes.
    pub accepted: Vec<Verified<Entry>>,
    /// The first entry that could not be checked, and why; it is kept aside and everything after it too.
    pub stopped: Option<(Verified<Entry>, CharterError)>,
    /// Epochs whose secret was opened with this batch.
    pub opened: Vec<u64>,
    /// Sealed copies that did not open.
    pub refused_seals: Vec<SecretError>,
}

/// Begins a circle from its charter's entries, the first one founding it.
///
/// `accepted` says whether this node gave the acceptance that is quoted and has not seen it used for another circle; `said`, whether it made the last
/// of the recovery keys' statements that are quoted, by which it stands in another identity's place; `forgotten`, whether it has forgotten what it
/// did when the founding entry was made, which it signed itself.
///
/// # Errors
/// [`IngestError`] where the entries found no circle in which this node is a member by its own act.
pub fn begin(
    entries: Vec<Verified<Entry>>,
    own: &NodeId,
    accepted: impl Fn(&Verified<crate::invite::Acceptance>) -> bool,
    said: impl Fn(&[crate::cbor::Bytes]) -> bool,
    forgotten: impl Fn(&Entry) -> bool,
) -> Result<(Circle, Entries), IngestError> {
    let mut entries = entries.into_iter();
    let first = entries.next().ok_or(IngestError::Uninvited)?;
    let circle = Circle {
        charter: Arc::new(Charter::found(&first)?),
        logs: BTreeMap::new(),
        secrets: BTreeMap::new(),
        exceptions: Vec::new(),
        lacking: BTreeMap::new(),
        continues: None,
        continued: None,
        unconfirmed: false,
        erasures: 0,
        branches: Branches::default(),
        beside: BTreeMap::new(),
        waived: BTreeSet::new(),
        changed: 0,
    };
    let (circle, mut result) = extend(&circle, entries.collect());
    result.accepted.insert(0, first);
    let ours = result
        .accepted
        .iter()
        .any(|entry| match &entry.object.change {
            Change::Admit {
                node, acceptance, ..
            } if node == own => crate::invite::Acceptance::verify(acceptance.0.clone())
                .is_ok_and(|quoted| accepted(&quoted)),
            Change::Replace {
                new, statements, ..
            } if new == own => said(statements),
            Change::Found { .. } => entry.object.signer == *own && forgotten(&entry.object),
            _ => false,
        });
    if !ours || !circle.charter.is_member(own) {
        return Err(IngestError::Uninvited);
    }
    Ok((circle, result))
}

/// Extends a circle's charter as far as the entries can be checked. Entries that are held already are passed over.
pub fn extend(circle: &Circle, entries: Vec<Verified<Entry>>) -> (Circle, Entries) {
    let mut next = circle.clone();
    let mut result = Entries::default();
    for entry in entries {
        if next
            .charter
            .hash_of(entry.object.number)
            .is_some_and(|held| held.0 == entry.id)
        {
            continue;
        }
        match next.charter.extend(&entry) {
            Ok(charter) => {
                next.charter = Arc::new(charter);
                result.accepted.push(entry);
            }
            // Entries before it are still to come: nothing is wrong with it.
            Err(CharterError::Number { head, found }) if found > head => break,
            Err(error) => {
                result.stopped = Some((entry, error));
                break;
            }
        }
    }
    (next, result)
}

/// Opens sealed copies that are meant for this node and not opened yet.
pub fn open_secrets(
    circle: &mut Circle,
    copies: &[SealedSecret],
    own: NodeId,
    keys: &[SealKey],
) -> (Vec<u64>, Vec<SecretError>) {
    let mut opened = Vec::new();
    let mut refused = Vec::new();
    for copy in copies.iter().filter(|copy| copy.recipient == own) {
        if circle.charter.is_rival(copy.number, copy.epoch) {
            let rival = circle.charter.naming(copy.number, copy.epoch);
            let known = circle.beside.contains_key(&copy.epoch);
            match rival
                .filter(|_| !known)
                .map(|rival| rival.open_secret(copy, own, keys))
            {
                Some(Ok(secret)) => {
                    circle.beside.insert(copy.epoch, secret);
                    opened.push(copy.number);
                }
                Some(Err(error)) => refused.push(error),
                None => {}
            }
            continue;
        }
        if circle.secrets.contains_key(&copy.number) {
            continue;
        }
        match circle.charter.open_secret(copy, own, keys) {
            Ok(secret) => {
                circle.secrets.insert(copy.number, secret);
                opened.push(copy.number);
            }
            Err(error) => refused.push(error),
        }
    }
    (opened, refused)
}

impl Circle {
    /// Opens a record that was taken while its epoch's secret was missing, and takes it off the exceptions.
    pub fn reopen(&mut self, record: &Record) -> Result<Opened, Reason> {
        let opened = self.read(record);
        let log = record.header.object.log;
        let sequence = record.header.object.sequence;
        if !matches!(opened, Err(Reason::NotOpened)) {
            self.clear_exception(&log, sequence, Reason::NotOpened);
        }
        match &opened {
            Ok(Opened {
                content: Content::Unknown { .. },
                ..
            }) => {
                self.except(log, sequence, Reason::KindUnknown);
            }
            Err(reason) if *reason != Reason::NotOpened => {
                self.except(log, sequence, *reason);
            }
            _ => {}
        }
        opened
    }

    /// Lets go of the logs of which this node is granted more now that it was admitted again: it asks for them from where they begin for it.
    pub(crate) fn begin_again(&mut self, own: &NodeId) {
        let charter = std::sync::Arc::clone(&self.charter);
        let withheld: BTreeSet<LogId> = self
            .exceptions
            .iter()
            .filter(|exception| exception.reason == Reason::NotGranted)
            .map(|exception| exception.log)
            .collect();
        let past = charter
            .member(own)
            .is_some_and(|member| member.grant != Grant::Nothing);
        self.logs.retain(|log, tip| {
            let more = match charter.start_for(own, log) {
                Some(Start::Sequence(sequence)) => sequence < tip.first,
                Some(Start::Entry(_)) | None => false,
            };
            log.node == *own || !(more || (past && withheld.contains(log)))
        });
        let kept: BTreeSet<LogId> = self.logs.keys().copied().collect();
        self.exceptions
            .retain(|exception| kept.contains(&exception.log));
    }

    /// Opens a committed record for reading.
    ///
    /// # Errors
    /// The [`Reason`] why it cannot be read here.
    pub fn read(&self, record: &Record) -> Result<Opened, Reason> {
        let Header { log, sequence, .. } = record.header.object;
        match &record.body {
            Some(body) => open(self, &record.header, body),
            None => Err(self.excepted(&log, sequence).unwrap_or(Reason::NotGranted)),
        }
    }

    /// Secret of an epoch, by the number of its first entry.
    pub fn secret(&self, number: u64) -> Option<&EpochSecret> {
        self.secrets.get(&number)
    }
}
