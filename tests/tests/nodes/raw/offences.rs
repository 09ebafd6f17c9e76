//! Frames that are no messages, or come at the wrong time.

use maillon_protocol::{cbor::Bytes, limits, sync::Message};

/// Something that is sent, the words with which it is refused, and whether it costs the connection.
pub(super) struct Offence {
    pub(super) name: &'static str,
    /// Bytes on the stream.
    pub(super) bytes: Vec<u8>,
    pub(super) words: &'static str,
    pub(super) closes: bool,
    /// Said before any hello.
    pub(super) rude: bool,
}

pub(super) fn frame(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// Frames that are no messages, or come at the wrong time: the connection is closed.
pub(super) fn broken_frames() -> Vec<Offence> {
    let compared = Message::Compared(7).encode();
    let long_form = [&compared[..compared.len() - 1], &[0x18, 7]].concat();
    let trailing = [&compared[..], &[0]].concat();
    let versions = Message::Hello {
        lowest: 9,
        highest: 12,
        descriptor: Bytes(Vec::new()),
        marks: Vec::new(),
    };
    let too_long = (limits::FRAME as u32 + 1).to_be_bytes();
    let closes = |name, bytes: Vec<u8>, words| Offence {
        name,
        bytes,
        words,
        closes: true,
        rude: false,
    };
    let mut all = vec![
        closes(
            "garbage",
            frame(&[0xff; 40]),
            "the frame is no message: not the expected CBOR shape",
        ),
        closes("an empty frame", frame(&[]), "the frame is no message"),
        closes(
            "a message of another number",
            frame(&[0x82, 0x18, 99, 0x80]),
            "the frame is no message",
        ),
        closes(
            "a number in its long form",
            frame(&long_form),
            "not the deterministic encoding",
        ),
        closes(
            "bytes after the message",
            frame(&trailing),
            "1 bytes follow the object",
        ),
        closes(
            "too long a frame",
            too_long.to_vec(),
            "a frame of more than 1048576 bytes was announced",
        ),
    ];
    let rude = [
        closes(
            "a word before hello",
            frame(&compared),
            "sent compared before its hello",
        ),
        closes(
            "other versions",
            frame(&versions.encode()),
            "speaks versions 9 to 12",
        ),
    ];
    all.extend(rude.map(|offence| Offence {
        rude: true,
        ..offence
    }));
    all
}
