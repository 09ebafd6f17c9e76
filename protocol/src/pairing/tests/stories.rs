//! What two honest administrators live through.

use super::*;

const BOTH: [[Role; 2]; 2] = [
    [Role::Inviter, Role::Accepter],
    [Role::Accepter, Role::Inviter],
];

#[test]
fn two_administrators_who_confirm_the_same_words_make_their_nodes_peers() {
    let mut pair = Pair::new();
    let mut link = pair.dial();
    pair.run(&mut link);
    assert!(pair.inviter.shown.is_some());
    assert_eq!(pair.inviter.shown, pair.accepter.shown);

    pair.confirm(Role::Inviter, Some(&mut link));
    pair.confirm(Role::Accepter, Some(&mut link));
    pair.run(&mut link);

    pair.assert_paired();
    assert!(pair.inviter.pending.is_settled() && pair.accepter.pending.is_settled());
    assert!(pair.inviter.failed.is_empty() && pair.accepter.failed.is_empty());
}

#[test]
fn nobody_is_a_peer_before_both_have_confirmed_whoever_is_first() {
    for [first, second] in BOTH {
        let mut pair = Pair::new();
        let mut link = pair.dial();
        pair.run(&mut link);
        pair.assert_not_paired();

        pair.confirm(first, Some(&mut link));
        pair.run(&mut link);
        pair.assert_not_paired();
        assert!(pair.site(second).pending.confirmed_there());

        pair.confirm(second, Some(&mut link));
        pair.run(&mut link);
        pair.assert_paired();
    }
}

#[test]
fn a_pairing_goes_on_after_a_crash_of_both_nodes_at_any_step() {
    // Six messages of the exchange, then the confirmations.
    for steps in 0..12 {
        for [first, second] in BOTH {
            let mut pair = Pair::new();
            let mut link = pair.dial();
            for step in 0..steps {
                if step == 6 {
                    pair.confirm(first, Some(&mut link));
                    pair.confirm(second, Some(&mut link));
                }
                pair.deliver(&mut link);
            }
            pair.inviter.restart();
            pair.accepter.restart();

            let mut link = pair.dial();
            pair.run(&mut link);
            assert_eq!(pair.inviter.pending.words(), pair.accepter.pending.words());
            for role in [first, second] {
                pair.confirm(role, Some(&mut link));
                pair.run(&mut link);
            }
            pair.assert_paired();
            assert!(
                pair.inviter.pending.is_settled() && pair.accepter.pending.is_settled(),
                "after {steps} steps"
            );
        }
    }
}

#[test]
fn confirmations_given_while_the_nodes_are_apart_meet_at_the_next_contact() {
    let mut pair = Pair::new();
    let mut link = pair.dial();
    pair.run(&mut link);
    drop(link);
    pair.confirm(Role::Accepter, None);
    pair.now += 2 * DAY;
    pair.confirm(Role::Inviter, None);
    pair.assert_not_paired();

    let mut link = pair.dial();
    pair.run(&mut link);
    pair.assert_paired();
    assert!(
        link.heard
            .iter()
            .all(|(_, message)| !matches!(message, Message::Proof { .. })),
        "only confirmations were left"
    );
}

#[test]
fn a_side_that_missed_the_last_confirmation_gets_it_when_it_dials_again_even_after_the_expiry() {
    let mut pair = Pair::new();
    let mut link = pair.dial();
    pair.run(&mut link);
    pair.confirm(Role::Accepter, Some(&mut link));
    pair.run(&mut link);
    pair.confirm(Role::Inviter, None);
    assert_eq!(pair.inviter.peer, Some(key(2).id()));
    assert_eq!(pair.accepter.peer, None);

    pair.now += 6 * DAY;
    assert!(!pair.inviter.pending.is_over(pair.now + 30 * DAY));
    let mut link = pair.dial();
    pair.run(&mut link);
    pair.assert_paired();
    assert!(pair.inviter.pending.is_over(pair.now + 30 * DAY));
}

#[test]
fn words_that_differ_end_the_invitation_on_both_sides() {
    for [role, other] in BOTH {
        let mut pair = Pair::new();
        let mut link = pair.dial();
        pair.run(&mut link);
        pair.confirm(other, Some(&mut link));
        pair.run(&mut link);
        let effects = pair.site(role).pending.reject().expect("may reject");
        pair.carry_out(&mut link, role, effects);
        pair.run(&mut link);

        assert_eq!(pair.site(role).pending.end(), Some(End::RejectedHere));
        assert_eq!(pair.site(other).pending.end(), Some(End::RejectedThere));
        pair.assert_not_paired();
        let mut link = pair.dial();
        pair.run(&mut link);
        pair.assert_not_paired();
    }
}

#[test]
fn an_inviter_that_rejects_while_apart_says_so_when_the_other_dials() {
    let mut pair = Pair::new();
    let mut link = pair.dial();
    pair.run(&mut link);
    let effects = pair.inviter.pending.reject().expect("may reject");
    pair.inviter.carry_out(effects);
    let mut link = pair.dial();
    pair.run(&mut link);
    assert_eq!(pair.accepter.pending.end(), Some(End::RejectedThere));
}

