//! Dates as people say them, in Europe/Paris; and small words.

use jiff::{Timestamp, Zoned, civil::Weekday, tz::TimeZone};
use unicode_normalization::UnicodeNormalization;

const DAYS: [&str; 7] = [
    "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
];
const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// A moment, as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// « hier à 14 h 05 ».
    pub(super) said: String,
    /// « jeudi 26 novembre 2026 à 14 h 05 »: on hover.
    pub(super) exact: String,
    /// For machines: `2026-11-26T14:05:00+01:00`.
    pub(super) machine: String,
}

fn paris(at_ms: u64) -> Zoned {
    let zone: TimeZone = jiff::tz::get!("Europe/Paris");
    let at = i64::try_from(at_ms).unwrap_or(i64::MAX);
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX);
    at.to_zoned(zone)
}

fn day(weekday: Weekday) -> &'static str {
    DAYS[usize::from(weekday.to_monday_zero_offset().unsigned_abs())]
}

/// « novembre ».
pub(super) fn month(month: i8) -> &'static str {
    MONTHS[usize::from(month.unsigned_abs().saturating_sub(1)).min(11)]
}

/// A day of a month: « 1er », « 2 ».
pub(super) fn number(day: i8) -> String {
    if day == 1 {
        "1er".to_owned()
    } else {
        day.to_string()
    }
}

fn clock(at: &Zoned) -> String {
    format!("{}\u{a0}h\u{a0}{:02}", at.hour(), at.minute())
}

/// A moment as it is said at another one; both Unix milliseconds.
pub(super) fn moment(at_ms: u64, now_ms: u64) -> Moment {
    let (at, now) = (paris(at_ms), paris(now_ms));
    let apart = now
        .date()
        .since(at.date())
        .map_or(i32::MAX, |span| span.get_days());
    let whole = format!(
        "{} {} {} {}",
        day(at.weekday()),
        number(at.day()),
        month(at.month()),
        at.year()
    );
    let ago_s = now_ms.saturating_sub(at_ms) / 1000;
    let said = match apart {
        _ if at_ms <= now_ms && ago_s < 60 => "à l’instant".to_owned(),
        _ if at_ms <= now_ms && ago_s < 3600 => format!("il y a {}\u{a0}min", ago_s / 60),
        0 => format!("aujourd’hui à {}", clock(&at)),
        1 => format!("hier à {}", clock(&at)),
        -1 => format!("demain à {}", clock(&at)),
        2..=6 => format!("{} à {}", day(at.weekday()), clock(&at)),
        _ if at.year() == now.year() => {
            format!(
                "le {} {} à {}",
                number(at.day()),
                month(at.month()),
                clock(&at)
            )
        }
        _ => format!(
            "le {} {} {}",
            number(at.day()),
            month(at.month()),
            at.year()
        ),
    };
    Moment {
        said,
        exact: format!("{whole} à {}", clock(&at)),
        machine: at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    }
}

/// « vendredi 27 novembre ».
pub(super) fn today(now_ms: u64) -> String {
    let now = paris(now_ms);
    format!(
        "{} {} {}",
        day(now.weekday()),
        number(now.day()),
        month(now.month())
    )
}

/// The day of a moment as a heading: « Aujourd’hui », « Hier, jeudi 26 novembre », « Mardi 3 mars 2025 ».
pub(super) fn heading(at_ms: u64, now_ms: u64) -> String {
    let (at, now) = (paris(at_ms), paris(now_ms));
    let day = format!(
        "{} {} {}",
        day(at.weekday()),
        number(at.day()),
        month(at.month())
    );
    let apart = now.date().since(at.date());
    match apart.map_or(i32::MAX, |span| span.get_days()) {
        0 => "Aujourd’hui".to_owned(),
        1 => format!("Hier, {day}"),
        _ if at.year() == now.year() => capital(&day),
        _ => format!("{} {}", capital(&day), at.year()),
    }
}

/// « 14 h 05 ».
pub(super) fn hour(at_ms: u64) -> String {
    clock(&paris(at_ms))
}

/// « un dossier », « 12 dossiers »: how many there are of something, with the word for one and for several.
pub(super) fn count(number: usize, one: &str, several: &str) -> String {
    match number {
        0 => format!("Aucun {one}"),
        1 => format!("1\u{a0}{one}"),
        _ => format!("{number}\u{a0}{several}"),
    }
}

/// How big a file is: « 312 octets », « 48 ko », « 1,4 Mo ».
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes}\u{a0}octets"),
        1000..1_000_000 => format!("{}\u{a0}ko", bytes / 1000),
        _ => {
            let tenths = bytes / 100_000;
            format!("{},{}\u{a0}Mo", tenths / 10, tenths % 10)
        }
    }
}

