//! That everybody knows what the model says they must, and that nobody can read what it says they must not.

use std::collections::BTreeSet;

use maillon_protocol::{
    ids::CircleId,
    replica::{Notice, RowPrefix, Rows},
    sync::Problem,
};

use super::Player;
use crate::net::{
    Node,
    malice::Malice,
    model::{Tally, Verdict},
};

impl Player<'_> {
    /// Who can read what before anything is healed: where the disk that had it first went back, it comes from them.
    pub(super) fn note_readers(&mut self) {
        for circle in &self.circles {
            for place in 0..self.net.nodes.len() {
                let texts = self.net.texts(place, circle);
                let notes = self.model.notes.iter_mut();
                for note in notes.filter(|note| texts.contains(&note.text)) {
                    note.readers.insert(place);
                }
            }
        }
    }

    /// Each note at each node, as the model says.
    pub(super) fn as_the_model_says(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        let known: Vec<u64> = self.circles.iter().map(|one| self.known(one)).collect();
        for place in 0..self.net.nodes.len() {
            let shown: Vec<BTreeSet<String>> = self
                .circles
                .iter()
                .map(|circle| self.net.texts(place, circle))
                .collect();
            let opened = self.net.opened(place);
            for note in &self.model.notes {
                let circle = self.circles.iter().position(|one| *one == note.circle);
                let circle = circle.ok_or("a note of an unknown circle")?;
                let verdict = self.model.verdict(note, place, known[circle]);
                let (text, author) = (&note.text, note.author);
                tally.count(verdict);
                let shows = shown[circle].contains(text);
                match verdict {
                    Verdict::Must if !shows => {
                        return Err(format!(
                            "node {place} must know what node {author} wrote in circle {circle}, and does not: {text} {:?}",
                            note.fate
                        ));
                    }
                    Verdict::Never if shows || opened.reads(text) => {
                        return Err(format!(
                            "node {place} must never know what node {author} wrote in circle {circle}, and can read it: {text} {:?}",
                            note.fate
                        ));
                    }
                    _ => {}
                }
            }
        }
        Ok(tally)
    }

    /// How far those who are left know a circle's charter.
    fn known(&self, circle: &CircleId) -> u64 {
        let held = &self.net.nodes[self.furthest_of(circle)].circles;
        held.get(circle).map_or(0, |held| held.charter.number())
    }

    /// A node that no entry ever named has heard nothing of a circle: not its name, no header, no salt.
    pub(super) fn strangers_know_nothing(&self) -> Result<(), String> {
        for (number, circle) in self.circles.iter().enumerate() {
            let roll = &self.model.circles[circle].roll;
            let mut secret: BTreeSet<[u8; 32]> = BTreeSet::from([circle.0]);
            for node in &self.net.nodes {
                for record in node.all_records(circle) {
                    let header = &record.header;
                    secret.extend([header.id, header.object.salt.0]);
                }
            }
            // Who has let go of it was in it, even where nobody saw that.
            let finished = &self.model.circles[circle].finished;
            let stranger = |place: &usize| !roll.ever(*place) && !finished.contains(place);
            let strangers = (0..self.net.nodes.len()).filter(stranger);
            for place in strangers {
                // Who claims to know it has its name from somebody else.
                let claimed = self.net.malign.get(&place) == Some(&Malice::StrangersClaims);
                let mut secret = secret.clone();
                if claimed {
                    secret.remove(&circle.0);
                }
                if self.net.knows_any(place, &secret) {
                    return Err(format!(
                        "node {place}, which is a stranger to circle {number}, has heard of it"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Of two members with different records at one place, or with different entries of one number, one has told its people.
    pub(super) fn forks_are_named(&self) -> Result<(), String> {
        let places = 0..self.net.nodes.len();
        let here: Vec<usize> = places
            .filter(|place| self.model.is_honest(*place))
            .collect();
        for (number, circle) in self.circles.iter().enumerate() {
            for (a, b) in here.iter().flat_map(|a| here.iter().map(move |b| (*a, *b))) {
                let (one, other) = (&self.net.nodes[a], &self.net.nodes[b]);
                let (Some(x), Some(y)) = (one.circles.get(circle), other.circles.get(circle))
                else {
                    continue;
                };
                let members = [one.id(), other.id()];
                let both = members
                    .iter()
                    .all(|node| x.charter.is_member(node) && y.charter.is_member(node));
                let least = x.charter.number().min(y.charter.number());
                let split = x.charter.hash_of(least) != y.charter.hash_of(least);
                if split && both && !names_split(one, circle) && !names_split(other, circle) {
                    return Err(format!(
                        "the charter of circle {number} forked, and neither node {a} nor node {b} says so"
                    ));
                }
                if split || !both {
                    continue;
                }
                for log in self.model.circles[circle].forked.keys() {
                    let heads = [x, y].map(|held| held.logs.get(log).map(|tip| tip.height));
                    let [Some(p), Some(q)] = heads else {
                        continue;
                    };
                    let last = p.min(q);
                    // Who came without the past does not hold the place at which the others differ.
                    let there = [one, other].map(|node| node.record_at(circle, log, last));
                    let differ = matches!(there, [Some(x), Some(y)] if x != y);
                    if differ && !names_fork(one, circle) && !names_fork(other, circle) {
                        return Err(format!(
                            "a log of circle {number} forked, and neither node {a} nor node {b} says so"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a member's people can see that a charter forked: a connection says so, or, once the other branch was told, the circle shows it.
fn names_split(node: &Node, circle: &CircleId) -> bool {
    let forked = |problem: &Problem| matches!(problem, Problem::CharterFork { circle: at, .. } if at == circle);
    let shown = node.circles.get(circle);
    let shown = shown.is_some_and(|held| !held.charter.rivals().is_empty());
    shown || node.problems.iter().any(forked)
}

fn names_fork(node: &Node, circle: &CircleId) -> bool {
    let told = |notice: &Notice| matches!(notice, Notice::Aside { circle: at, what } if at == circle && (*what == "fork" || *what == "own-log-ahead"));
    let kept = node.memory.scan(&RowPrefix::Aside(*circle));
    node.notices.iter().any(told) || kept.is_ok_and(|kept| !kept.is_empty())
}
