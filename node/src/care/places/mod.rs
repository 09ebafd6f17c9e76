//! Places of birth (« lieu de naissance », the fifth trait): by the code that the identity keeps, and by the name that people say.
//!
//! The code is INSEE's (code officiel géographique): a commune of today, one that was joined to another and kept its code, a municipal
//! arrondissement, or a country. Communes come with the package that `libraries.txt` names, countries with `countries.txt`. A code that is in
//! neither may still be right, for communes that ceased to be long ago: it is kept and has no name.

use std::{iter, sync::LazyLock};

use super::index::words;

/// The code of a place that nobody knows.
pub const UNKNOWN_PLACE: &str = "99999";
/// How many are proposed at a time.
const PROPOSED: usize = 8;

// A line is code, inhabitants, name; in the order of the codes, and of one code the commune of today first. Made by build.rs.
static COMMUNES: &str = include_str!(concat!(env!("OUT_DIR"), "/communes.txt"));
// A line is code, name, and the year in which it ceased to be.
static COUNTRIES: &str = include_str!("countries.txt");

/// A commune or a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BirthPlace {
    /// Five characters.
    pub code: &'static str,
    /// As INSEE writes it.
    pub name: &'static str,
    /// The year in which a country ceased to be; empty where it is there, and for communes.
    pub until: &'static str,
    inhabitants: u32,
}

/// Why a text names no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPlace {
    /// None is called like this.
    Nowhere,
    /// It may be any of these, the likeliest first.
    Which(Vec<BirthPlace>),
}

impl BirthPlace {
    /// « Quimper (29232) »: what [`code_of`] reads again.
    pub fn label(&self) -> String {
        match self.until {
            "" => format!("{} ({})", self.name, self.code),
            year => format!("{}, jusqu’en {year} ({})", self.name, self.code),
        }
    }

    /// Whether it is another country.
    pub fn is_abroad(&self) -> bool {
        self.code.starts_with("99")
    }
}

/// Every place, in the order of the codes.
static PLACES: LazyLock<Vec<BirthPlace>> = LazyLock::new(|| {
    let communes = COMMUNES.lines().filter_map(commune);
    let countries = COUNTRIES.lines().filter_map(country);
    communes.chain(countries).collect()
});

/// Their names as they are looked for, a line each.
static SOUGHT: LazyLock<String> = LazyLock::new(|| {
    let names = PLACES.iter().map(|place| sought(place.name) + "\n");
    names.collect()
});

fn commune(line: &'static str) -> Option<BirthPlace> {
    let mut parts = line.split('\t');
    let (code, inhabitants, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(BirthPlace {
        code,
        name,
        until: "",
        inhabitants: inhabitants.parse().unwrap_or_default(),
    })
}

fn country(line: &'static str) -> Option<BirthPlace> {
    let mut parts = line.split('\t');
    let (code, name) = (parts.next()?, parts.next()?);
    let until = parts.next().unwrap_or_default();
    Some(BirthPlace {
        code,
        name,
        until,
        // More people were born in any of them than in a commune whose name begins alike.
        inhabitants: if until.is_empty() { u32::MAX } else { 0 },
    })
}

/// « Saint-Malo » gives ` SAINT MALO`; so does « St Malo ». « Paris 12ème arrondissement » is ` PARIS 12E`.
fn sought(text: &str) -> String {
    let whole = |word: String| match word.as_str() {
        "ST" => Some("SAINT".to_owned()),
        "STE" => Some("SAINTE".to_owned()),
        "ARRONDISSEMENT" => None,
        _ => Some(match word.strip_suffix("EME") {
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{number}E")
            }
            _ => word,
        }),
    };
    let words = words(text).into_iter().filter_map(whole);
    words.flat_map(|word| [" ".to_owned(), word]).collect()
}

/// The place of a code, as it is called today; nothing where the lists do not have it.
pub fn birth_place(code: &str) -> Option<BirthPlace> {
    let places = &*PLACES;
    let at = places.partition_point(|place| place.code < code);
    places.get(at).filter(|place| place.code == code).copied()
}

