//! What can go wrong at the door, each with what to do next.

use super::PasswordFault;
use crate::{audit::AuditError, ledger::LedgerError, store::StoreError};

/// Why somebody does not come in, or an account is not changed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Name, password or code. Which of them is not said.
    #[error("name or password is wrong")]
    Wrong,
    /// Too many failures.
    #[error("too many failures: wait {wait_s} seconds, or use a recovery code")]
    Wait {
        /// Seconds until the next try counts.
        wait_s: u64,
    },
    /// As many want to come in as this machine can look at.
    #[error("too many people sign in at this moment: try again in some seconds")]
    Busy,
    /// The account is closed.
    #[error("this account is closed: ask the node's administrator")]
    Closed,
    /// A new password.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// A new name to sign in with.
    #[error(
        "a name to sign in with has 3 to 64 small letters, digits, or any of . - _ @, such as claire.martin"
    )]
    Login,
    /// A person's name.
    #[error("a name has 1 to 200 characters")]
    Name,
    /// Two of one name.
    #[error("another account has this name: choose another one")]
    Taken,
    /// Two for one professional.
    #[error(
        "another account acts in the name of that professional: give its person a new code (`maillonctl account begin-again`) or open it again (`maillonctl account open`); somebody else is another professional"
    )]
    Named,
    /// A limit.
    #[error("there are too many {0}")]
    TooMany(&'static str),
    /// Neither professional nor administrator.
    #[error("name a professional of this structure, or make the account an administrator's")]
    Nothing,
    /// Nobody would be left.
    #[error("this is the last administrator's account: make another one first")]
    LastAdministrator,
    /// No such account.
    #[error("no account has this name: `maillonctl account list` shows them")]
    NoAccount,
    /// The session is over.
    #[error("the session has ended: sign in again")]
    Ended,
    /// Somebody acts in the name of a professional that is not theirs.
    #[error("this account does not act in the name of that professional")]
    NotTheirs,
    /// A row.
    #[error("{0} cannot be read: run `maillonctl doctor`")]
    Damaged(&'static str),
    /// The audit trail.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The commit.
    #[error("nothing was kept: {0}")]
    Commit(std::sync::Arc<StoreError>),
    /// The node stops.
    #[error("the node is stopping: try again when it has started")]
    Stopped,
}

impl From<LedgerError<AccessError>> for AccessError {
    fn from(error: LedgerError<AccessError>) -> Self {
        match error {
            LedgerError::Job(error) => error,
            LedgerError::Commit(error) => Self::Commit(error),
            LedgerError::Stopped => Self::Stopped,
        }
    }
}
