//! The vectors' files: JSON, bytes as lower-case hexadecimal digits.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

/// `protocol/vectors`.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// The committed file of a kind.
pub(crate) fn committed(kind: &str) -> Value {
    let path = folder().join(format!("{kind}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> Value {
    HEXLOWER.encode(bytes.as_ref()).into()
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    HEXLOWER
        .decode(text(value).as_bytes())
        .expect("hexadecimal digits")
}

pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("the length of the field")
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

pub(crate) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().expect("a list")
}

/// One file in the making.
pub(crate) struct File {
    about: &'static str,
    shared: Value,
    valid: Vec<Value>,
    invalid: Vec<Value>,
}

impl File {
    pub(crate) fn new(about: &'static str) -> Self {
        Self {
            about,
            shared: json!({}),
            valid: Vec::new(),
            invalid: Vec::new(),
        }
    }

    /// What several vectors refer to.
    pub(crate) fn share(&mut self, shared: Value) {
        self.shared = shared;
    }

    pub(crate) fn valid(&mut self, name: &str, given: Value, gives: Value) {
        self.valid
            .push(json!({ "name": name, "given": given, "gives": gives }));
    }

    pub(crate) fn invalid(&mut self, name: &str, given: Value, error: &str) {
        self.invalid
            .push(json!({ "name": name, "given": given, "error": error }));
    }

    /// An object that holds a payload that is not ours.
    pub(crate) fn invalid_payload(&mut self, name: &str, given: Value, cause: &str) {
        self.invalid
            .push(json!({ "name": name, "given": given, "error": "payload", "cause": cause }));
    }

    /// An object that is no form of ours; `given` puts it among what else the judgement needs.
    pub(crate) fn forged(
        &mut self,
        forged: Vec<crate::forge::Forged>,
        given: impl Fn(Vec<u8>) -> Value,
    ) {
        for one in forged {
            let mut vector =
                json!({ "name": one.name, "given": given(one.object), "error": one.error });
            if let Some(cause) = one.cause {
                vector["cause"] = cause.into();
            }
            if one.plain_check_takes_it {
                vector["plain_check_takes_it"] = true.into();
            }
            self.invalid.push(vector);
        }
    }

    pub(crate) fn json(self) -> Value {
        json!({
            "about": self.about,
            "shared": self.shared,
            "valid": self.valid,
            "invalid": self.invalid,
        })
    }
}