/// The places whose name has words that begin as those typed, in this order: the same name first, then those that begin so; countries, then the largest.
pub fn birth_places_like(typed: &str) -> Vec<BirthPlace> {
    let typed = sought(typed);
    if typed.is_empty() {
        return Vec::new();
    }
    let all = iter::zip(&*PLACES, SOUGHT.lines());
    let mut found: Vec<_> = all
        .filter_map(|(place, name)| {
            let at = name.find(&typed)?;
            let rank = (name != typed, at != 0, !place.until.is_empty());
            Some((rank, u32::MAX - place.inhabitants, place))
        })
        .collect();
    found.sort_by_key(|(rank, inhabitants, place)| (*rank, *inhabitants, place.code));
    let places = found.into_iter().map(|(.., place)| *place);
    places.take(PROPOSED).collect()
}

/// The places that are there and have this name, the largest first.
fn called(name: &str) -> Vec<BirthPlace> {
    let name = sought(name);
    let all = iter::zip(&*PLACES, SOUGHT.lines());
    let same = all.filter(|(place, other)| *other == name && place.until.is_empty());
    let mut same: Vec<_> = same.map(|(place, _)| *place).collect();
    same.sort_by_key(|place| (u32::MAX - place.inhabitants, place.code));
    same
}

/// A name, and what stands in brackets behind it.
fn parted(typed: &str) -> (&str, Option<&str>) {
    let brackets = typed
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once('('));
    brackets.map_or((typed, None), |(name, within)| {
        (name.trim_end(), Some(within.trim()))
    })
}

/// The code of a place that somebody typed: a code, [`BirthPlace::label`], a name that one place alone has, also with its department as identity cards
/// write it (« SAINT-DENIS (93) »), or « inconnu ».
///
/// # Errors
/// [`NoPlace`], with those that it may be. A name and a code that do not belong together are no place.
pub fn code_of(typed: &str) -> Result<String, NoPlace> {
    let typed = typed.trim();
    let code = typed.to_uppercase();
    if is_code(&code) {
        return Ok(code);
    }
    if [" INCONNU", " INCONNUE"].contains(&sought(typed).as_str()) {
        return Ok(UNKNOWN_PLACE.to_owned());
    }
    let (name, within) = parted(typed);
    let within = within.unwrap_or_default().to_uppercase();
    if is_code(&within) {
        return beside(typed, name, within);
    }
    let mut same = called(typed);
    if same.is_empty() && is_department(&within) {
        same = called(name);
        same.retain(|place| place.code.starts_with(&within));
    }
    if let [place] = same[..] {
        return Ok(place.code.to_owned());
    }
    if same.is_empty() {
        same = birth_places_like(typed);
    }
    if same.is_empty() {
        same = birth_places_like(name);
    }
    Err(if same.is_empty() {
        NoPlace::Nowhere
    } else {
        NoPlace::Which(same)
    })
}

/// A code behind a name: right where the place of this code is called so, or where the lists have no such code.
fn beside(typed: &str, name: &str, code: String) -> Result<String, NoPlace> {
    let of_code: Vec<_> = (PLACES.iter().filter(|place| place.code == code)).collect();
    let is_it = |place: &&BirthPlace| place.label() == typed || sought(place.name) == sought(name);
    if of_code.is_empty() || of_code.iter().any(is_it) {
        return Ok(code);
    }
    let mut which: Vec<_> = of_code.into_iter().take(1).copied().collect();
    which.extend(birth_places_like(name));
    Err(NoPlace::Which(which))
}

/// Whether it has the form of a department's number: two digits, 2A and 2B, three digits overseas.
fn is_department(number: &str) -> bool {
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    match number.len() {
        2 => digits || ["2A", "2B"].contains(&number),
        3 => digits && number.starts_with('9'),
        _ => false,
    }
}