/// How long something lasts: « 5 min », « 2 h », « 1 jour et 4 h », « 3 jours ».
pub(super) fn lasting(ms: u64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => "moins d’une minute".to_owned(),
        1..=59 => format!("{minutes}\u{a0}min"),
        60..=1439 => format!("{}\u{a0}h", minutes / 60),
        1440..=1499 => "1\u{a0}jour".to_owned(),
        1500..=2879 => format!("1\u{a0}jour et {}\u{a0}h", minutes / 60 - 24),
        _ => format!("{}\u{a0}jours", minutes / 1440),
    }
}

/// « de Yann », « d’Inès », « du Dr Tréguer ».
pub(super) fn of(name: &str) -> String {
    if name.starts_with("Dr ") || name.starts_with("Pr ") {
        return format!("du {name}");
    }
    let mut signs = name.nfd().filter(|sign| sign.is_alphabetic());
    let mut next = || signs.next().unwrap_or_default().to_ascii_lowercase();
    match (next(), next()) {
        ('a' | 'e' | 'i' | 'o' | 'u' | 'h', _) => format!("d’{name}"),
        // « d’Yvonne », but « de Yann ».
        ('y', second) if !"aeiou".contains(second) => format!("d’{name}"),
        _ => format!("de {name}"),
    }
}

/// With a small letter at its beginning, where the word is none of capitals: « infirmier », « SSIAD ».
pub(super) fn small(text: &str) -> String {
    let mut signs = text.chars();
    match (signs.next(), signs.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(signs).collect()
        }
        _ => text.to_owned(),
    }
}

/// With a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut signs = text.chars();
    let first = signs.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(signs).collect()
}

/// What ends a sentence behind a text in quotation marks: a full stop, where the text has no end of its own.
pub(super) fn stop(quoted: &str) -> &'static str {
    if quoted.trim_end().ends_with(['.', '!', '?', '…']) {
        ""
    } else {
        "."
    }
}

/// Seconds to wait, in words: « 40 secondes », « 3 minutes ».
pub(super) fn wait(seconds: u64) -> String {
    match seconds {
        0 | 1 => "une seconde".to_owned(),
        2..=59 => format!("{seconds} secondes"),
        60..=90 => "une minute".to_owned(),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday, 26 November 2026, 14:05 in Paris.
    const THEN: u64 = 1_795_698_300_000;
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;

    #[test]
    fn whose_it_is_said_as_people_say_it() {
        for (name, said) in [
            ("Maëlle", "de Maëlle"),
            ("Inès", "d’Inès"),
            ("Élodie", "d’Élodie"),
            ("Hélène", "d’Hélène"),
            ("Yann", "de Yann"),
            ("Yves", "d’Yves"),
            ("Dr Tréguer", "du Dr Tréguer"),
            ("Pr Martin", "du Pr Martin"),
            ("octobre 2026", "d’octobre 2026"),
        ] {
            assert_eq!(of(name), said);
        }
    }

    #[test]
    fn moments_are_said_as_people_say_them() {
        let said = |later: u64| moment(THEN, THEN + later).said;
        assert_eq!(said(20_000), "à l’instant");
        assert_eq!(said(5 * MINUTE), "il y a 5\u{a0}min");
        assert_eq!(said(3 * HOUR), "aujourd’hui à 14\u{a0}h\u{a0}05");
        assert_eq!(said(10 * HOUR), "hier à 14\u{a0}h\u{a0}05");
        assert_eq!(said(3 * 24 * HOUR), "jeudi à 14\u{a0}h\u{a0}05");
        assert_eq!(said(20 * 24 * HOUR), "le 26 novembre à 14\u{a0}h\u{a0}05");
        assert_eq!(said(60 * 24 * HOUR), "le 26 novembre 2026");
        assert_eq!(
            moment(THEN, THEN - 24 * HOUR).said,
            "demain à 14\u{a0}h\u{a0}05"
        );
        assert_eq!(
            moment(THEN, THEN).exact,
            "jeudi 26 novembre 2026 à 14\u{a0}h\u{a0}05"
        );
        assert_eq!(moment(THEN, THEN).machine, "2026-11-26T14:05:00+01:00");
    }

    #[test]
    fn an_hour_is_that_of_paris_in_summer_too() {
        let summer = 1_782_900_000_000;
        assert_eq!(
            moment(summer, summer).exact,
            "mercredi 1er juillet 2026 à 12\u{a0}h\u{a0}00"
        );
    }

    #[test]
    fn waiting_is_said_in_seconds_and_minutes() {
        assert_eq!(wait(60), "une minute");
        assert_eq!(wait(45), "45 secondes");
        assert_eq!(wait(121), "3 minutes");
        assert_eq!(capital("été"), "Été");
        assert_eq!(
            ["Non. ", "Quand ?", "Bientôt", ""].map(stop),
            ["", "", ".", "."]
        );
        assert_eq!(size(312), "312\u{a0}octets");
        assert_eq!(size(48_640), "48\u{a0}ko");
        assert_eq!(size(1_449_000), "1,4\u{a0}Mo");
    }
}
