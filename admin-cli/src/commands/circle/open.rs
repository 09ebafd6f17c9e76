//! `circle open`: a circle for a patient.

use clap::Args;
use maillon_protocol::{
    admin::Call,
    content::{IdentityStatus, Ins, InsKey, InsKind, PartialDate, PatientIdentity, Sex},
};

use super::show::show;
use crate::{
    arguments::word,
    failure::Failure,
    session::{Session, answer},
};

/// Open a circle for a patient
///
/// The number of the INS is checked by its key: a number with a wrong key that somebody types is refused.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle open --birth-name MARTIN --given-name Jeanne --given-name Marie --birth-date 1938-05-12 --sex female --birth-place 35238 --as 7b21\n  maillonctl circle open --birth-name TESTEUR --given-name Louise --birth-date 1979 --sex female --ins '2 79 03 51 215 189 89' --ins-kind test-nir --as 7b21"
)]
pub(crate) struct Open {
    /// Birth name (nom de naissance)
    #[arg(long, value_name = "NAME")]
    birth_name: String,
    /// Given name at birth (prénom); several, in their order
    #[arg(long = "given-name", value_name = "NAME", required = true)]
    given_names: Vec<String>,
    /// Name in use, where it is not the birth name
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    used_name: String,
    /// Given name in use, where it is not the first one
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    used_given_name: String,
    /// Birth date, as far as it is known: 1938, 1938-05 or 1938-05-12
    #[arg(long, value_name = "DATE", value_parser = date)]
    birth_date: Option<PartialDate>,
    /// Sex as civil status has it
    #[arg(long, default_value = "unknown", value_parser = word::<Sex>(&["male", "female", "unknown"]))]
    sex: Sex,
    /// Birth place: INSEE code of the commune or country
    #[arg(
        long,
        value_name = "CODE",
        default_value = "",
        hide_default_value = true
    )]
    birth_place: String,
    /// The INS: thirteen characters and two digits of key; spaces do not matter
    #[arg(long, value_name = "NUMBER")]
    ins: Option<String>,
    /// Which register the INS comes from
    #[arg(long, requires = "ins", default_value = "nir", value_parser = word::<InsKind>(&["nir", "nia", "test-nir", "demo-nir"]))]
    ins_kind: InsKind,
    /// How far the identity is trusted
    #[arg(long, default_value = "provisional", value_parser = word::<IdentityStatus>(&["provisional", "retrieved", "validated", "qualified"]))]
    status: IdentityStatus,
    /// The document or means that the status rests on (a code of fr-core-cs-mode-validation-identity)
    #[arg(
        long,
        value_name = "CODE",
        default_value = "",
        hide_default_value = true
    )]
    validated_by: String,
}

fn date(text: &str) -> Result<PartialDate, String> {
    PartialDate::try_from(text.to_owned()).map_err(|error| error.to_string())
}

impl Open {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let identity = self.identity()?;
        let circle = answer!(session, Call::CircleOpen { identity }, Circle);
        session.print(&circle, |view| show(view, &circle))
    }

    fn identity(&self) -> Result<PatientIdentity, Failure> {
        let ins = self
            .ins
            .as_deref()
            .map(|typed| ins(typed, self.ins_kind))
            .transpose()?;
        Ok(PatientIdentity {
            birth_name: self.birth_name.clone(),
            birth_given_names: self.given_names.clone(),
            used_name: self.used_name.clone(),
            used_given_name: self.used_given_name.clone(),
            birth_date: self.birth_date.clone(),
            sex: self.sex,
            birth_place: self.birth_place.clone(),
            ins,
            status: self.status,
            validated_by: self.validated_by.clone(),
            contacts: Vec::new(),
            identifiers: Vec::new(),
        })
    }
}

/// The INS that somebody typed. A wrong key is refused here: who types can look again. The number is not repeated in the error.
fn ins(typed: &str, kind: InsKind) -> Result<Ins, Failure> {
    let number: String = typed
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| character.to_ascii_uppercase())
        .collect();
    let ins = Ins::new(&number, kind);
    if ins.key == InsKey::Wrong {
        return Err(Failure::Value {
            cause: if number.len() == 15 {
                "the key of this INS is wrong: its last two digits do not go with its first thirteen characters".to_owned()
            } else {
                "an INS has thirteen characters and two digits of key, fifteen in all".to_owned()
            },
            action: "Compare the number with the person's document and type it again; without it, leave --ins out.",
        });
    }
    Ok(ins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_ins_with_a_wrong_key_is_refused_without_repeating_it() {
        let right = ins("2 79 03 51 215 189 89", InsKind::TestNir).expect("a right key");
        assert_eq!(right.number, "279035121518989");
        for wrong in ["279035121518988", "27903512151898", "", "é79035121518989"] {
            let failure = ins(wrong, InsKind::TestNir).expect_err("a wrong key");
            assert_eq!(failure.exit_code(), 64);
            assert!(wrong.is_empty() || !failure.to_string().contains(wrong));
        }
    }
}
