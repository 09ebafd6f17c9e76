//! Who opened a file: seen by the person's team, and by nobody else.

use maillon_tests::{daemon::Trouble, visitor::Visitor};

use super::{
    Story,
    administration::administrator,
    ensure,
    files::{colleague, nurse, open, says},
    folder,
};

fn looks(visitor: &mut Visitor, address: &str) -> Result<maillon_tests::visitor::Page, Trouble> {
    visitor.get(&format!("{address}/acces"))
}

#[test]
fn the_team_sees_who_opened_the_file_and_who_broke_the_glass() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    for page in ["", "/carnet", "/equipe", ""] {
        nurse.get(&format!("{address}{page}"))?;
    }
    let mut other = colleague(&node)?;
    let fields = [("motif", "danger"), ("raison", "Chute à domicile.")];
    let broken = other.post(&format!("{address}/acces-exceptionnel"), &fields)?;
    ensure(broken.status == 303, || format!("{broken:?}"))?;
    let glass = other.get(&format!("{address}/carnet"))?;
    says(&glass, &["Accès exceptionnel jusqu’à"])?;
    ensure(!glass.text.contains(&format!("{address}/acces\"")), || {
        glass.text.clone()
    })?;

    let page = looks(&mut nurse, &address)?;
    says(
        &page,
        &[
            "Qui a consulté ce dossier",
            "A ouvert ce dossier",
            "Camille Roux, infirmier",
            "A consulté le dossier 5 fois",
            "Inès Delahaye, infirmier",
            "A ouvert le dossier sans être de l’équipe",
            "La personne est en danger",
            "accès exceptionnel",
        ],
    )?;
    for raw in ["file.read", "glass.break", "circle.open", "glass danger"] {
        ensure(!page.text.contains(raw), || page.text.clone())?;
    }
    // Looking is itself a line: the next look counts it.
    let again = looks(&mut nurse, &address)?;
    says(&again, &["A consulté le dossier 6 fois", "accès"])?;

    // A broken glass reaches what one needs to act, and not who looked; nor does anybody else.
    let mut administrator = administrator(&node)?;
    for one in [&mut other, &mut administrator] {
        let page = looks(one, &address)?;
        ensure(
            page.status == 403
                && !page.text.contains("Rozenn")
                && !page.text.contains("Camille Roux, inf"),
            || format!("{page:?}"),
        )?;
    }
    let wrong = nurse.get(&format!("{address}/acces?avant=x"))?;
    ensure(wrong.status == 400, || format!("{wrong:?}"))?;
    let older = nurse.get(&format!("{address}/acces?avant=1"))?;
    says(&older, &["Revenir aux accès les plus récents"])
}
