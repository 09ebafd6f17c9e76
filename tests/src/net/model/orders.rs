//! What people wanted: nothing is signed that nobody ordered.

use std::collections::{BTreeMap, BTreeSet};

use maillon_protocol::ids::{CircleId, InvitationId};

use super::{Change, Past};

/// What people asked their nodes to do.
#[derive(Debug, Default)]
pub struct Orders {
    /// Who was invited where, with what past.
    invited: BTreeMap<InvitationId, (CircleId, usize, Past)>,
    accepted: BTreeSet<InvitationId>,
    gone: BTreeSet<(CircleId, usize)>,
    rotated: BTreeMap<CircleId, usize>,
}

impl Orders {
    /// A steward's person invited somebody.
    pub fn invite(&mut self, id: InvitationId, circle: CircleId, who: usize, past: Past) {
        self.invited.insert(id, (circle, who, past));
    }

    /// The invited person said yes.
    pub fn accept(&mut self, id: InvitationId) {
        self.accepted.insert(id);
    }

    /// Somebody was to be removed, or left.
    pub fn go(&mut self, circle: CircleId, who: usize) {
        self.gone.insert((circle, who));
    }

    /// A new epoch was to begin.
    pub fn rotate(&mut self, circle: CircleId) {
        *self.rotated.entry(circle).or_default() += 1;
    }

    /// Looks whether somebody wanted what a steward has signed; `quoted` is the invitation whose acceptance an admission quotes.
    ///
    /// # Errors
    /// What nobody wanted.
    pub fn wanted(
        &mut self,
        circle: &CircleId,
        change: &Change,
        quoted: Option<InvitationId>,
    ) -> Result<(), String> {
        match change {
            Change::Admit(who, past, _) => {
                let Some(id) = quoted else {
                    return Err(format!("node {who} was admitted without its acceptance"));
                };
                if self.invited.get(&id) != Some(&(*circle, *who, *past)) {
                    return Err(format!("node {who} was admitted otherwise than invited"));
                }
                if !self.accepted.contains(&id) {
                    return Err(format!("node {who} was admitted and had not accepted"));
                }
            }
            Change::Remove(who, ..) if !self.gone.contains(&(*circle, *who)) => {
                return Err(format!("node {who} was removed, and nobody wanted that"));
            }
            Change::Rotate => {
                let left = self.rotated.get(circle).copied().unwrap_or(0);
                let left = left.checked_sub(1);
                self.rotated.insert(
                    *circle,
                    left.ok_or("an epoch began, and nobody wanted that")?,
                );
            }
            _ => {}
        }
        Ok(())
    }
}
