//! Whether two identities might be of one person. Never a decision: a person decides (référentiel national d'identitovigilance: a doubt is looked at by
//! somebody, and two files are better than one of two people).

use maillon_protocol::content::{IdentityStatus, Ins, PatientIdentity};
use strsim::damerau_levenshtein;

use super::index::{joined, words};

/// Letters of a name from which on one that differs may be a slip.
const LONG: usize = 4;

/// Why two identities might be of one person, the strongest reason first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Likeness {
    /// Both are qualified, with the same INS: the same person.
    SameQualifiedIns,
    /// The same INS, which one of the two has not qualified.
    SameIns,
    /// The same birth name, first given name and birth date.
    SameTraits,
    /// Names and birth date that differ by what people mistype or write in several ways.
    CloseTraits,
}

impl Likeness {
    /// All of them, the strongest first.
    pub const ALL: [Self; 4] = [
        Self::SameQualifiedIns,
        Self::SameIns,
        Self::SameTraits,
        Self::CloseTraits,
    ];

    /// In words, for the administrator.
    pub const fn said(self) -> &'static str {
        match self {
            Self::SameQualifiedIns => "same qualified INS",
            Self::SameIns => "same INS, not qualified on both sides",
            Self::SameTraits => "same birth name, first given name and birth date",
            Self::CloseTraits => "names and birth date that differ by little",
        }
    }

    /// Compares two identities.
    pub fn of(a: &PatientIdentity, b: &PatientIdentity) -> Option<Self> {
        let number = |one: &PatientIdentity| one.ins.clone().filter(Ins::may_match);
        if let (Some(x), Some(y)) = (number(a), number(b))
            && x.number == y.number
            && x.kind == y.kind
        {
            let qualified = |one: &PatientIdentity| one.status == IdentityStatus::Qualified;
            return Some(if qualified(a) && qualified(b) {
                Self::SameQualifiedIns
            } else {
                Self::SameIns
            });
        }
        // Dates first: they are compared at once, and most differ.
        let born = born(a, b)?;
        let (given, family) = (given(a, b)?, family(a, b)?);
        match (family, given, born) {
            (Near::Same, Near::Same, Near::Same) => Some(Self::SameTraits),
            // Without a birth date, names that are merely close say nothing.
            (_, _, Near::Unknown) if family != Near::Same || given != Near::Same => None,
            // Close in everything is far.
            (Near::Close, Near::Close, Near::Close) => None,
            _ => Some(Self::CloseTraits),
        }
    }
}

/// Whether two texts are one name: accents, capitals, hyphens and apostrophes differ from one source to the other.
pub fn is_same_name(one: &str, other: &str) -> bool {
    joined(one) == joined(other)
}

/// How near one trait is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Near {
    Same,
    Close,
    /// One of the two is not known.
    Unknown,
}

/// The birth name, and where the one is known by what is the other's used name.
fn family(a: &PatientIdentity, b: &PatientIdentity) -> Option<Near> {
    if joined(&a.birth_name) == joined(&b.birth_name) {
        return Some(Near::Same);
    }
    fn all(one: &PatientIdentity) -> impl Iterator<Item = &String> {
        [&one.birth_name, &one.used_name]
            .into_iter()
            .filter(|name| !name.is_empty())
    }
    let close = all(a).any(|x| all(b).any(|y| is_close(x, y)));
    close.then_some(Near::Close)
}

/// The first given name, and the used one.
fn given(a: &PatientIdentity, b: &PatientIdentity) -> Option<Near> {
    fn first(one: &PatientIdentity) -> &str {
        one.birth_given_names.first().map_or("", String::as_str)
    }
    if joined(first(a)) == joined(first(b)) {
        return Some(Near::Same);
    }
    let close = is_close(first(a), first(b))
        || is_close(&a.used_given_name, first(b))
        || is_close(first(a), &b.used_given_name);
    close.then_some(Near::Close)
}

/// The same name, one of its words, or one that differs by a letter.
fn is_close(a: &str, b: &str) -> bool {
    let (x, y) = (joined(a), joined(b));
    if x.is_empty() || y.is_empty() {
        return false;
    }
    let within = |part: &str, whole: &str| {
        let (part, whole) = (words(part), words(whole));
        part.iter().all(|word| whole.contains(word)) && part.iter().any(|word| word.len() > 2)
    };
    x == y
        || within(a, b)
        || within(b, a)
        || (x.len().min(y.len()) >= LONG && damerau_levenshtein(&x, &y) <= 1)
}

