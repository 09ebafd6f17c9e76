//! Who the person is: strict traits, INS and the trust put in both.
//!
//! Source: référentiel national d'identitovigilance (four statuses) and FR Core Patient INS; `ehealth.md`, section 1.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Contact, Identifier};

/// Administrative sex, as the INS carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    /// Masculin.
    #[n(0)]
    Male,
    /// Féminin.
    #[n(1)]
    Female,
    /// Inconnu.
    #[n(2)]
    Unknown,
}

/// How far an identity is trusted (statut de l'identité, RNIV EXI SI 07).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityStatus {
    /// Provisoire: neither retrieved nor checked.
    #[n(0)]
    Provisional,
    /// Récupérée: INS retrieved, no document checked.
    #[n(1)]
    Retrieved,
    /// Validée: document checked, INS not retrieved.
    #[n(2)]
    Validated,
    /// Qualifiée: both.
    #[n(3)]
    Qualified,
}

/// Which register an INS comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum InsKind {
    /// NIR, OID 1.2.250.1.213.1.4.8.
    #[n(0)]
    Nir,
    /// NIA, OID 1.2.250.1.213.1.4.9.
    #[n(1)]
    Nia,
    /// Test NIR, OID 1.2.250.1.213.1.4.10.
    #[n(2)]
    TestNir,
    /// Demonstration NIR, OID 1.2.250.1.213.1.4.11.
    #[n(3)]
    DemoNir,
}

/// What is known of an INS's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum InsKey {
    /// Its control key is right.
    #[n(0)]
    Right,
    /// Its control key is wrong: kept as unverified, of no use for matching.
    #[n(1)]
    Wrong,
}

/// Identité nationale de santé: the number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Ins {
    /// Thirteen characters and two digits of key.
    #[n(0)]
    pub number: String,
    /// Register.
    #[n(1)]
    pub kind: InsKind,
    /// Whether the key is right.
    #[n(2)]
    pub key: InsKey,
}

impl Ins {
    /// An INS with its key checked.
    pub fn new(number: &str, kind: InsKind) -> Self {
        let right =
            ins_key(number).is_some_and(|key| number.get(13..) == Some(&format!("{key:02}")));
        Self {
            number: number.to_owned(),
            kind,
            key: if right { InsKey::Right } else { InsKey::Wrong },
        }
    }

    /// Whether this number may be used to say that two files are of one person.
    pub fn may_match(&self) -> bool {
        self.key == InsKey::Right
    }
}

/// The control key of an INS: 97 − (N mod 97) over its first thirteen characters, the Corsican departments 2A and 2B read as
/// 19 and 18. `None` where there are not thirteen such characters.
pub fn ins_key(number: &str) -> Option<u64> {
    let head = number
        .get(..13)?
        .replacen("2A", "19", 1)
        .replacen("2B", "18", 1);
    if head.len() != 13 || !head.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u64 = head.parse().ok()?;
    Some(97 - value % 97)
}

/// A date of which day, or day and month, may be unknown: `1938`, `1938-05` or `1938-05-12`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(try_from = "String", into = "String")]
pub struct PartialDate(#[n(0)] String);

/// Why a text is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartialDateError {
    /// Another form.
    #[error("a date is written as YYYY, YYYY-MM or YYYY-MM-DD")]
    Form,
    /// A day that its month does not have.
    #[error("that month has no such day")]
    NoSuchDay,
}

impl<'b, C> Decode<'b, C> for PartialDate {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let text = decoder.str()?.to_owned();
        Self::try_from(text).map_err(minicbor::decode::Error::message)
    }
}

impl PartialDate {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PartialDate {
    type Error = PartialDateError;
    fn try_from(text: String) -> Result<Self, PartialDateError> {
        let mut parts = text.split('-');
        let number = |part: Option<&str>, digits: usize, range: std::ops::RangeInclusive<u32>| {
            part.map(|part| {
                let well_formed =
                    part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
                part.parse()
                    .ok()
                    .filter(|value| well_formed && range.contains(value))
                    .ok_or(PartialDateError::Form)
            })
            .transpose()
        };
        let year = number(parts.next(), 4, 1..=9999)?.ok_or(PartialDateError::Form)?;
        let month = number(parts.next(), 2, 1..=12)?;
        let day = number(parts.next(), 2, 1..=31)?;
        if parts.next().is_some() {
            return Err(PartialDateError::Form);
        }
        match (month, day) {
            (Some(month), Some(day)) if day > days_of(year, month) => {
                Err(PartialDateError::NoSuchDay)
            }
            _ => Ok(Self(text)),
        }
    }
}

/// How many days a month of the Gregorian calendar has.
const fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> Self {
        date.0
    }
}

/// Identity of the person whom a dossier is about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct PatientIdentity {
    /// Nom de naissance.
    #[n(0)]
    pub birth_name: String,
    /// Prénoms de naissance; the first one is the strict trait.
    #[n(1)]
    pub birth_given_names: Vec<String>,
    /// Nom utilisé; empty where it is the birth name.
    #[n(2)]
    pub used_name: String,
    /// Prénom utilisé; empty where it is the first given name.
    #[n(3)]
    pub used_given_name: String,
    /// Date de naissance.
    #[n(4)]
    pub birth_date: Option<PartialDate>,
    /// Sexe.
    #[n(5)]
    pub sex: Sex,
    /// Lieu de naissance: INSEE code of commune or country; empty where unknown.
    #[n(6)]
    pub birth_place: String,
    /// The number, where there is one.
    #[n(7)]
    pub ins: Option<Ins>,
    /// How far all this is trusted.
    #[n(8)]
    pub status: IdentityStatus,
    /// The document or means that the status rests on (code of fr-core-cs-mode-validation-identity); may be empty.
    #[n(9)]
    pub validated_by: String,
    /// How to reach the person.
    #[n(10)]
    pub contacts: Vec<Contact>,
    /// Other identifiers, such as the hospital's own.
    #[n(11)]
    pub identifiers: Vec<Identifier>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_an_ins_is_checked() {
        // A test number that the national agency publishes, and the one of the FHIR examples, whose key is wrong.
        assert_eq!(
            Ins::new("279035121518989", InsKind::TestNir).key,
            InsKey::Right
        );
        assert_eq!(Ins::new("123456789012244", InsKind::Nir).key, InsKey::Wrong);
        assert!(!Ins::new("12345678901224", InsKind::Nir).may_match());
    }

    #[test]
    fn corsican_numbers_have_a_key_too() {
        let key = ins_key("185032A123456").expect("thirteen characters");
        assert_eq!(key, 97 - 1_850_319_123_456 % 97);
    }

    #[test]
    fn an_incomplete_birth_date_is_kept_and_nonsense_is_refused() {
        for good in ["1938", "1938-05", "1938-05-12", "1940-02-29", "2000-02-29"] {
            assert!(PartialDate::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "38",
            "1938-13",
            "1938-05-32",
            "1938-05-12-01",
            "12/05/1938",
            "1938-5",
            "1938-02-31",
            "1938-02-29",
            "1900-02-29",
            "1938-04-31",
        ] {
            assert!(PartialDate::try_from(bad.to_owned()).is_err(), "{bad}");
            // Nor does it come in by a record of another node.
            let sent = crate::cbor::encode(&bad);
            assert!(crate::cbor::decode::<PartialDate>(&sent).is_err(), "{bad}");
        }
        let sent = crate::cbor::encode(&"1940-02-29");
        let date: PartialDate = crate::cbor::decode(&sent).expect("a date");
        assert_eq!(date.as_str(), "1940-02-29");
    }
}
