//! Plausible people for tests: nobody real, test identity numbers only.

use maillon_protocol::content::{
    Content, IdentityStatus, Ins, InsKind, LiaisonNote, NoteKind, PartialDate, PatientIdentity,
    Professional, Sex, Structure,
};

/// A coordinator of a structure.
pub fn professional(structure: &str) -> Professional {
    Professional {
        name: "Nadège Kerbrat".to_owned(),
        identifiers: Vec::new(),
        profession: None,
        structure: Structure {
            name: structure.to_owned(),
            identifiers: Vec::new(),
        },
    }
}

/// An old lady with a test number.
pub fn identity() -> PatientIdentity {
    PatientIdentity {
        birth_name: "BELLANGER".to_owned(),
        birth_given_names: vec!["YVONNE".to_owned(), "MARTHE".to_owned()],
        used_name: "MOREAU".to_owned(),
        used_given_name: String::new(),
        birth_date: PartialDate::try_from("1942-03-17".to_owned()).ok(),
        sex: Sex::Female,
        birth_place: "35238".to_owned(),
        ins: Some(Ins::new("242033523812326", InsKind::TestNir)),
        status: IdentityStatus::Qualified,
        validated_by: "CN".to_owned(),
        contacts: Vec::new(),
        identifiers: Vec::new(),
    }
}

/// A note.
pub fn note(text: &str) -> Content {
    Content::LiaisonNote(LiaisonNote {
        note: NoteKind::Observation,
        text: text.to_owned(),
        emergency: false,
        written_by: Vec::new(),
        attachments: Vec::new(),
        withdrawn: String::new(),
    })
}
