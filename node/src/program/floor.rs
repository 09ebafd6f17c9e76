//! `maillond floor`: floors for benchmarks, one line of JSON each. See [`maillon_node::floor`].

use std::{io::Write, path::PathBuf};

use clap::Subcommand;
use maillon_node::{
    floor::{self, FloorError},
    keystore::Unlock,
};

use super::Failure;

/// Which floor.
#[derive(Debug, Subcommand)]
pub(crate) enum Floor {
    /// Synced writes of RocksDB, one by one. Prints {"p50_ms", "p95_ms", "p99_ms"}. Example: maillond floor wal --dir /tmp/floor --bytes 1200 --count 1000
    Wal {
        /// A folder that does not exist, or an empty one. It stays.
        #[arg(long)]
        dir: PathBuf,
        /// Bytes of a write.
        #[arg(long)]
        bytes: u64,
        /// How many.
        #[arg(long)]
        count: u64,
    },
    /// Signatures, decryption and synced writes of all records of a stopped node. Prints {"seconds", "records"}. Example: maillond floor catch-up
    /// --dir /var/lib/maillon --key-file /etc/maillon/key
    CatchUp {
        /// The node's data folder; nothing in it changes. A fresh folder is made beside it and removed.
        #[arg(long)]
        dir: PathBuf,
        /// What unlocks it.
        #[arg(long)]
        key_file: PathBuf,
    },
    /// What a stopped node's database takes without anything that was replaced; its files are rewritten so. Prints {"bytes", "tables"}. Example:
    /// maillond floor compacted --dir /var/lib/maillon --key-file /etc/maillon/key
    Compacted {
        /// The node's data folder.
        #[arg(long)]
        dir: PathBuf,
        /// What unlocks it.
        #[arg(long)]
        key_file: PathBuf,
    },
}

impl From<FloorError> for Failure {
    fn from(error: FloorError) -> Self {
        let code = match error {
            FloorError::Range { .. } => 64,
            FloorError::NotEmpty(_) | FloorError::Folder { .. } => 73,
            FloorError::Keystore(cause) => return cause.into(),
            FloorError::Store(maillon_node::store::StoreError::InUse) => 75,
            _ => 74,
        };
        Self::new(code, error)
    }
}

/// Measures and prints.
pub(super) fn floor(floor: &Floor) -> Result<(), Failure> {
    let line = match floor {
        Floor::Wal { dir, bytes, count } => {
            serde_json::to_string(&floor::wal(dir, *bytes, *count)?)
        }
        Floor::CatchUp { dir, key_file } => {
            let unlock = Unlock::KeyFile(key_file.clone());
            serde_json::to_string(&floor::catch_up(dir, &unlock)?)
        }
        Floor::Compacted { dir, key_file } => {
            let unlock = Unlock::KeyFile(key_file.clone());
            serde_json::to_string(&floor::compacted(dir, &unlock)?)
        }
    };
    let line = line.map_err(|error| Failure::new(70, error))?;
    writeln!(std::io::stdout(), "{line}").map_err(|error| Failure::new(74, error))
}