#[test]
fn an_accepter_that_missed_the_proof_starts_again_and_the_earlier_words_no_longer_count() {
    let mut pair = Pair::new();
    let mut link = pair.dial();
    for _ in 0..5 {
        pair.deliver(&mut link);
    }
    let earlier = pair.inviter.shown.expect("the inviter is bound");
    assert_eq!(pair.accepter.shown, None);
    pair.confirm(Role::Inviter, None);
    drop(link);

    let mut link = pair.dial();
    pair.run(&mut link);
    assert_eq!(pair.inviter.shown, pair.accepter.shown);
    assert_ne!(pair.inviter.shown, Some(earlier));
    assert!(!pair.inviter.pending.confirmed_here());
    let now = pair.now;
    assert_eq!(
        pair.inviter.pending.confirm(&earlier, now),
        Err(PairingError::OtherWords)
    );
    pair.confirm(Role::Accepter, Some(&mut link));
    pair.run(&mut link);
    pair.assert_not_paired();
}

#[test]
fn an_expired_invitation_is_refused_on_both_sides_and_before_the_proof() {
    let mut pair = Pair::new();
    pair.now = NOW + 7 * DAY;
    let mut link = pair.dial();
    pair.run(&mut link);
    assert_eq!(pair.accepter.failed, [PairingError::Expired]);

    // The accepter's clock is late: the inviter's counts.
    let mut pair = Pair::new();
    let mut link = pair.dial();
    pair.now = NOW + 7 * DAY;
    pair.run(&mut link);
    assert_eq!(pair.inviter.failed, [PairingError::Expired]);
    assert_eq!(
        pair.accepter.failed,
        [PairingError::Refused(RefuseCode::Expired)]
    );

    // It expires between the first message and the proof.
    let mut pair = Pair::new();
    let mut link = pair.dial();
    for _ in 0..4 {
        pair.deliver(&mut link);
    }
    pair.now = NOW + 7 * DAY;
    pair.run(&mut link);
    assert_eq!(pair.inviter.failed, [PairingError::Expired]);
    assert_eq!(pair.inviter.pending.remote(), None);
}

#[test]
fn administrators_who_never_confirm_leave_nothing_behind() {
    let mut pair = Pair::new();
    let mut link = pair.dial();
    pair.run(&mut link);
    pair.confirm(Role::Inviter, Some(&mut link));
    pair.now += 8 * DAY;
    pair.run(&mut link);
    assert_eq!(pair.accepter.failed, [PairingError::Expired]);
    let words = pair.accepter.pending.words().expect("bound");
    let now = pair.now;
    assert_eq!(
        pair.accepter.pending.confirm(&words, now),
        Err(PairingError::Expired)
    );
    assert!(pair.inviter.pending.is_over(now) && pair.accepter.pending.is_over(now));
    pair.assert_not_paired();
}

#[test]
fn an_attempt_that_breaks_off_before_the_proof_changes_nothing() {
    for steps in 0..5 {
        let mut pair = Pair::new();
        let before = (pair.inviter.stored.clone(), pair.accepter.stored.clone());
        let mut link = pair.dial();
        for _ in 0..steps.min(4) {
            pair.deliver(&mut link);
        }
        assert_eq!(
            (pair.inviter.stored.clone(), pair.accepter.stored.clone()),
            before
        );
    }
}

#[test]
fn a_withdrawn_invitation_lets_nobody_in_and_a_finished_pairing_cannot_be_rejected() {
    let mut pair = Pair::new();
    let effects = pair.inviter.pending.reject().expect("may withdraw");
    pair.inviter.carry_out(effects);
    assert_eq!(pair.inviter.pending.end(), Some(End::Withdrawn));
    let mut link = pair.dial();
    pair.run(&mut link);
    assert_eq!(
        pair.accepter.failed,
        [PairingError::Refused(RefuseCode::Ended)]
    );

    let mut pair = Pair::new();
    let mut link = pair.dial();
    pair.run(&mut link);
    pair.confirm(Role::Inviter, Some(&mut link));
    pair.confirm(Role::Accepter, Some(&mut link));
    pair.run(&mut link);
    assert_eq!(
        pair.inviter.pending.reject(),
        Err(PairingError::AlreadyPaired)
    );
}

#[test]
fn the_secret_is_not_stored_once_no_exchange_needs_it() {
    let mut pair = Pair::new();
    let secret = pair
        .accepter
        .pending
        .secret()
        .expect("offered")
        .expose()
        .to_vec();
    let holds = |bytes: &[u8]| bytes.windows(16).any(|window| window == secret);
    assert!(holds(&pair.inviter.stored) && holds(&pair.accepter.stored));
    let mut link = pair.dial();
    pair.run(&mut link);
    assert!(!holds(&pair.accepter.stored));
    pair.confirm(Role::Accepter, Some(&mut link));
    pair.run(&mut link);
    assert!(!holds(&pair.inviter.stored));
}
