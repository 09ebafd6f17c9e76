//! The door, as a browser sees it: sign in, the first time, with a recovery code, and again after a while without anybody.

use super::{
    Site,
    door::{self, From, Who, go, safe_return, with_return},
    fields::Fields,
    french,
    problem::Problem,
    shell::{Shell, html},
};
use crate::access::{AccessError, Code, Login, Password, PasswordFault, SignIn};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};

/// Where to go on afterwards, as an address says.
fn back(uri: &Uri) -> String {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or("").as_bytes());
    let found = pairs.find(|(name, _)| name == "retour");
    found.map_or_else(|| "/".to_owned(), |(_, path)| safe_return(&path).to_owned())
}

/// What each page outside shows of the structure.
struct Door {
    structure: String,
    /// How its administrator is reached.
    help: String,
}

impl Door {
    fn of(site: &Site) -> Self {
        let structure = &site.node.config.structure;
        Self {
            structure: structure.name.clone(),
            help: structure.administrator.clone(),
        }
    }
}

/// What is wrong with a form, beside its fields.
#[derive(Default)]
struct Faults {
    whole: String,
    next: &'static str,
    /// With what was typed a second time.
    again: &'static str,
}

/// What was typed and is nobody's, where one comes in with a password, with a code, and at a locked page.
const WRONG: &str =
    "Identifiant ou mot de passe incorrect. Vérifiez les majuscules et recommencez.";
const WRONG_CODE: &str = "Identifiant ou code incorrect. Chaque code sert une seule fois\u{a0}: vérifiez-le et recommencez.";
const WRONG_LOCKED: &str = "Mot de passe incorrect. Vérifiez les majuscules et recommencez.";

#[derive(Template)]
#[template(path = "sign_in/page.html")]
struct Page<'a> {
    shell: Shell<'a>,
    door: Door,
    login: &'a str,
    back: &'a str,
    faults: Faults,
}

#[derive(Template)]
#[template(path = "sign_in/code.html")]
struct CodePage<'a> {
    shell: Shell<'a>,
    door: Door,
    first: bool,
    login: &'a str,
    code: &'a str,
    faults: Faults,
}

#[derive(Template)]
#[template(path = "sign_in/codes.html")]
struct CodesPage<'a> {
    shell: Shell<'a>,
    door: Door,
    codes: Vec<String>,
    locks_in_ms: u64,
}

#[derive(Template)]
#[template(path = "sign_in/locked.html")]
struct LockedPage<'a> {
    shell: Shell<'a>,
    door: Door,
    name: &'a str,
    back: &'a str,
    faults: Faults,
}

/// What a refusal is in words, with the status that it has; none for what is no fault of the person. `wrong` is what is said of what is nobody's.
fn refusal(error: &AccessError, wrong: &str) -> Option<(StatusCode, Faults)> {
    let whole = |text: &str| Faults {
        whole: text.to_owned(),
        ..Faults::default()
    };
    Some(match error {
        AccessError::Wrong | AccessError::Login => (StatusCode::UNAUTHORIZED, whole(wrong)),
        AccessError::Wait { wait_s } => (
            StatusCode::TOO_MANY_REQUESTS,
            whole(&format!(
                "Trop d’essais. Attendez {}. Un code de secours vous ouvre la porte sans attendre.",
                french::wait(*wait_s)
            )),
        ),
        AccessError::Closed => (
            StatusCode::FORBIDDEN,
            whole(
                "Ce compte est fermé. Demandez à l’administrateur de votre structure de le rouvrir.",
            ),
        ),
        AccessError::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            whole(
                "Beaucoup de personnes se connectent en ce moment. Réessayez dans quelques secondes.",
            ),
        ),
        AccessError::Password(fault) => {
            let (next, again) = beside(*fault);
            let faults = Faults {
                next,
                again,
                ..Faults::default()
            };
            (StatusCode::UNPROCESSABLE_ENTITY, faults)
        }
        _ => return None,
    })
}

