//! What records say, in words for a terminal.

use maillon_protocol::{
    admin::RecordView,
    content::{
        Code, Content, Document, InsKey, LiaisonNote, Participation, Party, PatientIdentity,
    },
};

use crate::terminal::{View, text, words};

/// One person on one line: names as civil status has them, birth, number, trust.
pub(super) fn identity(identity: &PatientIdentity) -> String {
    let mut parts = vec![format!(
        "{} {}",
        text::line(&identity.birth_name),
        text::line(&identity.birth_given_names.join(" "))
    )];
    let used: Vec<_> = [&identity.used_name, &identity.used_given_name]
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| text::line(name))
        .collect();
    if !used.is_empty() {
        parts.push(format!("called {}", used.join(" ")));
    }
    if let Some(date) = &identity.birth_date {
        parts.push(format!("born {}", text::line(date.as_str())));
    }
    if !identity.birth_place.is_empty() {
        parts.push(format!("in {}", text::line(&identity.birth_place)));
    }
    parts.push(words::sex(identity.sex).to_owned());
    if let Some(ins) = &identity.ins {
        let unverified = match ins.key {
            InsKey::Right => "",
            InsKey::Wrong => " (wrong key, unverified)",
        };
        parts.push(format!("INS {}{unverified}", text::line(&ins.number)));
    }
    parts.push(format!("identity {}", words::status(identity.status)));
    parts.join(", ")
}

/// One record with its author and its content.
pub(super) fn record(view: &View, record: &RecordView) -> String {
    let (title, body) = content(record);
    let author = text::line(&record.author.name);
    let mut shown = format!(
        "{} {title}, {author} of {}, {}\n",
        words::short(&record.record),
        text::line(&record.structure),
        view.clock.when(record.occurred_ms)
    );
    if let Some(arrived) = record.ahead {
        shown += &format!(
            "  The writer's clock was ahead: this arrived {}.\n",
            view.clock.when(arrived)
        );
    }
    if record.forked {
        shown += "  The writer's log has forked here: its machine ran on an old copy of its disk, or twice.\n";
    }
    if !body.is_empty() {
        shown += &format!("{}\n", text::paragraph(&body, "  │ "));
    }
    shown
}

/// A title, cleaned, and a body that the caller still has to clean.
pub(in crate::commands) fn content(record: &RecordView) -> (String, String) {
    let (title, body) = said(&record.content);
    let reason = match &record.content {
        Content::LiaisonNote(note) => note.withdrawn.as_str(),
        Content::Document(document) => document.withdrawn.as_str(),
        _ => "",
    };
    if reason.is_empty() {
        return (title, body);
    }
    // Whoever wrote this version withdrew it; who wrote the thing first may be somebody else.
    let by = format!("{} of {}", record.author.name, record.structure);
    (title, format!("{body}\nWithdrawn by {by}: {reason}"))
}

fn said(content: &Content) -> (String, String) {
    match content {
        Content::LogOpened => ("log opened".to_owned(), String::new()),
        Content::PatientIdentity(person) => ("identity".to_owned(), identity(person)),
        Content::Consent(consent) => {
            let by = if consent.answered_by.is_empty() {
                String::new()
            } else {
                format!("Answered by {}\n", consent.answered_by)
            };
            let title = format!(
                "{}: {}",
                words::plain(&consent.kind),
                words::plain(&consent.decision)
            );
            (title, by + &consent.how)
        }
        Content::CareTeam(team) => ("care team".to_owned(), team.name.clone()),
        Content::Participation(term) => ("in the care team".to_owned(), participation(term)),
        Content::LiaisonNote(note) => (note_title(note), note_body(note)),
        Content::Alert(alert) => (
            format!("alert ({})", words::plain(&alert.severity)),
            alert.text.clone(),
        ),
        Content::AlertAnswer(answer) => (
            format!("alert {}", words::step(answer.step)),
            answer.comment.clone(),
        ),
        Content::Document(document) => {
            let withdrawn = if document.withdrawn.is_empty() {
                ""
            } else {
                " (withdrawn)"
            };
            (format!("document{withdrawn}"), document_body(document))
        }
        Content::ReadMark(_) => ("read".to_owned(), String::new()),
        Content::MembershipRequest(request) => {
            let withdrawn = if request.withdrawn {
                " (withdrawn)"
            } else {
                ""
            };
            let asked = super::request::change(&request.asked, "a structure");
            (
                format!("request to {asked}{withdrawn}"),
                request.why.clone(),
            )
        }
        Content::RequestAnswer(answer) => (
            format!("request {}", words::plain(&answer.answer)),
            answer.comment.clone(),
        ),
        Content::Erasure(erasure) => (
            format!("erasure of {}", words::short(&erasure.record)),
            format!("Because: {}", words::plain(&erasure.reason)),
        ),
        Content::ErasureAnswer(answer) => (
            format!("erasure of {}", words::short(&answer.record)),
            words::erased(answer.answer).to_owned(),
        ),
        Content::Unknown { number, version } => (
            format!("kind {number}, version {version}: received, not displayed"),
            "This node does not know this kind of record yet: update it to see what it says."
                .to_owned(),
        ),
    }
}

fn note_title(note: &LiaisonNote) -> String {
    let emergency = if note.emergency { ", EMERGENCY" } else { "" };
    let withdrawn = if note.withdrawn.is_empty() {
        ""
    } else {
        ", withdrawn"
    };
    format!("note ({}{emergency}{withdrawn})", words::plain(&note.note))
}

fn note_body(note: &LiaisonNote) -> String {
    let mut body = note.text.clone();
    for writer in &note.written_by {
        body += &format!("\nWritten by {}", writer.name);
    }
    for attachment in &note.attachments {
        body += &format!(
            "\nWith {} ({})",
            attachment.name,
            words::bytes(attachment.length)
        );
    }
    body
}

fn document_body(document: &Document) -> String {
    let mut body = document.title.clone();
    for attachment in &document.attachments {
        body += &format!(
            "\n{} ({}, {})",
            attachment.name,
            attachment.media_type,
            words::bytes(attachment.length)
        );
    }
    body
}

fn participation(term: &Participation) -> String {
    let who = match &term.party {
        Party::Professional(professional) => {
            format!("{} ({})", professional.name, professional.structure.name)
        }
        Party::Organisation(structure, _) => structure.name.clone(),
        Party::RelatedPerson {
            name, relationship, ..
        } => format!("{name}{}", labels(relationship)),
    };
    let referent = if term.referent { ", referent" } else { "" };
    format!("{who}{}{referent}", labels(&term.roles))
}

fn labels(codes: &[Code]) -> String {
    codes
        .iter()
        .map(|code| {
            let label = if code.label.is_empty() {
                &code.code
            } else {
                &code.label
            };
            format!(", {label}")
        })
        .collect()
}
