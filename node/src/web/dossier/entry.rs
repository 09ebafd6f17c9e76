//! What is written in a file, as pages show it: day by day, the newest first.

use std::collections::BTreeMap;

use maillon_protocol::{
    admin::{AlertView, RecordView, ThingView},
    content::{
        AlertStep, Code, Consent, ConsentDecision, ConsentKind, Content, LiaisonNote, NoteKind,
        PartialDate, Participation, Party, Professional,
    },
    ids::ThingId,
};

use super::{
    attached::{self, Joined},
    reach::{Reach, reach},
};
use crate::{
    care::FileView,
    clock::day_of,
    web::{
        alerts::{due, gravity, to},
        french::{self, Moment},
    },
};

/// A day and what happened on it.
pub(super) struct Day {
    pub(super) head: String,
    pub(super) entries: Vec<Entry>,
}

/// One thing.
pub(super) struct Entry {
    pub(super) icon: &'static str,
    pub(super) kind: &'static str,
    /// « Urgence », « Urgente »: how it stands out; empty where it does not.
    pub(super) flag: &'static str,
    pub(super) flag_class: &'static str,
    pub(super) by: String,
    pub(super) hour: String,
    pub(super) when: Moment,
    pub(super) lines: Vec<String>,
    /// Neutral labels: « retirée », « corrigée ».
    pub(super) tags: Vec<&'static str>,
    /// Whether the reader has not seen it before.
    pub(super) new: bool,
    /// Small print below.
    pub(super) remarks: Vec<String>,
    pub(super) withdrawn: bool,
    /// Whether what it says was taken back by who wrote it, and is shown to whoever asks.
    pub(super) folded: bool,
    /// Whom an alert asks, and until when; empty where somebody sees to it.
    pub(super) asks: String,
    /// What an alert has come to.
    pub(super) state: Option<Mark>,
    /// By what an alert that is not closed is answered.
    pub(super) alert: Option<String>,
    /// Whether nobody has taken charge of it, and this structure may.
    pub(super) waits: bool,
    /// Whether the reader has taken note of it already.
    pub(super) noted: bool,
    pub(super) reach: Option<Reach>,
    /// Files that it names.
    pub(super) files: Vec<Joined>,
    pub(super) replies: Vec<Reply>,
    /// By what a note is answered.
    pub(super) answer: Option<String>,
    /// By what its writer corrects it.
    pub(super) amend: Option<String>,
}

/// A state in words.
pub(in crate::web) struct Mark {
    pub(in crate::web) icon: &'static str,
    pub(in crate::web) class: &'static str,
    pub(in crate::web) words: String,
}

/// An answer to a note.
pub(super) struct Reply {
    pub(super) flag: &'static str,
    /// The reason why it was withdrawn; empty while it stands.
    pub(super) withdrawn: String,
    pub(super) corrected: bool,
    pub(super) new: bool,
    pub(super) files: Vec<Joined>,
    pub(super) by: String,
    pub(super) when: Moment,
    pub(super) lines: Vec<String>,
    pub(super) amend: Option<String>,
}

/// By what the reader corrects a note of their own.
fn amend(file: &FileView, record: &RecordView) -> Option<String> {
    let is_note = matches!(record.content, Content::LiaisonNote(_));
    let own = is_note && file.own.contains(&record.record);
    own.then(|| record.record.to_string())
}

/// The things of a page, day by day; `address` is that of the file.
pub(super) fn days(file: &FileView, address: &str, now_ms: u64) -> Vec<Day> {
    let view = &file.circle;
    let mut replies: BTreeMap<ThingId, Vec<Reply>> = BTreeMap::new();
    let by_id: BTreeMap<ThingId, &ThingView> =
        view.things.iter().map(|one| (one.thing, one)).collect();
    let (answers, mut things): (Vec<_>, Vec<_>) = view
        .things
        .iter()
        .partition(|thing| note_of(thing).is_some() && root_of(thing, &by_id).is_some());
    for answer in answers {
        if let (Some(root), Some((record, note))) = (root_of(answer, &by_id), note_of(answer)) {
            replies.entry(root).or_default().push(Reply {
                flag: if note.emergency && note.withdrawn.is_empty() {
                    "Urgence"
                } else {
                    ""
                },
                withdrawn: note.withdrawn.clone(),
                corrected: answer.superseded > 0 || answer.standing.len() > 1,
                new: file.new.contains(&record.record),
                files: attached::joined(file, address, record),
                by: by(&record.author),
                when: french::moment(record.occurred_ms, now_ms),
                lines: lines(&note.text),
                amend: amend(file, record),
            });
        }
    }
    // Newest first.
    things.reverse();
    let mut days: Vec<Day> = Vec::new();
    for thing in things {
        let Some((at_ms, mut entry)) = entry(thing, now_ms) else {
            continue;
        };
        if let Some(record) = thing.standing.first() {
            entry.files = attached::joined(file, address, record);
            entry.amend = amend(file, record);
            entry.new = file.new.contains(&record.record);
            entry.waits &= !file.asked_of_others.contains(&record.record);
            entry.noted = file.noted.contains(&record.record);
        }
        entry.replies = replies.remove(&thing.thing).unwrap_or_default();
        let head = french::heading(at_ms, now_ms);
        match days.last_mut() {
            Some(day) if day.head == head => day.entries.push(entry),
            _ => days.push(Day {
                head,
                entries: vec![entry],
            }),
        }
    }
    days
}

