//! `document save`: a file comes from the daemon in parts, into a file that nobody else may read and that appears whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use data_encoding::BASE64;
use maillon_protocol::{
    admin::{Call, DocumentState, FileState},
    ids::Hash,
};
use sha2::{Digest, Sha256};

use crate::{
    client::Progress,
    failure::Failure,
    session::{Session, answer},
    terminal::{Bar, text, words},
};

/// Save a document's file, or say how much of it has arrived
///
/// The file is readable by you only (mode 0600), and appears when it is complete and its SHA-256 is the one that the record names.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl document save 9c04d1e7aa52 letter.pdf --as 7b21\n  maillonctl document save 9c04d1e7aa52 --as 7b21"
)]
pub(crate) struct Save {
    /// The document's record
    record: String,
    /// A new file; without it, nothing is written
    to: Option<PathBuf>,
    /// Which of the document's files, from 1
    #[arg(long, default_value_t = 1, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=64))]
    file: u64,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
}

impl Save {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::DocumentShow {
            record: self.record.clone(),
        };
        let state = answer!(session, call, Document);
        let Some(to) = &self.to else {
            return session.print(&state, |_| show(&state));
        };
        let number = usize::try_from(self.file - 1).unwrap_or(usize::MAX);
        let Some(file) = state.files.get(number) else {
            return Err(Failure::Value {
                cause: format!(
                    "the document has {}",
                    words::count(state.files.len() as u64, "file")
                ),
                action: "Repeat the command with another --file.",
            });
        };
        if to == Path::new("-") {
            return Err(Failure::Value {
                cause: "a document is saved to a file that appears whole or not at all, and standard output is none".to_owned(),
                action: "Name a new file.",
            });
        }
        let failed = |why| Failure::Write {
            path: to.clone(),
            why,
        };
        if !self.force && to.symlink_metadata().is_ok() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let part = Part::create(to).map_err(failed)?;
        self.fetch(session, file, &part, to)?;
        part.become_file(to, self.force).map_err(failed)?;
        session.print(&state, |_| {
            format!(
                "Saved as {}: {}, {}.",
                to.display(),
                words::bytes(file.bytes),
                text::line(&file.media_type)
            )
        })
    }

    fn fetch(
        &self,
        session: &mut Session<'_, '_>,
        file: &FileState,
        part: &Part,
        to: &Path,
    ) -> Result<(), Failure> {
        let failed = |why| Failure::Write {
            path: to.to_owned(),
            why,
        };
        let mut bar = Bar::new(session.draws_bars());
        let (mut hash, mut length) = (Sha256::new(), 0);
        let mut from = Some(0);
        while let Some(chunk) = from {
            let call = Call::DocumentRead {
                record: self.record.clone(),
                file: self.file - 1,
                from: chunk,
            };
            let answer = answer!(session, call, DocumentBytes);
            let bytes = BASE64
                .decode(answer.bytes.as_bytes())
                .map_err(|_| Failure::Unexpected)?;
            if answer.next.is_some_and(|next| next <= chunk) {
                return Err(Failure::Unexpected);
            }
            hash.update(&bytes);
            length += bytes.len() as u64;
            (&part.file).write_all(&bytes).map_err(failed)?;
            bar.show(&Progress {
                done: length,
                of: Some(file.bytes),
                what: "saving the file".to_owned(),
            });
            from = answer.next;
        }
        bar.clear();
        if length != file.bytes || Hash(hash.finalize().into()) != file.sha256 {
            return Err(Failure::OtherFile);
        }
        part.file.sync_all().map_err(failed)
    }
}

/// A file beside its place that is taken away unless it becomes the file.
struct Part {
    file: File,
    path: PathBuf,
}

impl Part {
    fn create(to: &Path) -> io::Result<Self> {
        let name = to.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let path = to.with_file_name(hidden);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self { file, path })
    }

    fn become_file(self, to: &Path, force: bool) -> io::Result<()> {
        if force {
            fs::rename(&self.path, to)?;
        } else {
            // Unlike a rename, a link fails where something has come to be there meanwhile; dropping takes the other name away.
            fs::hard_link(&self.path, to)?;
        }
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gone already where it became the file by its new name.
        let _ = fs::remove_file(&self.path);
    }
}

fn show(state: &DocumentState) -> String {
    let mut shown = String::new();
    for (number, file) in state.files.iter().enumerate() {
        let (here, all) = file.chunks;
        let stands = if file.complete {
            "all here".to_owned()
        } else {
            format!("{here} of {all} parts have arrived")
        };
        shown += &format!(
            "{}. {}: {}, {}, {stands}\n",
            number + 1,
            text::line(&file.name),
            text::line(&file.media_type),
            words::bytes(file.bytes)
        );
    }
    if state.complete {
        shown += "Name a new file after the record to save it.";
    } else {
        shown += "Nothing can be saved until all is here; repeat the command later.";
    }
    shown
}
