//! The first message of TLS, read from a recorded stream: what a client offers before anything is encrypted.
//!
//! Enough of RFC 8446 section 4.1.2 to say which key exchanges were offered, in which order, and for which a share was
//! sent. It finds the message behind a plain-text negotiation that came before it (libp2p's multistream-select). A QUIC
//! client sends the same message in encrypted Initial packets (RFC 9001), which this does not open.

/// The hybrid key exchange X25519MLKEM768 in TLS (IANA supported group 0x11EC).
pub const X25519_MLKEM768: u16 = 0x11EC;
/// The classical key exchange X25519 (IANA supported group 0x001D).
pub const X25519: u16 = 0x001D;

const RECORD_HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SUPPORTED_GROUPS: u16 = 10;
const ALPN: u16 = 16;
const KEY_SHARE: u16 = 51;

/// What a TLS client offered, each list in its own order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The key exchanges that it knows, by their IANA number.
    pub groups: Vec<u16>,
    /// Those for which it sent a share at once.
    pub key_shares: Vec<u16>,
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
    let session = body.u8()?;
    body.take(session.into())?;
    body.list()?; // cipher suites
    let compressions = body.u8()?;
    body.take(compressions.into())?;

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
                    shares.list()?;
                    hello.key_shares.push(group);
                }
            }
            ALPN => {
                let mut names = extension.list()?;
                while let Some(length) = names.u8() {
                    hello.protocols.push(names.take(length.into())?.to_vec());
                }
            }
            _ => {}
        }
    }
    Some(hello)
}

/// Reads big-endian fields and vectors; `None` where the bytes end too soon.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A vector with a length of two bytes.
    fn list(&mut self) -> Option<Reader<'a>> {
        let length = self.u16()?;
        self.take(length.into()).map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientHello, X25519, X25519_MLKEM768};

    fn vector(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
    }

    fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes(), vector(content).as_slice()].concat()
    }

    /// A client hello, in records of at most `record` bytes.
    fn hello(record: usize) -> Vec<u8> {
        let groups = vector(&[0x11, 0xEC, 0x00, 0x1D]);
        let share = [&0x11EC_u16.to_be_bytes(), vector(&[7; 1216]).as_slice()].concat();
        let protocols = vector(b"\x06libp2p");
        let extensions = [
            extension(10, &groups),
            extension(51, &vector(&share)),
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
        let message = [&[1, 0], &(body.len() as u16).to_be_bytes(), body.as_slice()].concat();
        message
            .chunks(record)
            .flat_map(|part| [[22, 3, 1].as_slice(), &vector(part)].concat())
            .collect()
    }

    fn offered() -> ClientHello {
        ClientHello {
            groups: vec![X25519_MLKEM768, X25519],
            key_shares: vec![X25519_MLKEM768],
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
