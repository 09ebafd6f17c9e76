//! What a node offers before anything is encrypted, read from the wire as anybody on the way can read it.

use maillon_tests::{
    daemon::Carriers,
    wire::{ClientHello, Way, Wire, X25519_MLKEM768},
};

use crate::{
    Story, ensure,
    partition::{Apart, apart, meet},
};

/// Bytes of the recording: more than a meeting takes.
const TAPE: usize = 8 << 20;
/// Bytes of a hybrid share: 1184 of ML-KEM-768 and 32 of X25519.
const SHARE: usize = 1184 + 32;
const TLS_1_3: u16 = 0x0304;

/// Two nodes meet over recorded wires; whoever dials offers the hybrid key exchange first, and TLS 1.3 only.
fn the_hybrid_key_exchange_is_offered_first(
    carriers: Carriers,
    hellos: impl Fn(&Wire) -> Vec<ClientHello>,
) -> Story {
    let Apart {
        to_a,
        to_b,
        a,
        b,
        _root,
    } = apart(carriers)?;
    let cables = [&to_a, &to_b];
    let wires = || {
        cables
            .iter()
            .flat_map(|cable| cable.udp.iter().chain(&cable.tcp))
    };
    wires().for_each(|wire| wire.record(TAPE));
    let _two = meet(a, b)?;
    let hellos: Vec<ClientHello> = wires().flat_map(hellos).collect();
    ensure(!hellos.is_empty(), || {
        String::from("no client hello passed")
    })?;
    let good = |hello: &ClientHello| {
        hello.groups.first() == Some(&X25519_MLKEM768)
            && hello.key_shares.first() == Some(&(X25519_MLKEM768, SHARE))
            && hello.versions == [TLS_1_3]
    };
    ensure(hellos.iter().all(good), || format!("{hellos:x?}"))
}

#[test]
fn the_first_word_on_the_wire_offers_the_hybrid_key_exchange_first_over_quic() -> Story {
    the_hybrid_key_exchange_is_offered_first(Carriers::Quic, |wire| {
        let tape = wire.tape();
        let clients = tape.clients().into_iter();
        clients
            .flat_map(|flow| ClientHello::of_datagrams(tape.datagrams(flow, Way::There)))
            .collect()
    })
}

#[test]
fn the_first_word_on_the_wire_offers_the_hybrid_key_exchange_first_over_tcp() -> Story {
    the_hybrid_key_exchange_is_offered_first(Carriers::Tcp, |wire| {
        let tape = wire.tape();
        let streams = tape.streams().into_iter();
        streams
            .filter_map(|flow| ClientHello::find(&tape.stream(flow, Way::There)))
            .collect()
    })
}
