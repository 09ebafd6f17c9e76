//! A steward, three structures it may admit, and one that it never does.

use maillon_protocol::{
    charter::{
        self, Change, Charter, Cut, Entry, EpochSecret, Grant, Made, Steward, StewardError, Subject,
    },
    descriptor::{Descriptor, StructureKind},
    ids::{Hash, Incarnation, NodeId, RecordId},
    invite::{Acceptance, Invitation, InvitationReason},
    keys::{NodeKey, SealKey, SealPublic},
    seal::SUITE,
    sign::{Verified, sign},
    time::Timestamp,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::Act;

/// Now, Unix milliseconds.
pub const NOW: u64 = 1_780_000_000_000;
/// The log of whoever is removed whose cuts move.
pub const LOG: Incarnation = Incarnation([7; 16]);
/// The record at a place of it.
pub fn head(sequence: u64) -> RecordId {
    RecordId([u8::try_from(sequence).unwrap_or(0); 32])
}
/// The stranger's place among the people.
pub const STRANGER: usize = 4;

/// A node's keys and what it says of itself.
pub struct Person {
    pub key: NodeKey,
    pub seal: SealKey,
    pub descriptor: Verified<Descriptor>,
}

/// 0 is the steward, 1 to 3 may be admitted, [`STRANGER`] is not.
pub fn people(rng: &mut ChaCha20Rng) -> Vec<Person> {
    (0..=STRANGER)
        .map(|index| {
            let key = NodeKey::generate(rng);
            let seal = SealKey::generate(NOW + 365 * 24 * 3600 * 1000, rng);
            let descriptor = sign(
                Descriptor {
                    version: 1,
                    node: key.id(),
                    counter: NOW,
                    name: format!("Structure {index}"),
                    kind: StructureKind::Dac,
                    finess: String::new(),
                    territory: String::new(),
                    addresses: Vec::new(),
                    suite: SUITE.to_owned(),
                    seal: seal.public().clone(),
                    protocols: (1, 1),
                    administrator: String::new(),
                    dpo: String::new(),
                    recovery: Hash([0; 32]),
                },
                &key,
            );
            Person {
                key,
                seal,
                descriptor,
            }
        })
        .collect()
}

/// The chain as its steward makes it.
pub struct World {
    pub people: Vec<Person>,
    pub charter: Charter,
    pub entries: Vec<Verified<Entry>>,
    pub secrets: Vec<(u64, EpochSecret)>,
    /// Every sealed copy that was made.
    pub seals: Vec<charter::SealedSecret>,
    pub rng: ChaCha20Rng,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let people = people(&mut rng);
        let made = charter::found(
            Subject::Patient,
            None,
            &people[0].descriptor,
            &people[0].key,
            Timestamp::from_ms(NOW),
            &mut rng,
        );
        let mut world = Self {
            people,
            charter: made.charter.clone(),
            entries: Vec::new(),
            secrets: Vec::new(),
            seals: Vec::new(),
            rng,
        };
        world.keep(made);
        world
    }

    fn keep(&mut self, made: Made) {
        let number = made.charter.number();
        self.secrets
            .extend(made.secret.map(|secret| (number, secret)));
        self.seals.extend(made.seals);
        self.entries.push(made.entry);
        self.charter = made.charter;
    }

    /// The key of somebody in this world.
    pub fn key_of(&self, node: &NodeId) -> &NodeKey {
        let person = self.people.iter().find(|person| person.key.id() == *node);
        &person.expect("everybody who signs is here").key
    }

    pub fn acceptance(&mut self, guest: usize, steward: NodeId) -> Verified<Acceptance> {
        let host = self.key_of(&steward).clone();
        let guest = &self.people[guest];
        let invitation = Invitation::make(
            guest.key.id(),
            guest.seal.public(),
            Subject::Patient,
            InvitationReason::CareTeam,
            None,
            None,
            &host,
            NOW,
            &mut self.rng,
        )
        .expect("the guest's key is valid");
        Acceptance::make(&invitation, Hash(guest.descriptor.id), &guest.key, NOW)
    }

    /// What the steward makes of `act`, at the head of `charter`.
    pub fn make(&mut self, charter: &Charter, act: Act) -> Result<Made, StewardError> {
        let acceptance = match act {
            Act::Admit(guest, _) => Some(self.acceptance(guest, charter.state().steward)),
            _ => None,
        };
        let people = &self.people;
        let seal_key = |node: &_| -> Option<SealPublic> {
            people
                .iter()
                .find(|person| person.key.id() == *node)
                .map(|person| person.seal.public().clone())
        };
        let steward = Steward {
            charter,
            key: self.key_of(&charter.state().steward),
            seal_key,
            time: Timestamp::from_ms(NOW),
        };
        let mut rng = self.rng.clone();
        let rng = &mut rng;
        let made = match (act, acceptance) {
            (Act::Admit(guest, past), Some(acceptance)) => charter::admit(
                &steward,
                &people[guest].descriptor,
                &acceptance,
                past.grant(charter),
                Vec::new(),
                &self.secrets,
                rng,
            ),
            (Act::Remove(node), _) => charter::remove(
                &steward,
                people[node].key.id(),
                charter::RemovalReason::Ended,
                Vec::new(),
                rng,
            ),
            (Act::Rotate, _) => charter::rotate(&steward, charter::RotationReason::Precaution, rng),
            (Act::Close, _) => charter::close(&steward, 0, rng),
            (Act::HandOver(to), _) => charter::hand_over(&steward, people[to].key.id(), rng),
            (Act::Appoint(set), _) => {
                let chosen = people.iter().enumerate();
                let deputies = chosen.filter(|(place, _)| set & (1 << place) != 0);
                let deputies = deputies.map(|(_, person)| person.key.id()).collect();
                charter::appoint(&steward, deputies, rng)
            }
            (Act::Reopen, _) => charter::reopen(&steward, 0, rng),
            (Act::MoveCut(node, to), _) => {
                let gone = people[node].key.id();
                let removes = |entry: &&Verified<Entry>| matches!(entry.object.change, Change::Remove { node, .. } if node == gone);
                let removal = self.entries.iter().rev().find(removes);
                let removal = removal.map_or(0, |entry| entry.object.number);
                let cut = Cut {
                    incarnation: LOG,
                    sequence: to,
                    id: head(to),
                };
                charter::move_cuts(&steward, gone, removal, vec![cut], rng)
            }
            (Act::Admit(..), None) => unreachable!("an acceptance was made for it"),
        };
        self.rng = rng.clone();
        made
    }

    /// The steward does it, where it can.
    pub fn act(&mut self, act: Act) -> Result<(), StewardError> {
        let charter = self.charter.clone();
        let made = self.make(&charter, act)?;
        self.keep(made);
        Ok(())
    }
}

/// How much of the past an admission grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    Whole,
    Nothing,
    /// From the newest epoch on.
    Now,
}

impl Past {
    pub fn grant(self, charter: &Charter) -> Grant {
        match self {
            Self::Whole => Grant::Whole,
            Self::Nothing => Grant::Nothing,
            Self::Now => Grant::From(charter.state().epoch.number),
        }
    }
}
