//! Names that people type: the beginning of an id, or a structure's name.

use maillon_protocol::{
    admin::{ErrorCode, LEAST_DIGITS, LEAST_RECORD_DIGITS, Relation},
    ids::{CircleId, InvitationId, NodeId, RecordId},
};

use super::errors::Refusal;
use crate::{
    care::CareError,
    daemon::Node,
    shortened::{self, Unclear},
};

const CIRCLES: &str = "maillonctl circle list";
const RECORDS: &str = "maillonctl record list CIRCLE";
const INVITATIONS: &str = "maillonctl circle invitations";
const PEERS: &str = "maillonctl peer list";

fn refused(why: Unclear, list: &str) -> Refusal {
    Refusal::new(why.code(), why.to_string(), why.action(list))
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
        let ids = all.iter().map(|circle| circle.id());
        shortened::one(text, "circle", ids, ToString::to_string)
            .map_err(|why| refused(why, CIRCLES))
    }

    pub(super) fn record_named(&self, text: &str) -> Result<RecordId, Refusal> {
        let typed = shortened::typed(text);
        let refused = |why| refused(why, RECORDS);
        shortened::long_enough(&typed, "record", LEAST_RECORD_DIGITS).map_err(refused)?;
        let found = self.care.records_named(&typed)?;
        shortened::only(found, "record", typed.chars().count()).map_err(refused)
    }

    pub(super) async fn invitation_named(&self, text: &str) -> Result<InvitationId, Refusal> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let all = self
            .ledger
            .run(|tx| tx.replica.incoming(tx.rows).map_err(CareError::from))
            .await
            .map_err(CareError::from)?;
        let ids = all.into_iter().map(|(id, _)| id);
        shortened::one(text, "invitation", ids, ToString::to_string)
            .map_err(|why| refused(why, INVITATIONS))
    }

    /// A node by its PeerId (or its end, which is what differs), or by its structure's name.
    pub(super) fn node_named(&self, text: &str) -> Result<NodeId, Refusal> {
        let names = self.care.names();
        let all: Vec<_> = (self.peering.peers().into_iter())
            .map(|(node, relation)| {
                let called = names.goes_by(&node, text);
                let over = matches!(
                    relation,
                    Relation::Ended | Relation::Replaced | Relation::Revoked
                );
                (node, called, over)
            })
            .collect();
        let own = self.ledger.shared().own();
        let is_own = text == own.to_string() || names.goes_by(&own, text);
        if is_own && !all.iter().any(|(_, called, _)| *called) {
            return Err(Refusal::new(
                ErrorCode::BadRequest,
                "this is the node itself, and another one is meant here",
                format!("see `{PEERS}`"),
            ));
        }
        peer(text, all.into_iter())
    }
}

/// The one of these nodes that is meant; each comes with whether it goes by this name, and whether its peering has ended. A peering that has
/// ended leaves its name to one that stands.
fn peer(text: &str, all: impl Iterator<Item = (NodeId, bool, bool)>) -> Result<NodeId, Refusal> {
    let given = text.chars().count();
    let begins_or_ends = |id: &str| {
        id == text || (given >= LEAST_DIGITS && (id.starts_with(text) || id.ends_with(text)))
    };
    let (over, standing): (Vec<_>, Vec<_>) = all
        .filter(|(node, called, _)| *called || begins_or_ends(&node.to_string()))
        .partition(|(.., ended)| *ended);
    let meant = if standing.is_empty() { over } else { standing };
    match meant.as_slice() {
        [(one, ..)] => Ok(*one),
        [_, _, ..] => Err(Refusal::new(
            ErrorCode::NotFound,
            "several peers have this name, or an id that begins or ends like this",
            format!("type more of the id, or its end, which no other node has; see `{PEERS}`"),
        )),
        [] if given < LEAST_DIGITS => Err(Refusal::new(
            ErrorCode::BadRequest,
            format!(
                "no peer has this name; an id may be shortened to {LEAST_DIGITS} characters at least, its first or its last ones, this has {given}"
            ),
            format!("type more of it, or the structure's whole name; see `{PEERS}`"),
        )),
        [] => Err(refused(Unclear::Nothing { what: "peer" }, PEERS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_named_by_its_structure_or_by_enough_of_one_id_only() {
        let (one, other) = (NodeId([7; 32]), NodeId([8; 32]));
        let among = |text: &str, called: bool| {
            peer(
                text,
                [(one, called, false), (other, false, false)].into_iter(),
            )
            .map_err(|refusal| (refusal.code, refusal.cause))
        };
        let whole = one.to_string();
        assert_eq!(among("DAC", true), Ok(one));
        assert_eq!(among(&whole, false), Ok(one));
        assert_eq!(among(&whole[whole.len() - 4..], false), Ok(one));

        // All ids of nodes begin with the same eight characters.
        let (code, cause) = among(&whole[..8], false).expect_err("two begin so");
        assert!(
            code == ErrorCode::NotFound && cause.contains("several peers"),
            "{cause}"
        );
        let (code, cause) = among(&whole[whole.len() - 3..], false).expect_err("too short");
        assert!(
            code == ErrorCode::BadRequest
                && cause.contains("4 characters at least")
                && cause.contains("this has 3"),
            "{cause}"
        );
        // A node that was set up anew goes by the name of the one before it.
        let ended = |both| {
            peer("DAC", [(one, true, both), (other, true, true)].into_iter())
                .map_err(|refusal| refusal.cause)
        };
        assert_eq!(ended(false), Ok(one));
        assert!(ended(true).is_err());
        assert_eq!(
            peer("DAC", [(other, true, true)].into_iter()).ok(),
            Some(other)
        );

        let (code, cause) = among("Cabinet", false).expect_err("nobody");
        assert_eq!(
            (code, cause.as_str()),
            (ErrorCode::NotFound, "no peer has this name")
        );
    }
}