/// The note at the beginning of a talk, where it is shown; none for one that answers nothing here. A chain that leads back to itself has none.
fn root_of(thing: &ThingView, all: &BTreeMap<ThingId, &ThingView>) -> Option<ThingId> {
    let mut root = None;
    let mut at = thing.parent;
    for _ in 0..all.len() {
        let Some(one) = at.and_then(|id| all.get(&id)) else {
            return root;
        };
        root = Some(one.thing);
        at = one.parent;
    }
    None
}

fn note_of(thing: &ThingView) -> Option<(&RecordView, &LiaisonNote)> {
    let record = thing.standing.first()?;
    match &record.content {
        Content::LiaisonNote(note) => Some((record, note)),
        _ => None,
    }
}

/// A thing, and when it happened.
fn entry(thing: &ThingView, now_ms: u64) -> Option<(u64, Entry)> {
    let Some(record) = thing.standing.first() else {
        let erased = thing.erased.first()?;
        let mut entry = Entry::new("trash", "Effacé", erased.occurred_ms, now_ms);
        entry.by.clone_from(&erased.structure);
        entry.withdrawn = true;
        entry.lines = vec!["Ce texte a été effacé.".to_owned()];
        return Some((erased.occurred_ms, entry));
    };
    let mut entry = said(record, thing.alert.as_ref(), now_ms)?;
    // A term that has ended or was handed over is no correction.
    let is_term = matches!(record.content, Content::Participation(_));
    let gender = Gender::of(&record.content);
    if thing.superseded > 0 && !entry.withdrawn && !is_term {
        entry.tags.push(gender.of_two("corrigé", "corrigée"));
    }
    if thing.standing.len() > 1 {
        let corrected = gender.of_two("corrigé", "corrigée");
        entry.remarks.push(format!(
            "Plusieurs structures l’ont {corrected} en même temps\u{a0}: la version la plus récente est montrée."
        ));
    }
    if record.forked {
        let written = gender.of_two("Écrit", "Écrite");
        entry.remarks.push(format!(
            "{written} alors que le système de cette structure connaissait une anomalie\u{a0}: vérifiez ce contenu avec elle."
        ));
    }
    if thing.parent.is_some() && matches!(record.content, Content::LiaisonNote(_)) {
        entry.tags.push("réponse");
    }
    if matches!(record.content, Content::LiaisonNote(_) | Content::Alert(_)) && !entry.withdrawn {
        entry.answer = Some(thing.thing.to_string());
    }
    // Of an alert it is known when each structure received it first; of the rest, only that it has.
    let is_alert = matches!(record.content, Content::Alert(_));
    entry.reach = reach(&record.delivery, gender, is_alert, now_ms);
    if thing.after_removal {
        let (written, confirmed) = (
            gender.of_two("Écrit", "Écrite"),
            gender.of_two("confirmé", "confirmée"),
        );
        entry.remarks.push(format!(
            "{written} par une structure qui a été retirée du cercle, et pas encore {confirmed} par celle qui tient le cercle\u{a0}: à vérifier."
        ));
        (entry.answer, entry.alert, entry.reach) = (None, None, None);
    }
    Some((record.occurred_ms, entry))
}

impl Entry {
    /// Whether it is a note of an emergency that stands.
    pub(super) const fn is_urgent_note(&self) -> bool {
        self.answer.is_some() && self.state.is_none() && !self.flag.is_empty()
    }

    fn new(icon: &'static str, kind: &'static str, at_ms: u64, now_ms: u64) -> Self {
        Self {
            icon,
            kind,
            flag: "",
            flag_class: "",
            by: String::new(),
            hour: french::hour(at_ms),
            when: french::moment(at_ms, now_ms),
            lines: Vec::new(),
            tags: Vec::new(),
            new: false,
            remarks: Vec::new(),
            withdrawn: false,
            folded: false,
            asks: String::new(),
            state: None,
            alert: None,
            waits: false,
            noted: false,
            reach: None,
            files: Vec::new(),
            replies: Vec::new(),
            answer: None,
            amend: None,
        }
    }
}

