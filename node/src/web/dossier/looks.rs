//! Who opened this file, and who did what in it: the readings of one person on one day in one line, acts one by one.

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use maillon_protocol::ids::ThingId;

use super::{Cover, Tab, acts, address, opened};
use crate::{
    care::{Look, LookedBy, Shown},
    clock::day_of,
    web::{
        Site,
        door::{From, Who},
        french::{self, Moment},
        problem::Problem,
        shell::{Place, Shell, html},
    },
};

/// From where on the past is looked at.
#[derive(serde::Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    avant: String,
}

/// A line of the page.
struct Line {
    when: Moment,
    hour: String,
    icon: &'static str,
    what: String,
    who: String,
    detail: String,
    by_glass: bool,
}

/// What was done on one day.
struct Day {
    head: String,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "dossier/looks.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    structure: &'a str,
    days: Vec<Day>,
    older: Option<String>,
    past: bool,
}

/// The readings of one person on one day, by one right.
struct Readings {
    actor: Option<ThingId>,
    by_glass: bool,
    first_ms: u64,
    count: usize,
    parts: Vec<&'static str>,
    /// Its place among the day's lines.
    place: usize,
}

/// Somebody in words: « Camille Roux, infirmier ».
fn who(by: &LookedBy) -> String {
    match by {
        LookedBy::Professional(one) => match &one.profession {
            Some(code) => format!("{}, {}", one.name, french::small(&code.label)),
            None => one.name.clone(),
        },
        LookedBy::Administrator => "Administration de Maillon".to_owned(),
        LookedBy::Node => "Maillon, automatiquement".to_owned(),
    }
}

/// Lines day by day, the newest first.
fn days(looks: &[Look], now_ms: u64) -> Vec<Day> {
    let mut days: Vec<(String, Day, Vec<Readings>)> = Vec::new();
    for look in looks {
        let date = day_of(look.at_ms);
        if days.last().is_none_or(|(last, ..)| *last != date) {
            let head = french::heading(look.at_ms, now_ms);
            let lines = Vec::new();
            days.push((date, Day { head, lines }, Vec::new()));
        }
        if let Some((_, day, readings)) = days.last_mut() {
            enter(day, readings, look, now_ms);
        }
    }
    for (_, day, readings) in &mut days {
        for one in readings {
            let line = &mut day.lines[one.place];
            line.detail = french::capital(&one.parts.join(", "));
            if one.count > 1 {
                line.what = format!("A consulté le dossier {}\u{a0}fois", one.count);
                let (first, last) = (french::hour(one.first_ms), &line.hour);
                if first != *last {
                    line.detail += &format!(", de {first} à {last}");
                }
            }
        }
    }
    days.into_iter().map(|(_, day, _)| day).collect()
}

/// Enters a line into its day.
fn enter(day: &mut Day, readings: &mut Vec<Readings>, look: &Look, now_ms: u64) {
    let part = acts::part(&look.action);
    let by_glass = look.by_glass();
    if let Some(part) = part {
        let known = readings
            .iter_mut()
            .find(|one| one.actor == look.actor && one.by_glass == by_glass);
        if let Some(one) = known {
            one.count += 1;
            one.first_ms = look.at_ms;
            if !one.parts.contains(&part) {
                one.parts.push(part);
            }
            return;
        }
        readings.push(Readings {
            actor: look.actor,
            by_glass,
            first_ms: look.at_ms,
            count: 1,
            parts: vec![part],
            place: day.lines.len(),
        });
    }
    let (icon, what) = match part {
        Some(_) => ("eye", "A consulté le dossier"),
        None => acts::act(&look.action),
    };
    let when = french::moment(look.at_ms, now_ms);
    day.lines.push(Line {
        hour: french::hour(look.at_ms),
        when,
        icon,
        what: what.to_owned(),
        who: who(&look.by),
        detail: acts::detail(look).to_owned(),
        by_glass: by_glass || look.action == "glass.break",
    });
}

/// `GET /dossiers/{file}/acces`
pub(in crate::web) async fn looks(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(at): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let before = match asked.avant.as_str() {
        "" => None,
        typed => Some(typed.parse().map_err(|_| Problem::not_understood())?),
    };
    let (filed, view) = opened(&site, &who, &at, Shown::Looks, None).await?;
    let care = &site.node.care;
    let page = care.looks(who.professional()?, filed.circle, before)?;
    let cover = Cover::new(&filed, &view, Tab::Looks);
    let cover = cover.dated(&site, &filed, arrival.now_ms).await?;
    let page = Page {
        shell: Shell::of(&who, Place::Patients, "Accès au dossier"),
        structure: &who.structure,
        days: days(&page.looks, arrival.now_ms),
        older: page
            .next
            .map(|next| format!("/dossiers/{}/acces?avant={next}", address(&filed.circle))),
        past: before.is_some(),
        cover,
    };
    Ok(html(StatusCode::OK, &page))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday, 26 November 2026, 14:05 in Paris.
    const THEN: u64 = 1_795_698_300_000;
    const MINUTE: u64 = 60_000;

    fn look(actor: u8, before: u64, action: &str, object: Option<&str>) -> Look {
        Look {
            actor: Some(ThingId([actor; 16])),
            by: LookedBy::Administrator,
            at_ms: THEN - before * MINUTE,
            action: action.to_owned(),
            object: object.map(str::to_owned),
        }
    }

    fn told(looks: &[Look]) -> Vec<(String, bool)> {
        let days = days(looks, THEN);
        let lines = days.into_iter().flat_map(|day| day.lines);
        lines
            .map(|line| (format!("{}. {}", line.what, line.detail), line.by_glass))
            .collect()
    }

    #[test]
    fn the_readings_of_one_person_on_one_day_are_one_line_and_acts_stand_alone() {
        let glass = Some("right glass");
        let said = told(&[
            look(1, 0, "file.read", None),
            look(2, 1, "note.add", None),
            look(1, 2, "file.read.notes", None),
            look(2, 3, "file.read", glass),
            look(2, 4, "glass.break", Some("glass danger")),
            look(1, 65, "file.read.notes", None),
            look(1, 24 * 60, "file.read", None),
        ]);
        let said: Vec<_> = said
            .iter()
            .map(|(words, glass)| (&words[..], *glass))
            .collect();
        assert_eq!(
            said,
            [
                (
                    "A consulté le dossier 3\u{a0}fois. Résumé, carnet de liaison, de 13\u{a0}h\u{a0}00 à 14\u{a0}h\u{a0}05",
                    false
                ),
                ("A écrit une note. ", false),
                ("A consulté le dossier. Résumé", true),
                (
                    "A ouvert le dossier sans être de l’équipe. La personne est en danger",
                    true
                ),
                ("A consulté le dossier. Résumé", false),
            ]
        );
    }
}
