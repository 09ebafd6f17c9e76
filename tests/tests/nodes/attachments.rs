//! Documents with their files, between real daemons, through cuts and kills, by the administrator's own command.

use std::{
    ffi::OsStr,
    fs,
    num::NonZeroU64,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use maillon_protocol::{
    admin::{DocumentState, WatchEvent},
    content::Content,
    dossier::Delivery,
    ids::{CircleId, RecordId},
};
use maillon_tests::{
    daemon::{
        Cable, Carriers, Daemon, Ended, Settings, Shared, Trouble, Two, add_document, admit, noise,
        same_digests, wait,
    },
    examples::Examples,
    sift::{Needle, Sieve},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{Story, ensure, folder, shared};

/// Time for a connection to be noticed as lost and made again.
const PATIENCE: Duration = Duration::from_secs(120);
pub(crate) const SECRET: &str = "Compte rendu opératoire, prothèse totale de hanche gauche.";
pub(crate) const TITLE: &str = "Compte rendu d'hospitalisation du service d'orthopédie";

/// A long letter: a sentence that must be read nowhere, in noise that makes every chunk another.
pub(crate) fn letter(bytes: usize) -> Vec<u8> {
    let mut noise = noise();
    let mut letter = Vec::with_capacity(bytes + 4096);
    while letter.len() < bytes {
        letter.extend_from_slice(SECRET.as_bytes());
        letter.extend(noise.by_ref().take(500).flatten());
    }
    letter.truncate(bytes);
    letter
}

pub(crate) fn words<'a>(words: &[&'a dyn AsRef<OsStr>]) -> Vec<&'a OsStr> {
    words.iter().map(|word| (*word).as_ref()).collect()
}

pub(crate) fn done(ended: Ended) -> Story {
    ensure(ended.status.success(), || {
        format!("maillonctl ended with {}: {}", ended.status, ended.words)
    })
}

/// Writes the letter to a file outside all nodes, and adds it at a node.
pub(crate) fn add(
    root: &Path,
    daemon: &Daemon,
    actor: &str,
    circle: CircleId,
    letter: &[u8],
) -> Result<RecordId, Trouble> {
    add_document(root, daemon, actor, circle, TITLE, letter)
}

pub(crate) use maillon_tests::daemon::save_document as save;

/// Waits until the node shows a document for which `enough` holds.
pub(crate) fn until(
    daemon: &Daemon,
    actor: &str,
    record: RecordId,
    what: &str,
    enough: impl Fn(&DocumentState) -> bool,
) -> Result<DocumentState, Trouble> {
    let mut client = daemon.client()?.acting_as(actor);
    let (state, _) = wait::until_seen(what, PATIENCE, || {
        // The record may not be there yet.
        let state = client.document_show(record).ok();
        Ok((state.clone().filter(|state| enough(state)), state))
    })?;
    Ok(state)
}

/// How far the record got at the other structure, as its writer sees it.
fn delivery(daemon: &Daemon, actor: &str, record: RecordId) -> Result<Delivery, Trouble> {
    let view = daemon.client()?.acting_as(actor).record_show(record)?;
    let first = view.delivery.first().map(|(_, _, delivery)| *delivery);
    first.ok_or_else(|| Trouble::wrong("the record has no other structure"))
}

pub(crate) fn readable(needle: &str, places: &[PathBuf]) -> Result<usize, Trouble> {
    let sieve = Sieve::new(&[Needle::text("the letter", needle)]);
    let mut found = 0;
    for place in places {
        ensure(place.exists(), || format!("no {}", place.display()))?;
        found += sieve.path(place).map_err(Trouble::io("a search"))?.len();
    }
    Ok(found)
}