/// The birth date: day and month that changed places, or one of its three parts that differs.
fn born(a: &PatientIdentity, b: &PatientIdentity) -> Option<Near> {
    let (Some(x), Some(y)) = (&a.birth_date, &b.birth_date) else {
        return Some(Near::Unknown);
    };
    if x == y {
        return Some(Near::Same);
    }
    let (x, y): (Vec<_>, Vec<_>) = (
        x.as_str().split('-').collect(),
        y.as_str().split('-').collect(),
    );
    let (&[year, month, day], &[other_year, other_month, other_day]) = (&x[..], &y[..]) else {
        // Known to the month or to the year on one side: as far as both go.
        return x
            .iter()
            .zip(&y)
            .all(|(one, other)| one == other)
            .then_some(Near::Close);
    };
    let turned = year == other_year && month == other_day && day == other_month;
    let apart = [year != other_year, month != other_month, day != other_day];
    let one_apart = apart.into_iter().filter(|differs| *differs).count() == 1;
    (turned || one_apart).then_some(Near::Close)
}

#[cfg(test)]
pub(super) mod tests {
    use maillon_protocol::content::{InsKind, PartialDate, Sex};

    use super::*;

    pub(in crate::care) fn person(family: &str, given: &str, born: &str) -> PatientIdentity {
        PatientIdentity {
            birth_name: family.to_owned(),
            birth_given_names: vec![given.to_owned()],
            used_name: String::new(),
            used_given_name: String::new(),
            birth_date: PartialDate::try_from(born.to_owned()).ok(),
            sex: Sex::Female,
            birth_place: String::new(),
            ins: None,
            status: IdentityStatus::Provisional,
            validated_by: String::new(),
            contacts: Vec::new(),
            identifiers: Vec::new(),
        }
    }

    fn jeanne() -> PatientIdentity {
        person("LE GOFF", "JEANNE", "1938-05-12")
    }

    fn like(family: &str, given: &str, born: &str) -> Option<Likeness> {
        let (one, other) = (jeanne(), person(family, given, born));
        assert_eq!(Likeness::of(&one, &other), Likeness::of(&other, &one));
        Likeness::of(&one, &other)
    }

    #[test]
    fn traits_are_the_same_however_they_are_written() {
        for name in ["Le Goff", "LE-GOFF", "legoff"] {
            assert_eq!(
                like(name, "Jéanne", "1938-05-12"),
                Some(Likeness::SameTraits)
            );
        }
    }

    #[test]
    fn what_people_mistype_is_close() {
        for (family, given, born) in [
            ("LE GOF", "JEANNE", "1938-05-12"),
            ("LE GOFF MARTIN", "JEANNE", "1938-05-12"),
            ("LE GOFF", "JEANE", "1938-05-12"),
            ("LE GOFF", "JEANNE-MARIE", "1938-05-12"),
            ("LE GOFF", "JEANNE", "1938-12-05"),
            ("LE GOFF", "JEANNE", "1939-05-12"),
            ("LE GOFF", "JEANNE", "1938-05"),
            ("LE GOFF", "JEANNE", ""),
        ] {
            let close = like(family, given, born);
            assert_eq!(
                close,
                Some(Likeness::CloseTraits),
                "{family} {given} {born}"
            );
        }
    }

    #[test]
    fn another_person_is_another_person() {
        for (family, given, born) in [
            ("MARTIN", "JEANNE", "1938-05-12"),
            ("LE GOFF", "PAUL", "1938-05-12"),
            ("LE GOFF", "JEANNE", "1951-02-03"),
            ("LE GOF", "JEANE", "1938-12-05"),
            ("LE GOF", "JEANNE", ""),
            ("", "", ""),
        ] {
            assert_eq!(like(family, given, born), None, "{family} {given} {born}");
        }
    }

    #[test]
    fn who_is_known_by_a_used_name_is_found_by_it() {
        let mut married = person("MARTIN", "JEANNE", "1938-05-12");
        married.used_name = "LE GOFF".to_owned();
        assert_eq!(
            Likeness::of(&jeanne(), &married),
            Some(Likeness::CloseTraits)
        );
    }

    #[test]
    fn one_ins_counts_more_than_traits_and_only_with_a_right_key() {
        let with = |status, number: &str| {
            let mut one = person("MARTIN", "PAULE", "1951-02-03");
            (one.ins, one.status) = (Some(Ins::new(number, InsKind::TestNir)), status);
            one
        };
        let (right, wrong) = ("279035121518989", "279035121518988");
        let qualified = with(IdentityStatus::Qualified, right);
        let mut other = jeanne();
        other.ins.clone_from(&qualified.ins);
        assert_eq!(Likeness::of(&qualified, &other), Some(Likeness::SameIns));
        other.status = IdentityStatus::Qualified;
        assert_eq!(
            Likeness::of(&qualified, &other),
            Some(Likeness::SameQualifiedIns)
        );
        let mut other = jeanne();
        other.ins = with(IdentityStatus::Qualified, wrong).ins;
        let bad = with(IdentityStatus::Qualified, wrong);
        assert_eq!(Likeness::of(&bad, &other), None);
    }
}
