//! What somebody who means harm, or a broken wire, can and cannot do.

use minicbor::bytes::ByteArray;
use proptest::prelude::*;

use super::*;
use crate::{cbor::Bytes, pairing::proof::Transcript};

/// Plays an honest accepter of `pending` against `inviter` up to its proof, which is returned unsent.
fn up_to_proof(
    inviter: &mut Inviter,
    invited: &mut Pending,
    accepter: &mut Accepter,
    pending: &mut Pending,
) -> Message {
    let open = sent(&accepter.open(pending, NOW));
    let commit = sent(&inviter.handle(invited, open, NOW));
    let nonce = sent(&accepter.handle(pending, commit, NOW));
    let reveal = sent(&inviter.handle(invited, nonce, NOW));
    sent(&accepter.handle(pending, reveal, NOW))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn one_flipped_bit_in_any_message_is_a_typed_failure_and_no_pairing(
        message in 0_usize..8,
        bit in prop_oneof![any::<usize>(), 0_usize..512],
        inviter_first: bool,
    ) {
        let mut pair = Pair::new();
        let mut link = pair.dial();
        link.flip = Some((message, bit));
        pair.run(&mut link);
        if message >= 6 {
            prop_assert!(pair.inviter.failed.is_empty() && pair.accepter.failed.is_empty());
            prop_assert_eq!(pair.inviter.shown, pair.accepter.shown);
            let mut order = [Role::Accepter, Role::Inviter];
            if inviter_first {
                order.reverse();
            }
            for role in order {
                pair.confirm(role, Some(&mut link));
                pair.run(&mut link);
            }
        } else {
            prop_assert_eq!(pair.accepter.shown, None);
        }
        prop_assert!(!pair.inviter.failed.is_empty() || !pair.accepter.failed.is_empty());
        prop_assert!(pair.inviter.peer.is_none() || pair.accepter.peer.is_none());
        if message < 7 {
            pair.assert_not_paired();
        }
    }

    #[test]
    fn no_bytes_make_a_machine_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(message) = Message::from_bytes(&bytes) {
            prop_assert_eq!(message.to_bytes(), bytes.clone());
        }
        let _ = Pending::from_bytes(&bytes);
    }
}

#[test]
fn five_wrong_secrets_end_the_invitation_and_the_sixth_right_one_is_refused() {
    let mut pair = Pair::new();
    let mut guess = invitation(1, &mut pair.rng);
    guess.id = pair.inviter.pending.id();
    let honest = std::mem::replace(
        &mut pair.accepter,
        Site::new(2, Pending::accept(guess, key(2).id(), NOW).expect("open")),
    );
    for left in (0..5).rev() {
        let mut link = pair.dial();
        pair.run(&mut link);
        assert_eq!(
            pair.inviter.failed.pop(),
            Some(PairingError::Proof { left })
        );
        assert_eq!(
            pair.accepter.failed.pop(),
            Some(PairingError::Refused(RefuseCode::Proof))
        );
        assert!(
            !link
                .heard
                .iter()
                .any(|(to, message)| *to == Role::Accepter
                    && matches!(message, Message::Proof { .. })),
            "the inviter proves nothing to who proves nothing"
        );
        pair.inviter.restart();
        assert_eq!(pair.inviter.pending.bad_proofs(), 5 - left);
    }
    assert_eq!(pair.inviter.pending.end(), Some(End::BadProofs));

    pair.accepter = honest;
    let mut link = pair.dial();
    pair.run(&mut link);
    assert_eq!(
        pair.accepter.failed,
        [PairingError::Refused(RefuseCode::Ended)]
    );
    pair.assert_not_paired();
}

#[test]
fn four_wrong_secrets_leave_the_invitation_usable() {
    let mut pair = Pair::new();
    for _ in 0..4 {
        let mut link = pair.dial();
        link.flip = Some((4, 100));
        pair.run(&mut link);
    }
    assert_eq!(pair.inviter.pending.bad_proofs(), 4);
    let mut link = pair.dial();
    pair.run(&mut link);
    pair.confirm(Role::Inviter, Some(&mut link));
    pair.confirm(Role::Accepter, Some(&mut link));
    pair.run(&mut link);
    pair.assert_paired();
}

#[test]
fn a_second_node_with_a_valid_proof_is_refused_after_the_first_is_bound() {
    let mut rng = ChaCha20Rng::from_seed([6; 32]);
    let given = invitation(1, &mut rng);
    let mut invited = Pending::invite(given.clone());
    let mut sides = [2, 3].map(|seed| {
        (
            Inviter::new(descriptor(1), key(seed).id(), &mut rng),
            Accepter::new(descriptor(seed), key(1).id(), &mut rng),
            Pending::accept(given.clone(), key(seed).id(), NOW).expect("open"),
        )
    });
    let proofs = sides
        .each_mut()
        .map(|(inviter, accepter, pending)| up_to_proof(inviter, &mut invited, accepter, pending));
    let [first, second] = proofs;
    let effects = sides[0].0.handle(&mut invited, first, NOW);
    assert_eq!(failed(&effects), None);
    let effects = sides[1].0.handle(&mut invited, second, NOW);
    assert_eq!(failed(&effects), Some(PairingError::Taken));
    assert_eq!(invited.remote(), Some(key(2).id()));
    assert_eq!(invited.bad_proofs(), 0);

    // Nor may it begin again, nor speak of the first one's exchange.
    for resume in [None, invited.transcript()] {
        let mut again = Inviter::new(descriptor(1), key(3).id(), &mut rng);
        let open = Message::Open {
            version: VERSION,
            invitation: given.id,
            descriptor: Bytes(descriptor(3).bytes),
            resume,
        };
        let effects = again.handle(&mut invited, open, NOW);
        assert_eq!(failed(&effects), Some(PairingError::Taken));
    }
    // Nor end it for the first by saying that the words differ.
    let mut again = Inviter::new(descriptor(1), key(3).id(), &mut rng);
    let code = RefuseCode::Rejected;
    again.handle(&mut invited, Message::Refuse { code }, NOW);
    assert_eq!(invited.end(), None);
}

