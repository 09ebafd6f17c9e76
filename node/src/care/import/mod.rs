//! Takes over what another software knew: people and things, each recognised again by the key that their source gives them.
//!
//! A file comes at once or in parts ([`Care::begin_import`]); what has come waits in memory, and a file that breaks off leaves nothing.
//! One import is one job of the ledger: everything goes in, or nothing. The same file twice changes nothing, whatever came between; a newer one
//! supersedes what it changes, and the answer counts that. The original is kept under seal, at this node only. A source's key is believed only as long as the strict traits
//! say the same person; nobody is ever merged here. A key that two people have had names neither of them any more: a file that refers to
//! somebody by it alone is refused.
//!
//! - `ready`: sealing and hashing, before the ledger's thread
//! - `importing`: writing, in the job
//! - `known`: what is remembered

mod importing;
mod known;
mod ready;

pub(super) use known::{REMEMBERED, Remembered, about};

use maillon_protocol::{
    admin::Upload,
    content::{Content, IdentityStatus, PatientIdentity},
    ids::{CircleId, Hash, RecordId, Token},
    limits::{self, within},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Actor, Care, CareError, Category, audit, origin, people::Seat, uploads::Uploads};
use crate::{
    audit::About,
    fhir::AttachmentBytes,
    ledger::LedgerError,
    store::{MAX_BATCH_BYTES, Table},
};
use importing::Importing;
use ready::ReadyPerson;

/// Files that are being given at one time: each may take as much memory as a file may have bytes.
const UPLOADS: usize = 2;

/// Bytes that the commit of one import may write, with what waits for the same commit: a batch that is too large would fail for everybody in it.
const MOST_WRITTEN: u64 = (MAX_BATCH_BYTES - (4 << 20)) as u64;

/// A file that is being given in parts.
pub(super) struct Incoming(Zeroizing<Vec<u8>>);

/// No files yet that are being given.
pub(super) fn no_uploads() -> Uploads<Incoming> {
    Uploads::new(UPLOADS)
}

/// One person and what is said about them.
#[derive(Debug, Clone)]
pub struct Person {
    /// Every text under which the source may name them.
    pub aliases: Vec<String>,
    /// Who they are; none where the source only refers to somebody it sent before.
    pub identity: Option<PatientIdentity>,
    /// Doubts about the identity, in words that name nobody.
    pub doubts: Vec<String>,
    /// What is said, parents first.
    pub items: Vec<ImportItem>,
}

/// One thing.
#[derive(Debug, Clone)]
pub struct ImportItem {
    /// By what the source recognises it.
    pub key: String,
    /// Key of what it belongs to.
    pub parent: Option<String>,
    /// When it happened, Unix milliseconds.
    pub occurred_ms: Option<u64>,
    /// What it says, without its files.
    pub content: Content,
    /// Its files: they become attachments of the record.
    pub attachments: Vec<AttachmentBytes>,
}

/// What an import did for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Their circle.
    pub circle: CircleId,
    /// Whether it was opened now.
    pub opened: bool,
    /// Records that were written.
    pub records: Vec<RecordId>,
    /// How many of them take the place of what an earlier file said under the same key.
    pub replaced: u64,
    /// The identity's status now.
    pub status: IdentityStatus,
    /// Doubts.
    pub doubts: Vec<String>,
}

/// Why nothing of an import is kept.
enum NotKept {
    Refused(CareError),
    Rehearsed(Vec<Taken>, bool),
}

impl<E: Into<CareError>> From<E> for NotKept {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Care {
    /// Begins to take a file of `length` bytes in parts.
    ///
    /// # Errors
    /// [`CareError::Limit`] over [`limits::IMPORT`], [`CareError::Busy`].
    pub fn begin_import(&self, actor: &Actor, length: u64) -> Result<Upload, CareError> {
        within("a file to import in bytes", length, limits::IMPORT)?;
        // All at once: a vector that grows would leave copies that nobody wipes.
        let room = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        self.imports
            .begin(actor, length, Incoming(Zeroizing::new(room)))
    }

