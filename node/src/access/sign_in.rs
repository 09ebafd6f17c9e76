//! Coming in: the ways to prove that an account is one's own.

use std::{
    net::IpAddr,
    sync::{Arc, MutexGuard, PoisonError},
};

use super::{
    Access, AccessError, Account, AccountId, Code, Login, Password, Token,
    account::{Name, about},
    attempts::{ACCOUNT_FAILURES, Attempts, Whose, With},
    code,
    password::Kept,
};
use crate::audit::{self, By, own_user};

/// A way in. Others (a passkey, Pro Santé Connect) will be further variants.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// The password.
    Password(Password),
    /// One of the recovery codes, which is used up; a new password comes with it.
    Recovery {
        /// The code.
        code: Code,
        /// The password from now on.
        next: Password,
    },
    /// The code of a first sign-in, and the password that the person chooses.
    First {
        /// The code.
        code: Code,
        /// The password from now on.
        next: Password,
    },
}

/// Whence and when somebody comes.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The browser's address.
    pub address: IpAddr,
    /// Its name for the list of sessions, such as « Firefox sur Android ».
    pub device: String,
    /// Now, Unix milliseconds.
    pub now_ms: u64,
}

/// Somebody is in.
#[derive(Debug)]
pub struct SignedIn {
    /// For the browser.
    pub token: Token,
    /// Recovery codes that are to be shown once: at the first sign-in.
    pub codes: Vec<Code>,
}

impl Access {
    /// Lets somebody in who proves that the account is theirs.
    ///
    /// # Errors
    /// [`AccessError::Wrong`], [`AccessError::Wait`], [`AccessError::Closed`], [`AccessError::Password`], [`AccessError::Busy`].
    pub async fn sign_in(
        &self,
        login: &Login,
        way: SignIn,
        from: &Arrival,
    ) -> Result<SignedIn, AccessError> {
        let account = self.account_of(login);
        let whose = match &account {
            Some(account) => Whose::Account(account.id),
            None => Whose::Nobody(self.number_of(login)),
        };
        let with = match way {
            SignIn::Password(_) => With::Password,
            SignIn::Recovery { .. } | SignIn::First { .. } => With::Code,
        };
        let tries = {
            // Counted before it is looked at: many at once are not as many guesses.
            let mut attempts = self.attempts();
            let wait = attempts.wait_ms(whose, with, from.address, from.now_ms);
            if wait > 0 {
                let wait_s = wait.div_ceil(1000);
                return Err(AccessError::Wait { wait_s });
            }
            attempts.tries(whose, with, from.address, from.now_ms)
        };
        let done = match (&account, way) {
            (_, SignIn::Password(password)) => {
                self.by_password(account.as_deref(), password, from).await
            }
            (Some(account), SignIn::Recovery { code, next }) => {
                self.by_code(account, &code, next, false, from).await
            }
            (Some(account), SignIn::First { code, next }) => {
                self.by_code(account, &code, next, true, from).await
            }
            (None, SignIn::Recovery { .. } | SignIn::First { .. }) => Err(AccessError::Wrong),
        };
        match &done {
            Ok(_) => {
                let mut attempts = self.attempts();
                attempts.came_in(whose, with, from.address, from.now_ms);
            }
            // A new password that is too short, with a good code; or nobody looked.
            Err(AccessError::Password(_) | AccessError::Busy) => {
                let mut attempts = self.attempts();
                attempts.was_none(whose, with, from.address, from.now_ms);
            }
            Err(AccessError::Wrong) => self.note_refusal(account, tries),
            Err(_) => {}
        }
        done
    }

    async fn by_password(
        &self,
        account: Option<&Account>,
        password: Password,
        from: &Arrival,
    ) -> Result<SignedIn, AccessError> {
        let kept = account.and_then(|account| account.password.as_ref());
        let right = self.inner.hashing.is(password, kept).await?;
        let (Some(account), Some(kept), true) = (account, kept, right) else {
            return Err(AccessError::Wrong);
        };
        let token = self.begin(account.id, kept.clone(), from).await?;
        Ok(SignedIn {
            token,
            codes: Vec::new(),
        })
    }

    async fn by_code(
        &self,
        account: &Account,
        code: &Code,
        next: Password,
        first: bool,
        from: &Arrival,
    ) -> Result<SignedIn, AccessError> {
        let name = code.name(self.namer(), &account.id);
        // Before the work of a new password: who has no code makes none.
        is_good(account, name, first, from.now_ms)?;
        next.check_new(account)?;
        let kept = self.inner.hashing.keep(next).await?;
        let proved = kept.clone();
        let by = by(account);
        let action = if first {
            "account.first"
        } else {
            "account.recover"
        };
        let codes: Vec<Code> = if first { code::ten() } else { Vec::new() };
        let given = codes.clone();
        self.change(by, action, account.id, move |tx, account| {
            // Two at once with one code: the second finds it used up.
            is_good(account, name, first, tx.now_ms)?;
            account.password = Some(kept);
            account.era += 1;
            if first {
                account.first = None;
                account.recovery = names(&given, tx.rows.0.namer(), &account.id);
            } else {
                account.recovery.retain(|held| *held != name);
            }
            Ok(())
        })
        .await?;
        self.end_all(by, account.id, None).await?;
        let token = self.begin(account.id, proved, from).await?;
        Ok(SignedIn { token, codes })
    }

