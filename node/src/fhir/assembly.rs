//! From resources to people: whose each content is, in which order, and how much of it.

use std::collections::{HashMap, HashSet};

use maillon_protocol::limits::{ATTACHMENT, within};

use super::{
    Cause, ImportLimits, Item, Subject, SubjectIdentity, reading,
    report::WarningKind,
    source::{At, Resource, ResourceKind, Source, Target},
};

/// Everybody whom the file is about. Problems are noted in the account of `root`.
pub(crate) fn assemble(root: At<'_>, limits: &ImportLimits) -> Vec<Subject> {
    let source = Source::open(root, limits);
    let mut assembly = Assembly {
        source: &source,
        limits,
        subjects: Vec::new(),
        by_resource: HashMap::new(),
        by_reference: HashMap::new(),
        keys: HashSet::new(),
        total: 0,
    };
    for resource in source
        .resources
        .iter()
        .filter(|resource| resource.within.is_none())
    {
        match resource.kind {
            ResourceKind::Patient => {
                assembly.inline(resource);
            }
            ResourceKind::CareTeam | ResourceKind::DocumentReference => {
                assembly.about_somebody(resource)
            }
            _ => {}
        }
        if assembly.full() {
            break;
        }
    }
    let Assembly { mut subjects, .. } = assembly;
    for subject in &mut subjects {
        parents_first(&mut subject.items, root);
    }
    // Where somebody is referred to and not found, that is noted at the reference.
    if subjects.is_empty()
        && !source
            .resources
            .iter()
            .any(|resource| resource.at.get("subject").is_some())
    {
        root.problem(Cause::NoPatient);
    }
    source.note_unused();
    subjects
}

struct Assembly<'s, 'a> {
    source: &'s Source<'a>,
    limits: &'s ImportLimits,
    subjects: Vec<Subject>,
    by_resource: HashMap<usize, usize>,
    by_reference: HashMap<String, usize>,
    keys: HashSet<String>,
    total: usize,
}

impl<'a> Assembly<'_, 'a> {
    fn full(&self) -> bool {
        self.total > self.limits.total || self.keys.len() > self.limits.items
    }

    /// The subject of a Patient resource.
    fn inline(&mut self, resource: &Resource<'a>) -> usize {
        resource.used.set(true);
        if let Some(&place) = self.by_resource.get(&resource.index) {
            return place;
        }
        let (identity, doubts) = reading::patient(resource.at);
        let aliases = reading::aliases(resource);
        // Two people under one key would become one.
        if self
            .subjects
            .iter()
            .any(|known| known.aliases.iter().any(|alias| aliases.contains(alias)))
        {
            resource.at.problem(Cause::Twice);
        }
        let size = maillon_protocol::content::Content::PatientIdentity(identity.clone())
            .payload()
            .map_or(0, |bytes| bytes.0.len());
        self.bound(resource.at, size, 0);
        let place = self.subjects.len();
        self.subjects.push(Subject {
            key: aliases.first().cloned().unwrap_or_default(),
            aliases,
            identity: SubjectIdentity::Inline(Box::new(identity)),
            updated_ms: reading::last_updated(resource.at),
            doubts,
            items: Vec::new(),
        });
        self.by_resource.insert(resource.index, place);
        place
    }

    fn about_somebody(&mut self, resource: &Resource<'a>) {
        resource.used.set(true);
        let at = resource.at;
        let Some(reference) = at.object("subject") else {
            at.problem(Cause::NoPatient);
            return;
        };
        let source = self.source;
        let (subject, patient) = match source.follow(resource, reference) {
            Target::Here(patient) if patient.kind == ResourceKind::Patient => {
                (self.inline(patient), Some(patient.index))
            }
            Target::Here(_) => {
                reference.problem(Cause::WrongTarget);
                return;
            }
            Target::Elsewhere(_, Some(kind)) if kind != ResourceKind::Patient => {
                reference.problem(Cause::WrongTarget);
                return;
            }
            Target::Elsewhere(key, _) if !key.is_empty() && !reading::is_number(&key) => {
                for part in ["reference", "type", "identifier"] {
                    reference.map_at(part);
                }
                reference.warn(WarningKind::NotInFile);
                (self.referred(key), None)
            }
            Target::Elsewhere(..) | Target::Nowhere => {
                reference.problem(Cause::NoPatient);
                return;
            }
        };
        let items = match resource.kind {
            ResourceKind::CareTeam => reading::team(source, resource, patient),
            _ if reading::is_note(at) => reading::note(source, resource, patient, self.limits)
                .into_iter()
                .collect(),
            _ => vec![reading::document(source, resource)],
        };
        for item in items {
            self.push(subject, item, at);
            if self.full() {
                break;
            }
        }
    }

    fn referred(&mut self, key: String) -> usize {
        *self.by_reference.entry(key.clone()).or_insert_with(|| {
            self.subjects.push(Subject {
                key: key.clone(),
                aliases: vec![key.clone()],
                identity: SubjectIdentity::Reference(key),
                updated_ms: None,
                doubts: Vec::new(),
                items: Vec::new(),
            });
            self.subjects.len() - 1
        })
    }

    fn push(&mut self, subject: usize, item: Item, at: At<'a>) {
        let size = item.content.payload().map_or(0, |bytes| bytes.0.len());
        let files = item.attachments.iter().map(|file| file.bytes.len());
        let longest = files.clone().max().unwrap_or(0);
        if let Err(limit) = within("an attachment in bytes", longest as u64, ATTACHMENT) {
            at.problem(limit.into());
        }
        let attached = files.sum();
        if !self.keys.insert(item.source_key.clone()) {
            at.problem(Cause::Twice);
        }
        self.bound(at, size, attached);
        self.subjects[subject].items.push(item);
    }

    /// Counts what came out; one small resource may be named by hundreds of others.
    fn bound(&mut self, at: At<'a>, content: usize, attached: usize) {
        self.total += content + attached;
        let checks = [
            ("a content in bytes", content, self.limits.content),
            ("the contents of a file", self.keys.len(), self.limits.items),
            (
                "the contents and attachments of a file in bytes",
                self.total,
                self.limits.total,
            ),
        ];
        for (what, found, limit) in checks {
            if let Err(limit) = within(what, found as u64, limit as u64) {
                at.problem(limit.into());
            }
        }
    }
}

/// Orders items so that each comes after what it belongs to. A ring of answers is cut, with a warning.
fn parents_first(items: &mut Vec<Item>, root: At<'_>) {
    let keys: HashSet<String> = items.iter().map(|item| item.source_key.clone()).collect();
    let mut placed: HashSet<String> = HashSet::new();
    let mut waiting = std::mem::take(items);
    while !waiting.is_empty() {
        let before = waiting.len();
        let (ready, rest): (Vec<Item>, Vec<Item>) =
            waiting.into_iter().partition(|item| match &item.parent {
                Some(parent) => !keys.contains(parent) || placed.contains(parent),
                None => true,
            });
        placed.extend(ready.iter().map(|item| item.source_key.clone()));
        items.extend(ready);
        waiting = rest;
        if waiting.len() == before {
            root.warn(WarningKind::AnswersInARing);
            waiting
                .iter_mut()
                .take(1)
                .for_each(|item| item.parent = None);
        }
    }
}