    /// Takes the next bytes of such a file.
    ///
    /// # Errors
    /// [`CareError::NoUpload`]; [`CareError::Part`] where these are not the next ones, or more than was said.
    pub fn import_part(
        &self,
        actor: &Actor,
        upload: Token,
        offset: u64,
        bytes: &[u8],
    ) -> Result<Upload, CareError> {
        self.imports
            .part(actor, upload, offset, bytes, |file, bytes| {
                file.0.extend_from_slice(bytes);
                Ok(())
            })
    }

    /// The file that was given, which is forgotten here.
    ///
    /// # Errors
    /// [`CareError::NoUpload`]; [`CareError::Part`] where bytes are missing.
    pub fn end_import(
        &self,
        actor: &Actor,
        upload: Token,
    ) -> Result<Zeroizing<Vec<u8>>, CareError> {
        Ok(self.imports.end(actor, upload)?.0)
    }

    /// Takes people over, all or none. `original` is kept under seal. Returns what was done, and whether nothing changed because the same
    /// file had been taken before. With `rehearse`, everything is done in the same way and then taken back: nothing is kept, and the ids of
    /// what was not there before mean nothing.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn import(
        &self,
        actor: &Actor,
        mut original: Zeroizing<Vec<u8>>,
        people: Vec<Person>,
        rehearse: bool,
    ) -> Result<(Vec<Taken>, bool), CareError> {
        // A file says itself into whose it goes: no page brings one yet.
        if actor.seat == Seat::Page {
            return Err(CareError::NotInTeam);
        }
        self.may_write(
            actor,
            &[
                Category::Administration,
                Category::Identity,
                Category::Messages,
                Category::Documents,
            ],
        )?;
        let actor = actor.clone();
        // Sealing and hashing megabytes would keep everybody waiting who writes.
        let ready = tokio::task::spawn_blocking(move || {
            let ready = people.into_iter().map(ReadyPerson::of);
            let source = Hash(Sha256::digest(&*original).into());
            let original = std::mem::take(&mut *original);
            Ok::<_, CareError>((ready.collect::<Result<Vec<_>, _>>()?, source, original))
        });
        let (people, source, original) = ready.await.map_err(|_| CareError::Stopping)??;
        let done = self
            .ledger
            .run(move |tx| {
                let mut importing = Importing {
                    tx,
                    actor: &actor,
                    seen: false,
                };
                let key = origin::file_key(importing.tx, &source);
                let before = importing.tx.get(Table::Originals, &key)?.is_some();
                importing.seen = before;
                let mut taken = Vec::with_capacity(people.len());
                for person in people {
                    taken.push(importing.person(person)?);
                }
                if !before {
                    importing.tx.put(Table::Originals, key, original);
                }
                within(
                    "what one import writes in bytes",
                    importing.tx.bytes() as u64,
                    MOST_WRITTEN,
                )
                .map_err(CareError::from)?;
                let unchanged = taken
                    .iter()
                    .all(|one| !one.opened && one.records.is_empty());
                for one in &taken {
                    if one.opened || !one.records.is_empty() {
                        origin::note(tx, one.circle, source, &one.records);
                        audit::note(tx, &actor, "import", About::circle(one.circle))?;
                    }
                }
                if rehearse {
                    // A job that fails leaves nothing behind.
                    return Err(NotKept::Rehearsed(taken, unchanged));
                }
                Ok((taken, unchanged))
            })
            .await;
        match done {
            Ok(done) => Ok(done),
            Err(LedgerError::Job(NotKept::Rehearsed(taken, unchanged))) => Ok((taken, unchanged)),
            Err(LedgerError::Job(NotKept::Refused(error))) => Err(error),
            Err(LedgerError::Commit(error)) => Err(CareError::Commit(error)),
            Err(LedgerError::Stopped) => Err(CareError::Stopping),
        }
    }
}
