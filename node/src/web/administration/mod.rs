//! The node's administration: how it is, who signs in, which structures it is linked with, and what was done. For whoever administers it, and without any patient.
//!
//! - `words`: checks, workers, troubles and acts in French

mod accounts;
mod journal;
mod overview;
mod pairing;
mod peers;
mod words;

pub(super) use accounts::{act, add, form as account_form, page as accounts};
pub(super) use journal::page as journal;
pub(super) use overview::{check, page as overview};
pub(super) use pairing::{decide, page as pairing};
pub(super) use peers::{accept, accept_form, invite, page as peers, retry};

use axum::{extract::FromRequestParts, http::request::Parts};
use maillon_protocol::{
    ids::{Hash, NodeId},
    pairing::Words,
};

use super::{Site, door::Who, problem::Problem};

/// Whoever administers the node: nobody else sees these pages.
pub(super) struct Administrator(pub(super) Who);

impl FromRequestParts<Site> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let who = Who::from_request_parts(parts, site).await?;
        if who.account().administrator {
            Ok(Self(who))
        } else {
            Err(Problem::reserved())
        }
    }
}

/// The pages of the administration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Overview,
    Accounts,
    Peers,
    Journal,
}

impl Tab {
    fn at(self, name: &str) -> bool {
        let own = match self {
            Self::Overview => "",
            Self::Accounts => "/comptes",
            Self::Peers => "/structures",
            Self::Journal => "/journal",
        };
        own == name
    }
}

/// Five words by which people tell a node from others: the same wherever it is shown.
fn fingerprint(node: &NodeId) -> String {
    Words::of(&Hash(*node.as_bytes())).to_string()
}
