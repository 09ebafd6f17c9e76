//! A watch on its own thread: every event with the moment at which it was read.

use std::{
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use maillon_protocol::{
    admin::{Call, Outcome, WatchEvent},
    ids::RecordId,
};

use super::{Client, Trouble, wait};

/// An event, and when it came out of the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Instant,
    /// What.
    pub event: WatchEvent,
}

/// A watch that runs until it is dropped, or until its daemon ends.
#[derive(Debug)]
pub struct Watch {
    events: Receiver<Told>,
    // Taken and seen before somebody asked for them.
    seen: Vec<Told>,
    stream: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn begin(mut client: Client) -> Result<Self, Trouble> {
        let stream = client.handle()?;
        let id = client.ask(Call::Watch)?;
        match client.reply(id)? {
            Outcome::Event(WatchEvent::Watching) => {}
            Outcome::Failed(error) => return Err(Trouble::Refused(error)),
            other => return Err(Trouble::Protocol(format!("a watch began with {other:?}"))),
        }
        // Nothing may happen for as long as the test likes.
        stream
            .set_read_timeout(None)
            .map_err(Trouble::io("the admin socket"))?;
        let (sender, events) = channel();
        let thread = std::thread::spawn(move || {
            while let Ok(Outcome::Event(event)) = client.reply(id) {
                let at = Instant::now();
                if sender.send(Told { at, event }).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            events,
            seen: Vec::new(),
            stream,
            thread: Some(thread),
        })
    }

    /// Waits for an event, among those that came since the watch began and were not taken yet; takes it.
    ///
    /// # Errors
    /// [`Trouble::TooLate`] with the kinds of events that did come, [`Trouble::Closed`] where the daemon has ended.
    pub fn until(
        &mut self,
        what: &str,
        bound: Duration,
        wanted: impl Fn(&WatchEvent) -> bool,
    ) -> Result<Told, Trouble> {
        if let Some(place) = self.seen.iter().position(|told| wanted(&told.event)) {
            return Ok(self.seen.remove(place));
        }
        let begun = Instant::now();
        let bound = wait::bounded(bound);
        loop {
            match self
                .events
                .recv_timeout(bound.saturating_sub(begun.elapsed()))
            {
                Ok(told) if wanted(&told.event) => return Ok(told),
                Ok(told) => self.seen.push(told),
                Err(RecvTimeoutError::Disconnected) => return Err(Trouble::Closed),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Trouble::TooLate {
                        what: what.to_owned(),
                        seconds: bound.as_secs_f64(),
                        last: format!("; {} other events came", self.seen.len()),
                    });
                }
            }
        }
    }

    /// Waits until a record can be read here.
    ///
    /// # Errors
    /// As [`Watch::until`].
    pub fn until_recorded(&mut self, wanted: RecordId) -> Result<Told, Trouble> {
        self.until(
            "the record at the watch",
            wait::LONG,
            |event| matches!(event, WatchEvent::Recorded { record, .. } if *record == wanted),
        )
    }

    /// Waits until so many records of a kind were told, from here on; when the last one was. Other events are passed over.
    ///
    /// # Errors
    /// As [`Watch::until`], and [`Trouble::Wrong`] where the watch says that it missed some.
    pub fn until_so_many(
        &mut self,
        wanted: &str,
        count: u64,
        bound: Duration,
    ) -> Result<Instant, Trouble> {
        let end = Instant::now() + wait::bounded(bound);
        let mut last = Instant::now();
        let mut found = 0;
        while found < count {
            let told = self
                .events
                .recv_timeout(end.saturating_duration_since(Instant::now()));
            let Told { at, event } = told.map_err(|error| match error {
                RecvTimeoutError::Disconnected => Trouble::Closed,
                RecvTimeoutError::Timeout => Trouble::TooLate {
                    what: format!("{count} of the kind {wanted} at the watch"),
                    seconds: bound.as_secs_f64(),
                    last: format!("; {found} came"),
                },
            })?;
            match event {
                WatchEvent::Recorded { kind, .. } if kind == wanted => {
                    found += 1;
                    last = at;
                }
                WatchEvent::Missed { count } => {
                    return Err(Trouble::wrong(format!("the watch missed {count} events")));
                }
                _ => {}
            }
        }
        Ok(last)
    }

    /// Forgets what came so far.
    pub fn forget(&mut self) {
        self.seen.clear();
        while self.events.try_recv().is_ok() {}
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Fails only where the daemon has closed it already; the thread ends either way.
        let _ = self.stream.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
