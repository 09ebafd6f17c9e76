//! Documents: files that are added here, and how much is here of those that came.
//!
//! A file comes in parts and is sealed as it comes; only ciphertext waits in memory, at most [`UPLOADS`] files at a time. At its end the chunks
//! are committed in small batches, so that nobody waits long behind them, and then the record that names them. What a stop leaves half-way is
//! taken away at the next start.

use maillon_protocol::{
    admin::{DocumentBytes, DocumentState, FileState, PART, Upload},
    attachment::{Named, Sealer, Shape, open_chunk},
    cbor,
    circle::{Ack, Circle},
    content::{AttachmentRef, Code, Content, Document},
    dossier::Delivery,
    ids::{CircleId, NodeId, RecordId, Token},
    limits,
    record::Header,
    replica::Written,
    sync::View,
};

use super::{
    Actor, Care, CareError, Category, NamedFile, fresh, read, uploads::Uploads, write_one,
};
use crate::{clock::now_ms, ledger::Tx, random::SystemRandom, signs};

/// Files that are being added at one time.
const UPLOADS: usize = 4;
/// Chunks of one commit: a mebibyte.
pub(super) const BATCH: usize = 16;
/// Bytes of a title, of a name and of a media type.
const TITLE: usize = 500;

/// A file that is being added.
pub(super) struct Adding {
    circle: CircleId,
    title: String,
    named: Named,
    sealer: Sealer,
    sealed: Vec<Vec<u8>>,
}

/// No files yet that are being added.
pub(super) fn no_uploads() -> Uploads<Adding> {
    Uploads::new(UPLOADS)
}

pub(super) fn check_name(text: &str) -> Result<(), CareError> {
    let is_odd = |sign: char| sign.is_control() || signs::is_left_out(sign);
    if signs::is_blank(text) || text.len() > TITLE || text.chars().any(is_odd) {
        return Err(CareError::Text(
            "a title, a file's name and its media type are up to 500 bytes of readable text",
        ));
    }
    Ok(())
}

/// A document that somebody adds.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Its title.
    pub title: String,
    /// Its kind (JDV_J07); none where it is none of those.
    pub type_code: Option<Code>,
}

/// A file whose chunks are sealed: what the record says of it, and the chunks.
pub(super) struct SealedFile {
    named: AttachmentRef,
    chunks: Vec<Vec<u8>>,
}

impl SealedFile {
    /// Seals a file that is in memory.
    pub(super) fn seal(bytes: &[u8], named: Named) -> Result<Self, CareError> {
        let mut chunks = Vec::new();
        let mut sealer = Sealer::new(&mut SystemRandom);
        sealer.add(bytes, &mut |chunk| chunks.push(chunk))?;
        let named = sealer.finish(named, &mut |chunk| chunks.push(chunk))?;
        Ok(Self { named, chunks })
    }

    /// Stages the whole file beside the record that names it; what that says of it.
    pub(super) fn keep(
        self,
        tx: &mut Tx<'_>,
        circle: CircleId,
    ) -> Result<AttachmentRef, CareError> {
        let address = self.named.address;
        tx.replica.keep_chunks(circle, address, 0, &self.chunks);
        tx.replica
            .keep_file(circle, address, Shape::of(self.named.length)?);
        Ok(self.named)
    }
}

