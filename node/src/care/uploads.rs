//! What is being given in parts through the socket: who gives it, how much is here, and when it is given up.
//!
//! In memory only, so that a stop leaves nothing. A few at a time: one more takes the place of whatever nobody has touched for a minute, and
//! what nobody has touched for ten minutes is gone.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use maillon_protocol::{
    admin::{PART, Upload},
    ids::{ThingId, Token},
};

use super::{Actor, CareError};
use crate::{clock::now_ms, random};

/// After so long without a part, it is given up: milliseconds.
const PATIENCE_MS: u64 = 10 * 60 * 1000;
/// After so long it is given up for another one: milliseconds.
const IDLE_MS: u64 = 60 * 1000;

/// One of them.
struct Given<T> {
    actor: ThingId,
    length: u64,
    received: u64,
    touched_ms: u64,
    what: T,
}

/// Those that are being given.
pub(super) struct Uploads<T> {
    most: usize,
    all: Mutex<HashMap<Token, Given<T>>>,
}

impl<T> Uploads<T> {
    /// At most so many at a time.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            all: Mutex::default(),
        }
    }

    fn with<R>(&self, act: impl FnOnce(&mut HashMap<Token, Given<T>>) -> R) -> R {
        // A panic between two steps would leave one of them short of bytes, which its end sees.
        act(&mut self.all.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins one of `length` bytes.
    pub(super) fn begin(&self, actor: &Actor, length: u64, what: T) -> Result<Upload, CareError> {
        self.begin_at(actor, length, what, now_ms())
    }

    fn begin_at(
        &self,
        actor: &Actor,
        length: u64,
        what: T,
        now_ms: u64,
    ) -> Result<Upload, CareError> {
        let upload = Token(random::token());
        self.with(|all| {
            all.retain(|_, given| given.touched_ms + PATIENCE_MS > now_ms);
            if all.len() >= self.most {
                let idle = all
                    .iter()
                    .filter(|(_, given)| given.touched_ms + IDLE_MS <= now_ms)
                    .min_by_key(|(_, given)| given.touched_ms)
                    .map(|(token, _)| *token);
                let idle = idle.ok_or(CareError::Busy(self.most))?;
                all.remove(&idle);
            }
            let given = Given {
                actor: actor.id,
                length,
                received: 0,
                touched_ms: now_ms,
                what,
            };
            all.insert(upload, given);
            Ok(Upload {
                upload,
                received: 0,
            })
        })
    }

    /// Takes the next bytes. Where `take` fails, the upload is over.
    pub(super) fn part(
        &self,
        actor: &Actor,
        upload: Token,
        offset: u64,
        bytes: &[u8],
        take: impl FnOnce(&mut T, &[u8]) -> Result<(), CareError>,
    ) -> Result<Upload, CareError> {
        self.with(|all| {
            let given = (all.get_mut(&upload))
                .filter(|given| given.actor == actor.id)
                .ok_or(CareError::NoUpload)?;
            let received = given.received + bytes.len() as u64;
            if offset != given.received || received > given.length || bytes.len() > PART {
                return Err(CareError::Part {
                    received: given.received,
                    length: given.length,
                });
            }
            if let Err(error) = take(&mut given.what, bytes) {
                all.remove(&upload);
                return Err(error);
            }
            given.received = received;
            given.touched_ms = now_ms();
            Ok(Upload { upload, received })
        })
    }

    /// Takes it out, once all bytes were given.
    pub(super) fn end(&self, actor: &Actor, upload: Token) -> Result<T, CareError> {
        self.with(|all| {
            let given = (all.get(&upload))
                .filter(|given| given.actor == actor.id)
                .ok_or(CareError::NoUpload)?;
            if given.received < given.length {
                return Err(CareError::Part {
                    received: given.received,
                    length: given.length,
                });
            }
            let given = all.remove(&upload).ok_or(CareError::NoUpload)?;
            Ok(given.what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_348_800_000;

    #[test]
    fn one_more_takes_the_place_of_what_nobody_goes_on_with_and_of_nothing_else() {
        let uploads = Uploads::new(2);
        let actor = Actor::administrator();
        let begin = |at_ms| uploads.begin_at(&actor, 4, (), at_ms);
        let first = begin(NOW).expect("room");
        let second = begin(NOW + 30_000).expect("room");
        assert!(matches!(begin(NOW + 59_000), Err(CareError::Busy(2))));
        begin(NOW + IDLE_MS).expect("the first one makes room");
        let gone = uploads.part(&actor, first.upload, 0, b"Note", |(), _| Ok(()));
        assert!(matches!(gone, Err(CareError::NoUpload)));
        uploads
            .part(&actor, second.upload, 0, b"Note", |(), _| Ok(()))
            .expect("the second one goes on");
    }

    #[test]
    fn parts_follow_one_another_and_the_end_comes_after_all_of_them() {
        let uploads = Uploads::new(1);
        let actor = Actor::administrator();
        let upload = uploads.begin(&actor, 4, Vec::new()).expect("room").upload;
        let part = |offset, bytes: &[u8]| {
            uploads.part(
                &actor,
                upload,
                offset,
                bytes,
                |held: &mut Vec<u8>, bytes| {
                    held.extend_from_slice(bytes);
                    Ok(())
                },
            )
        };
        part(0, b"No").expect("the first");
        for (offset, bytes) in [(0, &b"No"[..]), (3, &b"e"[..]), (2, &b"tes"[..])] {
            assert!(matches!(
                part(offset, bytes),
                Err(CareError::Part {
                    received: 2,
                    length: 4
                })
            ));
        }
        assert!(matches!(
            uploads.end(&actor, upload),
            Err(CareError::Part { received: 2, .. })
        ));
        let stranger = Actor {
            id: ThingId([7; 16]),
            ..Actor::administrator()
        };
        assert!(matches!(
            uploads.end(&stranger, upload),
            Err(CareError::NoUpload)
        ));
        part(2, b"te").expect("the second");
        assert_eq!(uploads.end(&actor, upload).ok(), Some(b"Note".to_vec()));
    }
}
