//! What professionals do all day: look for somebody, open a file, write a note. Each act is timed from the first byte of the request to the last of the answer.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{alerts::BESIDE, floor},
    fill::File,
    people::{self, Plan},
    readers::Reader,
};
use crate::{
    daemon::{Daemon, Trouble, ensure},
    visitor::{Page, Visitor},
};

/// Who has a request under way at one time: a node for 200 people has one now and then.
const AT_ONCE: usize = 8;
/// Acts that are timed, and how many go before without being counted.
const ACTS: usize = 2_000;
const WARM_UP: usize = 200;
/// Bytes of a file's page at least, packed.
const LEAST: usize = 1_000;
/// Notes and synced writes take turns, because a disk that others use too is not the same from one minute to the next.
const ROUNDS: usize = 5;
const NOTES: usize = 200;

/// A node at work.
pub(super) struct Work<'a> {
    /// The node.
    pub(super) daemon: &'a Daemon,
    /// Those who are signed in.
    pub(super) readers: &'a [Reader],
    /// Its files.
    pub(super) files: &'a [File],
    /// The files of each reader.
    pub(super) followed: &'a [Vec<usize>],
}

/// The address of a file.
pub(super) fn address(file: &File) -> String {
    let mut circle = file.circle.to_string();
    circle.truncate(24);
    format!("/dossiers/{circle}")
}

/// What 95 of a hundred take at most, milliseconds.
fn p95(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let rank = (times.len() * 95).div_ceil(100).max(1);
    let time = times.get(rank - 1).copied().unwrap_or_default();
    time.as_secs_f64() * 1_000.0
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl Work<'_> {
    /// Milliseconds of 95 of a hundred acts, [`AT_ONCE`] of them under way: `act` does the one of a number and says what came, which `holds` looks at when the time
    /// is taken.
    fn many(
        &self,
        act: impl Fn(&mut Visitor, usize) -> Result<Page, Trouble> + Sync,
        holds: impl Fn(&Page) -> bool + Sync,
    ) -> Result<f64, Trouble> {
        let origin = self.daemon.pages()?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<Duration>, Trouble> {
            let mut visitor = Visitor::new(&origin);
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= WARM_UP + ACTS {
                    return Ok(times);
                }
                self.readers[number % self.readers.len()].at(&mut visitor);
                let begun = Instant::now();
                let page = act(&mut visitor, number)?;
                let time = begun.elapsed();
                ensure(holds(&page), || format!("{page:?}"))?;
                if number >= WARM_UP {
                    times.push(time);
                }
            }
        };
        let mut times = Vec::new();
        thread::scope(|scope| {
            let all: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
            for one in all {
                let done: Result<Vec<Duration>, Trouble> = one
                    .join()
                    .unwrap_or_else(|_| Err(Trouble::wrong("a worker panicked")));
                times.extend(done?);
            }
            Ok::<_, Trouble>(())
        })?;
        Ok(p95(times))
    }

    /// A page in which nothing of patients is, one's own account: what any page takes.
    pub(super) fn empty_page(&self) -> Result<f64, Trouble> {
        self.many(
            |visitor, _| visitor.get("/compte"),
            |page| page.status == 200,
        )
    }

    /// Searches: every second one among one's own patients, the others in the whole structure.
    pub(super) fn search(&self) -> Result<f64, Trouble> {
        let typed: Vec<(&str, String)> = (0..WARM_UP + ACTS)
            .map(|number| {
                let reader = number % self.readers.len();
                let turn = number / self.readers.len();
                let own = &self.followed[reader];
                let everywhere = turn.is_multiple_of(2) || own.is_empty();
                let file = if everywhere {
                    // A step that meets each of them once.
                    number * 7_919 % self.files.len()
                } else {
                    own[turn % own.len()]
                };
                let person = Plan::of(self.files[file].number, self.readers.len()).identity;
                let view = if everywhere { "structure" } else { "" };
                // Each way of typing for either view.
                (view, people::typed(&person, number / 2 + turn))
            })
            .collect();
        self.many(
            |visitor, number| {
                let (view, typed) = &typed[number];
                visitor.post("/patients", &[("voir", view), ("q", typed)])
            },
            |page| page.status == 200 && page.text.contains(" trouvée"),
        )
    }

    /// Opens files of those whom the readers follow, quiet ones and full ones as they come.
    pub(super) fn dossier(&self) -> Result<f64, Trouble> {
        self.many(
            |visitor, number| {
                let own = &self.followed[number % self.readers.len()];
                let file = own[number / self.readers.len() % own.len()];
                // As a browser asks for it, which unpacks beside this.
                visitor.unpacks = true;
                let (page, bytes) = visitor.bytes(&address(&self.files[file]))?;
                ensure(bytes.len() > LEAST, || format!("{} bytes", bytes.len()))?;
                Ok(page)
            },
            |page| page.status == 200 && page.header("content-encoding") == "gzip",
        )
    }

    /// Notes one by one, and synced writes of as many bytes: 95 of a hundred, the middle one of the rounds of each.
    pub(super) fn note(&self, root: &Path) -> Result<(f64, f64), Trouble> {
        let mut visitor = Visitor::new(&self.daemon.pages()?);
        let mut number = 0;
        let mut write = |count: usize| {
            let mut times = Vec::with_capacity(count);
            let mut last = None;
            for _ in 0..count {
                let reader = number % self.readers.len();
                let own = &self.followed[reader];
                let file = &self.files[own[number / self.readers.len() % own.len()]];
                let text = people::said(number);
                let fields = [("nature", "observation"), ("texte", text.as_str())];
                self.readers[reader].at(&mut visitor);
                let begun = Instant::now();
                let page = visitor.post(&format!("{}/note", address(file)), &fields)?;
                times.push(begun.elapsed());
                ensure(page.status == 303, || format!("{page:?}"))?;
                last = Some(file.circle);
                number += 1;
            }
            Ok::<_, Trouble>((times, last))
        };
        let (_, last) = write(WARM_UP)?;
        let mut client = self.daemon.client()?;
        let records = last.map(|circle| client.records(circle)).transpose()?;
        let record = records.and_then(|records| Some(records.last()?.bytes));
        let bytes = record.unwrap_or(512) + BESIDE;
        let (mut notes, mut floors) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            notes.push(p95(write(NOTES)?.0));
            let floor = floor::wal(&root.join(round.to_string()), bytes, NOTES as u64)?;
            floors.push(floor.p95_ms);
        }
        Ok((middle(notes), middle(floors)))
    }
}
