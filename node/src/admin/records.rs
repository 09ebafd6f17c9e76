//! Records one by one: where a page goes on, why one cannot be shown, and what can be said of sealed bytes.

use maillon_protocol::{
    admin::{Answer, Call, ErrorCode, Exported, RecordPage, VerifiedRecord},
    cbor,
    circle::Reason,
    ids::{LogId, RecordId},
    record::{Header, Record},
    sign::Unverified,
    sync::SentRecord,
};

use super::{
    base64_text::{decode, encode},
    calls::misrouted,
    errors::Refusal,
};
use crate::{care::CareError, daemon::Node};

impl Node {
    /// Calls about records.
    pub(super) fn record_call(&self, call: Call) -> Result<Answer, Refusal> {
        let care = &self.care;
        Ok(match call {
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
            _ => return Err(misrouted()),
        })
    }

    fn verify_record(&self, sealed: &str) -> Result<VerifiedRecord, Refusal> {
        let wrong = |cause: String| {
            Refusal::new(
                ErrorCode::BadRequest,
                cause,
                "give the bytes as `maillonctl record export --sealed` wrote them",
            )
        };
        let bytes = decode(sealed).ok_or_else(|| wrong("not base64".to_owned()))?;
        let sent: SentRecord = cbor::decode(&bytes).map_err(|error| wrong(error.to_string()))?;
        let parsed =
            Unverified::<Header>::parse(sent.header.0).map_err(|error| wrong(error.to_string()))?;
        let (id, header) = (RecordId(parsed.id), parsed.object.clone());
        let verified = parsed.verify().ok();
        let signature = verified.is_some();
        let held = self
            .care
            .records_named(&id.to_string())?
            .first()
            .is_some_and(|found| *found == id && self.care.sealed(&id).is_ok());
        let shared = self.ledger.shared();
        let body = match (verified, shared.circle(&header.circle)) {
            (None, _) => "invalid",
            (Some(_), None) => "circle unknown",
            (Some(verified), Some(circle)) => {
                let record = Record {
                    header: verified,
                    body: (!sent.body.0.is_empty()).then_some(sent.body.0),
                };
                let granted = circle
                    .charter
                    .epoch_of(header.entry)
                    .is_some_and(|(epoch, hash)| {
                        hash == header.epoch && circle.charter.is_granted(&shared.own(), epoch)
                    });
                match circle.read(&record) {
                    Ok(_) => "opens",
                    Err(_) if !granted => "epoch not granted",
                    Err(Reason::NotOpened | Reason::NotGranted) => "epoch not opened",
                    Err(_) => "invalid",
                }
            }
        };
        let sentence = format!(
            "signature {}, {}, {}",
            if signature { "valid" } else { "not valid" },
            body,
            if held {
                "held at this node"
            } else {
                "not held at this node"
            },
        );
        Ok(VerifiedRecord {
            record: id,
            circle: header.circle,
            node: header.log.node,
            signature,
            held,
            body: body.to_owned(),
            sentence,
        })
    }
}

/// Why a record that is here cannot be shown.
fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::NotGranted => "its epoch is not granted to this node",
        Reason::NotOpened => "its epoch's key has not arrived yet",
        Reason::Invalid => "its body is not what its header says",
        Reason::KindUnknown => "its kind is newer than this node",
        Reason::Erased => "its body was erased",
        Reason::AfterRemoval => "it was written after its author's removal",
        Reason::Missing => {
            "its text has not come: whoever gave its header has erased it, other members are asked"
        }
    }
}

/// Where a page of records goes on.
fn parse_cursor(text: &str) -> Result<(LogId, u64), Refusal> {
    let wrong = || {
        Refusal::new(
            ErrorCode::BadRequest,
            "the page's mark is not one of ours",
            "start again without --after",
        )
    };
    let mut parts = text.split('/');
    let (Some(node), Some(incarnation), Some(sequence), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    Ok((
        LogId {
            node: node.parse().map_err(|_| wrong())?,
            incarnation: incarnation.parse().map_err(|_| wrong())?,
        },
        sequence.parse().map_err(|_| wrong())?,
    ))
}
