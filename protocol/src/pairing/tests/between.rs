//! Somebody who stands between the two nodes.

use super::*;
use crate::{
    cbor::Bytes,
    pairing::proof::{Exchange, commitment},
};

/// The thief (node 3) holds the invitation, has given the accepter a copy that names the thief's node, and stands between
/// the two. It passes on both numbers unchanged, which is the best that it can do for equal words.
#[test]
fn a_thief_of_the_invitation_who_stands_in_between_makes_the_words_differ() {
    let mut rng = ChaCha20Rng::from_seed([5; 32]);
    let stolen = invitation(1, &mut rng);
    let mut forged = stolen.clone();
    forged.inviter = key(3).id();
    let (two, thief) = (key(2).id(), key(3).id());

    let mut invited = Pending::invite(stolen.clone());
    let mut accepted = Pending::accept(forged, two, NOW).expect("open");
    let mut inviter = Inviter::new(descriptor(1), thief, &mut rng);
    let mut accepter = Accepter::new(descriptor(2), thief, &mut rng);

    assert!(matches!(
        sent(&accepter.open(&accepted, NOW)),
        Message::Open { .. }
    ));
    let forged_open = Message::Open {
        version: VERSION,
        invitation: stolen.id,
        descriptor: Bytes(descriptor(3).bytes),
        resume: None,
    };
    let commit = sent(&inviter.handle(&mut invited, forged_open, NOW));
    let Message::Commit { commitment, .. } = commit else {
        panic!("a commitment");
    };
    let forged_commit = Message::Commit {
        descriptor: Bytes(descriptor(3).bytes),
        commitment,
    };
    let nonce = sent(&accepter.handle(&mut accepted, forged_commit, NOW));
    let Message::Nonce { nonce: theirs } = nonce else {
        panic!("a nonce");
    };
    let reveal = sent(&inviter.handle(&mut invited, nonce, NOW));
    let Message::Reveal { nonce: ours } = reveal else {
        panic!("the nonce");
    };
    let proof = sent(&accepter.handle(&mut accepted, reveal, NOW));
    assert!(matches!(proof, Message::Proof { .. }));

    // The thief knows the secret: it proves to both.
    let exchange = |inviter: u8, accepter: u8| Exchange {
        invitation: stolen.id,
        inviter: key(inviter).id(),
        accepter: key(accepter).id(),
        inviter_descriptor: Hash(descriptor(inviter).id),
        accepter_descriptor: Hash(descriptor(accepter).id),
        inviter_nonce: ours.into(),
        accepter_nonce: theirs.into(),
    };
    let to_inviter = Message::Proof {
        mac: exchange(1, 3).proof(&stolen.secret, Role::Accepter),
    };
    let at_inviter = inviter.handle(&mut invited, to_inviter, NOW);
    assert_eq!(failed(&at_inviter), None);
    // What the inviter's proof keys is the forged invitation, which names the thief.
    let to_accepter = Message::Proof {
        mac: exchange(3, 2).proof(&stolen.secret, Role::Inviter),
    };
    let at_accepter = accepter.handle(&mut accepted, to_accepter, NOW);
    assert_eq!(failed(&at_accepter), None);

    let (here, there) = (shown(&at_inviter), shown(&at_accepter));
    assert!(here.is_some() && there.is_some());
    assert_ne!(here, there);
    assert_eq!(invited.remote(), Some(thief));
    // The two administrators compare and reject; the true accepter can never use that invitation.
    let rejected = invited.reject().expect("may reject");
    assert_eq!(
        failed(&rejected),
        Some(PairingError::Ended(End::RejectedHere))
    );
}

#[test]
fn somebody_in_between_who_only_forwards_is_refused_because_descriptors_are_not_its_own() {
    let mut pair = Pair::new();
    // The transport says node 3; the messages are node 2's, and node 1's.
    let mut inviter = Inviter::new(descriptor(1), key(3).id(), &mut pair.rng);
    let mut honest = Accepter::new(descriptor(2), key(1).id(), &mut pair.rng);
    let open = sent(&honest.open(&pair.accepter.pending, NOW));
    let effects = inviter.handle(&mut pair.inviter.pending, open, NOW);
    assert_eq!(failed(&effects), Some(PairingError::OtherNode));

    let mut accepter = Accepter::new(descriptor(2), key(3).id(), &mut pair.rng);
    let effects = accepter.open(&pair.accepter.pending, NOW);
    assert_eq!(failed(&effects), Some(PairingError::NotTheInviter));

    let commit = Message::Commit {
        descriptor: Bytes(descriptor(3).bytes),
        commitment: commitment(&[1; 32]),
    };
    let effects = honest.handle(&mut pair.accepter.pending, commit, NOW);
    assert_eq!(failed(&effects), Some(PairingError::OtherNode));
}

/// Without the commitment, whoever knows the secret could try numbers until the words are the ones that it wants.
#[test]
fn an_inviter_that_chooses_its_number_after_it_has_seen_ours_is_refused_before_any_proof() {
    let mut pair = Pair::new();
    let mut accepter = Accepter::new(descriptor(2), key(1).id(), &mut pair.rng);
    accepter.open(&pair.accepter.pending, NOW);
    let commit = Message::Commit {
        descriptor: Bytes(descriptor(1).bytes),
        commitment: commitment(&[1; 32]),
    };
    sent(&accepter.handle(&mut pair.accepter.pending, commit, NOW));
    let reveal = Message::Reveal {
        nonce: [2; 32].into(),
    };
    let effects = accepter.handle(&mut pair.accepter.pending, reveal, NOW);
    assert_eq!(failed(&effects), Some(PairingError::Commitment));
    assert_eq!(
        sent(&effects),
        Message::Refuse {
            code: RefuseCode::Commitment
        }
    );
}
