//! The door: the first time, again, locked, out; and whoever tries it without a right.

use maillon_tests::{
    daemon::{Daemon, Settings},
    visitor::Visitor,
};

use crate::{LOGIN, NAME, PASSWORD, Story, ensure, first, folder, sign_in, with_a_nurse};

/// The recovery codes that a page shows.
fn codes(page: &str) -> Vec<String> {
    let parts = page.split("<code>").skip(1);
    let codes = parts.filter_map(|part| part.split_once("</code>"));
    codes.map(|(code, _)| code.to_owned()).collect()
}

#[test]
fn a_nurse_comes_in_with_the_code_that_she_was_given_and_from_then_on_with_her_password() -> Story {
    let root = folder()?;
    let (node, code) = with_a_nurse(&root)?;
    let origin = node.pages()?;
    let mut nurse = Visitor::new(&origin);

    let page = first(&mut nurse, &code.to_lowercase())?;
    ensure(page.status == 200 && codes(&page.text).len() == 10, || {
        page.text.clone()
    })?;
    let home = nurse.get("/")?;
    ensure(
        home.status == 200 && home.text.contains(NAME) && home.text.contains("Infirmier"),
        || home.text.clone(),
    )?;
    let page = nurse.post("/deconnexion", &[])?;
    ensure(page.leads_to() == "/connexion", || format!("{page:?}"))?;
    ensure(page.header("clear-site-data").contains("storage"), || {
        format!("{page:?}")
    })?;
    ensure(nurse.cookies.is_empty(), || format!("{nurse:?}"))?;

    let page = first(&mut nurse, &code)?;
    ensure(page.status == 401, || "the code is good once".to_owned())?;
    // The name may be as wrong as the code: both are marked.
    let marked = page.text.matches("aria-invalid=\"true\"").count();
    ensure(marked == 2, || page.text.clone())?;
    let page = sign_in(&mut nurse, "quelque chose d’autre")?;
    ensure(
        page.status == 401 && page.text.contains("incorrect") && page.text.contains(LOGIN),
        || page.text.clone(),
    )?;
    let page = sign_in(&mut nurse, PASSWORD)?;
    ensure(page.status == 303 && page.leads_to() == "/", || {
        format!("{page:?}")
    })?;
    let accounts = node.client()?.account_list()?;
    ensure(
        accounts[0].sessions == 1 && accounts[0].seen_ms.is_some(),
        || format!("{accounts:?}"),
    )
}

#[test]
fn a_page_that_was_asked_for_is_shown_after_signing_in_and_never_one_of_another_site() -> Story {
    let root = folder()?;
    let (node, code) = with_a_nurse(&root)?;
    let mut nurse = Visitor::new(&node.pages()?);
    first(&mut nurse, &code)?;
    nurse.post("/deconnexion", &[])?;

    let page = nurse.get("/compte?vue=1")?;
    ensure(
        page.leads_to() == "/connexion?retour=/compte%3Fvue%3D1",
        || format!("{page:?}"),
    )?;
    let form = nurse.get("/connexion?retour=/compte%3Fvue%3D1")?;
    ensure(form.text.contains("value=\"/compte?vue=1\""), || {
        form.text.clone()
    })?;
    let fields = [("login", LOGIN), ("password", PASSWORD)];
    for (back, to) in [
        ("/compte?vue=1", "/compte?vue=1"),
        ("//attaque.example", "/"),
        ("https://attaque.example/", "/"),
        ("/\\attaque.example", "/"),
    ] {
        let mut other = Visitor::new(&node.pages()?);
        let fields = [fields[0], fields[1], ("retour", back)];
        let page = other.post("/connexion", &fields)?;
        ensure(page.leads_to() == to, || format!("{back}: {page:?}"))?;
    }
    Ok(())
}

