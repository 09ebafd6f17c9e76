//! A whole pairing, message by message.

use std::convert::Infallible;

use maillon_protocol::{
    descriptor::Descriptor,
    pairing::{
        Accepter, Effect, Invitation, InvitationError, Inviter, Message, PairingError, Pending,
    },
};
use rand_core::{TryCryptoRng, TryRng};
use serde_json::{Map, Value, json};

use crate::{
    file::{File, array, bytes, hex, number, text},
    judge::Refused,
    world::{DAY, NOW, World, rng},
};

const STEPS: [&str; 9] = [
    "open",
    "commit",
    "nonce",
    "reveal",
    "accepter-proof",
    "inviter-proof",
    "inviter-confirm",
    "accepter-confirm",
    "inviter-confirm-seen",
];

/// Gives the same 32 bytes for ever.
struct Fixed([u8; 32]);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        into.copy_from_slice(&self.0[..into.len()]);
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

/// The wire between the two: notes each message, puts another one in its place where the vector says so.
struct Wire<'a> {
    replace: &'a Value,
    heard: Map<String, Value>,
}

impl Wire<'_> {
    /// Takes the message out of one side's effects, as the other side reads it.
    fn carry(&mut self, effects: Vec<Effect>) -> Result<Message, Refused> {
        let step = STEPS[self.heard.len()];
        finished(&effects)?;
        let message = effects.into_iter().find_map(|effect| match effect {
            Effect::Send(message) => Some(message),
            _ => None,
        });
        let mut sent = message.expect("something to send").to_bytes();
        self.heard.insert(step.to_owned(), hex(&sent));
        if self.replace[step].is_string() {
            sent = bytes(&self.replace[step]);
        }
        Message::from_bytes(&sent).map_err(|error| name_of(&error).into())
    }
}

/// Plays the exchange between two nodes with given numbers.
pub(crate) fn judge(given: &Value) -> Result<Value, Refused> {
    let invitation = Invitation::from_text(text(&given["text"])).map_err(|error| match error {
        InvitationError::NotAnInvitation => "not-an-invitation",
        InvitationError::Version => "version",
        InvitationError::Character { .. } => "character",
        InvitationError::Incomplete => "incomplete",
        InvitationError::Checksum => "checksum",
        InvitationError::Content => "content",
        InvitationError::NoAddress | InvitationError::Address => "address",
        InvitationError::Limit(_) => "limit",
    })?;
    let now = number(&given["now_ms"]);
    let descriptor =
        |role: &str| Descriptor::verify(bytes(&given[role]["descriptor"])).expect("a descriptor");
    let (here, there) = (descriptor("inviter"), descriptor("accepter"));
    let mut wire = Wire {
        replace: &given["replace"],
        heard: Map::new(),
    };
    let mut invited = Pending::invite(invitation.clone());
    let mut accepted = Pending::accept(invitation, there.object.node, now)
        .map_err(|error| Refused::from(name_of(&error)))?;
    let nonce = |role: &str| Fixed(array(&given[role]["nonce"]));
    let mut inviter = Inviter::new(here.clone(), there.object.node, &mut nonce("inviter"));
    let mut accepter = Accepter::new(there.clone(), here.object.node, &mut nonce("accepter"));

    let open = wire.carry(accepter.open(&accepted, now))?;
    let commit = wire.carry(inviter.handle(&mut invited, open, now))?;
    let nonce_message = wire.carry(accepter.handle(&mut accepted, commit, now))?;
    let reveal = wire.carry(inviter.handle(&mut invited, nonce_message, now))?;
    let proof = wire.carry(accepter.handle(&mut accepted, reveal, now))?;
    let proof = wire.carry(inviter.handle(&mut invited, proof, now))?;
    finished(&accepter.handle(&mut accepted, proof, now))?;
    let words = accepted.words().expect("bound");
    let step = |step: Result<Vec<Effect>, PairingError>| {
        step.map_err(|error| Refused::from(name_of(&error)))
    };
    let confirm = wire.carry(step(invited.confirm(&words, now))?)?;
    finished(&accepter.handle(&mut accepted, confirm, now))?;
    let confirm = wire.carry(step(accepted.confirm(&words, now))?)?;
    let seen = wire.carry(inviter.handle(&mut invited, confirm, now))?;
    finished(&accepter.handle(&mut accepted, seen, now))?;
    assert!(invited.is_paired() && accepted.is_paired(), "paired");

    // A later connection names the transcript.
    let mut again = Accepter::new(there, here.object.node, &mut nonce("accepter"));
    let resumed = again.open(&accepted, now);
    let transcript = resumed.iter().find_map(|effect| match effect {
        Effect::Send(Message::Open { resume, .. }) => *resume,
        _ => None,
    });
    Ok(json!({
        "messages": wire.heard,
        "transcript": hex(transcript.expect("a bound exchange")),
        "words": words.words(),
    }))
}

fn finished(effects: &[Effect]) -> Result<(), Refused> {
    let failed = effects.iter().find_map(|effect| match effect {
        Effect::Failed(error) => Some(error),
        _ => None,
    });
    failed.map_or(Ok(()), |error| Err(name_of(error).into()))
}

fn name_of(error: &PairingError) -> &'static str {
    match error {
        PairingError::Message(_) => "message",
        PairingError::Limit(_) => "limit",
        PairingError::Version(_) => "version",
        PairingError::Unknown => "unknown",
        PairingError::Expired => "expired",
        PairingError::Descriptor(_) => "descriptor",
        PairingError::OtherNode => "other-node",
        PairingError::Commitment => "commitment",
        PairingError::Proof { .. } => "proof",
        PairingError::Impostor => "impostor",
        PairingError::Confirmation => "confirmation",
        PairingError::Unexpected(_) => "unexpected",
        other => panic!("no vector is meant to give this: {other}"),
    }
}

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
