//! The structures that this node is linked with: how each stands, an invitation with its image, and the text of somebody else's.

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use data_encoding::BASE64;
use maillon_protocol::{admin::Relation, ids::NodeId, pairing::PairingError};
use qrcode::{QrCode, render::svg};
use serde::Deserialize;

use super::{Administrator, Tab, fingerprint, pairing, words};
use crate::{
    daemon::PeerSeen,
    peering::PeeringError,
    web::{
        Site,
        door::{From, Who, go},
        fields::Fields,
        french::{self, Moment},
        problem::Problem,
        shell::{self, Place, Shell, html},
    },
};

/// A structure in the list.
struct Line {
    node: String,
    name: String,
    fingerprint: String,
    class: &'static str,
    icon: &'static str,
    state: String,
    why: &'static str,
    waiting: String,
    retries: bool,
}

#[derive(Template)]
#[template(path = "administration/peers.html")]
struct Page<'a> {
    shell: Shell<'a>,
    tab: Tab,
    peers: Vec<Line>,
    pairings: Vec<pairing::Line>,
    done: &'static str,
}

#[derive(Template)]
#[template(path = "administration/invitation.html")]
struct InvitationPage<'a> {
    shell: Shell<'a>,
    pairing: &'a str,
    text: &'a str,
    /// The same text as an image; none where it is too long for one.
    image: Option<String>,
    until: Moment,
}

#[derive(Template)]
#[template(path = "administration/accept.html")]
struct AcceptPage<'a> {
    shell: Shell<'a>,
    fault: &'static str,
}

/// What was done before this page.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    fait: String,
}

/// How a structure stands, with its sign.
fn state(seen: &PeerSeen, now_ms: u64) -> (&'static str, &'static str, String) {
    let line = &seen.line;
    match line.relation {
        Relation::Suspended => ("m-mark--warn", "lock", "Liaison suspendue ici".to_owned()),
        Relation::Ended => ("", "close", "Liaison terminée ici".to_owned()),
        Relation::Replaced => ("", "refresh", "Remplacé par un autre nœud".to_owned()),
        Relation::Revoked => ("m-mark--warn", "warning", "Identité révoquée".to_owned()),
        Relation::Peer | Relation::Fellow if line.connected => {
            let by = line.relay.as_ref();
            let by = by.map_or_else(String::new, |relay| {
                format!(", par un relais\u{a0}: {relay}")
            });
            ("m-mark--done", "check", format!("Joignable{by}"))
        }
        Relation::Peer | Relation::Fellow => {
            let words = match line.last_seen_ms {
                Some(at_ms) => format!(
                    "Injoignable, vu pour la dernière fois {}",
                    french::moment(at_ms, now_ms).said
                ),
                None => "Injoignable depuis le démarrage de ce nœud".to_owned(),
            };
            ("m-mark--warn", "wifi-off", words)
        }
    }
}

fn line(seen: &PeerSeen, now_ms: u64) -> Line {
    let (class, icon, state) = state(seen, now_ms);
    let waiting = usize::try_from(seen.line.waiting).unwrap_or(usize::MAX);
    Line {
        node: seen.line.node.to_string(),
        name: seen.line.structure.clone(),
        fingerprint: fingerprint(&seen.line.node),
        class,
        icon,
        state,
        why: seen.trouble.as_ref().map_or("", words::trouble),
        waiting: match waiting {
            0 => String::new(),
            _ => french::count(waiting, "envoi l’attend.", "envois l’attendent."),
        },
        retries: !seen.line.connected
            && matches!(seen.line.relation, Relation::Peer | Relation::Fellow),
    }
}

