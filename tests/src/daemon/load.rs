//! Many writers at one socket, and what they were told.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

use maillon_protocol::ids::{CircleId, RecordId};

use super::{Caller, Trouble};

/// The records whose writing a daemon acknowledged: what may never be lost.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged(Arc<Mutex<Vec<RecordId>>>);

impl Acknowledged {
    /// All of them so far.
    pub fn all(&self) -> Vec<RecordId> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn add(&self, record: RecordId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(record);
    }
}

/// Writers, each on a connection of its own, that write one note after the other until they are told to stop or their daemon ends.
#[derive(Debug)]
pub struct Writers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<(), Trouble>>>,
}

impl Writers {
    /// Begins to write in these circles in turn. `caller` speaks in the name of a professional. All are connected before this returns.
    ///
    /// # Errors
    /// Where a connection cannot be made.
    pub fn begin(
        caller: &Caller,
        circles: &[CircleId],
        count: usize,
        acknowledged: &Acknowledged,
    ) -> Result<Self, Trouble> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count {
            clients.push(caller.connect()?);
        }
        let circles: Arc<[CircleId]> = circles.into();
        let threads = clients.into_iter().enumerate().map(|(number, mut client)| {
            let (stop, circles) = (Arc::clone(&stop), Arc::clone(&circles));
            let acknowledged = acknowledged.clone();
            thread::spawn(move || {
                let own_turn = circles.iter().cycle().skip(number % circles.len());
                for (note, circle) in own_turn.enumerate() {
                    if stop.load(Relaxed) {
                        break;
                    }
                    let written = client.note_add(*circle, &text(number, note))?;
                    acknowledged.add(written.record);
                }
                Ok(())
            })
        });
        Ok(Self {
            threads: threads.collect(),
            stop,
        })
    }

    /// Tells them to stop, waits, and returns how many ended before, and the first reason that is not the end of their daemon.
    ///
    /// # Errors
    /// The first refusal that a writer met.
    pub fn end(self) -> Result<usize, Trouble> {
        self.stop.store(true, Relaxed);
        let mut ended = 0;
        for thread in self.threads {
            match thread.join() {
                Ok(Ok(())) => {}
                // The daemon was killed under it: what these writers are for.
                Ok(Err(Trouble::Closed | Trouble::Io { .. })) => ended += 1,
                Ok(Err(other)) => return Err(other),
                Err(_) => return Err(Trouble::wrong("a writer panicked")),
            }
        }
        Ok(ended)
    }
}

/// Writes so many notes, spread over the circles, by so many writers.
///
/// # Errors
/// The first refusal.
pub fn write_notes(
    caller: &Caller,
    circles: &[CircleId],
    writers: usize,
    count: u64,
) -> Result<Vec<RecordId>, Trouble> {
    let acknowledged = Acknowledged::default();
    let next = AtomicU64::new(0);
    let write = |number: usize| {
        let mut client = caller.connect()?;
        loop {
            let note = next.fetch_add(1, Relaxed);
            if note >= count {
                return Ok(());
            }
            let place = usize::try_from(note).unwrap_or(0) % circles.len();
            let written = client.note_add(circles[place], &text(number, place))?;
            acknowledged.add(written.record);
        }
    };
    let write = &write;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|number| scope.spawn(move || write(number)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(Trouble::wrong("a writer panicked")))
        })
    })?;
    Ok(acknowledged.all())
}

/// A note of ordinary length.
fn text(writer: usize, note: usize) -> String {
    format!(
        "Passage {note} de l'équipe {writer} : tension 13/8, pansement refait, moral bon, a bien mangé à midi. \
         Prochain passage demain matin."
    )
}
