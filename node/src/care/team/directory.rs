//! Who is known by a name (annuaire), to be added to a team: the professionals of this structure, and those whom other structures have put into files that this
//! node was given.
//!
//! What a structure says of its own people counts, and nothing that others say of them. Shown is what a directory shows, name, profession and structure: never in
//! whose file they stand, and nobody who is close to a person. A directory that structures publish is one more [`KnownBy`] when it comes.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use maillon_protocol::{
    content::{Participation, Party, Professional, Structure},
    ids::{CircleId, NodeId, ThingId},
    time::Timestamp,
};

use super::{Mark, Term, named};
use crate::{
    care::{Actor, Care, CareError, Category, index::words},
    clock::today,
};

/// People in one page of an answer.
pub const PEOPLE_IN_A_PAGE: usize = 20;
/// Characters of a search, and its words; more say nothing more.
const LONGEST: usize = 100;
const MOST: usize = 8;

/// A professional of another structure, as it named them itself.
#[derive(Debug, Clone)]
pub(in crate::care) struct Colleague {
    node: NodeId,
    at: Timestamp,
    mark: Mark,
    professional: Professional,
}

impl Colleague {
    /// What a participation that `author` wrote at `node` says of somebody of its own structure; none where it is about anybody else, or where nothing but a
    /// name says whom it is about.
    pub(in crate::care) fn of(
        participation: &Participation,
        author: &Professional,
        (node, at): (NodeId, Timestamp),
    ) -> Option<Self> {
        let Party::Professional(professional) = &participation.party else {
            return None;
        };
        if professional.structure.name != author.structure.name {
            return None;
        }
        Some(Self {
            node,
            at,
            // National identifiers first: the same person in two files is one.
            mark: Mark::of(professional).into_iter().min()?,
            professional: professional.clone(),
        })
    }

    /// Their structure's node.
    pub(in crate::care) const fn node(&self) -> NodeId {
        self.node
    }

    /// Whether a term is theirs.
    pub(in crate::care) fn is_named_by(&self, term: &Term) -> bool {
        term.marks.contains(&self.mark)
    }
}

/// From where somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// They act at this node.
    Account(ThingId),
    /// Their structure put them into a file that this node was given.
    Files(NodeId),
}

/// Somebody who may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What names them here: the same for as long as this node has its keys, and of no use elsewhere.
    pub key: String,
    /// Who they are.
    pub professional: Professional,
    /// From where.
    pub by: KnownBy,
    /// Whether they are in the team today.
    pub follows: bool,
    /// Whether their structure is in the circle.
    pub in_circle: bool,
    /// As a term names them, with what tells them apart: for no page.
    pub(super) party: Party,
}

/// Who is looked for.
#[derive(Debug, Clone, Copy)]
pub struct NameWanted<'a> {
    /// What was typed: beginnings of names, in any order. Nothing for everybody of this structure.
    pub typed: &'a str,
    /// Pages before this one.
    pub page: usize,
    /// The structures that could be invited; people of others are left out unless these are in the circle.
    pub linked: &'a BTreeSet<NodeId>,
}

/// A page of them, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFound {
    /// Those of this page.
    pub people: Vec<Known>,
    /// How many there are, all pages together.
    pub total: usize,
    /// Whether files are still being read: there may be more.
    pub partial: bool,
}

/// Whether somebody is meant: each word that was typed is the beginning of one of theirs.
fn is_meant(asked: &[String], known: &Known) -> bool {
    let one = &known.professional;
    let profession = one.profession.as_ref().map_or("", |code| &code.label);
    let theirs = [&one.name, profession, &one.structure.name];
    let theirs: Vec<String> = theirs.into_iter().flat_map(words).collect();
    let begins = |word: &String| theirs.iter().any(|one| one.starts_with(word.as_str()));
    asked.iter().all(begins)
}

