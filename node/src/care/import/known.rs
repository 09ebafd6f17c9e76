//! What imports remember, so that the same things are recognised when they come again.

use maillon_protocol::{
    content::PatientIdentity,
    ids::{CircleId, Hash, RecordId, ThingId},
};
use minicbor::{Decode, Encode};

/// What is known of an item that was imported before.
#[derive(Encode, Decode)]
#[cbor(array)]
pub(super) struct Known {
    #[n(0)]
    pub(super) thing: ThingId,
    #[n(1)]
    pub(super) newest: RecordId,
    #[n(2)]
    pub(super) content: Hash,
}

/// Whom a source's key names.
#[derive(Encode, Decode)]
#[cbor(array)]
pub(super) struct Alias {
    #[n(0)]
    pub(super) circle: CircleId,
    #[n(1)]
    pub(super) identity: PatientIdentity,
    /// Whether somebody else came under the same key. It stays so.
    #[n(2)]
    #[cbor(default)]
    pub(super) ambiguous: bool,
}

/// The key under which a person's identity itself is remembered.
pub(super) const IDENTITY: &str = "identity";

/// What a row that imports remember something by is about.
pub(in crate::care) enum Remembered {
    /// A circle.
    Circle(CircleId),
    /// A record.
    Record(RecordId),
}

/// The first letters of such rows; those of the files themselves are others.
pub(in crate::care) const REMEMBERED: [u8; 3] = [b'k', b'p', b'i'];

/// What such a row is about; none where it cannot be read.
pub(in crate::care) fn about(letter: u8, value: &[u8]) -> Option<Remembered> {
    match letter {
        b'k' => {
            let alias = minicbor::decode::<Alias>(value).ok()?;
            Some(Remembered::Circle(alias.circle))
        }
        b'p' => minicbor::decode(value).ok().map(Remembered::Circle),
        _ => {
            let known = minicbor::decode::<Known>(value).ok()?;
            Some(Remembered::Record(known.newest))
        }
    }
}
