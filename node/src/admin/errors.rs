//! What a refusal says to the administrator: cause, and what to do next.

use maillon_protocol::{
    admin::{AdminError, ErrorCode},
    attachment::AttachmentError,
    charter::{CharterError, StewardError},
    circle::WriteError,
    content::AlertStep,
    replica::{
        CarryOverError, DepartFailed, EraseFailed, FinishFailed, IdentityRefused, LateError,
        LetterError, ReplaceFailed, StewardshipError, SuccessionError, WriteFailed,
    },
};

use crate::{
    care::CareError, checkpoint::CheckpointError, fhir::ImportError, peering::PeeringError,
    store::StoreError,
};

/// A refusal without the request's id, which is added where the answer is made.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) cause: String,
    pub(crate) action: String,
}

impl Refusal {
    pub(crate) fn new(
        code: ErrorCode,
        cause: impl Into<String>,
        action: impl Into<String>,
    ) -> Self {
        Self {
            code,
            cause: cause.into(),
            action: action.into(),
        }
    }

    pub(super) fn with(self, request: String) -> AdminError {
        AdminError {
            code: self.code,
            cause: self.cause,
            action: self.action,
            request,
        }
    }
}

impl From<CheckpointError> for Refusal {
    fn from(error: CheckpointError) -> Self {
        let action = "see to the room on the disk and the owner of the data folder, then try again";
        Self::new(ErrorCode::Storage, error.to_string(), action)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::new(
            ErrorCode::Storage,
            error.to_string(),
            "run `maillonctl doctor`",
        )
    }
}

impl From<crate::keystore::KeystoreError> for Refusal {
    fn from(error: crate::keystore::KeystoreError) -> Self {
        Self::new(
            ErrorCode::Storage,
            error.to_string(),
            "check the data folder's disk and owner",
        )
    }
}

impl From<PeeringError> for Refusal {
    fn from(error: PeeringError) -> Self {
        let (code, action) = match &error {
            PeeringError::Invitation(_) => (
                ErrorCode::BadRequest,
                "copy the whole text, from `maillon1:` to its end, as `maillonctl peer invite` printed it; or ask for a new one",
            ),
            PeeringError::WhichPairing(why) => {
                return Self::new(
                    why.code(),
                    why.to_string(),
                    why.action("maillonctl peer list"),
                );
            }
            PeeringError::Refused => (
                ErrorCode::NotAllowed,
                "call the other administrator: pair with the node that they run now",
            ),
            PeeringError::Over | PeeringError::NotAPeer => {
                (ErrorCode::NotFound, "see `maillonctl peer list`")
            }
            PeeringError::NoAddress => (
                ErrorCode::Conflict,
                "set pairing_advertise in [network] of maillon.toml and restart",
            ),
            PeeringError::NotYet { .. } => (
                ErrorCode::Unreachable,
                "see `maillonctl peer list` in a minute",
            ),
            PeeringError::TooMany(_) => (ErrorCode::Limit, "see `maillonctl peer list`"),
            PeeringError::Pairing(_) | PeeringError::Network(_) => {
                (ErrorCode::Conflict, "see `maillonctl peer list`")
            }
            PeeringError::Audit(_)
            | PeeringError::Commit(_)
            | PeeringError::Store(_)
            | PeeringError::Storage(_)
            | PeeringError::Damaged(_) => (ErrorCode::Storage, "run `maillonctl doctor`"),
            PeeringError::Stopped => (ErrorCode::Conflict, "try again when the node has started"),
        };
        Self::new(code, error.to_string(), action)
    }
}

impl From<crate::care::NoMark> for Refusal {
    fn from(error: crate::care::NoMark) -> Self {
        Self::new(
            ErrorCode::BadRequest,
            error.to_string(),
            "start again at the first page, without --before or --after",
        )
    }
}

