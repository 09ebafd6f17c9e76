//! Codes that somebody copies by hand: recovery codes, and that of a first sign-in.

use std::fmt;

use zeroize::Zeroizing;

use super::account::{AccountId, Name};
use crate::store::Namer;

/// Recovery codes that an account is given together.
pub const RECOVERY_CODES: usize = 10;

/// Thirty-two signs that are not mistaken for one another (Crockford's base 32).
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// As many as an account is given together.
pub(super) fn ten() -> Vec<Code> {
    (0..RECOVERY_CODES).map(|_| Code::new(10)).collect()
}

/// A code: ten signs (50 bits) to recover an account, sixteen (80 bits) for a first sign-in. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Zeroizing<String>);

impl Code {
    fn new(signs: usize) -> Self {
        let random = Zeroizing::new([crate::random::token(), crate::random::token()].concat());
        let sign = |byte: &u8| char::from(SIGNS[usize::from(byte & 31)]);
        Self(Zeroizing::new(
            random.iter().take(signs).map(sign).collect(),
        ))
    }

    pub(super) fn first() -> Self {
        Self::new(16)
    }

    /// Reads what was typed: spaces and dashes are for the eye, O and I and L are read as 0 and 1.
    pub fn read(typed: &str) -> Self {
        let signs = typed.chars().filter(char::is_ascii_alphanumeric).take(32);
        let signs = signs.map(|sign| match sign.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            sign => sign,
        });
        Self(Zeroizing::new(signs.collect()))
    }

    /// What is kept of it.
    pub(super) fn name(&self, namer: &Namer, account: &AccountId) -> Name {
        Name(namer.name("code", &[account.as_ref(), self.0.as_bytes()]))
    }

    /// As it is written down: in groups, with dashes.
    pub fn written(&self) -> Zeroizing<String> {
        let group = if self.0.len() > 10 { 4 } else { 5 };
        let signs: Vec<&str> = (0..self.0.len())
            .step_by(group)
            .map(|from| &self.0[from..self.0.len().min(from + group)])
            .collect();
        Zeroizing::new(signs.join("-"))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}
