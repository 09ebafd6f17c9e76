//! JPEG (ITU-T T.81): its segments one by one. Of what applications add (APPn) and of comments, there stay what colours need, and which way is up.

use crate::care::CareError;

/// How far it is read.
#[derive(Default, Clone, Copy)]
enum At {
    /// In a segment, or before one.
    #[default]
    Segment,
    /// In the picture's own bytes.
    Scan,
    /// After the end: thumbnails, films, whatever telephones hang there.
    Over,
}

/// Takes the bytes of one JPEG.
#[derive(Default)]
pub(in crate::care) struct Jpeg {
    at: At,
    /// The segment that is read, from its 0xFF on; in a scan, a 0xFF whose meaning the next byte says.
    held: Vec<u8>,
    /// Whether the picture's own bytes have begun.
    pub(super) draws: bool,
}

impl Jpeg {
    pub(super) fn take(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), CareError> {
        match self.at {
            At::Over => {}
            At::Scan if self.held.is_empty() && byte != 0xff => out.push(byte),
            At::Scan if self.held.is_empty() => self.held.push(byte),
            At::Scan => match byte {
                // A 0xFF of the picture itself, or a place where decoding may begin anew.
                0x00 | 0xd0..=0xd7 => {
                    out.extend([0xff, byte]);
                    self.held.clear();
                }
                0xff => {}
                _ => {
                    self.at = At::Segment;
                    self.segment(byte, out)?;
                }
            },
            At::Segment => self.segment(byte, out)?,
        }
        Ok(())
    }

    fn segment(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), CareError> {
        match self.held.as_slice() {
            [] if byte != 0xff => return Err(CareError::FileBroken),
            // Any number of them may stand before a marker.
            [_] if byte == 0xff => return Ok(()),
            _ => self.held.push(byte),
        }
        match *self.held.as_slice() {
            [_, 0xd8 | 0x01 | 0xd0..=0xd7] => {
                out.append(&mut self.held);
            }
            [_, 0xd9] => {
                out.append(&mut self.held);
                self.at = At::Over;
            }
            [_, marker, high, low, ref content @ ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                if length < 2 {
                    return Err(CareError::FileBroken);
                }
                if content.len() + 2 == length {
                    match marker {
                        0xe1 => out.extend(which_way_is_up(content)),
                        _ if stays(marker, content) => out.extend_from_slice(&self.held),
                        _ => {}
                    }
                    self.held.clear();
                    if marker == 0xda {
                        self.draws = true;
                        self.at = At::Scan;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether a segment is of the picture itself, or says what its colours mean.
fn stays(marker: u8, content: &[u8]) -> bool {
    match marker {
        0xe0 => content.starts_with(b"JFIF\0"),
        0xe2 => content.starts_with(b"ICC_PROFILE\0"),
        0xee => content.starts_with(b"Adobe"),
        0xe1..=0xef | 0xfe => false,
        _ => true,
    }
}

/// A segment that says how the picture is turned and nothing else; empty where the one that came does not say so.
fn which_way_is_up(exif: &[u8]) -> Vec<u8> {
    let Some(turned) = exif.strip_prefix(b"Exif\0\0").and_then(orientation) else {
        return Vec::new();
    };
    let mut segment = vec![0xff, 0xe1, 0, 34];
    segment.extend_from_slice(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
    segment.extend([turned, 0, 0, 0, 0, 0, 0]);
    segment
}

/// The tag 0x0112 of the first directory, 1 to 8.
fn orientation(tiff: &[u8]) -> Option<u8> {
    let little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let bytes: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let first = usize::try_from(if little {
        u32::from_le_bytes(bytes)
    } else {
        u32::from_be_bytes(bytes)
    })
    .ok()?;
    let count = usize::from(short(first)?);
    for entry in 0..count {
        let at = first.checked_add(2 + entry * 12)?;
        if short(at)? == 0x0112 {
            let turned = u8::try_from(short(at.checked_add(8)?)?).ok()?;
            return (1..=8).contains(&turned).then_some(turned);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::care::picture::{FileKind, cleaned};

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).expect("a short segment");
        let mut segment = vec![0xff, marker];
        segment.extend(length.to_be_bytes());
        segment.extend_from_slice(content);
        segment
    }

    /// Little-endian: turned by a quarter, and a place where it was taken.
    const EXIF: &[u8] = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\x25\x88\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0GPS 49.7N 0.2E";
    const SCAN: &[u8] = b"\x12\x34\xff\0\x56\xff\xd3\x78";

    fn photo(added: &[Vec<u8>]) -> Vec<u8> {
        let mut all = vec![0xff, 0xd8];
        all.extend(segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"));
        all.extend(added.concat());
        all.extend(segment(0xc2, b"\x08\0\x10\0\x10\x01\x01\x11\0"));
        all.extend(segment(0xda, b"\x01\x01\0\0\0\0"));
        all.extend(SCAN);
        all.extend(segment(0xda, b"\x01\x01\0\0\0\0"));
        all.extend(SCAN);
        all.extend([0xff, 0xd9]);
        all
    }

    #[test]
    fn a_photo_does_not_say_where_it_was_taken_and_stands_the_right_way_up() {
        let mut taken = photo(&[
            segment(0xe1, EXIF),
            segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>49.7N"),
            segment(0xed, b"Photoshop 3.0\0City: Fecamp"),
            segment(0xfe, b"Fecamp"),
            segment(0xee, b"Adobe\0d\0\0\0\0\x01"),
        ]);
        taken.extend(b"\0\0\0\x18ftypmp42 a film with its place");
        let kept = cleaned(FileKind::Jpeg, &taken).expect("a photo");
        let up = super::which_way_is_up(EXIF);
        assert_eq!(up.len(), 36);
        assert_eq!(up[29], 6);
        let expected = photo(&[up, segment(0xee, b"Adobe\0d\0\0\0\0\x01")]);
        assert_eq!(kept, expected);
    }

    #[test]
    fn a_photo_without_any_of_it_stays_as_it_is_and_one_that_is_cut_off_loses_nothing() {
        let plain = photo(&[]);
        assert_eq!(cleaned(FileKind::Jpeg, &plain).ok(), Some(plain.clone()));
        let cut = &plain[..plain.len() - 5];
        assert_eq!(cleaned(FileKind::Jpeg, cut).ok(), Some(cut.to_vec()));
    }

    #[test]
    fn what_only_begins_like_a_photo_is_none() {
        for wrong in [
            &b"\xff\xd8\xff\xe0\0\0<script>"[..],
            b"\xff\xd8\xff\xe0\0\x04JF<html>",
        ] {
            assert!(cleaned(FileKind::Jpeg, wrong).is_err(), "{wrong:?}");
        }
        for wrong in [
            &b""[..],
            b"II",
            b"II*\0\xff\xff\xff\xff",
            b"MM\0*\0\0\0\x08\xff\xff",
        ] {
            assert_eq!(super::orientation(wrong), None, "{wrong:?}");
        }
    }
}