/// `GET /administration/structures`
pub(in crate::web) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    Administrator(who): Administrator,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let (node, now_ms) = (&site.node, arrival.now_ms);
    let seen = node.peers_seen(now_ms).await;
    // What has become a peer stands among the peers.
    let pairings = node.peering.pairings(now_ms).into_iter();
    let page = Page {
        shell: Shell::of(&who, Place::Administration, "Structures reliées"),
        tab: Tab::Peers,
        peers: seen.iter().map(|one| line(one, now_ms)).collect(),
        pairings: pairings
            .filter(|one| !one.paired)
            .map(pairing::Line::from)
            .collect(),
        done: match asked.fait.as_str() {
            "essai" => "Nouvel essai en cours.",
            _ => "",
        },
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /administration/structures/essai`
pub(in crate::web) async fn retry(
    State(site): State<Site>,
    Administrator(who): Administrator,
    fields: Fields,
) -> Result<Response, Problem> {
    let node: NodeId = fields
        .word("noeud")
        .parse()
        .map_err(|_| Problem::not_understood())?;
    match site.node.try_again(who.by(), node).await {
        Ok(()) => Ok(go("/administration/structures?fait=essai")),
        Err(PeeringError::NotAPeer) => Err(Problem::not_found()),
        Err(error) => Err(Problem::broken(error)),
    }
}

/// A text as an image that a camera reads; none where it is too long for one.
fn image(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let drawn = code
        .render::<svg::Color<'_>>()
        .min_dimensions(320, 320)
        .build();
    let bytes = BASE64.encode(drawn.as_bytes());
    Some(format!("data:image/svg+xml;base64,{bytes}"))
}

/// `POST /administration/structures/inviter`
pub(in crate::web) async fn invite(
    State(site): State<Site>,
    From(arrival): From,
    Administrator(who): Administrator,
) -> Result<Response, Problem> {
    let made = site.node.peering.invite(who.by()).await;
    let made = made.map_err(|error| match error {
        PeeringError::NoAddress => Problem::no_address(),
        PeeringError::TooMany(_) => Problem::too_many_pairings(),
        other => Problem::broken(other),
    })?;
    let page = InvitationPage {
        shell: Shell::of(&who, Place::Administration, "Invitation"),
        pairing: &made.pairing,
        text: &made.text,
        image: image(&made.text),
        until: french::moment(made.expires_ms, arrival.now_ms),
    };
    Ok(html(StatusCode::OK, &page))
}

fn form(who: &Who, fault: &'static str) -> Response {
    let page = AcceptPage {
        shell: Shell::of(who, Place::Administration, "Accepter une invitation"),
        fault,
    };
    shell::form(!fault.is_empty(), &page)
}

/// `GET /administration/structures/accepter`
pub(in crate::web) async fn accept_form(Administrator(who): Administrator) -> Response {
    form(&who, "")
}

/// `POST /administration/structures/accepter`
pub(in crate::web) async fn accept(
    State(site): State<Site>,
    Administrator(who): Administrator,
    fields: Fields,
) -> Result<Response, Problem> {
    let text = fields.word("texte");
    let pairing = match site.node.peering.accept(who.by(), text).await {
        Ok(pairing) => pairing.pairing,
        // It goes on: the page of the pairing says how far it is.
        Err(PeeringError::NotYet { pairing, .. }) => pairing,
        Err(PeeringError::Invitation(_)) => {
            return Ok(form(
                &who,
                "Ce texte n’est pas une invitation entière\u{a0}: collez-la du premier au dernier caractère.",
            ));
        }
        Err(PeeringError::Pairing(error)) => return Ok(form(&who, refused(&error))),
        Err(PeeringError::TooMany(_)) => return Err(Problem::too_many_pairings()),
        Err(error) => return Err(Problem::broken(error)),
    };
    Ok(go(&format!("/administration/appairages/{pairing}")))
}

/// Why an invitation is not accepted.
pub(super) const fn refused(error: &PairingError) -> &'static str {
    match error {
        PairingError::Itself => {
            "Cette invitation vient de ce nœud même\u{a0}: c’est l’autre structure qui l’accepte."
        }
        PairingError::Expired => "Cette invitation a expiré. Demandez-en une nouvelle.",
        PairingError::Taken => {
            "Cette invitation a déjà servi. Si ce n’est pas par vous, prévenez l’autre structure, et demandez-en une nouvelle."
        }
        PairingError::Unknown | PairingError::Ended(_) => {
            "Cette invitation ne vaut plus. Demandez-en une nouvelle."
        }
        PairingError::Version(_) => {
            "Les deux nœuds n’ont pas la même version\u{a0}: mettez le plus ancien à jour."
        }
        _ => {
            "L’autre nœud n’a pas pu prouver que cette invitation est la sienne. Demandez-en une nouvelle."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_fits_an_image_and_a_book_does_not() {
        let shown = image(&"MAILLON".repeat(60)).expect("an image");
        assert!(shown.starts_with("data:image/svg+xml;base64,"));
        assert!(image(&"maillon".repeat(1000)).is_none());
    }
}
