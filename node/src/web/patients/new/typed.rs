//! What was typed into the form of an identity, and what is wrong with it, field by field.

use maillon_protocol::content::{
    IdentityStatus, Ins, InsKey, InsKind, PartialDate, PatientIdentity, Sex, ins_key,
};

use crate::{
    care::{BirthPlace, IdentityError, NoPlace, PersonName, code_of},
    web::{dates, fields::Fields},
};

/// The documents that are offered: the code of each (FR Core, `fr-core-cs-mode-validation-identity`), and its name.
pub(super) const DOCUMENTS: [(&str, &str); 7] = [
    ("CN", "Carte nationale d’identité"),
    ("PA", "Passeport"),
    ("CE", "Carte d’identité d’un pays européen"),
    ("CS", "Carte de séjour"),
    ("LE", "Livret de famille, avec une photo à part"),
    ("AN", "Extrait d’acte de naissance, avec une photo à part"),
    ("TC", "Tiers de confiance"),
];

/// The form as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) given: String,
    pub(super) used_name: String,
    pub(super) used_given: String,
    pub(super) born: String,
    pub(super) sex: String,
    pub(super) place: String,
    pub(super) ins: String,
    pub(super) key: String,
    pub(super) document: String,
    /// Whether the number came from the national service.
    pub(super) retrieved: bool,
}

/// What is wrong, beside each field; empty where nothing is.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) name: String,
    pub(super) given: String,
    pub(super) born: String,
    pub(super) sex: String,
    pub(super) place: String,
    /// The places that it may be, to choose from.
    pub(super) places: Vec<String>,
    pub(super) used_name: String,
    pub(super) used_given: String,
    pub(super) ins: String,
    pub(super) document: String,
}

impl Faults {
    /// The faults in the order of the form: the field, its name, what is wrong.
    pub(super) fn all(&self) -> Vec<(&'static str, &'static str, &str)> {
        let all = [
            ("nom", "Nom de naissance", &self.name),
            ("prenoms", "Prénoms de naissance", &self.given),
            ("naissance", "Date de naissance", &self.born),
            ("sexe-f", "Sexe", &self.sex),
            ("lieu", "Lieu de naissance", &self.place),
            ("nomu", "Nom utilisé", &self.used_name),
            ("prenomu", "Prénom utilisé", &self.used_given),
            ("ins", "Matricule INS", &self.ins),
            ("piece", "Document présenté", &self.document),
        ];
        let all = all.into_iter().filter(|(.., fault)| !fault.is_empty());
        all.map(|(field, name, fault)| (field, name, fault.as_str()))
            .collect()
    }

    pub(super) fn any(&self) -> bool {
        !self.all().is_empty()
    }

    /// Why the service refuses, beside its field; where the form has found something there itself, that stands.
    pub(super) fn add(&mut self, error: IdentityError) {
        const NAME: &str = "Un nom a au moins une lettre et au plus 100 caractères.";
        const GIVEN: &str = "Chaque prénom a au moins une lettre et au plus 100 caractères.";
        let (field, fault) = match error {
            IdentityError::Name(PersonName::Birth) => (&mut self.name, NAME),
            IdentityError::Name(PersonName::Given) => (&mut self.given, GIVEN),
            IdentityError::Name(PersonName::Used) => (&mut self.used_name, NAME),
            IdentityError::Name(PersonName::UsedGiven) => (&mut self.used_given, GIVEN),
            IdentityError::NotBorn => (&mut self.born, "Cette date est dans l’avenir."),
            IdentityError::TooOld => (&mut self.born, "Cette date remonte à plus de 150 ans."),
            IdentityError::Place => (
                &mut self.place,
                "Écrivez un code de cinq caractères\u{a0}: 76351 pour une commune, 2A004 en Corse, 99134 pour un pays.",
            ),
            IdentityError::NoIns => (
                &mut self.ins,
                "Écrivez le matricule INS, ou répondez «\u{a0}Non\u{a0}» à la question sur le téléservice.",
            ),
            IdentityError::WrongKey => (&mut self.ins, "La clé ne correspond pas à ce matricule."),
            IdentityError::NoDocument => (
                &mut self.document,
                "Choisissez le document qui a été présenté.",
            ),
        };
        if field.is_empty() {
            fault.clone_into(field);
        }
    }
}

