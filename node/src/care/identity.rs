//! What an identity that somebody types must be (référentiel national d'identitovigilance; `ehealth.md`, section 1).
//!
//! An import is not checked by this: what it brings is kept as it came, and doubts lower its status.

use maillon_protocol::content::{IdentityStatus, InsKey, PatientIdentity};

use super::places::is_code;
use crate::signs::is_invisible;

/// Characters of one name, at most.
const NAME: usize = 100;
/// Years that nobody lives.
const YEARS: i16 = 150;
/// The documents and means that a validated identity may rest on (FR Core, `fr-core-cs-mode-validation-identity`).
const MEANS: [&str; 10] = ["AN", "CC", "CE", "CM", "CN", "CS", "LE", "PA", "PC", "TC"];

/// One of the names of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonName {
    /// That of birth.
    Birth,
    /// Those given at birth.
    Given,
    /// The family name that is used.
    Used,
    /// The given name that is used.
    UsedGiven,
}

/// Why an identity is not taken. Says what is wrong without repeating it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// A name.
    #[error(
        "a birth name and at least one given name are needed; each name has a letter and at most {NAME} characters"
    )]
    Name(PersonName),
    /// A date that is still to come.
    #[error("the birth date is still to come")]
    NotBorn,
    /// A date too far back.
    #[error("the birth date lies more than {YEARS} years back")]
    TooOld,
    /// A place.
    #[error(
        "a birth place is the INSEE code of a commune or of a country: five characters, such as 35238, 2A004 or 99134"
    )]
    Place,
    /// A status that rests on a number.
    #[error("a retrieved or qualified identity has an INS, and none was given")]
    NoIns,
    /// A number with a wrong key.
    #[error(
        "the key of this INS is wrong: its last two digits do not go with its first thirteen characters"
    )]
    WrongKey,
    /// A status that rests on a document.
    #[error("a validated or qualified identity names the document that was checked: {}", MEANS.join(", "))]
    NoDocument,
}

/// Checks an identity that somebody typed at `now_ms`, Unix milliseconds.
///
/// # Errors
/// The first of its [`faults`].
pub(super) fn check(identity: &PatientIdentity, now_ms: u64) -> Result<(), IdentityError> {
    let first = faults(identity, now_ms).into_iter().next();
    first.map_or(Ok(()), Err)
}

/// All that is wrong with an identity that somebody typed at `now_ms`, Unix milliseconds.
pub(super) fn faults(identity: &PatientIdentity, now_ms: u64) -> Vec<IdentityError> {
    let given = &identity.birth_given_names;
    let used = |name: &str| name.is_empty() || is_name(name);
    let names = [
        (PersonName::Birth, is_name(&identity.birth_name)),
        (
            PersonName::Given,
            !given.is_empty() && given.iter().all(|name| is_name(name)),
        ),
        (PersonName::Used, used(&identity.used_name)),
        (PersonName::UsedGiven, used(&identity.used_given_name)),
    ];
    let wrong = names.into_iter().filter(|(_, right)| !right);
    let mut faults: Vec<_> = wrong.map(|(name, _)| IdentityError::Name(name)).collect();
    if let Some(date) = &identity.birth_date {
        faults.extend(born(date.as_str(), now_ms).err());
    }
    if !identity.birth_place.is_empty() && !is_code(&identity.birth_place) {
        faults.push(IdentityError::Place);
    }
    let (numbered, documented) = match identity.status {
        IdentityStatus::Provisional => (false, false),
        IdentityStatus::Retrieved => (true, false),
        IdentityStatus::Validated => (false, true),
        IdentityStatus::Qualified => (true, true),
    };
    match &identity.ins {
        Some(ins) if ins.key == InsKey::Wrong => faults.push(IdentityError::WrongKey),
        None if numbered => faults.push(IdentityError::NoIns),
        Some(_) | None => {}
    }
    let means = identity.validated_by.as_str();
    let known = MEANS.contains(&means);
    if !known && (documented || !means.is_empty()) {
        faults.push(IdentityError::NoDocument);
    }
    faults
}

fn is_name(name: &str) -> bool {
    name.chars().count() <= NAME
        && name.chars().any(char::is_alphabetic)
        && !name
            .chars()
            .any(|sign| sign.is_control() || is_invisible(sign))
}

