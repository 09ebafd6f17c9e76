//! How far a record got, structure by structure.

use serde::{Deserialize, Serialize};

use crate::circle::{Ack, Reason};
use crate::content::AlertStep;
use crate::ids::LogId;

/// How far a record got at one structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Delivery {
    /// Not acknowledged by its node yet.
    Waiting {
        /// Since it was written, Unix milliseconds.
        since_ms: u64,
    },
    /// Its node holds it and shows it.
    Delivered {
        /// Time of the first acknowledgement that covers it, as far as this node kept it; Unix milliseconds.
        at_ms: u64,
    },
    /// Its node holds it and shows it; files that it names are still on their way there.
    FilesMissing {
        /// Time of the first acknowledgement that covers the record; Unix milliseconds.
        at_ms: u64,
    },
    /// Its node holds it and does not show it.
    NotShown {
        /// Why.
        reason: Reason,
    },
    /// Somebody there has read it.
    Read {
        /// When, Unix milliseconds.
        at_ms: u64,
    },
    /// Somebody there has answered it.
    Answered {
        /// The furthest step.
        step: Step,
        /// When, Unix milliseconds.
        at_ms: u64,
    },
}

/// [`AlertStep`] as people read it.
pub type Step = AlertStep;

impl Delivery {
    /// From what a structure's node acknowledged. `first_ms` is when this node first saw the record covered, where it kept that.
    pub fn of(
        ack: Option<&Ack>,
        log: &LogId,
        sequence: u64,
        written_ms: u64,
        first_ms: Option<u64>,
    ) -> Self {
        match ack.and_then(|ack| ack.delivery(log, sequence).map(|held| (held, ack.time_ms))) {
            None => Self::Waiting {
                since_ms: written_ms,
            },
            Some((Ok(()), at_ms)) => Self::Delivered {
                at_ms: first_ms.unwrap_or(at_ms),
            },
            Some((Err(reason), _)) => Self::NotShown { reason },
        }
    }
}