impl Typed {
    pub(super) fn of(fields: &Fields) -> Self {
        let word = |name: &str| fields.word(name).to_owned();
        // A place that was chosen from those proposed stands for the text that they were proposed for, and not for another one.
        let chosen = fields.word("lieu-choisi");
        let chosen = !chosen.is_empty() && fields.word("lieu") == fields.word("lieu-ecrit");
        Self {
            name: word("nom"),
            given: word("prenoms"),
            used_name: word("nomu"),
            used_given: word("prenomu"),
            born: word("naissance"),
            sex: word("sexe"),
            place: word(if chosen { "lieu-choisi" } else { "lieu" }),
            ins: word("ins"),
            key: word("cle"),
            document: word("piece"),
            retrieved: fields.word("tele") == "oui",
        }
    }

    /// Names and values, for the hidden fields of the next step.
    pub(super) fn hidden(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("nom", &self.name),
            ("prenoms", &self.given),
            ("nomu", &self.used_name),
            ("prenomu", &self.used_given),
            ("naissance", &self.born),
            ("sexe", &self.sex),
            ("lieu", &self.place),
            ("ins", &self.ins),
            ("cle", &self.key),
            ("piece", &self.document),
            ("tele", if self.retrieved { "oui" } else { "non" }),
        ]
    }

    /// The documents with their names, and whether each is chosen.
    pub(super) fn documents(&self) -> Vec<(&'static str, &'static str, bool)> {
        let all = DOCUMENTS.into_iter();
        all.map(|(code, name)| (code, name, self.document == code))
            .collect()
    }

    pub(super) fn is(&self, sex: &str) -> bool {
        self.sex == sex
    }

    /// The identity, as far as the form says one, and what is wrong.
    pub(super) fn read(&self) -> (PatientIdentity, Faults) {
        let mut faults = Faults::default();
        if self.name.is_empty() {
            faults.name = "Écrivez le nom de naissance.".to_owned();
        }
        let given: Vec<String> = self.given.split_whitespace().map(upper).collect();
        if given.is_empty() {
            faults.given = "Écrivez au moins le premier prénom.".to_owned();
        }
        let birth_date = match born(&self.born) {
            Ok(date) => Some(date),
            Err(fault) => {
                faults.born = fault;
                None
            }
        };
        let sex = match self.sex.as_str() {
            "f" => Sex::Female,
            "m" => Sex::Male,
            "i" => Sex::Unknown,
            _ => {
                "Choisissez le sexe inscrit sur la pièce d’identité.".clone_into(&mut faults.sex);
                Sex::Unknown
            }
        };
        let ins = match self.number() {
            Ok(ins) => ins,
            Err(fault) => {
                faults.ins = fault;
                None
            }
        };
        let place = match self.birth_place(ins.as_ref()) {
            Ok(place) => place,
            Err(fault) => {
                (faults.place, faults.places) = fault;
                String::new()
            }
        };
        let known = DOCUMENTS.iter().any(|(code, _)| *code == self.document);
        if !known && !self.document.is_empty() {
            "Choisissez un document de la liste.".clone_into(&mut faults.document);
        }
        let status = match (self.retrieved, known) {
            (true, true) => IdentityStatus::Qualified,
            (true, false) => IdentityStatus::Retrieved,
            (false, true) => IdentityStatus::Validated,
            (false, false) => IdentityStatus::Provisional,
        };
        let identity = PatientIdentity {
            birth_name: upper(&self.name),
            birth_given_names: given,
            used_name: upper(&self.used_name),
            used_given_name: upper(&self.used_given),
            birth_date,
            sex,
            birth_place: place,
            ins,
            status,
            validated_by: self.document.clone(),
            contacts: Vec::new(),
            identifiers: Vec::new(),
        };
        (identity, faults)
    }

    /// The place that was typed; where none was, what the number says of it (sixth to tenth character). Or what is wrong, and the places that it
    /// may be.
    fn birth_place(&self, ins: Option<&Ins>) -> Result<String, (String, Vec<String>)> {
        let of_number = ins.and_then(|ins| ins.number.get(5..10));
        let fault = match (self.place.as_str(), of_number) {
            ("", Some(code)) => return Ok(code.to_owned()),
            ("", None) => "Écrivez la commune ou le pays de naissance.",
            (typed, _) => match code_of(typed) {
                Ok(code) => return Ok(code),
                Err(NoPlace::Which(places)) => {
                    let fault = "Plusieurs lieux sont possibles\u{a0}: choisissez.";
                    let labels = places.iter().map(BirthPlace::label).collect();
                    return Err((fault.to_owned(), labels));
                }
                Err(NoPlace::Nowhere) => {
                    "Ce nom n’est dans aucune liste\u{a0}: vérifiez-le, ou écrivez le code INSEE à cinq caractères (du sixième au dixième du matricule INS)."
                }
            },
        };
        Err((fault.to_owned(), Vec::new()))
    }

    fn number(&self) -> Result<Option<Ins>, String> {
        let compact = |text: &str| {
            let signs = text.chars().filter(|sign| sign.is_ascii_alphanumeric());
            signs.collect::<String>().to_uppercase()
        };
        let (number, key) = (compact(&self.ins), compact(&self.key));
        let whole = format!("{number}{key}");
        if whole.is_empty() {
            return Ok(None);
        }
        if ins_key(&whole).is_none() || !matches!(whole.len(), 13 | 15) {
            return Err("Le matricule a 13 caractères, et sa clé deux chiffres.".to_owned());
        }
        if whole.len() == 13 {
            return Err("Il manque la clé\u{a0}: les deux derniers chiffres.".to_owned());
        }
        // Temporary numbers begin with 7 or 8.
        let waiting = whole.starts_with(['7', '8']);
        let ins = Ins::new(&whole, if waiting { InsKind::Nia } else { InsKind::Nir });
        if ins.key == InsKey::Wrong {
            return Err("La clé ne correspond pas à ce matricule. Un chiffre est faux ou inversé\u{a0}: comparez avec la carte Vitale.".to_owned());
        }
        Ok(Some(ins))
    }
}

