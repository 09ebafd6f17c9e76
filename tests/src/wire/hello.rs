//! The first message of TLS, read from a recorded stream: what a client offers before anything is encrypted.
//!
//! Enough of RFC 8446 section 4.1.2 to say which versions and key exchanges were offered, in which order, and for which a
//! share was sent. In a stream, the message is found behind a plain-text negotiation that came before it (libp2p's
//! multistream-select). In datagrams it stands in QUIC's Initial packets, which [`initial`](super::initial) opens.

use super::{fields::Reader, initial};

/// The hybrid key exchange X25519MLKEM768 in TLS (IANA supported group 0x11EC).
pub const X25519_MLKEM768: u16 = 0x11EC;
/// The classical key exchange X25519 (IANA supported group 0x001D).
pub const X25519: u16 = 0x001D;

const RECORD_HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SUPPORTED_GROUPS: u16 = 10;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;

/// What a TLS client offered, each list in its own order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The key exchanges that it knows, by their IANA number.
    pub groups: Vec<u16>,
    /// Those for which it sent a share at once, and the length of the share in bytes.
    pub key_shares: Vec<(u16, usize)>,
    /// The versions of TLS that it speaks; 0x0304 is TLS 1.3.
    pub versions: Vec<u16>,
    /// The application protocols that it offered.
    pub protocols: Vec<Vec<u8>>,
}

impl ClientHello {
    /// The first client hello in these bytes of a stream, if a whole one stands there.
    pub fn find(stream: &[u8]) -> Option<Self> {
        (0..stream.len()).find_map(|start| {
            let message = handshake(&stream[start..])?;
            parse(&message)
        })
    }

    /// The client hellos of the QUIC connections that one client address began with these datagrams, in that order. A
    /// connection of which the hello is not whole is left out.
    pub fn of_datagrams<'a>(datagrams: impl IntoIterator<Item = &'a [u8]>) -> Vec<Self> {
        let messages = initial::first_messages(datagrams);
        messages
            .iter()
            .filter_map(|message| parse(message))
            .collect()
    }
}

/// The handshake bytes of consecutive TLS records from the start of `bytes`, as far as they go.
fn handshake(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut rest = Reader(bytes);
    while let Some(RECORD_HANDSHAKE) = rest.u8() {
        // The record version is frozen at 3.1 or 3.3.
        let (3, 1..=4) = (rest.u8()?, rest.u8()?) else {
            return None;
        };
        let Some(fragment) = rest.u16().and_then(|length| rest.take(length.into())) else {
            break;
        };
        message.extend_from_slice(fragment);
    }
    (!message.is_empty()).then_some(message)
}

fn parse(message: &[u8]) -> Option<ClientHello> {
    let mut message = Reader(message);
    if message.u8()? != CLIENT_HELLO {
        return None;
    }
    let length = usize::from(message.u8()?) << 16 | usize::from(message.u16()?);
    let mut body = Reader(message.take(length)?);
    body.take(2 + 32)?; // legacy version, random
    body.part()?; // session id
    body.list()?; // cipher suites
    body.part()?; // compression methods

    let mut hello = ClientHello::default();
    let mut extensions = body.list()?;
    while let Some(kind) = extensions.u16() {
        let mut extension = extensions.list()?;
        match kind {
            SUPPORTED_GROUPS => {
                let mut groups = extension.list()?;
                while let Some(group) = groups.u16() {
                    hello.groups.push(group);
                }
            }
            KEY_SHARE => {
                let mut shares = extension.list()?;
                while let Some(group) = shares.u16() {
                    let share = shares.list()?;
                    hello.key_shares.push((group, share.0.len()));
                }
            }
            SUPPORTED_VERSIONS => {
                let mut versions = extension.part()?;
                while let Some(version) = versions.u16() {
                    hello.versions.push(version);
                }
            }
            ALPN => {
                let mut names = extension.list()?;
                while !names.0.is_empty() {
                    hello.protocols.push(names.part()?.0.to_vec());
                }
            }
            _ => {}
        }
    }
    Some(hello)
}

#[cfg(test)]
pub(super) mod tests {
    use super::{ClientHello, X25519, X25519_MLKEM768};

    fn vector(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
    }

    fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes(), vector(content).as_slice()].concat()
    }

    /// A client hello.
    pub(in crate::wire) fn message() -> Vec<u8> {
        let groups = vector(&[0x11, 0xEC, 0x00, 0x1D]);
        let share = [&0x11EC_u16.to_be_bytes(), vector(&[7; 1216]).as_slice()].concat();
        let protocols = vector(b"\x06libp2p");
        let extensions = [
            extension(10, &groups),
            extension(51, &vector(&share)),
            extension(43, &[2, 3, 4]),
            extension(16, &protocols),
        ]
        .concat();
        let body = [
            [3, 3].as_slice(),
            [9; 32].as_slice(),
            &[0],
            &vector(&[0x13, 0x03]),
            &[1, 0],
            &vector(&extensions),
        ]
        .concat();
        [&[1, 0], &(body.len() as u16).to_be_bytes(), body.as_slice()].concat()
    }

    /// The same, in records of at most `record` bytes.
    fn hello(record: usize) -> Vec<u8> {
        message()
            .chunks(record)
            .flat_map(|part| [[22, 3, 1].as_slice(), &vector(part)].concat())
            .collect()
    }

    /// What it offers.
    pub(in crate::wire) fn offered() -> ClientHello {
        ClientHello {
            groups: vec![X25519_MLKEM768, X25519],
            key_shares: vec![(X25519_MLKEM768, 1216)],
            versions: vec![0x0304],
            protocols: vec![b"libp2p".to_vec()],
        }
    }

    #[test]
    fn the_offers_of_a_client_are_read_in_their_order_behind_another_negotiation() {
        let stream = [
            b"\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n".as_slice(),
            &hello(16_000),
        ]
        .concat();
        assert_eq!(ClientHello::find(&stream), Some(offered()));
    }

    #[test]
    fn a_hello_that_spans_records_is_joined() {
        assert_eq!(ClientHello::find(&hello(500)), Some(offered()));
    }

    #[test]
    fn half_a_hello_or_noise_is_none() {
        let whole = hello(16_000);
        assert_eq!(ClientHello::find(&whole[..whole.len() - 1]), None);
        assert_eq!(ClientHello::find(&[22; 300]), None);
        assert_eq!(ClientHello::find(b""), None);
    }
}
