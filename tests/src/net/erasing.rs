//! What nodes ask to be erased, and what they decide.

use maillon_protocol::{
    content::{Content, ErasureReason},
    ids::{CircleId, NodeId, RecordId, ThingId},
    record::Record,
    replica::{EraseFailed, Replica, Row, Rows},
};

use super::{Node, professional};

impl Node {
    /// The newest note of a writer that can be read here.
    pub fn newest_note(&self, circle: &CircleId, writer: NodeId) -> Option<RecordId> {
        let held = self.circles.get(circle)?;
        let mut all = self.all_records(circle);
        all.retain(|record| record.header.object.log.node == writer);
        let says = |record: &Record| held.read(record).map(|opened| opened.content);
        let mut notes = all.iter().rev();
        notes
            .find(|record| matches!(says(record), Ok(Content::LiaisonNote(_))))
            .map(Record::id)
    }

    /// Asks that a record be erased, because it was written into the wrong file.
    ///
    /// # Errors
    /// As [`Replica::ask_erasure`].
    pub fn ask_erasure(
        &mut self,
        circle: &CircleId,
        record: RecordId,
        now: u64,
    ) -> Result<ThingId, EraseFailed> {
        let (why, author) = (ErasureReason::WrongPerson, professional("DAC"));
        self.with(|replica, rows, rng| {
            replica.ask_erasure(rows, circle, record, why, author, now, rng)
        })
        .map(|written| written.thing)
    }

    /// Decides about every erasure that waits here and is not held up by something.
    pub fn decide_erasures(
        &mut self,
        circle: &CircleId,
        yes: impl Fn(&RecordId) -> bool,
        now: u64,
    ) {
        let _ = self.settle_erasures(circle, now);
        for waiting in Replica::erasures(&self.memory, circle).unwrap() {
            let author = professional("DAC");
            let _ = self.with(|replica, rows, rng| {
                if yes(&waiting.erasure.record) {
                    replica.erase(rows, circle, waiting.thing, author, now, rng)
                } else {
                    replica.refuse_erasure(rows, circle, waiting.thing, author, now, rng)
                }
            });
        }
    }

    /// Whether an erasure of a record was carried out here.
    pub fn has_erased(&self, circle: &CircleId, record: &RecordId) -> bool {
        let row = Row::Erased(*circle, *record);
        self.memory.get(&row).is_ok_and(|facts| facts.is_some())
    }

    /// Answers the erasures about which there is nothing to decide here.
    ///
    /// # Errors
    /// As [`Replica::settle_erasures`].
    pub fn settle_erasures(&mut self, circle: &CircleId, now: u64) -> Result<usize, EraseFailed> {
        let author = professional("DAC");
        self.with(|replica, rows, rng| replica.settle_erasures(rows, circle, &author, now, rng))
    }

    /// What a record that can be read here is a version of, or what stays of one that was erased.
    pub fn thing_of(&self, circle: &CircleId, record: RecordId) -> Option<ThingId> {
        if let Ok(Some(facts)) = self.replica.erased(&self.memory, circle, &record) {
            return Some(facts.thing);
        }
        let held = self.record(circle, record)?;
        let opened = self.circles.get(circle)?.read(&held).ok()?;
        Some(opened.envelope.thing)
    }
}
