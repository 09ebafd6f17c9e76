//! The FHIR bundles that stories import, and what they say, read from their JSON without our own mapping.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use maillon_protocol::content::NoteKind;
use serde_json::Value;

use crate::daemon::Trouble;

/// Where the published examples are, beside a checkout.
const BESIDE: &str = "../../shared/examples";
/// The published bundles: care circle (CDS) and liaison notebook (CDL).
const PUBLISHED: [&str; 2] = [
    "fhir/cds/Bundle-cds-bundle-transaction-creation-example.json",
    "fhir/cdl/Bundle-cdl-bundle-creation-note.json",
];
/// Our own.
const OWN: [&str; 2] = [
    "data/fhir/cercle-de-soins.json",
    "data/fhir/cahier-de-liaison.json",
];

/// A care circle and a liaison note, as files.
#[derive(Clone, Debug)]
pub struct Examples {
    /// The bundle of a care circle.
    pub circle: Vec<u8>,
    /// The bundle of a liaison note.
    pub note: Vec<u8>,
    /// Whether they are the national ones.
    pub published: bool,
    /// What the note says.
    pub text: String,
    /// Its kind.
    pub kind: NoteKind,
    /// The family name of who wrote it.
    pub author: String,
    /// Names, numbers and texts that must never be readable outside.
    pub secrets: Vec<String>,
}

impl Examples {
    /// The published bundles in `MAILLON_EXAMPLES` (or beside the checkout), else our own.
    ///
    /// # Errors
    /// Where a file cannot be read, or does not hold a note.
    pub fn load() -> Result<Self, Trouble> {
        let published = env::var_os("MAILLON_EXAMPLES")
            .filter(|folder| !folder.is_empty())
            .map_or_else(|| here().join(BESIDE), PathBuf::from);
        if PUBLISHED.iter().all(|file| published.join(file).is_file()) {
            Self::read(&published, PUBLISHED, true)
        } else {
            Self::of_two_people()
        }
    }

    /// Our own bundles, whose note is about somebody else than the circle, as it is in the published ones.
    fn of_two_people() -> Result<Self, Trouble> {
        let mut own = Self::own()?;
        own.note = of_somebody_else(&own.note)?;
        let bundle = json(&own.note)?;
        resources(&bundle)
            .filter(|resource| resource["resourceType"] == "Patient")
            .for_each(|patient| identifying(patient, &mut own.secrets));
        Ok(own)
    }

    /// Our own bundles.
    ///
    /// # Errors
    /// As [`Examples::load`].
    pub fn own() -> Result<Self, Trouble> {
        Self::read(&here(), OWN, false)
    }

    fn read(folder: &Path, files: [&str; 2], published: bool) -> Result<Self, Trouble> {
        let [circle, note] = files.map(|file| {
            let path = folder.join(file);
            fs::read(&path).map_err(Trouble::io(path.display().to_string()))
        });
        let (circle, note) = (circle?, note?);
        let bundles = [json(&circle)?, json(&note)?];
        let of = |kind: &str| {
            let mut found = resources(&bundles[1]).filter(|one| one["resourceType"] == kind);
            found
                .next()
                .ok_or_else(|| Trouble::wrong(format!("no {kind} in the example note")))
        };
        let document = of("DocumentReference")?;
        let text = document["content"][0]["attachment"]["data"]
            .as_str()
            .and_then(|data| data_encoding::BASE64.decode(data.as_bytes()).ok())
            .map(|bytes| text_of(&bytes))
            .ok_or_else(|| Trouble::wrong("the example note has no text"))?;
        let kind = document["type"]["coding"][0]["code"]
            .as_str()
            .and_then(NoteKind::from_code)
            .ok_or_else(|| Trouble::wrong("the example note has no kind"))?;
        let author = of("Practitioner")?["name"][0]["family"]
            .as_str()
            .ok_or_else(|| Trouble::wrong("the example note has no author"))?
            .to_owned();
        let mut secrets = vec![text.clone()];
        let people = bundles.iter().flat_map(resources);
        people
            .filter(|resource| resource["resourceType"] == "Patient")
            .for_each(|patient| identifying(patient, &mut secrets));
        Ok(Self {
            circle,
            note,
            published,
            text,
            kind,
            author,
            secrets,
        })
    }
}

/// UTF-8, or else ISO 8859-1, of which the published note is made.
fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn resources(bundle: &Value) -> impl Iterator<Item = &Value> {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    entries.map(|entry| &entry["resource"])
}

/// A bundle about a neighbour of its patient: another name and date of birth, and no number.
fn of_somebody_else(bundle: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut bundle = json(bundle)?;
    let entries = bundle["entry"].as_array_mut().into_iter().flatten();
    let patients = entries
        .map(|entry| &mut entry["resource"])
        .filter(|resource| resource["resourceType"] == "Patient");
    for patient in patients {
        patient["identifier"] = Value::Array(Vec::new());
        patient["birthDate"] = "1946-08-30".into();
        for name in patient["name"].as_array_mut().into_iter().flatten() {
            name["family"] = "DUBOCAGE".into();
        }
    }
    Ok(bundle.to_string().into_bytes())
}

/// Family names, given names and national numbers of a patient; short ones would be found by chance and are left out.
fn identifying(patient: &Value, secrets: &mut Vec<String>) {
    let texts = |value: &Value| -> Vec<String> {
        match value {
            Value::String(text) => vec![text.clone()],
            Value::Array(list) => list
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    };
    let names = patient["name"].as_array().into_iter().flatten();
    let mut found: Vec<String> = names
        .flat_map(|name| [texts(&name["family"]), texts(&name["given"])].concat())
        .collect();
    let numbers = patient["identifier"].as_array().into_iter().flatten();
    found.extend(
        numbers
            .flat_map(|number| texts(&number["value"]))
            .filter(|number| number.len() >= 13),
    );
    secrets.extend(found.into_iter().filter(|text| text.len() >= 6));
    secrets.sort();
    secrets.dedup();
}

fn json(bytes: &[u8]) -> Result<Value, Trouble> {
    serde_json::from_slice(bytes).map_err(|error| Trouble::wrong(format!("an example: {error}")))
}

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_bundles_say_what_the_stories_look_for() -> Result<(), Trouble> {
        let examples = Examples::own()?;
        assert_eq!(examples.kind, NoteKind::Observation);
        assert_eq!(examples.author, "Benali");
        assert!(examples.text.contains("talon droit"));
        for secret in ["MARCHAND", "Odette", "238057654012316"] {
            assert!(
                examples.secrets.iter().any(|found| found == secret),
                "{secret}"
            );
        }
        Ok(())
    }
}
