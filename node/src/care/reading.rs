//! A professional reads a file: who is in the team, what their habilitation lets them read, with a line in the trail before anything is shown.

use std::collections::{BTreeMap, BTreeSet};

use maillon_protocol::{
    admin::{AlertLine, CircleView, FileState, ThingView},
    content::{Content, Kind, Party},
    ids::{CircleId, NodeId, RecordId},
};

use super::{Actor, Care, CareError, Category, ThingMark, audit, read::ThingsWanted};
use crate::{
    audit::{About, Object},
    care::{Level, looks::BY_GLASS},
    clock::now_ms,
    store::Table,
};

/// Things in one page of a file.
const THINGS_IN_A_PAGE: usize = 40;

/// What notes answer: notes, and alerts by the files beside them.
const MESSAGES: [u64; 2] = [Kind::LiaisonNote as u64, Kind::Alert as u64];

/// Which part of a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Everything, in the order of time.
    All,
    /// The liaison notebook.
    Notes,
    /// Alerts.
    Alerts,
    /// Documents.
    Documents,
    /// Who takes part, and what the person was told.
    Team,
    /// Who opened the file: nothing that is written in it.
    Looks,
    /// A form in which something is written for it: nothing that is written in it, but what the form answers or corrects.
    Form,
}

impl Shown {
    /// As the trail says it.
    const fn action(self) -> &'static str {
        match self {
            Self::All => "file.read",
            Self::Notes => "file.read.notes",
            Self::Alerts => "file.read.alerts",
            Self::Documents => "file.read.documents",
            Self::Team => "file.read.team",
            Self::Looks => "file.read.looks",
            Self::Form => "file.read.form",
        }
    }

    /// Whether a kind belongs to it.
    const fn has(self, kind: Kind) -> bool {
        match self {
            // The others say nothing by themselves.
            Self::All => matches!(
                kind,
                Kind::LiaisonNote
                    | Kind::Alert
                    | Kind::Document
                    | Kind::Participation
                    | Kind::Consent
                    | Kind::MembershipRequest
            ),
            Self::Notes => matches!(kind, Kind::LiaisonNote),
            Self::Alerts => matches!(kind, Kind::Alert),
            Self::Documents => matches!(kind, Kind::Document),
            Self::Team => matches!(kind, Kind::CareTeam | Kind::Participation | Kind::Consent),
            Self::Looks | Self::Form => false,
        }
    }
}

/// To which category what is of a kind belongs.
pub(super) const fn category(kind: Kind) -> Category {
    match kind {
        Kind::PatientIdentity => Category::Identity,
        Kind::LiaisonNote | Kind::Alert | Kind::AlertAnswer | Kind::ReadMark => Category::Messages,
        Kind::Document => Category::Documents,
        Kind::LogOpened
        | Kind::Consent
        | Kind::CareTeam
        | Kind::Participation
        | Kind::MembershipRequest
        | Kind::RequestAnswer
        | Kind::Erasure
        | Kind::ErasureAnswer => Category::Administration,
    }
}

/// A file as its reader may see it.
#[derive(Debug, Clone)]
pub struct FileView {
    /// The circle with the things that are wanted and may be read.
    pub circle: CircleView,
    /// Whether notes and alerts may be written.
    pub writes_messages: bool,
    /// Whether team and circle may be changed.
    pub manages: bool,
    /// Whether those who are close may be noted.
    pub writes_close: bool,
    /// Whether documents may be added.
    pub writes_documents: bool,
    /// How much is here of the files that records name, by record.
    pub files: BTreeMap<RecordId, Vec<FileState>>,
    /// The notes that the reader wrote and may correct or take back.
    pub own: BTreeSet<RecordId>,
    /// The notes of others that were not there when the reader last looked.
    pub new: BTreeSet<RecordId>,
    /// The alerts that this structure has sent and others are to answer.
    pub asked_of_others: BTreeSet<RecordId>,
    /// The alerts of which the reader has taken note already.
    pub noted: BTreeSet<RecordId>,
    /// The alerts of the file that nobody has closed, the most urgent first, whatever page of it is shown; where everything is looked at.
    pub unclosed: Vec<AlertLine>,
    /// Whether the reader has chosen it as a favourite; none where they read it by a broken glass.
    pub favourite: Option<bool>,
    /// Until when it is open by a broken glass, Unix milliseconds; none for whoever is in the team.
    pub glass_ms: Option<u64>,
}

