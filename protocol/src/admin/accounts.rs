//! Accounts: who may sign in to the pages.

use serde::{Deserialize, Serialize};

use super::Named;

/// A call about accounts. An account is named by what its person types to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountCall {
    /// Makes an account. → [`super::Answer::AccountCode`].
    Add {
        /// What its person will type.
        login: String,
        /// The person, as shown.
        name: String,
        /// The professionals of this structure in whose name they act, the usual one first.
        professionals: Vec<Named>,
        /// Whether they administer the node.
        administrator: bool,
    },
    /// All accounts. → [`super::Answer::Accounts`].
    List,
    /// A code for one more first sign-in; password, recovery codes and sessions end. → [`super::Answer::AccountCode`].
    BeginAgain {
        /// Which.
        login: String,
    },
    /// Nobody signs in with it any more; its sessions end. → [`super::Answer::Ok`].
    Close {
        /// Which.
        login: String,
    },
    /// Takes a closing back. → [`super::Answer::Ok`].
    Open {
        /// Which.
        login: String,
    },
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLine {
    /// What its person types.
    pub login: String,
    /// The person.
    pub name: String,
    /// In whose name they act: ids of professionals, the usual one first.
    pub professionals: Vec<String>,
    /// Administers the node.
    pub administrator: bool,
    /// Whether its person has chosen a password.
    pub password: bool,
    /// Until when the code of a first sign-in is good, Unix milliseconds.
    pub first_until_ms: Option<u64>,
    /// Recovery codes that are left.
    pub recovery_left: u64,
    /// Last sign-in, Unix milliseconds.
    pub seen_ms: Option<u64>,
    /// Closed since, Unix milliseconds.
    pub closed_ms: Option<u64>,
    /// Sessions that go on.
    pub sessions: u64,
}

/// The code of a first sign-in. It is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCode {
    /// Whose.
    pub login: String,
    /// The code.
    pub code: String,
    /// Until when it is good, Unix milliseconds.
    pub until_ms: u64,
    /// Where the pages are served, where they are.
    pub pages: Option<String>,
}
