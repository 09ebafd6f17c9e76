//! What the administrator's own command says where something cannot be done, and what it ends with.

use std::{ffi::OsStr, net::SocketAddr};

use maillon_tests::daemon::{Daemon, Ended, Settings, Trouble, Two, person, wait};
use serde_json::Value;

use crate::{Story, ensure, folder};

/// Not well formed.
const USAGE: i32 = 64;
/// Nothing has that name, or several things have it.
const NOT_FOUND: i32 = 66;
/// The other node cannot be reached.
const UNREACHABLE: i32 = 69;

fn ctl(daemon: &Daemon, actor: &str, line: &str) -> Result<Ended, Trouble> {
    let words: Vec<&OsStr> = line.split(' ').map(OsStr::new).collect();
    daemon.ctl(actor, &words)
}

/// It ended with this exit code, and all these words stand in what it said.
fn says(ended: &Ended, code: i32, words: &[&str]) -> Story {
    let missing = words.iter().find(|word| !ended.words.contains(**word));
    ensure(
        ended.status.code() == Some(code) && missing.is_none(),
        || {
            format!(
                "{} and not {code}, or it does not say {missing:?}: {}",
                ended.status, ended.words
            )
        },
    )
}

/// A DAC and a CPTS that are peers and show no care content, so that nothing is to be done at either. They speak over TCP, where a port without
/// a listener is told at once.
fn quiet(root: &std::path::Path) -> Result<Two, Trouble> {
    let [a, b] = [Settings::dac(), Settings::cpts()].map(|mut settings| {
        settings.care_commands = false;
        settings.quic = false;
        settings
    });
    Two::peered(root, a, b)
}

#[test]
fn a_suspended_peer_is_said_to_be_suspended_with_the_command_that_resumes_it() -> Story {
    let root = folder()?;
    let two = quiet(root.path())?;
    let (a, who, b) = (&two.a, two.at_a.as_str(), two.b.node()?);
    let test = format!("peer test {b}");
    says(&ctl(a, who, &test)?, 0, &["It can be reached."])?;
    says(&ctl(a, who, "status")?, 0, &["NOTHING TO DO"])?;

    says(&ctl(a, who, &format!("peer suspend {b}"))?, 0, &[])?;
    let resume = format!("maillonctl peer resume {b}");
    let suspended = ["suspended at this node", "nothing was tried", &resume];
    says(&ctl(a, who, &test)?, UNREACHABLE, &suspended)?;
    // A person decided it: it is told, and it is no work to do.
    let status = [
        "NOTHING TO DO",
        "CPTS des Falaises is suspended here",
        &resume,
    ];
    says(&ctl(a, who, "status")?, 0, &status)?;

    // What was said can be typed.
    says(
        &ctl(a, who, resume.trim_start_matches("maillonctl "))?,
        0,
        &[],
    )?;
    wait::until("the test of a resumed peer", wait::LONG, || {
        let ended = ctl(a, who, &test)?;
        Ok(ended.status.success().then_some(()))
    })?;
    let after = ctl(a, who, "status")?;
    says(&after, 0, &["NOTHING TO DO"])?;
    ensure(!after.words.contains("suspended"), || after.words.clone())
}

#[test]
fn a_peer_that_is_away_is_said_to_be_unreachable_with_what_was_tried_and_whom_to_call() -> Story {
    let root = folder()?;
    let mut two = quiet(root.path())?;
    let b = two.b.node()?;
    let at = |address: SocketAddr| format!("/ip4/127.0.0.1/tcp/{}", address.port());
    let address = at(two.b.address());
    two.b.stop()?;
    let (a, who) = (&two.a, two.at_a.as_str());
    let whom = format!("maillonctl peer show {b}");
    let words = [
        address.as_str(),
        "10 seconds",
        "nothing listens",
        "goes on trying",
        &whom,
    ];
    says(
        &ctl(a, who, &format!("peer test {b}"))?,
        UNREACHABLE,
        &words,
    )?;

    let ended = ctl(a, who, &format!("--json peer test {b}"))?;
    let error: Value = serde_json::from_str(&ended.words)
        .map_err(|_| Trouble::wrong(format!("no JSON: {}", ended.words)))?;
    ensure(
        error["code"] == "unreachable" && error["exit"] == UNREACHABLE,
        || error.to_string(),
    )
}

#[test]
fn an_id_that_is_too_short_or_fits_several_things_says_so() -> Story {
    let root = folder()?;
    let two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let (a, who) = (&two.a, two.at_a.as_str());
    let mut client = a.client()?.acting_as(who);
    let circle = client.circle_open(person())?.line.circle;
    let record = client.note_add(circle, "Tout va bien.")?.record.to_string();
    let circle = circle.to_string();

    says(
        &ctl(a, who, &format!("circle show {}", &circle[..4]))?,
        0,
        &[],
    )?;
    says(
        &ctl(a, who, &format!("record show {}", &record[..12]))?,
        0,
        &[],
    )?;
    for (line, words) in [
        (
            format!("circle show {}", &circle[..3]),
            [
                "circle",
                "4 digits at least, this has 3",
                "maillonctl circle list",
            ],
        ),
        (
            format!("record show {}", &record[..11]),
            [
                "record",
                "12 digits at least, this has 11",
                "maillonctl record list",
            ],
        ),
        (
            "circle decline e8".to_owned(),
            [
                "invitation",
                "4 digits at least, this has 2",
                "circle invitations",
            ],
        ),
        (
            "peer reject 4be".to_owned(),
            [
                "pairing",
                "4 digits at least, this has 3",
                "maillonctl peer list",
            ],
        ),
        (
            "peer show CP".to_owned(),
            ["peer", "4 characters at least", "this has 2"],
        ),
    ] {
        says(&ctl(a, who, &line)?, USAGE, &words)?;
    }
    let professional = ctl(a, &who[..3], "circle list")?;
    let words = [
        "professional",
        "4 digits at least, this has 3",
        "professional list",
    ];
    says(&professional, USAGE, &words)?;
    says(
        &ctl(a, who, "circle show zzzz")?,
        NOT_FOUND,
        &["circle has this name"],
    )
}
