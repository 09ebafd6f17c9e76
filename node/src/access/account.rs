//! An account, and what an administrator does to it.

use std::{fmt, sync::Arc};

use data_encoding::HEXLOWER;
use maillon_protocol::ids::ThingId;
use minicbor::{Decode, Encode};

use super::{
    Access, AccessError, Code, LOGINS, MOST_ACCOUNTS, password::Kept, read_account, write_account,
};
use crate::{
    audit::{self, About, By, Object},
    ledger::Tx,
    random,
    store::Table,
};

/// Milliseconds for which the code of a first sign-in is good: a week.
const FIRST_MS: u64 = 7 * 24 * 3_600_000;
/// Professionals in whose name one person may act.
const MOST_SITUATIONS: usize = 8;

/// An account's name inside: random, never typed and never shown to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct AccountId(#[cbor(with = "minicbor::bytes")] pub [u8; 16]);

impl AsRef<[u8]> for AccountId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl std::str::FromStr for AccountId {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(AccessError::NoAccount)
    }
}

/// The name that somebody types to sign in (identifiant): small letters, digits, `.`, `-`, `_` and `@`, 3 to 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Login(#[n(0)] String);

impl Login {
    /// Reads what was typed; capitals count as small letters.
    ///
    /// # Errors
    /// [`AccessError::Login`].
    pub fn parse(typed: &str) -> Result<Self, AccessError> {
        let login = typed.trim().to_lowercase();
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = |byte: u8| fits(byte) || b".-_@".contains(&byte);
        if (3..=64).contains(&login.len()) && login.bytes().all(fits) {
            Ok(Self(login))
        } else {
            Err(AccessError::Login)
        }
    }

    /// As it is typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Somebody's way in.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Account {
    /// Its name inside.
    #[n(0)]
    pub id: AccountId,
    /// What its person types.
    #[n(1)]
    pub login: Login,
    /// The person, as shown.
    #[n(2)]
    pub name: String,
    /// The professionals of this node in whose name they act (situations d'exercice), the usual one first. None: they see no file.
    #[n(3)]
    pub situations: Vec<ThingId>,
    /// Administers the node. Whoever does so sees no health data for that.
    #[n(4)]
    pub administrator: bool,
    /// Since when it is, Unix milliseconds.
    #[n(5)]
    pub created_ms: u64,
    /// Since when it is closed: nobody signs in.
    #[n(6)]
    pub closed_ms: Option<u64>,
    /// Last sign-in, Unix milliseconds.
    #[n(7)]
    pub seen_ms: Option<u64>,
    #[n(8)]
    pub(super) password: Option<Kept>,
    /// Keyed hashes of the recovery codes that are left.
    #[n(9)]
    pub(super) recovery: Vec<Name>,
    /// Keyed hash of the code of a first sign-in, and until when it is good.
    #[n(10)]
    pub(super) first: Option<(Name, u64)>,
    /// Sessions of an earlier era are over: another password, a closing or a code of a first sign-in begins the next.
    #[n(11)]
    pub(super) era: u64,
    /// How often it was changed: what comes later shows.
    #[n(12)]
    pub(super) revision: u64,
}

/// A keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(super) struct Name(#[cbor(with = "minicbor::bytes")] pub(super) [u8; 16]);

impl Account {
    /// Whether its person has chosen a password.
    pub const fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Recovery codes that are left.
    pub const fn recovery_left(&self) -> usize {
        self.recovery.len()
    }

    /// Until when the code of a first sign-in is good, Unix milliseconds.
    pub fn first_until_ms(&self) -> Option<u64> {
        self.first.map(|(_, until)| until)
    }

    /// In whose name it acts in the audit trail: its usual professional, or itself where it has none.
    pub fn actor(&self) -> ThingId {
        self.situations
            .first()
            .copied()
            .unwrap_or(ThingId(self.id.0))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.id)
    }
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// What its person types.
    pub login: Login,
    /// The person, as shown: 1 to 200 characters.
    pub name: String,
    /// In whose name they act.
    pub situations: Vec<ThingId>,
    /// Administers the node.
    pub administrator: bool,
}

