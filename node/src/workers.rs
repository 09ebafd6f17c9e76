//! Background loops, each with a name, a state, a last success and a last error, and one number that slows it down.
//!
//! *Tranquillity* n means: after each piece of work, sleep n times as long as the work took.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use maillon_protocol::admin::Worker;

use crate::clock::now_ms;

/// The greatest tranquillity.
pub const MAX_TRANQUILLITY: u32 = 1000;

/// All workers of a node.
#[derive(Debug, Default)]
pub struct Workers(Mutex<BTreeMap<&'static str, Worker>>);

impl Workers {
    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, Worker>> {
        // Every change is whole; a poisoned lock loses nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names a worker before it starts.
    pub fn register(&self, name: &'static str, does: &str, tranquillity: u32) {
        self.all().insert(
            name,
            Worker {
                name: name.to_owned(),
                does: does.to_owned(),
                state: "idle".to_owned(),
                queue: 0,
                last_success_ms: None,
                last_error: None,
                tranquillity,
            },
        );
    }

    /// All workers, by name.
    pub fn list(&self) -> Vec<Worker> {
        self.all().values().cloned().collect()
    }

    /// Sets a worker's tranquillity; its name, or none where there is no such worker.
    pub fn set(&self, name: &str, tranquillity: u32) -> Option<&'static str> {
        let mut all = self.all();
        let known = all.keys().copied().find(|known| *known == name)?;
        if let Some(worker) = all.get_mut(known) {
            worker.tranquillity = tranquillity.min(MAX_TRANQUILLITY);
        }
        Some(known)
    }

    /// Notes how much waits for a worker.
    pub fn queue(&self, name: &'static str, queue: u64) {
        if let Some(worker) = self.all().get_mut(name) {
            worker.queue = queue;
        }
    }

    /// Notes when it last succeeded, before this start of the node.
    pub fn succeeded(&self, name: &'static str, at_ms: u64) {
        if let Some(worker) = self.all().get_mut(name) {
            worker.last_success_ms = Some(at_ms);
        }
    }

    /// Notes the start of a piece of work.
    pub fn begin(&self, name: &'static str) -> Instant {
        if let Some(worker) = self.all().get_mut(name) {
            worker.state = "busy".to_owned();
        }
        Instant::now()
    }

    /// Notes its end; how long to rest before the next.
    pub fn end(&self, name: &'static str, begun: Instant, result: Result<(), String>) -> Duration {
        let took = begun.elapsed();
        let mut all = self.all();
        let Some(worker) = all.get_mut(name) else {
            return Duration::ZERO;
        };
        match result {
            Ok(()) => worker.last_success_ms = Some(now_ms()),
            Err(error) => worker.last_error = Some((now_ms(), error)),
        }
        worker.state = if worker.tranquillity > 0 {
            "throttled"
        } else {
            "idle"
        }
        .to_owned();
        took * worker.tranquillity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tranquil_worker_rests_as_many_times_as_long_as_it_worked() {
        let workers = Workers::default();
        workers.register("verify", "Reads every row.", 3);
        let begun = Instant::now()
            .checked_sub(Duration::from_millis(100))
            .unwrap_or_else(Instant::now);
        let rest = workers.end("verify", begun, Err("one row does not open".to_owned()));
        assert!(rest >= Duration::from_millis(300), "{rest:?}");
        let verify = workers.list().remove(0);
        assert_eq!(verify.state, "throttled");
        assert!(verify.last_error.is_some());
    }

    #[test]
    fn a_worker_that_does_not_exist_is_not_set() {
        assert_eq!(Workers::default().set("nobody", 1), None);
    }
}
