//! The care team (équipe de prise en charge): who follows a person, and so opens their file.
//!
//! A professional who signs in opens the files of those in whose team they are, for as long as their term lasts (code de la santé publique, L. 1110-4 and
//! L. 1110-12: information is shared within the care team). They are recognised by their national identifier or by the random id that this node gave them, whichever
//! structure wrote the term down, and never by their name.
//!
//! - `directory`: who is known by a name, to be added
//! - `terms`: a term with its role and period, its end, and who is the referent
//! - `relatives`: those who are close to the person
//! - `roles`, `phone`: national codes, and numbers as people type them

mod directory;
mod phone;
mod relatives;
mod roles;
mod terms;

pub(super) use directory::Colleague;
pub use directory::{Known, KnownBy, KnownFound, NameWanted, PEOPLE_IN_A_PAGE};
pub use phone::PhoneNumber;
pub use relatives::NewRelative;
pub use roles::{KIN, Kin, MemberRole, RelativeRole};
pub use terms::{NewTerm, TermEnd};

use maillon_protocol::{
    charter::Subject,
    content::{
        CareTeam, Consent, Content, Identifier, IdentifierSystem, Kind, LiaisonNote, NoteKind,
        PartialDate, Participation, Party, PatientIdentity, Period, Professional,
    },
    ids::{CircleId, RecordId, ThingId},
    replica::Draft,
};

use super::{
    Actor, Care, CareError, Category, Level, audit, fresh, identity, note, read, write_one,
};
use crate::{
    audit::About,
    clock::{now_ms, today},
    ledger::Shared,
};

/// By what somebody is recognised in a team.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Mark {
    /// An IDNPS: its first digit says the kind, 8 for an RPPS, 0 for an ADELI number (`ehealth.md`, section 2).
    National(Box<str>),
    /// What a structure gives its professionals: here the random id of each.
    Local(Box<str>),
}

impl Mark {
    /// The marks of somebody of this structure: national identifiers, and the one that this node gave them.
    pub(super) fn all_of(actor: &Actor) -> Vec<Self> {
        let mut all = Self::of(&actor.professional);
        all.push(Self::Local(actor.id.to_string().into()));
        all
    }

    pub(super) fn of(professional: &Professional) -> Vec<Self> {
        let identifiers = professional.identifiers.iter();
        identifiers
            .filter_map(|one| match one.system {
                IdentifierSystem::Rpps => Some(Self::National(format!("8{}", one.value).into())),
                IdentifierSystem::Adeli => Some(Self::National(format!("0{}", one.value).into())),
                IdentifierSystem::IdNatPs => Some(Self::National(one.value.clone().into())),
                IdentifierSystem::Local => Some(Self::Local(one.value.clone().into())),
                _ => None,
            })
            .collect()
    }
}

/// One term of a professional in a team.
#[derive(Debug, Clone)]
pub(super) struct Term {
    marks: Vec<Mark>,
    period: Period,
}

impl Term {
    /// What a participation says; none where it is no professional's, or where nothing but a name says whose: names are several people's.
    pub(super) fn of(participation: &Participation) -> Option<Self> {
        let Party::Professional(professional) = &participation.party else {
            return None;
        };
        let marks = Mark::of(professional);
        (!marks.is_empty()).then(|| Self {
            marks,
            period: participation.period.clone(),
        })
    }

    /// By what whoever it is of is recognised.
    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether it is the term of somebody with these marks, and lasts on that day.
    pub(super) fn is_of(&self, marks: &[Mark], day: &str) -> bool {
        // Most terms are of others: their days are not looked at.
        self.marks.iter().any(|mark| marks.contains(mark)) && lasts(&self.period, day)
    }
}

/// Somebody as a term names them: with the identifier that this node gave them, so that they are told apart from whoever has their name.
fn named(actor: &Actor) -> Party {
    let mut professional = actor.professional.clone();
    professional.identifiers.push(Identifier {
        system: IdentifierSystem::Local,
        value: actor.id.to_string(),
    });
    Party::Professional(professional)
}

