//! A peer that breaks the rules, one after the other: each time a typed error with cause and limit, a count on its line and in `doctor`, and
//! nothing in the store that was not there before.

use maillon_protocol::{
    admin::{CircleDigest, InvitationLine},
    cbor::Bytes,
    ids::NodeId,
    sync::{Message, SentRecord},
};
use maillon_tests::daemon::{Client, Settings, Trouble, Two, same_digests, wait};

use super::{
    Taken, impostor::Impostor, objects::broken_objects, offences::broken_frames, runtime, ways,
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
        client.invitations(true)?,
    ))
}

/// A node that is told what its peer did, at the end too.
fn blaming() -> Settings {
    let mut settings = Settings::dac();
    settings.broken = vec!["exchange.peers-keep-the-rules"];
    settings
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

#[test]
fn what_a_hostile_peer_sends_is_refused_counted_and_changes_nothing() -> Story {
    let root = folder()?;
    let shared = Two::peered(root.path(), blaming(), Settings::cpts())?.share()?;
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
        .any(|reason| reason.command.as_deref() == Some("maillonctl doctor"));
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
    let mut two = Two::peered(root.path(), blaming(), Settings::cpts())?;
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
