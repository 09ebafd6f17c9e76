//! What each call does.

use std::sync::Arc;

use maillon_protocol::{
    admin::{
        Answer, Call, Candidates, CircleDigest, ErrorCode, Exported, LocalProfessional, Outcome,
        Peers, RecordPage, Request, Written as WrittenAnswer,
    },
    content::{Alert, Consent},
    ids::CircleId,
    replica::Written,
};
use tokio::sync::mpsc;

use super::{
    base64_text::encode,
    errors::Refusal,
    records::{parse_cursor, reason_words},
    server::reply,
    trail,
};
use crate::{
    audit::Wanted,
    care::{Actor, CareError},
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

fn written(circle: CircleId, written: Written) -> Answer {
    Answer::Written(WrittenAnswer {
        circle,
        record: written.record,
        thing: written.thing,
    })
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
            self.leave_line(actor.by(), action, trail::about(&answer))
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
        Ok(match call {
            Call::Status => Answer::Status(self.status(now_ms).await),
            Call::Doctor => Answer::Checks(self.doctor().await),

            Call::PeerInvite => Answer::PeerInvitation(self.peering.invite(by).await?),
            Call::PeerAccept { invitation } => {
                Answer::Pairing(self.peering.accept(by, &invitation).await?)
            }
            Call::PeerConfirm { pairing, words } => {
                Answer::Pairing(self.peering.confirm(by, &pairing, &words).await?)
            }
            Call::PeerReject { pairing } => {
                Answer::Pairing(self.peering.reject(by, &pairing).await?)
            }
            Call::PeerList => Answer::Peers(Peers {
                peers: self.peer_lines(now_ms).await,
                // What has become a peer stands among the peers.
                pairings: self
                    .peering
                    .pairings(now_ms)
                    .into_iter()
                    .filter(|one| !one.paired)
                    .collect(),
            }),
            Call::PeerShow { peer } => {
                Answer::Peer(self.peer(&self.node_named(&peer)?, now_ms).await?)
            }
            Call::PeerTest { peer } => {
                let node = self.node_named(&peer)?;
                let _ = self.network.retry(node).await;
                self.wait_connected(&node).await;
                Answer::Peer(self.peer(&node, now_ms).await?)
            }
            Call::PeerRetry { peer } => {
                let nodes = match peer {
                    Some(peer) => vec![self.node_named(&peer)?],
                    None => self
                        .peering
                        .peers()
                        .into_iter()
                        .map(|(node, _)| node)
                        .collect(),
                };
                for node in nodes {
                    let _ = self.network.retry(node).await;
                }
                Answer::Ok
            }
            Call::PeerSuspend { peer } => {
                self.peering.suspend(by, &self.node_named(&peer)?).await?;
                Answer::Ok
            }
            Call::PeerResume { peer } => {
                self.peering.resume(by, &self.node_named(&peer)?).await?;
                Answer::Ok
            }
            Call::PeerEnd { peer } => {
                self.peering.end(by, &self.node_named(&peer)?).await?;
                Answer::Ok
            }

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

            Call::ConsentRecord {
                circle,
                kind,
                decision,
                answered_by,
                how,
            } => {
                let circle = self.circle_named(&circle)?;
                let consent = Consent {
                    kind,
                    decision,
                    answered_by,
                    how,
                };
                written(circle, care.record_consent(actor, circle, consent).await?)
            }

            Call::CircleOpen { identity } => {
                let circle = care.open_circle(actor, identity).await?;
                Answer::Circle(care.show(&circle)?)
            }
            Call::CircleList { after, limit } => {
                let after = after.map(|after| self.circle_named(&after)).transpose()?;
                Answer::Circles(care.circles(after.as_ref(), limit as usize))
            }
            Call::CircleShow { circle, before } => {
                let before = before.map(|mark| mark.parse()).transpose()?;
                Answer::Circle(care.show_before(&self.circle_named(&circle)?, before)?)
            }
            Call::CircleInvite {
                circle,
                peer,
                reason,
                grant,
            } => {
                let circle = self.circle_named(&circle)?;
                let to = self.node_named(&peer)?;
                let id = care.invite(actor, circle, to, reason, grant).await?;
                let all = self.invitations(now_ms).await?;
                let line = all.into_iter().find(|line| line.invitation == id);
                Answer::Invitation(line.ok_or_else(|| {
                    Refusal::new(
                        ErrorCode::Internal,
                        "the invitation is not there",
                        "see `maillonctl circle invitations`",
                    )
                })?)
            }
            Call::InvitationList => Answer::Invitations(self.invitations(now_ms).await?),
            Call::InvitationCandidates { invitation } => {
                let id = self.invitation_named(&invitation).await?;
                let (identity, candidates) = care.candidates(id).await?;
                Answer::Candidates(Candidates {
                    identity,
                    candidates,
                })
            }
            Call::CircleAccept {
                invitation,
                same_as,
            } => {
                let id = self.invitation_named(&invitation).await?;
                let same_as = same_as
                    .map(|circle| self.circle_named(&circle))
                    .transpose()?;
                care.accept(actor, id, same_as).await?;
                Answer::Ok
            }
            Call::CircleDecline { invitation } => {
                let id = self.invitation_named(&invitation).await?;
                care.decline(actor, id).await?;
                Answer::Ok
            }
            Call::CircleRemove {
                circle,
                member,
                reason,
            } => {
                let circle = self.circle_named(&circle)?;
                care.remove(actor, circle, self.node_named(&member)?, reason)
                    .await?;
                Answer::Ok
            }
            Call::CircleRotate { circle, reason } => {
                care.rotate(actor, self.circle_named(&circle)?, reason)
                    .await?;
                Answer::Ok
            }
            Call::CircleClose { circle, reason } => {
                care.close(actor, self.circle_named(&circle)?, reason)
                    .await?;
                Answer::Ok
            }

            Call::AlertSend {
                circle,
                severity,
                text,
                to,
                within_s,
            } => {
                let circle = self.circle_named(&circle)?;
                let addressees = to
                    .iter()
                    .map(|to| self.node_named(to))
                    .collect::<Result<Vec<_>, _>>()?;
                let answer_by_ms = if within_s == 0 {
                    0
                } else {
                    now_ms.saturating_add(within_s.saturating_mul(1000))
                };
                let alert = Alert {
                    severity,
                    text,
                    addressees,
                    answer_by_ms,
                };
                written(circle, care.send_alert(actor, circle, alert).await?)
            }
            Call::AlertAnswer {
                alert,
                step,
                comment,
            } => {
                let alert = self.record_named(&alert)?;
                let answer = care.answer_alert(actor, alert, step, comment).await?;
                let circle = care
                    .view(&answer.record)?
                    .map_or(CircleId([0; 32]), |view| view.circle);
                written(circle, answer)
            }
            Call::NoteAdd {
                circle,
                note,
                text,
                emergency,
            } => {
                let circle = self.circle_named(&circle)?;
                written(
                    circle,
                    care.add_note(actor, circle, note, text, emergency).await?,
                )
            }

            Call::RecordList {
                circle,
                after,
                limit,
            } => {
                let circle = self.circle_named(&circle)?;
                let after = after.map(|text| parse_cursor(&text)).transpose()?;
                let (records, next) = care.records(&circle, after, limit as usize)?;
                let next = next
                    .map(|(log, sequence)| format!("{}/{}/{sequence}", log.node, log.incarnation));
                Answer::Records(RecordPage { records, next })
            }
            Call::RecordShow { record } => {
                let id = self.record_named(&record)?;
                match care.view(&id)? {
                    Some(view) => Answer::Record(view),
                    None => {
                        let why = care.unreadable(&id)?.map_or("it is not here", reason_words);
                        return Err(Refusal::new(
                            ErrorCode::Conflict,
                            format!("the record cannot be shown: {why}"),
                            "see `maillonctl circle show CIRCLE`",
                        ));
                    }
                }
            }
            Call::RecordExport { record, sealed } => {
                let id = self.record_named(&record)?;
                let content = if sealed {
                    encode(&care.sealed(&id)?)
                } else {
                    let view = care.view(&id)?.ok_or(CareError::NoRecord)?;
                    serde_json::to_string(&view).map_err(|error| {
                        Refusal::new(
                            ErrorCode::Internal,
                            error.to_string(),
                            "report this with the request's id",
                        )
                    })?
                };
                Answer::Exported(Exported {
                    record: id,
                    content,
                })
            }
            Call::RecordVerify { sealed } => Answer::Verified(self.verify_record(&sealed)?),

            Call::Import { content, dry_run } => {
                Answer::Imported(self.import(actor, &content, dry_run).await?)
            }
            Call::Outbox => Answer::Outbox(care.outbox()?),
            Call::WorkerList => Answer::Workers(self.workers.list()),
            Call::WorkerSet {
                worker,
                tranquillity,
            } => {
                self.set_worker(by, &worker, tranquillity).await?;
                Answer::Workers(self.workers.list())
            }
            Call::SyncCheck { circle, digest } => {
                let one = circle
                    .map(|circle| self.circle_named(&circle))
                    .transpose()?;
                Answer::SyncCheck(self.sync_check(one.as_ref(), digest)?)
            }
            Call::SyncRebuild => {
                self.rebuild().await?;
                Answer::SyncCheck(self.sync_check(None, true)?)
            }
            Call::KeysShow => Answer::Keys(self.keys().await),
            Call::KeysRotate => {
                self.rotate_keys(by, now_ms).await?;
                Answer::Keys(self.keys().await)
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
                };
                Answer::Audit(self.audit_page(wanted)?)
            }
            Call::AuditVerify => Answer::AuditVerified(self.audit_verify().await),
            Call::DocumentAdd { .. } | Call::DocumentSave { .. } => {
                return Err(Refusal::new(
                    ErrorCode::BadRequest,
                    "this version keeps no attachments yet",
                    "write a note instead",
                ));
            }
            Call::Watch => Answer::Ok,
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
