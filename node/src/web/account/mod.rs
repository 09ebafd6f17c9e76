//! Mon compte: one's sessions, password, recovery codes, and in whose name one acts.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maillon_protocol::ids::ThingId;

use super::{
    Site,
    door::{self, From, Who, go},
    fields::Fields,
    french::{self, Moment},
    problem::Problem,
    shell::{Place, Shell, html},
    sign_in::beside,
};
use crate::access::{AccessError, Password, PasswordFault};

/// A session in the list.
struct Session {
    number: u64,
    device: String,
    begun: Moment,
    used: Moment,
    locked: bool,
    own: bool,
}

/// A professional in whose name this account acts.
struct Situation {
    id: String,
    profession: String,
    structure: String,
    current: bool,
}

/// What is wrong, beside the fields.
#[derive(Default)]
struct Faults {
    before: String,
    next: &'static str,
    /// With what was typed a second time.
    again: &'static str,
    codes: String,
}

#[derive(Template)]
#[template(path = "account/page.html")]
struct Page<'a> {
    shell: Shell<'a>,
    login: &'a str,
    sessions: Vec<Session>,
    situations: Vec<Situation>,
    codes_left: usize,
    /// New ones, shown once.
    codes: Vec<String>,
    faults: Faults,
    done: &'static str,
}

fn build<'a>(
    site: &Site,
    who: &'a Who,
    now_ms: u64,
    codes: Vec<String>,
    faults: Faults,
    done: &'static str,
) -> Result<Page<'a>, Problem> {
    let access = &site.node.access;
    // As it is now: the request may have changed it.
    let id = who.account().id;
    let account = access.account(&id).ok_or_else(Problem::signed_out)?;
    let sessions = access.sessions(&id, now_ms).into_iter();
    let sessions = sessions.map(|line| Session {
        own: line.number == who.signed.number,
        number: line.number,
        begun: french::moment(line.begun_ms, now_ms),
        used: french::moment(line.used_ms, now_ms),
        device: line.device,
        locked: line.locked,
    });
    let mut situations = Vec::new();
    for situation in &account.situations {
        let actor = site
            .node
            .care
            .actor_of(*situation)
            .map_err(Problem::broken)?;
        let Some(actor) = actor else { continue };
        let profession = actor.professional.profession;
        situations.push(Situation {
            id: situation.to_string(),
            profession: profession.map_or_else(String::new, |code| code.label),
            structure: actor.professional.structure.name,
            current: who.signed.situation == Some(*situation),
        });
    }
    Ok(Page {
        shell: Shell::of(who, Place::Account, "Mon compte"),
        login: who.account().login.as_str(),
        sessions: sessions.collect(),
        situations,
        codes_left: account.recovery_left(),
        codes,
        faults,
        done,
    })
}

/// `GET /compte`
pub(super) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
) -> Result<Response, Problem> {
    let page = build(
        &site,
        &who,
        arrival.now_ms,
        Vec::new(),
        Faults::default(),
        "",
    )?;
    Ok(html(StatusCode::OK, &page))
}

/// What a wrong password at an open session is in words.
fn refusal(error: &AccessError) -> Option<(StatusCode, String)> {
    Some(match error {
        AccessError::Wrong => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Ce n’est pas votre mot de passe actuel.".to_owned(),
        ),
        AccessError::Wait { wait_s } => (
            StatusCode::TOO_MANY_REQUESTS,
            format!("Trop d’essais. Attendez {}.", french::wait(*wait_s)),
        ),
        AccessError::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Le serveur est très sollicité. Réessayez dans quelques secondes.".to_owned(),
        ),
        _ => return None,
    })
}

/// `POST /compte/mot-de-passe`
pub(super) async fn password(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    fields: Fields,
) -> Result<Response, Problem> {
    let typed = |name| Password::from(fields.get(name));
    let changed = if fields.get("next") == fields.get("again") {
        let (before, next) = (typed("before"), typed("next"));
        let access = &site.node.access;
        access
            .change_password(&who.token, before, next, &arrival)
            .await
    } else {
        Err(AccessError::Password(PasswordFault::Differ))
    };
    let mut faults = Faults::default();
    let (status, done) = match changed {
        Ok(()) => (
            StatusCode::OK,
            "Mot de passe changé. Vos autres sessions sont fermées.",
        ),
        Err(AccessError::Password(fault)) => {
            (faults.next, faults.again) = beside(fault);
            (StatusCode::UNPROCESSABLE_ENTITY, "")
        }
        Err(error) => {
            let (status, words) = refusal(&error).ok_or_else(|| Problem::from(error))?;
            faults.before = words;
            (status, "")
        }
    };
    let page = build(&site, &who, arrival.now_ms, Vec::new(), faults, done)?;
    Ok(html(status, &page))
}

/// `POST /compte/codes`
pub(super) async fn codes(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    fields: Fields,
) -> Result<Response, Problem> {
    let password = Password::from(fields.get("password"));
    let access = &site.node.access;
    let mut faults = Faults::default();
    let (status, codes) = match access.renew_codes(&who.token, password, &arrival).await {
        Ok(codes) => {
            let written = codes.iter().map(|code| code.written().to_string());
            (StatusCode::OK, written.collect())
        }
        Err(error) => {
            let (status, words) = refusal(&error).ok_or_else(|| Problem::from(error))?;
            faults.codes = words;
            (status, Vec::new())
        }
    };
    let page = build(&site, &who, arrival.now_ms, codes, faults, "")?;
    Ok(html(status, &page))
}

/// `POST /compte/sessions/fin`
pub(super) async fn end_session(
    State(site): State<Site>,
    who: Who,
    fields: Fields,
) -> Result<Response, Problem> {
    let access = &site.node.access;
    let id = who.account().id;
    let number: u64 = match fields.word("session") {
        "autres" => {
            let own = Some(who.signed.number);
            access.end_all(who.by(), id, own).await?;
            return Ok(go("/compte"));
        }
        number => number.parse().map_err(|_| Problem::not_understood())?,
    };
    match access.end(who.by(), id, number).await {
        // It has ended meanwhile: that was the wish.
        Ok(()) | Err(AccessError::Ended) => {}
        Err(error) => return Err(error.into()),
    }
    if number == who.signed.number {
        return Ok(door::signed_out(site.way));
    }
    Ok(go("/compte"))
}

/// `POST /compte/situation`
pub(super) async fn act_as(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    fields: Fields,
) -> Result<Response, Problem> {
    let situation: ThingId = fields
        .word("situation")
        .parse()
        .map_err(|_| Problem::not_understood())?;
    let access = &site.node.access;
    access.act_as(&who.token, situation, arrival.now_ms).await?;
    Ok(go("/").into_response())
}