#[test]
fn a_file_of_several_mebibytes_arrives_through_a_cut_and_a_kill_and_is_readable_nowhere() -> Story {
    let root = folder()?;
    let runtime = std::sync::Arc::new(Runtime::new().map_err(Trouble::io("a runtime"))?);
    let [a, b] = [Settings::dac(), Settings::cpts()].map(|mut settings| {
        settings.tap = true;
        settings
    });
    let (mut a, mut b) = (Daemon::init(root.path(), a)?, Daemon::init(root.path(), b)?);
    let cables = [
        Cable::lay(&mut a, Carriers::Tcp, &runtime)?,
        Cable::lay(&mut b, Carriers::Tcp, &runtime)?,
    ];
    a.start()?;
    b.start()?;
    let Shared { mut two, circle } = Two::of(a, b)?.share()?;
    let wires = || cables.iter().flat_map(|cable| &cable.tcp);
    // Slow enough that the middle can be met.
    wires().for_each(|wire| wire.limit(NonZeroU64::new(2 << 20)));
    let letter = letter(9 << 20);
    let record = add(root.path(), &two.a, &two.at_a, circle, &letter)?;

    let some = until(&two.b, &two.at_b, record, "the first chunks", |state| {
        state.chunks.0 >= 16
    })?;
    ensure(!some.complete, || String::from("it is there already"))?;
    let missing = delivery(&two.a, &two.at_a, record)?;
    ensure(matches!(missing, Delivery::FilesMissing { .. }), || {
        format!("A says {missing:?} while the file is on its way")
    })?;
    let mut watch = two.b.watch()?;
    cables.iter().for_each(Cable::cut);
    watch.until("B notices the cut", PATIENCE, |event| {
        matches!(event, WatchEvent::Link { up: false, .. })
    })?;
    let cut = two.b.client()?.acting_as(&two.at_b).document_show(record)?;
    ensure(!cut.complete, || String::from("the cut came too late"))?;
    cables.iter().for_each(Cable::heal);
    let more = until(&two.b, &two.at_b, record, "chunks after the cut", |state| {
        state.chunks.0 >= cut.chunks.0 + 16
    })?;
    ensure(!more.complete, || String::from("the kill comes too late"))?;

    two.b.kill()?;
    two.b.start()?;
    let kept = two.b.client()?.acting_as(&two.at_b).document_show(record)?;
    ensure(kept.chunks.0 >= more.chunks.0, || {
        format!(
            "{} chunks were shown and {} kept",
            more.chunks.0, kept.chunks.0
        )
    })?;
    wires().for_each(|wire| wire.limit(None));
    until(&two.b, &two.at_b, record, "the whole file", |state| {
        state.complete
    })?;
    wait::until("A sees the file delivered", PATIENCE, || {
        let delivery = delivery(&two.a, &two.at_a, record)?;
        Ok(matches!(delivery, Delivery::Delivered { .. }).then_some(()))
    })?;

    let to = root.path().join("reçu.pdf");
    done(save(&two.b, &two.at_b, record, &to)?)?;
    let saved = fs::read(&to).map_err(Trouble::io("what was saved"))?;
    ensure(saved == letter, || String::from("other bytes were saved"))?;
    let mode = fs::metadata(&to)
        .map_err(Trouble::io("what was saved"))?
        .permissions()
        .mode();
    ensure(mode & 0o777 == 0o600, || format!("mode {mode:o}"))?;

    two.a.stop()?;
    two.b.stop()?;
    for daemon in [&two.a, &two.b] {
        let places = [daemon.folder(), daemon.log(), daemon.tap()];
        for needle in [SECRET, TITLE, "courrier.pdf"] {
            let found = readable(needle, &places)?;
            ensure(found == 0, || format!("{needle} is readable {found} times"))?;
        }
    }
    // The same search finds it where it is.
    let found = readable(SECRET, &[to])?;
    ensure(found > 0, || {
        String::from("the search finds nothing at all")
    })
}

#[test]
fn a_saved_file_replaces_nothing_unless_it_is_told_to() -> Story {
    let root = folder()?;
    let Shared { two, circle } = shared(&root, |_| ())?;
    let record = add(root.path(), &two.a, &two.at_a, circle, b"Bonjour")?;
    let to = root.path().join("deja.txt");
    fs::write(&to, b"Autre chose").map_err(Trouble::io("a file"))?;
    let refused = save(&two.a, &two.at_a, record, &to)?;
    ensure(refused.status.code() == Some(74), || refused.words)?;
    let kept = fs::read(&to).map_err(Trouble::io("a file"))?;
    ensure(kept == b"Autre chose", || String::from("it was replaced"))?;
    let id = record.to_string();
    let forced = words(&[&"document", &"save", &id, &to, &"--force"]);
    done(two.a.ctl(&two.at_a, &forced)?)?;
    let saved = fs::read(&to).map_err(Trouble::io("a file"))?;
    ensure(saved == b"Bonjour", || String::from("other bytes"))?;
    let left = fs::read_dir(root.path()).map_err(Trouble::io("a folder"))?;
    let parts = left
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension() == Some(OsStr::new("part")));
    ensure(parts.count() == 0, || String::from("a part was left"))
}

