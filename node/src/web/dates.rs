//! Dates as people type them: the day, the month and the year, with what is not known left out.

use maillon_protocol::content::{PartialDate, PartialDateError};

/// Reads a date; what is wrong with it otherwise. `form` says how one is written.
pub(super) fn read(typed: &str, form: &str) -> Result<PartialDate, String> {
    let parts: Vec<&str> = typed
        .split(['/', '.', '-', ' '])
        .filter(|part| !part.is_empty())
        .collect();
    let compact = typed.len() == 8 && typed.bytes().all(|sign| sign.is_ascii_digit());
    let text = match parts.as_slice() {
        [day] if compact => format!("{}-{}-{}", &day[4..], &day[2..4], &day[..2]),
        [year] => (*year).to_owned(),
        [month, year] if year.len() == 4 => format!("{year}-{month:0>2}"),
        [year, month, day] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        [day, month, year] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => return Err(form.to_owned()),
    };
    let month = text.split('-').nth(1);
    let month = month.and_then(|month| month.parse::<u8>().ok());
    PartialDate::try_from(text).map_err(|error| match (error, month) {
        (PartialDateError::NoSuchDay, _) => "Ce mois n’a pas ce jour.".to_owned(),
        (_, Some(month @ 13..=99)) => {
            format!("Il n’y a pas de mois {month}. Écrivez le jour, puis le mois.")
        }
        _ => form.to_owned(),
    })
}

/// A date as it would be typed: `2026-11-27` is 27/11/2026.
pub(super) fn typed(date: &str) -> String {
    let parts: Vec<&str> = date.split('-').rev().collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_people_write_it() {
        for (text, date) in [
            ("14/08/1945", "1945-08-14"),
            ("14.8.1945", "1945-08-14"),
            ("1945-08-14", "1945-08-14"),
            ("14 08 1945", "1945-08-14"),
            ("14081945", "1945-08-14"),
            ("08/1945", "1945-08"),
            ("1945", "1945"),
        ] {
            let read = read(text, "").map(String::from);
            assert_eq!(read.as_deref(), Ok(date), "{text}");
        }
        for text in [
            "",
            "hier",
            "14/08/45",
            "14/08",
            "1/2/3/1945",
            "14//1945x",
            "é4081945",
        ] {
            assert_eq!(
                read(text, "Écrivez.").err().as_deref(),
                Some("Écrivez."),
                "{text}"
            );
        }
        assert!(read("11/13/1940", "").is_err_and(|said| said.contains("mois 13")));
        assert!(read("31/02/1940", "").is_err_and(|said| said.contains("ce jour")));
    }

    #[test]
    fn a_date_is_typed_as_it_is_read() {
        for text in ["27/11/2026", "11/2026", "2026"] {
            let date = read(text, "").map(String::from).unwrap_or_default();
            assert_eq!(typed(&date), text);
        }
    }
}
