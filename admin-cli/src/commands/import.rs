//! `import`: a FHIR file.

use std::path::PathBuf;

use clap::Args;
use data_encoding::BASE64;
use maillon_protocol::{
    admin::{Call, Imported, PART},
    limits,
};

use crate::{
    client::Progress,
    failure::Failure,
    session::{Session, answer},
    terminal::{Bar, text, words},
};

/// Import a FHIR R4 file in JSON: a care circle, a liaison notebook, or single resources
///
/// A file goes in as a whole or not at all, and the same file twice changes nothing. Every path of the file is reported as mapped, kept or
/// refused. The file may have 36 MiB, and the files that it carries 25 MiB each; two large files are taken at a time. An INS with a wrong key
/// is kept as unverified; it makes the identity provisional and refuses nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl import bundle.json --dry-run --as 7b21\n  maillonctl import bundle.json --as 7b21"
)]
pub(crate) struct Import {
    /// The file; - reads standard input
    file: PathBuf,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let bytes = session.read_file(&self.file, limits::IMPORT as usize)?;
        if bytes.len() <= PART {
            let call = Call::Import {
                content: BASE64.encode(&bytes),
                dry_run: self.dry_run,
            };
            let imported = answer!(session, call, Imported);
            return session.print(&imported, |_| show(&imported, self.dry_run));
        }
        let length = bytes.len() as u64;
        let upload = answer!(session, Call::ImportBegin { length }, Upload).upload;
        let mut bar = Bar::new(session.draws_bars());
        let mut offset = 0;
        for part in bytes.chunks(PART) {
            let call = Call::ImportPart {
                upload,
                offset,
                bytes: BASE64.encode(part),
            };
            offset = answer!(session, call, Upload).received;
            bar.show(&Progress {
                done: offset,
                of: Some(length),
                what: "sending the file".to_owned(),
            });
        }
        bar.clear();
        let call = Call::ImportEnd {
            upload,
            dry_run: self.dry_run,
        };
        let imported = answer!(session, call, Imported);
        session.print(&imported, |_| show(&imported, self.dry_run))
    }
}

fn show(imported: &Imported, dry_run: bool) -> String {
    let mut shown = String::new();
    if imported.unchanged && dry_run {
        shown += "Everything in this file is here already: an import would change nothing.\n";
    } else if imported.unchanged {
        shown += "This file was imported before: nothing has changed.\n";
    } else if dry_run {
        shown += "Nothing was written; this is what an import would do.\n";
    }
    for circle in &imported.circles {
        shown += &format!(
            "Circle {}{}: {}, identity {}\n",
            // The name that a circle was rehearsed under is not the one that it would get.
            if dry_run && circle.opened {
                "-".to_owned()
            } else {
                words::short(&circle.circle)
            },
            if circle.opened { " (new)" } else { "" },
            words::count(circle.records.len() as u64, "record"),
            words::status(circle.status)
        );
        if circle.replaced > 0 {
            shown += &format!(
                "  {} of these in place of what an earlier file said under the same address: see that it is a newer version of it, and not something else\n",
                circle.replaced
            );
        }
        for doubt in &circle.doubts {
            shown += &format!("  ? {}\n", text::line(doubt));
        }
    }
    shown += &format!(
        "{} mapped, {} kept in the sealed original only, {} refused.\n",
        words::count(imported.mapped.len() as u64, "path"),
        imported.kept.len(),
        imported.refused.len()
    );
    for (title, paths) in [("Kept", &imported.kept), ("Refused", &imported.refused)] {
        for (path, why) in paths {
            shown += &format!("  {title} {}: {}\n", text::line(path), text::line(why));
        }
    }
    if imported.left_out > 0 {
        shown += &format!(
            "{} more did not fit into the answer.\n",
            words::count(imported.left_out, "path")
        );
    }
    for warning in &imported.warnings {
        shown += &format!("  Warning: {}\n", text::line(warning));
    }
    shown
}
