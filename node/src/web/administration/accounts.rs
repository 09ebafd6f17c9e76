//! Accounts: who signs in. An administrator makes them, gives a code once more, closes and opens them; nobody but its person knows a password.

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{Administrator, Tab};
use crate::{
    access::{AccessError, Account, AccountId, Code, Login, NewAccount},
    care::Actor,
    web::{
        Site,
        door::{From, Who, go},
        fields::Fields,
        french::{self, Moment},
        problem::Problem,
        shell::{self, Place, Shell, html},
    },
};

/// An account in the list.
struct Line {
    id: String,
    name: String,
    login: String,
    professions: String,
    administrator: bool,
    own: bool,
    closed: bool,
    class: &'static str,
    icon: &'static str,
    state: String,
}

#[derive(Template)]
#[template(path = "administration/accounts.html")]
struct Page<'a> {
    shell: Shell<'a>,
    tab: Tab,
    accounts: Vec<Line>,
    done: &'static str,
}

/// A professional who may be chosen.
struct Choice {
    id: String,
    name: String,
    profession: String,
    chosen: bool,
}

/// What is wrong with a field.
struct Fault {
    field: &'static str,
    said: &'static str,
}

#[derive(Template)]
#[template(path = "administration/account.html")]
struct FormPage<'a> {
    shell: Shell<'a>,
    name: &'a str,
    login: &'a str,
    people: Vec<Choice>,
    administers: bool,
    faults: Vec<Fault>,
}

impl FormPage<'_> {
    fn wrong(&self, field: &str) -> &'static str {
        let mut faults = self.faults.iter();
        faults
            .find(|one| one.field == field)
            .map_or("", |one| one.said)
    }

    fn is_wrong(&self, field: &str) -> bool {
        !self.wrong(field).is_empty()
    }
}

#[derive(Template)]
#[template(path = "administration/code.html")]
struct CodePage<'a> {
    shell: Shell<'a>,
    name: &'a str,
    login: &'a str,
    address: String,
    code: String,
    until: Moment,
}

/// What was done before this page.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    fait: String,
}

fn profession(actor: &Actor) -> String {
    let code = actor.professional.profession.as_ref();
    code.map_or_else(String::new, |code| french::small(&code.label))
}

/// How an account is, with its sign.
fn state(site: &Site, account: &Account, now_ms: u64) -> (&'static str, &'static str, String) {
    let said = |at_ms: u64| french::moment(at_ms, now_ms).said;
    if let Some(at_ms) = account.closed_ms {
        return ("", "lock", format!("Fermé {}", said(at_ms)));
    }
    match account.first_until_ms() {
        Some(until) if !account.has_password() && until > now_ms => {
            let until = french::moment(until, now_ms).exact;
            let words = format!("Attend sa première connexion (code valable jusqu’au {until})");
            return ("m-mark--wait", "hourglass", words);
        }
        _ if !account.has_password() => {
            let words = "Code expiré sans avoir servi".to_owned();
            return ("m-mark--warn", "warning", words);
        }
        _ => {}
    }
    let open = site.node.access.sessions(&account.id, now_ms).len();
    let seen = account.seen_ms.map_or_else(String::new, |at_ms| {
        format!(", dernière connexion {}", said(at_ms))
    });
    let sessions = match open {
        0 => "Actif, aucune session ouverte".to_owned(),
        _ => french::count(open, "session ouverte", "sessions ouvertes"),
    };
    ("m-mark--done", "check", sessions + &seen)
}

fn line(site: &Site, who: &Who, account: &Account, people: &[Actor], now_ms: u64) -> Line {
    let mine = people
        .iter()
        .filter(|one| account.situations.contains(&one.id));
    let professions: Vec<String> = mine.map(profession).filter(|one| !one.is_empty()).collect();
    let (class, icon, state) = state(site, account, now_ms);
    Line {
        id: account.id.to_string(),
        name: account.name.clone(),
        login: account.login.as_str().to_owned(),
        professions: professions.join(", "),
        administrator: account.administrator,
        own: account.id == who.account().id,
        closed: account.closed_ms.is_some(),
        class,
        icon,
        state,
    }
}

/// `GET /administration/comptes`
pub(in crate::web) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    Administrator(who): Administrator,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let people = site.node.care.professionals()?;
    let accounts = site.node.access.accounts();
    let page = Page {
        shell: Shell::of(&who, Place::Administration, "Comptes"),
        tab: Tab::Accounts,
        accounts: accounts
            .iter()
            .map(|one| line(&site, &who, one, &people, arrival.now_ms))
            .collect(),
        done: match asked.fait.as_str() {
            "ferme" => "Compte fermé.",
            "rouvert" => "Compte rouvert.",
            _ => "",
        },
    };
    Ok(html(StatusCode::OK, &page))
}

/// The name of a professional's box in the form.
fn field(actor: &Actor) -> String {
    format!("pro-{}", actor.id)
}

