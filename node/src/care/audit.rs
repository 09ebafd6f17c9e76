//! Lines of the audit trail for acts of care.

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
    about: About,
) -> Result<(), CareError> {
    Ok(audit::note(tx, actor.by(), action, about)?)
}