/// What is wrong with a new password, beside it and beside what was typed a second time.
pub(super) const fn beside(fault: PasswordFault) -> (&'static str, &'static str) {
    match fault {
        PasswordFault::Differ => ("", password_fault(fault)),
        _ => (password_fault(fault), ""),
    }
}

/// The same in words.
const fn password_fault(fault: PasswordFault) -> &'static str {
    match fault {
        PasswordFault::Short => "Au moins 12 caractères. Plusieurs mots se retiennent bien.",
        PasswordFault::Long => "128 caractères au plus.",
        PasswordFault::Simple => {
            "Ce mot de passe se devine facilement. Choisissez plusieurs mots sans lien entre eux."
        }
        PasswordFault::Own => "Le mot de passe ne doit pas contenir votre nom.",
        PasswordFault::Differ => "Les deux saisies ne sont pas identiques.",
    }
}

/// `GET /connexion`
pub(super) async fn page(
    State(site): State<Site>,
    headers: HeaderMap,
    From(arrival): From,
    uri: Uri,
) -> Response {
    // Who is signed in already goes on.
    if let Some(token) = door::token(&headers, site.way)
        && site
            .node
            .access
            .who(&token, false, arrival.now_ms)
            .is_some()
    {
        return go(&back(&uri));
    }
    html(
        StatusCode::OK,
        &form(&site, "", &back(&uri), Faults::default()),
    )
}

fn form<'a>(site: &Site, login: &'a str, back: &'a str, faults: Faults) -> Page<'a> {
    Page {
        shell: Shell::outside("Connexion"),
        door: Door::of(site),
        login,
        back: safe_return(back),
        faults,
    }
}

/// `POST /connexion`
pub(super) async fn enter(
    State(site): State<Site>,
    From(arrival): From,
    fields: Fields,
) -> Result<Response, Problem> {
    let (login, back) = (fields.word("login"), fields.get("retour"));
    let way = SignIn::Password(Password::from(fields.get("password")));
    let done = match Login::parse(login) {
        Ok(login) => site.node.access.sign_in(&login, way, &arrival).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(signed) => Ok(door::set(
            go(safe_return(back)),
            site.way,
            Some(&signed.token),
        )),
        Err(error) => {
            let (status, faults) = refusal(&error, WRONG).ok_or_else(|| Problem::from(error))?;
            Ok(html(status, &form(&site, login, back, faults)))
        }
    }
}

fn code_form<'a>(site: &Site, first: bool, fields: &'a Fields, faults: Faults) -> CodePage<'a> {
    CodePage {
        shell: Shell::outside(if first {
            "Première connexion"
        } else {
            "Code de secours"
        }),
        door: Door::of(site),
        first,
        login: fields.word("login"),
        code: fields.word("code"),
        faults,
    }
}

/// `GET /premiere-connexion`
pub(super) async fn first_page(State(site): State<Site>) -> Response {
    html(
        StatusCode::OK,
        &code_form(&site, true, &Fields::default(), Faults::default()),
    )
}

/// `GET /secours`
pub(super) async fn recovery_page(State(site): State<Site>) -> Response {
    html(
        StatusCode::OK,
        &code_form(&site, false, &Fields::default(), Faults::default()),
    )
}

/// `POST /premiere-connexion`
pub(super) async fn first(
    State(site): State<Site>,
    From(arrival): From,
    fields: Fields,
) -> Result<Response, Problem> {
    by_code(&site, &arrival, &fields, true).await
}

/// `POST /secours`
pub(super) async fn recover(
    State(site): State<Site>,
    From(arrival): From,
    fields: Fields,
) -> Result<Response, Problem> {
    by_code(&site, &arrival, &fields, false).await
}

