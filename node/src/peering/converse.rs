//! One connection of a pairing, from its first message to its last.
//!
//! A frame that is being read when the administrator confirms may be lost, and the connection with it: the next one repeats everything.

use maillon_protocol::pairing::{
    Accepter, Effect, Inviter, Message, PairingError, Pending, RefuseCode,
};
use tokio::sync::mpsc;

use super::{course::Course, room::Room};
use crate::network::pairing::FrameStream;

/// Messages of the administrator that wait for a connection: a confirmation and a rejection.
const QUEUE: usize = 4;
/// Frames that one connection may bring: an exchange has five.
const FRAMES: usize = 64;

/// This node's end of a connection.
pub(super) enum Machine {
    Inviter(Inviter),
    Accepter(Accepter),
}

impl Machine {
    /// Takes a message; none begins.
    fn act(&mut self, pending: &mut Pending, given: Option<Message>, now_ms: u64) -> Vec<Effect> {
        match (self, given) {
            (Self::Inviter(machine), Some(message)) => machine.handle(pending, message, now_ms),
            (Self::Inviter(_), None) => Vec::new(),
            (Self::Accepter(machine), Some(message)) => machine.handle(pending, message, now_ms),
            (Self::Accepter(machine), None) => machine.open(pending, now_ms),
        }
    }

    const fn is_bound(&self) -> bool {
        match self {
            Self::Inviter(machine) => machine.is_bound(),
            Self::Accepter(machine) => machine.is_bound(),
        }
    }
}

/// How a connection ended.
pub(super) enum Ended {
    /// Both sides have read everything.
    Politely,
    /// One side refuses.
    Refused(PairingError),
    /// It broke, was silent for too long, or this node could not keep what was said.
    Broken(String),
}

/// Leads one connection to its end. `given` is what the other side said first, where it spoke first. It may be cut off anywhere: what was
/// said is stored.
pub(super) async fn converse(
    room: &Room,
    course: &Course,
    mut machine: Machine,
    mut stream: FrameStream,
    mut given: Option<Message>,
) -> Ended {
    let (queue, mut waiting) = mpsc::channel(QUEUE);
    let socket = course.socket(queue);
    for _ in 0..FRAMES {
        let message = given.take();
        let step = room.step(course, None, |pending, now_ms| {
            let effects = machine.act(pending, message, now_ms);
            if machine.is_bound() {
                socket.plug();
            }
            Ok(effects)
        });
        let step = match step.await {
            Ok(step) => step,
            Err(error) => return Ended::Broken(error.to_string()),
        };
        for message in step.say {
            if let Err(error) = stream.send(&message.to_bytes()).await {
                return Ended::Broken(error.to_string());
            }
        }
        if let Some(error) = step.failed {
            if stream.finish().await.is_ok() {
                course.was_told();
            }
            return Ended::Refused(error);
        }
        if matches!(machine, Machine::Accepter(_)) && course.look(Pending::is_settled) {
            return finish(stream).await;
        }
        let frame = loop {
            tokio::select! {
                biased;
                Some(message) = waiting.recv() => {
                    if let Err(error) = stream.send(&message.to_bytes()).await {
                        return Ended::Broken(error.to_string());
                    }
                    if matches!(message, Message::Refuse { .. }) {
                        let ended = finish(stream).await;
                        if matches!(ended, Ended::Politely) {
                            course.was_told();
                        }
                        return ended;
                    }
                }
                frame = stream.recv() => break frame,
            }
        };
        match frame {
            Ok(Some(bytes)) => match Message::from_bytes(&bytes) {
                Ok(message) => given = Some(message),
                Err(error) => return refuse(stream, error).await,
            },
            Ok(None) if matches!(machine, Machine::Inviter(_)) => return finish(stream).await,
            Ok(None) => return Ended::Broken("the other node closed the connection".to_owned()),
            Err(error) => return Ended::Broken(error.to_string()),
        }
    }
    refuse(stream, PairingError::Unexpected("one more")).await
}

async fn finish(stream: FrameStream) -> Ended {
    match stream.finish().await {
        Ok(()) => Ended::Politely,
        Err(error) => Ended::Broken(error.to_string()),
    }
}

/// Says why this node stops, where that is to be said.
pub(super) async fn refuse(mut stream: FrameStream, error: PairingError) -> Ended {
    let code = error.code().unwrap_or(RefuseCode::Unexpected);
    if stream
        .send(&Message::Refuse { code }.to_bytes())
        .await
        .is_ok()
    {
        // Whether it was read changes nothing here.
        let _ = stream.finish().await;
    }
    Ended::Refused(error)
}
