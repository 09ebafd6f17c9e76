//! Who signs in at this node, and how.
//!
//! An [`Account`] is a person's way in. It names the professional, or the professionals where somebody works for several structures, in whose name they act,
//! and whether they are an administrator of the node. [`SignIn`] is one of the ways to prove that an account is one's own: a password, a recovery code,
//! the code of a first sign-in. What follows is a session: a random token in the browser, of which the database holds a keyed hash.
//!
//! # What it promises
//!
//! - A password is kept as Argon2id (RFC 9106) only, codes as keyed hashes; none is ever shown again, logged or told to an administrator.
//! - Whoever guesses waits: after five failures an account takes no password for a minute, then two, up to fifteen; after twenty within an
//!   hour the network from which they come. Recovery codes have a count of their own and work meanwhile. An unknown name waits and costs as a known one.
//! - A professional has one account, closed or not: what people keep for themselves is kept by the professional in whose name they act.
//! - What was proved is looked at once more in the commit: who changes the password or closes the account meanwhile is not overtaken.
//! - A token is new with each sign-in and each unlocking. A session that nobody uses locks, and is over after five wrong passwords. It ends after a day's
//!   work, when its person or an administrator says so, when the account is closed, and when its password changes elsewhere.
//! - Each sign-in and change of an account is a line of the audit trail, in the same commit; the first five refusals too, shortly after.
//!
//! # What it does not
//!
//! It does not say what somebody may do to which file: that is asked in `care`. It knows neither pages nor cookies, and reads no clock.

mod account;
mod attempts;
mod code;
mod error;
mod password;
mod sessions;
mod sign_in;

pub use account::{Account, AccountId, Login, NewAccount};
pub use attempts::network_of;
pub use code::{Code, RECOVERY_CODES};
pub use error::AccessError;
pub use password::{Password, PasswordFault};
pub use sessions::{SessionLine, Signed, State, Token};
pub use sign_in::{Arrival, SignIn, SignedIn};

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use crate::{
    ledger::{Ledger, Tx},
    store::{Range, Table},
};
use attempts::Attempts;
use password::Hashing;
use sessions::Sessions;

/// What the keys of accounts begin with; a name made of the account's id follows.
const ACCOUNTS: &[u8] = b"account";
/// Likewise for the names that people type, with the account's id as value: each name once.
const LOGINS: &[u8] = b"login";
/// Likewise for sessions.
const SESSIONS: &[u8] = b"session";
/// Accounts of a node.
const MOST_ACCOUNTS: usize = 10_000;

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Milliseconds without a request after which a session locks.
    pub idle_ms: u64,
    /// Milliseconds after which it ends.
    pub longest_ms: u64,
}

/// Accounts and sessions of a node. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    ledger: Ledger,
    hashing: Hashing,
    accounts: RwLock<BTreeMap<AccountId, Arc<Account>>>,
    attempts: Mutex<Attempts>,
    sessions: Sessions,
    /// Held while an account is made.
    adding: tokio::sync::Mutex<()>,
}

impl Access {
    /// Reads what is committed.
    ///
    /// # Errors
    /// [`AccessError::Damaged`], [`AccessError::Store`].
    pub fn start(ledger: Ledger, limits: Limits) -> Result<Self, AccessError> {
        let store = &ledger.shared().rows().0;
        let mut accounts = BTreeMap::new();
        for row in store.scan(Table::Access, ACCOUNTS, Range::all())? {
            let (_, bytes) = row?;
            let account: Account =
                minicbor::decode(&bytes).map_err(|_| AccessError::Damaged("an account"))?;
            accounts.insert(account.id, Arc::new(account));
        }
        let mut kept = Vec::new();
        for row in store.scan(Table::Access, SESSIONS, Range::all())? {
            let (_, bytes) = row?;
            kept.push(minicbor::decode(&bytes).map_err(|_| AccessError::Damaged("a session"))?);
        }
        Ok(Self {
            inner: Arc::new(Inner {
                hashing: Hashing::new(),
                accounts: RwLock::new(accounts),
                attempts: Mutex::default(),
                sessions: Sessions::new(limits, kept),
                adding: tokio::sync::Mutex::default(),
                ledger,
            }),
        })
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        let held = self.inner.accounts.read();
        let held = held.unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = held.values().cloned().collect();
        all.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        all
    }

    /// One account.
    pub fn account(&self, id: &AccountId) -> Option<Arc<Account>> {
        let held = self.inner.accounts.read();
        let held = held.unwrap_or_else(PoisonError::into_inner);
        held.get(id).cloned()
    }

    /// The account of a name that somebody typed.
    pub fn account_of(&self, login: &Login) -> Option<Arc<Account>> {
        let held = self.inner.accounts.read();
        let held = held.unwrap_or_else(PoisonError::into_inner);
        let found = held.values().find(|account| account.login == *login);
        found.cloned()
    }

    /// Shows what is committed to those who look. Tasks wake in any order: what was committed later stays.
    fn publish(&self, account: Account) -> Arc<Account> {
        let account = Arc::new(account);
        let held = self.inner.accounts.write();
        let mut held = held.unwrap_or_else(PoisonError::into_inner);
        let shown = held.get(&account.id);
        if shown.is_none_or(|shown| shown.revision <= account.revision) {
            held.insert(account.id, Arc::clone(&account));
        }
        account
    }
}

/// Where an account's row is.
fn account_key(tx: &Tx<'_>, id: &AccountId) -> Vec<u8> {
    let name = tx.rows.0.namer().name("account", &[id.as_ref()]);
    [ACCOUNTS, &name].concat()
}

/// An account as this job sees it.
fn read_account(tx: &Tx<'_>, id: &AccountId) -> Result<Account, AccessError> {
    let row = tx.get(Table::Access, &account_key(tx, id))?;
    let row = row.ok_or(AccessError::NoAccount)?;
    minicbor::decode(&row).map_err(|_| AccessError::Damaged("an account"))
}

fn write_account(tx: &mut Tx<'_>, account: &Account) {
    let key = account_key(tx, &account.id);
    tx.put(Table::Access, key, maillon_protocol::cbor::encode(account));
}