impl Care {
    /// Takes away what was being added when the node stopped. How many files that were.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn forget_uploads(&self) -> Result<u64, CareError> {
        Ok(self
            .ledger
            .run(|tx| Ok::<_, CareError>(tx.replica.drop_uploads(tx.rows)?))
            .await?)
    }

    /// Begins to add a file of `length` bytes.
    ///
    /// # Errors
    /// [`CareError::Attachment`] over 25 MiB, [`CareError::Busy`], [`CareError::NoCircle`], [`CareError::Text`].
    pub fn begin_document(
        &self,
        actor: &Actor,
        circle: CircleId,
        title: String,
        named: Named,
        length: u64,
    ) -> Result<Upload, CareError> {
        self.may_write_in(actor, &circle, &[Category::Documents])?;
        Shape::of(length)?;
        for text in [&title, &named.name, &named.media_type] {
            check_name(text)?;
        }
        self.shared().circle(&circle).ok_or(CareError::NoCircle)?;
        self.uploads.begin(
            actor,
            length,
            Adding {
                circle,
                title,
                named,
                sealer: Sealer::new(&mut SystemRandom),
                sealed: Vec::new(),
            },
        )
    }

    /// Takes the next bytes of a file that is being added.
    ///
    /// # Errors
    /// [`CareError::NoUpload`]; [`CareError::Part`] where these are not the next ones, or more than was said.
    pub fn add_part(
        &self,
        actor: &Actor,
        upload: Token,
        offset: u64,
        bytes: &[u8],
    ) -> Result<Upload, CareError> {
        self.uploads
            .part(actor, upload, offset, bytes, |adding, bytes| {
                let sealed = &mut adding.sealed;
                Ok(adding.sealer.add(bytes, &mut |chunk| sealed.push(chunk))?)
            })
    }

    /// Writes the document whose file is all here.
    ///
    /// # Errors
    /// [`CareError`]; nothing is kept then, and the file must be given again.
    pub async fn end_document(
        &self,
        actor: &Actor,
        upload: Token,
    ) -> Result<(CircleId, Written), CareError> {
        // It may have been taken away since the file was begun.
        self.may_write(actor, &[Category::Documents])?;
        let Adding {
            circle,
            title,
            named,
            sealer,
            mut sealed,
        } = self.uploads.end(actor, upload)?;
        self.in_team(actor, &circle)?;
        let named = sealer.finish(named, &mut |chunk| sealed.push(chunk))?;
        let address = named.address;
        let written = self
            .write_document(actor, circle, title, named, sealed)
            .await;
        if written.is_err() {
            let dropped = self
                .ledger
                .run(move |tx| {
                    Ok::<_, CareError>(tx.replica.drop_upload(tx.rows, circle, address)?)
                })
                .await;
            if let Err(error) = dropped {
                tracing::warn!(%error, "a file that could not be added is taken away at the next start");
            }
        }
        Ok((circle, written?))
    }

    /// Adds a document whose file came through a page.
    ///
    /// # Errors
    /// [`CareError`]; neither the document nor its file is kept then.
    pub async fn add_document(
        &self,
        actor: &Actor,
        circle: CircleId,
        document: NewDocument,
        file: NamedFile,
    ) -> Result<Written, CareError> {
        let checked = self
            .may_write_in(actor, &circle, &[Category::Documents])
            .and_then(|()| check_name(&document.title));
        if let Err(error) = checked {
            self.give_up(file.file).await;
            return Err(error);
        }
        let actor = actor.clone();
        self.write_with(circle, Some(file), false, move |tx, attachments| {
            let content = Content::Document(Document {
                title: document.title,
                type_code: document.type_code,
                confidentiality: Vec::new(),
                attachments,
                withdrawn: String::new(),
            });
            write_one(
                tx,
                &actor,
                circle,
                fresh(&actor, content, None),
                "document.add",
            )
        })
        .await
    }

    async fn write_document(
        &self,
        actor: &Actor,
        circle: CircleId,
        title: String,
        named: AttachmentRef,
        sealed: Vec<Vec<u8>>,
    ) -> Result<Written, CareError> {
        let (address, shape) = (named.address, Shape::of(named.length)?);
        let mut from = 0;
        let mut sealed = sealed.into_iter();
        loop {
            let batch: Vec<_> = sealed.by_ref().take(BATCH).collect();
            let count = batch.len() as u64;
            if count == 0 {
                break;
            }
            self.ledger
                .run(move |tx| {
                    tx.replica.keep_chunks(circle, address, from, &batch);
                    Ok::<_, CareError>(())
                })
                .await?;
            from += count;
        }
        let content = Content::Document(Document {
            title,
            type_code: None,
            confidentiality: Vec::new(),
            attachments: vec![named],
            withdrawn: String::new(),
        });
        let draft = fresh(actor, content, None);
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                tx.replica.keep_file(circle, address, shape);
                write_one(tx, &actor, circle, draft, "document.add")
            })
            .await?)
    }

    fn attachments(&self, record: &RecordId) -> Result<(CircleId, Vec<AttachmentRef>), CareError> {
        let (circle, opened) = read::opened(self.shared(), record)?.ok_or(CareError::NoRecord)?;
        let named = opened.content.attachments().to_vec();
        if named.is_empty() {
            return Err(CareError::NoFile);
        }
        Ok((circle, named))
    }

    pub(super) fn file(
        &self,
        circle: &CircleId,
        named: &AttachmentRef,
    ) -> Result<FileState, CareError> {
        let all = Shape::of(named.length)?.chunks();
        let row = self
            .shared()
            .look(now_ms(), |view| view.file(circle, &named.address));
        Ok(FileState {
            name: named.name.clone(),
            media_type: named.media_type.clone(),
            bytes: named.length,
            sha256: named.plaintext_hash,
            chunks: (row.here.min(all), all),
            complete: row.complete,
        })
    }

    /// How much is here of the files that a record names.
    ///
    /// # Errors
    /// [`CareError::NoRecord`], [`CareError::NoFile`].
    pub fn document(&self, record: &RecordId) -> Result<DocumentState, CareError> {
        let (circle, named) = self.attachments(record)?;
        let files: Vec<_> = named
            .iter()
            .map(|named| self.file(&circle, named))
            .collect::<Result<_, _>>()?;
        Ok(DocumentState {
            record: *record,
            bytes: files.iter().map(|file| file.bytes).sum(),
            chunks: files.iter().fold((0, 0), |(here, all), file| {
                (here + file.chunks.0, all + file.chunks.1)
            }),
            complete: files.iter().all(|file| file.complete),
            files,
        })
    }

    /// Some bytes of a file that is all here, from chunk number `from`.
    ///
    /// # Errors
    /// [`CareError::NotAllHere`], [`CareError::Attachment`] where what is here does not open, and those of [`Self::document`].
    pub fn read_document(
        &self,
        record: &RecordId,
        file: usize,
        from: u64,
    ) -> Result<DocumentBytes, CareError> {
        let (circle, named) = self.attachments(record)?;
        let named = named.get(file).ok_or(CareError::NoFile)?;
        let state = self.file(&circle, named)?;
        let (here, all) = state.chunks;
        if !state.complete {
            return Err(CareError::NotAllHere { here, all });
        }
        let count = (PART / limits::CHUNK) as u64;
        let sealed = self.shared().look(now_ms(), |view| {
            view.chunks(&circle, &named.address, from, count)
        });
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(PART));
        let mut next = from;
        for chunk in &sealed {
            bytes.extend_from_slice(&open_chunk(&named.key.0, named.length, next, &chunk.0)?);
            next += 1;
        }
        if sealed.is_empty() {
            return Err(CareError::NotAllHere { here: from, all });
        }
        Ok(DocumentBytes {
            bytes: data_encoding::BASE64.encode(&bytes),
            next: (next < all).then_some(next),
        })
    }
}