impl Care {
    /// Who is known by a name. Whoever may change the team asks; where people of other structures are shown, the search stands in the trail.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotAllowed`].
    pub async fn known_by_name(
        &self,
        actor: &Actor,
        circle: &CircleId,
        wanted: NameWanted<'_>,
    ) -> Result<KnownFound, CareError> {
        let typed: String = wanted.typed.chars().take(LONGEST).collect();
        let asked: Vec<String> = words(&typed).into_iter().take(MOST).collect();
        let mut people = self.known(actor, circle, wanted.linked)?;
        people.retain(|one| match one.by {
            KnownBy::Files(_) if asked.is_empty() => false,
            _ => is_meant(&asked, one),
        });
        let total = people.len();
        let from = wanted.page.saturating_mul(PEOPLE_IN_A_PAGE).min(total);
        let people: Vec<Known> = people
            .drain(from..total.min(from + PEOPLE_IN_A_PAGE))
            .collect();
        if people.iter().any(|one| matches!(one.by, KnownBy::Files(_))) {
            self.looked_around(actor, "directory.search").await?;
        }
        Ok(KnownFound {
            people,
            total,
            partial: !self.knows_everybody(),
        })
    }

    /// Somebody whom a search has shown, by their key; none where nobody is named so any more.
    ///
    /// # Errors
    /// As [`Care::known_by_name`].
    pub fn known_as(
        &self,
        actor: &Actor,
        circle: &CircleId,
        key: &str,
        linked: &BTreeSet<NodeId>,
    ) -> Result<Option<Known>, CareError> {
        let mut all = self.known(actor, circle, linked)?.into_iter();
        Ok(all.find(|one| one.key == key))
    }

    /// Everybody who is known and could be added, by name.
    fn known(
        &self,
        actor: &Actor,
        circle: &CircleId,
        linked: &BTreeSet<NodeId>,
    ) -> Result<Vec<Known>, CareError> {
        self.may_write_in(actor, circle, &[Category::Administration])?;
        self.may_find(actor)?;
        let (filed, today) = (self.file_now(circle)?, today());
        let follows = |marks: &[Mark]| {
            let filed = filed.as_ref();
            filed.is_some_and(|filed| filed.is_followed_by(marks, &today))
        };
        let shared = self.shared();
        let held = shared.circle(circle).ok_or(CareError::NoCircle)?;
        let (own, names) = (shared.own(), self.names());
        let mut people: Vec<Known> = Vec::new();
        for one in self.professionals()? {
            people.push(Known {
                key: self.known_key(&own, one.id.to_string().as_bytes()),
                follows: follows(&Mark::all_of(&one)),
                in_circle: true,
                party: named(&one),
                by: KnownBy::Account(one.id),
                professional: one.professional,
            });
        }
        for one in self.colleagues() {
            let in_circle = held.charter.is_member(&one.node);
            if !in_circle && !linked.contains(&one.node) {
                continue;
            }
            // A record says of a structure what it likes; here it goes by the name under which its node is shown.
            let structure = Structure {
                name: names.of(&one.node),
                identifiers: one.professional.structure.identifiers.clone(),
            };
            let (Mark::National(said) | Mark::Local(said)) = &one.mark;
            let professional = Professional {
                structure,
                ..one.professional
            };
            people.push(Known {
                key: self.known_key(&one.node, said.as_bytes()),
                follows: follows(&Mark::of(&professional)),
                in_circle,
                party: Party::Professional(professional.clone()),
                by: KnownBy::Files(one.node),
                professional,
            });
        }
        people.sort_by_cached_key(|one| {
            let away = matches!(one.by, KnownBy::Files(_));
            let said = &one.professional;
            (
                words(&said.name),
                away,
                said.structure.name.clone(),
                one.key.clone(),
            )
        });
        Ok(people)
    }

    /// The professionals of other structures whom files here name: each once, as named last.
    fn colleagues(&self) -> Vec<Colleague> {
        let mut newest: BTreeMap<(NodeId, Mark), Colleague> = BTreeMap::new();
        self.each_colleague(|one| {
            let key = (one.node, one.mark.clone());
            let known = newest.get(&key);
            if known.is_none_or(|known| known.at < one.at) {
                newest.insert(key, one.clone());
            }
        });
        newest.into_values().collect()
    }

    fn known_key(&self, node: &NodeId, mark: &[u8]) -> String {
        let namer = self.shared().rows().0.namer();
        HEXLOWER.encode(&namer.name("known", &[&node.0, mark]))
    }
}
