//! One circle: the entries of its charter, the letters before them, and the records that they name.

use maillon_protocol::{
    charter::{
        self, Charter, Cut, EpochSecret, Grant, LogStart, Made, Predecessor, RemovalReason,
        RotationReason, Steward, Subject,
    },
    ids::{CircleId, EntryHash, Hash, NodeId, RecordId},
    invite::{Acceptance, Invitation, InvitationReason},
    keys::SealPublic,
    record::{self, Header, Previous, Record},
    sign::Verified,
    time::Timestamp,
};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

use crate::node::{NOW, Node, identity, rng};

/// One circle from its founding to its last closing, with the records that the entries name.
pub(crate) struct World {
    pub(crate) nodes: [Node; 3],
    pub(crate) invitation: Verified<Invitation>,
    pub(crate) acceptances: [Verified<Acceptance>; 2],
    /// Entries 1 to 6: found, admit 2, admit 3, remove 2, rotate, close; 7 to 11: reopen, appoint 3, hand over to 3, 3 closes, and
    /// moves the cut of 2.
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
    /// The circle up to its second entry, as another one that continues it names it.
    pub(crate) fn predecessor(&self) -> Predecessor {
        let charter = &self.made[1].charter;
        Predecessor {
            circle: charter.circle(),
            entry: charter.number(),
            hash: charter.head(),
        }
    }

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
                None,
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
                None,
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
        world.extend(57, |_, steward, rng| charter::reopen(steward, 1, rng));
        world.extend(58, |_, steward, rng| {
            charter::appoint(steward, vec![third.id()], rng)
        });
        world.extend(59, |_, steward, rng| {
            charter::hand_over(steward, third.id(), rng)
        });
        world.extend(60, |_, steward, rng| charter::close(steward, 1, rng));
        let late = world.write(second, Some(&theirs), 2, "Vu hier soir.".as_bytes(), 68);
        let moved = Cut {
            sequence: 2,
            id: late.record.id(),
            ..cut
        };
        world.extend(66, |_, steward, rng| {
            charter::move_cuts(steward, second.id(), 4, vec![moved], rng)
        });
        world.records = vec![theirs, opening, note, later];
        world
    }

    fn extend(
        &mut self,
        seed: u8,
        change: impl FnOnce(
            &Self,
            &Steward<'_, &dyn Fn(&NodeId) -> Option<SealPublic>>,
            &mut ChaCha20Rng,
        ) -> Result<Made, charter::StewardError>,
    ) {
        let steward = self.charter(self.made.len()).state().steward;
        let node = self.nodes.iter().find(|node| node.id() == steward);
        let key = node.expect("a node of this world").key();
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
        let (sequence, previous, entry_before) = match before {
            Some(before) => (
                before.record.header.object.sequence + 1,
                Previous::Record(before.record.id()),
                before.record.header.object.entry,
            ),
            None => (1, Previous::Opening(Vec::new()), 0),
        };
        Header {
            circle: charter.circle(),
            sequence,
            previous,
            entry: number,
            entry_hash: charter.head(),
            epoch: charter.epoch_of(number).expect("an epoch").1,
            time: Timestamp::from_ms(NOW + 1000 + sequence),
            entry_before,
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
        entry_before: 0,
    }
}
