//! The figures of the professionals' pages: a node with the files of a territory, everybody signed in with a page open, and a real browser.
//!
//! - `people`, `words`: persons who are plausible and nobody's
//! - `fill`: their files, through the socket
//! - `readers`: the professionals, their accounts and sessions
//! - `streams`: the pages that they have open
//! - `work`: what they do
//! - `weight`: what a browser fetches
//! - `screen`: an alert, from one territory's form to the other's page

mod fill;
mod people;
mod readers;
mod screen;
mod streams;
mod weight;
mod words;
mod work;

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

pub(super) use screen::measure as alert_to_screen;

use super::{Figure, Goal, Scale, territory::resident};
use crate::{
    daemon::{Daemon, Settings, Trouble, ensure},
    ground::node,
    visitor::Visitor,
};
use fill::File;
use streams::Stream;
use work::Work;

/// Files and records beside those of [`Scale`], and circles of it for one professional.
const FILES: usize = 20;
const RECORDS: u64 = 5;
const FOR_ONE: usize = 5;
/// After everything else, before the memory is looked at: what was held for the work before is given back.
const QUIET: Duration = Duration::from_secs(15);
/// With the streams open: each has been asked whether its session goes on, and kept alive with a line.
const OPEN: Duration = Duration::from_secs(30);
const MIB: f64 = 1_048_576.0;
/// Things of the file that the browser opens: a whole page of them.
const FULL: usize = 40;

/// The files of each reader.
fn followed(files: &[File], readers: usize) -> Vec<Vec<usize>> {
    let mut followed = vec![Vec::new(); readers];
    for (number, file) in files.iter().enumerate() {
        for reader in &file.team {
            followed[*reader].push(number);
        }
    }
    followed
}

pub(super) fn measure(root: &Path, scale: Scale) -> Result<Vec<Figure>, Trouble> {
    let count = (scale.circles / FOR_ONE).max(4);
    let mut daemon = node(Settings::dac(), root)?;
    let professionals = readers::professionals(&daemon, count)?;
    let begun = Instant::now();
    let records = scale.records * RECORDS;
    let files = fill::fill(&daemon, &professionals, scale.circles * FILES, records)?;
    let held = daemon.client()?.status()?.records;
    println!(
        "{} files with {held} records were made in {:.0} s",
        files.len(),
        begun.elapsed().as_secs_f64()
    );
    let begun = Instant::now();
    let readers = readers::sign_in(&daemon, &professionals)?;
    println!(
        "{count} people signed in within {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    let followed = followed(&files, count);
    ensure(followed.iter().all(|own| !own.is_empty()), || {
        String::from("somebody follows nobody")
    })?;
    let (memory, mut streams) = open_pages(&daemon, &readers, &files, &followed)?;
    let work = Work {
        daemon: &daemon,
        readers: &readers,
        files: &files,
        followed: &followed,
    };
    let empty = work.empty_page()?;
    println!("searches");
    let search = work.search()?;
    println!("files are opened");
    let dossier = work.dossier()?;
    println!("notes are written");
    let (note, synced) = work.note(&root.join("floor"))?;
    for stream in &mut streams {
        ensure(stream.goes_on()?, || String::from("a page was given up"))?;
    }
    drop(streams);
    let own = |file: &&File| file.team.contains(&0) && file.notes > FULL;
    let full = files.iter().find(own);
    let full = full.ok_or_else(|| Trouble::wrong("no file with so many notes"))?;
    let weight = weight::weigh(&daemon.pages()?, &readers[0], full)?;
    daemon.stop()?;
    let at_most =
        |name, value, unit, floor, most| Figure::new(name, value, unit, floor, Goal::AtMost(most));
    Ok(vec![
        at_most("search_p95", search, "ms", Some(empty), 30.0),
        at_most("dossier_p95", dossier, "ms", Some(empty), 50.0),
        Figure::new("note_p95", note, "ms", Some(synced), Goal::Times(2.0)),
        at_most("streams_memory", memory, "bytes", None, 100.0 * MIB),
        at_most("first_page", weight.first as f64, "bytes", None, 204_800.0),
        at_most("next_page", weight.next as f64, "bytes", None, 40_960.0),
    ])
}

/// Opens a page of everybody, every second one that of a file, and says how much memory that takes.
fn open_pages(
    daemon: &Daemon,
    readers: &[readers::Reader],
    files: &[File],
    followed: &[Vec<usize>],
) -> Result<(f64, Vec<Stream>), Trouble> {
    let origin = daemon.pages()?;
    let mut visitor = Visitor::new(&origin);
    let mut addresses = Vec::with_capacity(readers.len());
    for (number, reader) in readers.iter().enumerate() {
        let page = if number.is_multiple_of(2) {
            String::from("/")
        } else {
            work::address(&files[followed[number][0]])
        };
        addresses.push(streams::address(&mut visitor, reader, &page)?);
    }
    drop(visitor);
    thread::sleep(QUIET);
    let before = resident(daemon)?;
    let open = addresses.iter().zip(readers);
    let streams = open.map(|(address, reader)| Stream::open(&origin, address, reader));
    let mut streams: Vec<_> = streams.collect::<Result<_, _>>()?;
    thread::sleep(OPEN);
    let memory = resident(daemon)? - before;
    for stream in &mut streams {
        ensure(stream.goes_on()?, || String::from("a page was given up"))?;
    }
    Ok((memory, streams))
}
