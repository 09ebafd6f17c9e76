//! `record export`: a record's bytes.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use maillon_protocol::admin::Call;
use serde_json::json;

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::words,
};

/// Export a record: what it says as JSON, or its sealed bytes as they travel
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl record export 9c04d1e7aa52 --sealed -o record.sealed\n  maillonctl record export 9c04d1e7aa52 --as 7b21"
)]
pub(crate) struct Export {
    /// The record
    record: String,
    /// The sealed bytes in base64, which another node can verify
    #[arg(long)]
    sealed: bool,
    /// A new file, which only this user can read; otherwise standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::RecordExport {
            record: self.record.clone(),
            sealed: self.sealed,
        };
        let exported = answer!(session, call, Exported);
        let Some(path) = &self.output else {
            return if session.json() {
                session.print(&exported, |_| String::new())
            } else {
                session.exported(&exported.content)
            };
        };
        write(path, &exported.content).map_err(|why| Failure::Write {
            path: path.clone(),
            why,
        })?;
        let said =
            json!({ "record": exported.record, "file": path, "bytes": exported.content.len() + 1 });
        session.print(&said, |_| {
            format!(
                "Record {} has been exported ({}).",
                words::short(&exported.record),
                words::bytes(exported.content.len() as u64 + 1)
            )
        })
    }
}

/// Writes a file that did not exist before, for this user only, and waits until the disk has it.
fn write(path: &Path, content: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{content}")?;
    file.sync_all()
}
