//! A whole pairing, message by message, and what ends one.

use maillon_protocol::pairing::Invitation;
use serde_json::{Value, json};

use crate::{
    exchange::judge,
    file::{File, bytes, hex},
    node::{DAY, NOW, rng},
    world::World,
};

pub(crate) fn make(world: &World) -> Value {
    let mut file = File::new(
        "A pairing: the text that was handed over, both descriptors and both numbers give every message, the \
         transcript and the five words. `replace` puts another message in the place of one.",
    );
    let [first, second, third] = &world.nodes;
    let invitation = Invitation::new(
        first.id(),
        vec![
            "/ip4/192.0.2.1/udp/4001/quic-v1".to_owned(),
            "/dns4/maillon.example/tcp/443".to_owned(),
        ],
        NOW,
        DAY,
        &mut rng(81),
    )
    .expect("within the limits");
    let given = json!({
        "text": invitation.to_text().as_str(),
        "now_ms": NOW + 1,
        "inviter": { "descriptor": hex(&first.descriptor.bytes), "nonce": hex([0xa1; 32]) },
        "accepter": { "descriptor": hex(&second.descriptor.bytes), "nonce": hex([0xb2; 32]) },
        "replace": {},
    });
    let gives = judge(&given).expect("a pairing");
    file.valid(
        "from the text to two confirmations",
        given.clone(),
        gives.clone(),
    );
    let mut others = given.clone();
    others["accepter"] =
        json!({ "descriptor": hex(&third.descriptor.bytes), "nonce": hex([0xc3; 32]) });
    let answer = judge(&others).expect("a pairing");
    file.valid("the same invitation with another node", others, answer);

    let message = |step: &str| bytes(&gives["messages"][step]);
    let flipped = |step: &str| {
        let mut message = message(step);
        *message.last_mut().expect("bytes") ^= 1;
        message
    };
    for (name, step, instead, error) in [
        (
            "open with a byte behind it",
            "open",
            [message("open"), vec![0]].concat(),
            "message",
        ),
        (
            "open in another version",
            "open",
            replaced(&message("open"), 2, 2),
            "version",
        ),
        (
            "open of another invitation",
            "open",
            replaced(&message("open"), 4, 0xff),
            "unknown",
        ),
        (
            "open with a descriptor that is not signed",
            "open",
            flipped("open"),
            "descriptor",
        ),
        (
            "commit with another node's descriptor",
            "commit",
            commit_by(&third.descriptor.bytes, &message("commit")),
            "other-node",
        ),
        (
            "another commitment",
            "commit",
            flipped("commit"),
            "commitment",
        ),
        (
            "another nonce of the accepter",
            "nonce",
            flipped("nonce"),
            "proof",
        ),
        (
            "a nonce that was not committed to",
            "reveal",
            flipped("reveal"),
            "commitment",
        ),
        (
            "a nonce of 31 bytes",
            "reveal",
            [&[0x82, 0x03, 0x58, 31][..], &[0xa1; 31]].concat(),
            "message",
        ),
        (
            "a wrong proof of the accepter",
            "accepter-proof",
            flipped("accepter-proof"),
            "proof",
        ),
        (
            "the inviter's own role in the accepter's proof",
            "accepter-proof",
            message("inviter-proof"),
            "proof",
        ),
        (
            "a wrong proof of the inviter",
            "inviter-proof",
            flipped("inviter-proof"),
            "impostor",
        ),
        (
            "the accepter's proof sent back",
            "inviter-proof",
            message("accepter-proof"),
            "impostor",
        ),
        (
            "a wrong confirmation",
            "inviter-confirm",
            flipped("inviter-confirm"),
            "confirmation",
        ),
        (
            "the inviter's confirmation sent back",
            "accepter-confirm",
            message("inviter-confirm"),
            "confirmation",
        ),
        (
            "a confirmation that says seen and was made for unseen",
            "inviter-confirm",
            replaced(&message("inviter-confirm"), 2, 0xf5),
            "confirmation",
        ),
        (
            "a proof in the place of the nonce",
            "nonce",
            message("accepter-proof"),
            "unexpected",
        ),
        (
            "a message in a longer form",
            "nonce",
            [&[0x82, 0x18, 0x02], &message("nonce")[2..]].concat(),
            "message",
        ),
    ] {
        let mut given = given.clone();
        given["replace"] = json!({ step: hex(instead) });
        file.invalid(name, given, error);
    }

    let mut late = given.clone();
    late["now_ms"] = (NOW + DAY).into();
    file.invalid("at the moment of its end", late, "expired");
    let text = invitation.to_text();
    let swapped = if text.ends_with('a') { "b" } else { "a" };
    for (name, text, error) in [
        (
            "text with a typing error",
            text.replacen("qya", "qyb", 1),
            "checksum",
        ),
        (
            "text cut by its last character",
            text[..text.len() - 1].to_owned(),
            "incomplete-or-checksum",
        ),
        (
            "text with another last character",
            format!("{}{swapped}", &text[..text.len() - 1]),
            "checksum",
        ),
        (
            "text of a later version",
            text.replacen("maillon1", "maillon2", 1),
            "version",
        ),
        (
            "text with a digit that does not occur",
            format!("{}1", text.as_str()),
            "character",
        ),
        (
            "another text",
            "https://example.org".to_owned(),
            "not-an-invitation",
        ),
    ] {
        let mut given = given.clone();
        given["text"] = text.into();
        let error = if error == "incomplete-or-checksum" {
            judge(&given).expect_err("cut").name
        } else {
            error
        };
        file.invalid(name, given, error);
    }
    file.json()
}

fn replaced(message: &[u8], place: usize, byte: u8) -> Vec<u8> {
    let mut message = message.to_vec();
    message[place] = byte;
    message
}

/// The inviter's commit with another descriptor.
fn commit_by(descriptor: &[u8], commit: &[u8]) -> Vec<u8> {
    let commitment = &commit[commit.len() - 34..];
    [
        &[0x83, 0x01][..],
        &crate::forge::bstr(descriptor),
        commitment,
    ]
    .concat()
}
