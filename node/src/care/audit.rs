//! Lines of the audit trail for acts of care.

use maillon_protocol::ids::{CircleId, RecordId};

use super::{Actor, CareError};
use crate::{
    audit::{self, About},
    ledger::Tx,
};

/// Adds a line in the commit of the act.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &str,
    circle: Option<CircleId>,
    record: Option<RecordId>,
) -> Result<(), CareError> {
    let about = About {
        circle,
        record,
        node: None,
    };
    Ok(audit::note(tx, actor.by(), action, about)?)
}
