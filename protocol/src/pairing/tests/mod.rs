//! Two sites, an administrator at each, and a wire on which a test may cut, flip and listen.

mod attacks;
mod between;
mod invitations;
mod stories;
mod vectors;

use std::collections::VecDeque;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::{
    descriptor::StructureKind,
    ids::{Hash, NodeId},
    keys::{NodeKey, SealKey},
    sign,
};

pub(super) const NOW: u64 = 1_800_000_000_000;
pub(super) const DAY: u64 = 24 * 3600 * 1000;

pub(super) fn key(seed: u8) -> NodeKey {
    NodeKey::from_seed(&[seed; 32])
}

pub(super) fn descriptor(seed: u8) -> Verified<Descriptor> {
    let key = key(seed);
    let object = Descriptor {
        version: 1,
        node: key.id(),
        counter: NOW,
        name: format!("CPTS des Deux Rives {seed}"),
        kind: StructureKind::Cpts,
        finess: String::new(),
        territory: "Deux Rives".into(),
        addresses: vec![format!("/ip4/192.0.2.{seed}/udp/4001/quic-v1")],
        suite: crate::seal::SUITE.into(),
        seal: SealKey::from_seed(&[seed; 32], NOW + 365 * DAY)
            .public()
            .clone(),
        protocols: (1, 1),
        administrator: "admin@example.org".into(),
        dpo: "dpo@example.org".into(),
        recovery: Hash([seed; 32]),
    };
    sign::sign(object, &key)
}

pub(super) fn invitation(seed: u8, rng: &mut ChaCha20Rng) -> Invitation {
    let addresses = vec![format!("/ip4/192.0.2.{seed}/udp/4001/quic-v1")];
    Invitation::new(key(seed).id(), addresses, NOW, 7 * DAY, rng).expect("a valid invitation")
}

/// The one message among effects.
pub(super) fn sent(effects: &[Effect]) -> Message {
    let mut messages = effects.iter().filter_map(|effect| match effect {
        Effect::Send(message) => Some(message.clone()),
        _ => None,
    });
    let message = messages.next().expect("a message");
    assert_eq!(messages.next(), None);
    message
}

pub(super) fn shown(effects: &[Effect]) -> Option<Words> {
    effects.iter().find_map(|effect| match effect {
        Effect::ShowWords(words) => Some(*words),
        _ => None,
    })
}

pub(super) fn failed(effects: &[Effect]) -> Option<PairingError> {
    effects.iter().find_map(|effect| match effect {
        Effect::Failed(error) => Some(error.clone()),
        _ => None,
    })
}

/// One node with its store, and what its administrator has been shown.
pub(super) struct Site {
    pub(super) own: Verified<Descriptor>,
    pub(super) pending: Pending,
    pub(super) stored: Vec<u8>,
    pub(super) shown: Option<Words>,
    pub(super) peer: Option<NodeId>,
    pub(super) failed: Vec<PairingError>,
}

impl Site {
    pub(super) fn new(seed: u8, pending: Pending) -> Self {
        Self {
            own: descriptor(seed),
            stored: pending.to_bytes().to_vec(),
            pending,
            shown: None,
            peer: None,
            failed: Vec::new(),
        }
    }

    /// Carries out effects in their order, returns what is to be sent, and holds the rule that nothing leaves unstored.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) -> Vec<Message> {
        let mut messages = Vec::new();
        let mut stored = false;
        for effect in effects {
            match effect {
                Effect::Store => {
                    stored = true;
                    self.stored = self.pending.to_bytes().to_vec();
                }
                Effect::Send(message) => {
                    assert_eq!(*self.pending.to_bytes(), self.stored, "sent before stored");
                    messages.push(message);
                }
                Effect::ShowWords(words) => self.shown = Some(words),
                Effect::Paired(descriptor) => {
                    assert!(stored, "a peer without a commit");
                    assert!(self.peer.is_none(), "paired twice");
                    self.peer = Some(descriptor.object.node);
                }
                Effect::Failed(error) => self.failed.push(error),
            }
        }
        assert_eq!(
            *self.pending.to_bytes(),
            self.stored,
            "a change that was not stored"
        );
        messages
    }

    pub(super) fn restart(&mut self) {
        self.pending = Pending::from_bytes(&self.stored).expect("what we stored");
        self.shown = None;
    }
}

