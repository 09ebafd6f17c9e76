//! The care team (CDS profile of CareTeam) and the terms of its members.

use std::collections::HashMap;

use maillon_protocol::content::{CareTeam, CodeSystem, Content, Participation, Party};

use super::{people::People, time};
use crate::fhir::{
    Cause, Item, codes,
    report::{KeptReason, RefusedReason, WarningKind},
    source::{At, Resource, Source},
};

/// The team and one item for each term of a member. `patient` is the place of its patient's resource.
///
/// The key of a term is the team's key, the member's key and the number of this member's term by its start: it stays the same when the
/// source lists its members in another order or corrects a day.
pub(crate) fn team<'a>(
    source: &Source<'a>,
    of: &Resource<'a>,
    patient: Option<usize>,
) -> Vec<Item> {
    let at = of.at;
    let people = People { source };
    check_status(at);
    let key = of.key();
    let occurred_ms = time::last_updated(at);
    let name = at.text("name");
    if name.is_none() {
        at.get("name").unwrap_or(at).problem(Cause::Missing);
    }
    let managers = at.list("managingOrganization").into_iter();
    let managed_by = managers
        .filter_map(|reference| people.organisation(of, reference))
        .collect();
    let mut items = vec![Item {
        source_key: key.clone(),
        parent: None,
        replaces: None,
        occurred_ms,
        content: Content::CareTeam(CareTeam {
            name: name.unwrap_or_default().to_owned(),
            identifiers: codes::identifiers(at),
            period: time::period_at(at, "period"),
            managed_by,
        }),
        attachments: Vec::new(),
    }];
    let participants = at.list("participant").into_iter();
    let mut terms: Vec<(String, Participation)> = participants
        .filter_map(|term| participation(&people, of, term, patient))
        .collect();
    terms.sort_by(|(_, one), (_, other)| one.period.start.cmp(&other.period.start));
    let mut seen: HashMap<String, usize> = HashMap::new();
    items.extend(terms.into_iter().map(|(member, participation)| {
        let term = seen
            .entry(member.clone())
            .and_modify(|term| *term += 1)
            .or_insert(1);
        Item {
            source_key: format!("{key}/{member}/{term}"),
            parent: Some(key.clone()),
            replaces: None,
            occurred_ms,
            content: Content::Participation(participation),
            attachments: Vec::new(),
        }
    }));
    items
}

fn participation<'a>(
    people: &People<'_, 'a>,
    of: &Resource<'a>,
    at: At<'a>,
    patient: Option<usize>,
) -> Option<(String, Participation)> {
    let Some(reference) = at.object("member") else {
        at.problem(Cause::Missing);
        return None;
    };
    let Some(found) = people.party(of, reference, patient) else {
        at.keep(KeptReason::NotInFile);
        reference.warn(WarningKind::MemberLeftOut);
        return None;
    };
    let mut party = found.party;
    if let (Party::Professional(professional), Some(reference)) =
        (&mut party, at.object("onBehalfOf"))
    {
        let structure = people.organisation(of, reference);
        professional.structure = structure.unwrap_or_else(|| professional.structure.clone());
    }
    let wanted = [CodeSystem::RoleClass, CodeSystem::ParticipationFunction];
    let roles = at
        .list("role")
        .into_iter()
        .filter_map(|concept| codes::code(concept, &wanted));
    let member = if found.key.is_empty() {
        let name = match &party {
            Party::Professional(professional) => &professional.name,
            Party::Organisation(structure, _) => &structure.name,
            Party::RelatedPerson { name, .. } => name,
        };
        name.clone()
    } else {
        found.key
    };
    let participation = Participation {
        roles: roles.collect(),
        period: time::period_at(at, "period"),
        referent: false,
        party,
    };
    Some((member, participation))
}

/// Our team has no status: an active one is the rule, any other is told; one entered in error does not go in.
fn check_status(at: At<'_>) {
    match at.peek("status") {
        Some("active") => at.map_at("status"),
        Some("proposed" | "suspended" | "inactive") => {
            at.warn_at("status", WarningKind::StatusNotCarried)
        }
        Some("entered-in-error") => at
            .get("status")
            .unwrap_or(at)
            .problem(Cause::EnteredInError),
        Some(_) => at
            .get("status")
            .unwrap_or(at)
            .refuse(RefusedReason::UnknownCode),
        // R4 does not require it; the national profile does. Absent says nothing against the team.
        None => {}
    }
}