impl From<ImportError> for Refusal {
    fn from(error: ImportError) -> Self {
        let action = match &error {
            ImportError::Refused(problems) => problems
                .iter()
                .take(20)
                .map(|problem| match problems.as_slice() {
                    // The cause has said where.
                    [_] => problem.cause.remedy().to_owned(),
                    _ => format!("{}: {}", problem.path, problem.cause.remedy()),
                })
                .collect::<Vec<_>>()
                .join("; "),
            ImportError::Limit { .. } => "split the file, or leave out what is so long or so deep".to_owned(),
            _ => "import a FHIR R4 JSON file: a CDS or CDL bundle, a Patient, a CareTeam or a DocumentReference".to_owned(),
        };
        let code = if error.is_limit() {
            ErrorCode::Limit
        } else {
            ErrorCode::BadRequest
        };
        Self::new(code, error.to_string(), action)
    }
}

impl From<CareError> for Refusal {
    fn from(error: CareError) -> Self {
        let cause = error.to_string();
        let (code, action) = match error {
            CareError::NoCircle => (ErrorCode::NotFound, "see `maillonctl circle list`"),
            CareError::NoRecord => (ErrorCode::NotFound, "see `maillonctl record list CIRCLE`"),
            CareError::Amended => (ErrorCode::Conflict, "look at it again"),
            CareError::InTeam => (ErrorCode::Conflict, "see `maillonctl team list CIRCLE`"),
            CareError::Period | CareError::Role => {
                (ErrorCode::BadRequest, "correct what was given")
            }
            CareError::Referent => (
                ErrorCode::Conflict,
                "hand the reference over first, on the page « Équipe et cercle »",
            ),
            CareError::NoAlert => (
                ErrorCode::BadRequest,
                "name the alert's record, as `maillonctl alert send` printed it",
            ),
            CareError::WhichProfessional(why) => {
                return Self::new(
                    why.code(),
                    cause,
                    why.action("maillonctl professional list"),
                );
            }
            CareError::Answered {
                step: AlertStep::Close,
                ..
            } => (
                ErrorCode::Conflict,
                "if something is still to be done, send a new alert",
            ),
            CareError::Answered { .. } => (
                ErrorCode::Conflict,
                "nothing more is needed; a further step is take-charge or close",
            ),
            CareError::DamagedProfessional | CareError::DamagedHabilitations => {
                (ErrorCode::Storage, "run `maillonctl doctor`")
            }
            CareError::NotAllowed(_) => (
                ErrorCode::NotAllowed,
                "name a professional whose habilitation allows it, or change the matrix on the page « Habilitations »",
            ),
            CareError::Alike => (ErrorCode::Conflict, "compare the two persons first"),
            CareError::NotInTeam => (
                ErrorCode::NotAllowed,
                "ask somebody of the team to add whoever acts",
            ),
            CareError::NotReadable(_) => (
                ErrorCode::NotAllowed,
                "change the matrix on the page « Habilitations », where that is right",
            ),
            CareError::OnePerson => (
                ErrorCode::Conflict,
                "correct the identity of the one whose number is wrong",
            ),
            CareError::TooManyFavourites => (ErrorCode::Limit, "take one out first"),
            CareError::HabilitationsChanged => {
                (ErrorCode::Conflict, "look at them, and change them again")
            }
            CareError::Professional(_) | CareError::Text(_) | CareError::Identity(_) => {
                (ErrorCode::BadRequest, "correct it and try again")
            }
            CareError::NoConsent => (
                ErrorCode::NotAllowed,
                "inform the person, then `maillonctl consent record CIRCLE --kind non-opposition --decision given`",
            ),
            CareError::Against(_) => (
                ErrorCode::NotAllowed,
                "nobody is invited against the person's word; what they answer later, to whomever, is recorded with `maillonctl consent record` and counts from then on",
            ),
            CareError::NoIdentity => (
                ErrorCode::Conflict,
                "import or write the person's identity first",
            ),
            CareError::Write(WriteFailed::NoCircle) => {
                (ErrorCode::NotFound, "see `maillonctl circle list`")
            }
            CareError::Write(WriteFailed::Write(WriteError::NoSecret)) => (
                ErrorCode::Conflict,
                "`maillonctl peer retry`, then try again",
            ),
            CareError::Write(WriteFailed::Write(WriteError::Limit(_))) => {
                (ErrorCode::Limit, "make it shorter")
            }
            CareError::Write(WriteFailed::Revoked)
            | CareError::Steward(StewardshipError::Revoked)
            | CareError::Letter(LetterError::Steward(StewardshipError::Revoked)) => (
                ErrorCode::Conflict,
                "see deploy/GUIDE.md, \"A machine is stolen\"",
            ),
            CareError::Steward(StewardshipError::Refused)
            | CareError::Letter(LetterError::Steward(StewardshipError::Refused)) => (
                ErrorCode::Conflict,
                "invite the node that its structure runs now: `maillonctl peer list`",
            ),
            CareError::Write(_) => (ErrorCode::Conflict, "see `maillonctl circle show CIRCLE`"),
            CareError::Letter(LetterError::NoInvitation) => {
                (ErrorCode::NotFound, "see `maillonctl circle invitations`")
            }
            CareError::Steward(StewardshipError::Steward(StewardError::Charter(
                CharterError::Change { .. } | CharterError::Limit(_),
            ))) => (
                ErrorCode::Conflict,
                "see `maillonctl circle show CIRCLE`: who is a member, who the steward, and whether it is closed",
            ),
            CareError::Steward(StewardshipError::Partly) => (
                ErrorCode::Conflict,
                "hand over to a member that may read everything: `maillonctl circle show CIRCLE` says who may",
            ),
            CareError::Steward(StewardshipError::Unconfirmed)
            | CareError::Letter(LetterError::Steward(StewardshipError::Unconfirmed)) => (
                ErrorCode::Conflict,
                "`maillonctl peer retry`: a member confirms it by itself; where no other has been in the circle since the copy was made, `maillonctl circle confirm CIRCLE`",
            ),
            CareError::Steward(StewardshipError::OnlyHolder(_)) => (
                ErrorCode::Conflict,
                "`maillonctl peer retry`, then try again; where its key may be in other hands, give up on reading that with --reason compromised",
            ),
            CareError::Steward(StewardshipError::Steward(StewardError::Charter(
                CharterError::Closed(_),
            ))) => (
                ErrorCode::Conflict,
                "open it again with `maillonctl circle reopen CIRCLE`, where it is meant to go on",
            ),
            CareError::Letter(LetterError::Steward(_))
            | CareError::Steward(StewardshipError::Steward(_)) => (
                ErrorCode::Conflict,
                "ask the administrator of the circle's steward, whom `maillonctl circle show CIRCLE` names",
            ),
            CareError::NoRequest | CareError::RequestEnded | CareError::OthersRequest => {
                (ErrorCode::Conflict, "see `maillonctl circle requests`")
            }
            CareError::AsksItself => (
                ErrorCode::Conflict,
                "`maillonctl circle --help` names the commands of a steward",
            ),
            CareError::NotInIt => (
                ErrorCode::Conflict,
                "`maillonctl circle show CIRCLE` names its members",
            ),
            CareError::Finish(FinishFailed::NoCircle) => {
                (ErrorCode::NotFound, "see `maillonctl circle list`")
            }
            CareError::Finish(FinishFailed::GoesOn) => (
                ErrorCode::Conflict,
                "`maillonctl circle close CIRCLE` as its steward, or `maillonctl circle leave CIRCLE`",
            ),
            CareError::Finish(FinishFailed::NotTold) => (
                ErrorCode::Conflict,
                "`maillonctl peer retry`, then try again; `maillonctl circle show CIRCLE` names the members",
            ),
            CareError::Finish(FinishFailed::Storage(_)) => {
                (ErrorCode::Storage, "run `maillonctl doctor`")
            }
            CareError::Erase(EraseFailed::NoRecord) => {
                (ErrorCode::NotFound, "see `maillonctl record list CIRCLE`")
            }
            CareError::Erase(EraseFailed::Storage(_)) => {
                (ErrorCode::Storage, "run `maillonctl doctor`")
            }
            CareError::Erase(EraseFailed::NotOpened | EraseFailed::NotHereYet) => (
                ErrorCode::Conflict,
                "`maillonctl peer retry`, then try again",
            ),
            CareError::Erase(EraseFailed::NotYours) => (
                ErrorCode::Conflict,
                "`maillonctl circle show CIRCLE` says who wrote it and who the steward is",
            ),
            CareError::Erase(EraseFailed::Kind) => (
                ErrorCode::Conflict,
                "write a new answer of the person, or withdraw the request: that takes its place",
            ),
            CareError::Erase(EraseFailed::Differs) => (
                ErrorCode::Conflict,
                "`maillonctl erasure refuse ERASURE`, and ask by telephone what was meant",
            ),
            CareError::Erase(EraseFailed::Write(WriteFailed::Write(WriteError::Closed))) => (
                ErrorCode::Conflict,
                "open it again with `maillonctl circle reopen CIRCLE`, erase, and close it",
            ),
            CareError::Erase(_) => (
                ErrorCode::Conflict,
                "`maillonctl erasure show RECORD` says who has done what",
            ),
            CareError::Late(LateError::TooOften) => (
                ErrorCode::Conflict,
                "ask a member that has it to write what matters of it again, in its own name",
            ),
            CareError::Late(_) => (
                ErrorCode::Conflict,
                "`maillonctl circle show CIRCLE` says who is in it",
            ),
            CareError::Depart(DepartFailed::NoCircle) => {
                (ErrorCode::NotFound, "see `maillonctl circle list`")
            }
            CareError::Depart(DepartFailed::Storage(_)) => {
                (ErrorCode::Storage, "run `maillonctl doctor`")
            }
            CareError::Depart(DepartFailed::OnlyHolder(_)) => (
                ErrorCode::Conflict,
                "`maillonctl peer retry`, then try again",
            ),
            CareError::Depart(_) => (
                ErrorCode::Conflict,
                "`maillonctl circle show CIRCLE` says who is in it and who its steward is",
            ),
            CareError::NodeIdentity(IdentityRefused::Storage(_))
            | CareError::Replace(
                ReplaceFailed::Storage(_)
                | ReplaceFailed::Stewardship(StewardshipError::Storage(_)),
            ) => (ErrorCode::Storage, "run `maillonctl doctor`"),
            CareError::NodeIdentity(IdentityRefused::Revoked) => (
                ErrorCode::Conflict,
                "make a new node with the recovery key: `maillond init --recover NODE`",
            ),
            CareError::NodeIdentity(_) => (
                ErrorCode::Conflict,
                "see `maillonctl peer list`; call the administrator of that structure where two nodes claim one place",
            ),
            CareError::Replace(ReplaceFailed::Stewardship(StewardshipError::NoCircle)) => {
                (ErrorCode::NotFound, "see `maillonctl circle list`")
            }
            CareError::Replace(ReplaceFailed::Stewardship(StewardshipError::Steward(_))) => (
                ErrorCode::Conflict,
                "ask the administrator of the circle's steward, whom `maillonctl circle show CIRCLE` names",
            ),
            CareError::Replace(ReplaceFailed::Stewardship(StewardshipError::Unconfirmed)) => (
                ErrorCode::Conflict,
                "`maillonctl peer retry`: a member confirms it by itself; where no other has been in the circle since the copy was made, `maillonctl circle confirm CIRCLE`",
            ),
            CareError::Replace(_) => (
                ErrorCode::Conflict,
                "see `maillonctl circle show CIRCLE` and `maillonctl peer list`",
            ),
            CareError::CarryOver(CarryOverError::NoCircle) => {
                (ErrorCode::NotFound, "see `maillonctl circle list`")
            }
            CareError::CarryOver(CarryOverError::Storage(_)) => {
                (ErrorCode::Storage, "run `maillonctl doctor`")
            }
            CareError::CarryOver(CarryOverError::NothingBefore) => (
                ErrorCode::Conflict,
                "name the newer of the two circles: `maillonctl circle show CIRCLE` says which one it continues",
            ),
            CareError::CarryOver(CarryOverError::NotWhole(_)) => (
                ErrorCode::Conflict,
                "`maillonctl circle show CIRCLE` says who reads how much; write again by hand what that structure is to know",
            ),
            CareError::CarryOver(CarryOverError::Write(_)) => (
                ErrorCode::Conflict,
                "`maillonctl circle show CIRCLE` says how the circle stands; asked again, it goes on where it ended",
            ),
            CareError::Succession(SuccessionError::Steward) => (
                ErrorCode::Conflict,
                "remove, hand over or close it as its steward: `maillonctl circle show CIRCLE`",
            ),
            CareError::Succession(SuccessionError::NoCircle) => {
                (ErrorCode::NotFound, "see `maillonctl circle list`")
            }
            CareError::Succession(SuccessionError::Storage(_)) => {
                (ErrorCode::Storage, "run `maillonctl doctor`")
            }
            CareError::Succession(_) | CareError::Letter(LetterError::Continued) => (
                ErrorCode::Conflict,
                "`maillonctl circle show CIRCLE` says where it goes on; one that leads nowhere is closed by whoever opened it",
            ),
            CareError::Letter(LetterError::NotThatFar) => (
                ErrorCode::Conflict,
                "`maillonctl peer retry`, then try again",
            ),
            CareError::Letter(LetterError::OtherBranch | LetterError::NotInIt) => (
                ErrorCode::Conflict,
                "ask whoever sent it, by telephone: their circle and this node's have parted, or they were removed from it",
            ),
            CareError::Letter(LetterError::Cancelled) => (
                ErrorCode::Conflict,
                "nothing is to be done; a newer invitation, where there is one, stands in `maillonctl circle invitations`",
            ),
            CareError::Letter(LetterError::NoEpoch { .. }) => (
                ErrorCode::BadRequest,
                "say --past whole, nothing, or one of these numbers",
            ),
            CareError::Letter(LetterError::TooMany(_)) => {
                (ErrorCode::Limit, "see `maillonctl circle invitations`")
            }
            CareError::Letter(_) => (
                ErrorCode::Conflict,
                "see `maillonctl circle invitations` and `maillonctl peer list`",
            ),
            CareError::Steward(_) => (ErrorCode::NotFound, "see `maillonctl circle list`"),
            CareError::Import(error) => return error.into(),
            CareError::UnknownPatient => (
                ErrorCode::BadRequest,
                "import it in a bundle with its Patient, or import the Patient first",
            ),
            CareError::AmbiguousPatient => (
                ErrorCode::Conflict,
                "import the Patient together with the resource in one bundle",
            ),
            CareError::Audit(error) => return error.into(),
            CareError::Rows(_) | CareError::Store(_) | CareError::Commit(_) => {
                (ErrorCode::Storage, "run `maillonctl doctor`")
            }
            CareError::Attachment(AttachmentError::Limit(_)) => {
                (ErrorCode::Limit, "make the file smaller, or split it")
            }
            CareError::Attachment(_) => (ErrorCode::Storage, "run `maillonctl doctor`"),
            CareError::FileKind | CareError::FileBroken => (
                ErrorCode::BadRequest,
                "save it as PDF, JPEG, PNG or WebP and give it again",
            ),
            CareError::NoFile => (ErrorCode::NotFound, "see `maillonctl record show RECORD`"),
            CareError::NotAllHere { .. } => (
                ErrorCode::Conflict,
                "try again later; see `maillonctl document save RECORD` and `maillonctl peer list`",
            ),
            CareError::NoUpload | CareError::Part { .. } => (
                ErrorCode::Conflict,
                "give the file again from its beginning: repeat the command",
            ),
            CareError::Limit(_) => (ErrorCode::Limit, "split the file into smaller ones"),
            CareError::Busy(_) => (ErrorCode::Limit, "try again when one of them is done"),
            CareError::Stopping => (ErrorCode::Conflict, "try again when the node has started"),
            CareError::NothingWritten | CareError::Content(_) | CareError::Statement(_) => {
                (ErrorCode::Internal, "report this with the request's id")
            }
        };
        Self::new(code, cause, action)
    }
}

#[cfg(test)]
mod tests {
    use maillon_protocol::pairing::Invitation;

    use super::*;

    #[test]
    fn a_text_that_is_no_invitation_is_the_matter_of_whoever_pasted_it() {
        let error = Invitation::from_text("maillon1:…").expect_err("no invitation");
        let refusal = Refusal::from(PeeringError::from(error));
        assert_eq!(refusal.code, ErrorCode::BadRequest);
        assert!(refusal.action.contains("maillon1:"), "{}", refusal.action);
        let unknown = Refusal::from(PeeringError::Over);
        assert_eq!(unknown.code, ErrorCode::NotFound);
    }
}
