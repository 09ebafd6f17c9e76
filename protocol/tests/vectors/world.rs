//! The nodes of the vectors and what they have signed. Everything comes from fixed seeds.

use maillon_protocol::{
    charter::{
        self, Charter, Cut, EpochSecret, Grant, LogStart, Made, RemovalReason, RotationReason,
        Steward, Subject,
    },
    content::{IdentityStatus, Ins, InsKind, PatientIdentity, Sex},
    descriptor::{Descriptor, StructureKind},
    ids::{Hash, Incarnation, LogId, NodeId, RecordId},
    invite::{Acceptance, Invitation, InvitationReason},
    keys::{NodeKey, SealKey},
    record::{self, Header, Previous, Record},
    seal::SUITE,
    sign::{self, Verified},
    time::Timestamp,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rand_core::Rng as _;

/// 2027-01-15, in Unix milliseconds.
pub(crate) const NOW: u64 = 1_800_000_000_000;
pub(crate) const DAY: u64 = 24 * 3600 * 1000;

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// A node: its identity's seed, its receive key's seed, and its descriptor.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) seed: [u8; 32],
    pub(crate) seal_seed: [u8; 32],
    pub(crate) descriptor: Verified<Descriptor>,
}

impl Node {
    /// Node 1 is the steward of the circle; 2 is removed from it; 3 joins without its past.
    pub(crate) fn new(number: u8) -> Self {
        let seed = [number; 32];
        let seal_seed = [0x10 + number; 32];
        let seal = SealKey::from_seed(&seal_seed, NOW + 90 * DAY);
        let key = NodeKey::from_seed(&seed);
        let (name, kind, finess) = match number {
            1 => (
                "Dispositif d’appui des Trois Vallées",
                StructureKind::Dac,
                "990000001",
            ),
            2 => (
                "Centre hospitalier de la Plaine",
                StructureKind::Hospital,
                "990000002",
            ),
            _ => ("CPTS du Littoral", StructureKind::Cpts, ""),
        };
        let descriptor = Descriptor {
            version: 1,
            node: key.id(),
            counter: NOW,
            name: name.to_owned(),
            kind,
            finess: finess.to_owned(),
            territory: "Trois Vallées".to_owned(),
            addresses: vec![
                format!("/ip4/192.0.2.{number}/udp/4001/quic-v1"),
                format!("/dns4/maillon.structure-{number}.example/tcp/443"),
            ],
            suite: SUITE.to_owned(),
            seal: seal.public().clone(),
            protocols: (1, 1),
            administrator: "administration@example.org".to_owned(),
            dpo: "dpo@example.org".to_owned(),
            recovery: Hash([0x20 + number; 32]),
        };
        Self {
            seed,
            seal_seed,
            descriptor: sign::sign(descriptor, &key),
        }
    }

    pub(crate) fn key(&self) -> NodeKey {
        NodeKey::from_seed(&self.seed)
    }

    pub(crate) fn id(&self) -> NodeId {
        self.descriptor.object.node
    }

    pub(crate) fn seal(&self) -> SealKey {
        SealKey::from_seed(&self.seal_seed, NOW + 90 * DAY)
    }

    pub(crate) fn log(&self) -> LogId {
        LogId {
            node: self.id(),
            incarnation: Incarnation([0x30 + self.seed[0]; 16]),
        }
    }
}

/// The identity that the invitations carry: fictive, with the national agency's published test number.
pub(crate) fn identity() -> PatientIdentity {
    PatientIdentity {
        birth_name: "ADRUN".to_owned(),
        birth_given_names: vec!["DOMINIQUE".to_owned(), "MARIE-LOUISE".to_owned()],
        used_name: String::new(),
        used_given_name: String::new(),
        birth_date: "1979-03".to_owned().try_into().ok(),
        sex: Sex::Female,
        birth_place: "51215".to_owned(),
        ins: Some(Ins::new("279035121518989", InsKind::TestNir)),
        status: IdentityStatus::Qualified,
        validated_by: "CN".to_owned(),
        contacts: Vec::new(),
        identifiers: Vec::new(),
    }
}

/// One circle from its founding to its closing, with the records that the entries name.
pub(crate) struct World {
    pub(crate) nodes: [Node; 3],
    pub(crate) invitation: Verified<Invitation>,
    pub(crate) acceptances: [Verified<Acceptance>; 2],
    /// Entries 1 to 6: found, admit 2, admit 3, remove 2, rotate, close.
    pub(crate) made: Vec<Made>,
    records: Vec<Written>,
}

/// A record with what it was made of.
pub(crate) struct Written {
    pub(crate) record: Record,
    pub(crate) fresh: [u8; 32],
    pub(crate) content: Vec<u8>,
}

