//! `maillond recovery-key`: another recovery key for this node, by the word of the one from the safe, because that paper may have been seen.
//!
//! The node must be stopped. The new key is shown before anything is written, so that no key rules that nobody has read; the statement is one small file,
//! which the node takes at its next start ([`maillon_node::recovery`]).

use std::io::Write;

use maillon_node::{
    config::Config,
    recovery::{RotateError, Rotation},
};
use zeroize::Zeroizing;

use super::{Failure, RecoveryKey, USAGE, init::paper, recover, unlock};

impl From<RotateError> for Failure {
    fn from(error: RotateError) -> Self {
        let code = match &error {
            RotateError::Keystore(_) => {
                let RotateError::Keystore(error) = error else {
                    return Self::new(70, error);
                };
                return error.into();
            }
            RotateError::InUse => 75,
            RotateError::OtherKey(_) | RotateError::TooOften(_) | RotateError::Statement(_) => {
                USAGE
            }
            RotateError::Store(_) | RotateError::Storage(_) | RotateError::Folder { .. } => 74,
        };
        Self::new(code, error)
    }
}

/// Asks for the key, shows the new one, and leaves the statement.
pub(super) fn change(asked: &RecoveryKey) -> Result<(), Failure> {
    let dir = &asked.dir;
    let config = Config::load(dir).map_err(|error| Failure::new(USAGE, error))?;
    let unlock = unlock::unlock(dir, &config)?;
    let held = recover::held(asked.recovery_key.as_deref())?;
    let rotation = Rotation::prepare(dir, &unlock, &held)?;
    let text = format!(
        "Write this on paper and keep it in a safe. It is shown once:\n\n{}\n\n",
        paper(&rotation.node, &Zeroizing::new(*rotation.next.seed())),
    );
    let mut out = std::io::stdout();
    let shown = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    shown.map_err(|error| {
        Failure::new(
            74,
            format!(
                "the new key could not be shown ({error}): nothing has changed, the old one rules"
            ),
        )
    })?;
    if let Err(error) = rotation.keep(dir) {
        return Err(Failure::new(
            74,
            format!(
                "{error}: the key that was just shown is void, the old one rules; destroy the new paper"
            ),
        ));
    }
    let next = "It rules from the node's next start. Peers learn it when their node meets this one: `maillonctl peer list` says when that was last. \
                Keep the old paper until all have, then destroy it: a peer that has not heard of the new key would believe the old one.\n";
    // The key has been shown, and it stands.
    let _ = out.write_all(next.as_bytes());
    Ok(())
}
