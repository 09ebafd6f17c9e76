//! One object, one encoding.
//!
//! Everything that is signed, hashed or sent is deterministic CBOR (RFC 8949, section 4.2): definite lengths, shortest
//! forms, arrays with a fixed order of fields. The encoder can write nothing else. The decoder accepts nothing else: what it reads
//! is written again and compared byte for byte, so nobody can make a second valid form of somebody's object.

use minicbor::{Decode, Encode};

/// Why bytes are no object of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// The bytes are not CBOR of the expected shape.
    #[error("not the expected CBOR shape: {0}")]
    Shape(String),
    /// The bytes hold more than one object.
    #[error("{0} bytes follow the object")]
    Trailing(usize),
    /// The bytes mean the right thing but are written in another way than ours.
    #[error("not the deterministic encoding (RFC 8949, section 4.2)")]
    NotDeterministic,
}

/// Writes `value` in its only encoding.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    minicbor::encode(value, &mut bytes).expect("writing to memory cannot fail");
    bytes
}

/// Reads `bytes` as exactly one `T` in its only encoding.
///
/// # Errors
/// [`CborError`] where the bytes are anything else.
pub fn decode<T>(bytes: &[u8]) -> Result<T, CborError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let mut decoder = minicbor::Decoder::new(bytes);
    let value: T = decoder
        .decode()
        .map_err(|error| CborError::Shape(error.to_string()))?;
    if decoder.position() != bytes.len() {
        return Err(CborError::Trailing(bytes.len() - decoder.position()));
    }
    if encode(&value) != bytes {
        return Err(CborError::NotDeterministic);
    }
    Ok(value)
}

/// A byte string of any length, `bstr` in the CDDL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub Vec<u8>);

impl<C> Encode<C> for Bytes {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Bytes {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        Ok(Self(decoder.bytes()?.to_vec()))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_form_of_the_same_number_is_refused() {
        assert_eq!(decode::<u64>(&[0x05]), Ok(5));
        assert_eq!(
            decode::<u64>(&[0x18, 0x05]),
            Err(CborError::NotDeterministic)
        );
    }

    #[test]
    fn an_indefinite_list_is_refused() {
        assert_eq!(decode::<Vec<u64>>(&[0x81, 0x01]), Ok(vec![1]));
        assert_eq!(
            decode::<Vec<u64>>(&[0x9f, 0x01, 0xff]),
            Err(CborError::NotDeterministic)
        );
    }

    #[test]
    fn a_second_object_behind_the_first_is_refused() {
        assert_eq!(decode::<u64>(&[0x05, 0x05]), Err(CborError::Trailing(1)));
    }
}
