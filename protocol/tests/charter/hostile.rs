//! Entries that nobody may take.

use maillon_protocol::{
    charter::{Change, Entry, RotationReason},
    ids::{CircleId, EntryHash},
    sign::{Unverified, Verified, sign},
};

use super::{
    Act,
    world::{Past, STRANGER, World},
};

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Signed by the member or stranger with this place, in its own name.
    Signer(usize),
    /// Signed in the steward's name by somebody else: one byte of the signature is another one.
    Signature,
    /// Names another entry before it.
    Previous,
    /// Leaves a number out.
    Number,
    /// Of another circle.
    Circle,
    /// States one member more than its change makes.
    State,
    /// Leaves the epoch as it was.
    Epoch,
    /// One bit of its bytes is another one.
    Bit(usize),
    /// A charter's founding entry, once more.
    Founding,
    /// Says a version that does not exist.
    Version,
}

pub const PLAIN: [Wrong; 10] = [
    Wrong::Signer(1),
    Wrong::Signer(STRANGER),
    Wrong::Signature,
    Wrong::Previous,
    Wrong::Number,
    Wrong::Circle,
    Wrong::State,
    Wrong::Epoch,
    Wrong::Founding,
    Wrong::Version,
];

/// A hostile entry that pretends to follow entry `after` of the chain, as bytes.
pub fn forge(world: &mut World, after: usize, wrong: Wrong) -> Vec<u8> {
    let after = after % world.entries.len();
    // What the steward could have made there: a rotation.
    let mut charter =
        maillon_protocol::charter::Charter::found(&world.entries[0]).expect("it founds");
    for entry in &world.entries[1..=after] {
        charter = charter.extend(entry).expect("the steward's own entries");
    }
    let Ok(made) = world.make(&charter, Act::Rotate) else {
        return forge_closed(world, after, wrong);
    };
    spoil(world, made.entry, wrong)
}

/// After the entry that closes a circle, nothing is right but one that opens it again.
fn forge_closed(world: &World, after: usize, wrong: Wrong) -> Vec<u8> {
    let last = &world.entries[after];
    let mut entry = last.object.clone();
    entry.number += 1;
    entry.previous = Some(EntryHash(last.id));
    entry.change = Change::Rotate {
        reason: RotationReason::Precaution,
    };
    entry.signer = entry.state.steward;
    let key = world.key_of(&entry.signer);
    let entry = sign(entry, key);
    spoil(world, entry, wrong)
}

fn spoil(world: &World, right: Verified<Entry>, wrong: Wrong) -> Vec<u8> {
    let mut entry = right.object;
    match wrong {
        Wrong::Signer(who) => {
            let other = world.people[who].key.id();
            let steward = entry.signer == other;
            let who = if steward { STRANGER } else { who };
            entry.signer = world.people[who].key.id();
        }
        Wrong::Previous => entry.previous = Some(EntryHash([7; 32])),
        Wrong::Number => entry.number += 1,
        Wrong::Circle => entry.circle = Some(CircleId([7; 32])),
        Wrong::State => {
            let mut more = entry.state.members[0];
            more.node = world.people[STRANGER].key.id();
            entry.state.members.push(more);
        }
        Wrong::Epoch => entry.state.epoch.number = 1,
        Wrong::Version => entry.version = 2,
        Wrong::Founding => entry = world.entries[0].object.clone(),
        Wrong::Signature | Wrong::Bit(_) => {}
    }
    let key = world.key_of(&entry.signer);
    let mut bytes = sign(entry, key).bytes;
    let last = bytes.len() - 1;
    match wrong {
        Wrong::Signature => bytes[last] ^= 1,
        Wrong::Bit(bit) => bytes[(bit / 8) % (last + 1)] ^= 1 << (bit % 8),
        _ => {}
    }
    bytes
}

/// The entry, if its form and its signature pass: then the charter must refuse it.
pub fn read(bytes: Vec<u8>) -> Option<Verified<Entry>> {
    Unverified::<Entry>::parse(bytes).ok()?.verify().ok()
}

/// An admission of the stranger by an acceptance that was used before, or by one that another node gave.
pub fn used_acceptance(world: &mut World) -> Option<Vec<u8>> {
    let quoted = world.entries.iter().find_map(|entry| {
        let Change::Admit { acceptance, .. } = &entry.object.change else {
            return None;
        };
        Some(acceptance.clone())
    })?;
    let charter = world.charter.clone();
    let made = world
        .make(&charter, Act::Admit(STRANGER, Past::Whole))
        .ok()?;
    let mut entry = made.entry.object;
    if let Change::Admit { acceptance, .. } = &mut entry.change {
        *acceptance = quoted;
    }
    let key = world.key_of(&entry.signer);
    Some(sign(entry, key).bytes)
}
