//! A note is corrected and taken back by whoever wrote it, and by nobody else.

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
