//! The resources of a file and how references find them: by fullUrl, then by type and id; `#id` among the contained ones.
//!
//! A reference that can only point into the file (`urn:`, `#`) and finds nothing is a problem. One that may point to the source's own
//! server (`Patient/12`, `https://…`) is not: whoever maps it decides. An absolute address of a patient stays whole: the same id at another
//! server is another person.

use std::{
    cell::Cell,
    collections::{HashMap, hash_map::Entry},
};

use maillon_protocol::limits::within;

use super::{At, Resource, ResourceKind};
use crate::fhir::{
    Cause, ImportLimits,
    report::{KeptReason, RefusedReason, WarningKind},
};

/// Where a reference leads.
pub(crate) enum Target<'s, 'a> {
    /// To a resource of the file.
    Here(&'s Resource<'a>),
    /// Outside the file; the key under which the source knows it, and its type as far as the reference says it.
    Elsewhere(String, Option<ResourceKind>),
    /// Nowhere: there is no usable reference. Where one dangles, the problem is noted already.
    Nowhere,
}

/// The resources of a file.
pub(crate) struct Source<'a> {
    pub(crate) resources: Vec<Resource<'a>>,
    by_url: HashMap<&'a str, usize>,
    by_id: HashMap<(ResourceKind, &'a str), usize>,
    contained: HashMap<(usize, &'a str), usize>,
}

impl<'a> Source<'a> {
    /// Finds the resources below `root`, which is a Bundle or a single resource. Everything wrong is noted in the account.
    pub(crate) fn open(root: At<'a>, limits: &ImportLimits) -> Self {
        let mut source = Self {
            resources: Vec::new(),
            by_url: HashMap::new(),
            by_id: HashMap::new(),
            contained: HashMap::new(),
        };
        survey(root);
        if root.peek("resourceType") != Some("Bundle") {
            source.add(root, None, limits);
            return source;
        }
        if !matches!(
            root.peek("type"),
            Some("transaction" | "collection" | "searchset")
        ) {
            root.get("type")
                .unwrap_or(root)
                .problem(Cause::UnsupportedBundle);
        }
        for key in ["resourceType", "type", "id"] {
            root.keep_at(key, KeptReason::Technical);
        }
        let entries = root.list("entry");
        if entries.is_empty() {
            root.get("entry").unwrap_or(root).problem(Cause::Missing);
        }
        for entry in entries {
            if source.resources.len() >= limits.entries {
                let over = within(
                    "the resources of a file",
                    limits.entries as u64 + 1,
                    limits.entries as u64,
                );
                over.unwrap_or_else(|limit| entry.problem(limit.into()));
                break;
            }
            for key in ["fullUrl", "request", "search"] {
                entry.keep_at(key, KeptReason::Technical);
            }
            if let Some(request) = entry.object("request")
                && !matches!(request.peek("method"), Some("POST" | "PUT"))
            {
                request
                    .get("method")
                    .unwrap_or(request)
                    .problem(Cause::NotAWrite);
            }
            match entry.object("resource") {
                Some(resource) => source.add(resource, entry.peek("fullUrl"), limits),
                None => entry.problem(Cause::Missing),
            }
        }
        source
    }

    fn add(&mut self, at: At<'a>, full_url: Option<&'a str>, limits: &ImportLimits) {
        let Some(owner) = self.push(at, full_url, None, limits) else {
            return;
        };
        if let Some(url) = full_url
            && self.by_url.insert(url, owner).is_some()
        {
            at.problem(Cause::Twice);
        }
        let resource = &self.resources[owner];
        if let Some(id) = resource.id {
            match self.by_id.entry((resource.kind, id)) {
                Entry::Vacant(place) => {
                    place.insert(owner);
                }
                Entry::Occupied(_) => at.problem(Cause::Twice),
            }
        }
        for contained in at.list("contained") {
            let Some(index) = self.push(contained, None, Some(owner), limits) else {
                continue;
            };
            if let Some(id) = self.resources[index].id
                && self.contained.insert((owner, id), index).is_some()
            {
                contained.problem(Cause::Twice);
            }
        }
    }

    fn push(
        &mut self,
        at: At<'a>,
        full_url: Option<&'a str>,
        within_: Option<usize>,
        limits: &ImportLimits,
    ) -> Option<usize> {
        let index = self.resources.len();
        if let Err(limit) = within(
            "the resources of a file",
            index as u64 + 1,
            limits.entries as u64,
        ) {
            at.problem(limit.into());
            return None;
        }
        let Some(kind) = at.peek("resourceType").and_then(ResourceKind::named) else {
            at.get("resourceType")
                .unwrap_or(at)
                .problem(Cause::UnsupportedResource);
            return None;
        };
        at.map_at("resourceType");
        at.keep_at("id", KeptReason::Technical);
        self.resources.push(Resource {
            at,
            kind,
            full_url,
            id: at.peek("id"),
            index,
            within: within_,
            used: Cell::new(false),
        });
        Some(index)
    }

    /// Follows a Reference of the resource `from`.
    pub(crate) fn follow(&self, from: &Resource<'a>, reference: At<'a>) -> Target<'_, 'a> {
        let Some(text) = reference.peek("reference") else {
            return logical(reference);
        };
        let found = self.find(from, text);
        if let Some(index) = found {
            let resource = &self.resources[index];
            resource.used.set(true);
            reference.map_at("reference");
            for key in ["display", "type", "identifier"] {
                reference.keep_at(key, KeptReason::SaidElsewhere);
            }
            return Target::Here(resource);
        }
        if text.starts_with(['#']) || text.starts_with("urn:") {
            reference.problem(Cause::DanglingReference);
            return Target::Nowhere;
        }
        reference.keep_at("reference", KeptReason::NotInFile);
        match type_and_id(text) {
            Some((kind @ ResourceKind::Patient, _)) if absolute(text) => {
                Target::Elsewhere(unversioned(text).to_owned(), Some(kind))
            }
            Some((kind, id)) => Target::Elsewhere(format!("{}/{id}", kind.name()), Some(kind)),
            None => Target::Elsewhere(
                text.to_owned(),
                reference.peek("type").and_then(ResourceKind::named),
            ),
        }
    }

    /// The resource at an address as `from` would write it.
    pub(crate) fn find(&self, from: &Resource<'a>, text: &str) -> Option<usize> {
        let owner = from.within.unwrap_or(from.index);
        if let Some(id) = text.strip_prefix('#') {
            return if id.is_empty() {
                Some(owner)
            } else {
                self.contained.get(&(owner, id)).copied()
            };
        }
        let text = unversioned(text);
        if let Some(&index) = self.by_url.get(text) {
            return Some(index);
        }
        let (kind, id) = type_and_id(text)?;
        let index = *self.by_id.get(&(kind, id))?;
        // An absolute address is another resource where the entry says its own absolute address. A patient has to say it.
        let resource = &self.resources[index];
        let elsewhere =
            resource.kind == ResourceKind::Patient || resource.full_url.is_some_and(absolute);
        let foreign = absolute(text) && elsewhere;
        (!foreign).then_some(index)
    }
}

fn absolute(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// An address without the version that it names.
fn unversioned(text: &str) -> &str {
    text.split("/_history/").next().unwrap_or(text)
}

/// Type and id at the end of a relative or absolute address.
fn type_and_id(text: &str) -> Option<(ResourceKind, &str)> {
    let text = unversioned(text);
    let (before, id) = text.rsplit_once('/')?;
    let name = before.rsplit('/').next().unwrap_or(before);
    let kind = ResourceKind::named(name)?;
    (!id.is_empty() && (absolute(text) || before == name)).then_some((kind, id))
}

/// A reference by identifier.
fn logical<'s, 'a>(reference: At<'a>) -> Target<'s, 'a> {
    let kind = reference.peek("type").and_then(ResourceKind::named);
    let identifier = reference.object("identifier");
    let key =
        identifier.and_then(|at| Some(format!("{}|{}", at.peek("system")?, at.peek("value")?)));
    match key {
        Some(key) => Target::Elsewhere(key, kind),
        None if reference.peek("display").is_some() => Target::Elsewhere(String::new(), kind),
        None => Target::Nowhere,
    }
}

/// What holds everywhere: empty strings count as absent, modifiers are not guessed, narrative and metadata stay in the original.
fn survey(root: At<'_>) {
    root.walk(&mut |name, at| {
        match name {
            Some("modifierExtension" | "implicitRules") => at.problem(Cause::UnknownModifier),
            Some("meta") => at.keep(KeptReason::Technical),
            Some("text") if at.get("div").is_some() => at.keep(KeptReason::Narrative),
            _ => {}
        }
        if let super::Shape::Text(text) = &at.node.shape
            && text.trim().is_empty()
        {
            at.refuse(RefusedReason::Empty);
        }
    });
}

impl<'a> Source<'a> {
    /// Notes the resources that nothing used.
    pub(crate) fn note_unused(&self) {
        for resource in self
            .resources
            .iter()
            .filter(|resource| !resource.used.get())
        {
            resource.at.keep(KeptReason::NotReferenced);
            resource.at.warn(WarningKind::NotReferenced);
        }
    }
}