/// Deliveries of a record that names files: those who have the record and not yet its files are told apart.
pub(super) fn with_files(
    mut deliveries: Vec<(NodeId, String, Delivery)>,
    content: &Content,
    header: &Header,
    acks: &std::collections::BTreeMap<NodeId, Ack>,
    circle: &Circle,
) -> Vec<(NodeId, String, Delivery)> {
    if content.attachments().is_empty() {
        return deliveries;
    }
    for (node, _, delivery) in &mut deliveries {
        let here = match acks.get(node) {
            Some(ack) => ack.has_attachments(&header.log, header.sequence),
            // This node itself has no acknowledgement of its own among the others'.
            None => circle
                .lacking
                .get(&header.log)
                .is_none_or(|first| header.sequence < *first),
        };
        if let (false, Delivery::Delivered { at_ms }) = (here, *delivery) {
            *delivery = Delivery::FilesMissing { at_ms };
        }
    }
    deliveries
}

/// What tells whether a content with files was imported before: the keys of files are new each time, their bytes are not.
pub(super) fn fingerprint(payload: &[u8], files: &[crate::fhir::AttachmentBytes]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut all = payload.to_vec();
    for file in files {
        let hash: [u8; 32] = Sha256::digest(&file.bytes).into();
        all.extend(cbor::encode(&(
            cbor::Bytes(hash.to_vec()),
            &file.media_type,
            &file.name,
        )));
    }
    all
}
