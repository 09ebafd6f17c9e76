//! Who is signed in: tokens, locking when nobody is there, ending.
//!
//! The browser holds a random token. Memory and database hold a keyed hash of it. A session's row is written when it begins, opens again or ends; when it was used
//! last is kept in memory only, so after a restart each session comes back locked: its person types the password and goes on where they were.
//!
//! - `token`: what the browser holds
//! - `list`: one's own sessions, and ending them

mod list;
mod token;

pub use list::SessionLine;
pub use token::Token;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use maillon_protocol::{cbor, ids::ThingId};
use minicbor::{Decode, Encode};

use super::{
    Access, AccessError, Account, AccountId, Arrival, Limits, Password, SESSIONS,
    account::{Name, about},
    attempts::ACCOUNT_FAILURES,
    password::Kept,
    read_account,
    sign_in::{by, still},
    write_account,
};
use crate::{
    audit,
    ledger::Tx,
    random,
    store::{Namer, Table},
};

/// Sessions of one account; with one more the oldest ends.
const MOST_OF_ONE: usize = 10;
/// Characters of a device's name.
const DEVICE: usize = 60;

/// One session, as it is kept.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub(super) struct Session {
    #[n(0)]
    name: Name,
    /// How its own person names it in the list, and how it ends from elsewhere; not what the browser holds.
    #[n(1)]
    number: u64,
    #[n(2)]
    account: AccountId,
    /// In whose name they act.
    #[n(3)]
    situation: Option<ThingId>,
    #[n(4)]
    begun_ms: u64,
    /// Such as « Firefox sur Android ».
    #[n(5)]
    device: String,
    /// The account's era in which it began: in a later one it is over.
    #[n(6)]
    era: u64,
    #[cbor(skip)]
    used_ms: u64,
    #[cbor(skip)]
    locked: bool,
    /// Wrong passwords typed into it.
    #[cbor(skip)]
    guesses: u32,
}

impl Session {
    /// Keeps its row, where it has one still, in this era of its account.
    pub(super) fn keep_in(mut self, tx: &mut Tx<'_>, era: u64) -> Result<u64, AccessError> {
        if tx.get(Table::Access, &key(&self.name))?.is_none() {
            return Err(AccessError::Ended);
        }
        self.era = era;
        tx.put(Table::Access, key(&self.name), cbor::encode(&self));
        Ok(era)
    }
}

/// How a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its person is there.
    Open,
    /// Nobody was, for a while: the password again.
    Locked,
}

/// Who asks: the account behind a token.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The account.
    pub account: std::sync::Arc<Account>,
    /// In whose name they act; none for an administrator who is no professional.
    pub situation: Option<ThingId>,
    /// Whether they are there.
    pub state: State,
    /// The number of this session in the list.
    pub number: u64,
    /// Milliseconds without a request until it locks, from now on.
    pub locks_in_ms: u64,
}

/// All sessions of a node.
pub(super) struct Sessions {
    limits: Limits,
    held: Mutex<HashMap<[u8; 16], Session>>,
}

impl Sessions {
    pub(super) fn new(limits: Limits, kept: Vec<Session>) -> Self {
        let held = kept.into_iter().map(|mut session| {
            session.locked = true;
            session.used_ms = session.begun_ms;
            (session.name.0, session)
        });
        Self {
            limits,
            held: Mutex::new(held.collect()),
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<[u8; 16], Session>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self, session: &Session, now_ms: u64) -> bool {
        now_ms >= session.begun_ms.saturating_add(self.limits.longest_ms)
    }
}

fn key(name: &Name) -> Vec<u8> {
    [SESSIONS, &name.0].concat()
}

impl Access {
    /// Who holds this token. `uses`: whether a person did something, so that the session stays open; what a page does by itself is nothing of that kind. `now`: Unix
    /// milliseconds.
    pub fn who(&self, token: &Token, uses: bool, now: u64) -> Option<Signed> {
        let sessions = &self.inner.sessions;
        let name = self.name_of(token);
        let mut held = sessions.held();
        let session = held.get_mut(&name.0)?;
        if sessions.is_over(session, now) {
            return None;
        }
        let idle = sessions.limits.idle_ms;
        if now >= session.used_ms.saturating_add(idle) {
            session.locked = true;
        }
        if uses && !session.locked {
            session.used_ms = now;
        }
        let session = session.clone();
        drop(held);
        let account = self.account(&session.account)?;
        if account.closed_ms.is_some() || account.era != session.era {
            return None;
        }
        Some(Signed {
            account,
            situation: session.situation,
            state: if session.locked {
                State::Locked
            } else {
                State::Open
            },
            number: session.number,
            locks_in_ms: session.used_ms.saturating_add(idle).saturating_sub(now),
        })
    }

