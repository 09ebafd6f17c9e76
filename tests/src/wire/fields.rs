//! Fields of recorded messages: big-endian numbers, and parts that are preceded by their length.

/// Reads from the front; `None` where the bytes end too soon.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A part with a length of one byte.
    pub(super) fn part(&mut self) -> Option<Reader<'a>> {
        let length = self.u8()?;
        self.take(length.into()).map(Reader)
    }

    /// A part with a length of two bytes.
    pub(super) fn list(&mut self) -> Option<Reader<'a>> {
        let length = self.u16()?;
        self.take(length.into()).map(Reader)
    }

    /// A number of one, two, four or eight bytes, as its first two bits say (RFC 9000 section 16).
    pub(super) fn varint(&mut self) -> Option<u64> {
        let first = *self.0.first()?;
        let bytes = self.take(1 << (first >> 6))?;
        let number = |number, byte: &u8| number << 8 | u64::from(*byte);
        Some(bytes[1..].iter().fold(u64::from(first & 0x3f), number))
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;

    #[test]
    fn numbers_of_quic_are_as_long_as_their_first_bits_say() {
        // The examples of RFC 9000, appendix A.1.
        let long = [0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c];
        assert_eq!(Reader(&long).varint(), Some(151_288_809_941_952_652));
        let four = [0x9d, 0x7f, 0x3e, 0x7d];
        assert_eq!(Reader(&four).varint(), Some(494_878_333));
        assert_eq!(Reader(&[0x7b, 0xbd]).varint(), Some(15_293));
        assert_eq!(Reader(&[0x25]).varint(), Some(37));
        assert_eq!(Reader(&[0x40]).varint(), None);
    }
}
