//! What a browser holds of a session.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use crate::{access::account::Name, random, store::Namer};

/// What the browser holds: 256 random bits. Wiped when dropped.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    pub(super) fn fresh() -> Self {
        let bytes = Zeroizing::new([random::token(), random::token()].concat());
        Self(Zeroizing::new(BASE64URL_NOPAD.encode(&bytes)))
    }

    /// What a browser sent; nothing where it cannot be a token.
    pub fn read(sent: &str) -> Option<Self> {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_one = sent.len() == 43 && sent.bytes().all(sign);
        is_one.then(|| Self(Zeroizing::new(sent.to_owned())))
    }

    /// As the browser sends it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn name(&self, namer: &Namer) -> Name {
        Name(namer.name("session", &[self.0.as_bytes()]))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
