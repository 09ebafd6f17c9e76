//! Erasures: which of them wait for this node's word, and how a record loses its body.
//!
//! An erasure is a record ([`Erasure`]); it counts if its author's node wrote what is to be erased, or was the steward by the charter entry that it
//! names. It waits ([`Row::Erasing`]) until this node has answered, for each structure answers for what it keeps itself. Carried out
//! ([`Row::Erased`]), the body and the files that nothing else names are gone in the commit of the answer; the header stays, and with it what the
//! erasure says of the record ([`Facts`]): the file shows the same versions as before, and the same as a node that kept the body, without the text.
//! A body that comes later is dropped. Where the header came without its body, from a member that had erased it, there is nothing to decide: it is
//! erased as soon as the erasure is here. Who never had the body has to believe what the erasure says of it.
//!
//! A node whose disk went back hears its own earlier answer from the others, and carries it out again with the commit that brings it.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use super::{
    Draft, Location, Notice, Replica, Row, RowPrefix, Rows, StorageError, WriteFailed, Written,
    project::record_row, rows::read,
};
use crate::{
    cbor,
    circle::{Accepted, Circle, Opened, Reason},
    content::{Content, Erased, Erasure, ErasureAnswer, ErasureReason, Facts, Kind, Professional},
    dossier::{Thing, Version},
    ids::{CircleId, NodeId, RecordId, ThingId},
    record::Record,
    sync::{Change, News},
};

/// An erasure that waits for this node's word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Erasing {
    /// The erasure: what answers name as their parent.
    #[n(0)]
    pub thing: ThingId,
    /// Its record.
    #[n(1)]
    pub asked: RecordId,
    /// The node that asked.
    #[n(2)]
    pub node: NodeId,
    /// What is to be erased, and why.
    #[n(3)]
    pub erasure: Erasure,
}

