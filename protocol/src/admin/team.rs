//! A person's team: who follows them, and so opens their file on the pages.

use serde::{Deserialize, Serialize};

use super::Named;
use crate::{content::Participation, ids::CircleId};

/// A call about a person's team. All of them are care content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TeamCall {
    /// Adds a professional of this structure, from today on; whoever is in it stays as they are. → [`super::Answer::Team`].
    Add {
        /// In which circle.
        circle: Named,
        /// Whom.
        professional: Named,
    },
    /// Who is in it. → [`super::Answer::Team`].
    List {
        /// In which circle.
        circle: Named,
    },
}

/// A person's team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Team {
    /// The person's circle.
    pub circle: CircleId,
    /// The referent first, terms that are over last.
    pub members: Vec<TeamLine>,
}

/// One term in a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamLine {
    /// What was written.
    pub participation: Participation,
    /// Whether the term lasts today.
    pub lasts: bool,
}
