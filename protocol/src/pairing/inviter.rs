//! The inviter's end of one connection.

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
    ids::{Hash, NodeId, PairingId},
    sign::Verified,
};

/// One attempt of one connected node at one invitation. Dropped with its connection; what lasts is in [`Pending`].
#[derive(Debug)]
pub struct Inviter {
    own: Verified<Descriptor>,
    remote: NodeId,
    nonce: Secret<32>,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitOpen,
    AwaitNonce(Box<Met>),
    AwaitProof(Box<(Met, Exchange)>),
    Bound,
    Over,
}

/// An accepter that has shown its descriptor.
#[derive(Debug)]
struct Met {
    accepter: Verified<Descriptor>,
    transcript: Transcript,
}

impl Inviter {
    /// An attempt of the node `remote`, as the transport has authenticated it, with the inviter's present descriptor.
    pub fn new(own: Verified<Descriptor>, remote: NodeId, rng: &mut impl CryptoRng) -> Self {
        Self {
            own,
            remote,
            nonce: Secret::generate(rng),
            state: State::AwaitOpen,
        }
    }

    /// Whether both proofs were right in this connection, or it resumed: only then may a confirmation be sent on it.
    pub const fn is_bound(&self) -> bool {
        matches!(self.state, State::Bound)
    }

    /// Takes one message. `pending` is the invitation that the first message names, shared by all its attempts.
    pub fn handle(&mut self, pending: &mut Pending, message: Message, now_ms: u64) -> Vec<Effect> {
        let step = self.step(pending, message, now_ms);
        if step.is_err() {
            self.state = State::Over;
        }
        outcome(step)
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
                State::AwaitOpen,
                Message::Open {
                    version,
                    invitation,
                    descriptor,
                    resume,
                },
            ) => {
                self.check(pending, version, invitation, now_ms)?;
                match resume {
                    Some(transcript) => self.resumed(pending, &descriptor, transcript),
                    None => self.opened(pending, descriptor),
                }
            }
            (State::AwaitNonce(mut met), Message::Nonce { nonce }) => {
                let reveal = Message::Reveal {
                    nonce: (*self.nonce.expose()).into(),
                };
                met.transcript.add(&Message::Nonce { nonce });
                met.transcript.add(&reveal);
                let exchange = Exchange {
                    invitation: pending.id(),
                    inviter: self.own.object.node,
                    accepter: self.remote,
                    inviter_descriptor: Hash(self.own.id),
                    accepter_descriptor: Hash(met.accepter.id),
                    inviter_nonce: *self.nonce.expose(),
                    accepter_nonce: nonce.into(),
                };
                self.state = State::AwaitProof(Box::new((*met, exchange)));
                Ok(vec![Effect::Send(reveal)])
            }
            (State::AwaitProof(met), Message::Proof { mac }) => {
                let (met, exchange) = *met;
                // Time has passed, and another attempt may have been faster.
                pending.check_open_to(self.remote, now_ms)?;
                let expected = exchange.proof(pending.secret()?, Role::Accepter);
                if !same(&expected, &mac) {
                    return Err(pending.count_bad_proof());
                }
                self.proved(pending, met, &exchange, Message::Proof { mac }, now_ms)
            }
            (State::Bound, Message::Confirm { seen, mac }) => {
                let effects = pending.confirmed(seen, &mac, now_ms)?;
                self.state = State::Bound;
                Ok(effects)
            }
            (_, message) => Err(PairingError::Unexpected(message.name())),
        }
    }

    /// What is cheap is checked before any signature.
    fn check(
        &self,
        pending: &Pending,
        version: u64,
        invitation: PairingId,
        now_ms: u64,
    ) -> Result<(), PairingError> {
        if version != VERSION {
            return Err(PairingError::Version(version));
        }
        if invitation != pending.id()
            || pending.role() != Role::Inviter
            || pending.inviter() != self.own.object.node
        {
            return Err(PairingError::Unknown);
        }
        if self.remote == self.own.object.node {
            return Err(PairingError::Itself);
        }
        pending.check_open_to(self.remote, now_ms)
    }

    /// A first exchange, or one more where the bound node never got our proof.
    fn opened(
        &mut self,
        pending: &Pending,
        descriptor: Bytes,
    ) -> Result<Vec<Effect>, PairingError> {
        pending.secret()?;
        let open = Message::Open {
            version: VERSION,
            invitation: pending.id(),
            descriptor: descriptor.clone(),
            resume: None,
        };
        let accepter = Descriptor::verify(descriptor.0)?;
        if accepter.object.node != self.remote {
            return Err(PairingError::OtherNode);
        }
        let commit = Message::Commit {
            descriptor: Bytes(self.own.bytes.clone()),
            commitment: commitment(self.nonce.expose()),
        };
        let mut transcript = Transcript::new(pending.id(), self.own.object.node, self.remote);
        transcript.add(&open);
        transcript.add(&commit);
        self.state = State::AwaitNonce(Box::new(Met {
            accepter,
            transcript,
        }));
        Ok(vec![Effect::Send(commit)])
    }

    /// Only confirmations are left.
    fn resumed(
        &mut self,
        pending: &Pending,
        descriptor: &Bytes,
        transcript: Hash,
    ) -> Result<Vec<Effect>, PairingError> {
        if Descriptor::verify(descriptor.0.clone())?.object.node != self.remote {
            return Err(PairingError::OtherNode);
        }
        if pending.transcript() != Some(transcript) {
            return Err(PairingError::OtherExchange);
        }
        self.state = State::Bound;
        let mut effects = vec![Effect::Send(Message::Resume { transcript })];
        effects.extend(pending.on_contact());
        Ok(effects)
    }

    fn proved(
        &mut self,
        pending: &mut Pending,
        mut met: Met,
        exchange: &Exchange,
        theirs: Message,
        now_ms: u64,
    ) -> Result<Vec<Effect>, PairingError> {
        let ours = Message::Proof {
            mac: exchange.proof(pending.secret()?, Role::Inviter),
        };
        met.transcript.add(&theirs);
        met.transcript.add(&ours);
        pending.bind(&met.accepter, met.transcript.finish(), now_ms)?;
        self.state = State::Bound;
        let mut effects = vec![Effect::Store, Effect::Send(ours)];
        effects.extend(pending.on_contact());
        Ok(effects)
    }
}
