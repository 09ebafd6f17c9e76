//! Files to import that no frame holds: given in parts, kept whole or not at all.

use std::{fs, path::Path};

use data_encoding::BASE64;
use maillon_protocol::{
    admin::{Answer, Call, ErrorCode, Imported, PART, Upload},
    content::Content,
    ids::CircleId,
    limits,
};
use maillon_tests::{
    daemon::{Client, Daemon, Settings, Trouble, Two, admit, professional, same_digests, wait},
    examples::Examples,
};
use serde_json::Value;

use crate::{
    Story,
    attachments::{SECRET, done, letter, readable, save, until, words},
    ensure,
    erasing::{is_gone, says, used},
    folder,
};

/// Our own example note with another file.
fn bundle(file: &[u8]) -> Result<Vec<u8>, Trouble> {
    let wrong = |error: serde_json::Error| Trouble::wrong(error.to_string());
    let mut bundle: Value = serde_json::from_slice(&Examples::own()?.note).map_err(wrong)?;
    let entries = bundle["entry"].as_array_mut().into_iter().flatten();
    for entry in entries {
        let resource = &mut entry["resource"];
        if resource["resourceType"] == "DocumentReference" {
            let attachment = &mut resource["content"][1]["attachment"];
            attachment["data"] = Value::String(BASE64.encode(file));
            attachment["contentType"] = Value::String(String::from("application/pdf"));
            attachment["title"] = Value::String(String::from("Compte rendu.pdf"));
        }
    }
    serde_json::to_vec(&bundle).map_err(wrong)
}