/// Whether it has the form of a code: five digits, or a Corsican department and three.
pub(super) fn is_code(code: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let corsican = code.strip_prefix("2A").or_else(|| code.strip_prefix("2B"));
    code.len() == 5 && corsican.map_or_else(|| digits(code), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(typed: &str) -> Vec<&'static str> {
        let found = birth_places_like(typed).into_iter();
        found.map(|place| place.name).collect()
    }

    #[test]
    fn a_code_has_the_name_that_the_place_has_today() {
        let name = |code| birth_place(code).map(|place| place.name);
        assert_eq!(name("29232"), Some("Quimper"));
        assert_eq!(name("76351"), Some("Le Havre"));
        assert_eq!(name("2A004"), Some("Ajaccio"));
        assert_eq!(name("75112"), Some("Paris 12e"));
        assert_eq!(name("97411"), Some("Saint-Denis"));
        assert_eq!(name("99352"), Some("Algérie"));
        // A commune that gave its code to the one that it was joined to.
        assert_eq!(name("01015"), Some("Arboys en Bugey"));
        assert_eq!([name("29998"), name("99999"), name("")], [None; 3]);
    }

    #[test]
    fn every_line_of_both_lists_is_a_place_and_has_a_code() {
        let lines = COUNTRIES.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.count() + COMMUNES.lines().count();
        assert_eq!(PLACES.len(), lines);
        assert!(PLACES.is_sorted_by_key(|place| place.code));
        for place in &*PLACES {
            assert!(is_code(place.code) && !place.name.is_empty(), "{place:?}");
        }
        assert!(lines > 37_000, "{lines}");
    }

    #[test]
    fn a_place_is_found_by_the_beginning_of_its_name_however_it_is_written() {
        assert_eq!(names("quimper")[..2], ["Quimper", "Quimperlé"]);
        assert_eq!(names("havre")[0], "Le Havre");
        assert_eq!(names("st malo")[0], "Saint-Malo");
        assert_eq!(names("l'hay les")[0], "L’Haÿ-les-Roses");
        assert_eq!(names("paris 12")[0], "Paris 12e");
        assert_eq!(names("alg")[..2], ["Algérie", "Algrange"]);
        assert_eq!(names("saint").len(), PROPOSED);
        assert_eq!(names(" - "), [""; 0]);
        assert_eq!(names("zzz"), [""; 0]);
    }

    #[test]
    fn what_was_typed_is_one_place_or_says_which_it_may_be() {
        for (typed, code) in [
            ("29232", "29232"),
            ("2a004", "2A004"),
            ("29998", "29998"),
            ("Quimper (29232)", "29232"),
            ("QUIMPER", "29232"),
            ("le havre", "76351"),
            ("Kenya", "99332"),
            ("Kenya, jusqu’en 1963 (99307)", "99307"),
            ("inconnu", "99999"),
            // As identity cards have it, and as people write arrondissements.
            ("SAINT-DENIS (93)", "93066"),
            ("AJACCIO (2A)", "2A004"),
            ("Saint-Denis (974)", "97411"),
            ("PARIS 12E ARRONDISSEMENT (75)", "75112"),
            ("Paris 12ème", "75112"),
            ("Saint-Martin (partie néerlandaise)", "99445"),
        ] {
            assert_eq!(code_of(typed).as_deref(), Ok(code), "{typed}");
        }
        let Err(NoPlace::Which(several)) = code_of("Saint-Denis") else {
            panic!("there are several");
        };
        let codes: Vec<_> = several.iter().map(|place| place.code).collect();
        assert!(
            codes.contains(&"93066") && codes.contains(&"97411"),
            "{codes:?}"
        );
        for typed in ["Quimpe", "Saint-Étienne (Loire)", "Rouen (93)"] {
            let which = code_of(typed);
            assert!(
                matches!(which, Err(NoPlace::Which(_))),
                "{typed}: {which:?}"
            );
        }
        // The name was changed and the code left: nobody knows which of them is meant.
        let Err(NoPlace::Which(both)) = code_of("Rouen (29232)") else {
            panic!("two places");
        };
        assert_eq!([both[0].code, both[1].code], ["29232", "76540"]);
        assert_eq!(code_of("Atlantide"), Err(NoPlace::Nowhere));
        assert_eq!(code_of(""), Err(NoPlace::Nowhere));
    }

    #[test]
    fn every_label_is_read_again() {
        for place in &*PLACES {
            assert_eq!(code_of(&place.label()).as_deref(), Ok(place.code));
        }
    }
}
