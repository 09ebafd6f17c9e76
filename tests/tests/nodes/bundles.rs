//! Files that cannot be imported: named by place, cause and limit, and nothing goes in.

use std::{path::Path, process::Command};

use maillon_protocol::{admin::ErrorCode, limits};
use maillon_tests::{
    daemon::{Client, Daemon, Settings, Trouble, professional, programs},
    examples::Examples,
};

use crate::{Story, ensure, folder};

type Held = (u64, u64, usize);

fn held(client: &mut Client) -> Result<Held, Trouble> {
    let status = client.status()?;
    Ok((status.records, status.circles, client.digests(None)?.len()))
}

#[test]
fn a_bad_bundle_is_refused_with_its_place_and_nothing_of_it_goes_in() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let good = String::from_utf8_lossy(&Examples::own()?.circle).into_owned();
    let half = &good[..good.len() / 2];
    let not_json = good.replacen('{', "{,", 1);
    let other_type = good.replacen("\"Bundle\"", "\"Medication\"", 1);
    let no_transaction = good.replacen("\"transaction\"", "\"history\"", 1);
    let twice = good.replacen(
        "\"resourceType\"",
        "\"resourceType\": \"Bundle\", \"resourceType\"",
        1,
    );
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let wrong: [(&str, &str); 8] = [
        ("half a file", half),
        ("no JSON", &not_json),
        ("another resource", &other_type),
        ("another kind of bundle", &no_transaction),
        ("a field twice", &twice),
        ("thousands of brackets", &deep),
        ("nothing", ""),
        ("a number", "42"),
    ];
    let before = held(&mut client)?;
    for (name, text) in wrong {
        match client.import(text.as_bytes()) {
            Err(Trouble::Refused(error)) => {
                let whole = !error.cause.is_empty() && !error.action.is_empty();
                ensure(error.code == ErrorCode::BadRequest && whole, || {
                    format!("{name}: {error:?}")
                })?;
                let echoed = error.cause.contains("QUESNEVILLE") || error.cause.len() > 2_000;
                ensure(!echoed, || format!("{name}: {}", error.cause))?;
            }
            other => {
                return Err(Trouble::wrong(format!(
                    "{name}: {:?}",
                    other.map(|_| "taken")
                )));
            }
        }
        ensure(held(&mut client)? == before, || {
            format!("{name} left something")
        })?;
    }
    // The same file, whole, goes in.
    client.import(good.as_bytes()).map(drop)
}

fn maillonctl(daemon: &Daemon, who: &str, file: &Path) -> Result<(Option<i32>, String), Trouble> {
    let ended = Command::new(programs::find("maillonctl")?)
        .arg("--socket")
        .arg(daemon.socket())
        .args(["--as", who, "import"])
        .arg(file)
        .output()
        .map_err(Trouble::io("maillonctl"))?;
    let words = String::from_utf8_lossy(&ended.stderr).into_owned();
    Ok((ended.status.code(), words))
}

#[test]
fn a_file_that_is_missing_or_too_large_is_named_with_its_limit() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let missing = root.path().join("missing.json");
    let (code, words) = maillonctl(&daemon, &who, &missing)?;
    ensure(code == Some(66) && words.contains("missing.json"), || {
        format!("{code:?}: {words}")
    })?;
    let large = root.path().join("large.json");
    std::fs::write(&large, vec![b' '; 2 * limits::FRAME]).map_err(Trouble::io("a file"))?;
    let (code, words) = maillonctl(&daemon, &who, &large)?;
    ensure(matches!(code, Some(64 | 78)), || {
        format!("{code:?}: {words}")
    })?;
    let named = words.contains("large.json has more than") && words.contains("bytes");
    ensure(named, || format!("no limit is named: {words}"))?;
    daemon.client()?.status().map(drop)
}
