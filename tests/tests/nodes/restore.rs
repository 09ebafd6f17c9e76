//! A node that is put back from a copy: it begins anew, gets back what it had written since, and splits no circle.

use std::{ffi::OsStr, fs};

use maillon_protocol::{
    admin::{Answer, Call, Checkpoint, ErrorCode},
    charter::RotationReason,
    ids::CircleId,
};
use maillon_tests::daemon::{Client, Settings, Shared, Trouble, Two, maillond, person, wait};

use crate::{Story, ensure, folder};

fn is_unconfirmed(client: &mut Client, circle: CircleId) -> Result<bool, Trouble> {
    Ok(client.circle_show(circle)?.line.unconfirmed)
}

#[test]
fn a_steward_that_is_put_back_from_a_copy_gets_its_notes_back_and_signs_when_another_member_confirms()
-> Story {
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let alone = a.circle_open(person())?.line.circle;
    let before = a.note_add(circle, "Écrit avant la copie.")?.record;
    let Answer::Checkpoint(Checkpoint {
        folder: copy,
        bytes,
    }) = a.call(Call::Checkpoint)?
    else {
        return Err(Trouble::wrong("no checkpoint"));
    };
    ensure(bytes > 0, || "an empty copy".to_owned())?;
    // What the copy does not know: a note, and an entry that this node signed.
    let after = a.note_add(circle, "Écrit après la copie.")?.record;
    a.call(Call::CircleRotate {
        circle: circle.to_string(),
        reason: RotationReason::Precaution,
    })?;
    let entry = a.circle_show(circle)?.line.entry;
    wait::until("both at B", wait::LONG, || {
        Ok((b.shows(after)? && b.circle_show(circle)?.line.entry == entry).then_some(()))
    })?;

    // The machine is lost; the copy was elsewhere, and is put back where there is nothing.
    two.b.stop()?;
    two.a.kill()?;
    let dir = two.a.folder();
    let elsewhere = root.path().join("elsewhere");
    fs::rename(&copy, &elsewhere).map_err(Trouble::io("the copy"))?;
    let words = |from: &OsStr, to: &OsStr| {
        let words = [
            OsStr::new("restore"),
            OsStr::new("--from"),
            from,
            OsStr::new("--dir"),
            to,
        ];
        maillond(&words, wait::LONG)
    };
    let full = words(elsewhere.as_os_str(), dir.as_os_str())?;
    ensure(full.status.code() == Some(73), || full.words.clone())?;
    let none = words(root.path().as_os_str(), dir.as_os_str())?;
    ensure(
        none.status.code() == Some(64) && none.words.contains("no checkpoint"),
        || none.words.clone(),
    )?;
    fs::remove_dir_all(&dir).map_err(Trouble::io("the data folder"))?;
    let done = words(elsewhere.as_os_str(), dir.as_os_str())?;
    ensure(done.status.success(), || done.words.clone())?;
    two.a.start()?;

    // It says what is the matter, writes, and signs nothing.
    let mut a = two.a.client()?.acting_as(&two.at_a);
    ensure(a.shows(before)? && !a.shows(after)?, || {
        "not what the copy held".to_owned()
    })?;
    let Answer::Status(status) = a.call(Call::Status)? else {
        return Err(Trouble::wrong("no status"));
    };
    let said = format!("{:?}", status.reasons);
    ensure(
        said.contains("restored from a copy, and 2 circles wait"),
        || said.clone(),
    )?;
    let since = a.note_add(circle, "Écrit après le retour.")?.record;
    let rotate = || Call::CircleRotate {
        circle: circle.to_string(),
        reason: RotationReason::Precaution,
    };
    match a.call(rotate()) {
        Err(no) if no.code() == Some(ErrorCode::Conflict) => {
            ensure(no.to_string().contains("restored from a copy"), || {
                no.to_string()
            })?;
        }
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    // In the circle in which nobody else ever was, its administrator says so.
    let name = alone.to_string();
    let confirm = ["circle", "confirm", &name, "--yes"].map(OsStr::new);
    let confirmed = two.a.ctl(&two.at_a, &confirm)?;
    ensure(confirmed.status.success(), || confirmed.words.clone())?;
    ensure(
        !is_unconfirmed(&mut a, alone)? && is_unconfirmed(&mut a, circle)?,
        || "which one?".to_owned(),
    )?;
    // Through one more start nothing of that is forgotten, and no other life begins.
    two.a.stop()?;
    two.a.start()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    ensure(is_unconfirmed(&mut a, circle)?, || "forgotten".to_owned())?;

    // The other member is there: what was lost comes back, the head with it.
    two.b.start()?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    wait::until("what was written after the copy, at A", wait::LONG, || {
        Ok((a.shows(after)? && !is_unconfirmed(&mut a, circle)?).then_some(()))
    })?;
    ensure(a.circle_show(circle)?.line.entry == entry, || {
        "another entry".to_owned()
    })?;
    wait::until(
        "what was written after the return, at B",
        wait::LONG,
        || Ok(b.shows(since)?.then_some(())),
    )?;
    a.call(rotate())?;
    wait::until("an entry that it signs then, at B", wait::LONG, || {
        Ok((b.circle_show(circle)?.line.entry == entry + 1).then_some(()))
    })?;
    let audit = ["audit", "list", "--json"].map(OsStr::new);
    let trail = two.a.ctl(&two.at_a, &audit)?.words;
    for action in ["node.restore", "node.checkpoint", "circle.confirm"] {
        ensure(trail.contains(action), || trail.clone())?;
    }
    Ok(())
}
