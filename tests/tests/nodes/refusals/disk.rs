//! A disk that is full, while a node runs and when it starts.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
};

use maillon_protocol::{
    admin::{ErrorCode, Verdict},
    ids::{CircleId, RecordId},
};
use maillon_tests::{
    daemon::{Client, Daemon, Settings, Trouble, person, professional, records_of, wait},
    mounts::small_disk,
};

use super::{FOLDER, says};
use crate::{Story, ensure};

/// Takes all the room that is left.
fn fill(disk: &Path) -> Result<PathBuf, Trouble> {
    let path = disk.join("ballast");
    let mut ballast = File::create(&path).map_err(Trouble::io("ballast"))?;
    for size in [1 << 20, 4096, 1] {
        while ballast.write_all(&vec![7; size]).is_ok() {}
    }
    Ok(path)
}

fn free(ballast: &Path) -> Story {
    fs::remove_file(ballast).map_err(Trouble::io("ballast"))
}

/// A node on the disk, with a circle, and a client in a professional's name.
fn on_disk(disk: &Path) -> Result<(Daemon, CircleId, Client), Trouble> {
    let daemon = Daemon::new(disk, Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let circle = client.circle_open(person())?.line.circle;
    Ok((daemon, circle, client))
}

/// Writes until it is refused: what was acknowledged, and the refusal.
fn write_on(
    client: &mut Client,
    circle: CircleId,
    text: &str,
) -> Result<(BTreeSet<RecordId>, Trouble), Trouble> {
    let mut acknowledged = BTreeSet::new();
    for _ in 0..5_000 {
        match client.note_add(circle, text) {
            Ok(written) => acknowledged.insert(written.record),
            Err(refused) => return Ok((acknowledged, refused)),
        };
    }
    Err(Trouble::wrong("the disk never got full"))
}

fn holds(daemon: &Daemon, circle: CircleId, acknowledged: &BTreeSet<RecordId>) -> Story {
    let held = records_of(daemon, circle)?;
    let lost = acknowledged
        .iter()
        .filter(|id| !held.contains_key(id))
        .count();
    ensure(lost == 0, || {
        format!(
            "{lost} of {} acknowledged notes are lost",
            acknowledged.len()
        )
    })
}

/// The first line and the body of `/health`.
fn health(daemon: &Daemon) -> Result<String, Trouble> {
    let address = fs::read_to_string(daemon.folder().join("run").join("http"));
    let address = address.map_err(Trouble::io("run/http"))?;
    let mut stream = TcpStream::connect(address.trim()).map_err(Trouble::io("/health"))?;
    let mut words = String::new();
    stream
        .set_read_timeout(Some(wait::LONG))
        .and_then(|()| stream.write_all(b"GET /health HTTP/1.0\r\n\r\n"))
        .and_then(|()| stream.read_to_string(&mut words))
        .map_err(Trouble::io("/health"))?;
    Ok(words)
}

#[test]
fn a_disk_that_gets_full_refuses_writes_aloud_keeps_what_it_acknowledged_and_works_again() -> Story
{
    let name = "refusals::disk::a_disk_that_gets_full_refuses_writes_aloud_keeps_what_it_acknowledged_and_works_again";
    let Some(disk) = small_disk(name, 96)? else {
        return Ok(());
    };
    let (mut daemon, circle, mut client) = on_disk(&disk)?;
    let text = "Tout va bien. ".repeat(1000);
    let ballast = fill(&disk)?;
    let (acknowledged, refused) = write_on(&mut client, circle, &text)?;
    let Trouble::Refused(error) = &refused else {
        return Err(refused);
    };
    ensure(
        error.code == ErrorCode::Storage && error.cause.contains("disk is full"),
        || format!("{error:?}"),
    )?;

    // Whoever asks is told, and what was acknowledged can be read.
    let status = client.status()?;
    let told = status
        .reasons
        .iter()
        .any(|reason| reason.sentence.contains("disk is full"));
    ensure(status.verdict == Verdict::Act && told, || {
        format!("{:?}", status.reasons)
    })?;
    let checks = client.doctor()?;
    let failed = checks.iter().find(|check| check.name == "store.commits");
    ensure(
        failed.is_some_and(|check| !check.holds && check.advice.is_some()),
        || format!("{failed:?}"),
    )?;
    let words = health(&daemon)?;
    ensure(
        words.contains(" 503 ") && words.contains("storage not well"),
        || words,
    )?;
    holds(&daemon, circle, &acknowledged)?;

    // With room again, it goes on by itself.
    free(&ballast)?;
    let mut acknowledged = acknowledged;
    let written = wait::until("a note after room was made", wait::LONG, || {
        Ok(client.note_add(circle, "De la place.").ok())
    })?;
    acknowledged.insert(written.record);
    let status = client.status()?;
    let told = status
        .reasons
        .iter()
        .any(|reason| reason.sentence.contains("not kept"));
    ensure(!told, || format!("{:?}", status.reasons))?;

    // Killed on a full disk, in the middle of what it could not write.
    let ballast = fill(&disk)?;
    let (more, _) = write_on(&mut client, circle, &text)?;
    acknowledged.extend(more);
    daemon.kill()?;
    free(&ballast)?;
    daemon.start()?;
    holds(&daemon, circle, &acknowledged)?;
    daemon.stop()
}

#[test]
fn a_start_on_a_full_disk_is_refused_and_loses_nothing() -> Story {
    let name = "refusals::disk::a_start_on_a_full_disk_is_refused_and_loses_nothing";
    let Some(disk) = small_disk(name, 96)? else {
        return Ok(());
    };
    let (mut daemon, circle, mut client) = on_disk(&disk)?;
    let mut acknowledged = BTreeSet::new();
    for _ in 0..50 {
        acknowledged.insert(client.note_add(circle, "Tout va bien.")?.record);
    }
    for graceful in [true, false] {
        if graceful {
            daemon.stop()?;
        } else {
            daemon.kill()?;
        }
        let ballast = fill(&disk)?;
        says(&daemon.refused()?, FOLDER, &["disk is full", "make room"])?;
        says(&daemon.refused()?, FOLDER, &["disk is full", "make room"])?;
        free(&ballast)?;
        daemon.start()?;
        holds(&daemon, circle, &acknowledged)?;
    }
    daemon.stop()
}
