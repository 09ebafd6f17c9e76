//! The accepter's end of one connection.

use rand_core::CryptoRng;

use super::{
    Effect, Message, PairingError, Pending, Role, Secret,
    invitation::VERSION,
    outcome,
    proof::{Exchange, Transcript, commitment, same},
};
use crate::{
    cbor::Bytes,
    descriptor::Descriptor,
    ids::{Hash, NodeId},
    sign::Verified,
};

/// One attempt at one invitation, over one connection that this node has dialled.
#[derive(Debug)]
pub struct Accepter {
    own: Verified<Descriptor>,
    remote: NodeId,
    nonce: Secret<32>,
    state: State,
}

#[derive(Debug)]
enum State {
    Ready,
    AwaitCommit(Transcript),
    AwaitReveal(Box<Met>),
    AwaitProof(Box<(Met, Exchange)>),
    AwaitResume,
    Bound,
    Over,
}

/// An inviter that has shown its descriptor and committed to its nonce.
#[derive(Debug)]
struct Met {
    inviter: Verified<Descriptor>,
    commitment: Hash,
    transcript: Transcript,
}

impl Accepter {
    /// An attempt over a connection to `remote`, as the transport has authenticated it, with this node's present descriptor.
    pub fn new(own: Verified<Descriptor>, remote: NodeId, rng: &mut impl CryptoRng) -> Self {
        Self {
            own,
            remote,
            nonce: Secret::generate(rng),
            state: State::Ready,
        }
    }

    /// Whether both proofs were right in this connection, or it resumed: only then may a confirmation be sent on it.
    pub const fn is_bound(&self) -> bool {
        matches!(self.state, State::Bound)
    }

    /// Begins: the first message of the connection.
    pub fn open(&mut self, pending: &Pending, now_ms: u64) -> Vec<Effect> {
        let step = self.begin(pending, now_ms);
        if step.is_err() {
            self.state = State::Over;
        }
        outcome(step)
    }

    /// Takes one message. `pending` is the same as for [`Self::open`].
    pub fn handle(&mut self, pending: &mut Pending, message: Message, now_ms: u64) -> Vec<Effect> {
        let step = self.step(pending, message, now_ms);
        if step.is_err() {
            self.state = State::Over;
        }
        outcome(step)
    }

    fn begin(&mut self, pending: &Pending, now_ms: u64) -> Result<Vec<Effect>, PairingError> {
        if !matches!(self.state, State::Ready) || pending.role() != Role::Accepter {
            return Err(PairingError::Unexpected("open"));
        }
        if self.remote == self.own.object.node {
            return Err(PairingError::Itself);
        }
        if self.remote != pending.inviter() {
            return Err(PairingError::NotTheInviter);
        }
        pending.check_open(now_ms)?;
        let resume = pending.transcript();
        let open = Message::Open {
            version: VERSION,
            invitation: pending.id(),
            descriptor: Bytes(self.own.bytes.clone()),
            resume,
        };
        self.state = if resume.is_some() {
            State::AwaitResume
        } else {
            let mut transcript = Transcript::new(pending.id(), self.remote, self.own.object.node);
            transcript.add(&open);
            State::AwaitCommit(transcript)
        };
        Ok(vec![Effect::Send(open)])
    }

    fn step(
        &mut self,
        pending: &mut Pending,
        message: Message,
        now_ms: u64,
    ) -> Result<Vec<Effect>, PairingError> {
        let state = std::mem::replace(&mut self.state, State::Over);
        match (state, message) {
            (State::Over, message) => Err(PairingError::Unexpected(message.name())),
            (_, Message::Refuse { code }) => Err(pending.refused(self.remote, code)),
            (
                State::AwaitCommit(transcript),
                Message::Commit {
                    descriptor,
                    commitment,
                },
            ) => self.committed(transcript, descriptor, commitment),
            (State::AwaitReveal(met), Message::Reveal { nonce }) => {
                self.revealed(pending, *met, nonce.into())
            }
            (State::AwaitProof(met), Message::Proof { mac }) => {
                let (mut met, exchange) = *met;
                // Another connection may have been faster, or the administrator has withdrawn.
                pending.check_open(now_ms)?;
                let expected = exchange.proof(pending.secret()?, Role::Inviter);
                if !same(&expected, &mac) {
                    return Err(PairingError::Impostor);
                }
                met.transcript.add(&Message::Proof { mac });
                pending.bind(&met.inviter, met.transcript.finish(), now_ms)?;
                self.state = State::Bound;
                let mut effects = vec![Effect::Store];
                effects.extend(pending.on_contact());
                Ok(effects)
            }
            (State::AwaitResume, Message::Resume { transcript }) => {
                if pending.transcript() != Some(transcript) {
                    return Err(PairingError::OtherExchange);
                }
                self.state = State::Bound;
                Ok(pending.on_contact())
            }
            (State::Bound, Message::Confirm { seen, mac }) => {
                let effects = pending.confirmed(seen, &mac, now_ms)?;
                self.state = State::Bound;
                Ok(effects)
            }
            (_, message) => Err(PairingError::Unexpected(message.name())),
        }
    }

    fn committed(
        &mut self,
        mut transcript: Transcript,
        descriptor: Bytes,
        commitment: Hash,
    ) -> Result<Vec<Effect>, PairingError> {
        transcript.add(&Message::Commit {
            descriptor: descriptor.clone(),
            commitment,
        });
        let inviter = Descriptor::verify(descriptor.0)?;
        if inviter.object.node != self.remote {
            return Err(PairingError::OtherNode);
        }
        let nonce = Message::Nonce {
            nonce: (*self.nonce.expose()).into(),
        };
        transcript.add(&nonce);
        self.state = State::AwaitReveal(Box::new(Met {
            inviter,
            commitment,
            transcript,
        }));
        Ok(vec![Effect::Send(nonce)])
    }

    fn revealed(
        &mut self,
        pending: &Pending,
        mut met: Met,
        nonce: [u8; 32],
    ) -> Result<Vec<Effect>, PairingError> {
        if commitment(&nonce) != met.commitment {
            return Err(PairingError::Commitment);
        }
        let exchange = Exchange {
            invitation: pending.id(),
            inviter: self.remote,
            accepter: self.own.object.node,
            inviter_descriptor: Hash(met.inviter.id),
            accepter_descriptor: Hash(self.own.id),
            inviter_nonce: nonce,
            accepter_nonce: *self.nonce.expose(),
        };
        let proof = Message::Proof {
            mac: exchange.proof(pending.secret()?, Role::Accepter),
        };
        met.transcript.add(&Message::Reveal {
            nonce: nonce.into(),
        });
        met.transcript.add(&proof);
        self.state = State::AwaitProof(Box::new((met, exchange)));
        Ok(vec![Effect::Send(proof)])
    }
}
