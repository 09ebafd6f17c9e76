// What is done with bytes that a stranger or a peer sent, or that a file held: whatever they are, there is an answer, and what is taken has one
// form. Part of two programs: the fuzzers of tests/fuzz, and the ordinary test that runs their corpora (tests/tests/corpora.rs).

use std::sync::OnceLock;

use maillon_protocol::{
    admin::{Greeting, Reply, Request},
    cbor::{self, Bytes},
    charter::{self, Change, Charter, Departure, Entry, SealedSecret, Subject},
    circle::Ack,
    content::Envelope,
    descriptor::{Descriptor, StructureKind},
    identity::{Identity, Replacement, Revocation, recovery_hash},
    ids::{CircleId, Hash, NodeId},
    invite::{Acceptance, Invitation},
    keys::{NodeKey, SealKey},
    pairing,
    record::{self, Header, log::LogTip},
    seal,
    sign::{self, Signed, Unverified, Verified},
    sync::{Message, Presentation},
    time::Timestamp,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// A target: its name, which is that of its corpus, and what it does.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Those of the protocol.
pub(crate) const TARGETS: [Target; 10] = [
    ("frame", frame),
    ("presentation", presentation),
    ("header", header),
    ("body", body),
    ("charter", entries),
    ("letter", letter),
    ("descriptor", descriptor),
    ("ack", ack),
    ("pairing", pair),
    ("admin", admin),
];

/// A fixed moment, so that a corpus says the same tomorrow.
const NOW_MS: u64 = 1_790_000_000_000;

fn key(number: u8) -> NodeKey {
    NodeKey::from_seed(&[number; 32])
}

/// Signed bytes are taken in one form only; whether the signature is right is another question, which is asked too.
fn signed<T>(data: &[u8]) -> Option<Verified<T>>
where
    T: Signed + Clone + PartialEq + std::fmt::Debug,
{
    let parsed = Unverified::<T>::parse(data.to_vec()).ok()?;
    let object = parsed.object.clone();
    let again = cbor::encode(&object);
    assert_eq!(cbor::decode::<T>(&again).as_ref(), Ok(&object));
    assert_eq!(parsed.bytes, data, "one form");
    let _ = Unverified::<T>::parse(data.to_vec()).map(Unverified::verify);
    Some(parsed.trust_stored())
}

/// A frame between two nodes.
fn frame(data: &[u8]) {
    if let Ok(message) = Message::decode(data) {
        assert_eq!(message.encode(), data, "one form");
        assert!(!message.name().is_empty());
    }
}

/// What a stranger presents, and each entry in it.
fn presentation(data: &[u8]) {
    let Ok(said) = Presentation::decode(data) else {
        return;
    };
    assert_eq!(said.encode(), data, "one form");
    for entry in said.entries {
        if let Some(entry) = signed::<Entry>(&entry.0) {
            let _ = founded().extend(&entry);
        }
    }
    let seal = SealKey::from_seed(&[9; 32], u64::MAX);
    for copy in said.seals {
        let _ = founded().open_secret(&copy, copy.recipient, std::slice::from_ref(&seal));
    }
}

/// A record's header, against a charter and a log.
fn header(data: &[u8]) {
    let Some(header) = signed::<Header>(data) else {
        return;
    };
    let own = key(1).id();
    let charter = founded();
    let _ = LogTip::check(None, &header, &charter, &own);
    let Ok(first) = LogTip::check(None, &header, &charter, &header.object.log.node) else {
        return;
    };
    if let record::log::Place::Next(tip) = first {
        let _ = LogTip::check(Some(&tip), &header, &charter, &own);
    }
}

/// What a body holds once it is open.
fn body(data: &[u8]) {
    if let Ok(plain) = record::unpad(data) {
        assert_eq!(&*record::pad(plain), data, "one form");
    }
    if let Ok(envelope) = Envelope::read(data) {
        assert_eq!(envelope.write(), data, "one form");
        let _ = envelope.content();
    }
}

/// A circle of key 1 alone: the same each time.
fn founded() -> Charter {
    static FOUNDED: OnceLock<Charter> = OnceLock::new();
    let found = || {
        let (key, mut rng) = (key(1), ChaCha20Rng::seed_from_u64(1));
        let seal = SealKey::from_seed(&[9; 32], NOW_MS);
        let descriptor = Descriptor {
            version: 1,
            node: key.id(),
            counter: NOW_MS,
            name: "DAC du Vexin".to_owned(),
            kind: StructureKind::Dac,
            finess: String::new(),
            territory: String::new(),
            addresses: Vec::new(),
            suite: seal::SUITE.to_owned(),
            seal: seal.public().clone(),
            protocols: (1, 1),
            administrator: String::new(),
            dpo: String::new(),
            recovery: Hash([0; 32]),
        };
        let descriptor = sign::sign(descriptor, &key);
        let time = Timestamp::from_ms(NOW_MS);
        charter::found(Subject::Patient, None, &descriptor, &key, time, &mut rng).charter
    };
    FOUNDED.get_or_init(found).clone()
}

/// Entries one after another, each behind its length in two bytes. They are signed here, and given the place at which they would stand: what is left
/// is what their change makes of the state.
fn entries(data: &[u8]) {
    let mut charter = founded();
    let steward = key(1);
    let mut rest = data;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (piece, next) = after.split_at(length);
        rest = next;
        if let Ok(copy) = cbor::decode::<SealedSecret>(piece) {
            let seal = SealKey::from_seed(&[9; 32], u64::MAX);
            let _ = charter.open_secret(&copy, copy.recipient, &[seal]);
        }
        let Ok(mut entry) = cbor::decode::<Entry>(piece) else {
            continue;
        };
        entry.signer = steward.id();
        entry.circle = Some(charter.circle());
        entry.number = charter.number() + 1;
        entry.previous = Some(charter.head());
        // What the change makes of the state is what an honest steward would state.
        let mut state = charter.state().clone();
        state.epoch = entry.state.epoch;
        match &entry.change {
            Change::Close { .. } => state.closed = true,
            Change::Reopen { .. } => state.closed = false,
            Change::MoveCuts { .. } => {}
            Change::Appoint { deputies } => state.deputies.clone_from(deputies),
            Change::Rotate { .. } => state.epoch.number = entry.number,
            _ => state = entry.state.clone(),
        }
        if !entry.change.starts_epoch() {
            state.epoch = charter.state().epoch;
        }
        entry.state = state;
        let entry = sign::sign(entry, &steward);
        let before = charter.clone();
        match charter.extend(&entry) {
            Ok(longer) => {
                assert_eq!(longer.number(), before.number() + 1);
                assert_eq!(longer.hash_of(before.number()), Some(before.head()));
                charter = longer;
            }
            Err(_) => assert_eq!(charter, before, "as before"),
        }
    }
    for member in &charter.state().members {
        assert!(charter.was_member(&member.node, charter.number()));
    }
}