fn form_page<'a>(
    who: &'a Who,
    people: &[Actor],
    fields: &'a Fields,
    faults: Vec<Fault>,
) -> FormPage<'a> {
    let choice = |one: &Actor| Choice {
        id: one.id.to_string(),
        name: one.professional.name.clone(),
        profession: profession(one),
        chosen: !fields.word(&field(one)).is_empty(),
    };
    FormPage {
        shell: Shell::of(who, Place::Administration, "Nouveau compte"),
        name: fields.word("nom"),
        login: fields.word("identifiant"),
        people: people.iter().map(choice).collect(),
        administers: !fields.word("administre").is_empty(),
        faults,
    }
}

/// `GET /administration/comptes/nouveau`
pub(in crate::web) async fn form(
    State(site): State<Site>,
    Administrator(who): Administrator,
) -> Result<Response, Problem> {
    let people = site.node.care.professionals()?;
    let nothing = Fields::default();
    let page = form_page(&who, &people, &nothing, Vec::new());
    Ok(shell::form(false, &page))
}

/// What is wrong with what was typed, beside its field; the error again where it is no field's.
fn fault(error: AccessError) -> Result<Fault, AccessError> {
    let (field, said) = match error {
        AccessError::Login => (
            "identifiant",
            "Écrivez un identifiant de 3 à 64 signes\u{a0}: lettres sans accent, chiffres, point, tiret, tiret bas ou arobase.",
        ),
        AccessError::Taken => ("identifiant", "Un autre compte a déjà cet identifiant."),
        AccessError::Named => (
            "au-nom-de",
            "Un autre compte agit déjà au nom de ce professionnel\u{a0}: donnez-lui un nouveau code ou rouvrez-le.",
        ),
        AccessError::Name => ("nom", "Écrivez le nom de la personne."),
        AccessError::Nothing => (
            "au-nom-de",
            "Choisissez un professionnel, ou l’administration du nœud.",
        ),
        AccessError::TooMany("professionals of one account") => (
            "au-nom-de",
            "Un compte agit au nom de huit professionnels au plus.",
        ),
        other => return Err(other),
    };
    Ok(Fault { field, said })
}

/// `POST /administration/comptes/nouveau`
pub(in crate::web) async fn add(
    State(site): State<Site>,
    From(arrival): From,
    Administrator(who): Administrator,
    fields: Fields,
) -> Result<Response, Problem> {
    let people = site.node.care.professionals()?;
    let chosen = people
        .iter()
        .filter(|one| !fields.word(&field(one)).is_empty());
    let situations: Vec<_> = chosen.map(|one| one.id).collect();
    let administrator = !fields.word("administre").is_empty();
    let (login, unfit) = match Login::parse(fields.word("identifiant")) {
        Ok(login) => (Some(login), None),
        Err(error) => (None, Some(error)),
    };
    // All that is open at once; what else is wrong shows when it is tried.
    let open = [
        fields.word("nom").is_empty().then_some(AccessError::Name),
        unfit,
        (situations.is_empty() && !administrator).then_some(AccessError::Nothing),
    ];
    let faults = open.into_iter().flatten().map(fault);
    let faults: Vec<_> = faults.collect::<Result<_, _>>()?;
    let Some(login) = login.filter(|_| faults.is_empty()) else {
        let page = form_page(&who, &people, &fields, faults);
        return Ok(shell::form(true, &page));
    };
    let new = NewAccount {
        login,
        name: fields.word("nom").to_owned(),
        situations,
        administrator,
    };
    match site.node.access.add(who.by(), new).await {
        Ok((account, code)) => Ok(told(&site, &who, &account, &code, arrival.now_ms)),
        Err(error) => {
            let faults = vec![fault(error)?];
            let page = form_page(&who, &people, &fields, faults);
            Ok(shell::form(true, &page))
        }
    }
}

/// The code, shown once.
fn told(site: &Site, who: &Who, account: &Account, code: &Code, now_ms: u64) -> Response {
    let until = account.first_until_ms().unwrap_or(now_ms);
    let page = CodePage {
        shell: Shell::of(who, Place::Administration, "Code de première connexion"),
        name: &account.name,
        login: account.login.as_str(),
        address: site.node.pages().unwrap_or_default(),
        code: code.written().to_string(),
        until: french::moment(until, now_ms),
    };
    html(StatusCode::OK, &page)
}

/// `POST /administration/comptes/acte`
pub(in crate::web) async fn act(
    State(site): State<Site>,
    From(arrival): From,
    Administrator(who): Administrator,
    fields: Fields,
) -> Result<Response, Problem> {
    let access = &site.node.access;
    let id: AccountId = fields
        .word("compte")
        .parse()
        .map_err(|_| Problem::not_understood())?;
    match fields.word("acte") {
        "recommencer" => {
            let code = access.begin_again(who.by(), id).await?;
            let account = access.account(&id).ok_or_else(Problem::not_found)?;
            Ok(told(&site, &who, &account, &code, arrival.now_ms))
        }
        "fermer" => {
            access.close(who.by(), id, true).await?;
            Ok(go("/administration/comptes?fait=ferme"))
        }
        "rouvrir" => {
            access.close(who.by(), id, false).await?;
            Ok(go("/administration/comptes?fait=rouvert"))
        }
        _ => Err(Problem::not_understood()),
    }
}
