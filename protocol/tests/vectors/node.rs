//! The nodes of the vectors, their keys and descriptors. Everything comes from fixed seeds.

use maillon_protocol::{
    content::{IdentityStatus, Ins, InsKind, PatientIdentity, Sex},
    descriptor::{Descriptor, StructureKind},
    ids::{Hash, Incarnation, LogId, NodeId},
    keys::{NodeKey, SealKey},
    seal::SUITE,
    sign::{self, Verified},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

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
