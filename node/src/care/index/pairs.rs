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
pub(in crate::care) type Pair = (CircleId, CircleId);

/// Those that were found to be two people, each with the number of the reason for which they were alike then.
pub(in crate::care) type Apart = HashMap<Pair, u8>;

#[derive(Default)]
struct Known {
    /// What nobody has decided, the strongest reason first.
    open: BTreeSet<(Likeness, Pair)>,
    apart: Apart,
}

impl Known {
    fn found(&mut self, pair: Pair, why: Likeness) {
        // A stronger reason is a new doubt.
        let decided = self.apart.get(&pair);
        if decided.is_none_or(|known| (why as u8) < *known) {
            self.open.insert((why, pair));
        }
    }
}

/// What is known; nothing before every file has been read.
#[derive(Default)]
pub(in crate::care) struct Pairs(Mutex<Option<Known>>);

impl Pairs {
    // A poisoned lock leaves sets that are whole.
    fn held(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many pairs nobody has decided; none before they are known.
    pub(in crate::care) fn count(&self) -> Option<usize> {
        self.held().as_ref().map(|known| known.open.len())
    }

    /// The first of those that nobody has decided.
    pub(in crate::care) fn first(&self, most: usize) -> Vec<(Likeness, Pair)> {
        let held = self.held();
        let open = held.iter().flat_map(|known| &known.open);
        open.take(most).copied().collect()
    }

    /// Why two are alike that nobody has decided; none where there is no such doubt.
    pub(in crate::care) fn why(&self, pair: Pair) -> Option<Likeness> {
        let held = self.held();
        let open = &held.as_ref()?.open;
        Likeness::ALL
            .into_iter()
            .find(|why| open.contains(&(*why, pair)))
    }

    /// Somebody found that they are two people.
    pub(in crate::care) fn decide(&self, pair: Pair, why: Likeness) {
        if let Some(known) = self.held().as_mut() {
            known.apart.insert(pair, why as u8);
            known.open.retain(|(found, of)| *of != pair || *found < why);
        }
    }

    /// Forgets what was decided about files that are here no more.
    pub(in crate::care) fn forget(&self, here: impl Fn(&CircleId) -> bool) {
        if let Some(known) = self.held().as_mut() {
            known
                .apart
                .retain(|(one, other), _| here(one) && here(other));
        }
    }

    /// Compares all that go on. What changes meanwhile waits, and is compared then.
    pub(super) fn build(&self, files: impl FnOnce() -> (Vec<Arc<Filed>>, Apart)) {
        let mut held = self.held();
        let (files, apart) = files();
        let mut known = Known {
            apart,
            ..Known::default()
        };
        for (pair, why) in among(&files) {
            known.found(pair, why);
        }
        *held = Some(known);
    }

    /// Compares one whose identity has changed with all others; none where it is here no more.
    pub(super) fn compare(
        &self,
        circle: &CircleId,
        now: impl FnOnce() -> (Option<Arc<Filed>>, Vec<Arc<Filed>>),
    ) {
        let mut held = self.held();
        let Some(known) = held.as_mut() else {
            return;
        };
        let about = |(one, other): &Pair| one == circle || other == circle;
        known.open.retain(|(_, pair)| !about(pair));
        let (one, others) = now();
        let Some(one) = one.filter(|one| !one.ended) else {
            return;
        };
        for other in others.iter().filter(|other| !other.ended) {
            if other.circle == one.circle {
                continue;
            }
            if let Some(why) = Likeness::of(&one.identity, &other.identity) {
                known.found(pair(&one.circle, &other.circle), why);
            }
        }
    }
}

/// Two circles as a pair.
pub(in crate::care) fn pair(one: &CircleId, other: &CircleId) -> Pair {
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
pub(super) mod tests {
    use super::{super::filed::names_of, *};
    use crate::care::likeness::tests::person;

    pub(in crate::care::index) fn filed(
        number: u8,
        birth_name: &str,
        given: &str,
        born: &str,
    ) -> Filed {
        let identity = person(birth_name, given, born);
        Filed {
            circle: CircleId([number; 32]),
            names: names_of(&identity),
            identity,
            contested: false,
            ended: false,
            latest_ms: 0,
            referent: None,
            terms: Vec::new(),
            colleagues: Vec::new(),
        }
    }

    fn everybody() -> Vec<Arc<Filed>> {
        [
            filed(1, "QUINTRIC", "ROZENN", "1941-07-19"),
            filed(2, "HAMELIN", "FERDINAND", "1950-03-04"),
            // The name was mistyped; the day and the month were.
            filed(3, "QUINTRIK", "ROZENN", "1941-07-19"),
            filed(4, "HAMELIN", "FERDINAND", "1950-04-03"),
            filed(5, "MARTIN", "ROZENN", "1962-01-30"),
        ]
        .map(Arc::new)
        .to_vec()
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
        assert_eq!(pairs.count(), None);
        pairs.build(|| (all[..2].to_vec(), Apart::new()));
        assert_eq!(pairs.count(), Some(0));
        for new in &all[2..] {
            pairs.compare(&new.circle, || (Some(Arc::clone(new)), all.clone()));
        }
        let open: BTreeMap<Pair, Likeness> = pairs
            .first(9)
            .into_iter()
            .map(|(why, pair)| (pair, why))
            .collect();
        assert_eq!(open, among(&all));
        pairs.compare(&all[3].circle, || (None, all[..3].to_vec()));
        assert_eq!(pairs.count(), Some(1));
    }

    #[test]
    fn who_was_found_to_be_two_is_in_no_doubt_until_a_stronger_reason_comes() {
        let mut all = everybody();
        let both = pair(&all[0].circle, &all[2].circle);
        let (pairs, nobody) = (Pairs::default(), Apart::new());
        pairs.build(|| (all.clone(), nobody));
        let why = Likeness::CloseTraits;
        assert_eq!(pairs.why(both), Some(why));
        pairs.decide(both, why);
        assert_eq!((pairs.why(both), pairs.count()), (None, Some(1)));
        // Also after a start, with what was kept, and where one of them is compared anew.
        let kept = Apart::from([(both, why as u8)]);
        pairs.build(|| (all.clone(), kept));
        pairs.compare(&all[2].circle, || (Some(Arc::clone(&all[2])), all.clone()));
        assert_eq!((pairs.why(both), pairs.count()), (None, Some(1)));
        // The name was corrected: now they are the same in everything.
        all[2] = Arc::new(filed(3, "QUINTRIC", "ROZENN", "1941-07-19"));
        pairs.compare(&all[2].circle, || (Some(Arc::clone(&all[2])), all.clone()));
        assert_eq!(pairs.why(both), Some(Likeness::SameTraits));
        assert_eq!(pairs.first(1), [(Likeness::SameTraits, both)]);
    }
}
