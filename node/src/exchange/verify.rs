//! Signatures, before the ledger.

use maillon_protocol::{
    charter::{Departure, Entry, SealedSecret},
    circle::{Ack, Fetched},
    descriptor::Descriptor,
    identity::{Replacement, Revocation},
    ids::{CircleId, EntryHash, InvitationId, Token},
    record::{Header, Record},
    sign::{Unverified, Verified},
    sync::Batch,
};

/// A batch whose signatures are right.
pub(super) enum Checked {
    Records(CircleId, Vec<Record>),
    Entries(CircleId, Vec<Verified<Entry>>, Vec<SealedSecret>),
    Acks(CircleId, Vec<Verified<Ack>>),
    Departure(Box<Verified<Departure>>),
    Descriptor(Box<Verified<Descriptor>>),
    Replacement(Box<Verified<Replacement>>),
    Revocation(Box<Verified<Revocation>>),
    Invitation(Vec<u8>),
    Acceptance(Vec<u8>),
    Cancelled(InvitationId),
    Confirmed(CircleId, EntryHash),
    Mark(Token, u64),
    Chunks(Fetched),
}

/// Records in a batch from which it is worth using several threads.
const PARALLEL: usize = 8;

/// Whether checking takes long enough to leave the task's thread.
pub(super) fn is_long(batch: &Batch) -> bool {
    match batch {
        Batch::Records { records, .. } => records.len() >= PARALLEL,
        Batch::Entries { .. } | Batch::Chunks(_) => true,
        Batch::Acks(_, acks) => acks.len() >= PARALLEL,
        _ => false,
    }
}

/// Checks every signature of a batch; one wrong one refuses the batch.
pub(super) fn check(batch: Batch) -> Result<Checked, String> {
    Ok(match batch {
        Batch::Records { circle, records } => Checked::Records(circle, records_of(records)?),
        Batch::Entries {
            circle,
            entries,
            seals,
        } => {
            let entries: Result<Vec<_>, _> = entries.into_iter().map(Unverified::verify).collect();
            Checked::Entries(circle, entries.map_err(|error| error.to_string())?, seals)
        }
        Batch::Acks(circle, acks) => {
            let acks: Result<Vec<_>, _> = acks.into_iter().map(Ack::verify).collect();
            Checked::Acks(circle, acks.map_err(|error| error.to_string())?)
        }
        Batch::Departure(bytes) => Checked::Departure(Box::new(
            Departure::verify(bytes).map_err(|error| error.to_string())?,
        )),
        Batch::Descriptor(bytes) => Checked::Descriptor(Box::new(
            Descriptor::verify(bytes).map_err(|error| error.to_string())?,
        )),
        Batch::Replacement(bytes) => Checked::Replacement(Box::new(
            Replacement::verify(bytes).map_err(|error| error.to_string())?,
        )),
        Batch::Revocation(bytes) => Checked::Revocation(Box::new(
            Revocation::verify(bytes).map_err(|error| error.to_string())?,
        )),
        Batch::Invitation(bytes) => Checked::Invitation(bytes),
        Batch::Acceptance(bytes) => Checked::Acceptance(bytes),
        Batch::Cancelled(id) => Checked::Cancelled(id),
        Batch::Confirmed(circle, head) => Checked::Confirmed(circle, head),
        Batch::Mark(token, cursor) => Checked::Mark(token, cursor),
        Batch::Chunks(fetched) => {
            fetched.check().map_err(|error| error.to_string())?;
            Checked::Chunks(fetched)
        }
    })
}

type Sent = (Unverified<Header>, Option<Vec<u8>>);

fn records_of(records: Vec<Sent>) -> Result<Vec<Record>, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if records.len() < PARALLEL || threads == 1 {
        return verify_all(records);
    }
    let share = records.len().div_ceil(threads);
    let mut shares: Vec<Vec<Sent>> = Vec::with_capacity(threads);
    let mut records = records.into_iter();
    loop {
        let next: Vec<_> = records.by_ref().take(share).collect();
        if next.is_empty() {
            break;
        }
        shares.push(next);
    }
    let mut shares = shares.into_iter();
    let own = shares.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let running: Vec<_> = shares
            .map(|share| scope.spawn(|| verify_all(share)))
            .collect();
        let mut all = verify_all(own)?;
        for thread in running {
            all.extend(
                thread
                    .join()
                    .map_err(|_| "a check of signatures broke off".to_owned())??,
            );
        }
        Ok(all)
    })
}

fn verify_all(records: Vec<Sent>) -> Result<Vec<Record>, String> {
    records
        .into_iter()
        .map(|(header, body)| match header.verify() {
            Ok(header) => Ok(Record { header, body }),
            Err(error) => Err(error.to_string()),
        })
        .collect()
}
