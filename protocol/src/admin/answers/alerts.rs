//! Alerts: where each stands, and who has answered.

use serde::{Deserialize, Serialize};

use crate::{
    content::{AlertStep, Severity},
    dossier::Delivery,
    ids::{CircleId, NodeId, RecordId, ThingId},
};

/// Where an alert stands, by the rule of [`crate::dossier::alert`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// How much it matters.
    pub severity: Severity,
    /// The weightiest step that anybody took.
    pub step: Option<AlertStep>,
    /// Nobody has closed it, and nobody who must answer has acknowledged it or taken charge of it.
    pub open: bool,
    /// Until when somebody must have acknowledged, Unix milliseconds; none: no deadline.
    pub answer_by_ms: Option<u64>,
    /// The structures that must answer, where it names some; empty: all but the sender's.
    pub addressees: Vec<(NodeId, String)>,
    /// All whom it names have left the circle: every structure but the sender's must answer.
    #[serde(default)]
    pub left: bool,
    /// How far it got at each structure other than the sender's.
    pub structures: Vec<(NodeId, String, Delivery)>,
    /// Answers, in the order of the writers' clocks: all of them where one alert is shown, otherwise the weightiest of each structure.
    pub answers: Vec<AnswerView>,
    /// Answers that did not fit.
    pub more: u64,
}

impl AlertView {
    /// Whether it is open at its deadline or after it.
    pub fn is_overdue(&self, now_ms: u64) -> bool {
        self.open && self.answer_by_ms.is_some_and(|until| until <= now_ms)
    }
}

/// One answer to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    /// Its record.
    pub record: RecordId,
    /// The node that wrote it.
    pub node: NodeId,
    /// That node's structure.
    pub structure: String,
    /// The professional who answered; empty where the answer cannot be read.
    pub by: String,
    /// What was done.
    pub step: AlertStep,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// In words; its beginning only, in lists.
    pub comment: String,
}

/// One alert, in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLine {
    /// The circle.
    pub circle: CircleId,
    /// How people call the person whom the circle is about; empty where nothing is known.
    #[serde(default)]
    pub patient: String,
    /// The alert's record.
    pub record: RecordId,
    /// Its thing.
    pub thing: ThingId,
    /// The node that sent it.
    pub node: NodeId,
    /// That node's structure.
    pub structure: String,
    /// The professional who sent it.
    pub by: String,
    /// When it was written, Unix milliseconds.
    pub written_ms: u64,
    /// The beginning of what it says.
    pub text: String,
    /// Open at its deadline or after it, when this was asked, in a circle where this node may still answer.
    pub overdue: bool,
    /// Where it stands.
    pub alert: AlertView,
}

/// Alerts, page by page: first the high ones that are open and those that are overdue, then the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<AlertLine>,
    /// Where to go on.
    pub next: Option<String>,
}
