//! The care services: commands that check and append, queries that read.
//!
//! A command takes the [`Actor`] who acts, checks what must be true before (their habilitation, consent before sharing, a known professional
//! before writing), appends through the ledger, and leaves a line of the audit trail in the same commit. A query reads the state as of the last
//! commit. Nothing here knows HTML, FHIR's wire form, libp2p or the socket.

mod alert;
mod amend;
mod attached;
mod audit;
mod changes;
mod circle;
mod clocks;
mod consent;
mod declined;
mod document;
mod doubts;
mod erasure;
mod error;
mod favourites;
mod glass;
mod habilitations;
mod identity;
mod import;
mod incoming;
mod index;
mod invited;
mod joining;
mod likeness;
mod looks;
mod membership;
mod names;
mod note;
mod origin;
mod outbox;
mod own;
mod past;
mod people;
mod picture;
mod places;
mod read;
mod reading;
mod received;
mod replace;
pub(crate) mod requests;
mod retention;
mod seen;
mod steward;
mod team;
mod unsent;
mod uploads;
mod waiting;

pub use amend::Amendment;
pub use attached::Attached;
pub use changes::{Change, Heard, Listener};
pub use declined::{DECLINE_WORDS, DeclineReason, Declined};
pub use document::NewDocument;
pub use doubts::{Doubt, Doubts};
pub use error::CareError;
pub use favourites::FAVOURITES;
pub use glass::{GLASS_MS, GlassReason};
pub use habilitations::{Category, Habilitation, Habilitations, Level, Role};
pub use identity::{IdentityError, PersonName};
pub use import::{ImportItem, Person, Taken};
pub use incoming::{Incoming, NamedFile};
pub use index::{FILES_IN_A_PAGE, Filed, FilesFound, FilesWanted, Listed};
pub use invited::{Accepted, InvitationShown, Invited};
pub use likeness::{Likeness, is_same_name};
pub use looks::{Look, LookedBy, Looks};
pub use membership::{Awaited, Made};
pub use note::{Answered, NewNote};
pub(crate) use origin::SCRUB;
pub use people::{Actor, Seat};
pub use picture::FileKind;
pub use places::{BirthPlace, NoPlace, UNKNOWN_PLACE, birth_place, birth_places_like, code_of};
pub use read::{AlertMark, AlertsWanted, DEEPEST_PAGE, NoMark, ThingMark};
pub use reading::{FileView, Shown};
pub use received::Received;
pub use retention::YEAR_MS;
pub use seen::Unread;
pub use team::{
    KIN, Kin, Known, KnownBy, KnownFound, MemberRole, NameWanted, NewFile, NewRelative, NewTerm,
    PEOPLE_IN_A_PAGE, PhoneNumber, RelativeRole, TeamMember, TermEnd,
};
pub use unsent::{Form, UNSENT_MS, Unsent};
pub use waiting::{AlertBoard, AlertList, Asked, Turn};

use std::sync::Arc;

use maillon_protocol::{
    content::{Content, Structure},
    ids::{CircleId, RecordId, ThingId},
    replica::{Draft, Written},
};

use crate::{
    audit::About,
    clock::now_ms,
    ledger::{Ledger, Shared, Tx},
};

/// The care services of a node. Cheap to clone.
#[derive(Clone)]
pub struct Care {
    ledger: Ledger,
    structure: Structure,
    uploads: Arc<uploads::Uploads<document::Adding>>,
    coming: Arc<incoming::Places>,
    imports: Arc<uploads::Uploads<import::Incoming>>,
    sharing: Arc<consent::SharingCache>,
    known: Arc<people::Known>,
    in_force: Arc<habilitations::InForce>,
    index: Arc<index::Index>,
    joins: Arc<joining::Joins>,
    broken: Arc<glass::Broken>,
    changes: Arc<changes::Changes>,
    /// Held while something is looked at and then written that is to happen once.
    once: Arc<tokio::sync::Mutex<()>>,
}

impl Care {
    /// Services over a ledger, in the name of a structure.
    pub fn new(ledger: Ledger, structure: Structure) -> Self {
        Self {
            ledger,
            structure,
            uploads: Arc::new(document::no_uploads()),
            coming: Arc::default(),
            imports: Arc::new(import::no_uploads()),
            sharing: Arc::default(),
            known: Arc::default(),
            in_force: Arc::default(),
            index: Arc::default(),
            joins: Arc::default(),
            broken: Arc::default(),
            changes: Arc::default(),
            once: Arc::default(),
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        self.ledger.shared()
    }

    /// The structure in whose name this node's professionals act.
    pub const fn structure(&self) -> &Structure {
        &self.structure
    }
}

/// A new thing, written now.
fn fresh(actor: &Actor, content: Content, parent: Option<ThingId>) -> Draft {
    Draft {
        thing: None,
        parent,
        supersedes: Vec::new(),
        author: actor.professional.clone(),
        occurred_ms: now_ms(),
        content,
    }
}

/// Writes one draft and its line in the audit trail.
fn write_one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    circle: CircleId,
    draft: Draft,
    action: &'static str,
) -> Result<Written, CareError> {
    let now = tx.now_ms;
    let written = tx
        .replica
        .write(tx.rows, &circle, vec![draft], now, tx.rng)?;
    let written = *written.first().ok_or(CareError::NothingWritten)?;
    audit::note(tx, actor, action, About::record(circle, written.record))?;
    Ok(written)
}

/// The record that a query is about was not found.
fn no_record(_: &RecordId) -> CareError {
    CareError::NoRecord
}
