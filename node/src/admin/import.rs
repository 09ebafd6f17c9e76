//! A FHIR file: read, reported path by path, and handed to the service that takes it over.

use maillon_protocol::admin::{Answer, Call, ErrorCode, Imported, ImportedCircle};
use zeroize::Zeroizing;

use super::{base64_text::decode, calls::misrouted, errors::Refusal};
use crate::{
    care::{Actor, ImportItem, Person},
    daemon::Node,
    fhir,
};

/// About how many bytes of paths and warnings an answer carries: the rest of a frame is for circles and records.
const REPORT: usize = 600 << 10;

/// The file's bytes, or a part of them.
fn decoded(content: &str) -> Result<Vec<u8>, Refusal> {
    decode(content).ok_or_else(|| {
        Refusal::new(
            ErrorCode::BadRequest,
            "the file's bytes are not base64",
            "use maillonctl import",
        )
    })
}

/// Leaves out what does not fit into an answer, mapped paths first; says how much that is.
fn fit(answer: &mut Imported) {
    let mut room = REPORT;
    let mut fits = |bytes: usize| {
        room = room.saturating_sub(bytes + 8);
        room > 0
    };
    let all = |answer: &Imported| {
        answer.mapped.len() + answer.kept.len() + answer.refused.len() + answer.warnings.len()
    };
    let before = all(answer);
    answer
        .refused
        .retain(|(path, why)| fits(path.len() + why.len()));
    answer.warnings.retain(|warning| fits(warning.len()));
    answer
        .kept
        .retain(|(path, why)| fits(path.len() + why.len()));
    answer.mapped.retain(|path| fits(path.len()));
    answer.left_out = (before - all(answer)) as u64;
}

impl Node {
    /// Answers the calls about imports.
    pub(super) async fn import_call(&self, actor: &Actor, call: Call) -> Result<Answer, Refusal> {
        let care = &self.care;
        Ok(match call {
            Call::Import { content, dry_run } => {
                let file = Zeroizing::new(decoded(&content)?);
                Answer::Imported(self.import(actor, file, dry_run).await?)
            }
            Call::ImportBegin { length } => Answer::Upload(care.begin_import(actor, length)?),
            Call::ImportPart {
                upload,
                offset,
                bytes,
            } => {
                let bytes = Zeroizing::new(decoded(&bytes)?);
                Answer::Upload(care.import_part(actor, upload, offset, &bytes)?)
            }
            Call::ImportEnd { upload, dry_run } => {
                let file = care.end_import(actor, upload)?;
                Answer::Imported(self.import(actor, file, dry_run).await?)
            }
            _ => return Err(misrouted()),
        })
    }

    async fn import(
        &self,
        actor: &Actor,
        file: Zeroizing<Vec<u8>>,
        dry_run: bool,
    ) -> Result<Imported, Refusal> {
        // Reading megabytes would keep other calls waiting.
        let read = tokio::task::spawn_blocking(move || {
            let import = fhir::read(&file, &fhir::ImportLimits::default());
            (file, import)
        });
        let (file, import) = read.await.map_err(|_| {
            Refusal::new(
                ErrorCode::Internal,
                "reading the file broke off",
                "report this with the request's id",
            )
        })?;
        let import = import?;
        let report = &import.report;
        let mut answer = Imported {
            circles: Vec::new(),
            mapped: Vec::new(),
            kept: Vec::new(),
            refused: Vec::new(),
            left_out: 0,
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
        fit(&mut answer);
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
        let (taken, unchanged) = self.care.import(actor, file, people, dry_run).await?;
        answer.unchanged = unchanged;
        answer.circles = taken
            .into_iter()
            .map(|one| ImportedCircle {
                circle: one.circle,
                opened: one.opened,
                records: one.records,
                replaced: one.replaced,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_is_too_long_loses_mapped_paths_first_and_says_how_many() {
        let path = "Bundle.entry[2].resource.subject";
        let mut answer = Imported {
            circles: Vec::new(),
            mapped: vec![path.to_owned(); 50_000],
            kept: vec![(path.to_owned(), "no-place".to_owned()); 10],
            refused: vec![(path.to_owned(), "unknown-code".to_owned()); 10],
            warnings: vec![path.to_owned(); 10],
            left_out: 0,
            unchanged: false,
        };
        fit(&mut answer);
        let whole = (
            answer.kept.len(),
            answer.refused.len(),
            answer.warnings.len(),
        );
        assert_eq!(whole, (10, 10, 10));
        assert_eq!(answer.mapped.len() as u64 + answer.left_out, 50_000);
        let bytes = serde_json::to_string(&answer).expect("JSON").len();
        assert!((500 << 10..700 << 10).contains(&bytes), "{bytes}");
    }
}
