//! How a page names a person: what the team calls them first, then what tells them apart.

use maillon_protocol::content::{IdentityStatus, PartialDate, PatientIdentity, Sex};

use super::french;
use crate::care::{BirthPlace, birth_place, is_same_name};

/// A person, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// « Odette Lemarchandel »: used names, or else those of birth.
    pub(super) name: String,
    /// « née Paumelle », where that is another name; empty where it is not.
    pub(super) born_as: String,
    /// « née le 12 mars 1942 », as far as it is known; « date de naissance inconnue ».
    pub(super) born: String,
    /// What follows it, with a space: « à Quimper », « au Havre », « (Algérie) »; empty where no list has the place.
    pub(super) born_at: String,
    /// « 84 ans »; empty where the day is not known.
    pub(super) age: String,
    /// « Femme »; empty where it is not known.
    pub(super) sex: &'static str,
    /// « Identité qualifiée ».
    pub(super) status: &'static str,
    /// Whether the identity was checked on a document.
    pub(super) checked: bool,
}

impl Person {
    /// As of a day, `2026-11-27`.
    pub(super) fn of(identity: &PatientIdentity, today: &str) -> Self {
        let first = identity.birth_given_names.first();
        let given = or(&identity.used_given_name, first.map_or("", String::as_str));
        let family = or(&identity.used_name, &identity.birth_name);
        let born = match identity.sex {
            Sex::Female => "née",
            Sex::Male => "né",
            Sex::Unknown => "nom de naissance\u{a0}:",
        };
        let born_as = if is_same_name(family, &identity.birth_name) {
            String::new()
        } else {
            format!("{born} {}", spoken(&identity.birth_name))
        };
        let date = identity.birth_date.as_ref();
        Self {
            name: format!("{} {}", spoken(given), spoken(family)),
            born_as,
            born: date.map_or_else(
                || "date de naissance inconnue".to_owned(),
                |date| match identity.sex {
                    Sex::Unknown => format!("naissance\u{a0}: {}", day(date).1),
                    _ => format!("{born} {} {}", day(date).0, day(date).1),
                },
            ),
            born_at: date
                .and_then(|_| birth_place(&identity.birth_place))
                .map_or_else(String::new, |place| format!(" {}", at(&place))),
            age: date.and_then(|date| age(date, today)).unwrap_or_default(),
            sex: match identity.sex {
                Sex::Female => "Femme",
                Sex::Male => "Homme",
                Sex::Unknown => "",
            },
            status: match identity.status {
                IdentityStatus::Provisional => "Identité provisoire",
                IdentityStatus::Retrieved => "Identité récupérée",
                IdentityStatus::Validated => "Identité validée",
                IdentityStatus::Qualified => "Identité qualifiée",
            },
            checked: matches!(
                identity.status,
                IdentityStatus::Validated | IdentityStatus::Qualified
            ),
        }
    }
}

fn or<'a>(used: &'a str, birth: &'a str) -> &'a str {
    if used.trim().is_empty() { birth } else { used }
}

/// A name as people write it: traits come in capitals, « LE GOFF-D'ÉTÉ » is « Le Goff-D’Été », and « FLOC'H » is « Floc’h ».
pub(super) fn spoken(name: &str) -> String {
    let name = name.replace('\'', "’");
    if name.chars().any(char::is_lowercase) {
        return name;
    }
    let mut begins = true;
    let mut said = String::with_capacity(name.len());
    let mut signs = name.chars().peekable();
    let mut before = ' ';
    while let Some(sign) = signs.next() {
        let alone = !signs.peek().is_some_and(|next| next.is_alphabetic());
        let ends = alone && before == '’';
        if begins && !ends {
            said.push(sign);
        } else {
            said.extend(sign.to_lowercase());
        }
        begins = !sign.is_alphabetic();
        before = sign;
    }
    said
}

/// A birth date in words, and what stands before it: « le » « 12 mars 1942 », « en » « mars 1942 ».
pub(super) fn day(date: &PartialDate) -> (&'static str, String) {
    let mut parts = date.as_str().split('-');
    let mut next = || parts.next().and_then(|part| part.parse::<i16>().ok());
    let (year, month, day) = (next(), next(), next());
    let year = year.unwrap_or_default();
    let small = |number: i16| i8::try_from(number).unwrap_or_default();
    match (month, day) {
        (Some(month), Some(day)) => {
            let (day, month) = (french::number(small(day)), french::month(small(month)));
            ("le", format!("{day} {month} {year}"))
        }
        (Some(month), None) => ("en", format!("{} {year}", french::month(small(month)))),
        _ => ("en", year.to_string()),
    }
}

