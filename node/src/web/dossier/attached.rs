//! Files that somebody sent: as a page names them, and as they are given back.
//!
//! Shown within a page is only what is a picture by its own beginning, under the type that it has by that; all else is saved. None of it can do anything: a
//! policy of its own shuts it in, and a browser takes it for nothing else than what it is said to be.

use axum::{
    body::{Body, Bytes},
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::stream::try_unfold;
use maillon_protocol::{admin::RecordView, ids::RecordId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::file;
use crate::{
    care::{Attached, CareError, FileKind, FileView},
    web::{Site, door::Who, french, policy, problem::Problem},
};

/// What stands in a name as it is (RFC 8187).
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A file that a record names.
pub(super) struct Joined {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) size: String,
    /// What kind of file it is, as people call it.
    pub(super) format: &'static str,
    /// Whether all of it is here.
    pub(super) here: bool,
    /// Whether it is shown as a picture.
    pub(super) picture: bool,
}

/// A kind of file, as people call it.
fn format(media_type: &str) -> &'static str {
    let kinds = [
        (FileKind::Pdf, "PDF"),
        (FileKind::Jpeg, "Photo JPEG"),
        (FileKind::Png, "Image PNG"),
        (FileKind::Webp, "Image WebP"),
    ];
    let known = kinds.into_iter();
    let mut known = known.filter(|(kind, _)| kind.media_type() == media_type);
    known.next().map_or("Fichier", |(_, said)| said)
}

/// The files that a record names; `address` is that of the person's file.
pub(super) fn joined(view: &FileView, address: &str, record: &RecordView) -> Vec<Joined> {
    let states = view.files.get(&record.record);
    let states = states.map(Vec::as_slice).unwrap_or_default();
    let one = |(place, state): (usize, &maillon_protocol::admin::FileState)| Joined {
        address: match place {
            0 => format!("/dossiers/{address}/documents/{}", record.record),
            _ => format!(
                "/dossiers/{address}/documents/{}?fichier={place}",
                record.record
            ),
        },
        name: state.name.clone(),
        size: french::size(state.bytes),
        format: format(&state.media_type),
        here: state.complete,
        // By what the record says; what it is by itself is seen when it is asked for.
        picture: [FileKind::Jpeg, FileKind::Png, FileKind::Webp]
            .iter()
            .any(|kind| kind.media_type() == state.media_type),
    };
    states.iter().enumerate().map(one).collect()
}

/// Which of a record's files is asked for.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    fichier: usize,
}

/// `GET /dossiers/{file}/documents/{document}`
pub(in crate::web) async fn attached(
    State(site): State<Site>,
    who: Who,
    Path((at, document)): Path<(String, String)>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let record: RecordId = document.parse().map_err(|_| Problem::not_found())?;
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let care = site.node.care.clone();
    let attached = care
        .open_attached(actor, filed.circle, record, asked.fichier)
        .await?;
    let kind = attached.kind;
    let headers = [
        (
            header::CONTENT_TYPE,
            kind.map_or("application/octet-stream", FileKind::media_type)
                .parse(),
        ),
        (header::CONTENT_DISPOSITION, disposition(&attached).parse()),
        (header::CONTENT_LENGTH, Ok(attached.length().into())),
        (
            header::CONTENT_SECURITY_POLICY,
            Ok(HeaderValue::from_static(policy::FILE)),
        ),
    ];
    let parts = try_unfold((care, attached, Some(0)), async |(care, attached, from)| {
        let Some(from) = from else {
            return Ok::<_, CareError>(None);
        };
        let (mut bytes, next) = care.part_of(&attached, from)?;
        let bytes = Bytes::from(std::mem::take(&mut *bytes));
        Ok(Some((bytes, (care, attached, next))))
    });
    let mut answer = Body::from_stream(parts).into_response();
    for (name, value) in headers {
        let value: HeaderValue = value.map_err(Problem::broken)?;
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}

/// Whether it is shown or saved, and under which name.
fn disposition(attached: &Attached) -> String {
    let how = match attached.kind {
        Some(kind) if kind.is_picture() => "inline",
        _ => "attachment",
    };
    let name = saved_as(attached.name(), attached.kind);
    format!(
        "{how}; filename*=UTF-8''{}",
        utf8_percent_encode(&name, AS_IT_IS)
    )
}

/// The name under which a file is saved: its ending says what it is, whatever whoever sent it wrote.
fn saved_as(name: &str, kind: Option<FileKind>) -> String {
    let name: String = name
        .chars()
        .map(|sign| {
            if matches!(sign, '/' | '\\') {
                '_'
            } else {
                sign
            }
        })
        .filter(|sign| !sign.is_control())
        .collect();
    let ending = kind.map(FileKind::ending);
    let found = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_lowercase());
    match (ending, found.as_deref()) {
        (Some("jpg"), Some("jpeg")) | (None, Some(_)) => name,
        (Some(ending), Some(found)) if ending == found => name,
        (ending, _) => format!("{name}.{}", ending.unwrap_or("bin")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_saved_under_an_ending_that_says_what_it_is() {
        let jpeg = Some(FileKind::Jpeg);
        assert_eq!(saved_as("pied.JPEG", jpeg), "pied.JPEG");
        assert_eq!(saved_as("pied.html", jpeg), "pied.html.jpg");
        assert_eq!(
            saved_as("compte rendu", Some(FileKind::Pdf)),
            "compte rendu.pdf"
        );
        assert_eq!(saved_as("../a\r\n.xml", None), ".._a.xml");
        assert_eq!(saved_as("lettre", None), "lettre.bin");
    }
}
