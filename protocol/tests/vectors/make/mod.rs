//! Makes every file, one for each kind.

mod attachment;
mod body;
mod content;
mod departure;
mod descriptor;
mod entry;
mod epoch;
mod letters;
mod message;
mod names;
mod pairing;
mod presentation;
mod record;
mod replacement;

use serde_json::Value;

use crate::world::World;

/// Kind and content of each file.
pub(crate) fn all() -> Vec<(&'static str, Value)> {
    let world = World::new();
    vec![
        ("ids", names::ids(&world)),
        ("padding", names::padding()),
        ("descriptor", descriptor::make(&world)),
        ("entry", entry::make(&world)),
        ("epoch", epoch::make(&world)),
        ("record", record::make(&world)),
        ("content", content::make(&world)),
        ("ack", letters::ack(&world)),
        ("invitation", letters::invitation(&world)),
        ("acceptance", letters::acceptance(&world)),
        ("departure", departure::make(&world)),
        ("replacement", replacement::statements(&world)),
        ("revocation", replacement::revocations(&world)),
        ("replace", replacement::entries(&world)),
        ("attachment", attachment::make()),
        ("pairing", pairing::make(&world)),
        ("message", message::make(&world)),
        ("presentation", presentation::make(&world)),
    ]
}
