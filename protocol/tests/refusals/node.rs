//! A node with its keys, over a map: what a hostile member has too.

use maillon_protocol::{
    charter::{Grant, SealedSecret, Subject},
    content::{Content, LiaisonNote, NoteKind, Professional, Structure},
    descriptor::{Descriptor, StructureKind},
    ids::{CircleId, Hash, ThingId},
    invite::InvitationReason,
    keys::{NodeKey, SealKey},
    record::Record,
    replica::{Draft, IncomingState, Keys, Memory, Replica, RowPrefix, Rows},
    seal::SUITE,
    sign::{self, sign},
    sync::Change,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

pub const NOW: u64 = 1_780_000_000_000;

pub struct Node {
    pub keys: Keys,
    pub replica: Replica,
    pub rows: Memory,
    pub rng: ChaCha20Rng,
}

impl Node {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let keys = Keys {
            node: NodeKey::generate(&mut rng),
            seals: vec![SealKey::generate(NOW + 365 * 24 * 3600 * 1000, &mut rng)],
        };
        Self::with(keys, rng)
    }

    /// The same keys and an empty disk.
    pub fn with(keys: Keys, mut rng: ChaCha20Rng) -> Self {
        let descriptor = sign(
            Descriptor {
                version: 1,
                node: keys.node.id(),
                counter: NOW,
                name: "Structure".to_owned(),
                kind: StructureKind::Dac,
                finess: String::new(),
                territory: String::new(),
                addresses: Vec::new(),
                suite: SUITE.to_owned(),
                seal: keys.seals[0].public().clone(),
                protocols: (1, 1),
                administrator: String::new(),
                dpo: String::new(),
                recovery: Hash([0; 32]),
            },
            &keys.node,
        );
        let rows = Memory::default();
        let replica =
            Replica::load(&rows, keys.clone(), descriptor, &mut rng).expect("empty rows load");
        let mut node = Self {
            keys,
            replica,
            rows,
            rng,
        };
        node.commit();
        node
    }

    /// Makes what is staged durable; the records that are new.
    pub fn commit(&mut self) -> Vec<Record> {
        self.rows.commit(self.replica.staged());
        self.replica
            .committed()
            .news
            .into_iter()
            .flat_map(|news| match news.change {
                Change::Records(records) => records.to_vec(),
                _ => Vec::new(),
            })
            .collect()
    }

    pub fn found(&mut self) -> CircleId {
        let circle = self.replica.found(Subject::Community, NOW, &mut self.rng);
        self.commit();
        circle
    }

    pub fn write(&mut self, circle: &CircleId) -> Vec<Record> {
        let note = Content::LiaisonNote(LiaisonNote {
            note: NoteKind::General,
            text: "Permanence ouverte.".to_owned(),
            emergency: false,
            written_by: Vec::new(),
            attachments: Vec::new(),
            withdrawn: String::new(),
        });
        self.say(circle, note)
    }

    pub fn say(&mut self, circle: &CircleId, content: Content) -> Vec<Record> {
        let draft = Draft {
            thing: Some(ThingId([7; 16])),
            parent: None,
            supersedes: Vec::new(),
            author: Professional {
                name: "Camille Exemple".to_owned(),
                identifiers: Vec::new(),
                profession: None,
                structure: Structure {
                    name: "DAC".to_owned(),
                    identifiers: Vec::new(),
                },
            },
            occurred_ms: NOW,
            content,
        };
        self.replica
            .write(&self.rows, circle, vec![draft], NOW, &mut self.rng)
            .expect("a member writes");
        self.commit()
    }
}

/// `host` invites `guest`, who accepts: the acceptance.
pub fn agree(host: &mut Node, guest: &mut Node, circle: CircleId) -> Vec<u8> {
    host.replica
        .take_descriptor(&host.rows, guest.replica.descriptor())
        .expect("a first descriptor");
    host.commit();
    let invitation = host
        .replica
        .invite(
            &host.rows,
            &circle,
            guest.replica.own(),
            InvitationReason::Community,
            None,
            Grant::Whole,
            NOW,
            &mut host.rng,
        )
        .expect("the steward invites");
    host.commit();
    let letter = host.replica.outgoing(&host.rows).expect("rows");
    let letter = letter.into_iter().find(|(id, _)| *id == invitation);
    let letter = letter.expect("it was sent").1.invitation;
    guest
        .replica
        .take_invitation(&guest.rows, host.replica.own(), letter.0, NOW)
        .expect("an invitation");
    guest.commit();
    guest
        .replica
        .accept(&guest.rows, &invitation, None, NOW)
        .expect("it waits");
    guest.commit();
    let answers = guest.replica.incoming(&guest.rows).expect("rows");
    let answer = answers.into_iter().find(|(id, _)| *id == invitation);
    let Some(IncomingState::Accepted { acceptance, .. }) = answer.map(|(_, row)| row.state) else {
        panic!("accepted above")
    };
    acceptance.0
}

/// `host` invites `guest`, who accepts; `host` admits it. The charter has not been sent.
pub fn admit(host: &mut Node, guest: &mut Node, circle: CircleId) {
    let acceptance = agree(host, guest, circle);
    host.replica
        .take_acceptance(
            &host.rows,
            guest.replica.own(),
            acceptance,
            NOW,
            &mut host.rng,
        )
        .expect("an acceptance of ours");
    host.commit();
}

/// Hands the whole charter over, with the copies for the guest.
pub fn hand_over(
    host: &Node,
    guest: &mut Node,
    circle: CircleId,
) -> Result<(), maillon_protocol::replica::ArriveError> {
    let entries = host
        .rows
        .scan(&RowPrefix::Entries(circle, 0))
        .expect("rows")
        .into_iter()
        .map(|bytes| sign::verify(bytes).expect("signed"))
        .collect();
    let seals: Vec<SealedSecret> = host
        .rows
        .scan(&RowPrefix::Seals(circle, guest.replica.own()))
        .expect("rows")
        .iter()
        .map(|bytes| maillon_protocol::cbor::decode(bytes).expect("a copy"))
        .collect();
    guest.replica.take_entries(
        &guest.rows,
        host.replica.own(),
        circle,
        entries,
        &seals,
        NOW,
        &mut guest.rng,
    )?;
    guest.commit();
    Ok(())
}
