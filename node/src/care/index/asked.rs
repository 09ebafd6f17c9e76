//! What somebody types to find a person: names, a birth date, the beginning of an INS, in any order.

use maillon_protocol::content::PatientIdentity;

use super::{
    slate::{BORN, NUMBER},
    words::words,
};

/// Words of one search, and its characters; more say nothing more.
const MOST: usize = 12;
const LONGEST: usize = 200;
/// From how many digits on a number is the beginning of an INS; a year has four.
const INS: usize = 5;
/// A number without its key.
const WHOLE_INS: usize = 13;

/// A search as it is compared with each file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Each is the beginning of a name, after a space.
    names: Vec<String>,
    parts: Vec<Part>,
}

/// A number that was typed, in each of the ways in which it can be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// A birth date, or a part of one.
    Born {
        day: Option<u8>,
        month: Option<u8>,
        year: Option<u16>,
    },
    /// The beginning of an INS, or a birth date written without anything between.
    Number(String),
}

impl Asked {
    pub(super) fn read(typed: &str) -> Self {
        let mut asked = Self::default();
        let typed: String = typed.chars().take(LONGEST).collect();
        for piece in typed.split_whitespace().take(MOST) {
            if !piece.contains(|sign: char| sign.is_ascii_digit()) {
                let found = words(piece);
                asked
                    .names
                    .extend(found.into_iter().map(|word| format!(" {word}")));
            } else if let Some(date) = date(piece).filter(|_| !asked.goes_on(piece)) {
                asked.parts.push(date);
            } else {
                let sign = |sign: &char| sign.is_ascii_alphanumeric();
                let number: String = piece.chars().filter(sign).collect();
                asked.number(&number.to_ascii_uppercase());
            }
        }
        asked.names.truncate(MOST);
        asked
    }

    /// Whether digits follow those of a number: four of them are no year then.
    fn goes_on(&self, piece: &str) -> bool {
        matches!(self.parts.last(), Some(Part::Number(_)))
            && piece.bytes().all(|sign| sign.is_ascii_digit())
    }

    /// Parts of one number that were typed with spaces between follow each other.
    fn number(&mut self, piece: &str) {
        if let Some(Part::Number(before)) = self.parts.last_mut() {
            before.push_str(piece);
        } else {
            self.parts.push(Part::Number(piece.to_owned()));
        }
    }

    /// Whether there is anything to look for.
    pub(super) const fn is_empty(&self) -> bool {
        self.names.is_empty() && self.parts.is_empty()
    }

    /// What stands in the line of each file that is meant (`slate`), one of these at least: of all that was typed the part that the fewest have, as a rule.
    pub(super) fn needles(&self) -> Vec<String> {
        let names = self.names.iter().map(|name| vec![name.clone()]);
        let all = names.chain(self.parts.iter().map(Part::needles));
        let shortest = |needles: &Vec<String>| needles.iter().map(String::len).min();
        all.max_by_key(shortest).unwrap_or_default()
    }

    /// Whether a file may be meant by its names: its words, each after a space.
    pub(super) fn names(&self, names: &str) -> bool {
        self.names.iter().all(|name| names.contains(name.as_str()))
    }

    /// Whether it may be meant by the numbers of who the person is. Of whom one does not follow the whole number is to be typed: nobody finds it out digit by digit.
    pub(super) fn numbers(
        &self,
        identity: &PatientIdentity,
        followed: impl Fn() -> bool + Copy,
    ) -> bool {
        self.parts.iter().all(|part| part.means(identity, followed))
    }
}

impl Part {
    /// Of which one at least stands in the line of each file that is meant.
    fn needles(&self) -> Vec<String> {
        match self {
            Self::Born { day, month, year } => {
                let year = year.map_or_else(String::new, |year| format!("{BORN}{year:04}"));
                let month = month.map_or_else(String::new, |month| format!("-{month:02}"));
                let day = day.map_or_else(String::new, |day| format!("-{day:02}{NUMBER}"));
                vec![[year, month, day].concat()]
            }
            Self::Number(number) => {
                let together = compact(number).map_or_else(Vec::new, |date| date.needles());
                [vec![format!("{NUMBER}{number}")], together].concat()
            }
        }
    }

    fn means(&self, identity: &PatientIdentity, followed: impl Fn() -> bool) -> bool {
        let born = identity
            .birth_date
            .as_ref()
            .map_or("", |date| date.as_str());
        match self {
            Self::Born { day, month, year } => {
                let mut known = born.split('-');
                let mut next = || known.next().and_then(|part| part.parse::<u16>().ok());
                let (of_year, of_month, of_day) = (next(), next(), next());
                year.is_none_or(|year| of_year == Some(year))
                    && month.is_none_or(|month| of_month == Some(month.into()))
                    && day.is_none_or(|day| of_day == Some(day.into()))
            }
            Self::Number(number) => {
                let together = compact(number);
                let ins = identity.ins.as_ref().map_or("", |ins| ins.number.as_str());
                let enough = || number.len() >= WHOLE_INS || number.len() >= INS && followed();
                (ins.starts_with(number.as_str()) && enough())
                    || together.is_some_and(|date| date.means(identity, followed))
            }
        }
    }
}

