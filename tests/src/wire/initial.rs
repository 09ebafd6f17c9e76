//! The first message of a QUIC client, opened as anybody on the way can open it.
//!
//! Initial packets are sealed with keys that follow from the destination connection id of the client's first one (RFC 9001
//! section 5.2), so they hide nothing from who sees that packet. The message may be spread over several packets and
//! datagrams, in any order and more than once; several packets may stand in one datagram (RFC 9000 section 12.2).
//!
//! Version 1 only. A server that answers with Retry changes the keys; ours does not, and this does not follow it.

use std::collections::BTreeMap;

use rustls::{
    Side,
    crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
    quic::{DirectionalKeys, Keys, Version},
};

use super::fields::Reader;

const LONG_HEADER: u8 = 0x80;
const VERSION_1: [u8; 4] = [0, 0, 0, 1];
const PADDING: u64 = 0;
const PING: u64 = 1;
const ACK: u64 = 2;
const ACK_WITH_ECN: u64 = 3;
const CRYPTO: u64 = 6;

/// What each client that these datagrams began said in its Initial packets, from the first byte on as far as nothing is
/// missing. All must come from one client address, in the order in which they passed.
pub(super) fn first_messages<'a>(datagrams: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut clients: Vec<Client> = Vec::new();
    for mut rest in datagrams {
        while let Some((packet, after)) = Packet::split(rest) {
            rest = after;
            if packet.kind != Kind::Initial {
                continue;
            }
            // Of a client that is known, or the first of another one: the seal fits one of them only.
            let known = clients
                .iter_mut()
                .find_map(|client| Some((packet.open(&client.keys)?, client)));
            if let Some((plain, client)) = known {
                client.read(&plain);
                continue;
            }
            let keys = client_keys(packet.destination);
            if let Some((plain, keys)) = keys.and_then(|keys| Some((packet.open(&keys)?, keys))) {
                let pieces = BTreeMap::new();
                let mut client = Client { keys, pieces };
                client.read(&plain);
                clients.push(client);
            }
        }
    }
    clients.iter().map(Client::message).collect()
}

/// The keys of a client that began with this destination connection id.
fn client_keys(destination: &[u8]) -> Option<DirectionalKeys> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13()?;
    let keys = Keys::initial(Version::V1, suite, suite.quic?, destination, Side::Server);
    Some(keys.remote)
}

