//! The accepter's side: dial until both sides know that nothing is left to say.

use std::{sync::Arc, time::Duration};

use libp2p::Multiaddr;
use maillon_protocol::pairing::{Accepter, PairingError, Pending, RefuseCode};
use tokio::time::timeout;

use super::{
    PeeringEvent,
    converse::{Ended, Machine, converse},
    course::Course,
    room::Room,
};
use crate::{
    clock::now_ms,
    network::{DialTrouble, pairing},
    random::{SystemRandom, token},
};

/// Attempts to bring the very last message, once this side knows everything.
const FAREWELLS: u32 = 3;

impl Room {
    /// Pursues an invitation that was accepted, in a task of its own.
    pub(super) fn pursue(self: &Arc<Self>, course: Arc<Course>) {
        let room = Arc::clone(self);
        self.tasks.spawn(async move { room.pursuit(&course).await });
    }

    async fn pursuit(&self, course: &Course) {
        let mut waits = Waits::new(self.config.first_wait, self.config.longest_wait);
        let mut farewells = 0;
        loop {
            let mut polite = false;
            match self.attempt(course).await {
                Ended::Politely => polite = true,
                Ended::Refused(error) if is_final(&error) => {
                    return self.give_up(course, error).await;
                }
                Ended::Refused(error) => course.set_trouble(error.to_string()),
                Ended::Broken(reason) => course.set_trouble(reason),
            }
            if course.look(Pending::is_settled) {
                farewells += 1;
                if polite || farewells == FAREWELLS {
                    return;
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = course.gone.cancelled() => return,
                () = course.again.notified() => waits.restart(),
                () = tokio::time::sleep(waits.next()) => {}
            }
            if course.look(|pending| pending.end().is_some()) {
                return;
            }
        }
    }

    async fn attempt(&self, course: &Course) -> Ended {
        let (inviter, addresses) = course.look(|pending| {
            let addresses = pending.addresses().iter();
            let usable = addresses.filter_map(|address| address.parse().ok());
            (pending.inviter(), usable.collect::<Vec<Multiaddr>>())
        });
        let config = self.config.pairing();
        let dial = pairing::dial(&config, &self.identity, inviter, &addresses);
        let led = async {
            let dialled = timeout(self.config.dial_timeout, dial).await;
            let stream = match dialled.unwrap_or(Err(DialTrouble::NoAnswer.into())) {
                Ok(stream) => stream,
                Err(error) => return Ended::Broken(error.to_string()),
            };
            let own = self.ledger.shared().descriptor();
            let machine = Machine::Accepter(Accepter::new(own, inviter, &mut SystemRandom));
            converse(self, course, machine, stream, None).await
        };
        tokio::select! {
            () = self.stop.cancelled() => Ended::Broken("the node is stopping".to_owned()),
            () = course.gone.cancelled() => Ended::Broken("the pairing began anew".to_owned()),
            ended = led => ended,
        }
    }

    /// No attempt will come to another end. What was never bound is forgotten at the next start: it must not cost the invitation one more
    /// of its attempts.
    async fn give_up(&self, course: &Course, error: PairingError) {
        if course.look(|pending| pending.end().is_none() && pending.words().is_none()) {
            if let Err(error) = self.delete(course, false).await {
                tracing::warn!(%error, "a failed pairing stays in the store");
            }
        }
        tracing::warn!(%error, "an accepted invitation has failed");
        course.fail(error);
        self.tell(PeeringEvent::Pairing(course.id.to_string()));
    }

    /// Whether an accepter has something left to say or to hear.
    pub(super) fn is_pursued(course: &Course) -> bool {
        let now_ms = now_ms();
        course.look(|pending| {
            pending.end().is_none()
                && !pending.is_settled()
                && (pending.is_paired() || now_ms < pending.expires_ms())
        })
    }
}

/// Whether another attempt would end in the same way.
fn is_final(error: &PairingError) -> bool {
    !matches!(
        error,
        PairingError::Unexpected(_)
            | PairingError::Message(_)
            | PairingError::Limit(_)
            | PairingError::Refused(RefuseCode::Unexpected)
    )
}

/// Waits that double up to a limit, each shortened by up to a half so that nodes do not come in step.
struct Waits {
    first: Duration,
    next: Duration,
    longest: Duration,
}

impl Waits {
    fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            next: first,
            longest,
        }
    }

    fn restart(&mut self) {
        self.next = self.first;
    }

    fn next(&mut self) -> Duration {
        let wait = self.next.min(self.longest);
        self.next = wait.saturating_mul(2);
        wait.mul_f64(0.5 + f64::from(token()[0]) / 510.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_no_further() {
        let mut waits = Waits::new(Duration::from_secs(1), Duration::from_secs(60));
        let mut expected = 1;
        for _ in 0..12 {
            let (wait, whole) = (waits.next(), Duration::from_secs(expected.min(60)));
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
            expected *= 2;
        }
        waits.restart();
        assert!(waits.next() <= Duration::from_secs(1));
    }
}
