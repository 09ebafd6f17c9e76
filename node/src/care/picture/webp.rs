//! WebP (RFC 9649): its chunks one by one. The head tells the length of the whole, so what is taken out leaves zeros in its place; what lies behind goes.

/// Bytes before the first chunk: `RIFF`, a length, `WEBP`.
const BEGINNING: usize = 12;
/// A chunk's name and its length.
const HEAD: usize = 8;
/// Chunks that draw the picture, and what its colours mean.
const STAY: [&[u8]; 7] = [
    b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
];

/// Takes the bytes of one WebP.
#[derive(Default)]
pub(in crate::care) struct Webp {
    head: Vec<u8>,
    begun: bool,
    /// Bytes of the whole that are still to come.
    whole: u64,
    /// Bytes of the chunk that are still to come.
    left: u64,
    stays: bool,
    /// Whether a chunk has come that draws the picture.
    pub(super) draws: bool,
}

impl Webp {
    pub(super) fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        if !self.begun {
            self.head.push(byte);
            out.push(byte);
            if let [_, _, _, _, a, b, c, d, ..] = *self.head.as_slice()
                && self.head.len() == BEGINNING
            {
                // Of which the four of `WEBP` are here.
                let length = u64::from(u32::from_le_bytes([a, b, c, d]));
                self.whole = length.saturating_sub(4);
                self.begun = true;
                self.head.clear();
            }
            return;
        }
        if self.whole == 0 {
            return;
        }
        self.whole -= 1;
        if self.left > 0 {
            self.left -= 1;
            out.push(if self.stays { byte } else { 0 });
            return;
        }
        self.head.push(byte);
        out.push(byte);
        if let [.., a, b, c, d] = *self.head.as_slice()
            && self.head.len() == HEAD
        {
            self.stays = STAY.contains(&&self.head[..4]);
            self.draws |= [&b"VP8 "[..], b"VP8L", b"ANMF"].contains(&&self.head[..4]);
            let length = u64::from(u32::from_le_bytes([a, b, c, d]));
            self.left = length + length % 2;
            self.head.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::care::picture::{FileKind, cleaned};

    fn picture(exif: &[u8; 5]) -> Vec<u8> {
        let mut all = b"RIFF\x1e\0\0\0WEBPVP8 \x04\0\0\0dots".to_vec();
        all.extend(b"EXIF\x05\0\0\0");
        all.extend(exif);
        all.push(0);
        all
    }

    #[test]
    fn a_picture_of_the_web_keeps_its_length_and_says_no_place() {
        let mut taken = picture(b"49.7N");
        taken.extend(b"<script>behind</script>");
        let kept = cleaned(FileKind::Webp, &taken).ok();
        assert_eq!(kept, Some(picture(&[0; 5])));
    }
}
