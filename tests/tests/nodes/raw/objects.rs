//! Objects that are not what they claim.

use maillon_node::random::SystemRandom;
use maillon_protocol::{
    cbor::Bytes,
    charter::Subject,
    circle::Ack,
    descriptor::Descriptor,
    ids::{CircleId, EntryHash, Hash, Incarnation, InvitationId, LogId, NodeId, RecordId},
    invite::{Acceptance, Invitation, InvitationReason},
    keys::{NodeKey, SealKey},
    record::{Header, Previous},
    sign::{Unverified, sign},
    sync::{Message, SentRecord},
};
use maillon_tests::daemon::Trouble;

use super::{
    Taken,
    impostor::Learnt,
    offences::{Offence, frame},
};

fn flipped(mut bytes: Vec<u8>) -> Bytes {
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    Bytes(bytes)
}

fn now_ms() -> u64 {
    maillon_node::clock::now_ms()
}

/// Objects that are not what they claim: counted, and the connection goes on until there are too many.
pub(super) fn broken_objects(
    taken: &Taken,
    a: NodeId,
    learnt: &Learnt,
) -> Result<Vec<Offence>, Trouble> {
    let wrong = |error: &dyn std::fmt::Display| Trouble::wrong(error.to_string());
    let circle = learnt.state.circle;
    let elsewhere = CircleId([9; 32]);
    let stranger = NodeKey::generate(&mut SystemRandom);
    let (log, mine) = learnt.of(taken.key.id())?;
    let last = mine
        .last()
        .ok_or_else(|| Trouble::wrong("no record of B"))?;
    let parsed =
        Unverified::<Header>::parse(last.header.0.clone()).map_err(|error| wrong(&error))?;
    let next = Header {
        sequence: parsed.object.sequence + 1,
        previous: Previous::Record(RecordId(parsed.id)),
        ..parsed.object.clone()
    };
    let with = |header: Vec<u8>| SentRecord {
        header: Bytes(header),
        body: last.body.clone(),
    };
    let signed = sign(next.clone(), &taken.key).bytes;
    let foreign = LogId {
        node: stranger.id(),
        ..log
    };
    let opening = Previous::Opening(Vec::new());
    let foreign = Header {
        log: foreign,
        sequence: 1,
        previous: opening,
        entry_before: 0,
        ..next.clone()
    };
    let foreign = sign(foreign, &stranger).bytes;
    let unknown_epoch = Header {
        epoch: EntryHash([5; 32]),
        ..next.clone()
    };
    let unknown_epoch = sign(unknown_epoch, &taken.key).bytes;
    let other_version = sign(
        Header {
            version: 2,
            ..next.clone()
        },
        &taken.key,
    )
    .bytes;
    let other_entry = Header {
        entry_hash: EntryHash([6; 32]),
        ..next
    };
    let other_entry = sign(other_entry, &taken.key).bytes;
    let tagged = [&[0xd2], &signed[..]].concat();
    // The outer array of four elements, its head written in two bytes.
    let long_form = [&[0x98, 0x04], &signed[1..]].concat();
    let descriptor = Unverified::<Descriptor>::parse(taken.descriptor.0.clone())
        .map_err(|error| wrong(&error))?
        .object;
    let older = Descriptor {
        counter: descriptor.counter - 1,
        ..descriptor.clone()
    };
    let other = Descriptor {
        territory: "Ailleurs".to_owned(),
        ..descriptor
    };
    let recipient = SealKey::generate(now_ms() + 86_400_000, &mut SystemRandom);
    let invite = |to: NodeId, key: &NodeKey| {
        let reason = InvitationReason::CareTeam;
        let subject = Subject::Community;
        Invitation::make(
            to,
            recipient.public(),
            subject,
            reason,
            None,
            None,
            key,
            now_ms(),
            &mut SystemRandom,
        )
        .map(|invitation| Bytes(invitation.bytes))
        .map_err(|error| wrong(&error))
    };
    let acceptance = Acceptance {
        version: 1,
        invitation: InvitationId([3; 32]),
        node: taken.key.id(),
        to: a,
        accepted_ms: now_ms(),
        descriptor: Hash([0; 32]),
    };
    let ack = Ack {
        version: 1,
        circle: elsewhere,
        node: taken.key.id(),
        incarnation: Incarnation([1; 16]),
        counter: 1,
        entry: 1,
        entry_hash: learnt.state.entry_hash,
        opened: Vec::new(),
        heights: Vec::new(),
        exceptions: Vec::new(),
        attachments: Vec::new(),
        time_ms: now_ms(),
    };
    let bad_ack = Ack {
        circle,
        ..ack.clone()
    };
    let offences: Vec<(&'static str, Message, &'static str)> = vec![
        (
            "a record under a tag",
            learnt.push(circle, vec![with(tagged)]),
            "not a COSE_Sign1 object of ours",
        ),
        (
            "a record in long form",
            learnt.push(circle, vec![with(long_form)]),
            "not a COSE_Sign1 object of ours: not the deterministic encoding",
        ),
        (
            "a record with another's signature",
            learnt.push(circle, vec![with(flipped(signed.clone()).0)]),
            "the signature is not that of the node",
        ),
        (
            "a record of one circle in another",
            learnt.push(elsewhere, vec![with(signed.clone())]),
            "records for a circle that is not shared",
        ),
        (
            "a record of who is no member",
            learnt.push(circle, vec![with(foreign)]),
            "was not a member at the charter entry",
        ),
        (
            "a record under another epoch",
            learnt.push(circle, vec![with(unknown_epoch)]),
            "names another epoch",
        ),
        (
            "a record of a later version",
            learnt.push(circle, vec![with(other_version)]),
            "the record has version 2",
        ),
        (
            "a record that names another charter",
            learnt.push(circle, vec![with(other_entry)]),
            "names a charter entry that is not in the charter",
        ),
        (
            "a question about a circle not shared",
            Message::Want {
                circle: elsewhere,
                log,
                after: 0,
                up_to: 9,
            },
            "want for a circle that is not shared",
        ),
        (
            "a charter entry that is none",
            Message::Entries {
                circle,
                entries: vec![Bytes(vec![0x84, 0])],
                seals: Vec::new(),
                more: false,
            },
            "not a COSE_Sign1 object of ours",
        ),
        (
            "an old descriptor",
            Message::Descriptor(Bytes(sign(older, &taken.key).bytes)),
            "older than the one held",
        ),
        (
            "two descriptors of one counter",
            Message::Descriptor(Bytes(sign(other, &taken.key).bytes)),
            "two different descriptors",
        ),
        (
            "a descriptor with a wrong signature",
            Message::Descriptor(flipped(taken.descriptor.0.clone())),
            "the signature is not that of the node",
        ),
        (
            "an invitation for another node",
            Message::Invitation(invite(stranger.id(), &taken.key)?),
            "the invitation is for another node",
        ),
        (
            "an invitation of another node",
            Message::Invitation(invite(a, &stranger)?),
            "signed by another node than the peer",
        ),
        (
            "an invitation with a wrong signature",
            Message::Invitation(flipped(invite(a, &taken.key)?.0)),
            "the signature is not that of the node",
        ),
        (
            "an invitation that is none",
            Message::Invitation(Bytes(vec![1, 2, 3])),
            "not a COSE_Sign1 object of ours",
        ),
        (
            "an answer to no invitation",
            Message::Acceptance(Bytes(sign(acceptance, &taken.key).bytes)),
            "no such invitation",
        ),
        (
            "an acknowledgement of a circle not shared",
            Message::Ack(Bytes(sign(ack, &taken.key).bytes)),
            "not shared",
        ),
        (
            "an acknowledgement with a wrong signature",
            Message::Ack(flipped(sign(bad_ack, &taken.key).bytes)),
            "the signature is not that of the node",
        ),
        (
            "chunks that nobody asked for",
            Message::Chunks {
                address: Hash([1; 32]),
                from: 0,
                chunks: vec![Bytes(vec![0; 99])],
            },
            "that were not asked for",
        ),
    ];
    Ok(offences
        .into_iter()
        .map(|(name, message, words)| Offence {
            name,
            bytes: frame(&message.encode()),
            words,
            closes: false,
            rude: false,
        })
        .collect())
}