impl Access {
    /// Makes an account, and the code with which its person signs in the first time and chooses a password. Nobody else ever knows that one.
    ///
    /// # Errors
    /// [`AccessError::Taken`], [`AccessError::Named`], [`AccessError::Name`], [`AccessError::TooMany`], [`AccessError::Nothing`].
    pub async fn add(&self, by: By, new: NewAccount) -> Result<(Arc<Account>, Code), AccessError> {
        let name = new.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            return Err(AccessError::Name);
        }
        if new.situations.len() > MOST_SITUATIONS {
            return Err(AccessError::TooMany("professionals of one account"));
        }
        if new.situations.is_empty() && !new.administrator {
            return Err(AccessError::Nothing);
        }
        // Two at once for one professional: the second sees the account of the first.
        let _one = self.inner.adding.lock().await;
        let accounts = self.accounts();
        let mut taken = accounts.iter().flat_map(|other| &other.situations);
        if taken.any(|one| new.situations.contains(one)) {
            return Err(AccessError::Named);
        }
        let code = Code::first();
        let account = Account {
            id: AccountId(random::token()),
            login: new.login,
            name,
            situations: new.situations,
            administrator: new.administrator,
            created_ms: 0,
            closed_ms: None,
            seen_ms: None,
            password: None,
            recovery: Vec::new(),
            first: None,
            era: 0,
            revision: 0,
        };
        if accounts.len() >= MOST_ACCOUNTS {
            return Err(AccessError::TooMany("accounts"));
        }
        let made = code.clone();
        let job = self.inner.ledger.run(move |tx| {
            let mut account = account;
            let namer = tx.rows.0.namer();
            // Two at once with one name: the second sees what the first has staged.
            let login = namer.name("login", &[account.login.as_str().as_bytes()]);
            let login = [LOGINS, &login].concat();
            if tx.get(Table::Access, &login)?.is_some() {
                return Err(AccessError::Taken);
            }
            account.created_ms = tx.now_ms;
            let name = made.name(namer, &account.id);
            account.first = Some((name, tx.now_ms + FIRST_MS));
            tx.put(Table::Access, login, account.id.0.to_vec());
            write_account(tx, &account);
            audit::note(tx, by, "account.add", about(&account.id))?;
            Ok::<_, AccessError>(account)
        });
        Ok((self.publish(job.await?), code))
    }

    /// Gives an account a code for one more first sign-in: its person has lost password and recovery codes. The old ones and all sessions end.
    ///
    /// # Errors
    /// [`AccessError::NoAccount`], [`AccessError::Closed`].
    pub async fn begin_again(&self, by: By, id: AccountId) -> Result<Code, AccessError> {
        let code = Code::first();
        let made = code.clone();
        self.change(by, "account.begin-again", id, move |tx, account| {
            if account.closed_ms.is_some() {
                return Err(AccessError::Closed);
            }
            let name = made.name(tx.rows.0.namer(), &account.id);
            account.first = Some((name, tx.now_ms + FIRST_MS));
            account.password = None;
            account.recovery.clear();
            account.era += 1;
            Ok(())
        })
        .await?;
        self.end_all(by, id, None).await?;
        Ok(code)
    }

    /// Closes an account, or opens it again. Its sessions end.
    ///
    /// # Errors
    /// [`AccessError::NoAccount`]; [`AccessError::LastAdministrator`].
    pub async fn close(&self, by: By, id: AccountId, closed: bool) -> Result<(), AccessError> {
        let action = if closed {
            "account.close"
        } else {
            "account.open"
        };
        let others: Vec<_> = self.accounts().iter().map(|other| other.id).collect();
        self.change(by, action, id, move |tx, account| {
            if closed && account.administrator {
                // As this job sees them: two closed at once do not leave none.
                let mut others = others.iter().filter(|other| **other != id);
                let rules = |other| {
                    let other = read_account(tx, other)?;
                    Ok::<_, AccessError>(other.administrator && other.closed_ms.is_none())
                };
                if !others.try_fold(false, |some, other| {
                    Ok::<_, AccessError>(some || rules(other)?)
                })? {
                    return Err(AccessError::LastAdministrator);
                }
            }
            account.era += u64::from(closed);
            account.closed_ms = closed.then_some(tx.now_ms);
            Ok(())
        })
        .await?;
        if closed {
            self.end_all(by, id, None).await?;
        }
        Ok(())
    }

    /// Changes an account in one commit with its line of the trail.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        by: By,
        action: &'static str,
        id: AccountId,
        with: impl FnOnce(&mut Tx<'_>, &mut Account) -> Result<T, AccessError> + Send + 'static,
    ) -> Result<T, AccessError> {
        let job = self.inner.ledger.run(move |tx| {
            let mut account = read_account(tx, &id)?;
            let done = with(tx, &mut account)?;
            account.revision += 1;
            write_account(tx, &account);
            audit::note(tx, by, action, about(&id))?;
            Ok::<_, AccessError>((account, done))
        });
        let (account, done) = job.await?;
        self.publish(account);
        Ok(done)
    }
}

/// What a line of the trail is about.
pub(super) const fn about(id: &AccountId) -> About {
    About::object(Object::Account(id.0))
}
