//! What the administrator is told: who did what, whether something must be done, and long answers page by page.

use std::{collections::BTreeSet, fs, path::Path};

use maillon_protocol::{
    admin::{Answer, AuditLine, AuditPage, Call, Check, CircleView, ErrorCode, Imported, Verdict},
    charter::RotationReason,
    content::{IdentityStatus, PartialDate, PatientIdentity},
    ids::RecordId,
};
use maillon_tests::daemon::{Client, Daemon, Settings, Trouble, Two, person, professional, wait};

use crate::{Story, ensure, folder, shared};

/// More than one page of a circle holds.
const NOTES: usize = 320;

/// A patient of our own invention, as other software would send them.
const PATIENT: &str = r#"{
  "resourceType": "Patient",
  "identifier": [{
    "use": "official",
    "type": {"coding": [{"system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code": "INS-NIR"}]},
    "system": "urn:oid:1.2.250.1.213.1.4.10",
    "value": "279035121518989"
  }],
  "name": [{"use": "official", "family": "QUESNEVILLE", "given": ["LEONTINE"]}],
  "gender": "female",
  "birthDate": "1941-02-23"
}"#;

fn trail(client: &mut Client, circle: Option<String>) -> Result<Vec<AuditLine>, Trouble> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let call = Call::AuditList {
            circle: circle.clone(),
            since_ms: None,
            before,
            // Small, so that several pages are read.
            limit: 4,
        };
        let Answer::Audit(AuditPage { lines, next }) = client.call(call)? else {
            return Err(Trouble::wrong("an answer of another kind"));
        };
        all.extend(lines);
        before = next;
        if before.is_none() {
            return Ok(all);
        }
    }
}

fn holds(client: &mut Client) -> Result<u64, Trouble> {
    match client.call(Call::AuditVerify)? {
        Answer::AuditVerified(verified) if verified.broken.is_none() => Ok(verified.lines),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

fn line<'a>(lines: &'a [AuditLine], action: &str) -> Result<&'a AuditLine, Trouble> {
    let found = lines.iter().find(|line| line.action == action);
    found.ok_or_else(|| Trouble::wrong(format!("no line says {action}")))
}

#[test]
fn who_changed_something_or_looked_at_care_stands_in_a_trail_that_holds() -> Story {
    let root = folder()?;
    let mut shared = shared(&root, |_| ())?;
    let circle = shared.circle;
    let mut client = shared.two.a.client()?;
    client.call(Call::WorkerSet {
        worker: String::from("verify"),
        tranquillity: 7,
    })?;
    client.call(Call::KeysRotate)?;
    let mut claire = client.acting_as(&shared.two.at_a);
    claire.call(Call::CircleRotate {
        circle: circle.to_string(),
        reason: RotationReason::Precaution,
    })?;
    claire.circle_show(circle)?;

    let lines = trail(&mut claire, None)?;
    for action in [
        "professional.add",
        "peer.invite",
        "peer.confirm",
        "worker.set",
        "keys.rotate",
    ] {
        ensure(line(&lines, action)?.professional.is_none(), || {
            format!("{action} is not the administrator's")
        })?;
    }
    for action in [
        "circle.open",
        "circle.invite",
        "circle.rotate",
        "circle.read",
    ] {
        let line = line(&lines, action)?;
        let hers = line.name.as_deref() == Some("Claire Vasseur");
        ensure(hers && line.circle == Some(circle), || format!("{line:?}"))?;
    }
    for (action, object) in [
        ("professional.add", "professional "),
        ("peer.invite", "pairing "),
        ("peer.confirm", "pairing "),
        ("worker.set", "worker verify"),
        ("circle.invite", "invitation "),
    ] {
        let line = line(&lines, action)?;
        let named = line.object.as_deref().unwrap_or_default();
        ensure(named.starts_with(object), || format!("{line:?}"))?;
    }
    let invited = line(&lines, "circle.invite")?;
    ensure(invited.node == Some(shared.two.b.node()?), || {
        format!("{invited:?}")
    })?;
    let paired = line(&lines, "peer.paired")?;
    ensure(paired.node == Some(shared.two.b.node()?), || {
        format!("{paired:?}")
    })?;
    let of_circle = trail(&mut claire, Some(circle.to_string()))?;
    let strange = of_circle.iter().find(|line| line.circle != Some(circle));
    ensure(strange.is_none() && !of_circle.is_empty(), || {
        format!("{strange:?}")
    })?;

    let before = holds(&mut claire)?;
    ensure(before == lines.len() as u64, || {
        format!("{before} lines, {} listed", lines.len())
    })?;
    shared.two.a.stop()?;
    shared.two.a.start()?;
    let after = holds(&mut shared.two.a.client()?)?;
    ensure(after >= before, || format!("{after} lines of {before}"))
}