#[test]
fn whoever_guesses_waits_and_a_recovery_code_is_a_way_in() -> Story {
    let root = folder()?;
    let (node, code) = with_a_nurse(&root)?;
    let mut nurse = Visitor::new(&node.pages()?);
    let spare = codes(&first(&mut nurse, &code)?.text);
    nurse.post("/deconnexion", &[])?;
    for _ in 0..5 {
        let page = sign_in(&mut nurse, "azerty azerty azerty")?;
        ensure(page.status == 401, || format!("{page:?}"))?;
    }
    let page = sign_in(&mut nurse, PASSWORD)?;
    ensure(
        page.status == 429
            && page.text.contains("Attendez")
            && page.text.contains("admin@b.example"),
        || page.text.clone(),
    )?;
    let mut fields = [
        ("login", LOGIN),
        ("code", spare[0].as_str()),
        ("next", "court"),
        ("again", "court"),
    ];
    let page = nurse.post("/secours", &fields)?;
    ensure(
        page.status == 422 && page.text.contains("12 caractères") && page.text.contains(&spare[0]),
        || page.text.clone(),
    )?;
    // Two that differ are told at the second.
    (fields[2].1, fields[3].1) = ("quatre mouettes au port", "quatre mouettes au bord");
    let page = nurse.post("/secours", &fields)?;
    let second = "id=\"again-err\">Les deux saisies ne sont pas identiques.";
    ensure(page.status == 422 && page.text.contains(second), || {
        page.text.clone()
    })?;
    fields[3].1 = fields[2].1;
    let page = nurse.post("/secours", &fields)?;
    ensure(page.leads_to() == "/compte", || format!("{page:?}"))?;
    let account = nurse.get("/compte")?;
    ensure(account.text.contains("Il vous en reste 9"), || {
        account.text.clone()
    })?;
    ensure(
        account.text.contains("les anciens ne serviront plus"),
        || account.text.clone(),
    )
}

#[test]
fn a_locked_page_opens_with_the_password_and_under_another_token() -> Story {
    let root = folder()?;
    let (node, code) = with_a_nurse(&root)?;
    let mut nurse = Visitor::new(&node.pages()?);
    first(&mut nurse, &code)?;
    let before = nurse.clone();
    nurse.post("/verrouiller", &[])?;
    let page = nurse.get("/compte")?;
    ensure(page.leads_to() == "/deverrouiller?retour=/compte", || {
        format!("{page:?}")
    })?;
    let page = nurse.post("/compte/sessions/fin", &[("session", "autres")])?;
    ensure(page.status == 401, || format!("{page:?}"))?;
    let page = nurse.get("/deverrouiller?retour=/compte")?;
    ensure(page.text.contains(NAME), || page.text.clone())?;
    let page = nurse.post("/deverrouiller", &[("password", "une autre phrase")])?;
    ensure(
        page.status == 401 && page.text.contains(">Mot de passe incorrect."),
        || format!("{page:?}"),
    )?;
    let fields = [("password", PASSWORD), ("retour", "/compte")];
    let page = nurse.post("/deverrouiller", &fields)?;
    ensure(page.leads_to() == "/compte", || format!("{page:?}"))?;
    ensure(nurse.get("/compte")?.status == 200, || "open".to_owned())?;
    // Whoever has copied the token of before has nothing.
    let mut thief = before;
    let page = thief.get("/")?;
    ensure(page.leads_to() == "/connexion", || format!("{page:?}"))
}

#[test]
fn after_a_restart_the_page_is_locked_and_goes_on_with_the_password() -> Story {
    let root = folder()?;
    let (mut node, code) = with_a_nurse(&root)?;
    let mut nurse = Visitor::new(&node.pages()?);
    first(&mut nurse, &code)?;
    node.stop()?;
    node.start()?;
    // The port is another one, and so is the cookie's name without TLS.
    let token = nurse.cookies.values().next().cloned().unwrap_or_default();
    let origin = node.pages()?;
    let port = origin.rsplit(':').next().unwrap_or_default();
    let mut nurse = Visitor::new(&origin);
    nurse.cookies.insert(format!("maillon-{port}"), token);
    let page = nurse.get("/")?;
    ensure(page.leads_to() == "/deverrouiller", || format!("{page:?}"))?;
    nurse.post("/deverrouiller", &[("password", PASSWORD)])?;
    ensure(nurse.get("/")?.status == 200, || "open".to_owned())
}

#[test]
fn a_token_that_somebody_planted_is_not_the_one_of_whoever_signs_in() -> Story {
    let root = folder()?;
    let (node, code) = with_a_nurse(&root)?;
    let origin = node.pages()?;
    let port = origin.rsplit(':').next().unwrap_or_default();
    let mut nurse = Visitor::new(&origin);
    let planted = "A".repeat(43);
    nurse
        .cookies
        .insert(format!("maillon-{port}"), planted.clone());
    first(&mut nurse, &code)?;
    let token = nurse.cookies.values().next().cloned().unwrap_or_default();
    ensure(token != planted && token.len() == 43, || token.clone())?;
    let mut attacker = Visitor::new(&origin);
    attacker.cookies.insert(format!("maillon-{port}"), planted);
    ensure(attacker.get("/")?.leads_to() == "/connexion", || {
        "in".to_owned()
    })?;
    Ok(())
}

