//! Requests for a change of a circle's membership: a member asks, the steward answers.

use serde::{Deserialize, Serialize};

use super::Named;
use crate::{
    charter::{Grant, RemovalReason, RotationReason},
    content::AskedChange,
    ids::{CircleId, RecordId},
    invite::InvitationReason,
};

/// What is asked for, with structures as they were typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// That a structure is invited.
    Invite {
        /// Which peer or fellow member.
        peer: Named,
        /// Why.
        reason: InvitationReason,
        /// The past that it is to read.
        grant: Grant,
    },
    /// That a member is removed.
    Remove {
        /// Which member.
        member: Named,
        /// Why.
        reason: RemovalReason,
    },
    /// That a new epoch begins.
    Rotate {
        /// Why.
        reason: RotationReason,
    },
    /// That the circle is closed.
    Close {
        /// Coded reason: 0 end of care, 1 moved away, 2 death, 3 opposition, 4 other.
        reason: u64,
    },
    /// That another member is the steward.
    HandOver {
        /// Which member.
        to: Named,
    },
}

/// A call about requests. All of them are care content: what somebody says of why may tell of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestCall {
    /// Asks the steward. → [`super::Answer::Written`].
    Ask {
        /// Which circle.
        circle: Named,
        /// For what.
        wish: Wish,
        /// Why, in words.
        why: String,
    },
    /// What waits for an answer. → [`super::Answer::Requests`].
    List {
        /// In which circle; none: in all.
        circle: Option<Named>,
    },
    /// The steward does it. → [`super::Answer::Ok`].
    Grant {
        /// Which request: its record.
        request: Named,
    },
    /// The steward does not. → [`super::Answer::Ok`].
    Refuse {
        /// Which request.
        request: Named,
        /// Why, in words.
        why: String,
    },
    /// Whoever asked asks no more. → [`super::Answer::Ok`].
    Withdraw {
        /// Which request.
        request: Named,
    },
}

/// A request that waits for its steward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLine {
    /// The record in which it stands.
    pub request: RecordId,
    /// The circle.
    pub circle: CircleId,
    /// What is asked.
    pub asked: AskedChange,
    /// The structure that it is about, where it is about one.
    pub about: Option<String>,
    /// Why, in words.
    pub why: String,
    /// The professional who asks.
    pub by: String,
    /// Of which structure.
    pub structure: String,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// Whether this node is the steward, who answers.
    pub here: bool,
    /// Whether this node asks.
    pub ours: bool,
}
