//! Why a file does not go in: the whole list, each with its place, its cause and what to do.
//!
//! Nothing here repeats a value of the file: places are paths, causes are codes.

use maillon_protocol::limits::LimitError;
use serde::Serialize;

/// Why a file goes in not at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A limit of [`super::ImportLimits`].
    #[error("{limit} (at {path})")]
    Limit {
        /// Which, and how much was found.
        limit: LimitError,
        /// Where; the root where the file as a whole is too large.
        path: String,
    },
    /// The bytes are not one JSON document in UTF-8.
    #[error("not JSON in UTF-8, from line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// An object names one element twice: which of the two counts would be a guess.
    #[error("the element {path} stands twice in one object")]
    DuplicateElement {
        /// The element.
        path: String,
    },
    /// JSON, but no FHIR resource: there is no `resourceType`.
    #[error("not a FHIR resource: no resourceType")]
    NotFhir,
    /// A FHIR resource that is not imported by itself.
    #[error("a resource of the type {resource} is not imported; imported are {}", super::ROOTS.join(", "))]
    Unsupported {
        /// Its type; `?` where that is no plausible name of one.
        resource: String,
    },
    /// The content has problems. Nothing of the file goes in.
    #[error("{}", listed(.0))]
    Refused(Vec<Problem>),
}

fn listed(problems: &[Problem]) -> String {
    match problems {
        [] => String::new(),
        [one] => one.to_string(),
        [first, ..] => format!("{} problems; the first one: {first}", problems.len()),
    }
}

impl ImportError {
    /// Whether the file is refused for being too large in some respect, and for nothing else.
    pub fn is_limit(&self) -> bool {
        match self {
            Self::Limit { .. } => true,
            Self::Refused(problems) => problems
                .iter()
                .all(|problem| matches!(problem.cause, Cause::Limit { .. })),
            _ => false,
        }
    }
}

/// One reason why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[error("{path}: {cause}")]
pub struct Problem {
    /// Where, such as `Bundle.entry[2].resource.subject`.
    pub path: String,
    /// What is wrong.
    pub cause: Cause,
}

impl Problem {
    /// For the caller who does not know the person whom a [`super::SubjectIdentity::Reference`] names.
    pub fn unknown_patient(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            cause: Cause::NoPatient,
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "cause")]
pub enum Cause {
    /// Another JSON type than FHIR R4 gives to this element.
    #[error("not {expected}, as FHIR R4 wants here")]
    WrongType {
        /// What FHIR wants.
        expected: &'static str,
    },
    /// An element that must be there is not.
    #[error("missing")]
    Missing,
    /// `modifierExtension` or `implicitRules`: they may turn the meaning of what stands beside them.
    #[error("may change the meaning of the resource and is not understood here")]
    UnknownModifier,
    /// A resource that is not imported.
    #[error("a resource of this type is not imported")]
    UnsupportedResource,
    /// A bundle whose type is not imported.
    #[error("a bundle of this type is not imported")]
    UnsupportedBundle,
    /// An entry that asks for something else than to create or to update.
    #[error("neither POST nor PUT")]
    NotAWrite,
    /// Two entries have one address, or two contents one key.
    #[error("stands twice in the file")]
    Twice,
    /// A reference that can only point into the file points to nothing there.
    #[error("points to nothing in the file")]
    DanglingReference,
    /// A reference points to a resource of a type that may not stand there.
    #[error("points to a resource of another type")]
    WrongTarget,
    /// Nobody can tell whom this is about.
    #[error("the patient is neither in the file nor known")]
    NoPatient,
    /// Somebody close to another patient.
    #[error("belongs to another patient")]
    OtherPatient,
    /// Nobody can tell who wrote this.
    #[error("the author is not in the file")]
    NoAuthor,
    /// The source says that this was entered in error.
    #[error("entered in error, says the source")]
    EnteredInError,
    /// A note or a document without anything to read.
    #[error("has neither text nor file nor link")]
    NothingToRead,
    /// A code outside the list that the national profile requires.
    #[error("not a code of the required list")]
    UnknownCode,
    /// Bytes that are not base64.
    #[error("not base64")]
    NotBase64,
    /// More than a limit allows.
    #[error("{what} is limited to {limit}, this has {found}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What was found.
        found: u64,
    },
}

impl From<LimitError> for Cause {
    fn from(error: LimitError) -> Self {
        Self::Limit {
            what: error.what,
            limit: error.limit,
            found: error.found,
        }
    }
}

impl Cause {
    /// What the person who imports can do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::WrongType { .. } | Self::NotBase64 => {
                "export again from the source software; the file is not valid FHIR R4 there"
            }
            Self::Missing => "complete this element in the source software and export again",
            Self::UnknownModifier => "export without this element, or enter this content by hand",
            Self::UnsupportedResource => {
                "import Patient, CareTeam and DocumentReference with the people and structures that they name; leave the rest out"
            }
            Self::UnsupportedBundle => {
                "export as a transaction bundle (cercle de soins or cahier de liaison)"
            }
            Self::NotAWrite => "leave deletions and searches out; close or withdraw by hand",
            Self::Twice => "remove the repeated entry, or give each its own address",
            Self::DanglingReference => "put the resource that is referred to into the bundle",
            Self::WrongTarget => "correct the reference in the source software",
            Self::NoPatient => "import it in a bundle together with its patient",
            Self::OtherPatient => "correct the patient of this person in the source software",
            Self::NoAuthor => "import it in a bundle together with its author",
            Self::EnteredInError => "leave it out",
            Self::NothingToRead => "export the note or document with its content",
            Self::UnknownCode => {
                "use a code of the national list (cahier de liaison: GEN, OBS, INST, INTERV, DEM-AVIS)"
            }
            Self::Limit { .. } => "split the file",
        }
    }
}
