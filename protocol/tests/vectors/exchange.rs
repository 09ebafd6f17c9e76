//! Plays a pairing between two machines of the crate with given numbers, message by message.

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
    file::{array, bytes, hex, number, text},
    refused::Refused,
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
