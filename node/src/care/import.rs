//! Takes over what another software knew: people and things, each recognised again by the key that their source gives them.
//!
//! A file comes at once or in parts ([`Care::begin_import`]); what has come waits in memory, and a file that breaks off leaves nothing.
//! One import is one job of the ledger: everything goes in, or nothing. The same file twice changes nothing, whatever came between; a newer one
//! supersedes what it changes, and the answer counts that. The original is kept under seal, at this node only. A source's key is believed only as long as the strict traits
//! say the same person; nobody is ever merged here. A key that two people have had names neither of them any more: a file that refers to
//! somebody by it alone is refused.

use std::collections::BTreeMap;

use maillon_protocol::{
    admin::Upload,
    attachment::Named,
    cbor,
    charter::Subject as CircleSubject,
    content::{Content, IdentityStatus, PatientIdentity},
    ids::{CircleId, Hash, RecordId, ThingId, Token},
    limits::{self, within},
    replica::Draft,
};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    Actor, Care, CareError, Category, audit,
    document::{SealedFile, fingerprint},
    origin,
    people::Seat,
    uploads::Uploads,
};
use crate::{
    audit::About,
    fhir::AttachmentBytes,
    ledger::{LedgerError, Tx},
    random,
    store::{MAX_BATCH_BYTES, Table},
};

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

/// What is known of an item that was imported before.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Known {
    #[n(0)]
    thing: ThingId,
    #[n(1)]
    newest: RecordId,
    #[n(2)]
    content: Hash,
}

/// Whom a source's key names.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Alias {
    #[n(0)]
    circle: CircleId,
    #[n(1)]
    identity: PatientIdentity,
    /// Whether somebody else came under the same key. It stays so.
    #[n(2)]
    #[cbor(default)]
    ambiguous: bool,
}

/// The key under which a person's identity itself is remembered.
const IDENTITY: &str = "identity";

