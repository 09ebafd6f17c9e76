//! A peer that breaks the rules, one after the other: each time a typed error with cause and limit, a count on its line and in `doctor`, and
//! nothing in the store that was not there before.

use maillon_node::random::SystemRandom;
use maillon_protocol::{
    admin::{CircleDigest, InvitationLine},
    cbor::Bytes,
    charter::Subject,
    circle::Ack,
    descriptor::Descriptor,
    ids::{CircleId, EntryHash, Hash, Incarnation, InvitationId, LogId, NodeId, RecordId},
    invite::{Acceptance, Invitation, InvitationReason},
    keys::{NodeKey, SealKey},
    limits,
    record::{Header, Previous},
    sign::{Unverified, sign},
    sync::{Message, SentRecord},
};
use maillon_tests::daemon::{Client, Settings, Trouble, Two, same_digests, wait};

use super::{
    Taken,
    impostor::{Impostor, Learnt},
    runtime, ways,
};
use crate::{Story, ensure, folder};

/// What a node holds, as an administrator can see it.
type Held = (
    Vec<CircleDigest>,
    u64,
    u64,
    Vec<NodeId>,
    Vec<InvitationLine>,
);

fn held(client: &mut Client) -> Result<Held, Trouble> {
    let status = client.status()?;
    let peers = status.peers.iter().map(|peer| peer.node).collect();
    Ok((
        client.digests(None)?,
        status.records,
        status.circles,
        peers,
        client.invitations()?,
    ))
}

/// How often each thing was refused of a peer.
fn problems(client: &mut Client, peer: NodeId) -> Result<Vec<(String, u64)>, Trouble> {
    Ok(client.peer_show(peer)?.problems)
}

fn count(problems: &[(String, u64)], words: &str) -> u64 {
    let matching = problems
        .iter()
        .filter(|(problem, _)| problem.contains(words));
    matching.map(|(_, count)| count).sum()
}