/// Whether a period holds a day, `2026-11-27`; both ends are in it, and one that is known to the month holds the whole month.
pub(super) fn lasts(period: &Period, day: &str) -> bool {
    let as_far = |date: &PartialDate| day.get(..date.as_str().len()).unwrap_or(day);
    let begun = period.start.as_ref();
    let ended = period.end.as_ref();
    begun.is_none_or(|start| as_far(start) >= start.as_str())
        && ended.is_none_or(|end| as_far(end) <= end.as_str())
}

/// One term in a person's team, as a page shows it.
#[derive(Debug, Clone)]
pub struct TeamMember {
    /// The record that says so.
    pub record: RecordId,
    /// What was written.
    pub participation: Participation,
    /// Whether the term lasts today.
    pub lasts: bool,
    /// Whether it is over: one that does not last may begin later.
    pub is_over: bool,
}

/// From today on.
fn since_today() -> Period {
    Period {
        start: PartialDate::try_from(today()).ok(),
        end: None,
    }
}

/// A term that begins today.
fn from_today(party: Party, referent: bool) -> Content {
    Content::Participation(Participation {
        party,
        roles: Vec::new(),
        period: since_today(),
        referent,
    })
}

impl TeamMember {
    /// A term as of a day.
    fn on(day: &str, record: RecordId, participation: Participation) -> Self {
        Self {
            record,
            lasts: lasts(&participation.period, day),
            is_over: terms::is_over(&participation.period, day),
            participation,
        }
    }
}

/// With what a file is opened.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Who the person is.
    pub identity: PatientIdentity,
    /// What they were told, and that they do not object.
    pub consent: Consent,
    /// Why: the first note of the notebook.
    pub reason: String,
    /// The files of persons alike that were looked at before.
    pub seen: Vec<CircleId>,
}

/// What a team is called where nobody has named it.
const TEAM: &str = "Équipe de prise en charge";

/// What is written where `actor` adds somebody to a person's team, from today on.
pub(super) fn entry(
    shared: &Shared,
    circle: &CircleId,
    actor: &Actor,
    whom: &Actor,
) -> Result<Draft, CareError> {
    let term = from_today(named(whom), false);
    Ok(fresh(actor, term, team_thing(shared, circle)?))
}

/// The team of a circle, to which each term belongs; none where nobody has begun one.
fn team_thing(shared: &Shared, circle: &CircleId) -> Result<Option<ThingId>, CareError> {
    let things = read::things(shared, circle)?;
    let mut teams = things.iter();
    let team = teams.find(|(_, thing)| thing.kind() == Some(Kind::CareTeam as u64));
    Ok(team.map(|(id, _)| *id))
}

/// In which categories whoever opens a file writes.
pub(super) const OPENS: [Category; 3] = [
    Category::Administration,
    Category::Identity,
    Category::Messages,
];

