//! Files that might be of one person, two by two: found once when the node starts, and kept up to date with each identity that changes.
//!
//! Comparing each person with each other would take minutes where there are twenty thousand. Whoever is alike has something in common: a name, the birth date or the
//! INS; only those are compared.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use maillon_protocol::ids::CircleId;

use super::{Filed, joined};
use crate::care::Likeness;

/// The lower id first.
pub(super) type Pair = (CircleId, CircleId);

/// What is known; nothing before every file has been read.
#[derive(Default)]
pub(super) struct Pairs(Mutex<Option<BTreeMap<Pair, Likeness>>>);

impl Pairs {
    // A poisoned lock leaves a map that is whole.
    fn held(&self) -> MutexGuard<'_, Option<BTreeMap<Pair, Likeness>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pairs; none before they are known.
    pub(super) fn all(&self) -> Option<BTreeMap<Pair, Likeness>> {
        self.held().clone()
    }

    /// Compares all that go on. What changes meanwhile waits, and is compared then.
    pub(super) fn build(&self, files: impl FnOnce() -> Vec<Arc<Filed>>) {
        let mut held = self.held();
        *held = Some(among(&files()));
    }

    /// Compares one whose identity has changed with all others; none where it is here no more.
    pub(super) fn compare(
        &self,
        circle: &CircleId,
        now: impl FnOnce() -> (Option<Arc<Filed>>, Vec<Arc<Filed>>),
    ) {
        let mut held = self.held();
        let Some(pairs) = held.as_mut() else {
            return;
        };
        pairs.retain(|(one, other), _| one != circle && other != circle);
        let (one, others) = now();
        let Some(one) = one.filter(|one| !one.ended) else {
            return;
        };
        for other in others.iter().filter(|other| !other.ended) {
            if other.circle == one.circle {
                continue;
            }
            if let Some(why) = Likeness::of(&one.identity, &other.identity) {
                pairs.insert(pair(&one.circle, &other.circle), why);
            }
        }
    }
}

/// Two circles as a pair.
pub(super) fn pair(one: &CircleId, other: &CircleId) -> Pair {
    (*one.min(other), *one.max(other))
}

/// What a person has in common with whoever is alike.
fn commons(filed: &Filed) -> BTreeSet<String> {
    let who = &filed.identity;
    let names = [&who.birth_name, &who.used_name]
        .into_iter()
        .chain(who.birth_given_names.first())
        .chain([&who.used_given_name]);
    let mut commons: BTreeSet<String> = names
        .map(|name| joined(name))
        .filter(|name| !name.is_empty())
        .map(|name| format!("n{name}"))
        .collect();
    commons.extend(
        who.birth_date
            .iter()
            .map(|date| format!("d{}", date.as_str())),
    );
    commons.extend(who.ins.iter().map(|ins| format!("i{}", ins.number)));
    commons
}

fn among(files: &[Arc<Filed>]) -> BTreeMap<Pair, Likeness> {
    let mut sharing: HashMap<String, Vec<&Arc<Filed>>> = HashMap::new();
    for filed in files.iter().filter(|filed| !filed.ended) {
        for common in commons(filed) {
            sharing.entry(common).or_default().push(filed);
        }
    }
    let mut pairs = BTreeMap::new();
    for together in sharing.values() {
        for (place, one) in together.iter().enumerate() {
            for other in &together[place + 1..] {
                if let Some(why) = Likeness::of(&one.identity, &other.identity) {
                    pairs.insert(pair(&one.circle, &other.circle), why);
                }
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::care::likeness::tests::person;

    fn filed(number: u8, birth_name: &str, given: &str, born: &str) -> Arc<Filed> {
        Arc::new(Filed {
            circle: CircleId([number; 32]),
            names: String::new(),
            identity: person(birth_name, given, born),
            contested: false,
            ended: false,
            latest_ms: 0,
            referent: None,
            terms: Vec::new(),
            colleagues: Vec::new(),
        })
    }

    fn everybody() -> Vec<Arc<Filed>> {
        vec![
            filed(1, "QUINTRIC", "ROZENN", "1941-07-19"),
            filed(2, "HAMELIN", "FERDINAND", "1950-03-04"),
            // The name was mistyped; the day and the month were.
            filed(3, "QUINTRIK", "ROZENN", "1941-07-19"),
            filed(4, "HAMELIN", "FERDINAND", "1950-04-03"),
            filed(5, "MARTIN", "ROZENN", "1962-01-30"),
        ]
    }

    #[test]
    fn whoever_is_alike_is_found_whatever_was_mistyped() {
        let found: Vec<Pair> = among(&everybody()).into_keys().collect();
        let id = |number| CircleId([number; 32]);
        assert_eq!(found, [(id(1), id(3)), (id(2), id(4))]);
    }

    #[test]
    fn what_changes_is_compared_again_and_what_is_gone_is_in_no_pair() {
        let all = everybody();
        let pairs = Pairs::default();
        // Before all have been read nobody is told that there are none.
        pairs.compare(&all[0].circle, || (Some(Arc::clone(&all[0])), all.clone()));
        assert!(pairs.all().is_none());
        pairs.build(|| all[..2].to_vec());
        assert_eq!(pairs.all().map(|all| all.len()), Some(0));
        for new in &all[2..] {
            pairs.compare(&new.circle, || (Some(Arc::clone(new)), all.clone()));
        }
        assert_eq!(pairs.all(), Some(among(&all)));
        pairs.compare(&all[3].circle, || (None, all[..3].to_vec()));
        assert_eq!(pairs.all().map(|all| all.len()), Some(1));
    }
}
