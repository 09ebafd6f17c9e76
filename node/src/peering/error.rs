//! Why something about peers is refused; every variant says what to do next.

use std::sync::Arc;

use maillon_protocol::{
    pairing::{self, InvitationError},
    replica::StorageError,
};

use crate::{
    audit::AuditError, ledger::LedgerError, network::NetworkError, shortened::Unclear,
    store::StoreError,
};

/// Why something about peers is refused.
#[derive(Debug, thiserror::Error)]
pub enum PeeringError {
    /// The pasted text.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// The pairing machine.
    #[error(transparent)]
    Pairing(#[from] pairing::PairingError),
    /// An invitation would name no address.
    #[error(
        "this node has no address to put into an invitation: set where pairing listens, and the addresses as seen from outside, in the configuration"
    )]
    NoAddress,
    /// The words are not there in time.
    #[error(
        "the two nodes have not met yet ({reason}): this node keeps trying until the invitation expires; look at the pairings again in a minute"
    )]
    NotYet {
        /// The pairing's name.
        pairing: String,
        /// What the last attempt came to.
        reason: String,
    },
    /// The pairing is over, and has been forgotten meanwhile.
    #[error("this pairing is over: make a new invitation, or accept one")]
    Over,
    /// What was typed names no pairing, or several.
    #[error(transparent)]
    WhichPairing(#[from] Unclear),
    /// Too many pairings are open.
    #[error("{0} pairings are open, which is the limit: finish or reject some first")]
    TooMany(usize),
    /// The node was never paired, or its peering has ended.
    #[error("this node is no peer: make an invitation, or accept one, to pair with it")]
    NotAPeer,
    /// Its identity is given up.
    #[error(
        "that node's identity was revoked or replaced: its structure pairs with a new one (`maillond init --recover`)"
    )]
    Refused,
    /// The network.
    #[error("the network does not do it: {0}")]
    Network(#[from] NetworkError),
    /// The ledger's commit.
    #[error("nothing was kept ({0}): see to the disk, then try again")]
    Commit(Arc<StoreError>),
    /// Rows cannot be read.
    #[error("what is kept about peers cannot be read ({0}): run `maillonctl doctor`")]
    Store(#[from] StoreError),
    /// The audit trail.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Rows of the replica cannot be read.
    #[error("what is kept about peers cannot be read ({0}): run `maillonctl doctor`")]
    Storage(#[from] StorageError),
    /// A row that this version cannot read.
    #[error(
        "a stored {0} cannot be read: it is damaged or of a newer version; update this node or restore a backup"
    )]
    Damaged(&'static str),
    /// The node is stopping.
    #[error("the node is stopping: try again when it has started")]
    Stopped,
}

impl From<LedgerError<PeeringError>> for PeeringError {
    fn from(error: LedgerError<PeeringError>) -> Self {
        match error {
            LedgerError::Job(error) => error,
            LedgerError::Commit(error) => Self::Commit(error),
            LedgerError::Stopped => Self::Stopped,
        }
    }
}