fn said(record: &RecordView, alert: Option<&AlertView>, now_ms: u64) -> Option<Entry> {
    let at = record.occurred_ms;
    let mut entry = match &record.content {
        Content::LiaisonNote(note) => {
            let (icon, kind) = note_kind(note.note);
            let mut entry = Entry::new(icon, kind, at, now_ms);
            entry.lines = lines(&note.text);
            if note.emergency {
                (entry.flag, entry.flag_class) = ("Urgence", "m-flag--urgent");
            }
            if let Some(first) = note.written_by.first() {
                let import = format!("Reprise d’un autre logiciel, écrite par {}.", by(first));
                entry.remarks.push(import);
            }
            withdrawn(&mut entry, &note.withdrawn, Gender::Feminine);
            entry
        }
        Content::Alert(alert_said) => {
            let mut entry = Entry::new("alert", "Alerte", at, now_ms);
            (_, entry.flag, entry.flag_class) = gravity(alert_said.severity);
            entry.lines = lines(&alert_said.text);
            if let Some(alert) = alert {
                entry.state = Some(alert_state(alert, at, now_ms));
                let closed = alert.step == Some(AlertStep::Close);
                let to = if closed { String::new() } else { to(alert) };
                let asks = [to, due(alert, now_ms)].into_iter();
                let asks = asks.filter(|part| !part.is_empty()).collect::<Vec<_>>();
                entry.asks = french::capital(&asks.join(", "));
                entry.alert = (!closed).then(|| record.record.to_string());
                entry.waits = alert.step != Some(AlertStep::TakeCharge);
            }
            entry
        }
        Content::Document(document) => {
            let mut entry = Entry::new("document", "Document", at, now_ms);
            entry.lines = lines(&document.title);
            withdrawn(&mut entry, &document.withdrawn, Gender::Masculine);
            entry
        }
        Content::Consent(consent) => {
            let mut entry = Entry::new("shield", "Information de la personne", at, now_ms);
            entry.lines = vec![answered(consent)];
            entry
        }
        Content::Participation(term) => {
            let mut entry = Entry::new("people", "Équipe de prise en charge", at, now_ms);
            entry.lines = vec![term_said(term, &day_of(now_ms))];
            entry
        }
        // The team itself says nothing that its members do not, and the person's traits are above every page.
        Content::CareTeam(_) | Content::PatientIdentity(_) => return None,
        Content::MembershipRequest(_) | Content::RequestAnswer(_) => {
            let mut entry = Entry::new("circle", "Cercle de soins", at, now_ms);
            entry.lines = vec!["Demande de changement du cercle.".to_owned()];
            entry
        }
        Content::Unknown { .. } => {
            let mut entry = Entry::new("info", "Reçu, non affiché", at, now_ms);
            let newer = "Écrit avec une version plus récente de Maillon\u{a0}: demandez à l’administrateur une mise à jour.";
            entry.lines = vec![newer.to_owned()];
            entry
        }
        _ => return None,
    };
    entry.by = by(&record.author);
    if record.ahead.is_some() {
        let clock = "À l’envoi, l’horloge de la structure avançait\u{a0}: l’heure est incertaine.";
        entry.remarks.push(clock.to_owned());
    }
    Some(entry)
}

/// A term in words, as of a day: « Odile Quintric (aidant) : compte parmi les proches. »
fn term_said(term: &Participation, today: &str) -> String {
    let name = match &term.party {
        Party::Professional(one) => by(one),
        Party::Organisation(structure, _) => structure.name.clone(),
        Party::RelatedPerson { name, .. } => name.clone(),
    };
    let role = roles(&term.roles);
    let role = if role.is_empty() {
        role
    } else {
        format!(" ({role})")
    };
    let ended = |end: &PartialDate| today.get(..end.as_str().len()) >= Some(end.as_str());
    let so = match &term.party {
        _ if term.period.end.as_ref().is_some_and(ended) => "fin de la participation",
        Party::RelatedPerson { .. } => "compte parmi les proches",
        _ if term.referent => "devient référent du dossier",
        _ => "entre dans l’équipe",
    };
    format!("{name}{role}\u{a0}: {so}.")
}