    /// Begins a session of an account, where what was proved of it is still so.
    pub(super) async fn begin(
        &self,
        id: AccountId,
        proved: Kept,
        from: &Arrival,
    ) -> Result<Token, AccessError> {
        let token = Token::fresh();
        let now = from.now_ms;
        let mut session = Session {
            name: self.name_of(&token),
            number: u64::from_be_bytes(random::token()[..8].try_into().unwrap_or_default()) >> 12,
            account: id,
            situation: None,
            begun_ms: now,
            device: from.device.chars().take(DEVICE).collect(),
            era: 0,
            used_ms: now,
            locked: false,
            guesses: 0,
        };
        let over = self.oldest_beyond(&id, now);
        self.forget(&over);
        let job = self.inner.ledger.run(move |tx| {
            let mut account = read_account(tx, &id)?;
            still(&account, &proved)?;
            (session.era, session.situation) = (account.era, account.situations.first().copied());
            for name in &over {
                tx.delete(Table::Access, key(name));
            }
            tx.put(Table::Access, key(&session.name), cbor::encode(&session));
            account.seen_ms = Some(tx.now_ms);
            account.revision += 1;
            write_account(tx, &account);
            audit::note(tx, by(&account), "session.begin", about(&id))?;
            Ok::<_, AccessError>((account, session))
        });
        let (account, session) = job.await?;
        self.publish(account);
        self.inner.sessions.held().insert(session.name.0, session);
        Ok(token)
    }

    /// Sessions that are over, and the oldest of this account beyond what one may have.
    fn oldest_beyond(&self, account: &AccountId, now_ms: u64) -> Vec<Name> {
        let sessions = &self.inner.sessions;
        let held = sessions.held();
        let over = held.values().filter(|one| sessions.is_over(one, now_ms));
        let mut names: Vec<Name> = over.map(|session| session.name).collect();
        let own = held.values().filter(|session| session.account == *account);
        let mut own: Vec<_> = own.collect();
        own.sort_by_key(|session| session.begun_ms);
        let beyond = (own.len() + 1).saturating_sub(MOST_OF_ONE);
        names.extend(own.iter().take(beyond).map(|session| session.name));
        names
    }

    fn forget(&self, names: &[Name]) {
        let mut held = self.inner.sessions.held();
        for name in names {
            held.remove(&name.0);
        }
    }

    /// Opens a locked session with the password again, under another token.
    ///
    /// # Errors
    /// [`AccessError::Wrong`]; [`AccessError::Ended`] where it is no session any more, and after five wrong passwords.
    pub async fn unlock(
        &self,
        token: &Token,
        password: Password,
        from: &Arrival,
    ) -> Result<Token, AccessError> {
        let (account, proved) = self.is_theirs(token, password, from).await?;
        let before = self.row_of(token).ok_or(AccessError::Ended)?;
        let fresh = Token::fresh();
        let session = Session {
            name: self.name_of(&fresh),
            locked: false,
            guesses: 0,
            used_ms: from.now_ms,
            ..before.clone()
        };
        let (old, next, id) = (before.name, session.clone(), account.id);
        let job = self.inner.ledger.run(move |tx| {
            let account = read_account(tx, &id)?;
            still(&account, &proved)?;
            if tx.get(Table::Access, &key(&old))?.is_none() {
                return Err(AccessError::Ended);
            }
            tx.delete(Table::Access, key(&old));
            tx.put(Table::Access, key(&next.name), cbor::encode(&next));
            audit::note(tx, by(&account), "session.unlock", about(&id))?;
            Ok::<(), AccessError>(())
        });
        job.await?;
        // Somebody may have ended it from elsewhere while that was written.
        let (was_there, name) = {
            let mut held = self.inner.sessions.held();
            let was_there = held.remove(&old.0).is_some();
            let name = session.name;
            if was_there {
                held.insert(name.0, session);
            }
            (was_there, name)
        };
        if !was_there {
            self.end_these(by(&account), account.id, vec![name]).await?;
            return Err(AccessError::Ended);
        }
        Ok(fresh)
    }

