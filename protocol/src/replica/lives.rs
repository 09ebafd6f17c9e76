//! The lives of this node's logs: each restore and each clone that is noticed begins an incarnation.

use rand_core::CryptoRng;

use super::{Notice, Replica, Row, Rows, StorageError};
use crate::{cbor, ids::Incarnation};

/// Time over which incarnations are counted, milliseconds.
const DAY_MS: u64 = 24 * 3600 * 1000;

impl Replica {
    /// A new life of this node's logs. More than a few in a day are the sign of a machine that runs twice: see [`Replica::lives`].
    pub(super) fn begin_incarnation(
        &mut self,
        rows: &impl Rows,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StorageError> {
        let mut lives = self.lives(rows, now_ms)?;
        lives.push(now_ms);
        self.stage(Row::Lives, cbor::encode(&lives));
        self.incarnation = Incarnation(crate::record::random_token(rng).0);
        self.stage(Row::Incarnation, cbor::encode(&self.incarnation));
        self.published.notices.push(Notice::NewIncarnation);
        Ok(())
    }

    /// When this node began the incarnations of the last day.
    pub(super) fn lives(&self, rows: &impl Rows, now_ms: u64) -> Result<Vec<u64>, StorageError> {
        let mut lives: Vec<u64> = self.read_row(rows, &Row::Lives)?.unwrap_or_default();
        lives.retain(|began| now_ms.saturating_sub(*began) < DAY_MS);
        Ok(lives)
    }
}
