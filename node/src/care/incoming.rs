//! Files that come through pages: known by their own beginning, cleaned, and sealed as they come.
//!
//! Nobody says beforehand how long such a file is. What is sealed of it waits in the store, under a name that nothing points to, and takes its place when
//! all of it is here: together with the record that names it, in one commit, or not at all. In memory there is a mebibyte of each at most. What nobody goes on
//! with is taken away at once, what a stop leaves half-way at the next start.

use std::sync::{Arc, Mutex, PoisonError};

use maillon_protocol::{
    attachment::{AttachmentError, Named, Sealer, Shape},
    content::AttachmentRef,
    ids::{CircleId, Hash, ThingId},
    limits,
    replica::Written,
    sync::View,
};
use rand_core::Rng;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use super::{
    Actor, Care, CareError, Category, FileKind,
    document::{BATCH, check_name},
    picture::{BEGINNING, Cleaner},
};
use crate::{
    clock::now_ms,
    ledger::{Ledger, Tx},
    random::SystemRandom,
};

/// Files that come at one time, and of one person.
const PLACES: usize = 16;
const PLACES_OF_ONE: usize = 2;

/// Who has a file coming, once for each.
#[derive(Default)]
pub(super) struct Places(Mutex<Vec<ThingId>>);

/// One of the places; free again when dropped.
struct Place(Arc<Places>, ThingId);

impl Places {
    fn take(self: &Arc<Self>, of: ThingId) -> Result<Place, CareError> {
        // A poisoned lock leaves a list that is whole.
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = taken.iter().filter(|one| **one == of).count();
        if taken.len() >= PLACES || theirs >= PLACES_OF_ONE {
            return Err(CareError::Busy(taken.len()));
        }
        taken.push(of);
        Ok(Place(Arc::clone(self), of))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = taken.iter().position(|one| *one == self.1) {
            taken.swap_remove(at);
        }
    }
}

/// Names under which chunks stand in the store that nothing names. They are taken away when this is dropped: who waits for the rest of a file may be cut off
/// anywhere, by a clock above all.
struct Held {
    ledger: Ledger,
    circle: CircleId,
    names: Vec<Hash>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let names = std::mem::take(&mut self.names);
        if names.is_empty() {
            return;
        }
        // It is queued here, behind the last chunks; the task only says what went wrong.
        let taken = self.ledger.submit(taking_away(self.circle, names));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = taken.await {
                    tracing::warn!(%error, "a file that nobody goes on with is taken away at the next start");
                }
            });
        }
    }
}

/// The job that takes away what is here under these names.
fn taking_away(
    circle: CircleId,
    names: Vec<Hash>,
) -> impl FnOnce(&mut Tx<'_>) -> Result<(), CareError> + Send + 'static {
    move |tx: &mut Tx<'_>| {
        let mut names = names.into_iter();
        names.try_for_each(|name| tx.replica.drop_upload(tx.rows, circle, name))?;
        Ok(())
    }
}

/// A file that comes. Whoever began it ends it by a command that takes it, or by [`Care::give_up`], which waits until nothing of it is left.
pub struct Incoming {
    circle: CircleId,
    /// The name under which its chunks wait.
    waiting: Hash,
    /// Chunks that wait there.
    kept: u64,
    sealed: Vec<Vec<u8>>,
    sealer: Sealer,
    /// Bytes that came.
    came: u64,
    beginning: Zeroizing<Vec<u8>>,
    known: Option<(FileKind, Cleaner)>,
    held: Held,
    place: Place,
}

/// A file that is all here, and by which name people know it.
pub struct NamedFile {
    /// The file.
    pub file: Incoming,
    /// Its name.
    pub name: String,
}

/// A file whose chunks stand in their place, as long as nothing names them.
struct Settled {
    waiting: Hash,
    named: AttachmentRef,
    _place: Place,
}

