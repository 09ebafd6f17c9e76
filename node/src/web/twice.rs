//! What is sent twice (a second tap on a slow line) is written once: whoever sends the same again within a moment is led where the first one led, and of two at one time the
//! second waits for the first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

/// For so long the same is the same.
const MOMENT: Duration = Duration::from_secs(20);

/// Where a form led, once it has.
type Led = Arc<tokio::sync::Mutex<Option<String>>>;

/// The forms that were sent lately.
#[derive(Default)]
pub(super) struct Sent(Mutex<HashMap<[u8; 32], (Instant, Led)>>);

/// One form that is being taken; the same one waits until this is dropped.
pub(super) struct Turn(tokio::sync::OwnedMutexGuard<Option<String>>);

impl Sent {
    /// Waits until nobody takes the same form: `parts` are who sends it, what for, and all that it says.
    pub(super) async fn turn(&self, parts: &[&[u8]]) -> Turn {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let led = {
            let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            held.retain(|_, (at, led)| now - *at < MOMENT || Arc::strong_count(led) > 1);
            let entry = held.entry(hash.finalize().into());
            let (_, led) = entry.or_insert_with(|| (now, Led::default()));
            Arc::clone(led)
        };
        Turn(led.lock_owned().await)
    }
}

impl Turn {
    /// Where the same form has led a moment ago.
    pub(super) fn led(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// It is done: the same leads there, too.
    pub(super) fn leads(mut self, to: &str) {
        *self.0 = Some(to.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_same_form_leads_where_it_led_and_another_one_does_not() {
        let sent = Sent::default();
        let first = sent.turn(&[b"maelle", b"note", b"texte"]).await;
        assert_eq!(first.led(), None);
        first.leads("/dossiers/1");
        let again = sent.turn(&[b"maelle", b"note", b"texte"]).await;
        assert_eq!(again.led(), Some("/dossiers/1"));
        for other in [
            &[&b"ines"[..], b"note", b"texte"][..],
            &[b"maelle", b"note", b"textes"],
            &[b"maelle", b"notet", b"exte"],
        ] {
            assert_eq!(sent.turn(other).await.led(), None);
        }
    }

    #[tokio::test]
    async fn what_failed_is_taken_anew() {
        let sent = Sent::default();
        drop(sent.turn(&[b"maelle", b"note"]).await);
        assert_eq!(sent.turn(&[b"maelle", b"note"]).await.led(), None);
    }
}
