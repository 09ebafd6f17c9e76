//! Why a service refuses.

use std::sync::Arc;

use maillon_protocol::{
    admin::SharingRefused,
    attachment::AttachmentError,
    content::{AlertStep, ContentError},
    identity::ReplacementError,
    limits::LimitError,
    replica::{
        CarryOverError, DepartFailed, EraseFailed, FinishFailed, IdentityRefused, LateError,
        LetterError, ReplaceFailed, StewardshipError, StorageError, SuccessionError, WriteFailed,
    },
};

use super::{Category, IdentityError};
use crate::{
    audit::AuditError, fhir::ImportError, ledger::LedgerError, shortened::Unclear,
    store::StoreError,
};

/// Why a service refuses. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum CareError {
    /// No such circle.
    #[error("there is no such circle at this node")]
    NoCircle,
    /// No such record.
    #[error("there is no such record at this node")]
    NoRecord,
    /// The record is no alert.
    #[error("the record is no alert")]
    NoAlert,
    /// It stands no more as it was seen, or somebody else wrote it.
    #[error("this was corrected, withdrawn or ended meanwhile, or somebody else wrote it")]
    Amended,
    /// Whoever is added is in the team.
    #[error("whoever is added is in this person's care team already")]
    InTeam,
    /// A period that cannot be.
    #[error("the term would end before it begins")]
    Period,
    /// A role that goes with another profession.
    #[error("this profession does not go with that role")]
    Role,
    /// A file has a referent, who is in the team.
    #[error(
        "a file has a referent: the reference goes to a professional whose term lasts, before the term of whoever has it ends"
    )]
    Referent,
    /// A professional's row cannot be read.
    #[error("a stored professional cannot be read: it is damaged or of a newer version")]
    DamagedProfessional,
    /// The habilitation does not reach so far.
    #[error(
        "the habilitation of this profession does not let it write what is of this kind: {0:?}"
    )]
    NotAllowed(Category),
    /// Somebody alike has a file here that was not looked at.
    #[error("somebody alike has a file here: compare them first")]
    Alike,
    /// The person's team is another one.
    #[error("whoever acts is not in this person's care team: somebody who is adds them")]
    NotInTeam,
    /// The habilitation does not let it be read.
    #[error("the habilitation of this profession does not let it read what is of this kind: {0:?}")]
    NotReadable(Category),
    /// The matrix cannot be read: nobody may do anything.
    #[error("the stored habilitations cannot be read: they are damaged or of a newer version")]
    DamagedHabilitations,
    /// Two files that are of one person for certain.
    #[error("both have the same qualified INS: they are of one person")]
    OnePerson,
    /// As many favourites as there may be.
    #[error("there are 200 favourites already: take one out first")]
    TooManyFavourites,
    /// Somebody else changed the matrix.
    #[error("the habilitations were changed meanwhile: nothing was changed by this")]
    HabilitationsChanged,
    /// What was typed names no professional, or several.
    #[error(transparent)]
    WhichProfessional(#[from] Unclear),
    /// An answer that would say nothing new: the alert is closed, or the same person took this step or a weightier one. Names a professional,
    /// who is what the person at the socket must know: not for logs.
    #[error("{by} of {structure} {} this alert already, at {}", done(.step), moment(.at_ms))]
    Answered {
        /// What was done already.
        step: AlertStep,
        /// By whom.
        by: String,
        /// Of which structure.
        structure: String,
        /// When, Unix milliseconds.
        at_ms: u64,
    },
    /// A professional's data.
    #[error("{0}")]
    Professional(&'static str),
    /// Sharing without the person's information.
    #[error("nothing is shared before the person's information is recorded")]
    NoConsent,
    /// Sharing against the person's word. Names a professional: not for logs.
    #[error("{}", against(.0))]
    Against(SharingRefused),
    /// An identity that somebody typed.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The circle holds no identity yet.
    #[error("the circle holds no identity of a patient yet")]
    NoIdentity,
    /// The writer gave back nothing.
    #[error("nothing was written")]
    NothingWritten,
    /// The text is empty or too long.
    #[error("{0}")]
    Text(&'static str),
    /// Writing.
    #[error(transparent)]
    Write(#[from] WriteFailed),
    /// Invitations.
    #[error(transparent)]
    Letter(#[from] LetterError),
    /// Membership.
    #[error(transparent)]
    Steward(#[from] StewardshipError),
    /// The record is no request.
    #[error("the record is no request for a change of a circle's membership")]
    NoRequest,
    /// Nothing waits any more.
    #[error("the request has been answered or withdrawn already")]
    RequestEnded,
    /// Of another structure.
    #[error("the request is another structure's: only that one withdraws it")]
    OthersRequest,
    /// Whom should it ask?
    #[error("this node is the circle's steward: make the change itself")]
    AsksItself,
    /// A change that would change nothing.
    #[error("the structure is in the circle already, or is not in it: there is nothing to ask for")]
    NotInIt,
    /// Leaving.
    #[error(transparent)]
    Depart(#[from] DepartFailed),
    /// What a removed node wrote in good time; what its steward may sign is [`Steward`](Self::Steward).
    #[error(transparent)]
    Late(LateError),
    /// The end of a file's time.
    #[error(transparent)]
    Finish(#[from] FinishFailed),
    /// Erasing.
    #[error(transparent)]
    Erase(#[from] EraseFailed),
    /// An identity that is given up.
    #[error(transparent)]
    NodeIdentity(#[from] IdentityRefused),
    /// A member's identity.
    #[error(transparent)]
    Replace(#[from] ReplaceFailed),
    /// A recovery key's statement.
    #[error(transparent)]
    Statement(#[from] ReplacementError),
    /// A continuation.
    #[error(transparent)]
    Succession(#[from] SuccessionError),
    /// What was before a continuation.
    #[error(transparent)]
    CarryOver(#[from] CarryOverError),
    /// Content.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A file to import.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// An imported file is about somebody who is not known here.
    #[error("the file is about a patient who is not in it and not known here")]
    UnknownPatient,
    /// An imported file refers to somebody by a name that several people here have.
    #[error(
        "the file is about a patient who is not in it, and several people here have the name that it uses"
    )]
    AmbiguousPatient,
    /// An attachment.
    #[error(transparent)]
    Attachment(#[from] AttachmentError),
    /// A file that pages do not take.
    #[error("the file is no PDF, JPEG, PNG or WebP by its own beginning")]
    FileKind,
    /// A picture that cannot be read.
    #[error("the file begins as a picture and goes on as none")]
    FileBroken,
    /// The record names no such file.
    #[error("the record has no such file")]
    NoFile,
    /// The file has not arrived yet.
    #[error("{here} of {all} parts of the file have arrived")]
    NotAllHere {
        /// Chunks that are here.
        here: u64,
        /// All.
        all: u64,
    },
    /// No file is being added under this name.
    #[error(
        "no file is being added under this name: it was not begun by you, or nothing came for some minutes"
    )]
    NoUpload,
    /// A file that is longer than what may be given.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Too many files at once.
    #[error("{0} files are being added, which is all that are at one time")]
    Busy(usize),
    /// A part that is not the next one.
    #[error("{received} of the file's {length} bytes are here, and this does not follow")]
    Part {
        /// Bytes that are here.
        received: u64,
        /// All.
        length: u64,
    },
    /// Rows.
    #[error(transparent)]
    Rows(#[from] StorageError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit trail.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The commit.
    #[error("nothing was kept: {0}")]
    Commit(Arc<StoreError>),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

fn against(refused: &SharingRefused) -> String {
    let what = if refused.withdrawn {
        "withdrew their agreement to share this file"
    } else {
        "refused that this file is shared"
    };
    format!(
        "the person {what}: {} of {} recorded it, {}",
        refused.by,
        refused.structure,
        moment(&refused.at_ms)
    )
}

const fn done(step: &AlertStep) -> &'static str {
    match step {
        AlertStep::Acknowledge => "acknowledged",
        AlertStep::TakeCharge => "took charge of",
        AlertStep::Close => "closed",
    }
}

/// A moment as an error says it: to the minute, in UTC.
fn moment(ms: &u64) -> String {
    i64::try_from(*ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(
            || "an impossible time".to_owned(),
            |then| then.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        )
}

impl From<LedgerError<Self>> for CareError {
    fn from(error: LedgerError<Self>) -> Self {
        match error {
            LedgerError::Job(error) => error,
            LedgerError::Commit(error) => Self::Commit(error),
            LedgerError::Stopped => Self::Stopping,
        }
    }
}

impl From<LateError> for CareError {
    fn from(error: LateError) -> Self {
        match error {
            LateError::Stewardship(error) => Self::Steward(error),
            LateError::Storage(error) => Self::Rows(error),
            error => Self::Late(error),
        }
    }
}
