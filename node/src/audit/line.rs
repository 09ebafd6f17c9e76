//! One line of the trail, and who stands in it.

use std::fmt;

use data_encoding::HEXLOWER;
use maillon_protocol::ids::{CircleId, Hash, InvitationId, NodeId, PairingId, RecordId, ThingId};
use minicbor::{Decode, Encode};

/// The actor of an act that needs no professional.
pub const ADMINISTRATOR: ThingId = ThingId([0; 16]);

/// The actor of what the node does by itself.
pub const ITSELF: ThingId = ThingId([0xff; 16]);

/// Who acts: a professional, or the administrator; and the local user whose process asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// The professional's id at this node; [`ADMINISTRATOR`] or [`ITSELF`] where there is none.
    pub actor: ThingId,
    /// The local user's number, as the system named it at the socket; the daemon's own for what it does by itself.
    pub user: u32,
}

impl By {
    /// The daemon itself.
    pub fn itself() -> Self {
        Self {
            actor: ITSELF,
            user: own_user(),
        }
    }
}

/// The user whom this process belongs to.
pub(crate) fn own_user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// What an act was about beside a circle, a record and another node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// A pairing.
    Pairing(PairingId),
    /// An invitation to a circle.
    Invitation(InvitationId),
    /// An invitation that was declined, and why, in a fixed word.
    Declined(InvitationId, &'static str),
    /// A professional of this structure.
    Professional(ThingId),
    /// A person's way in, by its name inside.
    Account([u8; 16]),
    /// A worker, by its name.
    Worker(&'static str),
    /// A row of the habilitations, and what it says now, a letter for each category.
    Habilitation(&'static str, [char; 8]),
    /// A glass that was broken, and why, in a fixed word.
    Glass(&'static str),
    /// The right by which somebody looked, in a fixed word.
    Right(&'static str),
    /// A line of this trail.
    Line(u64),
}

impl Object {
    /// The line that an object's text names.
    pub(super) fn line_of(text: &str) -> Option<u64> {
        text.strip_prefix("line ")?.parse().ok()
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pairing(id) => write!(f, "pairing {id}"),
            Self::Invitation(id) => write!(f, "invitation {id}"),
            Self::Declined(id, why) => write!(f, "invitation {id} {why}"),
            Self::Professional(id) => write!(f, "professional {id}"),
            Self::Account(id) => write!(f, "account {}", HEXLOWER.encode(id)),
            Self::Glass(reason) => write!(f, "glass {reason}"),
            Self::Right(right) => write!(f, "right {right}"),
            Self::Line(number) => write!(f, "line {number}"),
            Self::Worker(name) => write!(f, "worker {name}"),
            Self::Habilitation(role, levels) => {
                write!(f, "habilitation {role} {}", String::from_iter(levels))
            }
        }
    }
}

/// Where the trail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Head {
    #[n(0)]
    pub(super) number: u64,
    /// Hash of the last line.
    #[n(1)]
    pub(super) hash: Hash,
}

impl Head {
    /// Before the first line.
    pub(super) const START: Self = Self {
        number: 0,
        hash: Hash([0; 32]),
    };
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Line {
    #[n(0)]
    pub(super) number: u64,
    /// Hash of the line before.
    #[n(1)]
    pub(super) previous: Hash,
    #[n(2)]
    pub(super) at_ms: u64,
    /// The professional's id at this node, or [`ADMINISTRATOR`].
    #[n(3)]
    pub(super) actor: ThingId,
    /// A fixed word.
    #[n(4)]
    pub(super) action: String,
    #[n(5)]
    pub(super) circle: Option<CircleId>,
    #[n(6)]
    pub(super) record: Option<RecordId>,
    /// The local user's number; lines of the first version have 0 here.
    #[n(7)]
    pub(super) user: u64,
    /// Lines of the first version end before this.
    #[n(8)]
    pub(super) node: Option<NodeId>,
    /// An [`Object`] as a text.
    #[n(9)]
    pub(super) object: Option<String>,
}