/// Traits are kept in capitals, as the national service gives them.
fn upper(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_uppercase()
}

/// A birth date: jour/mois/année, with what is not known left out.
fn born(typed: &str) -> Result<PartialDate, String> {
    dates::read(
        typed,
        "Écrivez le jour, le mois et l’année\u{a0}: 14/08/1945. Si le jour est inconnu\u{a0}: 08/1945, ou 1945.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fernand() -> Typed {
        Typed {
            name: "Le Bréquet".to_owned(),
            given: " Fernand  Émile ".to_owned(),
            born: "11/11/1940".to_owned(),
            sex: "m".to_owned(),
            place: "76351".to_owned(),
            ..Typed::default()
        }
    }

    fn fault(change: impl FnOnce(&mut Typed)) -> Vec<(&'static str, String)> {
        let mut typed = fernand();
        change(&mut typed);
        let (_, faults) = typed.read();
        let all = faults.all().into_iter();
        all.map(|(field, _, said)| (field, said.to_owned()))
            .collect()
    }

    #[test]
    fn what_is_typed_well_is_an_identity_in_capitals() {
        let (identity, faults) = fernand().read();
        assert!(!faults.any());
        assert_eq!(identity.birth_name, "LE BRÉQUET");
        assert_eq!(identity.birth_given_names, ["FERNAND", "ÉMILE"]);
        assert_eq!(
            identity.birth_date.map(String::from).as_deref(),
            Some("1940-11-11")
        );
        assert_eq!(identity.status, IdentityStatus::Provisional);
    }

    #[test]
    fn every_field_that_is_missing_is_named() {
        let (_, faults) = Typed::default().read();
        let fields: Vec<_> = faults.all().into_iter().map(|(field, ..)| field).collect();
        assert_eq!(fields, ["nom", "prenoms", "naissance", "sexe-f", "lieu"]);
    }

    #[test]
    fn what_the_service_refuses_stands_beside_its_field_behind_what_the_form_has_found() {
        let mut typed = fernand();
        typed.place.clear();
        let (_, mut faults) = typed.read();
        faults.add(IdentityError::Name(PersonName::Given));
        faults.add(IdentityError::Name(PersonName::Used));
        faults.add(IdentityError::Place);
        let fields: Vec<_> = faults.all().into_iter().map(|(field, ..)| field).collect();
        assert_eq!(fields, ["prenoms", "lieu", "nomu"]);
        assert!(faults.place.contains("Écrivez"), "{}", faults.place);
    }

    #[test]
    fn a_number_needs_its_key_and_the_right_one() {
        let with = |ins: &str, key: &str| {
            fault(|typed| (typed.ins, typed.key) = (ins.to_owned(), key.to_owned()))
        };
        assert_eq!(with("2 79 03 51 215 189", "89"), []);
        assert_eq!(with("279035121518989", ""), []);
        for (ins, key) in [
            ("2790351215189", ""),
            ("2790351215189", "88"),
            ("27903512", "15"),
            ("x", ""),
        ] {
            let faults = with(ins, key);
            assert!(
                matches!(faults.as_slice(), [("ins", _)]),
                "{ins} {key}: {faults:?}"
            );
        }
    }

    #[test]
    fn a_place_that_was_not_typed_is_read_from_the_number() {
        let mut typed = fernand();
        typed.place.clear();
        (typed.ins, typed.key) = ("2790351215189".to_owned(), "89".to_owned());
        let (identity, faults) = typed.read();
        assert!(!faults.any());
        assert_eq!(identity.birth_place, "51215");
    }

    #[test]
    fn a_place_is_typed_as_people_say_it_and_chosen_where_several_are_called_so() {
        let place = |typed: &str| {
            let mut form = fernand();
            form.place = typed.to_owned();
            let (identity, faults) = form.read();
            (identity.birth_place, faults.places)
        };
        assert_eq!(place("quimper"), ("29232".to_owned(), vec![]));
        assert_eq!(place("Portugal"), ("99139".to_owned(), vec![]));
        assert_eq!(place("inconnu"), ("99999".to_owned(), vec![]));
        assert_eq!(place("Atlantide"), (String::new(), vec![]));
        let (code, places) = place("Saint-Denis");
        assert_eq!(code, "");
        assert!(places.len() > 2, "{places:?}");
        assert!(!place(&places[1]).0.is_empty());
    }

    #[test]
    fn the_status_rests_on_the_service_and_on_a_document() {
        let status = |retrieved, document: &str| {
            let mut typed = fernand();
            (typed.retrieved, typed.document) = (retrieved, document.to_owned());
            typed.read().0.status
        };
        assert_eq!(status(false, ""), IdentityStatus::Provisional);
        assert_eq!(status(false, "CN"), IdentityStatus::Validated);
        assert_eq!(status(true, ""), IdentityStatus::Retrieved);
        assert_eq!(status(true, "PA"), IdentityStatus::Qualified);
        assert_eq!(
            fault(|typed| typed.document = "ZZ".to_owned())[0].0,
            "piece"
        );
    }
}
