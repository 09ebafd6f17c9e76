//! What each call does.

use std::sync::Arc;

use maillon_protocol::admin::{
    Answer, Call, Checkpoint, CircleDigest, ErrorCode, LocalProfessional, Outcome, Request,
};
use maillon_protocol::ids::CircleId;
use tokio::sync::mpsc;

use super::{errors::Refusal, server::reply, trail};
use crate::{
    audit::{About, By, Wanted},
    care::Actor,
    checkpoint,
    clock::now_ms,
    daemon::Node,
};

/// Answers one request.
/// `user` is the local user whose process asks.
pub(super) async fn answer(
    node: &Arc<Node>,
    user: u32,
    request: Request,
    replies: &mpsc::Sender<Vec<u8>>,
) {
    let Request { id, actor, call } = request;
    if matches!(call, Call::Watch) {
        return super::watch::watch(node, id, replies).await;
    }
    // The one place where a call reads the clock: what it does, says and is called goes by this moment.
    let now_ms = now_ms();
    let outcome = match node.audited(user, actor, call, now_ms).await {
        Ok(answer) => Outcome::Done(answer),
        Err(refusal) => Outcome::Failed(refusal.with(format!("r{id}-{now_ms}"))),
    };
    // The client may have gone.
    let _ = replies.send(reply(id, outcome)).await;
}

/// A call that came to a part of this module which does not know it: a defect.
pub(super) fn misrouted() -> Refusal {
    Refusal::new(
        ErrorCode::Internal,
        "the call came to the wrong part of the daemon",
        "report this with the request's id",
    )
}

impl Node {
    fn actor(&self, call: &Call, actor: Option<String>) -> Result<Actor, Refusal> {
        if !call.is_care() {
            // Whoever is named stands in the audit trail, also where nobody needs to be.
            return Ok(match actor {
                Some(actor) => self.care.actor(&actor)?,
                None => Actor::administrator(),
            });
        }
        if !self.config.admin.care_commands {
            return Err(Refusal::new(
                ErrorCode::NotAllowed,
                "commands on this socket may not show or write care content: an administrator sees no health data",
                "for tests and demonstrations only, set care_commands = true in [admin] of maillon.toml and restart",
            ));
        }
        let Some(actor) = actor else {
            return Err(Refusal::new(
                ErrorCode::NotAllowed,
                "this needs the professional in whose name it is done",
                "add --as PROFESSIONAL; see `maillonctl professional list`",
            ));
        };
        Ok(self.care.actor(&actor)?)
    }

    /// Does what is asked, and leaves a line of the audit trail where the act itself commits nothing to carry it.
    async fn audited(
        self: &Arc<Self>,
        user: u32,
        actor: Option<String>,
        call: Call,
        now_ms: u64,
    ) -> Result<Answer, Refusal> {
        let actor = self.actor(&call, actor)?.asked_by(user);
        let action = trail::action(&call);
        let answer = self.call(&actor, call, now_ms).await?;
        if let Some(action) = action {
            self.leave_lines(actor.by(), action, trail::about(&answer))
                .await;
        }
        Ok(answer)
    }

