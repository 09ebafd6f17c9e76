//! What is done to an import before the ledger's thread sees it: files are sealed, contents hashed.

use maillon_protocol::{
    attachment::Named,
    content::{Content, PatientIdentity},
    ids::Hash,
};
use sha2::{Digest, Sha256};

use super::{ImportItem, Person, known::IDENTITY};
use crate::care::{
    CareError,
    document::{SealedFile, fingerprint},
};

/// An item with its files sealed: what does not need the ledger's thread.
pub(super) struct Ready {
    pub(super) key: String,
    pub(super) parent: Option<String>,
    pub(super) occurred_ms: Option<u64>,
    pub(super) content: Content,
    pub(super) files: Vec<SealedFile>,
    /// Over the content and the plaintext of its files.
    pub(super) hash: Hash,
}

impl Ready {
    fn of(item: ImportItem) -> Result<Self, CareError> {
        let payload = item.content.payload().ok_or(CareError::NothingWritten)?;
        let hash = Hash(Sha256::digest(fingerprint(&payload.0, &item.attachments)).into());
        let mut files = Vec::with_capacity(item.attachments.len());
        for file in item.attachments {
            let named = Named {
                media_type: file.media_type,
                name: file.name,
            };
            files.push(SealedFile::seal(&file.bytes, named)?);
        }
        Ok(Self {
            key: item.key,
            parent: item.parent,
            occurred_ms: item.occurred_ms,
            content: item.content,
            files,
            hash,
        })
    }
}

/// A person whose items are ready, their identity the first.
pub(super) struct ReadyPerson {
    pub(super) aliases: Vec<String>,
    pub(super) identity: Option<PatientIdentity>,
    pub(super) doubts: Vec<String>,
    pub(super) items: Vec<Ready>,
}

impl ReadyPerson {
    pub(super) fn of(person: Person) -> Result<Self, CareError> {
        let identity = person.identity.iter().map(|identity| ImportItem {
            key: IDENTITY.to_owned(),
            parent: None,
            occurred_ms: None,
            content: Content::PatientIdentity(identity.clone()),
            attachments: Vec::new(),
        });
        let items = identity.chain(person.items).map(Ready::of);
        Ok(Self {
            items: items.collect::<Result<_, _>>()?,
            aliases: person.aliases,
            identity: person.identity,
            doubts: person.doubts,
        })
    }
}
