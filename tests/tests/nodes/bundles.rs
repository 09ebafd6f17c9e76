//! Files that cannot be imported: named by place, cause and limit, and nothing goes in.

use std::{path::Path, process::Command};

use maillon_protocol::{admin::ErrorCode, limits};
use maillon_tests::{
    daemon::{Client, Daemon, Settings, Trouble, professional, programs},
    examples::Examples,
};
use serde_json::{Value, json};

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
                let due = match name {
                    "thousands of brackets" => ErrorCode::Limit,
                    _ => ErrorCode::BadRequest,
                };
                ensure(error.code == due && whole, || format!("{name}: {error:?}"))?;
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

fn patient(family: &str) -> Vec<u8> {
    json!({
        "resourceType": "Patient", "id": "1", "gender": "unknown", "birthDate": "1940-03-02",
        "name": [{"use": "official", "family": family, "given": ["Camille"]}],
    })
    .to_string()
    .into_bytes()
}

fn team(subject: &str) -> Value {
    json!({
        "resourceType": "CareTeam", "id": "t", "status": "active", "name": "Cercle",
        "subject": {"reference": subject},
        "participant": [{"member": {"reference": "Practitioner/9", "display": "Dr Anne Morel"}}],
    })
}

fn refused(client: &mut Client, file: &Value, code: ErrorCode, action: &str) -> Story {
    let before = held(client)?;
    match client.import(file.to_string().as_bytes()) {
        Err(Trouble::Refused(error)) => {
            ensure(error.code == code && error.action.contains(action), || {
                format!("{error:?}")
            })?
        }
        other => return Err(Trouble::wrong(format!("taken: {other:?}"))),
    }
    ensure(held(client)? == before, || "it left something".to_owned())
}

#[test]
fn what_is_said_about_one_patient_never_goes_to_another_who_has_the_same_id() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let (anne, bob) = (patient("QUESNEVILLE"), patient("DUBOSC"));
    let (bare, far) = (
        team("Patient/1"),
        team("https://other.example/fhir/Patient/1"),
    );
    let hers = client.import(&anne)?.circles[0].circle;
    // While one person has the id, it names her; the same id at another server does not.
    let taken = client.import(bare.to_string().as_bytes())?;
    ensure(taken.circles[0].circle == hers, || format!("{taken:?}"))?;
    refused(
        &mut client,
        &far,
        ErrorCode::BadRequest,
        "import the Patient first",
    )?;
    let his = client.import(&bob)?.circles[0].circle;
    ensure(his != hers, || "two people in one circle".to_owned())?;
    refused(&mut client, &bare, ErrorCode::Conflict, "in one bundle")?;
    refused(
        &mut client,
        &far,
        ErrorCode::BadRequest,
        "import the Patient first",
    )?;
    // Each of them is still known by who they are, and that does not make the id good again.
    for (file, circle) in [(&anne, hers), (&bob, his), (&anne, hers)] {
        let again = client.import(file)?;
        let same = again.unchanged && again.circles[0].circle == circle;
        ensure(same, || format!("{again:?}"))?;
    }
    refused(&mut client, &bare, ErrorCode::Conflict, "in one bundle")?;
    // Together with the patient it goes in, and the address of that patient is good from then on.
    let url = "https://other.example/fhir/Patient/1";
    let inside: Value = serde_json::from_slice(&anne).map_err(|e| Trouble::wrong(e.to_string()))?;
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": url, "resource": inside},
        {"fullUrl": "https://other.example/fhir/CareTeam/t", "resource": far},
    ]});
    let together = client.import(bundle.to_string().as_bytes())?;
    let alone = client.import(team(url).to_string().as_bytes())?;
    let both = together.circles[0].circle == hers && alone.circles[0].circle == hers;
    ensure(both, || format!("{together:?} {alone:?}"))
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
    let made = std::fs::File::create(&large).map_err(Trouble::io("a file"))?;
    made.set_len(limits::IMPORT + 1)
        .map_err(Trouble::io("a file"))?;
    let (code, words) = maillonctl(&daemon, &who, &large)?;
    ensure(matches!(code, Some(64 | 78)), || {
        format!("{code:?}: {words}")
    })?;
    let limit = format!("large.json has more than {} bytes", limits::IMPORT);
    let named = words.contains(&limit);
    ensure(named, || format!("no limit is named: {words}"))?;
    daemon.client()?.status().map(drop)
}
