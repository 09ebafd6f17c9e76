//! Two administrators link their nodes: five words are compared over the telephone, and both confirm.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use maillon_protocol::{admin::Pairing, pairing::PairingError};

use super::Administrator;
use crate::{
    peering::PeeringError,
    web::{
        Site,
        door::{From, Who, go},
        fields::Fields,
        french::{self, Moment},
        problem::Problem,
        shell::{Place, Shell, html},
    },
};

/// How far a pairing is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The other node has not come yet.
    Awaited,
    /// It is looked for.
    Sought,
    /// The words are there, and were not confirmed here.
    Ours,
    /// They were confirmed here.
    Theirs,
    /// Both have confirmed.
    Paired,
    /// It came to nothing.
    Over,
}

impl Step {
    const fn of(pairing: &Pairing) -> Self {
        match pairing {
            Pairing { paired: true, .. } => Self::Paired,
            Pairing {
                failed: Some(_), ..
            } => Self::Over,
            Pairing {
                confirmed_here: true,
                ..
            } => Self::Theirs,
            Pairing { words: Some(_), .. } => Self::Ours,
            Pairing { inviter: true, .. } => Self::Awaited,
            _ => Self::Sought,
        }
    }

    fn is_over(self) -> bool {
        self == Self::Over
    }

    fn is_paired(self) -> bool {
        self == Self::Paired
    }

    fn waits_for_us(self) -> bool {
        self == Self::Ours
    }

    const fn said(self) -> &'static str {
        match self {
            Self::Awaited => "L’autre structure n’a pas encore accepté l’invitation.",
            Self::Sought => "Ce nœud cherche l’autre, et continue jusqu’à la fin de l’invitation.",
            Self::Ours => "Les cinq mots attendent que vous les compariez.",
            Self::Theirs => "Confirmé ici. L’autre structure doit confirmer aussi.",
            Self::Paired => "Les deux structures sont reliées.",
            Self::Over => {
                "Cette mise en relation n’a pas abouti\u{a0}: elle a été refusée ou a expiré. Faites une nouvelle invitation."
            }
        }
    }
}

/// A pairing in the list.
pub(super) struct Line {
    pub(super) pairing: String,
    pub(super) name: String,
    pub(super) state: &'static str,
}

impl std::convert::From<Pairing> for Line {
    fn from(pairing: Pairing) -> Self {
        Self {
            state: Step::of(&pairing).said(),
            name: name(&pairing),
            pairing: pairing.pairing,
        }
    }
}

/// The structure, once it has said who it is.
fn name(pairing: &Pairing) -> String {
    pairing.structure.clone().unwrap_or_else(|| {
        let role = match pairing.inviter {
            true => "Invitation faite ici",
            false => "Invitation reçue",
        };
        role.to_owned()
    })
}

#[derive(Template)]
#[template(path = "administration/pairing.html")]
struct Page<'a> {
    shell: Shell<'a>,
    pairing: &'a str,
    name: String,
    structure: &'a str,
    state: Step,
    words: Vec<&'a str>,
    until: Moment,
    /// Other words were typed.
    wrong: bool,
}

fn shown(site: &Site, who: &Who, at: &str, now_ms: u64, wrong: bool) -> Result<Response, Problem> {
    let mut all = site.node.peering.pairings(now_ms).into_iter();
    let pairing = all.find(|one| one.pairing == at);
    let pairing = pairing.ok_or_else(Problem::not_found)?;
    let words = pairing.words.as_deref().unwrap_or_default();
    let page = Page {
        shell: Shell::of(who, Place::Administration, "Mise en relation"),
        pairing: &pairing.pairing,
        name: name(&pairing),
        structure: pairing.structure.as_deref().unwrap_or("l’autre structure"),
        state: Step::of(&pairing),
        words: words.split_whitespace().collect(),
        until: french::moment(pairing.expires_ms, now_ms),
        wrong,
    };
    let status = match wrong {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    Ok(html(status, &page))
}

/// `GET /administration/appairages/{pairing}`
pub(in crate::web) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    Administrator(who): Administrator,
    Path(at): Path<String>,
) -> Result<Response, Problem> {
    shown(&site, &who, &at, arrival.now_ms, false)
}

/// `POST /administration/appairages/{pairing}`
pub(in crate::web) async fn decide(
    State(site): State<Site>,
    From(arrival): From,
    Administrator(who): Administrator,
    Path(at): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let peering = &site.node.peering;
    let decided = match fields.word("reponse") {
        "confirmer" => peering.confirm(who.by(), &at, fields.word("mots")).await,
        "refuser" => peering.reject(who.by(), &at).await,
        _ => return Err(Problem::not_understood()),
    };
    match decided {
        Ok(_) => Ok(go(&format!("/administration/appairages/{at}"))),
        Err(PeeringError::Pairing(PairingError::OtherWords)) => {
            shown(&site, &who, &at, arrival.now_ms, true)
        }
        // Somebody was faster, or its time is over: the page says how it stands.
        Err(PeeringError::Pairing(_)) => shown(&site, &who, &at, arrival.now_ms, false),
        Err(PeeringError::Over | PeeringError::WhichPairing(_)) => Err(Problem::not_found()),
        Err(error) => Err(Problem::broken(error)),
    }
}
