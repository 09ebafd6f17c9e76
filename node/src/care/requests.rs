//! Requests for changes of a circle's membership. A member asks; the steward's person answers, or its node by itself where its configuration says
//! so. Granting makes the change and writes the answer in one commit: where the change cannot be made, the request waits on.

use maillon_protocol::{
    admin::RequestLine,
    charter::StewardError,
    content::{Answered, AskedChange, Content, MembershipRequest, PatientIdentity, RequestAnswer},
    ids::{CircleId, NodeId, RecordId, ThingId},
    replica::{Draft, Replica, StewardshipError, Written},
};

use super::{Actor, Care, CareError, Category, audit, fresh, read, write_one};
use crate::{
    audit::{About, Object},
    ledger::Tx,
};

/// Bytes of what somebody says of why.
const WHY: usize = 4096;

/// A request as it was found.
struct Found {
    circle: CircleId,
    thing: ThingId,
    node: NodeId,
    request: MembershipRequest,
}

fn check_why(why: &str) -> Result<(), CareError> {
    if why.len() > WHY {
        return Err(CareError::Text(
            "what is said of why is longer than 4,096 bytes: write a note",
        ));
    }
    Ok(())
}

/// The word for a kind of change, as the configuration has it.
pub(crate) const fn word(asked: &AskedChange) -> &'static str {
    match asked {
        AskedChange::Invite { .. } => "invite",
        AskedChange::Remove { .. } => "remove",
        AskedChange::Rotate { .. } => "rotate",
        AskedChange::Close { .. } => "close",
        AskedChange::HandOver { .. } => "hand-over",
    }
}

/// Every such word.
pub(crate) const WORDS: [&str; 5] = ["invite", "remove", "rotate", "close", "hand-over"];

/// The structure that a change is about.
const fn node_of(asked: &AskedChange) -> Option<NodeId> {
    match asked {
        AskedChange::Invite { node, .. } | AskedChange::Remove { node, .. } => Some(*node),
        AskedChange::HandOver { to } => Some(*to),
        AskedChange::Rotate { .. } | AskedChange::Close { .. } => None,
    }
}

impl Care {
    /// Asks the circle's steward for a change.
    ///
    /// # Errors
    /// [`CareError::AsksItself`] where this node is the steward; [`CareError::NotInIt`] where the change is about a structure that is not in the
    /// circle, or is in it already; those of writing.
    pub async fn ask(
        &self,
        actor: &Actor,
        circle: CircleId,
        asked: AskedChange,
        why: String,
    ) -> Result<Written, CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        check_why(&why)?;
        let held = self.shared().circle(&circle).ok_or(CareError::NoCircle)?;
        let charter = &held.charter;
        if charter.state().steward == self.shared().own() {
            return Err(CareError::AsksItself);
        }
        let invites = matches!(asked, AskedChange::Invite { .. });
        if node_of(&asked).is_some_and(|node| charter.is_member(&node) == invites) {
            return Err(CareError::NotInIt);
        }
        let content = Content::MembershipRequest(MembershipRequest {
            asked,
            why,
            withdrawn: false,
        });
        let draft = fresh(actor, content, None);
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| write_one(tx, &actor, circle, draft, "request.ask"))
            .await?)
    }

    /// The requests that wait for an answer, in one circle or in all of which this node is a member, oldest first.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn requests(&self, circle: Option<&CircleId>) -> Result<Vec<RequestLine>, CareError> {
        let shared = self.shared();
        let own = shared.own();
        let circles = match circle {
            Some(one) => vec![shared.circle(one).ok_or(CareError::NoCircle)?],
            None => shared.circles(),
        };
        let names = self.names();
        let mut lines = Vec::new();
        for circle in circles.iter().filter(|held| held.charter.is_member(&own)) {
            for (_, record) in Replica::requests(shared.rows(), &circle.id())? {
                let Some((_, opened)) = read::opened(shared, &record)? else {
                    continue;
                };
                let Content::MembershipRequest(request) = opened.content else {
                    continue;
                };
                let Some(view) = self.view(&record)? else {
                    continue;
                };
                lines.push(RequestLine {
                    request: record,
                    circle: circle.id(),
                    about: node_of(&request.asked).map(|node| names.of(&node)),
                    asked: request.asked,
                    why: request.why,
                    by: opened.envelope.author.name,
                    structure: view.structure,
                    at_ms: opened.envelope.occurred_ms,
                    here: circle.charter.state().steward == own,
                    ours: view.node == own,
                });
            }
        }
        lines.sort_by_key(|line| (line.at_ms, line.request));
        Ok(lines)
    }

    /// How many requests wait for this node, the steward.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn requests_here(&self) -> Result<usize, CareError> {
        let shared = self.shared();
        let own = shared.own();
        let mut count = 0;
        for circle in shared.circles() {
            if circle.charter.state().steward == own {
                count += Replica::requests(shared.rows(), &circle.id())?.len();
            }
        }
        Ok(count)
    }

    fn found(&self, request: &RecordId) -> Result<Found, CareError> {
        let shared = self.shared();
        let (circle, opened) =
            read::opened(shared, request)?.ok_or_else(|| super::no_record(request))?;
        let Content::MembershipRequest(said) = opened.content else {
            return Err(CareError::NoRequest);
        };
        let view = self
            .view(request)?
            .ok_or_else(|| super::no_record(request))?;
        Ok(Found {
            circle,
            thing: opened.envelope.thing,
            node: view.node,
            request: said,
        })
    }

    /// The steward makes the change that is asked for, and says so.
    ///
    /// # Errors
    /// [`CareError::NoRequest`], [`CareError::RequestEnded`]; those of the change.
    pub async fn grant_request(&self, actor: &Actor, request: RecordId) -> Result<(), CareError> {
        self.may_write(actor, &[Category::Administration])?;
        let found = self.found(&request)?;
        self.in_team(actor, &found.circle)?;
        let identity = match found.request.asked {
            AskedChange::Invite { .. } => self.whom_to_share(&found.circle)?,
            _ => None,
        };
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                // First: a closed circle takes no answer, and who has handed over is the steward no more.
                let granted = answer(Answered::Granted, String::new());
                say(tx, &actor, request, &found, granted, "request.grant")?;
                make(tx, &actor, &found, identity.as_ref())
            })
            .await?)
    }

    /// The steward does not, and says why.
    ///
    /// # Errors
    /// [`CareError::NoRequest`], [`CareError::RequestEnded`]; those of writing.
    pub async fn refuse_request(
        &self,
        actor: &Actor,
        request: RecordId,
        why: String,
    ) -> Result<(), CareError> {
        self.may_write(actor, &[Category::Administration])?;
        check_why(&why)?;
        let found = self.found(&request)?;
        self.in_team(actor, &found.circle)?;
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                let refused = answer(Answered::Refused, why);
                say(tx, &actor, request, &found, refused, "request.refuse")
            })
            .await?)
    }

    /// Whoever asked asks no more.
    ///
    /// # Errors
    /// [`CareError::NoRequest`], [`CareError::RequestEnded`], [`CareError::OthersRequest`]; those of writing.
    pub async fn withdraw_request(
        &self,
        actor: &Actor,
        request: RecordId,
    ) -> Result<(), CareError> {
        self.may_write(actor, &[Category::Administration])?;
        let found = self.found(&request)?;
        self.in_team(actor, &found.circle)?;
        if found.node != self.shared().own() {
            return Err(CareError::OthersRequest);
        }
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                waits(tx, &found, request)?;
                let content = Content::MembershipRequest(MembershipRequest {
                    withdrawn: true,
                    ..found.request
                });
                let draft = Draft {
                    thing: Some(found.thing),
                    supersedes: vec![request],
                    ..fresh(&actor, content, None)
                };
                write_one(tx, &actor, found.circle, draft, "request.withdraw").map(drop)
            })
            .await?)
    }

    /// Grants the requests that this node grants by itself: those whose kind is among `words`. What cannot be done waits for a person.
    ///
    /// # Errors
    /// [`CareError`] where rows cannot be read.
    pub async fn grant_by_itself(&self, words: &[String]) -> Result<(), CareError> {
        let waiting = self.requests(None)?;
        let chosen = |line: &&RequestLine| {
            line.here && words.iter().any(|chosen| chosen == word(&line.asked))
        };
        for line in waiting.iter().filter(chosen) {
            if let Err(error) = self.grant_request(&Actor::itself(), line.request).await {
                tracing::info!(circle = %line.circle.short(), %error, "a request waits for a person");
            }
        }
        Ok(())
    }
}