async fn by_code(
    site: &Site,
    arrival: &crate::access::Arrival,
    fields: &Fields,
    first: bool,
) -> Result<Response, Problem> {
    let code = Code::read(fields.get("code"));
    let next = Password::from(fields.get("next"));
    let done = match Login::parse(fields.word("login")) {
        Ok(_) if fields.get("next") != fields.get("again") => {
            Err(AccessError::Password(PasswordFault::Differ))
        }
        Ok(login) => {
            let way = if first {
                SignIn::First { code, next }
            } else {
                SignIn::Recovery { code, next }
            };
            site.node.access.sign_in(&login, way, arrival).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(signed) if signed.codes.is_empty() => {
            Ok(door::set(go("/compte"), site.way, Some(&signed.token)))
        }
        Ok(signed) => {
            let page = CodesPage {
                shell: Shell::outside("Vos codes de secours"),
                door: Door::of(site),
                codes: signed
                    .codes
                    .iter()
                    .map(|code| code.written().to_string())
                    .collect(),
                locks_in_ms: site.node.config.web.limits().idle_ms,
            };
            Ok(door::set(
                html(StatusCode::OK, &page),
                site.way,
                Some(&signed.token),
            ))
        }
        Err(error) => {
            let (status, faults) =
                refusal(&error, WRONG_CODE).ok_or_else(|| Problem::from(error))?;
            Ok(html(status, &code_form(site, first, fields, faults)))
        }
    }
}

/// `GET /deverrouiller`
pub(super) async fn locked_page(
    State(site): State<Site>,
    headers: HeaderMap,
    From(arrival): From,
    uri: Uri,
) -> Response {
    let access = &site.node.access;
    let signed =
        door::token(&headers, site.way).and_then(|token| access.who(&token, false, arrival.now_ms));
    let Some(signed) = signed else {
        return go(&with_return("/connexion", &back(&uri)));
    };
    if signed.state == crate::access::State::Open {
        return go(&back(&uri));
    }
    let back = back(&uri);
    let page = locked(&site, &signed.account.name, &back, Faults::default());
    html(StatusCode::OK, &page)
}

fn locked<'a>(site: &Site, name: &'a str, back: &'a str, faults: Faults) -> LockedPage<'a> {
    LockedPage {
        shell: Shell::outside("Session verrouillée"),
        door: Door::of(site),
        name,
        back: safe_return(back),
        faults,
    }
}

/// `POST /deverrouiller`
pub(super) async fn unlock(
    State(site): State<Site>,
    headers: HeaderMap,
    From(arrival): From,
    fields: Fields,
) -> Result<Response, Problem> {
    let access = &site.node.access;
    let back = fields.get("retour");
    let token = door::token(&headers, site.way);
    let found = token.and_then(|token| {
        let signed = access.who(&token, false, arrival.now_ms)?;
        Some((signed, token))
    });
    let Some((signed, token)) = found else {
        return Ok(go(&with_return("/connexion", safe_return(back))));
    };
    let password = Password::from(fields.get("password"));
    match access.unlock(&token, password, &arrival).await {
        Ok(fresh) => Ok(door::set(go(safe_return(back)), site.way, Some(&fresh))),
        Err(AccessError::Ended) => Ok(go(&with_return("/connexion", safe_return(back)))),
        Err(error) => {
            let (status, faults) =
                refusal(&error, WRONG_LOCKED).ok_or_else(|| Problem::from(error))?;
            Ok(html(
                status,
                &locked(&site, &signed.account.name, back, faults),
            ))
        }
    }
}

/// `POST /verrouiller`
pub(super) async fn lock(State(site): State<Site>, who: Who) -> Response {
    site.node.access.lock(&who.token);
    go("/deverrouiller")
}

/// `POST /deconnexion`
pub(super) async fn out(State(site): State<Site>, who: Who) -> Result<Response, Problem> {
    let access = &site.node.access;
    let ended = access.end(who.by(), who.account().id, who.signed.number);
    match ended.await {
        Ok(()) | Err(AccessError::Ended) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(door::signed_out(site.way))
}