#[test]
fn a_file_over_the_limit_is_refused_with_the_limit_and_leaves_nothing() -> Story {
    let root = folder()?;
    let Shared { two, circle } = shared(&root, |_| ())?;
    let file = root.path().join("trop.bin");
    let long = fs::File::create(&file).map_err(Trouble::io("a file"))?;
    long.set_len((25 << 20) + 1)
        .map_err(Trouble::io("a file"))?;
    let circle_name = circle.to_string();
    let add = words(&[&"document", &"add", &file, &"--circle", &circle_name]);
    let refused = two.a.ctl(&two.at_a, &add)?;
    ensure(refused.status.code() == Some(78), || refused.words.clone())?;
    ensure(refused.words.contains("26214400"), || refused.words)?;
    // Exactly the limit goes in, and arrives.
    long.set_len(25 << 20).map_err(Trouble::io("a file"))?;
    done(two.a.ctl(&two.at_a, &add)?)?;
    let records = same_digests(&two.a, &two.b, circle)?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let lines = b.records(circle)?;
    ensure(lines.len() as u64 == records, || format!("{lines:?}"))?;
    let document = lines
        .iter()
        .find(|line| b.document_show(line.record).is_ok())
        .map(|line| line.record);
    let document = document.ok_or_else(|| Trouble::wrong("no document at B"))?;
    let state = until(&two.b, &two.at_b, document, "25 MiB", |state| {
        state.complete
    })?;
    ensure(state.bytes == 25 << 20, || format!("{state:?}"))
}

#[test]
fn the_files_of_an_imported_note_arrive_and_the_same_file_twice_changes_nothing() -> Story {
    let root: TempDir = folder()?;
    let two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let examples = Examples::own()?;
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let circle = at_a.import(&examples.circle)?.circles[0].circle;
    let note = at_a.import(&examples.note)?;
    let data = note.mapped.iter().any(|path| path.ends_with(".data"));
    ensure(data, || format!("no data among {:?}", note.mapped))?;
    let again = at_a.import(&examples.note)?;
    let same = again.unchanged && again.circles.iter().all(|circle| circle.records.is_empty());
    ensure(same, || format!("{again:?}"))?;
    at_a.consent_given(circle)?;
    admit(&two, circle)?;
    same_digests(&two.a, &two.b, circle)?;

    let mut at_b = two.b.client()?.acting_as(&two.at_b);
    let lines = at_b.records(circle)?;
    let mut record = None;
    for line in lines {
        if let Ok(view) = at_b.record_show(line.record)
            && let Content::LiaisonNote(note) = &view.content
        {
            ensure(note.attachments.len() == 1, || format!("{note:?}"))?;
            record = Some(line.record);
        }
    }
    let record = record.ok_or_else(|| Trouble::wrong("no note at B"))?;
    let state = until(&two.b, &two.at_b, record, "the photo", |state| {
        state.complete
    })?;
    ensure(state.files[0].media_type == "image/png", || {
        format!("{state:?}")
    })?;
    let to = root.path().join("talon.png");
    done(save(&two.b, &two.at_b, record, &to)?)?;
    let photo = fs::read(&to).map_err(Trouble::io("a photo"))?;
    ensure(photo.starts_with(b"\x89PNG"), || String::from("no photo"))?;
    let given: serde_json::Value = serde_json::from_slice(&examples.note)
        .map_err(|error| Trouble::wrong(error.to_string()))?;
    let encoded = data_encoding::BASE64.encode(&photo);
    ensure(given.to_string().contains(&encoded), || {
        String::from("another photo than the bundle's")
    })
}
