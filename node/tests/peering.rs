//! Two administrators make their nodes peers: real sockets on loopback, real stores, two nodes in one process.

mod network;
#[path = "peering/site.rs"]
mod site;

use std::net::UdpSocket;

use maillon_node::{
    audit::By,
    clock::now_ms,
    network::pairing::{self, PairingConfig},
    peering::PeeringError,
    random::SystemRandom,
    shortened::Unclear,
};
use maillon_protocol::{
    admin::{Pairing, Relation},
    pairing::{Invitation, PairingError, RefuseCode},
};
use network::soon;
use site::Site;

/// Two sites whose nodes have met: the pairing, with its words.
async fn met() -> (Site, Site, Pairing) {
    let (inviter, accepter) = (Site::new(1).await, Site::new(2).await);
    let invitation = inviter
        .peering()
        .invite(By::itself())
        .await
        .expect("an invitation");
    let there = soon(accepter.peering().accept(By::itself(), &invitation.text))
        .await
        .expect("words");
    let here = inviter
        .sees(&there.pairing, |pairing| pairing.words.is_some())
        .await;
    assert_eq!(here.words, there.words, "both show the same words");
    assert!(here.inviter && !there.inviter);
    assert_eq!(
        (here.node, there.node),
        (Some(accepter.id()), Some(inviter.id()))
    );
    assert_eq!(here.structure.as_deref(), Some("Structure 2"));
    assert_eq!(there.structure.as_deref(), Some("Structure 1"));
    (inviter, accepter, there)
}

fn words(pairing: &Pairing) -> &str {
    pairing.words.as_deref().expect("words")
}

async fn confirm(site: &Site, pairing: &Pairing) {
    let confirmed = site
        .peering()
        .confirm(By::itself(), &pairing.pairing, words(pairing))
        .await;
    assert!(confirmed.expect("confirmed").confirmed_here);
}

/// Both list the other as their peer, and are linked over the main network.
async fn are_peers(a: &Site, b: &Site, pairing: &Pairing) {
    for (site, other) in [(a, b), (b, a)] {
        let view = site.sees(&pairing.pairing, |pairing| pairing.paired).await;
        assert_eq!(view.failed, None);
        assert_eq!(site.peering().relation(&other.id()), Some(Relation::Peer));
        assert_eq!(site.peering().peers(), [(other.id(), Relation::Peer)]);
    }
    for (site, other) in [(a, b), (b, a)] {
        site.node()
            .sees(other.id(), |status| status.link.is_some())
            .await;
    }
}

fn nobody_is_a_peer(sites: [&Site; 2]) {
    for site in sites {
        assert_eq!(site.peering().peers(), []);
    }
}

/// The same invitation with another secret.
fn forged(text: &str) -> Invitation {
    let invitation = Invitation::from_text(text).expect("its own text");
    let addresses = invitation.addresses.clone();
    let other = Invitation::new(invitation.inviter, addresses, 0, 1, &mut SystemRandom);
    Invitation {
        secret: other.expect("an invitation").secret,
        ..invitation
    }
}