/// One client's side of a handshake.
struct Client {
    keys: DirectionalKeys,
    /// Pieces of its message by their place; of two at one place the longer.
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl Client {
    /// Takes the pieces of the message out of a packet's frames.
    fn read(&mut self, plain: &[u8]) {
        let mut frames = Reader(plain);
        // What else a client may put into an Initial packet ends the connection.
        while self.frame(&mut frames).is_some() {}
    }

    fn frame(&mut self, frames: &mut Reader<'_>) -> Option<()> {
        match frames.varint()? {
            PADDING | PING => {}
            kind @ (ACK | ACK_WITH_ECN) => {
                frames.varint()?; // the largest number
                frames.varint()?; // the delay
                let ranges = frames.varint()?;
                frames.varint()?; // the first range
                let more = if kind == ACK_WITH_ECN { 3 } else { 0 };
                for _ in 0..ranges.checked_mul(2)?.checked_add(more)? {
                    frames.varint()?;
                }
            }
            CRYPTO => {
                let place = frames.varint()?;
                let length = frames.varint()?.try_into().ok()?;
                let piece = frames.take(length)?;
                let held = self.pieces.entry(place).or_default();
                if held.len() < piece.len() {
                    *held = piece.to_vec();
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn message(&self) -> Vec<u8> {
        let mut message = Vec::new();
        for (place, piece) in &self.pieces {
            let known = (message.len() as u64).checked_sub(*place);
            // A gap: what follows it cannot be read.
            let Some(known) = known.and_then(|known| usize::try_from(known).ok()) else {
                break;
            };
            message.extend_from_slice(piece.get(known..).unwrap_or_default());
        }
        message
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Initial,
    Other,
}

/// One sealed packet with a long header.
struct Packet<'a> {
    kind: Kind,
    destination: &'a [u8],
    bytes: &'a [u8],
    /// Where its number stands, which is under header protection.
    number_at: usize,
}

impl<'a> Packet<'a> {
    /// The first packet of a datagram, and what follows it; `None` where no packet with a long header of version 1 and a
    /// length is in front.
    fn split(datagram: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut rest = Reader(datagram);
        let first = rest.u8()?;
        if first & LONG_HEADER == 0 || rest.take(4)? != VERSION_1 {
            return None;
        }
        let destination = rest.part()?.0;
        rest.part()?; // source
        let kind = match first >> 4 & 3 {
            0 => Kind::Initial,
            3 => return None, // Retry
            _ => Kind::Other,
        };
        if kind == Kind::Initial {
            let token = rest.varint()?;
            rest.take(token.try_into().ok()?)?;
        }
        let length: usize = rest.varint()?.try_into().ok()?;
        let number_at = datagram.len() - rest.0.len();
        let (bytes, after) = datagram.split_at_checked(number_at.checked_add(length)?)?;
        let packet = Self {
            kind,
            destination,
            bytes,
            number_at,
        };
        Some((packet, after))
    }

    /// Takes header protection and seal away (RFC 9001 sections 5.4 and 5.3). A number is as long as it needs to be near the
    /// beginning of a connection, where nothing of it is left out.
    fn open(&self, keys: &DirectionalKeys) -> Option<Vec<u8>> {
        let mut header = self.bytes[..self.number_at].to_vec();
        let mut sealed = self.bytes[self.number_at..].to_vec();
        // The sample begins where a number of four bytes would end.
        let sample = sealed.get(4..4 + keys.header.sample_len())?.to_vec();
        keys.header
            .decrypt_in_place(&sample, &mut header[0], &mut sealed[..4])
            .ok()?;
        let length = usize::from(header[0] & 3) + 1;
        header.extend(sealed.drain(..length));
        let number = header[self.number_at..].iter();
        let number = number.fold(0, |number, byte| number << 8 | u64::from(*byte));
        let plain = keys.packet.decrypt_in_place(number, &header, &mut sealed);
        plain.ok().map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::hello::{ClientHello, tests};

    const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

    fn varint(number: usize) -> [u8; 2] {
        (0x4000 | number as u16).to_be_bytes()
    }

    fn crypto(place: usize, piece: &[u8]) -> Vec<u8> {
        [&[6][..], &varint(place), &varint(piece.len()), piece].concat()
    }

    /// An Initial packet of the client that began with `ID`, sealed as a client does it.
    fn packet(number: u8, to: &[u8], frames: &[u8]) -> Vec<u8> {
        let suite = TLS13_AES_128_GCM_SHA256.tls13().expect("of TLS 1.3");
        let quic = suite.quic.expect("for QUIC");
        let keys = Keys::initial(Version::V1, suite, quic, &ID, Side::Client).local;
        let mut sealed = frames.to_vec();
        let length = varint(1 + sealed.len() + keys.packet.tag_len());
        let ids = [&[to.len() as u8], to, &[1, 7]].concat();
        let mut header = [&[0xc0], &VERSION_1[..], &ids, &[0], &length, &[number]].concat();
        let tag = keys
            .packet
            .encrypt_in_place(number.into(), &header, &mut sealed)
            .expect("sealed");
        sealed.extend_from_slice(tag.as_ref());
        // Three bytes of the sealed part stand where a longer number would.
        let sample = sealed[3..3 + keys.header.sample_len()].to_vec();
        let (first, rest) = header.split_at_mut(1);
        let last = rest.len() - 1;
        keys.header
            .encrypt_in_place(&sample, &mut first[0], &mut rest[last..])
            .expect("hidden");
        [header, sealed].concat()
    }

    #[test]
    fn a_hello_in_pieces_out_of_order_and_with_other_frames_between_is_joined() {
        let hello = tests::message();
        let (one, rest) = hello.split_at(400);
        let (two, three) = rest.split_at(500);
        let ping_and_padding = [1, 0, 0, 0, 0];
        let ack = [2, 0, 0, 0, 0];
        // The last piece comes first; the answer of the server has given it another name for later packets.
        let late = [&ping_and_padding[..], &crypto(900, three)].concat();
        let early = [&ack[..], &crypto(400, two), &crypto(0, one)].concat();
        let again = crypto(300, &hello[300..500]);
        let datagrams = [
            [packet(0, &ID, &late), packet(1, &ID, &again)].concat(),
            b"\x40not a long header".to_vec(),
            packet(2, &[9; 20], &early),
        ];
        let read = ClientHello::of_datagrams(datagrams.iter().map(Vec::as_slice));
        assert_eq!(read, [tests::offered()]);
    }

    #[test]
    fn a_gap_a_changed_byte_and_another_version_give_no_hello() {
        let hello = tests::message();
        let read = |datagram: &[u8]| ClientHello::of_datagrams([datagram]);
        let gap = [crypto(0, &hello[..400]), crypto(401, &hello[401..])].concat();
        assert_eq!(read(&packet(0, &ID, &gap)), []);
        let good = packet(0, &ID, &crypto(0, &hello));
        assert_eq!(read(&good), [tests::offered()]);
        for place in [4, 7, good.len() / 2, good.len() - 1] {
            let mut changed = good.clone();
            changed[place] ^= 1;
            assert_eq!(read(&changed), [], "byte {place}");
        }
        assert_eq!(read(&good[..good.len() - 1]), []);
    }
}
