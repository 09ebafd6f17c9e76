//! Passwords: what a new one must be, and Argon2id (RFC 9106).

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use minicbor::{Decode, Encode};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{AccessError, Account};

/// What one guess costs: 19 MiB, two passes, one lane, the least that OWASP's Password Storage Cheat Sheet asks for, so that a page answers soon.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Passwords that are worked out at one time, and how many more may wait.
const AT_ONCE: usize = 2;
const WAITING: usize = 64;
/// Characters of a new password.
const LEAST: usize = 12;
const MOST: usize = 128;

/// A password as it was typed; wiped when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

impl From<String> for Password {
    fn from(typed: String) -> Self {
        Self(typed)
    }
}

impl From<&str> for Password {
    fn from(typed: &str) -> Self {
        Self(typed.to_owned())
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Why a new password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too short.
    #[error("a password has at least {LEAST} characters: several words are easy to remember")]
    Short,
    /// Too long.
    #[error("a password has {MOST} characters at most")]
    Long,
    /// Few different signs, a row of the keyboard, or little beside digits.
    #[error("this password is easy to guess: take several words that do not belong together")]
    Simple,
    /// It holds the person's name.
    #[error("a password does not hold one's own name")]
    Own,
    /// Typed twice, and not the same.
    #[error("the two passwords are not the same")]
    Differ,
}

impl Password {
    /// Whether an account may have it. Length counts, not capitals and signs (ANSSI and CNIL, deliberation 2022-100: with a lock after failures, 50 bits).
    ///
    /// # Errors
    /// [`PasswordFault`].
    pub fn check_new(&self, account: &Account) -> Result<(), PasswordFault> {
        let signs: Vec<char> = self.0.to_lowercase().chars().collect();
        if signs.len() < LEAST {
            return Err(PasswordFault::Short);
        }
        if signs.len() > MOST {
            return Err(PasswordFault::Long);
        }
        let different: std::collections::BTreeSet<_> = signs.iter().collect();
        let whole: String = signs.iter().collect();
        const ROWS: [&str; 7] = [
            "azertyuiop",
            "qsdfghjklm",
            "qwertyuiop",
            "0123456789",
            "1234567890",
            "motdepasse",
            "password",
        ];
        let mut rest = whole.clone();
        for row in ROWS {
            rest = rest.replace(row, "");
        }
        let letters = rest.chars().filter(|sign| !sign.is_ascii_digit());
        if different.len() < 6 || letters.count() < LEAST / 2 {
            return Err(PasswordFault::Simple);
        }
        let name = account.name.to_lowercase();
        let login = account.login.as_str();
        let mut own = name
            .split([' ', '-'])
            .chain(login.split(['.', '@', '_', '-']));
        if own.any(|part| part.chars().count() > 3 && whole.contains(part)) {
            return Err(PasswordFault::Own);
        }
        Ok(())
    }
}

/// What is kept of a password.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub(super) struct Kept {
    #[cbor(n(0), with = "minicbor::bytes")]
    salt: [u8; 16],
    #[n(1)]
    memory_kib: u32,
    #[n(2)]
    passes: u32,
    #[n(3)]
    lanes: u32,
    #[cbor(n(4), with = "minicbor::bytes")]
    hash: [u8; 32],
}

impl Kept {
    /// Whether both are of one password, kept at one time.
    pub(super) fn is_same(&self, other: Option<&Self>) -> bool {
        other.is_some_and(|other| self.salt == other.salt && self.hash == other.hash)
    }
}

/// Where passwords are worked out: some at a time, on threads that may be held up.
pub(super) struct Hashing {
    turns: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Hashing {
    pub(super) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Semaphore::new(AT_ONCE + WAITING),
        }
    }

    /// What is kept of a new password.
    pub(super) async fn keep(&self, password: Password) -> Result<Kept, AccessError> {
        let salt = crate::random::token();
        let hash = self
            .hash(password, salt, (MEMORY_KIB, PASSES, LANES))
            .await?;
        Ok(Kept {
            salt,
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            hash,
        })
    }

    /// Whether it is the password of which this is kept. Takes as long where nothing is.
    pub(super) async fn is(
        &self,
        password: Password,
        kept: Option<&Kept>,
    ) -> Result<bool, AccessError> {
        let (salt, cost) = kept.map_or(([0; 16], (MEMORY_KIB, PASSES, LANES)), |kept| {
            (kept.salt, (kept.memory_kib, kept.passes, kept.lanes))
        });
        let hash = self.hash(password, salt, cost).await?;
        Ok(kept.is_some_and(|kept| kept.hash.ct_eq(&hash).into()))
    }

    async fn hash(
        &self,
        password: Password,
        salt: [u8; 16],
        (memory_kib, passes, lanes): (u32, u32, u32),
    ) -> Result<[u8; 32], AccessError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| AccessError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| AccessError::Stopped)?;
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let params = Params::new(memory_kib, passes, lanes, Some(32)).ok()?;
            let mut hash = [0; 32];
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(password.0.as_bytes(), &salt, &mut hash)
                .ok()?;
            Some(hash)
        });
        let hash = work.await.map_err(|_| AccessError::Stopped)?;
        hash.ok_or(AccessError::Damaged("a password"))
    }
}