/// Where somebody was born: « à Rouen », « au Havre », « aux Sables-d’Olonne »; a country stands in brackets, for « en », « au » or « à » is a matter of
/// each.
fn at(place: &BirthPlace) -> String {
    let name = place.name;
    match (name.strip_prefix("Le "), name.strip_prefix("Les ")) {
        _ if place.is_abroad() => format!("({name})"),
        (Some(rest), _) => format!("au {rest}"),
        (_, Some(rest)) => format!("aux {rest}"),
        _ => format!("à {name}"),
    }
}

/// The age on a day, « 84 ans »: in months in the first two years.
fn age(date: &PartialDate, today: &str) -> Option<String> {
    let read = |text: &str| text.parse::<jiff::civil::Date>().ok();
    let (born, today) = (read(date.as_str())?, read(today)?);
    let since = today.since((jiff::Unit::Year, born)).ok()?;
    let (years, months) = (since.get_years(), since.get_months());
    let whole = i32::from(years) * 12 + months;
    match years {
        _ if born > today => None,
        0 if whole == 0 => Some("moins d’un mois".to_owned()),
        0 | 1 => Some(format!("{whole}\u{a0}mois")),
        _ => Some(format!("{years}\u{a0}ans")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odette() -> PatientIdentity {
        PatientIdentity {
            birth_name: "PAUMELLE".to_owned(),
            birth_given_names: vec!["ODETTE".to_owned(), "MARIE".to_owned()],
            used_name: "LEMARCHANDEL".to_owned(),
            used_given_name: String::new(),
            birth_date: PartialDate::try_from("1942-03-01".to_owned()).ok(),
            sex: Sex::Female,
            birth_place: "76351".to_owned(),
            ins: None,
            status: IdentityStatus::Qualified,
            validated_by: "CN".to_owned(),
            contacts: Vec::new(),
            identifiers: Vec::new(),
        }
    }

    #[test]
    fn a_person_is_named_as_the_team_calls_them() {
        let person = Person::of(&odette(), "2026-11-27");
        assert_eq!(person.name, "Odette Lemarchandel");
        assert_eq!(person.born_as, "née Paumelle");
        assert_eq!(person.born, "née le 1er mars 1942");
        assert_eq!(person.born_at, " au Havre");
        assert_eq!(person.age, "84\u{a0}ans");
    }

    #[test]
    fn a_name_that_is_written_in_another_way_is_no_other_name() {
        let mut one = odette();
        for (birth, used) in [("L'HOSTIS", "L’HOSTIS"), ("HELENE-ROY", "HÉLÈNE ROY")] {
            (one.birth_name, one.used_name) = (birth.to_owned(), used.to_owned());
            assert_eq!(Person::of(&one, "2026-11-27").born_as, "", "{birth}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let mut one = odette();
        one.used_name.clear();
        one.birth_date = PartialDate::try_from("1942-03".to_owned()).ok();
        let person = Person::of(&one, "2026-11-27");
        assert_eq!(person.name, "Odette Paumelle");
        assert_eq!((person.born_as.as_str(), person.age.as_str()), ("", ""));
        assert_eq!(person.born, "née en mars 1942");
        one.birth_date = None;
        let person = Person::of(&one, "2026-11-27");
        assert_eq!(person.born, "date de naissance inconnue");
        assert_eq!(person.born_at, "");
    }

    #[test]
    fn where_somebody_was_born_is_said_as_people_say_it() {
        let mut one = odette();
        let mut born_at = |code: &str| {
            code.clone_into(&mut one.birth_place);
            Person::of(&one, "2026-11-27").born_at
        };
        assert_eq!(born_at("76540"), " à Rouen");
        assert_eq!(born_at("85194"), " aux Sables-d’Olonne");
        assert_eq!(born_at("17300"), " à La Rochelle");
        assert_eq!(born_at("99352"), " (Algérie)");
        assert_eq!([born_at("99999"), born_at("76999"), born_at("")], [""; 3]);
    }

    #[test]
    fn the_age_changes_on_the_birthday_and_is_in_months_first() {
        let mut one = odette();
        let mut aged = |born: &str, today: &str| {
            one.birth_date = PartialDate::try_from(born.to_owned()).ok();
            Person::of(&one, today).age
        };
        assert_eq!(aged("1942-11-27", "2026-11-26"), "83\u{a0}ans");
        assert_eq!(aged("1942-11-27", "2026-11-27"), "84\u{a0}ans");
        assert_eq!(aged("2025-10-30", "2026-11-27"), "12\u{a0}mois");
        assert_eq!(aged("2026-11-20", "2026-11-27"), "moins d’un mois");
        assert_eq!(aged("2027-01-01", "2026-11-27"), "");
    }

    #[test]
    fn capitals_are_read_as_names() {
        assert_eq!(spoken("LE GOFF-D’ÉTÉ"), "Le Goff-D’Été");
        assert_eq!(spoken("FLOC'H O'NEIL"), "Floc’h O’Neil");
        assert_eq!(spoken("L'Hostis"), "L’Hostis");
        assert_eq!(spoken("de La Tour"), "de La Tour");
    }
}
