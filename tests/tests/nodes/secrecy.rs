//! Nothing readable: not in the folders, not in the logs, not in what is handed to the streams.

use std::path::PathBuf;

use maillon_tests::{
    daemon::{Settings, Trouble, Two, admit, person, same_digests},
    examples::Examples,
    sift::{Found, Needle, Sieve},
};

use crate::{Story, ensure, folder};

const NOTE: &str = "Refuse la toilette depuis trois jours, très inquiète pour son chat.";
const ALERT: &str = "Malaise au lever, glycémie à 0,42 g/L, resucrage en cours.";
const COMMENT: &str = "Vu au domicile à 15 h, état stable.";

/// Two nodes work with identities, notes and alerts, written and imported; then everything that they left is searched.
fn what_is_readable(planted: Option<&str>) -> Result<Vec<Found>, Trouble> {
    let root = folder()?;
    let [a, b] = [Settings::dac(), Settings::cpts()].map(|mut settings| {
        settings.tap = true;
        settings.plant_unsealed = planted.map(str::to_owned);
        // Whatever the daemon can say of itself, it says.
        let verbose = "info,maillon_node=trace,maillon_protocol=trace,maillond=trace";
        settings.log_filter = Some(verbose.to_owned());
        settings
    });
    let shared = Two::peered(root.path(), a, b)?.share()?;
    let examples = Examples::own()?;
    let (mut two, circle) = (shared.two, shared.circle);
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let mut at_b = two.b.client()?.acting_as(&two.at_b);
    at_a.note_add(circle, NOTE)?;
    let alert = at_a.alert_send(circle, ALERT)?.record;
    let imported = at_a.import(&examples.circle)?;
    at_a.import(&examples.note)?;
    let more = imported.circles.first().map(|circle| circle.circle);
    let more = more.ok_or_else(|| Trouble::wrong("the import opened no circle"))?;
    at_a.consent_given(more)?;
    admit(&two, more)?;
    same_digests(&two.a, &two.b, circle)?;
    same_digests(&two.a, &two.b, more)?;
    at_b.alert_acknowledge(alert, COMMENT)?;
    same_digests(&two.a, &two.b, circle)?;
    // A mistake must not echo what was typed.
    let _ = at_a.import(format!("{{\"resourceType\": {NOTE:?}}}").as_bytes());
    two.a.stop()?;
    two.b.stop()?;

    let person = person();
    let ins = person.ins.map(|ins| ins.number).unwrap_or_default();
    let mut secrets = examples.secrets;
    secrets.extend([NOTE, ALERT, COMMENT, "Claire Vasseur", "Yann Le Goff"].map(str::to_owned));
    secrets.extend([person.birth_name, person.birth_given_names.join(" "), ins]);
    let needles: Vec<Needle> = secrets
        .iter()
        .map(|secret| Needle::text(secret, secret))
        .collect();
    let sieve = Sieve::new(&needles);
    let mut found = Vec::new();
    for daemon in [&two.a, &two.b] {
        let places: [PathBuf; 3] = [daemon.folder(), daemon.log(), daemon.tap()];
        for place in places {
            ensure(place.exists(), || format!("no {}", place.display()))?;
            found.extend(sieve.path(&place).map_err(Trouble::io("a search"))?);
        }
    }
    Ok(found)
}

#[test]
fn nothing_readable_stands_in_folders_logs_or_streams() -> Story {
    let found = what_is_readable(None)?;
    ensure(found.is_empty(), || {
        let found: Vec<String> = found.iter().map(Found::to_string).collect();
        found.join("\n")
    })
}

#[test]
fn the_same_search_finds_one_value_that_was_planted_unsealed() -> Story {
    let found = what_is_readable(Some(NOTE))?;
    ensure(found.iter().any(|found| found.name == NOTE), || {
        String::from("the search finds nothing at all, so it shows nothing")
    })
}