fn withdrawn(entry: &mut Entry, reason: &str, gender: Gender) {
    if !reason.is_empty() {
        entry.withdrawn = true;
        entry.folded = true;
        // What is withdrawn presses nobody.
        (entry.flag, entry.flag_class) = ("", "");
        entry.tags.push(gender.of_two("retiré", "retirée"));
        let withdrawn = gender.of_two("Retiré", "Retirée");
        entry.remarks.push(format!(
            "{withdrawn}\u{a0}: «\u{a0}{reason}\u{a0}»{}",
            french::stop(reason)
        ));
    }
}

/// How adjectives agree with what is shown: « note corrigée », « document corrigé ».
#[derive(Clone, Copy)]
pub(super) enum Gender {
    Feminine,
    Masculine,
}

impl Gender {
    const fn of(content: &Content) -> Self {
        match content {
            Content::Document(_) | Content::MembershipRequest(_) | Content::Unknown { .. } => {
                Self::Masculine
            }
            _ => Self::Feminine,
        }
    }

    pub(super) const fn of_two(
        self,
        masculine: &'static str,
        feminine: &'static str,
    ) -> &'static str {
        match self {
            Self::Feminine => feminine,
            Self::Masculine => masculine,
        }
    }
}

pub(super) const fn note_kind(kind: NoteKind) -> (&'static str, &'static str) {
    match kind {
        NoteKind::General => ("notebook", "Note générale"),
        NoteKind::Observation => ("eye", "Observation"),
        NoteKind::Instruction => ("document", "Instruction"),
        NoteKind::Intervention => ("person", "Intervention"),
        NoteKind::AdviceRequest => ("reply", "Demande d’avis"),
    }
}

pub(super) fn answered(consent: &Consent) -> String {
    let said = match (consent.kind, consent.decision) {
        (ConsentKind::NonOpposition, ConsentDecision::Given) => {
            "La personne, informée, ne s’oppose pas au partage"
        }
        (ConsentKind::Consent, ConsentDecision::Given) => "La personne consent au partage",
        (_, ConsentDecision::Refused) => "La personne s’oppose au partage",
        (_, ConsentDecision::Withdrawn) => "La personne retire son accord au partage",
    };
    if consent.answered_by.is_empty() {
        return format!("{said}.");
    }
    format!("{said} (réponse {}).", french::of(&consent.answered_by))
}

/// « Maëlle Quesnel, infirmière, CPTS des Falaises ».
pub(in crate::web) fn by(professional: &Professional) -> String {
    let profession = professional.profession.as_ref();
    let profession = profession.map(|code| french::small(&code.label));
    let structure = Some(professional.structure.name.clone());
    let parts = [profession, structure].into_iter().flatten();
    let parts = parts.filter(|part| !part.trim().is_empty());
    std::iter::once(professional.name.clone())
        .chain(parts)
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn roles(roles: &[Code]) -> String {
    let labels: Vec<String> = roles
        .iter()
        .map(|role| french::small(&role.label).replace('\'', "’"))
        .collect();
    labels.join(", ")
}

/// What was written, line by line; empty lines part nothing that a page does not part.
pub(super) fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim_end);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What an alert has come to.
pub(in crate::web) fn alert_state(alert: &AlertView, sent_ms: u64, now_ms: u64) -> Mark {
    let first = |step: AlertStep| alert.answers.iter().find(|answer| answer.step == step);
    let who = |answer: &maillon_protocol::admin::AnswerView| {
        let name = if answer.by.is_empty() {
            &answer.structure
        } else {
            &answer.by
        };
        let at = french::moment(answer.at_ms, now_ms).said;
        (name.clone(), at)
    };
    let done = |icon, words| Mark {
        icon,
        class: "m-mark--done",
        words,
    };
    if let Some(answer) = first(AlertStep::Close) {
        let (name, at) = who(answer);
        let closed = match answer.comment.as_str() {
            "" => format!("Close par {name}, {at}"),
            said => format!("Close par {name}, {at}\u{a0}: {said}"),
        };
        return done("check-double", closed);
    }
    if let Some(answer) = first(AlertStep::TakeCharge) {
        let (name, at) = who(answer);
        return done("hand", format!("Prise en charge par {name}, {at}"));
    }
    if let Some(answer) = first(AlertStep::Acknowledge) {
        let (name, at) = who(answer);
        return done("check", format!("{name} en a pris connaissance, {at}"));
    }
    let since = french::lasting(now_ms.saturating_sub(sent_ms));
    Mark {
        icon: "hourglass",
        class: if alert.is_overdue(now_ms) {
            "m-mark--fault"
        } else {
            "m-mark--wait"
        },
        words: format!("Sans prise en charge depuis {since}"),
    }
}