    /// Leaves a line, for the first few of a row. Nobody waits for it: how long an answer takes says nothing.
    fn note_refusal(&self, account: Option<Arc<Account>>, tries: u32) {
        let Some(account) = account.filter(|_| tries <= ACCOUNT_FAILURES) else {
            return;
        };
        let (ledger, id) = (self.inner.ledger.clone(), account.id);
        tokio::spawn(async move {
            let job = ledger.run(move |tx| {
                audit::note(tx, By::itself(), "session.refused", about(&id))?;
                Ok::<(), AccessError>(())
            });
            if let Err(error) = job.await {
                tracing::warn!(%error, "a refusal has no line in the audit trail");
            }
        });
    }

    /// Another password, by the one before, at an open session. Other sessions of the account end.
    ///
    /// # Errors
    /// [`AccessError::Wrong`], [`AccessError::Password`]; [`AccessError::Ended`] after five wrong ones.
    pub async fn change_password(
        &self,
        token: &Token,
        before: Password,
        next: Password,
        from: &Arrival,
    ) -> Result<(), AccessError> {
        let (account, proved) = self.is_theirs(token, before, from).await?;
        next.check_new(&account)?;
        let kept = self.inner.hashing.keep(next).await?;
        let own = self.row_of(token).ok_or(AccessError::Ended)?;
        let by = by(&account);
        let era = self
            .change(by, "account.password", account.id, move |tx, account| {
                still(account, &proved)?;
                account.password = Some(kept);
                account.era += 1;
                own.keep_in(tx, account.era)
            })
            .await?;
        let number = self.goes_on(token, era);
        self.end_all(by, account.id, number).await
    }

    /// Ten other recovery codes, by the password, at an open session. The old ones are good for nothing any more.
    ///
    /// # Errors
    /// [`AccessError::Wrong`]; [`AccessError::Ended`] after five wrong passwords.
    pub async fn renew_codes(
        &self,
        token: &Token,
        password: Password,
        from: &Arrival,
    ) -> Result<Vec<Code>, AccessError> {
        let (account, proved) = self.is_theirs(token, password, from).await?;
        let codes = code::ten();
        let given = codes.clone();
        self.change(
            by(&account),
            "account.codes",
            account.id,
            move |tx, account| {
                still(account, &proved)?;
                account.recovery = names(&given, tx.rows.0.namer(), &account.id);
                Ok(())
            },
        )
        .await?;
        Ok(codes)
    }

    /// Whose session it is, where the password is theirs, and what is kept of that. Whoever holds the session guesses five times; then it is over. Guesses at the
    /// door keep nobody out here.
    pub(super) async fn is_theirs(
        &self,
        token: &Token,
        password: Password,
        from: &Arrival,
    ) -> Result<(Arc<Account>, Kept), AccessError> {
        let signed = self.who(token, false, from.now_ms);
        let signed = signed.ok_or(AccessError::Ended)?;
        let account = signed.account;
        let tries = self.guessed(token)?;
        let kept = account.password.clone();
        let right = self.inner.hashing.is(password, kept.as_ref()).await;
        match (right, kept) {
            (Ok(true), Some(kept)) => {
                self.proved(token);
                Ok((account, kept))
            }
            (Ok(_), _) => {
                self.note_refusal(Some(Arc::clone(&account)), tries);
                if tries >= ACCOUNT_FAILURES {
                    self.end(by(&account), account.id, signed.number).await?;
                    return Err(AccessError::Ended);
                }
                Err(AccessError::Wrong)
            }
            (Err(error), _) => {
                self.was_no_guess(token);
                Err(error)
            }
        }
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        let attempts = self.inner.attempts.lock();
        attempts.unwrap_or_else(PoisonError::into_inner)
    }

    /// A number of a name that is nobody's: others cannot work out which names share one.
    fn number_of(&self, login: &Login) -> u64 {
        let name = self.namer().name("attempt", &[login.as_str().as_bytes()]);
        name.first_chunk()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

/// Whether a code is an account's.
fn is_good(account: &Account, name: Name, first: bool, now_ms: u64) -> Result<(), AccessError> {
    let good = if first {
        let held = account.first;
        held.is_some_and(|(held, until)| held == name && now_ms < until)
    } else {
        account.recovery.contains(&name)
    };
    match account.closed_ms {
        _ if !good => Err(AccessError::Wrong),
        Some(_) => Err(AccessError::Closed),
        None => Ok(()),
    }
}

/// Whether what was proved before is still so: nobody changed the password or closed the account meanwhile.
pub(super) fn still(account: &Account, proved: &Kept) -> Result<(), AccessError> {
    if !proved.is_same(account.password.as_ref()) {
        return Err(AccessError::Wrong);
    }
    match account.closed_ms {
        Some(_) => Err(AccessError::Closed),
        None => Ok(()),
    }
}

fn names(codes: &[Code], namer: &crate::store::Namer, account: &AccountId) -> Vec<Name> {
    codes.iter().map(|code| code.name(namer, account)).collect()
}

/// Who is at the door acts in the name of the account.
pub(super) fn by(account: &Account) -> By {
    By {
        actor: account.actor(),
        user: own_user(),
    }
}
