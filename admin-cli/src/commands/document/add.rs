//! `document add`: a file goes to the daemon in parts, and is read as it goes.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use data_encoding::BASE64;
use maillon_protocol::{
    admin::{Call, PART},
    limits,
};

use crate::{
    client::Progress,
    commands::note::written,
    failure::Failure,
    session::{Session, answer},
    terminal::Bar,
};

/// Add a file to a circle as a document
///
/// The file may have 25 MiB. It is sealed as it comes; the other structures of the circle receive the record at once and the file behind it.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl document add letter.pdf --circle 5f3a09c1d2e4 --title 'Discharge letter' --as 7b21"
)]
pub(crate) struct Add {
    /// The file
    file: PathBuf,
    /// The circle
    #[arg(long)]
    circle: String,
    /// The document's title; the file's name where none is given
    #[arg(long)]
    title: Option<String>,
    /// Media type of the file; told from its name where none is given
    #[arg(long = "type", value_name = "MEDIA TYPE")]
    media_type: Option<String>,
}

impl Add {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let failed = |why| Failure::Read {
            path: self.file.clone(),
            why,
        };
        let name = self.file.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Failure::Value {
            cause: "the file's name is not UTF-8, or there is none".to_owned(),
            action: "Name a file, and rename it if need be.",
        })?;
        let mut file = File::open(&self.file).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length > limits::ATTACHMENT {
            return Err(Failure::TooLong {
                path: self.file.clone(),
                limit: limits::ATTACHMENT,
            });
        }
        let call = Call::DocumentAdd {
            circle: self.circle.clone(),
            title: self.title.clone().unwrap_or_else(|| name.to_owned()),
            media_type: self
                .media_type
                .clone()
                .unwrap_or_else(|| media_type(&self.file).to_owned()),
            name: name.to_owned(),
            length,
        };
        let upload = answer!(session, call, Upload).upload;
        let mut bar = Bar::new(session.draws_bars());
        let mut part = vec![0; PART];
        let mut offset = 0;
        while offset < length {
            let most = usize::try_from(length - offset).map_or(PART, |rest| rest.min(PART));
            file.read_exact(&mut part[..most]).map_err(failed)?;
            let call = Call::DocumentPart {
                upload,
                offset,
                bytes: BASE64.encode(&part[..most]),
            };
            offset = answer!(session, call, Upload).received;
            bar.show(&Progress {
                done: offset,
                of: Some(length),
                what: "sending the file".to_owned(),
            });
        }
        bar.clear();
        let answer = answer!(session, Call::DocumentEnd { upload }, Written);
        session.print(&answer, |_| written("The document has been added", &answer))
    }
}

/// The media type that a file's name tells.
fn media_type(file: &Path) -> &'static str {
    let ending = file
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default()
        .to_ascii_lowercase();
    match ending.as_str() {
        "pdf" => "application/pdf",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "tif" | "tiff" => "image/tiff",
        "txt" => "text/plain",
        "xml" => "application/xml",
        "json" => "application/json",
        "dcm" => "application/dicom",
        "rtf" => "application/rtf",
        "odt" => "application/vnd.oasis.opendocument.text",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        _ => "application/octet-stream",
    }
}