/// An item with its files sealed: what does not need the ledger's thread.
struct Ready {
    key: String,
    parent: Option<String>,
    occurred_ms: Option<u64>,
    content: Content,
    files: Vec<SealedFile>,
    /// Over the content and the plaintext of its files.
    hash: Hash,
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
struct ReadyPerson {
    aliases: Vec<String>,
    identity: Option<PatientIdentity>,
    doubts: Vec<String>,
    items: Vec<Ready>,
}

impl ReadyPerson {
    fn of(person: Person) -> Result<Self, CareError> {
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

struct Importing<'a, 'b> {
    tx: &'a mut Tx<'b>,
    actor: &'a Actor,
    /// This very file came before: nothing of it is written again.
    seen: bool,
}

impl Importing<'_, '_> {
    fn key(&self, kind: &[u8], domain: &'static str, parts: &[&[u8]]) -> Vec<u8> {
        [kind, &self.tx.rows.0.namer().name(domain, parts)].concat()
    }

    fn get<T: for<'b> Decode<'b, ()>>(&self, key: &[u8]) -> Result<Option<T>, CareError> {
        match self.tx.get(Table::Originals, key)? {
            None => Ok(None),
            Some(bytes) => minicbor::decode(&bytes).map(Some).map_err(|_| {
                CareError::Text("what was imported before cannot be read: run `maillonctl doctor`")
            }),
        }
    }

    fn alias_key(&self, alias: &str) -> Vec<u8> {
        self.key(b"k", "import-alias", &[alias.as_bytes()])
    }

    /// Where it is remembered which of the people under one alias has these strict traits.
    fn person_key(&self, alias: &str, identity: &PatientIdentity) -> Vec<u8> {
        let traits = cbor::encode(&strict(identity));
        self.key(b"p", "import-person", &[alias.as_bytes(), &traits])
    }

    /// Somebody to whom a file only refers: the one person who has the alias.
    fn referred(&self, aliases: &[String]) -> Result<(CircleId, PatientIdentity), CareError> {
        for alias in aliases {
            if let Some(known) = self.get::<Alias>(&self.alias_key(alias))? {
                if known.ambiguous {
                    return Err(CareError::AmbiguousPatient);
                }
                return Ok((known.circle, known.identity));
            }
        }
        Err(CareError::UnknownPatient)
    }

    /// The circle of somebody whom the source sent before, if they are still the same person.
    fn circle_of(
        &self,
        aliases: &[String],
        identity: &PatientIdentity,
    ) -> Result<Option<CircleId>, CareError> {
        for alias in aliases {
            if let Some(circle) = self.get(&self.person_key(alias, identity))? {
                return Ok(Some(circle));
            }
            let known: Option<Alias> = self.get(&self.alias_key(alias))?;
            if let Some(known) = known.filter(|known| strict(&known.identity) == strict(identity)) {
                return Ok(Some(known.circle));
            }
        }
        Ok(None)
    }

    /// Remembers that a person has an alias. Who had it before keeps it; it is ambiguous from then on.
    fn remember(
        &mut self,
        alias: &str,
        circle: CircleId,
        identity: &PatientIdentity,
    ) -> Result<(), CareError> {
        let person = self.person_key(alias, identity);
        if self.get::<CircleId>(&person)?.is_none() {
            self.tx.put(Table::Originals, person, cbor::encode(&circle));
        }
        let key = self.alias_key(alias);
        let row = match self.get::<Alias>(&key)? {
            Some(other) if other.ambiguous || other.circle != circle => Alias {
                ambiguous: true,
                ..other
            },
            _ => Alias {
                circle,
                identity: identity.clone(),
                ambiguous: false,
            },
        };
        self.tx.put(Table::Originals, key, cbor::encode(&row));
        Ok(())
    }

    fn person(&mut self, person: ReadyPerson) -> Result<Taken, CareError> {
        let now = self.tx.now_ms;
        let (circle, identity, opened) = match &person.identity {
            None => {
                let (circle, identity) = self.referred(&person.aliases)?;
                (circle, identity, false)
            }
            Some(identity) => {
                let known = self.circle_of(&person.aliases, identity)?;
                let circle = known.unwrap_or_else(|| {
                    self.tx
                        .replica
                        .found(CircleSubject::Patient, now, self.tx.rng)
                });
                for alias in &person.aliases {
                    self.remember(alias, circle, identity)?;
                }
                (circle, identity.clone(), known.is_none())
            }
        };
        let mut written = Written::default();
        let mut things = BTreeMap::new();
        for item in person.items {
            self.item(circle, item, &mut things, &mut written)?;
        }
        Ok(Taken {
            circle,
            opened,
            records: written.records,
            replaced: written.replaced,
            status: identity.status,
            doubts: person.doubts,
        })
    }

    fn item(
        &mut self,
        circle: CircleId,
        item: Ready,
        things: &mut BTreeMap<String, ThingId>,
        all: &mut Written,
    ) -> Result<(), CareError> {
        let now = self.tx.now_ms;
        let hash = item.hash;
        let key = self.key(b"i", "import-item", &[&circle.0, item.key.as_bytes()]);
        let known: Option<Known> = self.get(&key)?;
        let thing = known
            .as_ref()
            .map_or_else(|| ThingId(random::token()), |known| known.thing);
        things.insert(item.key, thing);
        if known
            .as_ref()
            .is_some_and(|known| self.seen || known.content == hash)
        {
            return Ok(());
        }
        all.replaced += u64::from(known.is_some());
        let parent = match &item.parent {
            None => None,
            Some(name) => match things.get(name) {
                Some(thing) => Some(*thing),
                None => {
                    let key = self.key(b"i", "import-item", &[&circle.0, name.as_bytes()]);
                    self.get::<Known>(&key)?.map(|known| known.thing)
                }
            },
        };
        let content = self.keep_files(circle, item.content, item.files)?;
        let draft = Draft {
            thing: Some(thing),
            parent,
            supersedes: known.map(|known| known.newest).into_iter().collect(),
            author: self.actor.professional.clone(),
            occurred_ms: item.occurred_ms.unwrap_or(now),
            content,
        };
        let written =
            self.tx
                .replica
                .write(self.tx.rows, &circle, vec![draft], now, self.tx.rng)?;
        let record = written.first().ok_or(CareError::NothingWritten)?.record;
        all.records.push(record);
        self.tx.put(
            Table::Originals,
            key,
            cbor::encode(&Known {
                thing,
                newest: record,
                content: hash,
            }),
        );
        Ok(())
    }
}

/// What a row that imports remember something by is about.
pub(super) enum Remembered {
    /// A circle.
    Circle(CircleId),
    /// A record.
    Record(RecordId),
}

/// The first letters of such rows; those of the files themselves are others.
pub(super) const REMEMBERED: [u8; 3] = [b'k', b'p', b'i'];

/// What such a row is about; none where it cannot be read.
pub(super) fn about(letter: u8, value: &[u8]) -> Option<Remembered> {
    match letter {
        b'k' => {
            let alias = minicbor::decode::<Alias>(value).ok()?;
            Some(Remembered::Circle(alias.circle))
        }
        b'p' => minicbor::decode(value).ok().map(Remembered::Circle),
        _ => {
            let known = minicbor::decode::<Known>(value).ok()?;
            Some(Remembered::Record(known.newest))
        }
    }
}

/// What was written for one person.
#[derive(Default)]
struct Written {
    records: Vec<RecordId>,
    replaced: u64,
}

impl Importing<'_, '_> {
    /// Keeps the files of a content beside it, in the same commit.
    fn keep_files(
        &mut self,
        circle: CircleId,
        mut content: Content,
        files: Vec<SealedFile>,
    ) -> Result<Content, CareError> {
        let named = match &mut content {
            Content::Document(document) => &mut document.attachments,
            Content::LiaisonNote(note) => &mut note.attachments,
            _ => return Ok(content),
        };
        for file in files {
            named.push(file.keep(self.tx, circle)?);
        }
        Ok(content)
    }
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

/// The strict traits: what two files of one source must agree on before its key is believed.
fn strict(identity: &PatientIdentity) -> (String, Option<String>, Option<String>, u8, String) {
    (
        identity.birth_name.to_uppercase(),
        identity
            .birth_given_names
            .first()
            .map(|name| name.to_uppercase()),
        identity
            .birth_date
            .as_ref()
            .map(|date| date.as_str().to_owned()),
        identity.sex as u8,
        identity.birth_place.clone(),
    )
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
