//! Lines of the audit trail for acts of care.

use maillon_protocol::ids::{CircleId, NodeId};

use super::{Actor, CareError};
use crate::{
    audit::{self, About},
    ledger::Tx,
};

/// Lines for members that were removed because they had left.
pub(super) fn note_removed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    circle: CircleId,
    nodes: &[NodeId],
) -> Result<(), CareError> {
    Ok(audit::note_removed(tx, actor.by(), circle, nodes)?)
}

/// Adds a line in the commit of the act.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &str,
    about: About,
) -> Result<(), CareError> {
    Ok(audit::note(tx, actor.by(), action, about)?)
}