/// One connection between the two sites.
pub(super) struct Link {
    accepter: Accepter,
    inviter: Inviter,
    /// Who receives, and what.
    wire: VecDeque<(Role, Vec<u8>)>,
    /// Everything that was delivered.
    pub(super) heard: Vec<(Role, Message)>,
    /// Flips this bit of this message, both counted from 0.
    pub(super) flip: Option<(usize, usize)>,
    broken: bool,
}

pub(super) struct Pair {
    pub(super) inviter: Site,
    pub(super) accepter: Site,
    pub(super) now: u64,
    pub(super) rng: ChaCha20Rng,
}

impl Pair {
    /// Node 1 has invited, node 2 has pasted the text.
    pub(super) fn new() -> Self {
        let mut rng = ChaCha20Rng::from_seed([9; 32]);
        let invitation = invitation(1, &mut rng);
        let pasted = Invitation::from_text(&invitation.to_text()).expect("our own text");
        let accept = Pending::accept(pasted, key(2).id(), NOW).expect("open");
        Self {
            inviter: Site::new(1, Pending::invite(invitation)),
            accepter: Site::new(2, accept),
            now: NOW,
            rng,
        }
    }

    pub(super) fn dial(&mut self) -> Link {
        let mut link = Link {
            accepter: Accepter::new(
                self.accepter.own.clone(),
                self.inviter.own.object.node,
                &mut self.rng,
            ),
            inviter: Inviter::new(
                self.inviter.own.clone(),
                self.accepter.own.object.node,
                &mut self.rng,
            ),
            wire: VecDeque::new(),
            heard: Vec::new(),
            flip: None,
            broken: false,
        };
        let effects = link.accepter.open(&self.accepter.pending, self.now);
        self.carry_out(&mut link, Role::Accepter, effects);
        link
    }

    pub(super) fn site(&mut self, role: Role) -> &mut Site {
        match role {
            Role::Inviter => &mut self.inviter,
            Role::Accepter => &mut self.accepter,
        }
    }

    fn carry_out(&mut self, link: &mut Link, role: Role, effects: Vec<Effect>) {
        for message in self.site(role).carry_out(effects) {
            link.wire.push_back((role.other(), message.to_bytes()));
        }
    }

    /// Delivers one message; false where the wire is silent.
    pub(super) fn deliver(&mut self, link: &mut Link) -> bool {
        let Some((to, mut bytes)) = link.wire.pop_front() else {
            return false;
        };
        if let Some((message, bit)) = link.flip
            && message == link.heard.len()
        {
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        if link.broken {
            return true;
        }
        match Message::from_bytes(&bytes) {
            Ok(message) => {
                link.heard.push((to, message.clone()));
                let now = self.now;
                let effects = match to {
                    Role::Inviter => link.inviter.handle(&mut self.inviter.pending, message, now),
                    Role::Accepter => {
                        link.accepter
                            .handle(&mut self.accepter.pending, message, now)
                    }
                };
                self.carry_out(link, to, effects);
            }
            Err(error) => {
                link.broken = true;
                self.site(to).failed.push(error);
            }
        }
        true
    }

    pub(super) fn run(&mut self, link: &mut Link) {
        while self.deliver(link) {}
    }

    /// The administrator of `role` confirms the words on the screen; says so on `link` where it stands.
    pub(super) fn confirm(&mut self, role: Role, link: Option<&mut Link>) {
        let now = self.now;
        let site = self.site(role);
        let words = site.pending.words().expect("words on the screen");
        let effects = site.pending.confirm(&words, now).expect("may confirm");
        let messages = site.carry_out(effects);
        if let Some(link) = link {
            let bound = match role {
                Role::Inviter => link.inviter.is_bound(),
                Role::Accepter => link.accepter.is_bound(),
            };
            if bound {
                for message in messages {
                    link.wire.push_back((role.other(), message.to_bytes()));
                }
            }
        }
    }

    pub(super) fn assert_paired(&self) {
        assert_eq!(self.inviter.peer, Some(key(2).id()));
        assert_eq!(self.accepter.peer, Some(key(1).id()));
    }

    pub(super) fn assert_not_paired(&self) {
        assert_eq!((self.inviter.peer, self.accepter.peer), (None, None));
    }
}
