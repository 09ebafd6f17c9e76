//! What one structure asks to erase, between whole nodes: a person decides at the other, or its node by itself, and it leaves the disk.

use std::{ffi::OsStr, fs, path::Path};

use maillon_protocol::{
    admin::{Answer, Call, ErasureCall, ErasureLine, ErrorCode},
    content::Erased,
    ids::RecordId,
};
use maillon_tests::daemon::{Client, Daemon, Settings, Shared, Trouble, Two, same_digests, wait};

use crate::{
    Story,
    attachments::{TITLE, add, done, letter, save, until},
    ensure, folder,
};

const BYTES: usize = 4 << 20;

pub(crate) fn says(daemon: &Daemon, who: &str, words: &[&str]) -> Result<String, Trouble> {
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    let ended = daemon.ctl(who, &words)?;
    ensure(ended.status.success(), || ended.words.clone())?;
    Ok(ended.words)
}

fn lines(client: &mut Client, call: ErasureCall) -> Result<Vec<ErasureLine>, Trouble> {
    match client.call(Call::Erasure(call))? {
        Answer::Erasures(lines) => Ok(lines),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

/// What each member has answered about a record, as a node knows it.
fn answers(client: &mut Client, record: RecordId) -> Result<Vec<Option<Erased>>, Trouble> {
    let record = record.to_string();
    let lines = lines(client, ErasureCall::Show { record })?;
    let mut all: Vec<_> = lines
        .iter()
        .flat_map(|line| &line.answers)
        .map(|word| word.answer)
        .collect();
    all.sort_unstable();
    Ok(all)
}

pub(crate) fn is_gone(client: &mut Client, record: RecordId) -> Story {
    match client.record_show(record) {
        Err(no) if no.code() == Some(ErrorCode::Conflict) => {
            ensure(no.to_string().contains("erased"), || no.to_string())
        }
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

pub(crate) fn used(folder: &Path) -> Result<u64, Trouble> {
    let entries = fs::read_dir(folder.join("rocksdb")).map_err(Trouble::io("the database"))?;
    let sizes = entries.flatten().filter_map(|entry| entry.metadata().ok());
    Ok(sizes.map(|meta| meta.len()).sum())
}

#[test]
fn a_document_in_the_wrong_file_is_erased_at_both_structures_and_leaves_their_disks() -> Story {
    let root = folder()?;
    let scrubbing = |settings: Settings| Settings {
        scrub_after_s: Some(1),
        ..settings
    };
    let Shared { mut two, circle } = Two::peered(
        root.path(),
        scrubbing(Settings::dac()),
        scrubbing(Settings::cpts()),
    )?
    .share()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let note = a
        .note_add(circle, "Chute sans gravité, reste à domicile.")?
        .record;
    let wrong = add(root.path(), &two.a, &two.at_a, circle, &letter(BYTES))?;
    until(&two.b, &two.at_b, wrong, "the document at B", |state| {
        state.complete
    })?;
    let shown = b.circle_show(circle)?;
    let name = wrong.to_string();

    // B is asked, and its administrator sees that something waits.
    says(
        &two.a,
        &two.at_a,
        &["erasure", "ask", &name, "--reason", "wrong-person", "--yes"],
    )?;
    is_gone(&mut a, wrong)?;
    let waiting = wait::until("the erasure at B", wait::LONG, || {
        let waiting = lines(&mut b, ErasureCall::List { circle: None })?;
        Ok(waiting.first().cloned())
    })?;
    ensure(waiting.record == wrong && waiting.waits, || {
        format!("{waiting:?}")
    })?;
    ensure(
        b.status()?
            .reasons
            .iter()
            .any(|reason| reason.sentence.contains("to be erased")),
        || "status says nothing of it".to_owned(),
    )?;
    ensure(
        b.circle_show(circle)?.things.len() > shown.things.len(),
        || "the erasure stands in the file".to_owned(),
    )?;
    let listed = says(&two.b, &two.at_b, &["erasure", "list"])?;
    ensure(
        listed.contains("carry-out") && listed.contains("has not answered"),
        || listed.clone(),
    )?;
    done(save(
        &two.b,
        &two.at_b,
        wrong,
        &root.path().join("before.pdf"),
    )?)?;

    let before = used(&two.b.folder())?;
    let erasure = waiting.erasure.to_string();
    says(
        &two.b,
        &two.at_b,
        &["erasure", "carry-out", &erasure, "--yes"],
    )?;
    is_gone(&mut b, wrong)?;
    let later = save(&two.b, &two.at_b, wrong, &root.path().join("after.pdf"))?;
    ensure(!later.status.success(), || later.words.clone())?;
    let both = [Some(Erased::Done), Some(Erased::Done)];
    wait::until("B's answer at A", wait::LONG, || {
        Ok((answers(&mut a, wrong)? == both).then_some(()))
    })?;
    same_digests(&two.a, &two.b, circle)?;
    let file = says(&two.b, &two.at_b, &["circle", "show", &circle.to_string()])?;
    ensure(
        file.contains(": erased") && file.contains("Chute sans gravité"),
        || file.clone(),
    )?;
    ensure(!file.contains(TITLE), || file.clone())?;
    // The files of four megabytes are gone from the disk, not only from sight.
    wait::until("a smaller database at B", wait::LONG, || {
        let now = used(&two.b.folder())?;
        Ok((now + BYTES as u64 * 3 / 4 < before).then_some(()))
    })?;

    // All this is so after a restart, and nobody is asked again.
    two.b.kill()?;
    two.b.start()?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    is_gone(&mut b, wrong)?;
    ensure(b.shows(note)?, || "the other note is gone".to_owned())?;
    ensure(
        lines(&mut b, ErasureCall::List { circle: None })?.is_empty(),
        || "it waits again".to_owned(),
    )?;
    for (daemon, who, action) in [
        (&two.a, &two.at_a, "erasure.ask"),
        (&two.b, &two.at_b, "erasure.carry-out"),
    ] {
        let trail = says(daemon, who, &["audit", "list", "--json"])?;
        ensure(trail.contains(action), || trail.clone())?;
    }
    two.a.finish()?;
    two.b.finish()?;
    Ok(())
}

#[test]
fn a_structure_keeps_what_it_has_reasons_to_keep_and_a_node_that_is_told_to_erases_by_itself()
-> Story {
    let root = folder()?;
    let mut obedient = Settings::cpts();
    obedient.erase_by_itself = true;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), obedient)?.share()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let ours = a.note_add(circle, "Écrit par erreur.")?.record;
    let theirs = b.note_add(circle, "Écrit par erreur aussi.")?.record;
    wait::until("both notes", wait::LONG, || {
        Ok((a.shows(theirs)? && b.shows(ours)?).then_some(()))
    })?;
    let ask = |record: RecordId| {
        Call::Erasure(ErasureCall::Ask {
            record: record.to_string(),
            reason: maillon_protocol::content::ErasureReason::Inaccurate,
        })
    };
    // Of another structure's record, a member that is not the steward may not ask.
    match b.call(ask(ours)) {
        Err(no) if no.to_string().contains("only the structure that wrote") => {}
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    a.call(ask(ours))?;
    let both = [Some(Erased::Done), Some(Erased::Done)];
    wait::until("B's answer, by itself", wait::LONG, || {
        Ok((answers(&mut a, ours)? == both).then_some(()))
    })?;
    is_gone(&mut b, ours)?;

    b.call(ask(theirs))?;
    let waiting = wait::until("the erasure at A", wait::LONG, || {
        Ok(lines(&mut a, ErasureCall::List { circle: None })?
            .first()
            .cloned())
    })?;
    let refuse = || {
        Call::Erasure(ErasureCall::Refuse {
            erasure: waiting.erasure.to_string(),
        })
    };
    a.call(refuse())?;
    let words = [Some(Erased::Done), Some(Erased::Refused)];
    wait::until("A's answer at B", wait::LONG, || {
        Ok((answers(&mut b, theirs)? == words).then_some(()))
    })?;
    ensure(a.shows(theirs)?, || "A has kept it".to_owned())?;
    is_gone(&mut b, theirs)?;
    match a.call(refuse()) {
        Err(no) if no.to_string().contains("does not wait here") => {}
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    same_digests(&two.a, &two.b, circle)?;
    two.a.finish()?;
    two.b.finish()?;
    Ok(())
}

#[test]
fn a_closed_file_is_let_go_of_and_leaves_the_disk() -> Story {
    let root = folder()?;
    let mut cpts = Settings::cpts();
    cpts.scrub_after_s = Some(1);
    let Shared { mut two, circle } = Two::peered(root.path(), Settings::dac(), cpts)?.share()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let name = circle.to_string();
    let document = add(root.path(), &two.a, &two.at_a, circle, &letter(BYTES))?;
    until(&two.b, &two.at_b, document, "the document at B", |state| {
        state.complete
    })?;
    let finish = || Call::CircleFinish {
        circle: name.clone(),
    };
    match b.call(finish()) {
        Err(no) if no.to_string().contains("has not ended") => {}
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    let close = ["circle", "close", &name, "--reason", "end-of-care", "--yes"];
    says(&two.a, &two.at_a, &close)?;
    wait::until("the closing, at B", wait::LONG, || {
        Ok(b.circle_show(circle)?.line.closed.then_some(()))
    })?;

    let before = used(&two.b.folder())?;
    says(&two.b, &two.at_b, &["circle", "finish", &name, "--yes"])?;
    match b.circle_show(circle) {
        Err(no) if no.code() == Some(ErrorCode::NotFound) => {}
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    ensure(b.record_show(document).is_err(), || {
        "it is still shown".to_owned()
    })?;
    wait::until("a smaller database at B", wait::LONG, || {
        let now = used(&two.b.folder())?;
        Ok((now + BYTES as u64 * 3 / 4 < before).then_some(()))
    })?;
    let said = says(&two.b, &two.at_b, &["circle", "finished"])?;
    ensure(
        said.contains(&name[..12]) && !said.contains("being swept"),
        || said.clone(),
    )?;

    // Contact, a restart and an hour's worth of news bring nothing back; A keeps its file.
    two.b.kill()?;
    two.b.start()?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    wait::until("the connection", wait::LONG, || {
        Ok(b.peer_list()?
            .peers
            .iter()
            .any(|peer| peer.connected)
            .then_some(()))
    })?;
    says(&two.a, &two.at_a, &["peer", "retry"])?;
    std::thread::sleep(std::time::Duration::from_secs(2));
    ensure(b.circles()?.is_empty(), || "it came back".to_owned())?;
    ensure(a.shows(document)?, || "A has lost its file".to_owned())?;
    two.a.finish()?;
    two.b.finish()?;
    Ok(())
}