/// An invitation, an acceptance, or a word of a member that leaves.
fn letter(data: &[u8]) {
    if let Some(invitation) = signed::<Invitation>(data) {
        let _ = Invitation::verify(data.to_vec(), invitation.object.to, NOW_MS);
        let seal = SealKey::from_seed(&[9; 32], u64::MAX);
        let _ = invitation.object.identity(&[seal]);
    }
    let _ = signed::<Acceptance>(data);
    let _ = Acceptance::verify(data.to_vec());
    let _ = Departure::verify(data.to_vec());
    let _ = Replacement::verify(data.to_vec());
    let _ = Revocation::verify(data.to_vec());
    if let Some(statement) = signed::<Replacement>(data) {
        let stands = Identity {
            node: statement.object.old,
            recovery: recovery_hash(&statement.object.recovery),
            counter: 0,
        };
        if let Ok(after) = stands.after(&statement) {
            assert!(after.counter > stands.counter, "forwards");
        }
    }
    if let Some(departure) = signed::<Departure>(data) {
        let charter = founded();
        if let Ok(Some(left)) = charter.depart(&departure) {
            assert!(!left.is_member(&departure.object.node));
        }
    }
}

/// A node's descriptor.
fn descriptor(data: &[u8]) {
    let _ = Descriptor::verify(data.to_vec());
    let _ = signed::<Descriptor>(data);
}

/// An acknowledgement.
fn ack(data: &[u8]) {
    let _ = Ack::verify(data.to_vec());
    if let Some(ack) = signed::<Ack>(data) {
        for height in &ack.object.heights {
            let _ = ack.object.delivery(&height.log, height.height);
            let _ = ack
                .object
                .reached(&height.log, height.height, &ack.object.node, |_| None);
        }
    }
}

/// What is said while two nodes pair, and an invitation to peer as somebody pastes it.
fn pair(data: &[u8]) {
    if let Ok(message) = pairing::Message::from_bytes(data) {
        assert_eq!(message.to_bytes(), data, "one form");
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(invitation) = pairing::Invitation::from_text(text)
    {
        let again = pairing::Invitation::from_text(&invitation.to_text());
        assert_eq!(again.map(|again| again.inviter), Ok(invitation.inviter));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(node) = text.parse::<NodeId>() {
            assert_eq!(node.to_string().parse(), Ok(node));
        }
        let _ = text.parse::<CircleId>();
    }
}

/// A frame on the administrator's socket, in either way.
fn admin(data: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<Request>(data) {
        let again = serde_json::to_vec(&request).expect("JSON");
        assert_eq!(
            serde_json::from_slice::<Request>(&again).ok(),
            Some(request)
        );
    }
    let _ = serde_json::from_slice::<Greeting>(data);
    let _ = serde_json::from_slice::<Reply>(data);
    let _: Result<Bytes, _> = cbor::decode(data);
}
