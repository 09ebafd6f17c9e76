//! Pairing two nodes as two administrators do, and finding each other again after a restart.

use maillon_protocol::{admin::Relation, replica::ArriveError};

use super::{DemoError, territory::Territory, wait::until};
use crate::{audit::By, clock::now_ms, ledger::LedgerError};

/// Pairs two nodes: `a` invites, `b` accepts, both confirm the words that both show.
pub(super) async fn pair(a: &Territory, b: &Territory) -> Result<(), DemoError> {
    let invitation = a.node.peering.invite(By::itself()).await?;
    let accepted = b
        .node
        .peering
        .accept(By::itself(), &invitation.text)
        .await?;
    let there = accepted.words.ok_or(DemoError::Words)?;
    let here = until("the words of a pairing", async || {
        let all = a.node.peering.pairings(now_ms());
        let ours = all
            .into_iter()
            .find(|one| one.pairing == invitation.pairing);
        Ok(ours.and_then(|one| one.words))
    });
    let here = here.await?;
    // The telephone call of the two administrators.
    if here != there {
        return Err(DemoError::Words);
    }
    a.node
        .peering
        .confirm(By::itself(), &invitation.pairing, &there)
        .await?;
    b.node
        .peering
        .confirm(By::itself(), &accepted.pairing, &here)
        .await?;
    until("a pairing", async || {
        let know = |one: &Territory, other: &Territory| {
            one.node.peering.relation(&other.id()) == Some(Relation::Peer)
        };
        Ok((know(a, b) && know(b, a)).then_some(()))
    })
    .await?;
    Ok(())
}

/// Hands every node the others' newest descriptors: their ports are new with each start. In the world, addresses last, and nodes that have
/// moved tell it to whomever they can still reach.
pub(super) async fn reacquaint(all: &[Territory]) -> Result<(), DemoError> {
    for one in all {
        for other in all.iter().filter(|other| other.place != one.place) {
            let descriptor = other.node.ledger.shared().descriptor();
            let taken = one
                .node
                .ledger
                .run(move |tx| tx.replica.take_descriptor(tx.rows, &descriptor));
            match taken.await {
                // Somebody told it before us.
                Ok(()) | Err(LedgerError::Job(ArriveError::OlderDescriptor)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        one.node.peering.refresh().await?;
    }
    Ok(())
}

/// Waits until every node is connected to every other.
pub(super) async fn connected(all: &[Territory]) -> Result<(), DemoError> {
    for one in all {
        for other in all.iter().filter(|other| other.place != one.place) {
            until("a connection between two nodes", async || {
                Ok(one.node.is_connected(&other.id()).then_some(()))
            })
            .await?;
        }
    }
    Ok(())
}
