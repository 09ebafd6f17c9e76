//! A FHIR file: read, reported path by path, and handed to the service that takes it over.

use maillon_protocol::admin::{ErrorCode, Imported, ImportedCircle};

use super::{base64_text::decode, errors::Refusal};
use crate::{
    care::{Actor, ImportItem, Person},
    daemon::Node,
    fhir,
};

impl Node {
    pub(super) async fn import(
        &self,
        actor: &Actor,
        content: &str,
        dry_run: bool,
    ) -> Result<Imported, Refusal> {
        let bytes = decode(content).ok_or_else(|| {
            Refusal::new(
                ErrorCode::BadRequest,
                "the file's bytes are not base64",
                "use maillonctl import",
            )
        })?;
        let import = fhir::read(&bytes, &fhir::ImportLimits::default())?;
        let report = &import.report;
        let mut answer = Imported {
            circles: Vec::new(),
            mapped: Vec::new(),
            kept: Vec::new(),
            refused: Vec::new(),
            warnings: report
                .warnings
                .iter()
                .map(|warning| {
                    let kind = serde_json::to_value(warning.kind)
                        .map(word)
                        .unwrap_or_default();
                    format!("{}: {kind}", warning.path)
                })
                .collect(),
            unchanged: false,
        };
        for line in &report.lines {
            match line.fate {
                fhir::Fate::Mapped => answer.mapped.push(line.path.clone()),
                fhir::Fate::Kept(reason) => {
                    let reason = serde_json::to_value(reason).map(word).unwrap_or_default();
                    answer.kept.push((line.path.clone(), reason));
                }
                fhir::Fate::Refused(reason) => {
                    let reason = serde_json::to_value(reason).map(word).unwrap_or_default();
                    answer.refused.push((line.path.clone(), reason));
                }
            }
        }
        let mut people = Vec::with_capacity(import.subjects.len());
        for subject in import.subjects {
            let mut items = Vec::with_capacity(subject.items.len());
            for item in subject.items {
                items.push(ImportItem {
                    key: item.source_key,
                    parent: item.parent,
                    occurred_ms: item.occurred_ms,
                    content: item.content,
                    attachments: item.attachments,
                });
            }
            people.push(Person {
                aliases: subject.aliases,
                identity: match subject.identity {
                    fhir::SubjectIdentity::Inline(identity) => Some(*identity),
                    fhir::SubjectIdentity::Reference(_) => None,
                },
                doubts: subject.doubts.iter().map(doubt_words).collect(),
                items,
            });
        }
        let (taken, unchanged) = self.care.import(actor, bytes, people, dry_run).await?;
        answer.unchanged = unchanged;
        answer.circles = taken
            .into_iter()
            .map(|one| ImportedCircle {
                circle: one.circle,
                opened: one.opened,
                records: one.records,
                status: one.status,
                doubts: one.doubts,
            })
            .collect();
        Ok(answer)
    }
}

/// A fixed word of the reader's, as its report has it.
fn word(value: serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A doubt in a sentence that names nobody.
fn doubt_words(doubt: &fhir::Doubt) -> String {
    match doubt {
        fhir::Doubt::WrongKey { .. } => {
            "the control key of the INS is wrong: the number is kept as unverified and matches nobody".to_owned()
        }
        fhir::Doubt::SeveralNumbers => "the file gives several current INS numbers".to_owned(),
        fhir::Doubt::MissingTrait { which } => format!(
            "the source calls the identity trusted, and one of its traits is missing: {}",
            serde_json::to_value(which).map(word).unwrap_or_default()
        ),
        fhir::Doubt::SourceSays { code } => {
            format!("the source itself doubts the identity ({code})")
        }
    }
}