fn upload(client: &mut Client, call: Call) -> Result<Upload, Trouble> {
    match client.call(call)? {
        Answer::Upload(upload) => Ok(upload),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

/// Gives some parts of a file, and the name under which it waits.
fn give(client: &mut Client, file: &[u8], parts: usize) -> Result<Upload, Trouble> {
    let length = file.len() as u64;
    let mut given = upload(client, Call::ImportBegin { length })?;
    for part in file.chunks(PART).take(parts) {
        let call = Call::ImportPart {
            upload: given.upload,
            offset: given.received,
            bytes: BASE64.encode(part),
        };
        given = upload(client, call)?;
    }
    Ok(given)
}

fn import(daemon: &Daemon, who: &str, file: &Path) -> Result<Imported, Trouble> {
    let ended = daemon.ctl(who, &words(&[&"--json", &"import", &file]))?;
    serde_json::from_str(ended.words.trim())
        .map_err(|_| Trouble::wrong(format!("maillonctl said {}", ended.words)))
}

fn refused(answered: Result<Answer, Trouble>, code: ErrorCode, says: &str) -> Story {
    match answered {
        Err(Trouble::Refused(error)) if error.code == code => {
            ensure(error.cause.contains(says), || format!("{error:?}"))
        }
        other => Err(Trouble::wrong(format!("{:?}", other.map(|_| "taken")))),
    }
}

#[test]
fn what_was_imported_and_is_erased_goes_with_its_file_and_the_same_file_brings_nothing_back()
-> Story {
    let root = folder()?;
    let mut settings = Settings::dac();
    settings.scrub_after_s = Some(1);
    let mut dac = Daemon::new(root.path(), settings)?;
    let who = professional(&dac, "Inès Carpentier", "10999003014", "60")?;
    let mut client = dac.client()?.acting_as(&who);
    let circle = client.import(&Examples::own()?.circle)?.circles[0].circle;
    let file = root.path().join("cahier.json");
    fs::write(&file, bundle(&letter(6 << 20))?).map_err(Trouble::io("a bundle"))?;
    let first = import(&dac, &who, &file)?;
    ensure(first.circles[0].circle == circle, || {
        format!("{:?}", first.circles)
    })?;
    let records = first.circles[0].records.clone();
    ensure(!records.is_empty(), || "nothing was imported".to_owned())?;

    // The attachment has six mebibytes, and eight more in the file that was imported.
    let before = used(&dac.folder())?;
    for record in &records {
        let name = record.to_string();
        let ask = ["erasure", "ask", &name, "--reason", "law", "--yes"];
        says(&dac, &who, &ask)?;
        is_gone(&mut client, *record)?;
    }
    wait::until("a smaller database", wait::LONG, || {
        let now = used(&dac.folder())?;
        Ok((now + (12 << 20) < before).then_some(()))
    })?;
    let again = import(&dac, &who, &file)?;
    ensure(
        again.unchanged && again.circles[0].records.is_empty(),
        || format!("{:?}", again.circles),
    )?;
    for record in &records {
        is_gone(&mut client, *record)?;
    }

    // Once the whole circle is let go of, the names that the source gives the person are forgotten too: it is a new person.
    let name = circle.to_string();
    says(
        &dac,
        &who,
        &["circle", "close", &name, "--reason", "other", "--yes"],
    )?;
    says(&dac, &who, &["circle", "finish", &name, "--yes"])?;
    let anew = import(&dac, &who, &file)?;
    ensure(
        anew.circles.len() == 1 && anew.circles[0].circle != circle,
        || format!("{:?}", anew.circles),
    )?;
    dac.finish()?;
    Ok(())
}

#[test]
fn a_bundle_with_a_file_of_several_mebibytes_goes_in_whole_and_arrives_at_the_other_node() -> Story
{
    let root = folder()?;
    let mut two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let known = at_a.import(&Examples::own()?.circle)?.circles[0].circle;
    at_a.consent_given(known)?;
    admit(&two, known)?;
    let letter = letter(6 << 20);
    let file = root.path().join("cahier.json");
    fs::write(&file, bundle(&letter)?).map_err(Trouble::io("a bundle"))?;
    let first = import(&two.a, &two.at_a, &file)?;
    ensure(!first.unchanged && first.refused.is_empty(), || {
        format!("{:?}", first.circles)
    })?;
    let circle = first.circles[0].circle;
    let again = import(&two.a, &two.at_a, &file)?;
    let same = again.unchanged && again.circles.iter().all(|one| one.records.is_empty());
    ensure(same && again.circles[0].circle == circle, || {
        format!("{:?}", again.circles)
    })?;

    ensure(circle == known, || String::from("another circle"))?;
    arrives(&two, circle, &letter, &root.path().join("recu.pdf"))?;

    two.a.stop()?;
    two.b.stop()?;
    for daemon in [&two.a, &two.b] {
        let found = readable(SECRET, &[daemon.folder(), daemon.log()])?;
        ensure(found == 0, || format!("readable {found} times"))?;
    }
    Ok(())
}

#[test]
fn a_file_of_a_circle_that_its_import_opened_arrives_at_who_is_admitted_afterwards() -> Story {
    let root = folder()?;
    let two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let letter = letter(6 << 20);
    let file = root.path().join("cahier.json");
    fs::write(&file, bundle(&letter)?).map_err(Trouble::io("a bundle"))?;
    let circle = import(&two.a, &two.at_a, &file)?.circles[0].circle;
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    at_a.consent_given(circle)?;
    admit(&two, circle)?;
    arrives(&two, circle, &letter, &root.path().join("recu.pdf"))
}

/// B gets the note of a circle, and saves its file whole.
fn arrives(two: &Two, circle: CircleId, letter: &[u8], to: &Path) -> Story {
    same_digests(&two.a, &two.b, circle)?;
    let mut at_b = two.b.client()?.acting_as(&two.at_b);
    let mut note = None;
    for line in at_b.records(circle)? {
        let view = at_b.record_show(line.record).ok();
        if let Some(Content::LiaisonNote(_)) = view.map(|view| view.content) {
            note = Some(line.record);
        }
    }
    let note = note.ok_or_else(|| Trouble::wrong("no note at B"))?;
    let length = letter.len() as u64;
    until(&two.b, &two.at_b, note, "the whole file", |state| {
        state.complete && state.bytes == length
    })?;
    done(save(&two.b, &two.at_b, note, to)?)?;
    let saved = fs::read(to).map_err(Trouble::io("what was saved"))?;
    ensure(saved == letter, || String::from("other bytes were saved"))
}

#[test]
fn an_import_that_breaks_off_leaves_nothing_and_is_readable_nowhere_while_it_waits() -> Story {
    let root = folder()?;
    let mut daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let file = bundle(&letter(2 << 20))?;
    let mut client = daemon.client()?.acting_as(&who);
    let before = client.status()?.records;
    let given = give(&mut client, &file, 4)?;
    ensure(given.received == 4 * PART as u64, || format!("{given:?}"))?;
    let places = [daemon.folder(), daemon.log()];
    // As it stands in the file: the letter in base64, from its second chunk on.
    let text = String::from_utf8_lossy(&file[2 * PART..2 * PART + 40]).into_owned();
    for needle in [text.as_str(), "Practitioner/ide-benali"] {
        let found = readable(needle, &places)?;
        ensure(found == 0, || format!("{needle} is readable"))?;
    }
    // Out of order, too early, and by somebody else: refused, and it goes on.
    let part = |offset| Call::ImportPart {
        upload: given.upload,
        offset,
        bytes: BASE64.encode(b"{}"),
    };
    let end = Call::ImportEnd {
        upload: given.upload,
        dry_run: false,
    };
    let follows = "does not follow";
    refused(client.call(part(0)), ErrorCode::Conflict, follows)?;
    refused(client.call(end.clone()), ErrorCode::Conflict, follows)?;
    let other = professional(&daemon, "Anne Morel", "10999001034", "60")?;
    let mut stranger = daemon.client()?.acting_as(&other);
    let unknown = "no file is being added";
    let theirs = stranger.call(part(given.received));
    refused(theirs, ErrorCode::Conflict, unknown)?;

    daemon.kill()?;
    daemon.start()?;
    let mut client = daemon.client()?.acting_as(&who);
    let late = client.call(part(given.received));
    refused(late, ErrorCode::Conflict, unknown)?;
    refused(client.call(end), ErrorCode::Conflict, unknown)?;
    let left = (client.status()?.records, client.circles()?.len());
    ensure(left == (before, 0), || format!("{left:?}"))?;
    let found = readable("Practitioner/ide-benali", &[daemon.folder(), daemon.log()])?;
    ensure(found == 0, || format!("readable {found} times"))
}

#[test]
fn the_longest_attachment_goes_in_with_its_bundle_and_what_is_longer_is_refused_with_the_limit()
-> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let longest = letter(limits::ATTACHMENT as usize);
    let file = root.path().join("cahier.json");
    let longer = [&longest[..], b"!"].concat();
    fs::write(&file, bundle(&longer)?).map_err(Trouble::io("a bundle"))?;
    let refusal = daemon.ctl(&who, &words(&[&"import", &file]))?;
    let named = refusal.words.matches("26214400").count() == 1;
    ensure(named && refusal.status.code() == Some(78), || {
        format!("{refusal:?}")
    })?;
    let mut client = daemon.client()?.acting_as(&who);
    ensure(client.circles()?.is_empty(), || {
        String::from("something of it went in")
    })?;
    fs::write(&file, bundle(&longest)?).map_err(Trouble::io("a bundle"))?;
    let taken = import(&daemon, &who, &file)?;
    ensure(taken.circles.len() == 1, || format!("{:?}", taken.circles))?;

    let length = limits::IMPORT + 1;
    let begun = client.call(Call::ImportBegin { length });
    refused(begun, ErrorCode::Limit, &limits::IMPORT.to_string())
}

#[test]
fn a_file_from_before_turns_nothing_back_and_what_a_newer_one_replaces_is_counted() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let file = root.path().join("cahier.json");
    let given = |text: &[u8]| {
        fs::write(&file, bundle(text)?).map_err(Trouble::io("a bundle"))?;
        let mut taken = import(&daemon, &who, &file)?.circles;
        let one = taken.pop().ok_or_else(|| Trouble::wrong("no circle"))?;
        Ok::<_, Trouble>((one.records.len(), one.replaced))
    };
    let (first, replaced) = given(b"Premier compte rendu.")?;
    ensure(first > 0 && replaced == 0, || {
        format!("{first} records, {replaced} replaced")
    })?;
    let second = given(b"Second compte rendu.")?;
    ensure(second == (1, 1), || format!("{second:?}"))?;
    for text in [&b"Premier compte rendu."[..], b"Second compte rendu."] {
        let again = given(text)?;
        ensure(again == (0, 0), || format!("{again:?}"))?;
    }
    Ok(())
}
