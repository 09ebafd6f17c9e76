//! Professionals, structures and people close to the patient, from the resources that a reference leads to.
//!
//! Where the resource is not in the file, the name that stands beside the reference is taken, with a warning.

use maillon_protocol::content::{Code, Party, Professional, Structure};

use super::{
    contact,
    parties::{PROFESSIONS, device, named, nobody, practitioner, related, structure, the_patient},
};
use crate::fhir::{
    Cause, codes,
    report::WarningKind,
    source::{At, Resource, ResourceKind, Source, Target},
};

/// Somebody found through a reference: who, and the key of the person or structure behind.
pub(crate) struct Found {
    pub(crate) party: Party,
    pub(crate) key: String,
    /// Whether this is a practitioner without the role in which they act.
    pub(crate) bare: bool,
}

/// Reads the people of one file.
pub(crate) struct People<'s, 'a> {
    pub(crate) source: &'s Source<'a>,
}

impl<'a> People<'_, 'a> {
    /// Who takes part or wrote, behind a reference of `from`. `None` where nobody can be told; a reference that dangles or leads to a
    /// wrong type is noted as a problem.
    pub(crate) fn party(
        &self,
        from: &Resource<'a>,
        reference: At<'a>,
        patient: Option<usize>,
    ) -> Option<Found> {
        match self.source.follow(from, reference) {
            Target::Here(resource) => {
                let party = self.read(resource, reference, patient)?;
                Some(Found {
                    party,
                    key: self.person_key(resource),
                    bare: resource.kind == ResourceKind::Practitioner,
                })
            }
            Target::Elsewhere(key, kind) => {
                let name = reference.text("display")?;
                reference.warn(WarningKind::NotInFile);
                Some(Found {
                    party: named(reference, name, kind),
                    key,
                    bare: kind == Some(ResourceKind::Practitioner),
                })
            }
            Target::Nowhere => None,
        }
    }

    fn read(
        &self,
        resource: &Resource<'a>,
        reference: At<'a>,
        patient: Option<usize>,
    ) -> Option<Party> {
        let at = resource.at;
        Some(match resource.kind {
            ResourceKind::PractitionerRole => Party::Professional(self.in_a_role(resource)),
            ResourceKind::Practitioner => Party::Professional(practitioner(at)),
            ResourceKind::Organization => Party::Organisation(structure(at), contact::contacts(at)),
            ResourceKind::RelatedPerson => {
                self.check_patient(resource, patient);
                related(at)
            }
            ResourceKind::Patient => Party::RelatedPerson {
                name: contact::shown_name(at).unwrap_or_default(),
                relationship: vec![the_patient()],
                contacts: Vec::new(),
                identifiers: Vec::new(),
            },
            ResourceKind::Device => Party::Organisation(device(at), Vec::new()),
            ResourceKind::CareTeam | ResourceKind::DocumentReference | ResourceKind::Binary => {
                reference.problem(Cause::WrongTarget);
                return None;
            }
        })
    }

    /// A role is the person behind it, so that somebody who is named as both is one.
    fn person_key(&self, resource: &Resource<'a>) -> String {
        if resource.kind == ResourceKind::PractitionerRole
            && let Some(reference) = resource.at.object("practitioner")
        {
            match self.source.follow(resource, reference) {
                Target::Here(person) => return person.key(),
                Target::Elsewhere(key, _) if !key.is_empty() => return key,
                _ => {}
            }
        }
        resource.key()
    }

    fn in_a_role(&self, resource: &Resource<'a>) -> Professional {
        let at = resource.at;
        contact::warn_inactive(at);
        let mut professional = nobody();
        if let Some(reference) = at.object("practitioner") {
            match self.source.follow(resource, reference) {
                Target::Here(person) if person.kind == ResourceKind::Practitioner => {
                    professional = practitioner(person.at);
                }
                Target::Here(_) => reference.problem(Cause::WrongTarget),
                Target::Elsewhere(..) => {
                    professional.name = reference.text("display").unwrap_or_default().to_owned();
                    professional
                        .identifiers
                        .extend(reference.object("identifier").and_then(codes::identifier));
                    reference.warn(WarningKind::NotInFile);
                }
                Target::Nowhere => {}
            }
        }
        let mut identifiers = codes::identifiers(at);
        identifiers.retain(|identifier| !professional.identifiers.contains(identifier));
        professional.identifiers.extend(identifiers);
        let roles: Vec<Code> = at
            .list("code")
            .into_iter()
            .filter_map(|concept| codes::code(concept, &PROFESSIONS))
            .collect();
        let own = roles
            .iter()
            .find(|code| PROFESSIONS.contains(&code.system))
            .cloned();
        professional.profession = own
            .or(professional.profession)
            .or_else(|| roles.into_iter().next());
        if let Some(reference) = at.object("organization") {
            professional.structure = self
                .organisation(resource, reference)
                .unwrap_or(professional.structure);
        }
        professional
    }

    /// The structure behind a reference.
    pub(crate) fn organisation(&self, from: &Resource<'a>, reference: At<'a>) -> Option<Structure> {
        match self.source.follow(from, reference) {
            Target::Here(resource) if resource.kind == ResourceKind::Organization => {
                Some(structure(resource.at))
            }
            Target::Here(_) => {
                reference.problem(Cause::WrongTarget);
                None
            }
            Target::Elsewhere(..) => {
                reference.warn(WarningKind::NotInFile);
                let identifiers = reference.object("identifier").and_then(codes::identifier);
                let name = reference.text("display");
                (name.is_some() || identifiers.is_some()).then(|| Structure {
                    name: name.unwrap_or_default().to_owned(),
                    identifiers: identifiers.into_iter().collect(),
                })
            }
            Target::Nowhere => None,
        }
    }

    /// Somebody close to one patient must not end up in another one's file.
    fn check_patient(&self, resource: &Resource<'a>, patient: Option<usize>) {
        let Some(reference) = resource.at.object("patient") else {
            return;
        };
        if let Target::Here(theirs) = self.source.follow(resource, reference)
            && patient.is_some_and(|patient| patient != theirs.index)
        {
            reference.problem(Cause::OtherPatient);
        }
    }
}
