//! Files that records name, as a professional reads them: part by part, by the rights that hold for what names them, with a line in the trail before the first byte.

use std::collections::BTreeMap;

use maillon_protocol::{
    admin::{CircleView, FileState},
    attachment::open_chunk,
    content::{AttachmentRef, Content},
    ids::{CircleId, RecordId},
    limits,
    sync::View,
};
use zeroize::Zeroizing;

use super::{
    Actor, Care, CareError, Category, FileKind, audit, looks::BY_GLASS, picture::BEGINNING, read,
};
use crate::{
    audit::{About, Object},
    clock::now_ms,
};

/// Chunks that are opened at one time: a quarter of a mebibyte.
const AT_ONCE: u64 = 4;

/// A file that somebody may read.
pub struct Attached {
    circle: CircleId,
    named: AttachmentRef,
    chunks: u64,
    /// What it is by its own beginning; none where it is no kind that pages show.
    pub kind: Option<FileKind>,
}

impl Attached {
    /// Its name, as whoever sent it wrote it.
    pub fn name(&self) -> &str {
        &self.named.name
    }

    /// Its length in bytes.
    pub const fn length(&self) -> u64 {
        self.named.length
    }
}

impl Care {
    /// Opens a file that a record of this circle names, by its place among the record's files.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotReadable`]; [`CareError::NoRecord`] where the record is not in this circle, [`CareError::NoFile`];
    /// [`CareError::NotAllHere`] as long as it is on its way.
    pub async fn open_attached(
        &self,
        actor: &Actor,
        circle: CircleId,
        record: RecordId,
        place: usize,
    ) -> Result<Attached, CareError> {
        self.may_open(actor, &circle)?;
        self.may_read(actor, Category::Identity)?;
        let found = read::opened(self.shared(), &record)?;
        let Some((_, opened)) = found.filter(|(found, _)| *found == circle) else {
            // Whoever does not read all kinds is not told which ones are there.
            self.may_read(actor, Category::Documents)?;
            self.may_read(actor, Category::Messages)?;
            return Err(CareError::NoRecord);
        };
        self.may_read(
            actor,
            match opened.content {
                Content::Document(_) => Category::Documents,
                _ => Category::Messages,
            },
        )?;
        let named = opened.content.attachments().get(place).cloned();
        let named = named.ok_or(CareError::NoFile)?;
        let state = self.file(&circle, &named)?;
        let (here, all) = state.chunks;
        if !state.complete {
            return Err(CareError::NotAllHere { here, all });
        }
        let mut attached = Attached {
            circle,
            named,
            chunks: all,
            kind: None,
        };
        let begins = self.open_chunks(&attached, 0, 1)?;
        attached.kind = FileKind::of(begins.get(..BEGINNING).unwrap_or(&begins));
        let reader = actor.clone();
        let by_glass = matches!(self.in_team(actor, &circle), Err(CareError::NotInTeam));
        let about = About {
            // By which right, where it is not that of the team.
            object: by_glass.then_some(Object::Right(BY_GLASS)),
            ..About::record(circle, record)
        };
        self.leave_line("document.read", move |tx| {
            audit::note(tx, &reader, "document.read", about)
        })
        .await?;
        Ok(attached)
    }

    /// The bytes of a file from a chunk on, and the chunk to ask for next; none at the end.
    ///
    /// # Errors
    /// [`CareError::Attachment`] where what is here does not open, [`CareError::NotAllHere`] where it was erased meanwhile.
    pub fn part_of(
        &self,
        attached: &Attached,
        from: u64,
    ) -> Result<(Zeroizing<Vec<u8>>, Option<u64>), CareError> {
        let bytes = self.open_chunks(attached, from, AT_ONCE)?;
        let next = from + (bytes.len() as u64).div_ceil(limits::CHUNK as u64).max(1);
        Ok((bytes, (next < attached.chunks).then_some(next)))
    }

    fn open_chunks(
        &self,
        attached: &Attached,
        from: u64,
        count: u64,
    ) -> Result<Zeroizing<Vec<u8>>, CareError> {
        let named = &attached.named;
        let sealed = self.shared().look(now_ms(), |view| {
            view.chunks(&attached.circle, &named.address, from, count)
        });
        if sealed.is_empty() {
            return Err(CareError::NotAllHere {
                here: from,
                all: attached.chunks,
            });
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(sealed.len() * limits::CHUNK));
        for (number, chunk) in (from..).zip(&sealed) {
            bytes.extend_from_slice(&open_chunk(&named.key.0, named.length, number, &chunk.0)?);
        }
        Ok(bytes)
    }

    /// How much is here of the files that what is shown names, by record.
    pub(super) fn files_of(
        &self,
        view: &CircleView,
    ) -> Result<BTreeMap<RecordId, Vec<FileState>>, CareError> {
        let mut files = BTreeMap::new();
        for record in view.things.iter().flat_map(|thing| &thing.standing) {
            let named = record.content.attachments().iter();
            let states: Result<Vec<_>, _> = named
                .map(|named| self.file(&record.circle, named))
                .collect();
            let states = states?;
            if !states.is_empty() {
                files.insert(record.record, states);
            }
        }
        Ok(files)
    }
}