impl Care {
    /// Begins to take a file for a record of this category.
    ///
    /// # Errors
    /// [`CareError::Busy`], [`CareError::NoCircle`], [`CareError::NotInTeam`], [`CareError::NotAllowed`].
    pub fn receive(
        &self,
        actor: &Actor,
        circle: CircleId,
        category: Category,
    ) -> Result<Incoming, CareError> {
        self.may_write_in(actor, &circle, &[category])?;
        self.shared().circle(&circle).ok_or(CareError::NoCircle)?;
        let place = self.coming.take(actor.id)?;
        let mut waiting = Hash([0; 32]);
        SystemRandom.fill_bytes(&mut waiting.0);
        Ok(Incoming {
            circle,
            waiting,
            kept: 0,
            sealed: Vec::new(),
            sealer: Sealer::new(&mut SystemRandom),
            came: 0,
            beginning: Zeroizing::default(),
            known: None,
            held: Held {
                ledger: self.ledger.clone(),
                circle,
                names: Vec::new(),
            },
            place,
        })
    }

    /// Takes the next bytes of a file that comes. After an error there is nothing to do with it but to give it up.
    ///
    /// # Errors
    /// [`CareError::FileKind`], [`CareError::FileBroken`], [`CareError::Attachment`] over 25 MiB; those of the store.
    pub async fn take(&self, file: &mut Incoming, bytes: &[u8]) -> Result<(), CareError> {
        file.came = file.came.saturating_add(bytes.len() as u64);
        limits::within("an attachment in bytes", file.came, limits::ATTACHMENT)
            .map_err(AttachmentError::from)?;
        // What one call gives is bounded too, so that no more of it waits than a batch.
        for piece in bytes.chunks(limits::CHUNK) {
            file.add(piece)?;
            if file.sealed.len() >= BATCH {
                self.set_down(file).await?;
            }
        }
        Ok(())
    }

    /// Puts what is sealed into the store.
    async fn set_down(&self, file: &mut Incoming) -> Result<(), CareError> {
        let chunks = std::mem::take(&mut file.sealed);
        let (circle, waiting, from) = (file.circle, file.waiting, file.kept);
        file.held.names = vec![waiting];
        file.kept += chunks.len() as u64;
        Ok(self
            .ledger
            .run(move |tx| {
                tx.replica.keep_chunks(circle, waiting, from, &chunks);
                Ok::<_, CareError>(())
            })
            .await?)
    }

    /// Takes away what is here of a file that will not be.
    pub async fn give_up(&self, mut file: Incoming) {
        let names = std::mem::take(&mut file.held.names);
        if !names.is_empty() {
            self.take_away(file.circle, names).await;
        }
    }

    async fn take_away(&self, circle: CircleId, names: Vec<Hash>) {
        let taken = self.ledger.run(taking_away(circle, names)).await;
        if let Err(error) = taken {
            tracing::warn!(%error, "a file that could not be added is taken away at the next start");
        }
    }

    /// Writes what names a file, and the file, in one commit: both or neither. Without one, just what there is to write.
    pub(super) async fn write_with<F>(
        &self,
        circle: CircleId,
        file: Option<NamedFile>,
        first: bool,
        write: F,
    ) -> Result<Written, CareError>
    where
        F: FnOnce(&mut Tx<'_>, Vec<AttachmentRef>) -> Result<Written, CareError> + Send + 'static,
    {
        let (settled, names) = match file {
            Some(file) => {
                let (settled, mut held) = self.settle(file).await?;
                (Some(settled), std::mem::take(&mut held.names))
            }
            None => (None, Vec::new()),
        };
        let job = move |tx: &mut Tx<'_>| {
            let mut named = Vec::new();
            if let Some(settled) = settled {
                tx.replica.drop_upload(tx.rows, circle, settled.waiting)?;
                let shape = Shape::of(settled.named.length)?;
                tx.replica.keep_file(circle, settled.named.address, shape);
                named.push(settled.named);
            }
            write(tx, named)
        };
        let written = if first {
            self.ledger.submit_first(job).await
        } else {
            self.ledger.run(job).await
        };
        if written.is_err() && !names.is_empty() {
            self.take_away(circle, names).await;
        }
        Ok(written?)
    }