const fn answer(answer: Answered, comment: String) -> Content {
    Content::RequestAnswer(RequestAnswer { answer, comment })
}

/// Whether a request still waits as it was read.
fn waits(tx: &Tx<'_>, found: &Found, request: RecordId) -> Result<(), CareError> {
    match tx.replica.request(tx.rows, &found.circle, &found.thing)? {
        Some(stands) if stands == request => Ok(()),
        _ => Err(CareError::RequestEnded),
    }
}

/// Writes the steward's answer.
fn say(
    tx: &mut Tx<'_>,
    actor: &Actor,
    request: RecordId,
    found: &Found,
    content: Content,
    action: &'static str,
) -> Result<(), CareError> {
    let own = tx.replica.own();
    let held = tx
        .replica
        .circle(&found.circle)
        .ok_or(CareError::NoCircle)?;
    if held.charter.state().steward != own {
        return Err(StewardshipError::from(StewardError::NotSteward).into());
    }
    waits(tx, found, request)?;
    let draft = fresh(actor, content, Some(found.thing));
    write_one(tx, actor, found.circle, draft, action).map(drop)
}

/// Makes the change itself.
fn make(
    tx: &mut Tx<'_>,
    actor: &Actor,
    found: &Found,
    identity: Option<&PatientIdentity>,
) -> Result<(), CareError> {
    let (circle, now) = (found.circle, tx.now_ms);
    let mut about = About::circle(circle);
    let (replica, rows, rng) = (&mut *tx.replica, tx.rows, &mut *tx.rng);
    let action = match &found.request.asked {
        AskedChange::Invite {
            node,
            reason,
            grant,
        } => {
            let id = replica.invite(rows, &circle, *node, *reason, identity, *grant, now, rng)?;
            about.object = Some(Object::Invitation(id));
            about.node = Some(*node);
            "circle.invite"
        }
        AskedChange::Remove { node, reason } => {
            replica.remove(rows, &circle, *node, *reason, now, rng)?;
            about.node = Some(*node);
            "circle.remove"
        }
        AskedChange::Rotate { reason } => {
            replica.rotate(rows, &circle, *reason, now, rng)?;
            "circle.rotate"
        }
        AskedChange::Close { reason } => {
            replica.close(rows, &circle, *reason, now, rng)?;
            "circle.close"
        }
        AskedChange::HandOver { to } => {
            replica.hand_over(rows, &circle, *to, now, rng)?;
            about.node = Some(*to);
            "circle.hand-over"
        }
    };
    audit::note(tx, actor, action, about)
}