    /// A session as it is in memory.
    pub(super) fn row_of(&self, token: &Token) -> Option<Session> {
        let name = self.name_of(token);
        self.inner.sessions.held().get(&name.0).cloned()
    }

    /// One more password is typed into a session. How many that are since the last that was right.
    pub(super) fn guessed(&self, token: &Token) -> Result<u32, AccessError> {
        let name = self.name_of(token);
        let mut held = self.inner.sessions.held();
        let session = held.get_mut(&name.0).ok_or(AccessError::Ended)?;
        session.guesses += 1;
        // More at once than may be: the others are not looked at.
        if session.guesses > ACCOUNT_FAILURES {
            return Err(AccessError::Ended);
        }
        Ok(session.guesses)
    }

    /// One of them was not looked at.
    pub(super) fn was_no_guess(&self, token: &Token) {
        let name = self.name_of(token);
        if let Some(session) = self.inner.sessions.held().get_mut(&name.0) {
            session.guesses = session.guesses.saturating_sub(1);
        }
    }

    /// One of them was right.
    pub(super) fn proved(&self, token: &Token) {
        let name = self.name_of(token);
        if let Some(session) = self.inner.sessions.held().get_mut(&name.0) {
            session.guesses = 0;
        }
    }

    /// A session goes on in a new era of its account; its number.
    pub(super) fn goes_on(&self, token: &Token, era: u64) -> Option<u64> {
        let name = self.name_of(token);
        let mut held = self.inner.sessions.held();
        let session = held.get_mut(&name.0)?;
        session.era = era;
        Some(session.number)
    }

    pub(super) fn namer(&self) -> &Namer {
        self.inner.ledger.shared().rows().0.namer()
    }

    fn name_of(&self, token: &Token) -> Name {
        token.name(self.namer())
    }

    /// Locks a session: its person goes from the desk.
    pub fn lock(&self, token: &Token) {
        let name = self.name_of(token);
        if let Some(session) = self.inner.sessions.held().get_mut(&name.0) {
            session.locked = true;
        }
    }

    /// Acts from now on in the name of another professional of the same account.
    ///
    /// # Errors
    /// [`AccessError::NotTheirs`], [`AccessError::Ended`].
    pub async fn act_as(
        &self,
        token: &Token,
        as_whom: ThingId,
        now: u64,
    ) -> Result<(), AccessError> {
        let signed = self.who(token, true, now).ok_or(AccessError::Ended)?;
        if !signed.account.situations.contains(&as_whom) {
            return Err(AccessError::NotTheirs);
        }
        let session = self.row_of(token).ok_or(AccessError::Ended)?;
        let (name, id) = (session.name, session.account);
        let session = Session {
            situation: Some(as_whom),
            ..session
        };
        let by = by(&signed.account);
        let job = self.inner.ledger.run(move |tx| {
            let era = session.era;
            session.keep_in(tx, era)?;
            audit::note(tx, by, "session.act-as", about(&id))?;
            Ok::<(), AccessError>(())
        });
        job.await?;
        let mut held = self.inner.sessions.held();
        let session = held.get_mut(&name.0).ok_or(AccessError::Ended)?;
        session.situation = Some(as_whom);
        Ok(())
    }
}
