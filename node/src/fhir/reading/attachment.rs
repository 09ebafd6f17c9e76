//! The bytes of a note or document, and text in the character set that it is really in.

use data_encoding::BASE64;
use sha1::{Digest, Sha1};

use crate::fhir::{
    AttachmentBytes, Cause,
    report::{KeptReason, RefusedReason, WarningKind},
    source::{At, Resource, ResourceKind, Source},
};

/// Windows-1252 from 0x80 to 0x9F; the five bytes without a character read as themselves.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// One file, and the character set that its media type names.
pub(crate) struct Piece {
    pub(crate) file: AttachmentBytes,
    charset: Option<String>,
}

/// The pieces of a DocumentReference, and whether a link stands in for one that is missing.
pub(crate) fn pieces<'a>(source: &Source<'a>, of: &Resource<'a>) -> (Vec<(At<'a>, Piece)>, bool) {
    let (mut pieces, mut links) = (Vec::new(), false);
    for content in of.at.list("content") {
        let Some(at) = content.object("attachment") else {
            content.problem(Cause::Missing);
            continue;
        };
        match piece(source, of, at) {
            Some(piece) => pieces.push((at, piece)),
            None => links |= at.peek("url").is_some(),
        }
    }
    (pieces, links)
}

fn piece<'a>(source: &Source<'a>, of: &Resource<'a>, at: At<'a>) -> Option<Piece> {
    let (holder, said) = if at.peek("data").is_some() {
        at.keep_at("url", KeptReason::SaidElsewhere);
        (at, at.peek("contentType"))
    } else {
        let binary = at
            .peek("url")
            .and_then(|url| source.find(of, url))
            .map(|index| &source.resources[index]);
        let Some(binary) = binary.filter(|binary| binary.kind == ResourceKind::Binary) else {
            at.keep_at("url", KeptReason::Link);
            at.warn_at("url", WarningKind::LinkNotFollowed);
            return None;
        };
        binary.used.set(true);
        at.map_at("url");
        binary.at.map_at("contentType");
        (
            binary.at,
            at.peek("contentType")
                .or_else(|| binary.at.peek("contentType")),
        )
    };
    let data: String = holder.peek("data")?.split_ascii_whitespace().collect();
    let Ok(bytes) = BASE64.decode(data.as_bytes()) else {
        holder
            .get("data")
            .unwrap_or(holder)
            .problem(Cause::NotBase64);
        return None;
    };
    holder.map_at("data");
    match at.number("size") {
        Some(size) if size != bytes.len() as u64 => at.warn_at("size", WarningKind::SizeDiffers),
        _ => at.map_at("size"),
    }
    match at.peek("hash") {
        Some(hash)
            if BASE64.decode(hash.as_bytes()).ok().as_deref() != Some(&Sha1::digest(&bytes)) =>
        {
            at.warn_at("hash", WarningKind::HashDiffers);
        }
        _ => at.map_at("hash"),
    }
    let (media_type, charset) = media_type(at, said);
    let name = file_name(at.text("title"), &media_type);
    Some(Piece {
        file: AttachmentBytes {
            bytes,
            media_type,
            name,
        },
        charset,
    })
}

fn media_type(at: At<'_>, said: Option<&str>) -> (String, Option<String>) {
    let unknown = || ("application/octet-stream".to_owned(), None);
    let Some(said) = said else { return unknown() };
    let mut parts = said.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let token = |text: &str| {
        !text.is_empty()
            && text.len() <= 100
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    if !essence
        .split_once('/')
        .is_some_and(|(kind, name)| token(kind) && token(name))
    {
        if let Some(at) = at.get("contentType") {
            at.refuse(RefusedReason::UnknownCode);
        }
        return unknown();
    }
    at.map_at("contentType");
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    (essence, charset)
}

/// A name that is safe to show and to save: no path, no control or direction characters.
fn file_name(title: Option<&str>, media_type: &str) -> String {
    let extension = match media_type {
        "application/pdf" => "pdf",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "text/plain" => "txt",
        "text/xml" | "application/xml" => "xml",
        _ => "bin",
    };
    let Some(title) = title else {
        return format!("piece-jointe.{extension}");
    };
    let safe = |character: char| {
        let hidden = matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || hidden || r#"/\:*?"<>|"#.contains(character) {
            '_'
        } else {
            character
        }
    };
    let name: String = title.chars().take(120).map(safe).collect();
    let name = name.trim_start_matches('.').trim().to_owned();
    let short = |ending: &str| {
        (1..=4).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if name
        .rsplit_once('.')
        .is_some_and(|(_, ending)| short(ending))
    {
        name
    } else {
        format!("{name}.{extension}")
    }
}

impl Piece {
    /// The text, where this is plain text in a character set that is known here. What does not read as UTF-8 is read as
    /// Windows-1252, as the published note needs, with a warning unless the file says so.
    pub(crate) fn text(&self, at: At<'_>) -> Option<String> {
        if self.file.media_type != "text/plain" || self.file.bytes.contains(&0) {
            return None;
        }
        let bytes = &self.file.bytes;
        match self.charset.as_deref() {
            None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => {
                let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
                Some(
                    std::str::from_utf8(unmarked)
                        .map(str::to_owned)
                        .unwrap_or_else(|_| {
                            at.warn_at("data", WarningKind::CharsetGuessed);
                            western(bytes, &[])
                        }),
                )
            }
            Some("iso-8859-1" | "latin1" | "windows-1252" | "cp1252") => Some(western(bytes, &[])),
            Some("iso-8859-15" | "latin9") => Some(western(
                bytes,
                &[
                    (0xa4, '€'),
                    (0xa6, 'Š'),
                    (0xa8, 'š'),
                    (0xb4, 'Ž'),
                    (0xb8, 'ž'),
                    (0xbc, 'Œ'),
                    (0xbd, 'œ'),
                    (0xbe, 'Ÿ'),
                ],
            )),
            Some(_) => None,
        }
    }
}

fn western(bytes: &[u8], other: &[(u8, char)]) -> String {
    let read = |byte: u8| match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => other
            .iter()
            .find(|(code, _)| *code == byte)
            .map_or(char::from(byte), |(_, character)| *character),
    };
    bytes.iter().copied().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn western_bytes_read_as_the_characters_that_were_typed() {
        assert_eq!(
            western(b"fatigu\xe9e \x97 12 \x80, c\x9cur", &[]),
            "fatiguée — 12 €, cœur"
        );
        assert_eq!(western(b"12 \xa4", &[(0xa4, '€')]), "12 €");
    }

    #[test]
    fn a_file_name_leads_nowhere_and_hides_nothing() {
        assert_eq!(
            file_name(Some("../../etc/passwd"), "text/plain"),
            "_.._etc_passwd.txt"
        );
        assert_eq!(
            file_name(Some("plaie\u{202e}gpj.exe"), "image/jpeg"),
            "plaie_gpj.exe"
        );
        assert_eq!(
            file_name(Some("Compte rendu.pdf"), "application/pdf"),
            "Compte rendu.pdf"
        );
        assert_eq!(file_name(None, "image/png"), "piece-jointe.png");
    }
}
