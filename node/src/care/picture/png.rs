//! PNG (ISO/IEC 15948): its chunks one by one. There stay those that draw the picture, and what its colours mean; no text, no Exif, nothing behind the end.

/// Bytes before the first chunk.
const SIGNATURE: usize = 8;
/// A chunk's length and its name.
const HEAD: usize = 8;
/// Chunks that a picture may do without and that say nothing of whoever made it.
const STAY: [&[u8]; 9] = [
    b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"pHYs", b"bKGD", b"sBIT",
];

/// Takes the bytes of one PNG.
#[derive(Default)]
pub(in crate::care) struct Png {
    begun: usize,
    head: Vec<u8>,
    /// Bytes of the chunk that are still to come, with its sum.
    left: u64,
    stays: bool,
    last: bool,
    /// Whether points of the picture have come.
    pub(super) draws: bool,
}

impl Png {
    pub(super) fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.begun < SIGNATURE {
            self.begun += 1;
            out.push(byte);
        } else if self.left > 0 {
            self.left -= 1;
            if self.stays {
                out.push(byte);
            }
        } else if !self.last {
            self.head.push(byte);
            if let [a, b, c, d, name @ ..] = self.head.as_slice()
                && self.head.len() == HEAD
            {
                // Those that a picture cannot do without have a capital.
                self.stays =
                    name.first().is_some_and(u8::is_ascii_uppercase) || STAY.contains(&name);
                self.left = u64::from(u32::from_be_bytes([*a, *b, *c, *d])) + 4;
                self.last = name == b"IEND";
                self.draws |= name == b"IDAT";
                if self.stays {
                    out.extend_from_slice(&self.head);
                }
                self.head.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::care::picture::{FileKind, cleaned};

    fn picture(chunks: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut all = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, content) in chunks {
            let length = u32::try_from(content.len()).expect("a short chunk");
            all.extend(length.to_be_bytes());
            all.extend_from_slice(name);
            all.extend_from_slice(content);
            all.extend(b"sum.");
        }
        all
    }

    #[test]
    fn a_picture_keeps_what_draws_it_and_no_text() {
        let mut taken = picture(&[
            (b"IHDR", b"head"),
            (b"tEXt", b"Author\0Camille"),
            (b"eXIf", b"MM\0*"),
            (b"sRGB", b"\0"),
            (b"IDAT", b"points"),
            (b"IEND", b""),
        ]);
        // Chunks behind the end, too.
        taken.extend(&picture(&[(b"IDAT", b"behind")])[8..]);
        let kept = [
            (&b"IHDR"[..], &b"head"[..]),
            (b"sRGB", b"\0"),
            (b"IDAT", b"points"),
            (b"IEND", b""),
        ];
        assert_eq!(cleaned(FileKind::Png, &taken).ok(), Some(picture(&kept)));
    }
}
