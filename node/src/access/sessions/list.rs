//! The sessions of an account, as its person sees them, and ending them.

use super::{Session, key};
use crate::{
    access::{
        Access, AccessError, AccountId,
        account::{Name, about},
    },
    audit::{self, By},
    store::Table,
};

/// A session, as its person sees it in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// Its number, to end it.
    pub number: u64,
    /// Such as « Firefox sur Android ».
    pub device: String,
    /// Since when, Unix milliseconds.
    pub begun_ms: u64,
    /// Last used, Unix milliseconds.
    pub used_ms: u64,
    /// Whether it is locked.
    pub locked: bool,
}

impl Access {
    /// The sessions of an account that go on, the newest first.
    pub fn sessions(&self, account: &AccountId, now: u64) -> Vec<SessionLine> {
        let sessions = &self.inner.sessions;
        let held = sessions.held();
        let own = held.values().filter(|session| session.account == *account);
        let era = self.account(account).map_or(0, |account| account.era);
        let own = own.filter(|session| !sessions.is_over(session, now) && session.era == era);
        let mut lines: Vec<_> = own
            .map(|session| SessionLine {
                number: session.number,
                device: session.device.clone(),
                begun_ms: session.begun_ms,
                used_ms: session.used_ms,
                locked: session.locked
                    || now >= session.used_ms.saturating_add(sessions.limits.idle_ms),
            })
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse((line.begun_ms, line.number)));
        lines
    }

    /// Ends one session of an account, by its number.
    ///
    /// # Errors
    /// [`AccessError::Ended`] where it has no such session.
    pub async fn end(&self, by: By, account: AccountId, number: u64) -> Result<(), AccessError> {
        let gone = self.those_of(&account, |session| session.number == number);
        if gone.is_empty() {
            return Err(AccessError::Ended);
        }
        self.end_these(by, account, gone).await
    }

    /// Ends all sessions of an account but one.
    ///
    /// # Errors
    /// The commit's.
    pub async fn end_all(
        &self,
        by: By,
        account: AccountId,
        but: Option<u64>,
    ) -> Result<(), AccessError> {
        let gone = self.those_of(&account, |session| Some(session.number) != but);
        if gone.is_empty() {
            return Ok(());
        }
        self.end_these(by, account, gone).await
    }

    fn those_of(&self, account: &AccountId, which: impl Fn(&Session) -> bool) -> Vec<Name> {
        let held = self.inner.sessions.held();
        let own = held.values().filter(|session| session.account == *account);
        own.filter(|session| which(session))
            .map(|session| session.name)
            .collect()
    }

    pub(super) async fn end_these(
        &self,
        by: By,
        account: AccountId,
        gone: Vec<Name>,
    ) -> Result<(), AccessError> {
        // At once, whatever becomes of the commit: it is the safe side.
        self.forget(&gone);
        let job = self.inner.ledger.run(move |tx| {
            for name in &gone {
                tx.delete(Table::Access, key(name));
            }
            audit::note(tx, by, "session.end", about(&account))?;
            Ok::<(), AccessError>(())
        });
        Ok(job.await?)
    }
}