/// Whether somebody may be born then. Dates of this form are in order as texts, as far as both are known.
fn born(date: &str, now_ms: u64) -> Result<(), IdentityError> {
    // The day that it is on the most eastern clock of the earth.
    let east = jiff::tz::TimeZone::fixed(jiff::tz::offset(14));
    let now = i64::try_from(now_ms).ok();
    let Some(now) = now.and_then(|now| jiff::Timestamp::from_millisecond(now).ok()) else {
        return Ok(());
    };
    let today = now.to_zoned(east).date();
    let known = |day: &str| day.chars().take(date.len()).collect::<String>();
    if date > known(&today.to_string()).as_str() {
        return Err(IdentityError::NotBorn);
    }
    let earliest = today.year() - YEARS;
    if date.get(..4).and_then(|year| year.parse::<i16>().ok()) < Some(earliest) {
        return Err(IdentityError::TooOld);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use maillon_protocol::content::{Ins, InsKind, PartialDate, Sex};

    use super::*;

    /// 2026-11-26, noon.
    const NOW: u64 = 1_795_694_400_000;

    fn jeanne() -> PatientIdentity {
        PatientIdentity {
            birth_name: "LE GOFF".to_owned(),
            birth_given_names: vec!["JEANNE".to_owned()],
            used_name: String::new(),
            used_given_name: String::new(),
            birth_date: PartialDate::try_from("1938-05-12".to_owned()).ok(),
            sex: Sex::Female,
            birth_place: "2A004".to_owned(),
            ins: None,
            status: IdentityStatus::Provisional,
            validated_by: String::new(),
            contacts: Vec::new(),
            identifiers: Vec::new(),
        }
    }

    fn with(change: impl FnOnce(&mut PatientIdentity)) -> Result<(), IdentityError> {
        let mut identity = jeanne();
        change(&mut identity);
        check(&identity, NOW)
    }

    fn born_on(text: &str) -> Result<(), IdentityError> {
        with(|one| one.birth_date = PartialDate::try_from(text.to_owned()).ok())
    }

    #[test]
    fn a_person_has_names_with_letters_and_no_line_breaks() {
        assert_eq!(check(&jeanne(), NOW), Ok(()));
        for wrong in [
            "",
            " ",
            "-",
            "1234",
            "LE\nGOFF",
            "LE\u{202e}GOFF",
            &"A".repeat(101),
        ] {
            let name = || wrong.to_owned();
            assert_eq!(
                with(|one| one.birth_name = name()),
                Err(IdentityError::Name(PersonName::Birth)),
                "{wrong:?}"
            );
            let given = with(|one| one.birth_given_names.push(name()));
            let named = IdentityError::Name(PersonName::Given);
            assert_eq!(given, Err(named), "{wrong:?}");
        }
        assert_eq!(
            with(|one| one.birth_given_names.clear()),
            Err(IdentityError::Name(PersonName::Given))
        );
        assert_eq!(
            with(|one| one.used_name = "-".to_owned()),
            Err(IdentityError::Name(PersonName::Used))
        );
        assert_eq!(
            with(|one| one.birth_name = "Nguyễn-d'Été".to_owned()),
            Ok(())
        );
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let mut identity = jeanne();
        identity.birth_given_names = vec!["\u{1f642}".to_owned(), "ANN3".to_owned()];
        identity.birth_place = "Rennes".to_owned();
        identity.status = IdentityStatus::Validated;
        assert_eq!(
            faults(&identity, NOW),
            [
                IdentityError::Name(PersonName::Given),
                IdentityError::Place,
                IdentityError::NoDocument,
            ]
        );
    }

    #[test]
    fn nobody_is_born_tomorrow_or_two_centuries_ago() {
        for good in ["2026-11-26", "2026-11", "2026", "1877", "1938-05"] {
            assert_eq!(born_on(good), Ok(()), "{good}");
        }
        for future in ["2026-11-28", "2026-12", "2027", "2999-01-01"] {
            assert_eq!(born_on(future), Err(IdentityError::NotBorn), "{future}");
        }
        assert_eq!(born_on("1875-12-31"), Err(IdentityError::TooOld));
    }

    #[test]
    fn a_birth_place_is_a_code_of_five_characters() {
        for good in ["", "35238", "2A004", "2B033", "99134"] {
            assert_eq!(
                with(|one| one.birth_place = good.to_owned()),
                Ok(()),
                "{good}"
            );
        }
        for wrong in ["zz;zz", "3523", "352380", "2C004", "2A00é", "Rennes"] {
            let place = with(|one| one.birth_place = wrong.to_owned());
            assert_eq!(place, Err(IdentityError::Place), "{wrong}");
        }
    }

    #[test]
    fn a_status_rests_on_a_number_on_a_document_or_on_both() {
        use IdentityStatus::{Qualified, Retrieved, Validated};
        let right = || Some(Ins::new("279035121518989", InsKind::TestNir));
        let of = |status, ins: Option<Ins>, means: &str| {
            with(|one| {
                (one.status, one.ins, one.validated_by) = (status, ins, means.to_owned());
            })
        };
        assert_eq!(of(Retrieved, None, ""), Err(IdentityError::NoIns));
        assert_eq!(of(Retrieved, right(), ""), Ok(()));
        assert_eq!(of(Validated, None, ""), Err(IdentityError::NoDocument));
        assert_eq!(of(Validated, None, "CN"), Ok(()));
        assert_eq!(of(Qualified, right(), ""), Err(IdentityError::NoDocument));
        assert_eq!(of(Qualified, right(), "me"), Err(IdentityError::NoDocument));
        assert_eq!(of(Qualified, None, "PA"), Err(IdentityError::NoIns));
        assert_eq!(of(Qualified, right(), "PA"), Ok(()));
        let wrong = Some(Ins::new("279035121518988", InsKind::TestNir));
        assert_eq!(
            of(IdentityStatus::Provisional, wrong, ""),
            Err(IdentityError::WrongKey)
        );
    }
}
