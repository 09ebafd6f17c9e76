//! Names that people type: the beginning of an id, or a structure's name.

use maillon_protocol::{
    admin::ErrorCode,
    ids::{CircleId, InvitationId, NodeId, RecordId},
};

use super::errors::Refusal;
use crate::{care::CareError, daemon::Node};

/// The least that somebody must type of an id.
const LEAST: usize = 4;

fn one<T>(
    text: &str,
    what: &str,
    list: &str,
    mut found: impl Iterator<Item = T>,
) -> Result<T, Refusal> {
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Refusal::new(
            ErrorCode::NotFound,
            format!("no {what} has this name"),
            format!("see `{list}`"),
        )),
        (Some(_), Some(_)) => Err(Refusal::new(
            ErrorCode::NotFound,
            format!(
                "several {what}s begin with {} characters like these",
                text.len()
            ),
            "type more of its name".to_owned(),
        )),
    }
}

fn begins(text: &str, id: &str) -> bool {
    text.len() >= LEAST && id.starts_with(text)
}

impl Node {
    pub(super) fn circle_named(&self, text: &str) -> Result<CircleId, Refusal> {
        // Programs give whole names.
        if let Ok(id) = text.parse::<CircleId>()
            && self.ledger.shared().circle(&id).is_some()
        {
            return Ok(id);
        }
        let all = self.ledger.shared().circles();
        let found = all
            .iter()
            .map(|circle| circle.id())
            .filter(|id| begins(text, &id.to_string()));
        one(text, "circle", "maillonctl circle list", found)
    }

    pub(super) fn record_named(&self, text: &str) -> Result<RecordId, Refusal> {
        if text.len() < 12 {
            return Err(Refusal::new(
                ErrorCode::BadRequest,
                "a record is named by twelve digits of its id at least",
                "see `maillonctl record list CIRCLE`",
            ));
        }
        one(
            text,
            "record",
            "maillonctl record list CIRCLE",
            self.care.records_named(text)?.into_iter(),
        )
    }

    pub(super) async fn invitation_named(&self, text: &str) -> Result<InvitationId, Refusal> {
        let all = self
            .ledger
            .run(|tx| tx.replica.incoming(tx.rows).map_err(CareError::from))
            .await
            .map_err(CareError::from)?;
        let found = all
            .into_iter()
            .map(|(id, _)| id)
            .filter(|id| begins(text, &id.to_string()));
        one(text, "invitation", "maillonctl circle invitations", found)
    }

    /// A node by its PeerId (or its end, which is what differs), or by its structure's name.
    pub(super) fn node_named(&self, text: &str) -> Result<NodeId, Refusal> {
        let all = self.peering.peers();
        let names = self.care.names();
        let found: Vec<_> = all
            .into_iter()
            .map(|(node, _)| node)
            .filter(|node| {
                let id = node.to_string();
                id == text
                    || (text.len() >= LEAST && (id.ends_with(text) || id.starts_with(text)))
                    || names.goes_by(node, text)
            })
            .collect();
        one(text, "peer", "maillonctl peer list", found.into_iter())
    }
}
