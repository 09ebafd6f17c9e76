//! Persons who are plausible and nobody's, and what is written about them: the same for the same number, whoever asks.
//!
//! Names are frequent French ones of people of that age, communes are codes of the right form, numbers have a right key and are of the test range. Of a thousand
//! of them some have one name in common, as in life.

use maillon_protocol::content::{
    IdentityStatus, Ins, InsKind, NoteKind, PartialDate, PatientIdentity, Severity, Sex, ins_key,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::words::{
    ALERTS, FAMILIES, FEMALE, MALE, NOTES, OUTCOMES, SIGNS, capitals, plain, with_numbers,
};

/// Everything follows from it and from the person's number.
const SEED: u64 = 0x6d61_696c_6c6f_6e00;
/// Departments of birth, the near ones more than once.
const DEPARTMENTS: [&str; 16] = [
    "76", "76", "76", "76", "27", "27", "14", "80", "60", "50", "59", "62", "75", "35", "2A", "99",
];
/// Of a hundred: who has a national number, whose number is qualified of those, women, women known by another name.
const NUMBERED: u32 = 80;
const QUALIFIED: u32 = 70;
const WOMEN: u32 = 60;
const MARRIED: u32 = 50;
/// Of a thousand files: how many have had an alert, of a hundred of those how many wait for an answer still.
const ALERTED: u32 = 150;
const WAITING: u32 = 3;

/// What is written in a file, in its order. Those who write are numbers of the node's professionals.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// The file is opened.
    Open(Box<PatientIdentity>),
    /// The person was informed and does not object.
    Consent,
    /// Somebody joins the team.
    Join(usize),
    /// Somebody writes a note.
    Note(usize, NoteKind, String),
    /// Somebody sends an alert.
    Alert(usize, Severity, String),
    /// Somebody closes the alert that was sent last.
    Close(usize, String),
}

/// A file that is to be.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Who the person is.
    pub(super) identity: PatientIdentity,
    /// Who follows them; the first opens the file.
    pub(super) team: Vec<usize>,
    /// What is written.
    pub(super) acts: Vec<Act>,
}

fn one<T: Copy>(rng: &mut ChaCha20Rng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}

fn of_a_hundred(rng: &mut ChaCha20Rng, share: u32) -> bool {
    rng.random_range(0..100) < share
}

impl Plan {
    /// The file of a number, on a node with so many professionals.
    pub(super) fn of(number: usize, professionals: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(SEED ^ number as u64);
        let identity = identity(&mut rng);
        let mut team = Vec::new();
        let wanted = rng.random_range(2..=4).min(professionals);
        while team.len() < wanted {
            let another = rng.random_range(0..professionals);
            if !team.contains(&another) {
                team.push(another);
            }
        }
        let mut acts = vec![Act::Open(Box::new(identity.clone())), Act::Consent];
        acts.extend(team.iter().map(|whom| Act::Join(*whom)));
        // Half of the files are quiet, one in ten is that of somebody whom many see every day.
        let notes = match rng.random_range(0..10) {
            0..=4 => rng.random_range(6..=12),
            5..=8 => rng.random_range(14..=24),
            _ => rng.random_range(40..=80),
        };
        let alerted = rng.random_range(0..1_000) < ALERTED;
        let when = rng.random_range(0..notes);
        for written in 0..notes {
            acts.push(note(&mut rng, &team));
            if alerted && written == when {
                let (severity, text) = one(&mut rng, &ALERTS);
                acts.push(Act::Alert(one(&mut rng, &team), severity, text.to_owned()));
                if !of_a_hundred(&mut rng, WAITING) {
                    let outcome = one(&mut rng, &OUTCOMES).to_owned();
                    acts.push(Act::Close(one(&mut rng, &team), outcome));
                }
            }
        }
        Self {
            identity,
            team,
            acts,
        }
    }
}

fn note(rng: &mut ChaCha20Rng, team: &[usize]) -> Act {
    let (kind, text) = one(rng, &NOTES);
    let mut text = with_numbers(text, rng);
    // Some have more to say.
    while of_a_hundred(rng, 35) {
        text.push(' ');
        text.push_str(one(rng, &SIGNS));
    }
    Act::Note(one(rng, team), kind, text)
}

/// A text as somebody writes it in a note today.
pub(super) fn said(number: usize) -> String {
    let mut rng = ChaCha20Rng::seed_from_u64(!SEED ^ number as u64);
    let (_, text) = one(&mut rng, &NOTES);
    format!("{} {}", with_numbers(text, &mut rng), one(&mut rng, &SIGNS))
}