/// Why nothing is erased, or asked to be.
#[derive(Debug, thiserror::Error)]
pub enum EraseFailed {
    /// No such record here.
    #[error(
        "there is no such record at this node: `maillonctl circle show CIRCLE` names those that there are"
    )]
    NoRecord,
    /// It is neither this node's nor this node the steward.
    #[error(
        "only the structure that wrote a record, and the circle's steward, may ask for its erasure: ask one of them"
    )]
    NotYours,
    /// Of a kind that is not erased.
    #[error("a record of this kind says nothing of the person and is not erased")]
    Kind,
    /// It has no body here.
    #[error("the record's text is not here: it was erased, or never came")]
    NoBody,
    /// It cannot be read here yet.
    #[error("the record's key has not arrived yet: it comes with the next contact with a member")]
    NotOpened,
    /// There is no such erasure, or it was answered.
    #[error("this erasure does not wait here: `maillonctl erasure list` shows those that do")]
    Ended,
    /// What the erasure says of the record is not what the record says.
    #[error(
        "what the erasure says of the record is not what the record says: it can only be refused"
    )]
    Differs,
    /// The record that it names is not here yet.
    #[error(
        "the record that is to be erased has not arrived yet: it comes with the next contact with a member"
    )]
    NotHereYet,
    /// The answer, or the wish, cannot be written.
    #[error(transparent)]
    Write(#[from] WriteFailed),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// How what an erasure names stands here.
enum Stand {
    /// It is not here.
    Absent,
    /// Its header is, without a body that says anything.
    Bare(Record),
    /// It is here, and is what the erasure says.
    Same(Record, Box<Opened>),
    /// It is here and something else.
    Differs,
    /// It is here and cannot be opened yet.
    NotOpened,
}

impl Replica {
    /// The erasures of a circle that wait for this node's word.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn erasures(rows: &impl Rows, circle: &CircleId) -> Result<Vec<Erasing>, StorageError> {
        let all = rows.scan(&RowPrefix::Erasing(*circle))?;
        all.iter().map(|bytes| read(bytes)).collect()
    }

    /// What stays of a record whose erasure was carried out here, as of the last commit.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn erasure_of(
        rows: &impl Rows,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<Facts>, StorageError> {
        let row = rows.get(&Row::Erased(*circle, *record))?;
        row.map(|bytes| read(&bytes)).transpose()
    }

    /// What stays of a record whose erasure was carried out here, staged changes included; none where none was.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn erased(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<Facts>, StorageError> {
        self.read_row(rows, &Row::Erased(*circle, *record))
    }

    /// Writes that a record is to be erased. It waits here too until [`Self::erase`].
    ///
    /// # Errors
    /// [`EraseFailed`]; nothing is staged then.
    #[allow(
        clippy::too_many_arguments,
        reason = "rows, time and chance come from the driver"
    )]
    pub fn ask_erasure(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        record: RecordId,
        reason: ErasureReason,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Written, EraseFailed> {
        let circle = self.circles.get(id).ok_or(WriteFailed::NoCircle)?;
        let (log, sequence, held) = self
            .placed(rows, circle, record)?
            .ok_or(EraseFailed::NoRecord)?;
        let own = self.own();
        if log.node != own && circle.charter.state().steward != own {
            return Err(EraseFailed::NotYours);
        }
        let opened = circle.read(&held).map_err(|reason| match reason {
            Reason::NotOpened => EraseFailed::NotOpened,
            _ => EraseFailed::NoBody,
        })?;
        let facts = Facts::of(&opened.envelope, &opened.content);
        if !facts.are_erasable() {
            return Err(EraseFailed::Kind);
        }
        let content = Content::Erasure(Erasure {
            record,
            log,
            sequence,
            facts,
            reason,
        });
        Ok(self.say(rows, id, content, None, author, now_ms, rng)?)
    }

    /// Carries out an erasure that waits here, and answers that it is done.
    ///
    /// # Errors
    /// [`EraseFailed`]; nothing is staged then.
    pub fn erase(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        thing: ThingId,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<RecordId, EraseFailed> {
        let erasing = self.erasing(rows, id, thing)?.ok_or(EraseFailed::Ended)?;
        let circle = self.circles.get(id).ok_or(WriteFailed::NoCircle)?;
        let (record, opened) = match self.stands_here(rows, circle, &erasing.erasure)? {
            Stand::Absent => return Err(EraseFailed::NotHereYet),
            Stand::Differs => return Err(EraseFailed::Differs),
            Stand::NotOpened => return Err(EraseFailed::NotOpened),
            Stand::Bare(record) => (record, None),
            Stand::Same(record, opened) => (record, Some(opened)),
        };
        self.answer_erasure(rows, id, &erasing, Erased::Done, author, now_ms, rng)?;
        self.carry_out(rows, id, record, opened.as_deref(), erasing.erasure.facts)?;
        Ok(erasing.erasure.record)
    }

    /// Answers an erasure that waits here with no: the body stays.
    ///
    /// # Errors
    /// [`EraseFailed`]; nothing is staged then.
    pub fn refuse_erasure(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        thing: ThingId,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<RecordId, EraseFailed> {
        let erasing = self.erasing(rows, id, thing)?.ok_or(EraseFailed::Ended)?;
        let circle = self.circles.get(id).ok_or(WriteFailed::NoCircle)?;
        if let Stand::Bare(_) = self.stands_here(rows, circle, &erasing.erasure)? {
            return Err(EraseFailed::NoBody);
        }
        self.answer_erasure(rows, id, &erasing, Erased::Refused, author, now_ms, rng)?;
        Ok(erasing.erasure.record)
    }

    /// Answers the erasures of a circle about which there is nothing to decide: those of records that have no body here are done, those that say
    /// something else of a record than it says are refused. How many that were.
    ///
    /// # Errors
    /// [`EraseFailed`] where nothing can be written now.
    pub fn settle_erasures(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        author: &Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<usize, EraseFailed> {
        let waiting = self.over(rows).scan(&RowPrefix::Erasing(*id))?;
        let mut settled = 0;
        for bytes in &waiting {
            let erasing: Erasing = read(bytes)?;
            let Some(circle) = self.circles.get(id) else {
                break;
            };
            match self.stands_here(rows, circle, &erasing.erasure)? {
                Stand::Bare(_) => {
                    self.erase(rows, id, erasing.thing, author.clone(), now_ms, rng)?;
                }
                Stand::Differs => {
                    let no = Erased::Differs;
                    self.answer_erasure(rows, id, &erasing, no, author.clone(), now_ms, rng)?;
                }
                Stand::Absent | Stand::Same(..) | Stand::NotOpened => continue,
            }
            settled += 1;
        }
        Ok(settled)
    }

    fn erasing(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        thing: ThingId,
    ) -> Result<Option<Erasing>, StorageError> {
        self.read_row(rows, &Row::Erasing(*circle, thing))
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "rows, time and chance come from the driver"
    )]
    fn answer_erasure(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        erasing: &Erasing,
        answer: Erased,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Written, WriteFailed> {
        let content = Content::ErasureAnswer(ErasureAnswer {
            record: erasing.erasure.record,
            answer,
        });
        let parent = Some(erasing.thing);
        self.say(rows, id, content, parent, author, now_ms, rng)
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "rows, time and chance come from the driver"
    )]
    fn say(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        content: Content,
        parent: Option<ThingId>,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Written, WriteFailed> {
        let draft = Draft {
            thing: None,
            parent,
            supersedes: Vec::new(),
            author,
            occurred_ms: now_ms,
            content,
        };
        let written = self.write(rows, id, vec![draft], now_ms, rng)?;
        Ok(written[0])
    }

    fn stands_here(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        erasure: &Erasure,
    ) -> Result<Stand, StorageError> {
        let Some(place) = self.read_row::<Location>(rows, &Row::Place(erasure.record))? else {
            return Ok(Stand::Absent);
        };
        let named = Location {
            circle: circle.id(),
            log: erasure.log,
            sequence: erasure.sequence,
        };
        if place != named || !erasure.facts.are_erasable() {
            return Ok(Stand::Differs);
        }
        let Some((_, _, record)) = self.placed(rows, circle, erasure.record)? else {
            return Ok(Stand::Absent);
        };
        Ok(match circle.read(&record) {
            Ok(opened) if Facts::of(&opened.envelope, &opened.content) == erasure.facts => {
                Stand::Same(record, Box::new(opened))
            }
            Ok(_) => Stand::Differs,
            Err(Reason::NotOpened) => Stand::NotOpened,
            Err(_) => Stand::Bare(record),
        })
    }

    /// Takes the body away, and the files that only this record names.
    fn carry_out(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        record: Record,
        opened: Option<&Opened>,
        facts: Facts,
    ) -> Result<(), StorageError> {
        let erased = record.id();
        if self.erased(rows, id, &erased)?.is_some() {
            return Ok(());
        }
        let Some(circle) = self.circles.get(id) else {
            return Ok(());
        };
        let mut next = Circle::clone(circle);
        let bare = Record {
            body: None,
            ..record
        };
        let (log, sequence) = (bare.header.object.log, bare.header.object.sequence);
        self.stage(Row::Record(*id, log, sequence), record_row(&bare));
        self.stage(Row::Erased(*id, erased), cbor::encode(&facts));
        while let Some(reason) = next.excepted(&log, sequence) {
            next.clear_exception(&log, sequence, reason);
        }
        next.except(log, sequence, Reason::Erased);
        next.erasures += 1;
        if let Some(opened) = opened {
            self.drop_files(rows, &mut next, &bare, opened)?;
        }
        let next = self.put_circle(next);
        self.unalert(rows, &next, erased, &facts)?;
        self.project_facts(rows, &next, &bare, facts)?;
        self.stage_delete(Row::Undelivered(*id, erased));
        self.published.notices.push(Notice::Erased {
            circle: *id,
            record: erased,
        });
        self.published.news.push(News {
            circle: Some(*id),
            change: Change::Attachment,
            from: None,
        });
        Ok(())
    }

    fn drop_files(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        record: &Record,
        opened: &Opened,
    ) -> Result<(), StorageError> {
        let (id, header) = (next.id(), &record.header.object);
        let named = opened.content.attachments();
        if named.is_empty() {
            return Ok(());
        }
        let others = self.named_by_others(rows, next, record.id(), opened.envelope.thing)?;
        for file in named {
            let wanted = Row::Wanted(id, header.log, header.sequence, file.address);
            self.stage_delete(wanted);
            if !others.contains(&file.address) {
                self.drop_file(rows, id, file.address)?;
            }
        }
        self.look_what_is_lacking(rows, next, header.log)
    }

    /// The files that other versions of a thing name.
    fn named_by_others(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        but: RecordId,
        thing: ThingId,
    ) -> Result<BTreeSet<crate::ids::Hash>, StorageError> {
        let held = self.thing(rows, &circle.id(), &thing)?.unwrap_or_default();
        let mut named = BTreeSet::new();
        for version in held.versions.iter().filter(|other| other.record != but) {
            if let Some((_, _, other)) = self.placed(rows, circle, version.record)?
                && let Ok(opened) = circle.read(&other)
            {
                named.extend(opened.content.attachments().iter().map(|file| file.address));
            }
        }
        Ok(named)
    }

    /// Carries out what there is nothing to decide about, of these erasures: what this node has answered before its disk went back, and that which
    /// has no body here. To be called when what came is projected.
    pub(super) fn follow_erasures(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        things: BTreeSet<ThingId>,
    ) -> Result<(), StorageError> {
        for thing in things {
            let Some(circle) = self.circles.get(id).cloned() else {
                return Ok(());
            };
            let Some(held) = self.thing(rows, id, &thing)? else {
                continue;
            };
            let Some(Erasing { erasure, .. }) = self.wish(rows, &circle, thing, &held)? else {
                continue;
            };
            let said = self.own_words(rows, id, &held, None)?;
            let done = said.contains(&(Erased::Done as u64));
            match self.stands_here(rows, &circle, &erasure)? {
                Stand::Bare(record) => self.carry_out(rows, id, record, None, erasure.facts)?,
                Stand::Same(record, opened) if done => {
                    self.carry_out(rows, id, record, Some(&opened), erasure.facts)?;
                }
                Stand::Absent if done => self.erase_when_it_comes(rows, &circle, &erasure)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn erase_when_it_comes(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        erasure: &Erasure,
    ) -> Result<(), StorageError> {
        let id = circle.id();
        if self.erased(rows, &id, &erasure.record)?.is_none() {
            let mut next = circle.clone();
            next.erasures += 1;
            self.put_circle(next);
            self.stage(
                Row::Erased(id, erasure.record),
                cbor::encode(&erasure.facts),
            );
        }
        Ok(())
    }

    /// Stages what a thing, as it is now, changes in the list of what waits: as an erasure, or as an answer to one.
    pub(super) fn index_erasure(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        id: ThingId,
        thing: &Thing,
    ) -> Result<(), StorageError> {
        let has = |kind: Kind| {
            let mut kinds = thing.versions.iter().map(|version| version.kind);
            kinds.any(|found| found == kind as u64)
        };
        if has(Kind::Erasure) {
            self.index_wish(rows, circle, id, thing, None)?;
        }
        if has(Kind::ErasureAnswer) {
            for wish in &thing.parent {
                if let Some(held) = self.thing(rows, &circle.id(), wish)? {
                    self.index_wish(rows, circle, *wish, &held, Some(thing))?;
                }
            }
        }
        Ok(())
    }

    fn index_wish(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        id: ThingId,
        thing: &Thing,
        fresh: Option<&Thing>,
    ) -> Result<(), StorageError> {
        let row = Row::Erasing(circle.id(), id);
        let answered = !self.own_words(rows, &circle.id(), thing, fresh)?.is_empty();
        let wish = match answered {
            true => None,
            false => self.wish(rows, circle, id, thing)?,
        };
        match wish {
            Some(wish) => self.stage(row, cbor::encode(&wish)),
            None if self.row(rows, &row)?.is_some() => self.stage_delete(row),
            None => {}
        }
        Ok(())
    }

    /// The erasures that wait here of records whose bodies have just not come.
    pub(super) fn asked_of(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        records: &BTreeSet<RecordId>,
    ) -> Result<BTreeSet<ThingId>, StorageError> {
        let mut asked = BTreeSet::new();
        if !records.is_empty() {
            for bytes in self.over(rows).scan(&RowPrefix::Erasing(*circle))? {
                let Erasing { thing, erasure, .. } = read(&bytes)?;
                if records.contains(&erasure.record) {
                    asked.insert(thing);
                }
            }
        }
        Ok(asked)
    }

    /// The erasure that a thing is, if its author may ask for it.
    fn wish(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        thing: ThingId,
        held: &Thing,
    ) -> Result<Option<Erasing>, StorageError> {
        let counts =
            |version: &&Version| version.kind == Kind::Erasure as u64 && !version.after_removal;
        let Some(version) = held.first().filter(counts) else {
            return Ok(None);
        };
        let Some((log, _, record)) = self.placed(rows, circle, version.record)? else {
            return Ok(None);
        };
        let Ok(Opened {
            content: Content::Erasure(erasure),
            ..
        }) = circle.read(&record)
        else {
            return Ok(None);
        };
        let steward = circle.charter.steward_at(record.header.object.entry);
        let may = log.node == erasure.log.node || Some(log.node) == steward;
        Ok(may.then_some(Erasing {
            thing,
            asked: version.record,
            node: log.node,
            erasure,
        }))
    }

    /// What this node has answered to an erasure, as codes of [`Erased`]; `fresh` is an answer that is not among the rows yet.
    fn own_words(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        wish: &Thing,
        fresh: Option<&Thing>,
    ) -> Result<BTreeSet<u64>, StorageError> {
        let own = self.own();
        let mut words = BTreeSet::new();
        let mut add = |answer: &Thing| {
            let ours = answer.versions.iter().filter(|version| {
                version.kind == Kind::ErasureAnswer as u64 && version.node == own
            });
            words.extend(ours.map(|version| version.code));
        };
        if let Some(fresh) = fresh {
            add(fresh);
        }
        for child in &wish.children {
            if let Some(answer) = self.thing(rows, circle, child)? {
                add(&answer);
            }
        }
        Ok(words)
    }
}

/// The erasures that records which came are, or answer; and the records that came without a body that this node may have.
pub(super) fn erasures_of<'a>(
    came: impl Iterator<Item = &'a Accepted>,
) -> (BTreeSet<ThingId>, BTreeSet<RecordId>) {
    let (mut erasures, mut bare) = (BTreeSet::new(), BTreeSet::new());
    for accepted in came {
        match &accepted.opened {
            Ok(opened) => erasures.extend(about(opened)),
            Err(Reason::Missing) => {
                bare.insert(accepted.record.id());
            }
            Err(_) => {}
        }
    }
    (erasures, bare)
}

/// The erasure that an opened record is, or answers.
pub(super) fn about(opened: &Opened) -> Option<ThingId> {
    match opened.content {
        Content::Erasure(_) => Some(opened.envelope.thing),
        Content::ErasureAnswer(_) => opened.envelope.parent,
        _ => None,
    }
}
