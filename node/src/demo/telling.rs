//! Tells what happened through the care services, each act at the node of whoever does it and at its own moment: the process's clock goes from one to the
//! next, so that records, acknowledgements and the audit trail say what they would have said if these weeks had been lived.

use std::collections::BTreeMap;

use maillon_protocol::{
    charter::Grant,
    content::{
        Alert, AlertStep, Consent, ConsentDecision, ConsentKind, Content, Participation, Party,
        Period, Severity,
    },
    ids::{CircleId, InvitationId, RecordId, ThingId},
    invite::InvitationReason,
    replica::IncomingState,
};

use super::{
    DemoError,
    lives::{self, Deed, Event, Life},
    people::{Cast, Voice},
    territory::{Place, Territory},
    wait::until,
};
use crate::{
    care::{Actor, Care, CareError, NewFile, NewNote},
    clock,
};

const HOUR_MS: u64 = 3600 * 1000;
/// Why a circle is closed: the care is over.
const CARE_ENDED: u64 = 0;

/// Whoever tells: the nodes, the professionals, and when all this is told.
pub(super) struct Telling<'a> {
    /// The nodes.
    pub(super) territories: &'a [Territory],
    /// The professionals.
    pub(super) cast: &'a Cast,
    /// Unix milliseconds.
    pub(super) now_ms: u64,
}

/// An act of somebody's life.
enum Act {
    Open,
    Happen(&'static Event),
    Invite(Place),
    Close,
}

/// A file that has been opened.
struct File {
    life: &'static Life,
    circle: CircleId,
    /// Who lets colleagues into the team, at each territory.
    hosts: BTreeMap<&'static str, Voice>,
    note: Option<(ThingId, RecordId)>,
    alert: Option<RecordId>,
}

impl Telling<'_> {
    /// Everything, in the order in which it happened.
    pub(super) async fn tell(&self) -> Result<(), DemoError> {
        let lives: Vec<&Life> = lives::all().collect();
        let mut acts = Vec::new();
        for (place, life) in lives.iter().enumerate() {
            let mut act = |moment: super::story::Moment, act| {
                acts.push((moment.ms(self.now_ms), place, act));
            };
            act(life.opened.1, Act::Open);
            for event in life.events {
                act(event.at, Act::Happen(event));
            }
            if let Some((place, moment)) = life.invited {
                act(moment, Act::Invite(place));
            }
            if let Some(moment) = life.closed {
                act(moment, Act::Close);
            }
        }
        // The acts of one life at one moment stay in their order.
        acts.sort_by_key(|(at_ms, place, _)| (*at_ms, *place));
        let mut files: BTreeMap<usize, File> = BTreeMap::new();
        for (at_ms, place, act) in acts {
            if at_ms > clock::now_ms() {
                clock::set(at_ms);
            }
            if let Act::Open = act {
                let life = lives.get(place).ok_or(DemoError::Missing("file"))?;
                files.insert(place, self.open(life).await?);
                continue;
            }
            let file = files.get_mut(&place).ok_or(DemoError::Missing("file"))?;
            match act {
                Act::Open => {}
                Act::Happen(event) => self.happen(file, event).await?,
                Act::Invite(whom) => {
                    let invitation = self.invite(file, whom).await?;
                    self.arrives_at(whom, invitation).await?;
                }
                Act::Close => {
                    let care = self.care(file.life.opened.0.place())?;
                    let actor = self.cast.actor(file.life.opened.0)?;
                    care.close(actor, file.circle, CARE_ENDED).await?;
                }
            }
            if !file.life.shared.is_empty() {
                self.settled().await?;
            }
        }
        self.settled().await
    }

    fn at(&self, place: Place) -> Result<&Territory, DemoError> {
        self.territories
            .iter()
            .find(|territory| territory.place == place)
            .ok_or(DemoError::Missing("structure of that name"))
    }

    fn care(&self, place: Place) -> Result<&Care, DemoError> {
        Ok(&self.at(place)?.node.care)
    }

    /// Somebody opens a file: the person is informed, the team begins, other territories are invited and accept.
    async fn open(&self, life: &'static Life) -> Result<File, DemoError> {
        let voice = life.opened.0;
        let (care, actor) = (self.care(voice.place())?, self.cast.actor(voice)?);
        let new = NewFile {
            identity: life.who.identity(),
            consent: Consent {
                kind: ConsentKind::NonOpposition,
                decision: ConsentDecision::Given,
                answered_by: String::new(),
                how: typeset(life.informed),
            },
            reason: typeset(life.reason),
            seen: Vec::new(),
        };
        let circle = care.open_file(actor, new).await?;
        let mut file = File {
            life,
            circle,
            hosts: BTreeMap::from([(voice.place().short(), voice)]),
            note: None,
            alert: None,
        };
        if let Some(close) = life.close {
            self.note_close(care, actor, circle, close()).await?;
        }
        for place in life.shared {
            self.share(&mut file, *place).await?;
        }
        for member in life.team {
            self.join(&file, *member).await?;
        }
        Ok(file)
    }

    /// Notes somebody close in the team.
    async fn note_close(
        &self,
        care: &Care,
        actor: &Actor,
        circle: CircleId,
        party: Party,
    ) -> Result<(), DemoError> {
        let shown = care.show(&circle)?;
        let team = shown.things.iter().find(|thing| {
            let newest = thing.standing.first();
            newest.is_some_and(|record| matches!(record.content, Content::CareTeam(_)))
        });
        let part = Content::Participation(Participation {
            party,
            roles: Vec::new(),
            period: Period {
                start: None,
                end: None,
            },
            referent: false,
        });
        let team = team.map(|team| team.thing);
        care.write_as_of(actor, circle, part, team, clock::now_ms())
            .await?;
        Ok(())
    }