#[test]
fn a_long_file_is_read_page_by_page_and_nothing_is_shown_twice_or_left_out() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let circle = client.circle_open(person())?.line.circle;
    let mut written = BTreeSet::new();
    for number in 0..NOTES {
        let note = client.note_add(circle, &format!("Passage n° {number}"))?;
        written.insert(note.record);
    }
    let mut shown = Vec::new();
    let mut before = None;
    loop {
        let call = Call::CircleShow {
            circle: circle.to_string(),
            before,
        };
        let Answer::Circle(CircleView {
            things,
            older,
            next,
            ..
        }) = client.call(call)?
        else {
            return Err(Trouble::wrong("an answer of another kind"));
        };
        let page: Vec<RecordId> = things
            .iter()
            .map(|thing| thing.standing[0].record)
            .collect();
        shown.extend(page);
        ensure((older > 0) == next.is_some(), || {
            format!("{older} older ones, and the page goes on at {next:?}")
        })?;
        before = next;
        if before.is_none() {
            break;
        }
    }
    let once: BTreeSet<RecordId> = shown.iter().copied().collect();
    ensure(shown.len() == NOTES && once == written, || {
        format!(
            "{} shown, {} different, of {NOTES}",
            shown.len(),
            once.len()
        )
    })
}

#[test]
fn a_dry_run_says_what_an_import_would_do_and_keeps_nothing() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let import = |client: &mut Client, dry_run| -> Result<Imported, Trouble> {
        let call = Call::Import {
            content: data_encoding::BASE64.encode(PATIENT.as_bytes()),
            dry_run,
        };
        match client.call(call)? {
            Answer::Imported(imported) => Ok(imported),
            other => Err(Trouble::wrong(format!("{other:?}"))),
        }
    };
    let would = import(&mut client, true)?;
    ensure(!would.unchanged && would.circles.len() == 1, || {
        format!("{would:?}")
    })?;
    ensure(client.circles()?.is_empty(), || {
        String::from("a dry run opened a circle")
    })?;
    let did = import(&mut client, false)?;
    ensure(
        did.circles[0].records.len() == would.circles[0].records.len(),
        || format!("{would:?} and then {did:?}"),
    )?;
    ensure(import(&mut client, true)?.unchanged, || {
        String::from("a second import would change something")
    })?;
    ensure(client.circles()?.len() == 1, || {
        String::from("not one circle")
    })
}

#[test]
fn what_status_tells_to_type_can_be_typed_and_a_finished_pairing_is_history() -> Story {
    let root = folder()?;
    let mut settings = [Settings::dac(), Settings::cpts()];
    settings[0].care_commands = false;
    let [a, b] = settings;
    let two = Two::peered(root.path(), a, b)?;
    let mut at_a = two.a.client()?;
    let good = at_a.status()?;
    ensure(
        good.verdict == Verdict::Good && good.reasons.is_empty() && good.clock.ahead.is_empty(),
        || format!("{:?}: {:?}", good.verdict, good.reasons),
    )?;
    wait::until_seen("no pairing is listed any more", wait::LONG, || {
        let pairings = at_a.peer_list()?.pairings;
        Ok((pairings.is_empty().then_some(()), pairings))
    })?;

    // At B the administrator sees care content: a reason to look, which no command ends.
    let look = two.b.client()?.status()?;
    ensure(look.verdict == Verdict::Look, || format!("{look:?}"))?;
    let typed = look.reasons.iter().filter_map(|one| one.command.as_deref());
    for command in typed {
        let program = command.split(' ').next().unwrap_or_default();
        ensure(
            ["maillonctl", "df", "timedatectl"].contains(&program),
            || format!("`{command}` is no command"),
        )?;
    }
    // An invitation that nobody confirms is work to be done.
    let invitation = at_a.peer_invite()?;
    let refused = at_a.peer_confirm(&invitation.pairing, "abaisser cerise jardin nuage voyage");
    ensure(refused.is_err(), || {
        String::from("words were confirmed that nobody has seen")
    })?;
    let unknown = two
        .b
        .client()?
        .acting_as(&two.at_b)
        .record_show(RecordId([0x9c; 32]));
    match unknown {
        Err(error) if error.code() == Some(ErrorCode::NotFound) => Ok(()),
        other => Err(Trouble::wrong(format!("{:?}", other.map(|_| "shown")))),
    }
}

