//! The files in whose teams somebody is, by what they are recognised by. Who is in a team on a day the file says itself: terms begin and end.

use std::collections::{BTreeSet, HashMap};

use maillon_protocol::ids::CircleId;

use super::Filed;
use crate::care::team::Mark;

/// Whoever was ever named in a team, with those files.
#[derive(Default)]
pub(super) struct Teams(HashMap<Mark, BTreeSet<CircleId>>);

fn marks(filed: Option<&Filed>) -> BTreeSet<&Mark> {
    let terms = filed.into_iter().flat_map(|filed| &filed.terms);
    terms.flat_map(|term| term.marks()).collect()
}

impl Teams {
    /// A file says something else now.
    pub(super) fn change(&mut self, circle: CircleId, was: Option<&Filed>, is: Option<&Filed>) {
        let (was, is) = (marks(was), marks(is));
        for mark in was.difference(&is) {
            if let Some(circles) = self.0.get_mut(*mark) {
                circles.remove(&circle);
                if circles.is_empty() {
                    self.0.remove(*mark);
                }
            }
        }
        for mark in is.difference(&was) {
            self.0.entry((*mark).clone()).or_default().insert(circle);
        }
    }

    /// The files that name somebody with one of these marks; one that names two of them comes twice.
    pub(super) fn of(&self, marks: &[Mark]) -> impl Iterator<Item = &CircleId> {
        marks.iter().filter_map(|mark| self.0.get(mark)).flatten()
    }
}