impl World {
    pub(crate) fn new() -> Self {
        let nodes = [1, 2, 3].map(Node::new);
        let [first, second, third] = &nodes;
        let invite = |to: &Node, seed| {
            Invitation::make(
                to.id(),
                to.seal().public(),
                Subject::Patient,
                InvitationReason::CareTeam,
                Some(&identity()),
                &first.key(),
                NOW,
                &mut rng(seed),
            )
            .expect("a valid key")
        };
        let accept = |invitation: &Verified<Invitation>, node: &Node| {
            let descriptor = Hash(node.descriptor.id);
            Acceptance::make(invitation, descriptor, &node.key(), NOW + 1)
        };
        let invitation = invite(second, 41);
        let acceptances = [
            accept(&invitation, second),
            accept(&invite(third, 42), third),
        ];

        let mut world = Self {
            made: vec![charter::found(
                Subject::Patient,
                &first.descriptor,
                &first.key(),
                Timestamp::from_ms(NOW),
                &mut rng(51),
            )],
            nodes: nodes.clone(),
            invitation,
            acceptances,
            records: Vec::new(),
        };
        let secrets = |world: &Self| -> Vec<(u64, EpochSecret)> {
            world
                .made
                .iter()
                .filter_map(|made| Some((made.charter.number(), made.secret.clone()?)))
                .collect()
        };
        world.extend(52, |world, steward, rng| {
            let known = secrets(world);
            charter::admit(
                steward,
                &second.descriptor,
                &world.acceptances[0],
                Grant::Whole,
                Vec::new(),
                &known,
                rng,
            )
        });
        let theirs = world.write(second, None, 2, b"", 61);
        let opening = world.write(first, None, 2, b"", 62);
        let note = world.write(
            first,
            Some(&opening),
            2,
            "Vue ce matin, va bien.".as_bytes(),
            63,
        );
        let start = LogStart {
            log: first.log(),
            sequence: 3,
        };
        world.extend(53, |world, steward, rng| {
            charter::admit(
                steward,
                &third.descriptor,
                &world.acceptances[1],
                Grant::Nothing,
                vec![start],
                &[],
                rng,
            )
        });
        let later = world.write(first, Some(&note), 3, &[0x61; 5000], 64);
        let cut = Cut {
            incarnation: second.log().incarnation,
            sequence: 1,
            id: theirs.record.id(),
        };
        world.extend(54, |_, steward, rng| {
            charter::remove(steward, second.id(), RemovalReason::Ended, vec![cut], rng)
        });
        world.extend(55, |_, steward, rng| {
            charter::rotate(steward, RotationReason::Suspected, rng)
        });
        world.extend(56, |_, steward, rng| charter::close(steward, 0, rng));
        world.records = vec![theirs, opening, note, later];
        world
    }

    fn extend(
        &mut self,
        seed: u8,
        change: impl FnOnce(
            &Self,
            &Steward<'_, &dyn Fn(&NodeId) -> Option<maillon_protocol::keys::SealPublic>>,
            &mut ChaCha20Rng,
        ) -> Result<Made, charter::StewardError>,
    ) {
        let key = self.nodes[0].key();
        let seal_key = |id: &NodeId| {
            let node = self.nodes.iter().find(|node| node.id() == *id)?;
            Some(node.seal().public().clone())
        };
        let steward = Steward {
            charter: self.charter(self.made.len()),
            key: &key,
            seal_key: &seal_key as &dyn Fn(&NodeId) -> Option<_>,
            time: Timestamp::from_ms(NOW + u64::from(seed)),
        };
        let made = change(self, &steward, &mut rng(seed)).expect("a change that is right");
        self.made.push(made);
    }

    /// Node 1's log: opening and a note at entry 2, a long note at entry 3.
    pub(crate) fn log(&self) -> &[Written] {
        &self.records[1..]
    }

    /// The opening of node 2's log, at entry 2: all of it that counts after its removal.
    pub(crate) fn cut(&self) -> &Written {
        &self.records[0]
    }

    /// The charter with this many entries.
    pub(crate) fn charter(&self, entries: usize) -> &Charter {
        &self.made[entries - 1].charter
    }

    pub(crate) fn secret(&self, epoch: usize) -> &EpochSecret {
        self.made[epoch - 1].secret.as_ref().expect("an epoch")
    }

    /// The header of the next record of a log, without what its body fills in.
    pub(crate) fn header(&self, node: &Node, before: Option<&Written>, entry: usize) -> Header {
        let charter = self.charter(entry);
        let number = charter.number();
        let (sequence, previous) = match before {
            Some(before) => (
                before.record.header.object.sequence + 1,
                Previous::Record(before.record.id()),
            ),
            None => (1, Previous::Opening(Vec::new())),
        };
        Header {
            circle: charter.circle(),
            sequence,
            previous,
            entry: number,
            entry_hash: charter.head(),
            epoch: charter.epoch_of(number).expect("an epoch").1,
            time: Timestamp::from_ms(NOW + 1000 + sequence),
            ..empty_header(node)
        }
    }

    pub(crate) fn write(
        &self,
        node: &Node,
        before: Option<&Written>,
        entry: usize,
        content: &[u8],
        seed: u8,
    ) -> Written {
        self.write_header(node, self.header(node, before, entry), entry, content, seed)
    }

    pub(crate) fn write_header(
        &self,
        node: &Node,
        header: Header,
        epoch: usize,
        content: &[u8],
        seed: u8,
    ) -> Written {
        // What the crate draws first is the salt's key: the vector tells it.
        let mut fresh = [0; 32];
        rng(seed).fill_bytes(&mut fresh);
        let secret = self.secret(epoch);
        let record = record::write(header, secret, content, &node.key(), &mut rng(seed))
            .expect("within the limits");
        Written {
            record,
            fresh,
            content: content.to_vec(),
        }
    }
}

fn empty_header(node: &Node) -> Header {
    use maillon_protocol::ids::{CircleId, EntryHash};
    Header {
        version: 1,
        circle: CircleId([0; 32]),
        log: node.log(),
        sequence: 1,
        previous: Previous::Record(RecordId([0; 32])),
        entry: 1,
        entry_hash: EntryHash([0; 32]),
        epoch: EntryHash([0; 32]),
        time: Timestamp(0),
        salt: Hash([0; 32]),
        body_hash: Hash([0; 32]),
        body_length: 0,
    }
}
