//! FHIR R4 in: what the software of others writes becomes our contents.
//!
//! One pure function, [`read`]: bytes in, contents and a report out. No database, no network, no clock. Read are the transaction bundles of
//! the national guides for the care circle (cercle de soins, CDS 2.0.1) and the liaison notebook (cahier de liaison, CDL 3.0.0), and
//! single Patient, CareTeam and DocumentReference resources; identities follow FR Core 2.1.0 (`ehealth.md`, sections 1 to 4).
//!
//! # Promises
//! - A file goes in whole or not at all. What stops it is listed completely: place, cause, what to do ([`Problem`]).
//! - Every leaf of the input is accounted for: mapped, kept in the original only, or refused, with the reason ([`Report`]). Report and
//!   errors carry paths and codes, never values.
//! - The same file gives the same keys, so that importing it twice changes nothing and a newer one supersedes. Keys are unique within one
//!   source: `Patient/12` of two hospitals are two people, so the caller keeps keys of different sources apart, and does not
//!   take a known key for the same person where the strict traits say somebody else.
//! - A wrong control key downgrades and never refuses: the identity is provisional, the number is kept as wrong, the doubt is
//!   listed. A number with a wrong key is nobody's key.
//! - Whatever the bytes are, the answer is a value or a typed error, within [`ImportLimits`].
//!
//! # What it does not do
//! It does not validate against the profiles, follow links, or know what was imported before: a [`SubjectIdentity::Reference`] says that
//! the caller must know the person. Members and notes that a newer file no longer names are not reported as gone.
//!
//! # Why no typed FHIR crate
//! The generated types of all of R4 cost minutes of build, and they drop what they do not know, so no account of every element could be
//! given. Nine types of resources are read here, through a cursor that marks what it reads.

mod assembly;
pub mod codes;
mod error;
mod limits;
mod reading;
mod report;
mod source;

use maillon_protocol::content::{Content, InsKind, PatientIdentity};
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use error::{Cause, ImportError, Problem};
pub use limits::ImportLimits;
pub use report::{Fate, KeptReason, Line, RefusedReason, Report, Warning, WarningKind};

/// Resource types that may be the root of a file.
pub const ROOTS: [&str; 4] = ["Bundle", "Patient", "CareTeam", "DocumentReference"];

/// What came out of a file.
#[derive(Debug, Clone)]
pub struct Import {
    /// SHA-256 of the bytes.
    pub source_hash: [u8; 32],
    /// Type of the resource at the root: one of [`ROOTS`].
    pub root: &'static str,
    /// The people whom the file is about, in its order.
    pub subjects: Vec<Subject>,
    /// What became of every element.
    pub report: Report,
}

/// One person and what the file says about them.
#[derive(Debug, Clone)]
pub struct Subject {
    /// By what the same source's same patient is recognised: the first of `aliases`.
    pub key: String,
    /// Every text under which this source may name the patient: identifiers other than national numbers as `system|value`, `Patient/id`,
    /// an absolute fullUrl. Where there is none, the SHA-256 of the resource.
    pub aliases: Vec<String>,
    /// Who it is.
    pub identity: SubjectIdentity,
    /// When the source last changed the identity, Unix milliseconds.
    pub updated_ms: Option<u64>,
    /// Why the identity needs a look.
    pub doubts: Vec<Doubt>,
    /// What is said about them; what belongs to something else comes after it.
    pub items: Vec<Item>,
}

/// How a file says whom it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectIdentity {
    /// With the whole identity.
    Inline(Box<PatientIdentity>),
    /// By the key alone: one of the `aliases` of somebody whom the same source sent before. Where the caller knows nobody by it, the
    /// file is refused with [`Problem::unknown_patient`].
    Reference(String),
}

/// One content.
#[derive(Debug, Clone)]
pub struct Item {
    /// By what the same source's same thing is recognised.
    pub source_key: String,
    /// What it belongs to: the key of an item of this file, before this one, or of an earlier file of the same source.
    pub parent: Option<String>,
    /// The key of another thing that this one replaces, of this file or an earlier one.
    pub replaces: Option<String>,
    /// When it happened, Unix milliseconds.
    pub occurred_ms: Option<u64>,
    /// The content; its list of attachments is empty.
    pub content: Content,
    /// The attachments to store and to name in the content.
    pub attachments: Vec<AttachmentBytes>,
}

/// An attachment to store.
#[derive(Clone, PartialEq, Eq)]
pub struct AttachmentBytes {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Media type, without parameters.
    pub media_type: String,
    /// File name: no path, no control characters.
    pub name: String,
}

impl std::fmt::Debug for AttachmentBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "AttachmentBytes({} bytes, {})",
            self.bytes.len(),
            self.media_type
        )
    }
}

/// Why an identity needs a look by somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "doubt")]
pub enum Doubt {
    /// The number's control key is wrong.
    WrongKey {
        /// The register that it is said to come from.
        register: InsKind,
    },
    /// Two different current numbers.
    SeveralNumbers,
    /// The source calls the identity trusted, but a strict trait is not there.
    MissingTrait {
        /// Which.
        which: Trait,
    },
    /// The source itself doubts: a status of fr-core-cs-v2-0445 other than PROV, VIDE and VALI.
    SourceSays {
        /// Its code, such as `HOMA` or `DOUT`.
        code: &'static str,
    },
}

impl Doubt {
    /// Codes of [`Doubt::SourceSays`].
    const SAID: [&'static str; 18] = [
        "DOUB", "DESA", "DPOT", "DOUA", "COLP", "COLV", "FILI", "CACH", "ANOM", "IDVER", "RECD",
        "IDRA", "USUR", "HOMD", "HOMA", "INVA", "FICT", "DOUT",
    ];
}

/// The strict traits of an identity (référentiel national d'identitovigilance).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trait {
    /// Nom de naissance.
    BirthName,
    /// Prénoms de naissance.
    BirthGivenNames,
    /// Date de naissance.
    BirthDate,
    /// Sexe.
    Sex,
    /// Lieu de naissance.
    BirthPlace,
}

/// Reads a file.
///
/// # Errors
/// [`ImportError`]: nothing of the file goes in.
pub fn read(bytes: &[u8], limits: &ImportLimits) -> Result<Import, ImportError> {
    let (root, nodes) = source::parse(bytes, limits)?;
    let named = root.text("resourceType").ok_or(ImportError::NotFhir)?;
    let Some(&name) = ROOTS.iter().find(|known| **known == named) else {
        return Err(ImportError::Unsupported {
            resource: if named.contains('_') {
                "?"
            } else {
                source::shown(named)
            }
            .to_owned(),
        });
    };
    let account = source::Account::new(&root, nodes, name);
    let subjects = assembly::assemble(account.root(), limits);
    let problems = account.problems();
    if !problems.is_empty() {
        return Err(ImportError::Refused(problems));
    }
    Ok(Import {
        source_hash: Sha256::digest(bytes).into(),
        root: name,
        subjects,
        report: account.report(),
    })
}
