//! Alerts of ours on their way: when each structure's node first acknowledged one, and which of them a member has not acknowledged yet.
//!
//! What is awaited stands in an index by member, circle and log, in the order of the log. So an acknowledgement costs as much as it says that is
//! new, whatever waits for others: hundreds of alerts in a second, or the alerts of weeks for a member that is away.

use minicbor::{Decode, Encode};

use super::{
    Notice, Replica, Row, RowPrefix, Rows, StorageError, project::read_record, rows::read,
};
use crate::{
    cbor,
    circle::{Ack, Circle, Opened},
    content::Kind,
    ids::{CircleId, LogId, NodeId, RecordId},
    record::Record,
};

/// When each structure's node first acknowledged an alert of ours.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct DeliveryRow {
    /// The alert's record.
    #[n(0)]
    pub record: RecordId,
    /// Its log.
    #[n(1)]
    pub log: LogId,
    /// Its sequence.
    #[n(2)]
    pub sequence: u64,
    /// When it was written, Unix milliseconds.
    #[n(3)]
    pub written_ms: u64,
    /// (node, Unix milliseconds), in the order of arrival.
    #[n(4)]
    pub delivered: Vec<(NodeId, u64)>,
}

/// An alert of ours that a member has not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AwaitedRow {
    /// The circle.
    #[n(0)]
    pub circle: CircleId,
    /// Sequence in the log.
    #[n(1)]
    pub sequence: u64,
    /// The alert's record.
    #[n(2)]
    pub record: RecordId,
}

impl Replica {
    /// Of an alert that this node wrote, every other member's word is awaited.
    pub(super) fn await_delivery(&mut self, circle: &Circle, alert: &Record, opened: &Opened) {
        let (id, header, record) = (circle.id(), &alert.header.object, alert.id());
        if opened.envelope.kind != Kind::Alert as u64 || header.log.node != self.own() {
            return;
        }
        let (log, sequence) = (header.log, header.sequence);
        let row = DeliveryRow {
            record,
            log,
            sequence,
            written_ms: header.time.ms(),
            delivered: Vec::new(),
        };
        self.stage(Row::Delivery(id, record), cbor::encode(&row));
        let own = self.own();
        for member in circle.charter.members().filter(|member| member.node != own) {
            let row = AwaitedRow {
                circle: id,
                sequence,
                record,
            };
            let name = Row::Awaited(member.node, id, log, sequence);
            self.stage(name, cbor::encode(&row));
        }
    }

    /// Nobody's word is awaited of a record any more.
    pub(super) fn no_longer_awaited(&mut self, circle: &Circle, log: LogId, sequence: u64) {
        if log.node == self.own() {
            for node in circle.charter.ever() {
                self.stage_delete(Row::Awaited(*node, circle.id(), log, sequence));
            }
        }
    }

    /// Notes which of our alerts an acknowledgement covers that the one before it, `held`, did not.
    pub(super) fn note_deliveries(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        ack: &Ack,
        held: Option<&Ack>,
        now_ms: u64,
    ) -> Result<(), StorageError> {
        let (id, own) = (circle.id(), self.own());
        for said in ack.heights.iter().filter(|said| said.log.node == own) {
            let log = said.log;
            let before = held.map_or(0, |held| self.reached_in(rows, circle, held, &log));
            let reached = self.reached_in(rows, circle, ack, &log);
            if reached <= before {
                continue;
            }
            let mut covered = Vec::new();
            let mut damaged = Ok(());
            let prefix = RowPrefix::Awaited(ack.node, id, log, before + 1);
            self.over(rows).each(&prefix, &mut |bytes| {
                match read::<AwaitedRow>(&bytes) {
                    Ok(row) if row.sequence <= reached => covered.push(row),
                    Ok(_) => return false,
                    Err(error) => damaged = Err(error),
                }
                damaged.is_ok()
            })?;
            damaged?;
            for AwaitedRow {
                record, sequence, ..
            } in covered
            {
                self.stage_delete(Row::Awaited(ack.node, id, log, sequence));
                self.note_delivery(rows, id, record, ack.node, now_ms)?;
            }
        }
        Ok(())
    }

    fn note_delivery(
        &mut self,
        rows: &impl Rows,
        circle: CircleId,
        record: RecordId,
        node: NodeId,
        at_ms: u64,
    ) -> Result<(), StorageError> {
        let name = Row::Delivery(circle, record);
        let Some(mut row) = self.read_row::<DeliveryRow>(rows, &name)? else {
            return Ok(());
        };
        if row.delivered.iter().any(|(reached, _)| *reached == node) {
            return Ok(());
        }
        row.delivered.push((node, at_ms));
        self.stage(name, cbor::encode(&row));
        self.published.notices.push(Notice::Delivered {
            circle,
            record,
            node,
            at_ms,
        });
        Ok(())
    }

    fn reached_in(&self, rows: &impl Rows, circle: &Circle, ack: &Ack, log: &LogId) -> u64 {
        let height = circle.logs.get(log).map_or(0, |tip| tip.height);
        ack.reached(log, height, &self.own(), |sequence| {
            let row = Row::Record(circle.id(), *log, sequence);
            let bytes = self.row(rows, &row).ok().flatten()?;
            read_record(&bytes).ok().map(|record| record.id())
        })
    }
}
