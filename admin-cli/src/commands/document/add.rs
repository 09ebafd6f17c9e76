//! `document add`: a file is read to its end, then goes to the daemon in parts.

use std::{
    fs::{self, File},
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
    failure::{Failure, named},
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
    #[arg(long = "type", value_name = "MEDIA TYPE", value_parser = a_media_type)]
    media_type: Option<String>,
}

impl Add {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let name = self.file.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Failure::Value {
            cause: "the file's name is not UTF-8, or there is none".to_owned(),
            action: "Name a file, and rename it if need be.",
        })?;
        let bytes = whole(&self.file)?;
        let length = bytes.len() as u64;
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
        let mut offset = 0;
        for part in bytes.chunks(PART) {
            let call = Call::DocumentPart {
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
        let answer = answer!(session, Call::DocumentEnd { upload }, Written);
        session.print(&answer, |view| {
            written(view, "The document has been added", &answer)
        })
    }
}

/// A regular file to its end, which is not always where its metadata says; at most what a document may have.
fn whole(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |why| Failure::Read {
        path: path.to_owned(),
        why,
    };
    // Before it is opened: opening a pipe waits for somebody who writes.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Failure::Value {
            cause: format!("the path {} is not a regular file", path.display()),
            action: "Name a regular file; save what another program prints to one first.",
        });
    }
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(failed)?
        .take(limits::ATTACHMENT + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.is_empty() {
        return Err(Failure::Value {
            cause: format!("{} is empty", named(path)),
            action: "Name a file that has something in it.",
        });
    }
    if bytes.len() as u64 > limits::ATTACHMENT {
        return Err(Failure::TooLong {
            path: path.to_owned(),
            limit: limits::ATTACHMENT,
        });
    }
    Ok(bytes)
}

/// A media type without parameters, as typed: `type/subtype` (RFC 6838, section 4.2).
fn a_media_type(text: &str) -> Result<String, String> {
    let name = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part.len() <= 127
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    match text.split_once('/') {
        Some((kind, subtype)) if name(kind) && name(subtype) => Ok(text.to_ascii_lowercase()),
        _ => Err("a media type is written like application/pdf".to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_that_is_typed_has_its_form() {
        assert_eq!(a_media_type("Image/PNG").as_deref(), Ok("image/png"));
        assert!(a_media_type("application/vnd.ms-excel.sheet.macroEnabled.12").is_ok());
        for wrong in [
            "",
            "pdf",
            "/",
            "image/",
            "/png",
            "a/b/c",
            "text/plain; charset=x",
            "é/a",
            "-a/b",
        ] {
            assert!(a_media_type(wrong).is_err(), "{wrong}");
        }
    }
}
