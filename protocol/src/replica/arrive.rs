//! What peers send, verified by the driver, taken into what is committed.

use rand_core::CryptoRng;

use super::{Replica, Row, Rows, StorageError, Written, erasure::erasures_of, rows::read};
use crate::{
    attachment::AttachmentError,
    cbor,
    circle::{Evidence, IngestError},
    identity::ReplacementError,
    ids::{CircleId, InvitationId, NodeId},
    record::Record,
    sync::{Change, News, Outcome},
};
use std::sync::Arc;

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

    /// Reads a row's value as `T`: for rows whose type the caller knows.
    pub(super) fn read_row<T>(&self, rows: &impl Rows, row: &Row) -> Result<Option<T>, StorageError>
    where
        T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
    {
        self.row(rows, row)?.map(|bytes| read(&bytes)).transpose()
    }
}
