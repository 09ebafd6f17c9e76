//! What is begun and not sent: kept for its writer, and for nobody else.

use maillon_protocol::admin::{Answer, Call};
use maillon_tests::daemon::{Daemon, Trouble};

use super::{
    PASSWORD, Story, ensure,
    files::{add_to_team, colleague, nurse, open, says},
    folder, sign_in,
};

const BEGUN: &str = "Glycémie à 2,80 g/l ce matin, je rappelle le médecin avant";

/// Lines in the trail.
fn trail(node: &Daemon) -> Result<usize, Trouble> {
    let call = Call::AuditList {
        circle: None,
        since_ms: None,
        before: None,
        limit: 100,
    };
    match node.client()?.call(call)? {
        Answer::Audit(page) => Ok(page.lines.len()),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

#[test]
fn a_text_that_was_begun_is_there_again_after_signing_in_again_and_is_gone_once_sent() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let (form, draft) = (format!("{address}/note"), format!("{address}/brouillon"));
    let before = trail(&node)?;
    let begun = [
        ("forme", "note"),
        ("nature", "instruction"),
        ("texte", BEGUN),
        ("urgence", "1"),
        ("mot-de-passe", "n’est pas à garder"),
    ];
    let kept = nurse.post(&draft, &begun)?;
    ensure(kept.status == 204, || format!("{kept:?}"))?;
    // It is in no file, and so in no trail.
    ensure(trail(&node)? == before, || "a line in the trail".to_owned())?;
    nurse.post("/deconnexion", &[])?;
    sign_in(&mut nurse, PASSWORD)?;
    let again = nurse.get(&form)?;
    says(
        &again,
        &[
            BEGUN,
            "Brouillon repris",
            "value=\"instruction\" checked",
            "name=\"urgence\" value=\"1\" checked",
        ],
    )?;
    // Other forms have their own, and the file shows nothing of it.
    for page in [
        format!("{address}/alerte"),
        format!("{address}/carnet"),
        address.clone(),
    ] {
        let page = nurse.get(&page)?;
        ensure(!page.text.contains("Glycémie"), || page.text.clone())?;
    }
    let fields = [("nature", "instruction"), ("texte", BEGUN)];
    let sent = nurse.post(&form, &fields)?;
    ensure(sent.status == 303, || format!("{sent:?}"))?;
    let empty = nurse.get(&form)?;
    ensure(
        !empty.text.contains("Glycémie") && !empty.text.contains("Brouillon repris"),
        || empty.text.clone(),
    )?;

    // One that is not wanted any more is dropped by its own button, without script.
    nurse.post(&draft, &begun)?;
    let dropped = nurse.post(&draft, &[("forme", "note"), ("effacer", "1")])?;
    ensure(dropped.leads_to() == form, || format!("{dropped:?}"))?;
    let empty = nurse.get(&form)?;
    ensure(!empty.text.contains("Glycémie"), || empty.text.clone())
}

#[test]
fn what_somebody_has_begun_is_shown_to_no_colleague_and_kept_in_no_file_that_is_not_theirs() -> Story
{
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    let (form, draft) = (format!("{address}/note"), format!("{address}/brouillon"));
    let begun = [("forme", "note"), ("texte", BEGUN)];
    let refused = other.post(&draft, &begun)?;
    ensure(refused.status == 403, || format!("{refused:?}"))?;
    nurse.post(&draft, &begun)?;
    add_to_team(&mut nurse, &address)?;
    let theirs = other.get(&form)?;
    ensure(
        theirs.status == 200 && !theirs.text.contains("Glycémie"),
        || theirs.text.clone(),
    )?;
    says(&nurse.get(&form)?, &[BEGUN])?;
    // What could never be sent is not kept either, and what is wrong is said.
    let long = "x".repeat(140 << 10);
    for (fields, status) in [
        (vec![("forme", "note"), ("texte", long.as_str())], 413),
        (vec![("forme", "ailleurs"), ("texte", "a")], 400),
        (
            vec![("forme", "note"), ("reponse", "zz"), ("texte", "a")],
            400,
        ),
    ] {
        let answer = nurse.post(&draft, &fields)?;
        ensure(answer.status == status, || format!("{status}: {answer:?}"))?;
    }
    says(&nurse.get(&form)?, &[BEGUN])
}
