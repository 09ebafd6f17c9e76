//! Coming in: the ways to prove that an account is one's own.

use std::{
    net::IpAddr,
    sync::{MutexGuard, PoisonError},
};

use super::{
    Access, AccessError, Account, AccountId, Code, Login, Password, Token,
    account::{Name, about},
    attempts::Attempts,
    code,
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
        // Codes have 50 bits and more: who is locked out by somebody else's guesses comes in with one.
        let by_password = matches!(way, SignIn::Password(_));
        self.try_once(login, by_password, from)?;
        let account = self.account_of(login);
        let done = match (&account, way) {
            (account, SignIn::Password(password)) => {
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
            Ok(_) => self.attempts().came_in(login, from.address),
            // A new password that is too short, with a good code; or nobody looked.
            Err(AccessError::Password(_) | AccessError::Busy) => {
                self.attempts().was_none(login, from.address);
            }
            Err(AccessError::Wrong) => {
                if let Some(account) = &account {
                    self.note_refusal(account).await?;
                }
            }
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
        let Some(account) = account.filter(|_| right) else {
            return Err(AccessError::Wrong);
        };
        if account.closed_ms.is_some() {
            return Err(AccessError::Closed);
        }
        let token = self.come_in(account, from).await?;
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
        let namer = self.inner.ledger.shared().rows().0.namer();
        let name = code.name(namer, &account.id);
        // Before the work of a new password: who has no code makes none.
        if !is_good(account, name, first, from.now_ms) {
            return Err(AccessError::Wrong);
        }
        if account.closed_ms.is_some() {
            return Err(AccessError::Closed);
        }
        next.check_new(account)?;
        let kept = self.inner.hashing.keep(next).await?;
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
            if !is_good(account, name, first, tx.now_ms) {
                return Err(AccessError::Wrong);
            }
            account.password = Some(kept);
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
        let token = self.come_in(account, from).await?;
        Ok(SignedIn { token, codes })
    }

    async fn come_in(&self, account: &Account, from: &Arrival) -> Result<Token, AccessError> {
        let situation = account.situations.first().copied();
        self.begin(by(account), account, situation, from).await
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        let attempts = self.inner.attempts.lock();
        attempts.unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a try before it is looked at, so that many at once are not as many guesses.
    fn try_once(&self, login: &Login, waits: bool, from: &Arrival) -> Result<(), AccessError> {
        let mut attempts = self.attempts();
        let wait = attempts.wait_ms(waits.then_some(login), from.address, from.now_ms);
        if wait > 0 {
            let wait_s = wait.div_ceil(1000);
            return Err(AccessError::Wait { wait_s });
        }
        attempts.tries(login, from.address, from.now_ms);
        Ok(())
    }

    async fn note_refusal(&self, account: &Account) -> Result<(), AccessError> {
        let (by, id) = (by(account), account.id);
        let job = self.inner.ledger.run(move |tx| {
            audit::note(tx, by, "session.refused", about(&id))?;
            Ok::<(), AccessError>(())
        });
        Ok(job.await?)
    }

    /// Another password, by the one before. Other sessions of the account end.
    ///
    /// # Errors
    /// [`AccessError::Wrong`], [`AccessError::Password`].
    pub async fn change_password(
        &self,
        by: By,
        id: AccountId,
        before: Password,
        next: Password,
        session: u64,
        from: &Arrival,
    ) -> Result<(), AccessError> {
        let account = self.account(&id).ok_or(AccessError::NoAccount)?;
        self.is_theirs(&account, before, from).await?;
        next.check_new(&account)?;
        let kept = self.inner.hashing.keep(next).await?;
        self.change(by, "account.password", id, move |_, account| {
            account.password = Some(kept);
            Ok(())
        })
        .await?;
        self.end_all(by, id, Some(session)).await
    }

    /// Ten other recovery codes, by the password. The old ones are good for nothing any more.
    ///
    /// # Errors
    /// [`AccessError::Wrong`].
    pub async fn renew_codes(
        &self,
        by: By,
        id: AccountId,
        password: Password,
        from: &Arrival,
    ) -> Result<Vec<Code>, AccessError> {
        let account = self.account(&id).ok_or(AccessError::NoAccount)?;
        self.is_theirs(&account, password, from).await?;
        let codes = code::ten();
        let given = codes.clone();
        self.change(by, "account.codes", id, move |tx, account| {
            account.recovery = names(&given, tx.rows.0.namer(), &account.id);
            Ok(())
        })
        .await?;
        Ok(codes)
    }

    /// Whether the password is the account's; guesses at an open session count as those at the door.
    pub(super) async fn is_theirs(
        &self,
        account: &Account,
        password: Password,
        from: &Arrival,
    ) -> Result<(), AccessError> {
        self.try_once(&account.login, true, from)?;
        let kept = account.password.as_ref();
        let looked_at = self.inner.hashing.is(password, kept).await;
        if matches!(looked_at, Err(AccessError::Busy)) {
            self.attempts().was_none(&account.login, from.address);
        }
        if !looked_at? {
            return Err(AccessError::Wrong);
        }
        self.attempts().came_in(&account.login, from.address);
        Ok(())
    }
}

fn is_good(account: &Account, name: Name, first: bool, now_ms: u64) -> bool {
    if first {
        account
            .first
            .is_some_and(|(held, until)| held == name && now_ms < until)
    } else {
        account.recovery.contains(&name)
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
