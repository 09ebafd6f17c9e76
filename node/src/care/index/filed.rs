//! One file, as lists show it: what of its records is kept in memory, and how it is read.

use maillon_protocol::{
    charter::Subject,
    circle::Circle,
    content::{Content, Kind, PatientIdentity},
    dossier::Version,
    ids::{CircleId, NodeId},
};

use super::words::words;
use crate::{
    care::{
        CareError, read,
        team::{Colleague, Mark, Term, lasts},
    },
    clock::today,
    ledger::Shared,
};

/// One file, as lists show it.
#[derive(Debug, Clone)]
pub struct Filed {
    /// The circle.
    pub circle: CircleId,
    /// Who the person is, as written last.
    pub identity: PatientIdentity,
    /// Whether structures say different things of who the person is.
    pub contested: bool,
    /// Whether the file is closed, or this structure is in the circle no more.
    pub ended: bool,
    /// When something came into it last, Unix milliseconds.
    pub latest_ms: u64,
    /// The structure of the referent on the day on which this was read; where that is not known, the one that wrote who it is.
    pub referent: Option<NodeId>,
    /// Its words, each after a space.
    pub(super) names: String,
    pub(super) terms: Vec<Term>,
    /// Professionals of other structures, as these named them.
    pub(super) colleagues: Vec<Colleague>,
}

impl Filed {
    /// Reads a file; none where it is about nobody, or is continued by another one that is here.
    pub(super) fn read(shared: &Shared, circle: &Circle) -> Result<Option<Self>, CareError> {
        let id = circle.id();
        let state = circle.charter.state();
        let goes_on = circle.continued.and_then(|next| shared.circle(&next));
        if state.subject != Subject::Patient || goes_on.is_some() {
            return Ok(None);
        }
        let (mut identities, mut terms, mut latest_ms) = (Vec::new(), Vec::new(), 0);
        let (mut referent, mut colleagues) = (None, Vec::new());
        let (own, today) = (shared.own(), today());
        for thing in read::things(shared, &id)?.values() {
            let newest = thing.newest().map_or(0, |version| version.time.ms());
            latest_ms = latest_ms.max(newest);
            let kind = thing.kind().and_then(Kind::from_number);
            if !matches!(kind, Some(Kind::PatientIdentity | Kind::Participation)) {
                continue;
            }
            let standing = read::standing(thing);
            let stands =
                |version: &Version| standing.iter().any(|one| one.record == version.record);
            // Who somebody is was said when their structure wrote it, whatever others made of the term since.
            let versions = thing.versions.iter();
            for version in versions.filter(|one| kind == Some(Kind::Participation) || stands(one)) {
                let Some((_, opened)) = read::opened(shared, &version.record)? else {
                    continue;
                };
                match opened.content {
                    Content::PatientIdentity(identity) if stands(version) => {
                        identities.push((version.time, identity));
                    }
                    Content::Participation(term) => {
                        let from = (version.node, version.time);
                        colleagues.extend(Colleague::of(&term, &opened.envelope.author, from));
                        if !stands(version) {
                            continue;
                        }
                        let of = Term::of(&term);
                        if term.referent && lasts(&term.period, &today) {
                            referent = Some((version.node, of.clone()));
                        }
                        terms.extend(of);
                    }
                    _ => {}
                }
            }
        }
        // The referent's own structure, where another one wrote that they are.
        let referent = referent.map(|(writer, term)| {
            let theirs = |one: &&Colleague| term.as_ref().is_some_and(|term| one.is_named_by(term));
            colleagues
                .iter()
                .find(theirs)
                .map_or(writer, Colleague::node)
        });
        colleagues.retain(|one| one.node() != own);
        identities.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        let contested = identities.len() > 1;
        let Some((_, identity)) = identities.into_iter().next() else {
            return Ok(None);
        };
        Ok(Some(Self {
            circle: id,
            names: names_of(&identity),
            identity,
            contested,
            ended: state.closed || !circle.charter.is_member(&own),
            latest_ms,
            referent,
            terms,
            colleagues,
        }))
    }

    /// Whether somebody with these marks is in the person's team on a day.
    pub(in crate::care) fn is_followed_by(&self, marks: &[Mark], today: &str) -> bool {
        self.terms.iter().any(|term| term.is_of(marks, today))
    }
}

/// The words of a person's names, each after a space; those of one name also together, as some people write it. Those by which the person is called come first,
/// so that lists in the order of this are in the order of the names that they show.
pub(super) fn names_of(identity: &PatientIdentity) -> String {
    let given = &identity.birth_given_names;
    let family = or(&identity.used_name, &identity.birth_name);
    let called = or(
        &identity.used_given_name,
        given.first().map_or("", String::as_str),
    );
    let born = std::iter::once(&identity.birth_name).chain(given);
    let mut said: Vec<&str> = Vec::new();
    let mut names = String::new();
    for name in [family, called].into_iter().chain(born.map(String::as_str)) {
        if said.contains(&name) {
            continue;
        }
        said.push(name);
        let found = words(name);
        let together = (found.len() > 1).then(|| found.concat());
        for word in found.iter().chain(&together) {
            names.push(' ');
            names.push_str(word);
        }
    }
    names
}

fn or<'a>(used: &'a str, birth: &'a str) -> &'a str {
    if used.trim().is_empty() { birth } else { used }
}

#[cfg(test)]
mod tests {
    use super::{super::pairs::tests::filed, *};

    /// Born so, called so.
    fn person(birth: [&str; 2], used: [&str; 2]) -> PatientIdentity {
        let mut identity = filed(1, birth[0], birth[1], "1941-07-19").identity;
        [identity.used_name, identity.used_given_name] = used.map(ToOwned::to_owned);
        identity
    }

    #[test]
    fn lists_are_in_the_order_of_the_names_by_which_people_are_called() {
        let called = [
            person(["ZIMMER", "ANNE"], ["ABGRALL", ""]),
            person(["MARTIN", "ROZENN"], ["", "BLANCHE"]),
            person(["MARTIN", "CLAUDE"], ["", ""]),
            person(["ABGRALL", "JEANNE"], ["QUERE", ""]),
        ];
        let names: Vec<_> = called.iter().map(names_of).collect();
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn all_the_names_of_a_person_are_there_once() {
        let names = names_of(&person(["LE GOFF", "ROZENN"], ["LE DANTEC", "ROZENN"]));
        assert_eq!(names, " LE DANTEC LEDANTEC ROZENN LE GOFF LEGOFF");
    }
}
