//! What a file is by its own beginning, and pictures without what tells where and with what they were taken.
//!
//! What a browser or another node says of a file is not believed: four kinds are known by their first bytes, and nothing else is ever shown within a page.
//! A cleaner takes the bytes as they come, holds one segment at most (64 KiB), and lets through what a picture needs to look right. It does not decode
//! pictures, so whatever stands in their visible part stays there. A PDF goes through as it is.

mod jpeg;
mod png;
mod webp;

use super::CareError;

/// Bytes after which a kind is known.
pub(super) const BEGINNING: usize = 12;

/// The kinds of files that are taken from pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A PDF.
    Pdf,
    /// A photo.
    Jpeg,
    /// A picture without loss.
    Png,
    /// A picture of the web.
    Webp,
}

impl FileKind {
    /// The kind of a file by its first bytes; none where it is another one.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::Webp),
            _ => None,
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// Whether a page shows it as a picture.
    pub const fn is_picture(self) -> bool {
        !matches!(self, Self::Pdf)
    }

    /// How names of such files end.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }
}

/// Takes out of a file what nobody meant to send.
pub(super) enum Cleaner {
    /// Nothing to take out.
    Pdf,
    /// See there.
    Jpeg(jpeg::Jpeg),
    /// See there.
    Png(png::Png),
    /// See there.
    Webp(webp::Webp),
}

impl Cleaner {
    /// For a file that is of this kind.
    pub(super) fn of(kind: FileKind) -> Self {
        match kind {
            FileKind::Pdf => Self::Pdf,
            FileKind::Jpeg => Self::Jpeg(jpeg::Jpeg::default()),
            FileKind::Png => Self::Png(png::Png::default()),
            FileKind::Webp => Self::Webp(webp::Webp::default()),
        }
    }

    /// Takes the next bytes; what stays of them goes to `out`.
    pub(super) fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), CareError> {
        match self {
            Self::Pdf => out.extend_from_slice(bytes),
            Self::Jpeg(jpeg) => bytes.iter().try_for_each(|byte| jpeg.take(*byte, out))?,
            Self::Png(png) => bytes.iter().for_each(|byte| png.take(*byte, out)),
            Self::Webp(webp) => bytes.iter().for_each(|byte| webp.take(*byte, out)),
        }
        Ok(())
    }
}

impl Cleaner {
    /// Whether anything came that draws: what only begins as a picture is none.
    pub(super) const fn draws(&self) -> bool {
        match self {
            Self::Pdf => true,
            Self::Jpeg(jpeg) => jpeg.draws,
            Self::Png(png) => png.draws,
            Self::Webp(webp) => webp.draws,
        }
    }
}

#[cfg(test)]
pub(super) fn cleaned(kind: FileKind, bytes: &[u8]) -> Result<Vec<u8>, CareError> {
    let mut cleaner = Cleaner::of(kind);
    let mut out = Vec::new();
    // In pieces, as a network gives them.
    for piece in bytes.chunks(7) {
        cleaner.take(piece, &mut out)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_the_first_bytes_and_by_nothing_else() {
        assert_eq!(FileKind::of(b"%PDF-1.7\n"), Some(FileKind::Pdf));
        assert_eq!(FileKind::of(b"\xff\xd8\xff\xe0"), Some(FileKind::Jpeg));
        assert_eq!(FileKind::of(b"RIFF\0\0\0\0WEBPVP8 "), Some(FileKind::Webp));
        for other in [
            &b""[..],
            b"<svg xmlns=",
            b"<!doctype html>",
            b"RIFF\0\0\0\0WAVEfmt ",
            b"\0\0\0\x18ftypheic",
            b"PK\x03\x04",
            b" %PDF-1.7",
        ] {
            assert_eq!(FileKind::of(other), None, "{other:?}");
        }
    }

    #[test]
    fn what_only_begins_as_a_picture_draws_nothing() {
        for (kind, bytes) in [
            (FileKind::Jpeg, &b"\xff\xd8\xff\xff\xff\xff"[..]),
            (FileKind::Png, b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"),
            (FileKind::Webp, b"RIFF\x20\0\0\0WEBPEXIF\x04\0\0\0here"),
        ] {
            let mut cleaner = Cleaner::of(kind);
            assert!(cleaner.take(bytes, &mut Vec::new()).is_ok());
            assert!(!cleaner.draws(), "{kind:?}");
        }
    }
}