impl Care {
    /// Whether somebody may open files.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn may_open_files(&self, actor: &Actor) -> Result<bool, CareError> {
        match self.may_write(actor, &OPENS) {
            Ok(()) => Ok(true),
            Err(CareError::NotAllowed(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Checks an identity that somebody typed, before anything is kept.
    ///
    /// # Errors
    /// [`CareError::NotAllowed`]; [`CareError::Identity`] where a trait cannot be right.
    pub fn check_identity(
        &self,
        actor: &Actor,
        identity: &PatientIdentity,
    ) -> Result<(), CareError> {
        self.may_write(actor, &OPENS)?;
        Ok(identity::check(identity, now_ms())?)
    }

    /// All that is wrong with an identity that somebody typed, before anything is kept.
    ///
    /// # Errors
    /// [`CareError::NotAllowed`].
    pub fn identity_faults(
        &self,
        actor: &Actor,
        identity: &PatientIdentity,
    ) -> Result<Vec<identity::IdentityError>, CareError> {
        self.may_write(actor, &OPENS)?;
        Ok(identity::faults(identity, now_ms()))
    }

    /// Opens a file for a person who was informed: the identity, their answer, the team with whoever opens as the referent, and the reason, all in one commit.
    ///
    /// # Errors
    /// [`CareError::Identity`] where a trait cannot be right, [`CareError::NoConsent`] where the person objects or was not informed, [`CareError::Text`] without a reason; [`CareError::Alike`] where a file of somebody alike is here that was not looked at: whoever came meanwhile, by a second click too.
    pub async fn open_file(&self, actor: &Actor, file: NewFile) -> Result<CircleId, CareError> {
        self.check_identity(actor, &file.identity)?;
        note::check_text(&file.reason)?;
        if !file.consent.allows_sharing() {
            return Err(CareError::NoConsent);
        }
        // Of several at once each sees those before it.
        let _one = self.once.lock().await;
        let alike = self.alike(&file.identity);
        if alike
            .iter()
            .any(|(one, _)| !file.seen.contains(&one.circle))
        {
            return Err(CareError::Alike);
        }
        let team = Content::CareTeam(CareTeam {
            name: TEAM.to_owned(),
            identifiers: Vec::new(),
            period: since_today(),
            managed_by: vec![self.structure.clone()],
        });
        let reason = Content::LiaisonNote(LiaisonNote {
            note: NoteKind::General,
            text: file.reason,
            emergency: false,
            written_by: Vec::new(),
            attachments: Vec::new(),
            withdrawn: String::new(),
        });
        let term = from_today(named(actor), true);
        let first = [
            Content::PatientIdentity(file.identity),
            Content::Consent(file.consent),
            team,
        ];
        let first: Vec<Draft> = first.map(|content| fresh(actor, content, None)).into();
        let (mut term, reason) = (fresh(actor, term, None), fresh(actor, reason, None));
        let actor = actor.clone();
        let circle = self
            .ledger
            .run(move |tx| {
                let now = tx.now_ms;
                let circle = tx.replica.found(Subject::Patient, now, tx.rng);
                let written = tx.replica.write(tx.rows, &circle, first, now, tx.rng)?;
                term.parent = written.last().map(|team| team.thing);
                let rest = vec![term, reason];
                tx.replica.write(tx.rows, &circle, rest, now, tx.rng)?;
                audit::note(tx, &actor, "circle.open", About::circle(circle))?;
                Ok::<_, CareError>(circle)
            })
            .await?;
        self.refresh_file(&circle)?;
        Ok(circle)
    }

    /// A person's team, for whoever may read it: the referent first, then professionals, then those who are close; terms that are over last.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`]; nobody is named to whom the habilitation does not show the team.
    pub fn team_of(&self, actor: &Actor, circle: &CircleId) -> Result<Vec<TeamMember>, CareError> {
        self.may_open(actor, circle)?;
        if self.level(actor, Category::Administration)? < Level::Read {
            return Ok(Vec::new());
        }
        let mut team = self.team_in(circle)?;
        if self.level(actor, Category::Social)? < Level::Read {
            // Who is close to the person is social.
            let is_close =
                |one: &TeamMember| matches!(one.participation.party, Party::RelatedPerson { .. });
            team.retain(|one| !is_close(one));
        }
        Ok(team)
    }

    fn team_in(&self, circle: &CircleId) -> Result<Vec<TeamMember>, CareError> {
        let (shared, today) = (self.shared(), today());
        let mut all = Vec::new();
        for thing in read::things(shared, circle)?.values() {
            if thing.kind() != Some(Kind::Participation as u64) {
                continue;
            }
            for version in read::standing(thing) {
                if let Some((_, opened)) = read::opened(shared, &version.record)?
                    && let Content::Participation(participation) = opened.content
                {
                    let member = TeamMember::on(&today, version.record, participation);
                    all.push((version.time, member));
                }
            }
        }
        all.sort_by_key(|(time, one)| {
            let close = !matches!(one.participation.party, Party::Professional(_));
            (!one.lasts, !one.participation.referent, close, *time)
        });
        Ok(all.into_iter().map(|(_, one)| one).collect())
    }

    /// Adds a professional of this structure to a person's team, from today on. Nothing is written where they are in it.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn add_to_team(
        &self,
        actor: &Actor,
        circle: CircleId,
        whom: &Actor,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        if self.follows(whom, &circle)? {
            return Ok(());
        }
        let draft = entry(self.shared(), &circle, actor, whom)?;
        let actor = actor.clone();
        self.ledger
            .run(move |tx| write_one(tx, &actor, circle, draft, "team.add"))
            .await?;
        self.refresh_file(&circle)?;
        Ok(())
    }
}
