//! The fixed names of errors, one for each thing that can be wrong, whatever the crate calls it.

use maillon_protocol::{
    cbor::CborError,
    charter::{CharterError, DepartureError, SecretError},
    circle::AckError,
    content::ContentError,
    descriptor::DescriptorError,
    identity::{ReplacementError, RevocationError},
    ids::IdError,
    invite::InviteError,
    record::{BodyError, log::LogError},
    seal::SealError,
    sign::SignError,
    sync::{MessageError, PresentationError},
};

/// Why a vector is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) name: &'static str,
    /// The crate's finer word for a payload that is not ours.
    pub(crate) cause: Option<&'static str>,
}

impl From<&'static str> for Refused {
    fn from(name: &'static str) -> Self {
        Self { name, cause: None }
    }
}

impl From<CborError> for Refused {
    fn from(error: CborError) -> Self {
        Self {
            name: "payload",
            cause: Some(match error {
                CborError::Shape(_) => "shape",
                CborError::Trailing(_) => "trailing",
                CborError::NotDeterministic => "not-deterministic",
            }),
        }
    }
}

impl From<SignError> for Refused {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Envelope(_) => "envelope".into(),
            SignError::Payload(error) => error.into(),
            SignError::Signature => "signature".into(),
            SignError::Key => "node-key".into(),
        }
    }
}

impl From<DescriptorError> for Refused {
    fn from(error: DescriptorError) -> Self {
        match error {
            DescriptorError::Sign(error) => error.into(),
            DescriptorError::Limit(_) => "limit".into(),
            DescriptorError::Key(_) => "receive-key".into(),
            DescriptorError::Version(_) => "version".into(),
            DescriptorError::Suite => "suite".into(),
        }
    }
}

impl From<CharterError> for Refused {
    fn from(error: CharterError) -> Self {
        match error {
            CharterError::Version(_) => "version",
            CharterError::Circle => "circle",
            CharterError::Number { .. } => "number",
            CharterError::Fork(_) => "previous",
            CharterError::Steward(_) => "steward",
            CharterError::State(_) => "state",
            CharterError::Change { .. } => "change",
            CharterError::Closed(_) => "closed",
            CharterError::Acceptance { .. } => "acceptance",
            CharterError::Descriptor { .. } => "descriptor",
            CharterError::Replacement { .. } => "replacement",
            CharterError::Limit(_) => "limit",
        }
        .into()
    }
}

impl From<DepartureError> for Refused {
    fn from(error: DepartureError) -> Self {
        match error {
            DepartureError::Sign(error) => return error.into(),
            DepartureError::Limit(_) => "limit",
            DepartureError::Version(_) => "version",
            DepartureError::Twice => "change",
            DepartureError::Circle => "circle",
            DepartureError::UnknownEntry => "unknown-entry",
            DepartureError::Entry => "entry",
            DepartureError::Steward => "steward",
            DepartureError::NotMember => "not-member",
        }
        .into()
    }
}

impl From<ReplacementError> for Refused {
    fn from(error: ReplacementError) -> Self {
        match error {
            ReplacementError::Sign(error) => return error.into(),
            ReplacementError::Limit(_) => "limit",
            ReplacementError::Version(_) => "version",
            ReplacementError::SameKey => "same-key",
            ReplacementError::Nothing => "nothing",
            ReplacementError::Identity => "identity",
            ReplacementError::Recovery => "recovery",
            ReplacementError::Older => "older",
        }
        .into()
    }
}

impl From<RevocationError> for Refused {
    fn from(error: RevocationError) -> Self {
        match error {
            RevocationError::Sign(error) => error.into(),
            RevocationError::Limit(_) => "limit".into(),
            RevocationError::Version(_) => "version".into(),
        }
    }
}

impl From<LogError> for Refused {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Version(_) => "version",
            LogError::Circle => "circle",
            LogError::Entry => "entry",
            LogError::NotMember => "not-member",
            LogError::Epoch => "epoch",
            LogError::EntryDecreases => "entry-decreases",
            LogError::EntryBefore => "entry-before",
            LogError::Link => "previous",
            LogError::Opening => "opening",
        }
        .into()
    }
}

impl From<BodyError> for Refused {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::OtherBody => "other-body",
            BodyError::Envelope(_) => "body-envelope",
            BodyError::Open => "body-open",
            BodyError::Padding => "padding",
        }
        .into()
    }
}

impl From<SealError> for Refused {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Expired => "expired",
            SealError::Key => "receive-key",
            SealError::OtherKey => "other-key",
            SealError::Open => "seal-open",
        }
        .into()
    }
}

impl From<SecretError> for Refused {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Seal(error) => error.into(),
            SecretError::Commitment => "commitment".into(),
            SecretError::Misplaced => "misplaced".into(),
        }
    }
}

impl From<AckError> for Refused {
    fn from(error: AckError) -> Self {
        match error {
            AckError::Sign(error) => error.into(),
            AckError::Limit(_) => "limit".into(),
            AckError::Version(_) => "version".into(),
        }
    }
}

impl From<InviteError> for Refused {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::Sign(error) => error.into(),
            InviteError::Limit(_) => "limit".into(),
            InviteError::Version(_) => "version".into(),
            InviteError::Addressee => "addressee".into(),
            InviteError::Expired => "expired".into(),
            InviteError::Life => "life".into(),
            InviteError::Seal(error) => error.into(),
            InviteError::Identity(error) => error.into(),
        }
    }
}

impl From<ContentError> for Refused {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Form(error) => error.into(),
            ContentError::Limit(_) => "limit".into(),
        }
    }
}

impl From<PresentationError> for Refused {
    fn from(error: PresentationError) -> Self {
        match error {
            PresentationError::Limit(_) => "limit".into(),
            PresentationError::Form(error) => error.into(),
            PresentationError::Sign(error) => error.into(),
            PresentationError::Elsewhere | PresentationError::NotListed => "entry".into(),
        }
    }
}

impl From<MessageError> for Refused {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Limit(_) => "limit".into(),
            MessageError::Form(error) => error.into(),
        }
    }
}

impl From<IdError> for Refused {
    fn from(_: IdError) -> Self {
        "peer-id".into()
    }
}
