//! An invitation that is declined: for a reason, which stays in the structure.

use maillon_protocol::ids::CircleId;
use maillon_tests::{
    daemon::{Settings, pair, professional},
    ground::{COLLEAGUE, DOCTOR, NURSE, between, node, signed_in, until_it_says},
};

use super::{
    Story, ensure,
    files::{open, says},
    folder,
};

#[test]
fn an_invitation_is_declined_for_a_reason_that_colleagues_read_and_the_other_structure_never_hears()
-> Story {
    let root = folder()?;
    let dac = node(Settings::dac(), root.path())?;
    let cpts = node(Settings::cpts(), root.path())?;
    let (mut nurse, mut doctor) = (signed_in(&dac, NURSE)?, signed_in(&cpts, DOCTOR)?);
    pair(&dac, &cpts)?;
    open(&mut nurse)?;
    let circle: CircleId = dac.client()?.circles()?[0].circle;
    let inviting = professional(&dac, "Claire Vasseur", "10999003055", "330")?;
    let mut inviting = dac.client()?.acting_as(&inviting);
    inviting.circle_invite(circle, cpts.node()?)?;
    let list = until_it_says(&mut doctor, "/invitations", "Vous invite")?;
    let id = between(&list, "href=\"/invitations/", "\"").to_owned();
    let at = format!("/invitations/{id}");

    let long = "x".repeat(301);
    let fields = [("reponse", "decliner"), ("raison", long.as_str())];
    let back = doctor.post(&at, &fields)?;
    ensure(back.status == 422, || format!("{back:?}"))?;
    says(
        &back,
        &[
            "Choisissez pourquoi vous déclinez.",
            "plus de 300 caractères",
            &long,
        ],
    )?;
    let fields = [
        ("reponse", "decliner"),
        ("motif", "pas-suivie"),
        ("raison", "Elle a déménagé <b>en juin</b>."),
    ];
    let done = doctor.post(&at, &fields)?;
    ensure(done.leads_to() == "/invitations?fait=declinee", || {
        format!("{done:?}")
    })?;
    let gone = doctor.get(&at)?;
    ensure(gone.status == 404, || format!("{gone:?}"))?;
    let again = doctor.post(&at, &fields)?;
    ensure(again.status == 404, || format!("{again:?}"))?;

    let mut colleague = signed_in(&cpts, COLLEAGUE)?;
    let list = colleague.get("/invitations")?;
    says(
        &list,
        &[
            "Aucune invitation en attente",
            "Nous ne la suivons pas, ou plus",
            "&#60;b&#62;en juin&#60;/b&#62;. » Étienne Hauchecorne, ",
            "Étienne Hauchecorne",
        ],
    )?;
    // Who is meant is not kept with it.
    ensure(!list.text.contains("Le Dantec"), || list.text.clone())?;
    // The other side hears nothing: what it sent waits there as before.
    let sent = dac.client()?.invitations(false)?;
    let waits = sent.iter().any(|one| one.state == "waiting");
    ensure(waits, || format!("{sent:?}"))
}
