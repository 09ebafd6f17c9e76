//! Tells the story through the care services, each part at the node of whoever speaks, and waits until it is read everywhere.

use maillon_protocol::{
    charter::Grant,
    content::{
        Alert, AlertAnswer, AlertStep, CareTeam, Consent, ConsentDecision, ConsentKind, Content,
        LiaisonNote, PartialDate, Participation, Party, Period, Severity,
    },
    ids::{CircleId, RecordId, ThingId},
    invite::InvitationReason,
    replica::{IncomingState, Written},
};

use super::{
    DemoError,
    people::{Cast, Voice, daughter, patient},
    story::{self, Moment},
    territory::{Place, Territory},
    wait::until,
};
use crate::care::CareError;

/// Whoever tells: the nodes, the professionals, and one reading of the clock.
pub(super) struct Telling<'a> {
    /// The nodes.
    pub(super) territories: &'a [Territory],
    /// The professionals.
    pub(super) cast: &'a Cast,
    /// When all this is told, Unix milliseconds.
    pub(super) now_ms: u64,
}

impl Telling<'_> {
    fn at(&self, place: Place) -> Result<&Territory, DemoError> {
        self.territories
            .iter()
            .find(|territory| territory.place == place)
            .ok_or(DemoError::Missing("structure of that name"))
    }

    /// Everything, in the order in which it happened.
    pub(super) async fn tell(&self) -> Result<(), DemoError> {
        let circle = self.open().await?;
        self.share(circle, Place::Cpts, InvitationReason::CareTeam)
            .await?;
        self.share(circle, Place::Hospital, InvitationReason::Stay)
            .await?;
        for said in story::NOTES {
            let note = Content::LiaisonNote(LiaisonNote {
                note: said.note,
                text: said.text.to_owned(),
                emergency: false,
                written_by: Vec::new(),
                attachments: Vec::new(),
                withdrawn: String::new(),
            });
            self.write(said.voice, circle, note, None, said.at).await?;
        }
        self.settled_alert(circle).await?;
        self.open_alert(circle).await?;
        self.read_everywhere(circle).await
    }

    async fn write(
        &self,
        voice: Voice,
        circle: CircleId,
        content: Content,
        parent: Option<ThingId>,
        moment: Moment,
    ) -> Result<Written, DemoError> {
        let care = &self.at(voice.place())?.node.care;
        let actor = self.cast.actor(voice)?;
        let occurred_ms = moment.ms(self.now_ms);
        Ok(care
            .write_as_of(actor, circle, content, parent, occurred_ms)
            .await?)
    }

    /// The DAC opens the file, informs the person, and says who is in the team.
    async fn open(&self) -> Result<CircleId, DemoError> {
        let (dac, voice) = (self.at(Place::Dac)?, Voice::Coordinator);
        let circle = dac
            .node
            .care
            .open_circle(self.cast.actor(voice)?, patient())
            .await?;
        let consent = Content::Consent(Consent {
            kind: ConsentKind::NonOpposition,
            decision: ConsentDecision::Given,
            answered_by: String::new(),
            how: story::INFORMED.to_owned(),
        });
        self.write(voice, circle, consent, None, story::OPENED)
            .await?;
        let period = Period {
            start: day(story::OPENED.ms(self.now_ms)),
            end: None,
        };
        let team = Content::CareTeam(CareTeam {
            name: story::TEAM.to_owned(),
            identifiers: Vec::new(),
            period: period.clone(),
            managed_by: vec![dac.node.care.structure().clone()],
        });
        let team = self
            .write(voice, circle, team, None, story::OPENED)
            .await?
            .thing;
        let mut parties = Vec::new();
        for member in Voice::ALL {
            let professional = self.cast.actor(member)?.professional.clone();
            let referent = member == Voice::Coordinator;
            parties.push((Party::Professional(professional), member.roles(), referent));
        }
        parties.push((daughter(), Vec::new(), false));
        for (party, roles, referent) in parties {
            let part = Content::Participation(Participation {
                party,
                roles,
                period: period.clone(),
                referent,
            });
            self.write(voice, circle, part, Some(team), story::OPENED)
                .await?;
        }
        Ok(circle)
    }

    /// The DAC invites a structure, a person there accepts, and the file arrives.
    async fn share(
        &self,
        circle: CircleId,
        place: Place,
        reason: InvitationReason,
    ) -> Result<(), DemoError> {
        let (dac, there) = (self.at(Place::Dac)?, self.at(place)?);
        let coordinator = self.cast.actor(Voice::Coordinator)?;
        let invitation = dac
            .node
            .care
            .invite(coordinator, circle, there.id(), reason, Grant::Whole)
            .await?;
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
        .await?;
        let host = Voice::ALL
            .into_iter()
            .find(|voice| voice.place() == place)
            .ok_or(DemoError::Missing("professional of that structure"))?;
        there
            .node
            .care
            .accept(self.cast.actor(host)?, invitation, None)
            .await?;
        until("a shared file at the other node", async || {
            let held = there.node.ledger.shared().circle(&circle);
            Ok(held.and_then(|held| {
                let in_it = held.charter.is_member(&there.id());
                (in_it && held.current_secret().is_some()).then_some(())
            }))
        })
        .await
    }

    async fn arrives(&self, voice: Voice, record: RecordId) -> Result<(), DemoError> {
        let care = &self.at(voice.place())?.node.care;
        until("a record at another node", async || {
            Ok(care.view(&record)?.map(|_| ()))
        })
        .await
    }

    /// The alert of last week: sent by the CPTS, acknowledged by the DAC, closed by the general practitioner.
    async fn settled_alert(&self, circle: CircleId) -> Result<(), DemoError> {
        let (sender, moment, text) = story::SETTLED.sent;
        let alert = alert(Severity::High, text, 0);
        let sent = self.write(sender, circle, alert, None, moment).await?;
        let answers = [
            (AlertStep::Acknowledge, story::SETTLED.acknowledged),
            (AlertStep::Close, story::SETTLED.closed),
        ];
        for (step, (voice, moment, comment)) in answers {
            self.arrives(voice, sent.record).await?;
            let answer = Content::AlertAnswer(AlertAnswer {
                step,
                comment: comment.to_owned(),
            });
            self.write(voice, circle, answer, Some(sent.thing), moment)
                .await?;
        }
        Ok(())
    }

    /// The alert of today, which waits for whoever tries the demonstration.
    async fn open_alert(&self, circle: CircleId) -> Result<(), DemoError> {
        let (voice, text) = story::OPEN;
        let care = &self.at(voice.place())?.node.care;
        let alert = Alert {
            severity: Severity::Medium,
            text: text.to_owned(),
            addressees: Vec::new(),
            answer_by_ms: self.now_ms + story::ANSWER_WITHIN_MS,
        };
        care.send_alert(self.cast.actor(voice)?, circle, alert)
            .await?;
        Ok(())
    }

    /// Waits until all three show the same file, and know it of each other.
    async fn read_everywhere(&self, circle: CircleId) -> Result<(), DemoError> {
        until("the same file at all three nodes", async || {
            let mut digests = Vec::new();
            for territory in self.territories {
                let care = &territory.node.care;
                digests.push(care.digest(&circle)?);
                if !care.outbox()?.is_empty() {
                    return Ok(None);
                }
            }
            Ok(digests.windows(2).all(|two| two[0] == two[1]).then_some(()))
        })
        .await
    }
}

fn alert(severity: Severity, text: &str, answer_by_ms: u64) -> Content {
    Content::Alert(Alert {
        severity,
        text: text.to_owned(),
        addressees: Vec::new(),
        answer_by_ms,
    })
}

/// The day of a moment, in UTC.
fn day(ms: u64) -> Option<PartialDate> {
    let moment = jiff::Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
    PartialDate::try_from(moment.strftime("%Y-%m-%d").to_string()).ok()
}