/// Something that is sent, the words with which it is refused, and whether it costs the connection.
struct Offence {
    name: &'static str,
    /// Bytes on the stream.
    bytes: Vec<u8>,
    words: &'static str,
    closes: bool,
    /// Said before any hello.
    rude: bool,
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn flipped(mut bytes: Vec<u8>) -> Bytes {
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    Bytes(bytes)
}

fn now_ms() -> u64 {
    maillon_node::clock::now_ms()
}

/// Frames that are no messages, or come at the wrong time: the connection is closed.
fn broken_frames() -> Vec<Offence> {
    let compared = Message::Compared(7).encode();
    let long_form = [&compared[..compared.len() - 1], &[0x18, 7]].concat();
    let trailing = [&compared[..], &[0]].concat();
    let versions = Message::Hello {
        lowest: 9,
        highest: 12,
        descriptor: Bytes(Vec::new()),
        marks: Vec::new(),
    };
    let too_long = (limits::FRAME as u32 + 1).to_be_bytes();
    let closes = |name, bytes: Vec<u8>, words| Offence {
        name,
        bytes,
        words,
        closes: true,
        rude: false,
    };
    let mut all = vec![
        closes(
            "garbage",
            frame(&[0xff; 40]),
            "the frame is no message: not the expected CBOR shape",
        ),
        closes("an empty frame", frame(&[]), "the frame is no message"),
        closes(
            "a message of another number",
            frame(&[0x82, 0x18, 99, 0x80]),
            "the frame is no message",
        ),
        closes(
            "a number in its long form",
            frame(&long_form),
            "not the deterministic encoding",
        ),
        closes(
            "bytes after the message",
            frame(&trailing),
            "1 bytes follow the object",
        ),
        closes(
            "too long a frame",
            too_long.to_vec(),
            "limited to 1048576 bytes, this one has 1048577",
        ),
    ];
    let rude = [
        closes(
            "a word before hello",
            frame(&compared),
            "sent compared before its hello",
        ),
        closes(
            "other versions",
            frame(&versions.encode()),
            "speaks versions 9 to 12",
        ),
    ];
    all.extend(rude.map(|offence| Offence {
        rude: true,
        ..offence
    }));
    all
}

/// Objects that are not what they claim: counted, and the connection goes on until there are too many.
fn broken_objects(taken: &Taken, a: NodeId, learnt: &Learnt) -> Result<Vec<Offence>, Trouble> {
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
            "nobody asked for",
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

#[test]
fn what_a_hostile_peer_sends_is_refused_counted_and_changes_nothing() -> Story {
    let root = folder()?;
    let shared = Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let (mut two, circle) = (shared.two, shared.circle);
    let (a, b) = (two.a.node()?, two.b.node()?);
    two.a
        .client()?
        .acting_as(&two.at_a)
        .note_add(circle, "De A.")?;
    two.b
        .client()?
        .acting_as(&two.at_b)
        .note_add(circle, "De B.")?;
    same_digests(&two.a, &two.b, circle)?;
    two.b.stop()?;
    let taken = Taken::of(&two.b)?;
    let runtime = runtime()?;
    let [_, way] = ways(two.a.address())?;
    let connect = |rude: bool| {
        runtime.block_on(async {
            let mut impostor = Impostor::connect(&taken, a, &way).await?;
            if !rude {
                impostor.greet(&taken).await?;
            }
            Ok::<_, Trouble>(impostor)
        })
    };
    let mut client = two.a.client()?.acting_as(&two.at_a);
    let before = held(&mut client)?;

    // Who behaves is blamed for nothing, records sent again included.
    let mut honest = connect(false)?;
    let learnt = runtime.block_on(honest.learn(circle))?;
    let again: Vec<SentRecord> = learnt
        .records
        .iter()
        .flat_map(|(_, all)| all.clone())
        .collect();
    let question = Message::Want {
        circle,
        log: learnt.of(a)?.0,
        after: 0,
        up_to: 1,
    };
    runtime.block_on(async {
        honest.frame(&learnt.push(circle, again).encode()).await;
        honest.frame(&question.encode()).await;
        // What was sent before the question has been looked at when it is answered.
        let answered =
            |message| matches!(message, Message::Records { wanted: true, .. }).then_some(());
        honest.until("an answer", answered).await
    })?;
    drop(honest);
    ensure(problems(&mut client, b)?.is_empty(), || {
        String::from("an honest peer is blamed")
    })?;

    let offences = broken_frames()
        .into_iter()
        .chain(broken_objects(&taken, a, &learnt)?);
    for offence in offences {
        let blamed = count(&problems(&mut client, b)?, offence.words);
        let mut impostor = connect(offence.rude)?;
        if !offence.rude && !offence.closes {
            // Both must stand at the same charter before anything of the circle is looked at.
            runtime.block_on(impostor.learn(circle))?;
        }
        runtime.block_on(impostor.raw(&offence.bytes));
        wait::until_seen(offence.name, wait::LONG / 4, || {
            let now = problems(&mut client, b)?;
            Ok(((count(&now, offence.words) > blamed).then_some(()), now))
        })?;
        if offence.closes {
            runtime.block_on(impostor.closed())?;
        }
        let after = held(&mut client)?;
        ensure(after == before, || {
            format!("{} changed something", offence.name)
        })?;
    }

    let checks = client.doctor()?;
    for check in &checks {
        let blames = check.name == "exchange.peers-keep-the-rules";
        ensure(check.holds != blames, || format!("{check:?}"))?;
        let counted = check.found.contains("CPTS des Falaises: ") && check.found.contains("(1)");
        ensure(!blames || counted, || format!("{check:?}"))?;
    }
    let status = client.status()?;
    let told = status
        .reasons
        .iter()
        .any(|reason| reason.command == "maillonctl doctor");
    ensure(told, || format!("{:?}", status.reasons))?;

    // The true B comes back, and the circle goes on.
    two.b.start()?;
    two.b
        .client()?
        .acting_as(&two.at_b)
        .note_add(circle, "De B, encore.")?;
    same_digests(&two.a, &two.b, circle).map(drop)
}

#[test]
fn a_peer_of_whom_too_much_was_refused_loses_its_connection() -> Story {
    let root = folder()?;
    let mut two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let (a, b) = (two.a.node()?, two.b.node()?);
    two.b.stop()?;
    let taken = Taken::of(&two.b)?;
    let runtime = runtime()?;
    let [way, _] = ways(two.a.address())?;
    let nonsense = Message::Invitation(Bytes(vec![1, 2, 3])).encode();
    runtime.block_on(async {
        let mut impostor = Impostor::connect(&taken, a, &way).await?;
        impostor.greet(&taken).await?;
        for _ in 0..100 {
            if !impostor.frame(&nonsense).await {
                break;
            }
        }
        impostor.closed().await
    })?;
    let found = problems(&mut two.a.client()?, b)?;
    ensure(count(&found, "more than 32 things") == 1, || {
        format!("{found:?}")
    })
}
