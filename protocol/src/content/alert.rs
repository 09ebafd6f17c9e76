//! Alerts and the answers to them.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::NodeId;

/// How much an alert matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// To know.
    #[n(0)]
    Low,
    /// To look at soon.
    #[n(1)]
    Medium,
    /// To look at now.
    #[n(2)]
    High,
}

/// An alert (alerte).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Alert {
    /// How much it matters.
    #[n(0)]
    pub severity: Severity,
    /// What it says.
    #[n(1)]
    pub text: String,
    /// The structures that must answer; empty: every structure of the circle.
    #[n(2)]
    pub addressees: Vec<NodeId>,
    /// Until when somebody must have acknowledged, Unix milliseconds; 0: no limit.
    #[n(3)]
    pub answer_by_ms: u64,
}

/// What somebody does about an alert.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum AlertStep {
    /// Has seen it (prise de connaissance).
    #[n(0)]
    Acknowledge,
    /// Takes charge of it (prise en charge).
    #[n(1)]
    TakeCharge,
    /// Closes it with an outcome (clôture).
    #[n(2)]
    Close,
}

/// An answer to an alert: a thing whose parent is the alert.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct AlertAnswer {
    /// What is done.
    #[n(0)]
    pub step: AlertStep,
    /// In words; the outcome where it is closed.
    #[n(1)]
    pub comment: String,
}