    async fn call(
        self: &Arc<Self>,
        actor: &Actor,
        call: Call,
        now_ms: u64,
    ) -> Result<Answer, Refusal> {
        let by = actor.by();
        let care = &self.care;
        // Each in a box of its own: a request would else be as large as the largest of them, and be moved about.
        Ok(match call {
            Call::Status => Answer::Status(Box::pin(self.status(now_ms)).await),
            Call::Doctor => Answer::Checks(Box::pin(self.doctor(now_ms)).await),

            call @ (Call::PeerInvite
            | Call::PeerAccept { .. }
            | Call::PeerConfirm { .. }
            | Call::PeerReject { .. }
            | Call::PeerList
            | Call::PeerShow { .. }
            | Call::PeerTest { .. }
            | Call::PeerRetry { .. }
            | Call::PeerSuspend { .. }
            | Call::PeerResume { .. }
            | Call::PeerEnd { .. }
            | Call::PeerReplace { .. }) => Box::pin(self.peer_call(actor, call, now_ms)).await?,
            call @ (Call::CircleOpen { .. }
            | Call::CircleList { .. }
            | Call::CircleShow { .. }
            | Call::CircleInvite { .. }
            | Call::InvitationList { .. }
            | Call::InvitationCandidates { .. }
            | Call::CircleAccept { .. }
            | Call::CircleDecline { .. }
            | Call::CircleRemove { .. }
            | Call::CircleReplace { .. }
            | Call::CircleRotate { .. }
            | Call::CircleClose { .. }
            | Call::CircleReopen { .. }
            | Call::CircleCountLate { .. }
            | Call::CircleLeave { .. }
            | Call::CircleHandOver { .. }
            | Call::CircleDeputies { .. }
            | Call::CircleContinue { .. }
            | Call::CircleCarryOver { .. }
            | Call::CircleFinish { .. }
            | Call::CircleFinished
            | Call::CircleConfirm { .. }) => {
                Box::pin(self.circle_call(actor, call, now_ms)).await?
            }
            Call::Request(call) => Box::pin(self.request_call(actor, call)).await?,
            Call::Erasure(call) => Box::pin(self.erasure_call(actor, call)).await?,
            Call::Team(call) => Box::pin(self.team_call(actor, call)).await?,
            call @ (Call::ConsentRecord { .. }
            | Call::AlertSend { .. }
            | Call::AlertList { .. }
            | Call::AlertAnswer { .. }
            | Call::NoteAdd { .. }) => Box::pin(self.writing_call(actor, call, now_ms)).await?,
            call @ (Call::RecordList { .. }
            | Call::RecordShow { .. }
            | Call::RecordExport { .. }
            | Call::RecordVerify { .. }) => self.record_call(call)?,

            Call::ProfessionalAdd {
                name,
                rpps,
                profession,
            } => {
                let added = care
                    .add_professional(by, &name, rpps.as_deref(), profession.as_deref())
                    .await?;
                Answer::Professional(LocalProfessional {
                    id: added.id.to_string(),
                    professional: added.professional,
                })
            }
            Call::ProfessionalList => Answer::Professionals(
                care.professionals()?
                    .into_iter()
                    .map(|one| LocalProfessional {
                        id: one.id.to_string(),
                        professional: one.professional,
                    })
                    .collect(),
            ),

            Call::Account(call) => Box::pin(self.account_call(by, call, now_ms)).await?,

            call @ (Call::Import { .. }
            | Call::ImportBegin { .. }
            | Call::ImportPart { .. }
            | Call::ImportEnd { .. }) => Box::pin(self.import_call(actor, call)).await?,
            Call::Outbox => Answer::Outbox(care.outbox()?),
            Call::WorkerList => Answer::Workers(self.workers.list()),
            Call::WorkerSet {
                worker,
                tranquillity,
            } => {
                Box::pin(self.set_worker(by, &worker, tranquillity)).await?;
                Answer::Workers(self.workers.list())
            }
            Call::SyncCheck { circle, digest } => {
                let one = circle
                    .map(|circle| self.circle_named(&circle))
                    .transpose()?;
                Answer::SyncCheck(self.sync_check(one.as_ref(), digest)?)
            }
            Call::SyncRebuild => {
                Box::pin(self.rebuild()).await?;
                Answer::SyncCheck(self.sync_check(None, true)?)
            }
            Call::Checkpoint => Answer::Checkpoint(Box::pin(self.checkpoint(by, now_ms)).await?),
            Call::KeysShow => Answer::Keys(self.keys().await),
            Call::KeysRotate => {
                Box::pin(self.rotate_keys(by, now_ms)).await?;
                Answer::Keys(self.keys().await)
            }
            Call::KeysRevoke => {
                Box::pin(self.revoke_identity(by)).await?;
                Answer::Ok
            }
            call @ (Call::DocumentAdd { .. }
            | Call::DocumentPart { .. }
            | Call::DocumentEnd { .. }
            | Call::DocumentShow { .. }
            | Call::DocumentRead { .. }) => {
                Box::pin(super::documents::answer(self, actor, call)).await?
            }
            Call::AuditList {
                circle,
                since_ms,
                before,
                limit,
            } => {
                let circle = circle
                    .map(|circle| self.circle_named(&circle))
                    .transpose()?;
                let wanted = Wanted {
                    circle,
                    since_ms,
                    before,
                    limit: limit as usize,
                    ..Wanted::default()
                };
                Answer::Audit(Box::pin(self.audit_page(wanted)).await?)
            }
            Call::AuditVerify => Answer::AuditVerified(Box::pin(self.audit_verify()).await),
            Call::Watch => Answer::Ok,
        })
    }

    /// A copy is made beside what goes on; its line in the trail is in it.
    async fn checkpoint(&self, by: By, now_ms: u64) -> Result<Checkpoint, Refusal> {
        self.leave_lines(by, "node.checkpoint", vec![About::NOTHING])
            .await;
        let store = self.ledger.shared().rows().0.clone();
        // Whoever reads where it is may stand elsewhere.
        let dir = std::path::absolute(&self.dir).unwrap_or_else(|_| self.dir.clone());
        let made = tokio::task::spawn_blocking(move || checkpoint::make(&store, &dir, now_ms));
        let made = made.await.map_err(|_| {
            Refusal::new(
                ErrorCode::Internal,
                "making the copy broke off",
                "look at the log, then try again",
            )
        })?;
        let (folder, bytes) = made?;
        Ok(Checkpoint {
            folder: folder.display().to_string(),
            bytes,
        })
    }

    fn sync_check(
        &self,
        one: Option<&CircleId>,
        digest: bool,
    ) -> Result<Vec<CircleDigest>, Refusal> {
        let mut circles = self.ledger.shared().circles();
        circles.sort_by_key(|circle| circle.id());
        let mut answer = Vec::new();
        for circle in circles
            .iter()
            .filter(|circle| one.is_none_or(|one| circle.id() == *one))
        {
            answer.push(CircleDigest {
                circle: circle.id(),
                entry: circle.charter.number(),
                records: self.care.line(circle).records,
                digest: digest.then(|| self.care.digest(&circle.id())).transpose()?,
            });
        }
        Ok(answer)
    }
}
