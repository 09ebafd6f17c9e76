//! A clock that runs ahead: its records are kept, marked and reported, and never refused.

use std::time::{SystemTime, UNIX_EPOCH};

use maillon_protocol::admin::{Check, Verdict, WatchEvent};
use maillon_tests::daemon::{Client, Settings, Trouble, Two, records_of, same_digests, wait};

use crate::{Story, ensure, folder};

const AHEAD_S: i64 = 2 * 3600;

fn check(client: &mut Client, name: &str) -> Result<Check, Trouble> {
    let found = client
        .doctor()?
        .into_iter()
        .find(|check| check.name == name);
    found.ok_or_else(|| Trouble::wrong(format!("doctor has no {name}")))
}

fn says(client: &mut Client, verdict: Verdict, words: &str) -> Story {
    let status = client.status()?;
    let told = status
        .reasons
        .iter()
        .any(|reason| reason.sentence.contains(words));
    ensure(status.verdict >= verdict && told, || {
        format!("status does not say {words:?}: {:?}", status.reasons)
    })
}

fn real_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as u64)
}

#[test]
fn records_of_a_clock_that_runs_ahead_are_kept_marked_and_reported_and_never_refused() -> Story {
    let root = folder()?;
    let mut a = Settings::dac();
    a.clock_offset_s = AHEAD_S;
    a.broken = vec!["clock.agrees"];
    let mut b = Settings::cpts();
    b.broken = vec!["clock.agrees"];
    let shared = Two::peered(root.path(), a, b)?.share()?;
    let (two, circle) = (&shared.two, shared.circle);
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let mut at_b = two.b.client()?.acting_as(&two.at_b);
    let mut watch = two.b.watch()?;

    let note = at_a.note_add(circle, "Écrit deux heures trop tôt.")?.record;
    let alert = at_a.alert_send(circle, "Alerte venue du futur.")?.record;
    watch.until("the report at B", wait::LONG, |event| {
        matches!(event, WatchEvent::Reported { circle: Some(named), what } if *named == circle && what == "clock-ahead")
    })?;
    watch.until_recorded(alert)?;
    at_b.alert_acknowledge(alert, "Vu.")?;
    let own = at_b.note_add(circle, "Écrit à l'heure.")?.record;
    same_digests(&two.a, &two.b, circle)?;

    // Kept, shown, and marked with the time of arrival; what B writes keeps B's own time.
    let view = at_b.record_show(note)?;
    let arrived = view
        .ahead
        .ok_or_else(|| Trouble::wrong("the note is not marked"))?;
    ensure(arrived.abs_diff(real_ms()) < 600_000, || {
        format!("arrived at {arrived}")
    })?;
    let records = records_of(&two.b, circle)?;
    let line = |record| {
        records
            .get(record)
            .ok_or_else(|| Trouble::wrong("a record is missing"))
    };
    ensure(line(&note)?.ahead == Some(arrived), || {
        String::from("the line is not marked")
    })?;
    let mine = line(&own)?;
    ensure(
        mine.ahead.is_none() && mine.time.ms().abs_diff(real_ms()) < 600_000,
        || format!("A's clock moved B's: {mine:?}"),
    )?;

    // Reported at both, and nobody is blamed for it.
    let clocks = check(&mut at_b, "clock.agrees")?;
    ensure(
        !clocks.holds && clocks.found.contains("DAC du Pays de Caux"),
        || format!("{clocks:?}"),
    )?;
    says(&mut at_b, Verdict::Look, "runs ahead of this one")?;
    let rules = check(&mut at_b, "exchange.peers-keep-the-rules")?;
    ensure(rules.holds, || format!("{rules:?}"))?;
    let clocks = check(&mut at_a, "clock.agrees")?;
    let own = clocks.found.contains("own clock") && clocks.found.contains("CPTS des Falaises");
    ensure(!clocks.holds && own, || format!("{clocks:?}"))?;
    says(&mut at_a, Verdict::Act, "under test: clock_offset_s")
}

#[test]
fn clocks_that_agree_are_not_spoken_of() -> Story {
    let root = folder()?;
    let shared = crate::shared(&root, |_| {})?;
    let mut at_a = shared.two.a.client()?.acting_as(&shared.two.at_a);
    at_a.note_add(shared.circle, "À l'heure.")?;
    same_digests(&shared.two.a, &shared.two.b, shared.circle)?;
    for daemon in [&shared.two.a, &shared.two.b] {
        let clocks = check(&mut daemon.client()?, "clock.agrees")?;
        ensure(clocks.holds, || format!("{clocks:?}"))?;
    }
    Ok(())
}

#[test]
fn a_node_under_test_says_so_aloud() -> Story {
    let root = folder()?;
    let mut settings = Settings::dac();
    settings.tap = true;
    let daemon = maillon_tests::daemon::Daemon::new(root.path(), settings)?;
    says(&mut daemon.client()?, Verdict::Act, "under test: tap")?;
    let log = std::fs::read_to_string(daemon.log()).map_err(Trouble::io("the log"))?;
    ensure(log.contains("THIS NODE IS UNDER TEST: [test] tap"), || log)
}
