//! Known answers, computed with another program (Python's hashlib and hmac) from the formulas of [`super::proof`].

use super::*;
use crate::{
    ids::PairingId,
    pairing::proof::{Exchange, Transcript, commitment, confirmation, confirmation_key},
};

fn words(head: [u8; 8]) -> [&'static str; 5] {
    let mut hash = [0xee; 32];
    hash[..8].copy_from_slice(&head);
    Words::of(&Hash(hash)).words()
}

#[test]
fn the_words_of_known_transcripts_are_known() {
    assert_eq!(words([0; 8]), ["abaisser"; 5]);
    assert_eq!(words([0xff; 8]), ["zoologie"; 5]);
    // 1, 2, 3, 4, 5 in eleven bits each, nine bits left over.
    let head: u64 = (1 << 53) | (2 << 42) | (3 << 31) | (4 << 20) | (5 << 9) | 0x1ff;
    assert_eq!(
        words(head.to_be_bytes()),
        ["abandon", "abdiquer", "abeille", "abolir", "aborder"]
    );
}

/// Six messages as on the wire; descriptors are any bytes, since nothing here reads them.
fn messages(commitment: Hash, exchange: &Exchange) -> [Message; 6] {
    [
        Message::Open {
            version: VERSION,
            invitation: exchange.invitation,
            descriptor: b"accepter".to_vec().into(),
            resume: None,
        },
        Message::Commit {
            descriptor: b"inviter".to_vec().into(),
            commitment,
        },
        Message::Nonce {
            nonce: exchange.accepter_nonce.into(),
        },
        Message::Reveal {
            nonce: exchange.inviter_nonce.into(),
        },
        Message::Proof {
            mac: [8; 32].into(),
        },
        Message::Proof {
            mac: [9; 32].into(),
        },
    ]
}

#[test]
fn every_derivation_of_a_known_exchange_is_known() {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let secret = Secret::filled_by(|bytes: &mut [u8; 16]| {
        *bytes = std::array::from_fn(|place| u8::try_from(place).expect("sixteen places"));
    });
    let exchange = Exchange {
        invitation: PairingId([1; 16]),
        inviter: NodeId([2; 32]),
        accepter: NodeId([3; 32]),
        inviter_descriptor: Hash([4; 32]),
        accepter_descriptor: Hash([5; 32]),
        inviter_nonce: [6; 32],
        accepter_nonce: [7; 32],
    };
    let commitment = commitment(&exchange.inviter_nonce);
    assert_eq!(
        commitment.to_string(),
        "7f540657808f2fe85361038316a0b7e2983ef0633f99b82c79c40caa36c67330"
    );
    assert_eq!(
        hex(&exchange.proof(&secret, Role::Inviter)[..]),
        "a3f2bee0f3430d5e78f514ed0757514476e713e0c8d36814e91e5f0647d974df"
    );
    assert_eq!(
        hex(&exchange.proof(&secret, Role::Accepter)[..]),
        "d53fc865bad4a1be23d1705e9541a63e5b11500d9b4058030901cf24c50c8981"
    );
    let mut transcript = Transcript::new(exchange.invitation, exchange.inviter, exchange.accepter);
    for message in messages(commitment, &exchange) {
        transcript.add(&message);
    }
    let transcript = transcript.finish();
    assert_eq!(
        transcript.to_string(),
        "98e6e5434dfda775a14b4b6d85f632621c01af7b6651c476497ac589c61bca5c"
    );
    assert_eq!(
        Words::of(&transcript).to_string(),
        "me\u{301}lange consonne e\u{301}lucider milieu sensible"
    );
    let key = confirmation_key(&secret, transcript);
    assert_eq!(
        hex(&confirmation(&key, Role::Inviter, transcript, false)[..]),
        "fc75442d046cc98b61238942cd19059490b07c0d7f02ec8afed3fb81c5b4c5bf"
    );
    assert_eq!(
        hex(&confirmation(&key, Role::Accepter, transcript, true)[..]),
        "b8298112b9b2dd8a6b404da00e9e3d92070038715cc19fce943bc6a13551472f"
    );

    let invitation = Invitation {
        version: VERSION,
        inviter: exchange.inviter,
        addresses: vec!["/ip4/192.0.2.1/udp/4001/quic-v1".into()],
        id: exchange.invitation,
        secret,
        expires_ms: 1_800_604_800_000,
    };
    let text = "maillon1:qyavqiacaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcakaxqhzpnfydilzrhezc4mbogixdcl3vm\
                ryc6nbqgays64lvnfrs25rrkaaqcaibaeaqcaibaeaqcaibaeavaaabaibqibiga4eascqlbqgq4dy3aaaadiz4ndkab6dnlnka";
    assert_eq!(invitation.to_text().as_str(), text);
    assert_eq!(Invitation::from_text(text), Ok(invitation));
}