#[test]
fn a_recorded_exchange_played_again_is_a_wrong_proof() {
    let mut pair = Pair::new();
    let mut link = pair.dial();
    for _ in 0..4 {
        pair.deliver(&mut link);
    }
    let Some((Role::Inviter, proof)) = link.wire.pop_front() else {
        panic!("the accepter's proof");
    };
    let recorded: Vec<Message> = link
        .heard
        .iter()
        .filter(|(to, _)| *to == Role::Inviter)
        .map(|(_, message)| message.clone())
        .chain([Message::from_bytes(&proof).expect("ours")])
        .collect();
    assert_eq!(recorded.len(), 3);

    let mut inviter = Inviter::new(descriptor(1), key(2).id(), &mut pair.rng);
    let mut last = Vec::new();
    for message in recorded {
        last = inviter.handle(&mut pair.inviter.pending, message, NOW);
    }
    assert_eq!(failed(&last), Some(PairingError::Proof { left: 4 }));
}

#[test]
fn a_proof_or_confirmation_sent_back_to_its_maker_proves_nothing() {
    let mut pair = Pair::new();
    let mut link = pair.dial();
    for _ in 0..4 {
        pair.deliver(&mut link);
    }
    let Some((Role::Inviter, proof)) = link.wire.pop_front() else {
        panic!("the accepter's proof");
    };
    link.wire.push_back((Role::Accepter, proof));
    pair.run(&mut link);
    assert_eq!(pair.accepter.failed, [PairingError::Impostor]);

    let mut link = pair.dial();
    pair.run(&mut link);
    pair.confirm(Role::Accepter, Some(&mut link));
    let Some((Role::Inviter, confirm)) = link.wire.pop_front() else {
        panic!("the accepter's confirmation");
    };
    link.wire.push_back((Role::Accepter, confirm));
    pair.run(&mut link);
    assert_eq!(pair.accepter.failed[1..], [PairingError::Confirmation]);
    pair.assert_not_paired();
}

#[test]
fn an_invitation_that_was_used_is_of_no_use_to_the_same_node_either() {
    let mut pair = Pair::new();
    let again = pair.accepter.pending.clone();
    let mut link = pair.dial();
    pair.run(&mut link);
    pair.confirm(Role::Inviter, Some(&mut link));
    pair.confirm(Role::Accepter, Some(&mut link));
    pair.run(&mut link);
    pair.assert_paired();

    pair.accepter = Site::new(2, again);
    let mut link = pair.dial();
    pair.run(&mut link);
    assert_eq!(
        pair.accepter.failed,
        [PairingError::Refused(RefuseCode::Taken)]
    );
    assert!(pair.inviter.pending.is_paired());
}

#[test]
fn messages_out_of_order_end_the_attempt_and_only_that() {
    let mac = ByteArray::from([0; 32]);
    let early = [
        Message::Proof { mac },
        Message::Confirm { seen: false, mac },
        Message::Nonce { nonce: mac },
        Message::Resume {
            transcript: Hash([0; 32]),
        },
    ];
    for message in early {
        let mut pair = Pair::new();
        let name = message.name();
        let mut inviter = Inviter::new(descriptor(1), key(2).id(), &mut pair.rng);
        let effects = inviter.handle(&mut pair.inviter.pending, message, NOW);
        assert_eq!(failed(&effects), Some(PairingError::Unexpected(name)));
        let mut link = pair.dial();
        pair.run(&mut link);
        assert_eq!(pair.inviter.shown, pair.accepter.shown);
    }
}

#[test]
fn a_transcript_covers_who_speaks_and_every_message() {
    let id = crate::ids::PairingId([1; 16]);
    let (one, two) = (key(1).id(), key(2).id());
    let hash = |inviter, accepter, messages: &[Message]| {
        let mut transcript = Transcript::new(id, inviter, accepter);
        for message in messages {
            transcript.add(message);
        }
        transcript.finish()
    };
    let nonce = Message::Nonce {
        nonce: [1; 32].into(),
    };
    let reveal = Message::Reveal {
        nonce: [1; 32].into(),
    };
    let all = [nonce.clone(), reveal.clone()];
    let reference = hash(one, two, &all);
    assert_ne!(reference, hash(two, one, &all));
    assert_ne!(reference, hash(one, two, &[reveal, nonce.clone()]));
    assert_ne!(reference, hash(one, two, &[nonce]));
}
