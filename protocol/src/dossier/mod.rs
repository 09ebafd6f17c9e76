//! The projection: records in, what the file says now out. Pure, order-free, without a database.
//!
//! Everything in a dossier is a *thing*: one note, one alert, one answer, one person's place in the team. Records are versions of things,
//! and each names the versions that it supersedes. One version left standing: that is the value. Several: a conflict, which every
//! node sees in the same way. A version that its author had no right to write is contested and supersedes nothing. Nothing is
//! merged or dropped silently, and the order of arrival plays no part: [`Thing::add`] commutes.
//!
//! A [`Thing`] holds no text. It is an index over record ids, small enough to keep for every record, and its canonical encoding is what two
//! nodes compare ([`DossierDigest`]). What a version says is read from its record when somebody looks.

pub mod alert;
mod delivery;
mod thing;

pub use alert::{AlertEntry, Answer, Asked};
pub use delivery::{Delivery, Step};
pub use thing::{Standing, Thing, Version};

use sha2::{Digest, Sha256};

use crate::{
    cbor,
    ids::{Hash, ThingId},
};

/// SHA-256 over the canonical encodings of things, in the order of their ids: equal where two nodes show the same file. What a removal no longer
/// lets count is left out, for not every member has seen it; what belongs to what stands in the children.
#[derive(Default)]
pub struct DossierDigest(Sha256);

impl DossierDigest {
    /// Adds the next thing; ids must come in growing order.
    pub fn add(&mut self, id: &ThingId, thing: &Thing) {
        let versions: Vec<_> = thing
            .versions
            .iter()
            .filter(|version| !version.after_removal)
            .collect();
        if !versions.is_empty() {
            self.0.update(cbor::encode(&(*id, &thing.parent, versions)));
        }
    }

    /// The digest.
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}