/// A birth date as people type it: 12/05/1938, 12.5.1938, 1938-05-12, 12/05, 05/1938, 1938.
fn date(piece: &str) -> Option<Part> {
    let parts: Vec<&str> = piece.split(['/', '.', '-']).collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|sign| sign.is_ascii_digit());
    if !parts.iter().all(digits) {
        return None;
    }
    match parts.as_slice() {
        [year] if year.len() == 4 => born(None, None, Some(year)),
        [year, month, day] if year.len() == 4 => born(Some(day), Some(month), Some(year)),
        [day, month, year] => born(Some(day), Some(month), Some(year)),
        [month, year] if year.len() == 4 => born(None, Some(month), Some(year)),
        [day, month] => born(Some(day), Some(month), None),
        _ => None,
    }
}

/// Eight digits as day, month and year.
fn compact(number: &str) -> Option<Part> {
    let (day, rest) = number.split_at_checked(2)?;
    let (month, year) = rest.split_at_checked(2)?;
    (year.len() == 4).then(|| born(Some(day), Some(month), Some(year)))?
}

fn born(day: Option<&str>, month: Option<&str>, year: Option<&str>) -> Option<Part> {
    let small = |text: Option<&str>, most: u8| match text {
        None => Some(None),
        Some(text) => match text.parse() {
            Ok(value) if (1..=most).contains(&value) => Some(Some(value)),
            _ => None,
        },
    };
    let year = match year {
        None => None,
        Some(text) if text.len() == 4 => Some(text.parse().ok()?),
        Some(_) => return None,
    };
    Some(Part::Born {
        day: small(day, 31)?,
        month: small(month, 12)?,
        year,
    })
}

#[cfg(test)]
mod tests {
    use maillon_protocol::content::{IdentityStatus, Ins, InsKind, PartialDate, Sex};

    use super::*;

    fn jeanne() -> PatientIdentity {
        PatientIdentity {
            birth_name: "LE GOFF".to_owned(),
            birth_given_names: vec!["JEANNE".to_owned()],
            used_name: String::new(),
            used_given_name: String::new(),
            birth_date: PartialDate::try_from("1938-05-12".to_owned()).ok(),
            sex: Sex::Female,
            birth_place: "35238".to_owned(),
            ins: Some(Ins::new("238053523801234", InsKind::TestNir)),
            status: IdentityStatus::Provisional,
            validated_by: String::new(),
            contacts: Vec::new(),
            identifiers: Vec::new(),
        }
    }

    fn means(typed: &str, names: &str, followed: bool) -> bool {
        let asked = Asked::read(typed);
        asked.names(names) && asked.numbers(&jeanne(), || followed)
    }

    fn finds(typed: &str) -> bool {
        means(typed, " LE GOFF LEGOFF JEANNE", true)
    }

    #[test]
    fn names_are_found_by_their_beginnings_in_any_order_and_however_they_are_written() {
        for typed in ["le g", "GOFF jea", "Jéanne le-goff", "legoff", "jeanne"] {
            assert!(finds(typed), "{typed}");
        }
        for typed in ["off", "goffre", "jeanne martin", "anne"] {
            assert!(!finds(typed), "{typed}");
        }
    }

    #[test]
    fn a_birth_date_is_found_as_people_write_it() {
        for typed in [
            "12/05/1938",
            "12.5.1938",
            "1938-05-12",
            "12051938",
            "12/05",
            "05/1938",
            "1938",
            "goff 1938",
        ] {
            assert!(finds(typed), "{typed}");
        }
        for typed in ["13/05/1938", "12/06", "1939", "goff 1939", "45/05/1938"] {
            assert!(!finds(typed), "{typed}");
        }
    }

    #[test]
    fn an_ins_is_found_by_its_beginning_with_spaces_or_without() {
        for typed in [
            "23805",
            "2 38 05 35 238",
            "2 38 0535 2380",
            "238053523801234",
        ] {
            assert!(finds(typed), "{typed}");
        }
        for typed in ["2380", "23806", "2 38 05 36", "05352"] {
            assert!(!finds(typed), "{typed}");
        }
    }

    #[test]
    fn the_number_of_somebody_else_is_not_found_out_digit_by_digit() {
        let finds = |typed: &str| means(typed, " LE GOFF JEANNE", false);
        assert!(finds("2380535238012") && finds("238053523801234"));
        assert!(!finds("238053523801") && !finds("goff 23805"));
    }

    #[test]
    fn a_search_without_end_is_cut() {
        assert!(Asked::read(&"o-".repeat(50_000)).names.len() <= MOST);
    }

    #[test]
    fn nothing_typed_asks_for_nothing() {
        assert!(Asked::read("  - ").is_empty());
        assert!(!Asked::read("x").is_empty());
    }
}
