//! A node that stands in the place of another one takes note of it before it says anything to anybody.

use std::path::Path;

use maillon_protocol::{identity::Replacement, ids::Hash, limits, replica::IdentityRefused};

use super::StartError;
use crate::{
    audit::{self, About, By},
    care::CareError,
    durable,
    founding::REPLACES,
    ledger::Ledger,
    recovery::ROTATES,
};

/// Keeps the statement that `maillond recovery-key` left in the folder, where there is one and it is not kept yet.
pub(super) async fn rotate(dir: &Path, first: Hash, ledger: &Ledger) -> Result<(), StartError> {
    let read = durable::read(&dir.join(ROTATES), limits::REPLACEMENT as u64);
    let Some(bytes) = read.map_err(StartError::Folder)? else {
        return Ok(());
    };
    let statement = match Replacement::verify(bytes) {
        Ok(statement) => statement,
        Err(error) => {
            tracing::warn!(%error, "the file `{ROTATES}` holds no statement of a recovery key; it is passed over, and the key before rules");
            return Ok(());
        }
    };
    let job = ledger.run(move |tx| {
        let own = tx.replica.own();
        let before = tx.replica.fate(tx.rows, &own)?;
        match tx.replica.rotate_recovery(tx.rows, first, &statement) {
            // One of an earlier time, in a folder that was put back: peers tell this node what stands. Or somebody else's.
            Err(IdentityRefused::NotOurs) => {
                tracing::warn!("the statement in the file `{ROTATES}` does not follow from what stands; it is passed over");
            }
            done => done?,
        }
        if tx.replica.fate(tx.rows, &own)? != before {
            audit::note(tx, By::itself(), "node.recovery-key", About::node(own))?;
        }
        Ok::<_, CareError>(())
    });
    Ok(job.await.map_err(CareError::from)?)
}

/// Keeps the statement that `maillond init --recover` left in the folder, where there is one and it is not kept yet.
pub(super) async fn take(dir: &Path, ledger: &Ledger) -> Result<(), StartError> {
    let read = durable::read(&dir.join(REPLACES), limits::REPLACEMENT as u64);
    let Some(bytes) = read.map_err(StartError::Folder)? else {
        return Ok(());
    };
    let statement = Replacement::verify(bytes).map_err(CareError::from)?;
    let job = ledger.run(move |tx| {
        let (now, old) = (tx.now_ms, statement.object.old);
        let before = tx.replica.fate(tx.rows, &old)?;
        tx.replica.stand_for(tx.rows, &statement, now)?;
        if tx.replica.fate(tx.rows, &old)? != before {
            audit::note(tx, By::itself(), "node.replaces", About::node(old))?;
        }
        Ok::<_, CareError>(())
    });
    Ok(job.await.map_err(CareError::from)?)
}
