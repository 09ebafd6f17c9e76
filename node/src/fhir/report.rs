//! What became of every element of a file: paths and codes, never values.

use serde::Serialize;

/// What became of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "fate", content = "reason")]
pub enum Fate {
    /// It is in the contents that came out.
    Mapped,
    /// It stays in the sealed original only.
    Kept(KeptReason),
    /// It is not valid and was not taken; the original has it.
    Refused(RefusedReason),
}

/// Why an element stays in the original only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptReason {
    /// Our contents have no place for it.
    NoPlace,
    /// The generated narrative repeats the resource.
    Narrative,
    /// It carries the file: versions, profiles, requests, addresses.
    Technical,
    /// Another element says the same and was taken.
    SaidElsewhere,
    /// It is marked as old or temporary.
    NotCurrent,
    /// The insured person's number is no identity, and may be somebody else's.
    SocialSecurityNumber,
    /// Nothing in the file refers to it.
    NotReferenced,
    /// It refers to something that is not in the file.
    NotInFile,
    /// A link; nothing is fetched.
    Link,
}

/// Why an element was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedReason {
    /// An empty string counts as absent.
    Empty,
    /// Not a date, or not one of the calendar.
    NotADate,
    /// Not a date and time with its offset, from 1970 on.
    NotAnInstant,
    /// Not a code of the list.
    UnknownCode,
}

/// What whoever imports should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// An empty string, taken as absent.
    Empty,
    /// No valid date.
    NotADate,
    /// No valid instant.
    NotAnInstant,
    /// A code that is not known.
    UnknownCode,
    /// Refers to something outside the file; what stands beside the reference was taken.
    NotInFile,
    /// A member of the care team was left out: they are not in the file and have no name here.
    MemberLeftOut,
    /// Nothing in the file refers to this resource.
    NotReferenced,
    /// A link; nothing was fetched.
    LinkNotFollowed,
    /// The text is not in the character set that it says; read as Windows-1252.
    CharsetGuessed,
    /// The bytes do not have the length that the source says.
    SizeDiffers,
    /// The bytes do not have the SHA-1 that the source says: they may have been changed on their way.
    HashDiffers,
    /// A status of the source that has no place here: inactive, suspended, proposed, replaced.
    StatusNotCarried,
    /// A note's visibility has no place here: whoever shares it must know.
    VisibilityNotCarried,
    /// A document's author has no place here.
    AuthorNotCarried,
    /// The source says that the person is deceased.
    DeceasedNotCarried,
    /// Contact persons or attending practitioners of the patient resource stay in the original.
    ContactPersonNotCarried,
    /// Type and system of an identifier name two registers; the weaker one was believed.
    TypeAndSystemDisagree,
    /// A number under the address that the INS and the social security number share, without a type: taken for neither.
    AmbiguousNumber,
    /// A name without its use was taken for the birth name.
    NameUseAssumed,
    /// The list of birth given names does not begin with the first given name.
    GivenNamesDisagree,
    /// A period ends before it starts.
    PeriodReversed,
    /// Notes that answer one another in a ring; the ring was cut.
    AnswersInARing,
    /// The note replaces one with this address.
    Replaces,
}

/// One line of the report: the largest element all of whose leaves met one fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Such as `Bundle.entry[2].resource.name[0].family`.
    pub path: String,
    /// Leaves of the input that this line stands for: scalars, and empty lists and objects.
    pub leaves: u64,
    /// What became of them.
    #[serde(flatten)]
    pub fate: Fate,
}

/// A warning and its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// Where.
    pub path: String,
    /// What.
    pub kind: WarningKind,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Every element, in the order of the file.
    pub lines: Vec<Line>,
    /// What to know.
    pub warnings: Vec<Warning>,
}

impl Report {
    /// Leaves that the lines stand for: as many as the file has.
    pub fn leaves(&self) -> u64 {
        self.lines.iter().map(|line| line.leaves).sum()
    }

    /// Leaves whose fate satisfies a condition.
    pub fn count(&self, wanted: impl Fn(Fate) -> bool) -> u64 {
        self.lines
            .iter()
            .filter(|line| wanted(line.fate))
            .map(|line| line.leaves)
            .sum()
    }

    /// What became of the element at `path`, as far as one line tells it.
    pub fn fate_of(&self, path: &str) -> Option<Fate> {
        self.lines
            .iter()
            .find(|line| {
                path.strip_prefix(line.path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
            .map(|line| line.fate)
    }

    /// Whether there is a warning of this kind.
    pub fn warns(&self, kind: WarningKind) -> bool {
        self.warnings.iter().any(|warning| warning.kind == kind)
    }
}