/// Waits until nothing listens for pairing any more.
async fn the_door_closes(site: &Site) {
    let closed = async {
        while UdpSocket::bind(("127.0.0.1", site.pairing_port)).is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(closed).await;
}

#[tokio::test]
async fn who_confirms_the_same_words_on_both_sides_becomes_a_peer_the_inviter_first() {
    let (inviter, accepter, pairing) = met().await;
    confirm(&inviter, &pairing).await;
    accepter
        .sees(&pairing.pairing, |pairing| pairing.confirmed_there)
        .await;
    nobody_is_a_peer([&inviter, &accepter]);
    confirm(&accepter, &pairing).await;
    are_peers(&inviter, &accepter, &pairing).await;
    the_door_closes(&inviter).await;
}

#[tokio::test]
async fn who_confirms_the_same_words_on_both_sides_becomes_a_peer_the_accepter_first() {
    let (inviter, accepter, pairing) = met().await;
    confirm(&accepter, &pairing).await;
    inviter
        .sees(&pairing.pairing, |pairing| pairing.confirmed_there)
        .await;
    nobody_is_a_peer([&inviter, &accepter]);
    // As a person types them, and the beginning of the pairing's name.
    let typed: String = words(&pairing)
        .to_uppercase()
        .chars()
        .filter(char::is_ascii)
        .collect();
    let confirmed = inviter
        .peering()
        .confirm(By::itself(), &pairing.pairing[..6], &typed)
        .await;
    assert!(confirmed.expect("confirmed").paired);
    are_peers(&inviter, &accepter, &pairing).await;
    the_door_closes(&inviter).await;
}

#[tokio::test]
async fn other_words_are_not_confirmed() {
    let (inviter, accepter, pairing) = met().await;
    for site in [&inviter, &accepter] {
        let refused = site
            .peering()
            .confirm(
                By::itself(),
                &pairing.pairing,
                "abaisser abandon abdiquer abeille abolir",
            )
            .await;
        assert!(matches!(
            refused,
            Err(PeeringError::Pairing(PairingError::OtherWords))
        ));
        let unknown = site
            .peering()
            .confirm(By::itself(), "zzzz", words(&pairing))
            .await;
        assert!(matches!(
            unknown,
            Err(PeeringError::WhichPairing(Unclear::Nothing { .. }))
        ));
        assert!(!site.pairing(&pairing.pairing).expect("kept").confirmed_here);
    }
    nobody_is_a_peer([&inviter, &accepter]);
}

#[tokio::test]
async fn a_rejection_on_either_side_ends_the_pairing_on_both() {
    for inviter_rejects in [true, false] {
        let (inviter, accepter, pairing) = met().await;
        let (here, there) = match inviter_rejects {
            true => (&inviter, &accepter),
            false => (&accepter, &inviter),
        };
        confirm(there, &pairing).await;
        here.sees(&pairing.pairing, |pairing| pairing.confirmed_there)
            .await;
        let rejected = here
            .peering()
            .reject(By::itself(), &pairing.pairing)
            .await
            .expect("rejected");
        assert!(rejected.failed.is_some() && !rejected.paired);
        there
            .sees(&pairing.pairing, |pairing| pairing.failed.is_some())
            .await;
        let late = there
            .peering()
            .confirm(By::itself(), &pairing.pairing, words(&pairing))
            .await;
        assert!(matches!(late, Err(PeeringError::Pairing(_))));
        the_door_closes(&inviter).await;
        nobody_is_a_peer([&inviter, &accepter]);
    }
}

#[tokio::test]
async fn a_restart_of_the_inviter_between_words_and_confirmations_loses_nothing() {
    let (mut inviter, accepter, pairing) = met().await;
    confirm(&accepter, &pairing).await;
    inviter.restart().await;
    confirm(&inviter, &pairing).await;
    are_peers(&inviter, &accepter, &pairing).await;
}

#[tokio::test]
async fn a_restart_of_the_accepter_between_words_and_confirmations_loses_nothing() {
    let (inviter, mut accepter, pairing) = met().await;
    confirm(&accepter, &pairing).await;
    accepter.restart().await;
    confirm(&inviter, &pairing).await;
    are_peers(&inviter, &accepter, &pairing).await;
}

#[tokio::test]
async fn confirmations_that_both_gave_while_the_other_was_away_still_pair() {
    let (mut inviter, mut accepter, pairing) = met().await;
    accepter.stop().await;
    confirm(&inviter, &pairing).await;
    inviter.stop().await;
    accepter.start().await;
    confirm(&accepter, &pairing).await;
    inviter.start().await;
    are_peers(&inviter, &accepter, &pairing).await;
    // And peers they stay.
    inviter.restart().await;
    accepter.restart().await;
    are_peers(&inviter, &accepter, &pairing).await;
}

#[tokio::test]
async fn a_suspended_peer_is_cut_off_and_refused_until_it_is_resumed_and_an_ended_one_for_good() {
    let (inviter, accepter, pairing) = met().await;
    confirm(&inviter, &pairing).await;
    confirm(&accepter, &pairing).await;
    are_peers(&inviter, &accepter, &pairing).await;
    let other = accepter.id();

    inviter
        .peering()
        .suspend(By::itself(), &other)
        .await
        .expect("suspended");
    assert_eq!(
        inviter.peering().relation(&other),
        Some(Relation::Suspended)
    );
    assert!(!inviter.node().list.contains(&other));
    accepter
        .node()
        .sees(inviter.id(), |status| status.connected.is_none())
        .await;
    // The other one, which was told nothing, tries again and is refused as a stranger.
    let refused = async {
        while inviter
            .node()
            .handle
            .status()
            .await
            .expect("it runs")
            .strangers_refused
            == 0
        {
            tokio::task::yield_now().await;
        }
    };
    soon(refused).await;

    inviter
        .peering()
        .resume(By::itself(), &other)
        .await
        .expect("resumed");
    are_peers(&inviter, &accepter, &pairing).await;

    inviter
        .peering()
        .end(By::itself(), &other)
        .await
        .expect("ended");
    assert_eq!(inviter.peering().relation(&other), Some(Relation::Ended));
    assert!(!inviter.node().list.contains(&other));
    let again = inviter.peering().resume(By::itself(), &other).await;
    assert!(
        matches!(again, Err(PeeringError::NotAPeer)),
        "only pairing brings it back"
    );
    let stranger = inviter
        .peering()
        .suspend(By::itself(), &network::node(9))
        .await;
    assert!(matches!(stranger, Err(PeeringError::NotAPeer)));
}

#[tokio::test]
async fn a_wrong_secret_five_times_ends_the_invitation() {
    let (inviter, accepter) = (Site::new(1).await, Site::new(2).await);
    let invitation = inviter
        .peering()
        .invite(By::itself())
        .await
        .expect("an invitation");
    let forged = forged(&invitation.text);
    for attempt in 1..=5 {
        let refused = soon(accepter.peering().accept(By::itself(), &forged.to_text())).await;
        assert!(
            matches!(
                refused,
                Err(PeeringError::Pairing(PairingError::Refused(
                    RefuseCode::Proof
                )))
            ),
            "{refused:?}"
        );
        let view = inviter
            .sees(&invitation.pairing, |pairing| pairing.bad_proofs == attempt)
            .await;
        assert_eq!(view.failed.is_some(), attempt == 5);
    }
    the_door_closes(&inviter).await;
    nobody_is_a_peer([&inviter, &accepter]);
}

#[tokio::test]
async fn an_accepted_invitation_with_a_wrong_secret_is_not_tried_again_after_a_restart() {
    let (inviter, mut accepter) = (Site::new(1).await, Site::new(2).await);
    let invitation = inviter
        .peering()
        .invite(By::itself())
        .await
        .expect("an invitation");
    let forged = forged(&invitation.text);
    soon(accepter.peering().accept(By::itself(), &forged.to_text()))
        .await
        .expect_err("refused");
    accepter.restart().await;
    assert_eq!(accepter.peering().pairings(now_ms()), []);
    // The right text still counts, and costs nothing.
    let there = soon(accepter.peering().accept(By::itself(), &invitation.text))
        .await
        .expect("words");
    let here = inviter
        .sees(&invitation.pairing, |pairing| pairing.words.is_some())
        .await;
    assert_eq!(here.words, there.words);
    assert_eq!(here.bad_proofs, 1);
}

#[tokio::test]
async fn an_accepter_waits_for_an_inviter_that_is_away() {
    let (mut inviter, accepter) = (Site::new(1).await, Site::new(2).await);
    let invitation = inviter
        .peering()
        .invite(By::itself())
        .await
        .expect("an invitation");
    inviter.stop().await;
    let accepting = accepter.peering().accept(By::itself(), &invitation.text);
    let (there, ()) = soon(async { tokio::join!(accepting, inviter.start()) }).await;
    let there = there.expect("words");
    let here = inviter
        .sees(&invitation.pairing, |pairing| pairing.words.is_some())
        .await;
    assert_eq!(here.words, there.words);
}

#[tokio::test]
async fn whoever_comes_for_no_invitation_is_told_so_and_nothing_changes() {
    let (inviter, stranger) = (Site::new(1).await, Site::new(2).await);
    let invitation = inviter
        .peering()
        .invite(By::itself())
        .await
        .expect("an invitation");
    let mut other = Invitation::from_text(&invitation.text).expect("its own text");
    other.id.0[0] ^= 1;
    let refused = soon(stranger.peering().accept(By::itself(), &other.to_text())).await;
    assert!(matches!(
        refused,
        Err(PeeringError::Pairing(PairingError::Refused(
            RefuseCode::Unknown
        )))
    ));
    // Noise is answered, and the door goes on.
    let addresses: Vec<_> = other
        .addresses
        .iter()
        .map(|text| text.parse().expect("an address"))
        .collect();
    let config = PairingConfig::default();
    let dialled = pairing::dial(&config, &network::keypair(3), inviter.id(), &addresses).await;
    let mut stream = dialled.expect("open");
    stream.send(b"noise").await.expect("sent");
    assert!(
        soon(stream.recv()).await.expect("read").is_some(),
        "a refusal"
    );
    let itself = inviter
        .peering()
        .accept(By::itself(), &invitation.text)
        .await;
    assert!(matches!(
        itself,
        Err(PeeringError::Pairing(PairingError::Itself))
    ));
    soon(stranger.peering().accept(By::itself(), &invitation.text))
        .await
        .expect("words");
}
