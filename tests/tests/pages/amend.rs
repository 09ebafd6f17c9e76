//! A note is corrected and taken back by whoever wrote it, and by nobody else.

use maillon_tests::{ground::between, visitor::File};

use super::{
    Story, ensure,
    files::{add_to_team, colleague, nurse, open, says},
    folder,
};

#[test]
fn a_note_is_corrected_and_withdrawn_by_its_writer_and_stays_to_be_seen_as_such() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    add_to_team(&mut nurse, &address)?;
    let (book, form) = (format!("{address}/carnet"), format!("{address}/note"));
    let fields = [
        ("nature", "observation"),
        ("texte", "Tension 14/8 ce matin."),
    ];
    nurse.post(&form, &fields)?;
    let page = nurse.get(&book)?;
    let beginning = format!("href=\"{address}/note/");
    let note = page.text.split(&beginning).nth(1);
    let note = note.and_then(|rest| rest.split('"').next());
    let note = format!("{address}/note/{}", note.unwrap_or_default());
    says(
        &nurse.get(&note)?,
        &["Tension 14/8 ce matin.", "value=\"observation\" checked"],
    )?;

    // A colleague of the same team reads it, is offered nothing, and finds nothing by the address.
    let theirs = other.get(&book)?;
    says(&theirs, &["Tension 14/8 ce matin."])?;
    ensure(!theirs.text.contains(&beginning), || theirs.text.clone())?;
    let correction = [
        ("geste", "corriger"),
        ("nature", "observation"),
        ("texte", "Tension 16/8 ce matin."),
    ];
    for answer in [other.get(&note)?, other.post(&note, &correction)?] {
        ensure(answer.status == 409, || format!("{answer:?}"))?;
        ensure(!answer.text.contains("Tension"), || answer.text.clone())?;
    }
    // What is missing is said beside the field; what was typed stays.
    let empty = [("geste", "corriger"), ("nature", "avis"), ("texte", " ")];
    let wrong = nurse.post(&note, &empty)?;
    ensure(wrong.status == 422, || format!("{wrong:?}"))?;
    says(&wrong, &["value=\"avis\" checked"])?;
    let wrong = nurse.post(&note, &[("geste", "retirer"), ("motif", "")])?;
    ensure(wrong.status == 422, || format!("{wrong:?}"))?;
    says(&wrong, &["Dites pourquoi", "Tension 14/8 ce matin."])?;

    let corrected = nurse.post(&note, &correction)?;
    let page = nurse.get(corrected.leads_to())?;
    says(
        &page,
        &["Note corrigée.", "Tension 16/8 ce matin.", "corrigée"],
    )?;
    ensure(!page.text.contains("14/8"), || page.text.clone())?;
    // From a page that shows the version before nothing is written over the new one.
    let late = nurse.post(&note, &correction)?;
    ensure(late.status == 409, || format!("{late:?}"))?;

    let note = page.text.split(&beginning).nth(1);
    let note = note.and_then(|rest| rest.split('"').next());
    let note = format!("{address}/note/{}", note.unwrap_or_default());
    let back = [("geste", "retirer"), ("motif", "Mauvais dossier.")];
    let withdrawn = nurse.post(&note, &back)?;
    let page = nurse.get(withdrawn.leads_to())?;
    says(&page, &["Note retirée.", "Mauvais dossier."])?;
    let gone = nurse.post(&note, &back)?;
    ensure(gone.status == 409, || format!("{gone:?}"))?;
    says(&other.get(&book)?, &["Mauvais dossier."])
}

#[test]
fn a_document_and_a_photo_of_a_note_are_taken_back_by_whoever_added_them_and_by_nobody_else()
-> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    add_to_team(&mut nurse, &address)?;
    let file = File {
        name: "bilan.pdf",
        media_type: "application/pdf",
        bytes: b"%PDF-1.7\n1 0 obj\n",
    };
    let list = format!("{address}/documents");
    nurse.send(&list, &[("titre", "Bilan d’Yvonne"), ("type", "")], file)?;
    let page = nurse.get(&list)?;
    says(&page, &["/retrait\""])?;
    let own = between(&page, &format!("href=\"{list}/"), "\"").to_owned();
    let form = format!("{list}/{own}/retrait");
    says(&nurse.get(&form)?, &["Bilan d’Yvonne", "Motif"])?;
    let theirs = other.get(&list)?;
    says(&theirs, &["Bilan d’Yvonne"])?;
    ensure(!theirs.text.contains("/retrait\""), || theirs.text.clone())?;
    let reason = [("motif", "C’est celui d’une autre personne.")];
    for answer in [other.get(&form)?, other.post(&form, &reason)?] {
        ensure(answer.status == 409, || format!("{answer:?}"))?;
        ensure(!answer.text.contains("Yvonne"), || answer.text.clone())?;
    }
    let wrong = nurse.post(&form, &[("motif", " ")])?;
    ensure(wrong.status == 422, || format!("{wrong:?}"))?;
    says(&wrong, &["Dites pourquoi vous le retirez."])?;
    let done = nurse.post(&form, &reason)?;
    let page = nurse.get(done.leads_to())?;
    says(
        &page,
        &["Document retiré.", "celui d’une autre personne", "retiré"],
    )?;
    ensure(!page.text.contains("/retrait\""), || page.text.clone())?;
    let twice = nurse.post(&form, &reason)?;
    ensure(twice.status == 409, || format!("{twice:?}"))?;
    says(&other.get(&list)?, &["celui d’une autre personne"])?;

    // A note loses the file that it should not have.
    let fields = [("nature", "observation"), ("texte", "Plaie au talon.")];
    nurse.send(&format!("{address}/note"), &fields, file)?;
    let book = format!("{address}/carnet");
    let page = nurse.get(&book)?;
    says(&page, &["bilan.pdf"])?;
    let note = between(&page, &format!("href=\"{address}/note/"), "\"").to_owned();
    let note = format!("{address}/note/{note}");
    says(&nurse.get(&note)?, &["Enlever bilan.pdf"])?;
    let without = [
        ("geste", "corriger"),
        ("nature", "observation"),
        ("texte", "Plaie au talon droit."),
        ("sans-0", "1"),
    ];
    // What was chosen stays where something else is wrong.
    let wrong = [without[0], without[1], ("texte", " "), without[3]];
    let wrong = nurse.post(&note, &wrong)?;
    says(&wrong, &["name=\"sans-0\" value=\"1\" checked"])?;
    let done = nurse.post(&note, &without)?;
    let page = nurse.get(done.leads_to())?;
    says(&page, &["Plaie au talon droit."])?;
    ensure(!page.text.contains("bilan.pdf"), || page.text.clone())
}