/// Copies a stopped node's folder, or puts a copy back in its place.
fn copy(from: &Path, to: &Path) -> Story {
    let there = |what: &Path| Trouble::io(what.display().to_string());
    if to.exists() {
        fs::remove_dir_all(to).map_err(there(to))?;
    }
    fs::create_dir_all(to).map_err(there(to))?;
    let mode = fs::metadata(from).map_err(there(from))?.permissions();
    fs::set_permissions(to, mode).map_err(there(to))?;
    for entry in fs::read_dir(from).map_err(there(from))? {
        let entry = entry.map_err(there(from))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(there(&target))?;
        }
    }
    Ok(())
}

fn doctor(client: &mut Client, name: &str) -> Result<Check, Trouble> {
    let Answer::Checks(checks) = client.call(Call::Doctor)? else {
        return Err(Trouble::wrong("an answer of another kind"));
    };
    let found = checks.into_iter().find(|check| check.name == name);
    found.ok_or_else(|| Trouble::wrong(format!("no check {name}")))
}

#[test]
fn a_good_return_to_an_old_copy_is_settled_once_the_peer_has_given_everything_back() -> Story {
    let root = folder()?;
    let mut shared = shared(&root, |_| ())?;
    let circle = shared.circle;
    let (folder, kept) = (shared.two.a.folder(), root.path().join("kept"));
    shared.two.a.stop()?;
    copy(&folder, &kept)?;
    shared.two.a.start()?;
    let lost = {
        let mut client = shared.two.a.client()?.acting_as(&shared.two.at_a);
        client.note_add(circle, "Écrit après la copie")?.record
    };
    let mut at_b = shared.two.b.client()?.acting_as(&shared.two.at_b);
    wait::until("the note at B", wait::LONG, || {
        Ok(at_b.shows(lost)?.then_some(()))
    })?;

    shared.two.a.stop()?;
    copy(&kept, &folder)?;
    shared.two.a.start()?;
    // B shows A what A has forgotten: evidence, with what to do about it.
    let mut at_a = shared.two.a.client()?.acting_as(&shared.two.at_a);
    wait::until_seen("A knows that it is behind", wait::LONG, || {
        let check = doctor(&mut at_a, "exchange.nothing-aside")?;
        let told = !check.holds && check.found == "own-log-ahead: 1" && check.advice.is_some();
        Ok((told.then_some(()), check.found))
    })?;
    // The next contact brings it back, and the evidence is history.
    shared.two.a.stop()?;
    shared.two.a.start()?;
    let mut at_a = shared.two.a.client()?.acting_as(&shared.two.at_a);
    wait::until("the note is back at A", wait::LONG, || {
        Ok(at_a.shows(lost)?.then_some(()))
    })?;
    let check = doctor(&mut at_a, "exchange.nothing-aside")?;
    ensure(
        check.holds && check.found.contains("settled: own-log-ahead"),
        || format!("{check:?}"),
    )
}

#[test]
fn a_file_of_somebody_who_cannot_be_is_not_opened() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let unborn = PatientIdentity {
        birth_date: PartialDate::try_from(String::from("2999-01-01")).ok(),
        ..person()
    };
    let nameless = PatientIdentity {
        birth_name: String::from(" "),
        ..person()
    };
    let unproven = PatientIdentity {
        status: IdentityStatus::Qualified,
        ..person()
    };
    for (identity, word) in [
        (unborn, "to come"),
        (nameless, "name"),
        (unproven, "document"),
    ] {
        match client.circle_open(identity) {
            Err(Trouble::Refused(error))
                if error.code == ErrorCode::BadRequest && error.cause.contains(word) => {}
            other => return Err(Trouble::wrong(format!("{other:?}"))),
        }
    }
    ensure(client.circles()?.is_empty(), || {
        String::from("a circle was opened")
    })
}