    async fn invite(&self, file: &File, place: Place) -> Result<InvitationId, DemoError> {
        let voice = file.life.opened.0;
        let (care, there) = (self.care(voice.place())?, self.at(place)?.id());
        let reason = InvitationReason::CareTeam;
        let actor = self.cast.actor(voice)?;
        Ok(care
            .invite(actor, file.circle, there, reason, Grant::Whole)
            .await?)
    }

    async fn arrives_at(&self, place: Place, invitation: InvitationId) -> Result<(), DemoError> {
        let there = self.at(place)?;
        until("an invitation at the other node", async || {
            let all = there
                .node
                .ledger
                .run(|tx| tx.replica.incoming(tx.rows).map_err(CareError::from))
                .await
                .map_err(CareError::from)?;
            let waits = all
                .iter()
                .any(|(id, row)| *id == invitation && row.state == IncomingState::Waiting);
            Ok(waits.then_some(()))
        })
        .await
    }

    /// Another territory is invited, somebody there accepts, and is in the team when the file has come.
    async fn share(&self, file: &mut File, place: Place) -> Result<(), DemoError> {
        let invitation = self.invite(file, place).await?;
        self.arrives_at(place, invitation).await?;
        let speak = file.life.events.iter().map(|event| event.voice);
        let mut all = speak.chain(file.life.team.iter().copied());
        let host = all
            .find(|voice| voice.place() == place && voice.accepts())
            .or_else(|| Voice::ALL.into_iter().find(|voice| voice.place() == place))
            .ok_or(DemoError::Missing("professional of that structure"))?;
        let (care, actor) = (self.care(place)?, self.cast.actor(host)?);
        care.accept(actor, invitation, None).await?;
        let circle = file.circle;
        until("a shared file at the other node", async || {
            Ok(care.follows(actor, &circle)?.then_some(()))
        })
        .await?;
        file.hosts.insert(place.short(), host);
        Ok(())
    }

    /// Somebody is in the team, let in by whoever is already.
    async fn join(&self, file: &File, voice: Voice) -> Result<(), DemoError> {
        let (care, actor) = (self.care(voice.place())?, self.cast.actor(voice)?);
        if care.follows(actor, &file.circle)? {
            return Ok(());
        }
        let host = file.hosts.get(voice.place().short());
        let host = host.ok_or(DemoError::Missing("territory in that circle"))?;
        care.add_to_team(self.cast.actor(*host)?, file.circle, actor)
            .await?;
        Ok(())
    }

    /// Something happens in a file.
    async fn happen(&self, file: &mut File, event: &Event) -> Result<(), DemoError> {
        self.join(file, event.voice).await?;
        let (care, actor) = (
            self.care(event.voice.place())?,
            self.cast.actor(event.voice)?,
        );
        match event.deed {
            Deed::Note(kind, text) => {
                let note = NewNote {
                    kind,
                    text: typeset(text),
                    emergency: false,
                    answers: None,
                };
                let written = care.add_note(actor, file.circle, note).await?;
                file.note = Some((written.thing, written.record));
            }
            Deed::Reply(text) => {
                let (answered, record) = file.note.ok_or(DemoError::Missing("note to answer"))?;
                self.arrives(care, record).await?;
                let note = NewNote {
                    kind: maillon_protocol::content::NoteKind::General,
                    text: typeset(text),
                    emergency: false,
                    answers: Some(answered),
                };
                care.add_note(actor, file.circle, note).await?;
            }
            Deed::Alert(severity, within_h, text) => {
                let alert = raised(severity, within_h, text);
                let written = care.send_alert(actor, file.circle, alert).await?;
                file.alert = Some(written.record);
            }
            Deed::Answer(step, text) => self.answer(care, actor, file, step, text).await?,
        }
        Ok(())
    }

    async fn answer(
        &self,
        care: &Care,
        actor: &Actor,
        file: &File,
        step: AlertStep,
        text: &str,
    ) -> Result<(), DemoError> {
        let alert = file.alert.ok_or(DemoError::Missing("alert to answer"))?;
        self.arrives(care, alert).await?;
        care.answer_alert(actor, alert, step, typeset(text)).await?;
        Ok(())
    }

    async fn arrives(&self, care: &Care, record: RecordId) -> Result<(), DemoError> {
        until("a record at another node", async || {
            Ok(care.view(&record)?.map(|_| ()))
        })
        .await
    }

    /// Waits until everything that was written is known to have come wherever it belongs.
    async fn settled(&self) -> Result<(), DemoError> {
        until("the same files at all nodes", async || {
            for territory in self.territories {
                if !territory.node.care.outbox()?.is_empty() {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
        .await
    }
}

/// A text as a telephone writes it in French: with typographic apostrophes, and spaces that do not break where a sign follows.
fn typeset(text: &str) -> String {
    let mut set = text.replace('\'', "’");
    for sign in [":", ";", "?", "!", "%"] {
        set = set.replace(&format!(" {sign}"), &format!("\u{a0}{sign}"));
    }
    set
}

fn raised(severity: Severity, within_h: u64, text: &str) -> Alert {
    let answer_by_ms = match within_h {
        0 => 0,
        hours => clock::now_ms() + hours * HOUR_MS,
    };
    Alert {
        severity,
        text: typeset(text),
        addressees: Vec::new(),
        answer_by_ms,
    }
}