#[test]
fn what_another_sites_page_makes_a_browser_send_changes_nothing() -> Story {
    let root = folder()?;
    let (node, code) = with_a_nurse(&root)?;
    let origin = node.pages()?;
    let mut nurse = Visitor::new(&origin);
    first(&mut nurse, &code)?;
    let elsewhere = Some("https://attaque.example".to_owned());
    for (from, site) in [
        (elsewhere.clone(), Some("cross-site")),
        (Some(origin.clone()), Some("cross-site")),
        (Some(origin.clone()), Some("same-site")),
        (Some(origin.clone()), Some("none")),
        (elsewhere, None),
        (Some("null".to_owned()), None),
        (Some(format!("{origin}.attaque.example")), None),
        (None, None),
    ] {
        (nurse.from, nurse.site) = (from, site);
        let page = nurse.post("/deconnexion", &[])?;
        ensure(
            page.status == 403 && page.text.contains("Rien n’a été modifié"),
            || format!("{page:?}"),
        )?;
    }
    ensure(nurse.get("/")?.status == 200, || "still in".to_owned())?;
    // An older browser, which says only where it comes from.
    (nurse.from, nurse.site) = (Some(origin), None);
    let page = nurse.post("/verrouiller", &[])?;
    ensure(page.status == 303, || format!("{page:?}"))
}

#[test]
fn every_answer_carries_the_policy_and_no_page_with_data_is_stored() -> Story {
    let root = folder()?;
    let (node, code) = with_a_nurse(&root)?;
    let mut nobody = Visitor::new(&node.pages()?);
    let mut nurse = nobody.clone();
    first(&mut nurse, &code)?;
    let css = {
        let page = nurse.get("/")?.text;
        let at = page.split("/assets/maillon.").nth(1);
        let name = at.and_then(|at| at.split('"').next()).unwrap_or_default();
        format!("/assets/maillon.{name}")
    };
    for (signed_in, path, status) in [
        (false, "/connexion", 200),
        (true, "/", 200),
        (true, "/nulle-part", 404),
        (true, "/assets/rien.css", 404),
        (true, css.as_str(), 200),
        (true, "/manifest.webmanifest", 200),
    ] {
        let visitor = if signed_in { &mut nurse } else { &mut nobody };
        let page = visitor.get(path)?;
        ensure(page.status == status, || format!("{path}: {page:?}"))?;
        let policy = page.header("content-security-policy");
        ensure(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'")
                && policy.contains("frame-ancestors 'none'")
                && !policy.contains("unsafe"),
            || format!("{path}: {policy}"),
        )?;
        ensure(page.header("x-content-type-options") == "nosniff", || {
            path.to_owned()
        })?;
        let lasts = path.starts_with("/assets/maillon") || path.starts_with("/manifest");
        let stored = page.header("cache-control") != "no-store";
        ensure(stored == lasts, || format!("{path}: {page:?}"))?;
        for inline in ["<style", " style=", "onclick", "javascript:", "<script>"] {
            ensure(lasts || !page.text.contains(inline), || {
                format!("{path}: {inline}")
            })?;
        }
    }
    Ok(())
}

#[test]
fn whoever_is_not_signed_in_sees_the_public_pages_and_nothing_else() -> Story {
    let root = folder()?;
    let (node, _) = with_a_nurse(&root)?;
    let mut nobody = Visitor::new(&node.pages()?);
    for path in [
        "/connexion",
        "/premiere-connexion",
        "/secours",
        "/manifest.webmanifest",
    ] {
        ensure(nobody.get(path)?.status == 200, || path.to_owned())?;
    }
    let closed = maillon_node::web::closed_routes();
    ensure(closed.len() > 5, || format!("{closed:?}"))?;
    let others = [
        "/nulle-part",
        "/assets",
        "/connexion/",
        "/Connexion",
        "/%63ompte",
    ];
    for path in closed.iter().copied().chain(others) {
        let page = nobody.get(path)?;
        ensure(page.leads_to().starts_with("/connexion"), || {
            format!("{path}: {page:?}")
        })?;
    }
    for path in closed {
        let page = nobody.post(path, &[("password", PASSWORD)])?;
        ensure(page.status == 401, || format!("{path}: {page:?}"))?;
    }
    Ok(())
}

#[test]
fn pages_are_served_in_the_clear_on_loopback_only() -> Story {
    let root = folder()?;
    let mut settings = Settings::cpts();
    settings.web = Some("0.0.0.0:0".to_owned());
    let node = Daemon::init(root.path(), settings)?;
    node.configure()?;
    let ended = node.refused()?;
    ensure(
        ended.status.code() == Some(70) && ended.words.contains("without a certificate"),
        || ended.words.clone(),
    )
}
