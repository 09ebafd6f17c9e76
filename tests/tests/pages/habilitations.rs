//! Habilitations: read by everybody who is signed in, changed by whoever administers the node, and true for what comes after.

use maillon_tests::{
    daemon::{Trouble, person, professional},
    visitor::{Page, Visitor},
};

use super::{Story, administration::administrator, ensure, first, folder, with_a_nurse};

/// Everything for nurses, and nothing of what they write to each other.
const WITHOUT_MESSAGES: [(&str, &str); 8] = [
    ("identite", "ecrit"),
    ("social", "ecrit"),
    ("medical", "ecrit"),
    ("plan", "ecrit"),
    ("agenda", "ecrit"),
    ("messages", "lit"),
    ("documents", "ecrit"),
    ("gestion", "ecrit"),
];

fn change(visitor: &mut Visitor, revision: &str, levels: &[(&str, &str)]) -> Result<Page, Trouble> {
    let fields = [("metier", "nurse"), ("revision", revision)];
    visitor.post("/habilitations", &[&fields[..], levels].concat())
}

#[test]
fn a_nurse_reads_the_matrix_and_changes_nothing_in_it() -> Story {
    let root = folder()?;
    let (node, code) = with_a_nurse(&root)?;
    let mut nurse = Visitor::new(&node.pages()?);
    first(&mut nurse, &code)?;
    let page = nurse.get("/habilitations")?;
    ensure(
        page.status == 200
            && page.text.contains("Aide à domicile")
            && page
                .text
                .contains("Infirmier <span class=\"m-tag\">vous</span>")
            && page.text.contains("jamais modifiées")
            && !page.text.contains("Modifier"),
        || page.text.clone(),
    )?;
    let form = nurse.get("/habilitations?metier=nurse")?;
    ensure(form.status == 403, || format!("{form:?}"))?;
    let sent = change(&mut nurse, "0", &WITHOUT_MESSAGES)?;
    ensure(
        sent.status == 403 && sent.text.contains("Réservé à l’administration"),
        || format!("{sent:?}"),
    )?;
    let page = nurse.get("/habilitations")?;
    ensure(page.text.contains("jamais modifiées"), || {
        page.text.clone()
    })
}

#[test]
fn what_an_administrator_changes_counts_for_the_next_note() -> Story {
    let root = folder()?;
    let (node, _) = with_a_nurse(&root)?;
    let nurse = professional(&node, "Inès Delahaye", "10999002040", "60")?;
    let mut at_work = node.client()?.acting_as(&nurse);
    let circle = at_work.circle_open(person())?.line.circle;
    at_work.note_add(circle, "Pansement refait.")?;

    let mut administrator = administrator(&node)?;
    let form = administrator.get("/habilitations?metier=nurse")?;
    ensure(
        form.status == 200 && form.text.contains("name=\"revision\" value=\"0\""),
        || form.text.clone(),
    )?;
    // A form that somebody else wrote, without one of the rights: nothing is kept, and what was chosen stays.
    let partly = change(&mut administrator, "0", &WITHOUT_MESSAGES[1..])?;
    let messages = "name=\"messages\" value=\"lit\" required checked";
    ensure(
        partly.status == 422
            && partly.text.contains("id=\"identite-err\"")
            && !partly.text.contains("id=\"messages-err\"")
            && partly.text.contains(messages)
            && partly.text.contains("name=\"revision\" value=\"0\""),
        || format!("{partly:?}"),
    )?;
    let done = change(&mut administrator, "0", &WITHOUT_MESSAGES)?;
    ensure(done.leads_to() == "/habilitations?enregistre=nurse", || {
        format!("{done:?}")
    })?;
    let page = administrator.get(done.leads_to())?;
    ensure(
        page.text.contains("Habilitation enregistrée : Infirmier.")
            && page.text.contains("modifiées <time"),
        || page.text.clone(),
    )?;
    let again = change(&mut administrator, "0", &WITHOUT_MESSAGES)?;
    ensure(
        again.status == 409 && again.text.contains("entre-temps"),
        || format!("{again:?}"),
    )?;
    match at_work.note_add(circle, "Tension prise.") {
        Err(refused) if refused.to_string().contains("habilitation") => Ok(()),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}