impl Care {
    /// Opens a file to read a part of it, the newest first before `before`. What the habilitation does not reach is left out.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotReadable`] where it reaches nothing of that part, [`CareError::NoCircle`].
    pub async fn read_file(
        &self,
        actor: &Actor,
        circle: CircleId,
        part: Shown,
        before: Option<ThingMark>,
    ) -> Result<FileView, CareError> {
        let glass_ms = match self.in_team(actor, &circle) {
            Err(CareError::NotInTeam) => {
                let until = self.glass(actor, &circle)?;
                Some(until.ok_or(CareError::NotInTeam)?)
            }
            answer => answer.map(|()| None)?,
        };
        self.may_read(actor, Category::Identity)?;
        if part == Shown::Looks {
            self.may_see_looks(actor, &circle)?;
        }
        let mut reads = Vec::new();
        let mut first_refused = None;
        for kind in Kind::ALL.into_iter().filter(|kind| part.has(*kind)) {
            match self.may_read(actor, category(kind)) {
                Ok(()) => reads.push(kind as u64),
                Err(CareError::NotReadable(what)) => first_refused = Some(what),
                Err(error) => return Err(error),
            }
        }
        if let (true, Some(what)) = (reads.is_empty(), first_refused) {
            return Err(CareError::NotReadable(what));
        }
        let held = self.shared().circle(&circle).ok_or(CareError::NoCircle)?;
        let seen = self.seen(actor, &circle, now_ms())?;
        let view = self.things_read(actor, &circle, &reads, before)?;
        let unclosed = match part {
            Shown::All if reads.contains(&(Kind::Alert as u64)) => {
                self.unclosed_in(actor, &circle, now_ms())?
            }
            _ => Vec::new(),
        };
        let new = self.new_among(actor, &view, &seen)?;
        let looks = part.has(Kind::LiaisonNote) && glass_ms.is_none();
        let sees = if looks {
            self.sees(actor, &held, &seen, &view, before.is_none())?
        } else {
            None
        };
        let reader = actor.clone();
        let about = About {
            // By which right, where it is not that of the team.
            object: glass_ms.map(|_| Object::Right(BY_GLASS)),
            ..About::circle(circle)
        };
        self.leave_line(part.action(), move |tx| {
            if let Some((key, row)) = sees {
                tx.put(Table::Access, key, row);
            }
            audit::note(tx, &reader, part.action(), about)
        })
        .await?;
        let writes = |category| Ok::<_, CareError>(self.level(actor, category)? == Level::Write);
        let own = self.own_among(actor, &view);
        Ok(FileView {
            own,
            new,
            asked_of_others: self.asked_of_others(actor, &view)?,
            noted: self.noted_by(actor, &view)?,
            unclosed,
            favourite: match glass_ms {
                Some(_) => None,
                None => Some(self.is_favourite(actor, &circle)?),
            },
            files: self.files_of(&view)?,
            circle: view,
            writes_messages: writes(Category::Messages)?,
            writes_documents: glass_ms.is_none() && writes(Category::Documents)?,
            writes_close: glass_ms.is_none() && writes(Category::Social)?,
            manages: glass_ms.is_none() && writes(Category::Administration)?,
            glass_ms,
        })
    }

    /// A page of the things of some kinds.
    fn things_read(
        &self,
        actor: &Actor,
        circle: &CircleId,
        reads: &[u64],
        before: Option<ThingMark>,
    ) -> Result<CircleView, CareError> {
        let wanted = ThingsWanted {
            before,
            most: THINGS_IN_A_PAGE,
            kinds: &|kind| reads.contains(&kind),
            // A note belongs to the same category as an alert.
            answers: reads.iter().any(|kind| MESSAGES.contains(kind)),
        };
        let mut view = self.show_things(circle, &wanted)?;
        // Who is close to the person is social, and nothing of the file.
        let social = self.level(actor, Category::Social)? >= Level::Read;
        // Versions of one thing may be of several kinds.
        for thing in &mut view.things {
            let read =
                |kind: u64| reads.contains(&kind) || wanted.answers && MESSAGES.contains(&kind);
            thing.standing.retain(|one| {
                let is_close = matches!(&one.content, Content::Participation(term) if matches!(term.party, Party::RelatedPerson { .. }));
                read(one.content.kind().0) && (social || !is_close)
            });
            thing.erased.retain(|one| read(one.kind));
        }
        let may_be_shown =
            |thing: &ThingView| !thing.standing.is_empty() || !thing.erased.is_empty();
        view.things.retain(may_be_shown);
        Ok(view)
    }

    /// The alerts that others are to answer: those that this structure sent to others, and the reader's own.
    fn asked_of_others(
        &self,
        actor: &Actor,
        view: &CircleView,
    ) -> Result<BTreeSet<RecordId>, CareError> {
        let own = self.shared().own();
        let mut others = BTreeSet::new();
        for (thing, alert) in view
            .things
            .iter()
            .filter_map(|one| Some((one, one.alert.as_ref()?)))
        {
            let names_own = alert.addressees.iter().any(|(node, _)| *node == own);
            let to_others = !alert.addressees.is_empty() && !alert.left;
            for one in thing.standing.iter().filter(|one| one.node == own) {
                if names_own {
                    continue;
                }
                if to_others || self.is_own(actor, &one.node, &one.author) {
                    others.insert(one.record);
                }
            }
        }
        Ok(others)
    }

    /// The alerts that somebody has answered themselves.
    fn noted_by(&self, actor: &Actor, view: &CircleView) -> Result<BTreeSet<RecordId>, CareError> {
        let mut noted = BTreeSet::new();
        for thing in view.things.iter().filter(|thing| thing.alert.is_some()) {
            let entry = self.alert_entry(&view.line.circle, &thing.thing)?;
            let Some(entry) = entry else {
                continue;
            };
            if self.has_answered(actor, &entry)? {
                noted.extend(thing.standing.iter().map(|one| one.record));
            }
        }
        Ok(noted)
    }

    /// A line in the trail for a look at persons whom somebody does not follow: a list, a search, or a comparison with a new person.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn looked_around(
        &self,
        actor: &Actor,
        action: &'static str,
    ) -> Result<(), CareError> {
        let reader = actor.clone();
        self.leave_line(action, move |tx| {
            audit::note(tx, &reader, action, About::NOTHING)
        })
        .await
    }

    /// The other structures in a person's circle, for whoever may open the file.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NoCircle`].
    pub fn others_in(&self, actor: &Actor, circle: &CircleId) -> Result<Vec<NodeId>, CareError> {
        self.may_open(actor, circle)?;
        let held = self.shared().circle(circle).ok_or(CareError::NoCircle)?;
        let own = self.shared().own();
        let others = held.charter.members().map(|member| member.node);
        Ok(others.filter(|node| *node != own).collect())
    }
}