fn identity(rng: &mut ChaCha20Rng) -> PatientIdentity {
    let woman = of_a_hundred(rng, WOMEN);
    let (sex, all): (_, &[&str]) = if woman {
        (Sex::Female, &FEMALE)
    } else {
        (Sex::Male, &MALE)
    };
    let given: Vec<String> = (0..rng.random_range(1..=3))
        .map(|_| capitals(one(rng, all)))
        .collect();
    let mut family = capitals(one(rng, &FAMILIES));
    if of_a_hundred(rng, 4) {
        family = format!("{family}-{}", capitals(one(rng, &FAMILIES)));
    }
    let used = if woman && of_a_hundred(rng, MARRIED) {
        capitals(one(rng, &FAMILIES))
    } else {
        String::new()
    };
    // Most are old.
    let year = if of_a_hundred(rng, 85) {
        rng.random_range(1928..=1959)
    } else {
        rng.random_range(1960..=2018)
    };
    let (month, day) = (rng.random_range(1..=12), rng.random_range(1..=28));
    let department = one(rng, &DEPARTMENTS);
    let commune: u32 = match department {
        "99" => rng.random_range(100..=420),
        _ => rng.random_range(1..=740),
    };
    let place = format!("{department}{commune:03}");
    let head = format!(
        "{}{:02}{month:02}{place}{:03}",
        if woman { 2 } else { 1 },
        year % 100,
        rng.random_range(1..=999)
    );
    let key = ins_key(&head).filter(|_| of_a_hundred(rng, NUMBERED));
    let ins = key.map(|key| Ins::new(&format!("{head}{key:02}"), InsKind::TestNir));
    let (status, validated_by) = match &ins {
        None => (IdentityStatus::Provisional, ""),
        Some(_) if of_a_hundred(rng, QUALIFIED) => (IdentityStatus::Qualified, "CN"),
        Some(_) => (IdentityStatus::Retrieved, ""),
    };
    PatientIdentity {
        birth_name: family,
        birth_given_names: given,
        used_name: used,
        used_given_name: String::new(),
        birth_date: PartialDate::try_from(format!("{year}-{month:02}-{day:02}")).ok(),
        sex,
        birth_place: place,
        ins,
        status,
        validated_by: validated_by.to_owned(),
        contacts: Vec::new(),
        identifiers: Vec::new(),
    }
}

/// What somebody types to find a person: a part of the name, the whole name, the birth date in either way, the number.
pub(super) fn typed(person: &PatientIdentity, number: usize) -> String {
    let family = plain(&person.birth_name);
    let given = person.birth_given_names.first();
    let given = given.map_or_else(String::new, |name| plain(name));
    let born = person.birth_date.as_ref().map_or("", |date| date.as_str());
    let mut parts = born.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let (year, month, day) = (year.unwrap_or(""), month.unwrap_or(""), day.unwrap_or(""));
    let begins = |name: &str, signs: usize| name.chars().take(signs).collect::<String>();
    match number % 8 {
        0 => begins(&family, 3),
        1 => family,
        2 => format!("{family} {}", begins(&given, 3)),
        3 => format!("{given} {}", begins(&family, 4)),
        4 => format!("{day}/{month}/{year}"),
        5 => format!("{} {year}", begins(&family, 5)),
        6 if !person.used_name.is_empty() => plain(&person.used_name),
        _ => match &person.ins {
            Some(ins) => ins.number.clone(),
            None => format!("{day}{month}{year}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_number_gives_the_same_person_again_with_a_right_key_and_a_team_that_writes() {
        let mut people = BTreeSet::new();
        let mut written = 0;
        for number in 0..2_000 {
            let plan = Plan::of(number, 200);
            let again = Plan::of(number, 200);
            assert_eq!(plan.identity, again.identity);
            let person = &plan.identity;
            assert!(person.ins.as_ref().is_none_or(Ins::may_match), "{person:?}");
            assert_eq!(person.birth_place.len(), 5, "{person:?}");
            assert!((2..=4).contains(&plan.team.len()));
            for act in &plan.acts {
                if let Act::Note(by, _, text) = act {
                    assert!(plan.team.contains(by) && !text.contains('{'), "{text}");
                }
            }
            for kind in 0..8 {
                assert!(!typed(person, kind).trim().is_empty());
            }
            people.insert((
                person.birth_name.clone(),
                person.birth_given_names.clone(),
                person.birth_date.clone(),
            ));
            written += plan.acts.len();
        }
        assert!(people.len() > 1_990, "{}", people.len());
        // As many as a file of this node has, so that what is asked for is reached and not passed.
        let mean = written as f64 / 2_000.0;
        assert!((22.0..=25.0).contains(&mean), "{mean}");
    }
}