    /// Puts the chunks of a file that is all here where its address says; nothing names them yet.
    async fn settle(
        &self,
        NamedFile { mut file, name }: NamedFile,
    ) -> Result<(Settled, Held), CareError> {
        let (kind, checked) = match &file.known {
            Some((_, cleaner)) if !cleaner.draws() => (FileKind::Pdf, Err(CareError::FileBroken)),
            Some((kind, _)) => (*kind, check_name(&name)),
            None => (FileKind::Pdf, Err(CareError::FileKind)),
        };
        if let Err(error) = checked {
            self.give_up(file).await;
            return Err(error);
        }
        let named = Named {
            media_type: kind.media_type().to_owned(),
            name,
        };
        let mut last = std::mem::take(&mut file.sealed);
        let named = file.sealer.finish(named, &mut |chunk| last.push(chunk))?;
        let (circle, waiting, address) = (file.circle, file.waiting, named.address);
        let mut held = file.held;
        held.names = vec![waiting, address];
        let moved = self
            .move_chunks(circle, waiting, address, file.kept, last)
            .await;
        if let Err(error) = moved {
            self.take_away(circle, std::mem::take(&mut held.names))
                .await;
            return Err(error);
        }
        let settled = Settled {
            waiting,
            named,
            _place: file.place,
        };
        Ok((settled, held))
    }

    async fn move_chunks(
        &self,
        circle: CircleId,
        waiting: Hash,
        address: Hash,
        kept: u64,
        last: Vec<Vec<u8>>,
    ) -> Result<(), CareError> {
        let keep = |from: u64, chunks: Vec<Vec<u8>>| {
            self.ledger.run(move |tx| {
                tx.replica.keep_chunks(circle, address, from, &chunks);
                Ok::<_, CareError>(())
            })
        };
        let mut from = 0;
        while from < kept {
            let count = (kept - from).min(BATCH as u64);
            let found = self
                .shared()
                .look(now_ms(), |view| view.chunks(&circle, &waiting, from, count));
            if found.len() as u64 != count {
                return Err(CareError::NotAllHere {
                    here: from,
                    all: kept,
                });
            }
            let chunks = found.into_iter().map(|chunk| chunk.0).collect();
            keep(from, chunks).await?;
            from += count;
        }
        Ok(keep(from, last).await?)
    }
}

impl Incoming {
    /// The kind of the file, as far as enough of it is here.
    pub fn kind(&self) -> Option<FileKind> {
        self.known.as_ref().map(|(kind, _)| *kind)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), CareError> {
        let mut clean = Zeroizing::new(Vec::with_capacity(bytes.len() + BEGINNING));
        match &mut self.known {
            Some((_, cleaner)) => cleaner.take(bytes, &mut clean)?,
            None => {
                self.beginning.extend_from_slice(bytes);
                if self.beginning.len() < BEGINNING {
                    return Ok(());
                }
                let kind = FileKind::of(&self.beginning).ok_or(CareError::FileKind)?;
                let mut cleaner = Cleaner::of(kind);
                cleaner.take(&self.beginning, &mut clean)?;
                self.beginning = Zeroizing::default();
                self.known = Some((kind, cleaner));
            }
        }
        let sealed = &mut self.sealed;
        Ok(self.sealer.add(&clean, &mut |chunk| sealed.push(chunk))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_two_places_and_a_place_is_free_when_its_file_is_gone() {
        let places = Arc::new(Places::default());
        let one = ThingId([1; 16]);
        let held = (places.take(one), places.take(one));
        assert!(held.0.is_ok() && held.1.is_ok());
        assert!(matches!(places.take(one), Err(CareError::Busy(2))));
        let another = places.take(ThingId([2; 16]));
        assert!(another.is_ok());
        drop(held);
        assert!(places.take(one).is_ok());
        let others: Vec<_> = (3..18).map(|of| places.take(ThingId([of; 16]))).collect();
        assert!(others.iter().all(Result::is_ok));
        assert!(matches!(places.take(one), Err(CareError::Busy(PLACES))));
    }
}
