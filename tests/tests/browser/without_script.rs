//! The whole journey in a browser that runs no script.

use maillon_tests::{
    browser::{Browser, Look},
    daemon::Settings,
    ground::{Ground, NURSE, PASSWORD, account, between, node, until_it_says},
};

use crate::{Story, alert::sign_in, ensure};

/// Says whether a script ran.
const PROOF: &str =
    "data:text/html,<p id=one>aucun script</p><script>one.textContent='un script'</script>";

#[test]
fn the_whole_journey_without_script() -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    browser.without_script()?;
    browser.go(PROOF)?;
    ensure(browser.text()? == "aucun script", || {
        "scripts run here".to_owned()
    })?;
    browser.look(Look::new(true, false))?;
    let root = crate::folder()?;
    let dac = node(Settings::dac(), root.path())?;
    let code = account(&dac, NURSE)?;
    let origin = dac.pages()?;

    browser.go(&format!("{origin}/premiere-connexion"))?;
    for (field, text) in [
        ("#login", NURSE.0),
        ("#code", &code),
        ("#next", PASSWORD),
        ("#again", PASSWORD),
    ] {
        browser.fill(field, text)?;
    }
    browser.click("main button[type=submit]")?;
    browser.until_it_says("plus jamais affichés")?;
    browser.click("main a.btn-primary")?;
    browser.until_it_says("Vous ne suivez encore personne")?;

    browser.go(&format!("{origin}/patients"))?;
    browser.click("[href='/patients/nouveau']")?;
    for (field, text) in [
        ("#nom", "Quintric"),
        ("#prenoms", "Rozenn Marie"),
        ("#naissance", "19/07/1941"),
        ("#lieu", "Quimper"),
        ("#nomu", "Le Dantec"),
    ] {
        browser.fill(field, text)?;
    }
    browser.click("#sexe-f")?;
    browser.click("main button[type=submit]")?;
    browser.until_it_says("Pourquoi ce dossier")?;
    browser.fill("#motif", "Retour à domicile.")?;
    browser.click("#info-1")?;
    browser.click("main .btn-primary")?;
    browser.until_it_says("Retour à domicile.")?;
    let file = browser.here()?;
    let file = file.split('?').next().unwrap_or_default().to_owned();

    browser.go(&format!("{origin}/patients"))?;
    browser.fill("#q", "1941")?;
    browser.click("[role=search] button")?;
    browser.until_it_says("1 personne trouvée")?;
    browser.click(&format!("[href='{file}/note']"))?;
    browser.fill("#texte", "A bien déjeuné.")?;
    browser.click("main button[type=submit]")?;
    browser.until_it_says("A bien déjeuné.")?;
    browser.click("a[href*='note?reponse=']")?;
    browser.fill("#texte", "Et bien dormi.")?;
    browser.click("main button[type=submit]")?;
    browser.until_it_says("Et bien dormi.")?;
    browser.go(&format!("{origin}{file}"))?;
    browser.click(&format!("[href='{file}/alerte']"))?;
    browser.click("[name=gravite][value=urgente]")?;
    browser.fill("#texte", "Tombe en se levant.")?;
    browser.click("main button[type=submit]")?;
    browser.until_it_says("Sans prise en charge depuis")?;
    browser.click("details.m-more summary")?;
    browser.fill("[name=commentaire]", "Vue, rien de cassé.")?;
    browser.click("button[name=reponse][value=close]")?;
    browser.until_it_says("Close par")?;

    browser.click("[popovertarget=menu]")?;
    browser.click("[action='/verrouiller'] button")?;
    browser.until_it_says("Session verrouillée")?;
    browser.fill("#password", PASSWORD)?;
    browser.click("main button[type=submit]")?;
    browser.until_it_says("Bonjour")?;
    browser.click("[popovertarget=menu]")?;
    browser.click("[action='/deconnexion'] button")?;
    browser.until_it_says("Identifiant")
}

#[test]
fn an_invitation_is_read_and_accepted_without_script() -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    browser.without_script()?;
    let mut ground = Ground::lay()?;
    let life = ground.live()?;
    let origin = ground.dac.pages()?;
    sign_in(&browser, &origin)?;
    browser.go(&format!("{origin}/invitations"))?;
    browser.click(&format!("[href='/invitations/{}']", life.invitation))?;
    browser.until_it_says("Firmin Lemonnier")?;
    browser.click("button[name=reponse][value=accepter]")?;
    browser.until_it_says("accept")?;
    let page = until_it_says(&mut ground.nurse, "/patients", "Firmin Lemonnier")?;
    ensure(
        !between(&page, "href=\"/dossiers/", "\"").is_empty(),
        || page.text.clone(),
    )
}
