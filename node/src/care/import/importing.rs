//! Writing what an import brings, in one job of the ledger: whose it is, whether it is known already, what becomes of it.

use std::collections::BTreeMap;

use maillon_protocol::{
    cbor,
    charter::Subject as CircleSubject,
    content::{Content, PatientIdentity},
    ids::{CircleId, RecordId, ThingId},
    replica::Draft,
};
use minicbor::Decode;

use super::{
    Taken,
    known::{Alias, Known},
    ready::{Ready, ReadyPerson},
};
use crate::{
    care::{Actor, CareError, document::SealedFile},
    ledger::Tx,
    random,
    store::Table,
};

/// What was written for one person.
#[derive(Default)]
struct Written {
    records: Vec<RecordId>,
    replaced: u64,
}

/// One import in its job.
pub(super) struct Importing<'a, 'b> {
    pub(super) tx: &'a mut Tx<'b>,
    pub(super) actor: &'a Actor,
    /// This very file came before: nothing of it is written again.
    pub(super) seen: bool,
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

    /// Takes one person with what is said about them.
    pub(super) fn person(&mut self, person: ReadyPerson) -> Result<Taken, CareError> {
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
