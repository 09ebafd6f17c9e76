//! One resource of the file and the key by which it is recognised again.

use std::cell::Cell;

use super::At;

/// Types of resources that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ResourceKind {
    Patient,
    CareTeam,
    DocumentReference,
    Organization,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
    Device,
    Binary,
}

impl ResourceKind {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Patient, "Patient"),
        (Self::CareTeam, "CareTeam"),
        (Self::DocumentReference, "DocumentReference"),
        (Self::Organization, "Organization"),
        (Self::Practitioner, "Practitioner"),
        (Self::PractitionerRole, "PractitionerRole"),
        (Self::RelatedPerson, "RelatedPerson"),
        (Self::Device, "Device"),
        (Self::Binary, "Binary"),
    ];

    /// The type with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("?", |(_, name)| name)
    }
}

/// A resource of the file.
pub(crate) struct Resource<'a> {
    pub(crate) at: At<'a>,
    pub(crate) kind: ResourceKind,
    pub(crate) full_url: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    /// Its place among the resources of the file.
    pub(crate) index: usize,
    /// The resource that contains this one.
    pub(crate) within: Option<usize>,
    /// Whether anything refers to it or comes out of it.
    pub(crate) used: Cell<bool>,
}

impl Resource<'_> {
    /// Stable text by which the same resource of the same source is recognised: `Type/id`, else `Type:system|value`, else its fullUrl,
    /// else the SHA-256 of its content.
    pub(crate) fn key(&self) -> String {
        let name = self.kind.name();
        let own = if self.within.is_none() { self.id } else { None };
        own.map(|id| format!("{name}/{id}"))
            .or_else(|| self.identifier_key().map(|key| format!("{name}:{key}")))
            .or_else(|| self.full_url.map(str::to_owned))
            .unwrap_or_else(|| {
                let digest = data_encoding::HEXLOWER.encode(&self.at.node.digest());
                format!("{name}#{digest}")
            })
    }

    fn identifier_key(&self) -> Option<String> {
        let mut identifiers = self.at.list("identifier");
        identifiers.extend(self.at.object("masterIdentifier"));
        identifiers.into_iter().find_map(|identifier| {
            let system = identifier.peek("system")?;
            Some(format!("{system}|{}", identifier.peek("value")?))
        })
    }
}
