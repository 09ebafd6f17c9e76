//! What the trail says of a file, in French words.

use crate::care::Look;

/// Which part of the file somebody looked at; none where they did something.
pub(super) fn part(action: &str) -> Option<&'static str> {
    Some(match action {
        "file.read" => "résumé",
        "file.read.notes" => "carnet de liaison",
        "file.read.alerts" | "alert.list" => "alertes",
        "file.read.documents" => "documents",
        "file.read.team" => "équipe et cercle",
        "file.read.looks" => "accès",
        "file.read.form" => "formulaire",
        "document.read" => "fichiers",
        "circle.read" | "team.list" | "record.read" | "request.list" | "erasure.list" => {
            "accès technique, hors des pages"
        }
        _ => return None,
    })
}

/// An act, with its sign.
pub(super) fn act(action: &str) -> (&'static str, &'static str) {
    match action {
        "circle.open" => ("plus", "A ouvert ce dossier"),
        "import" => ("upload", "A importé des données dans ce dossier"),
        "note.add" => ("notebook", "A écrit une note"),
        "note.correct" => ("notebook", "A corrigé une note"),
        "note.withdraw" => ("notebook", "A retiré une note"),
        "alert.send" => ("alert", "A lancé une alerte"),
        "alert.answer" => ("check", "A répondu à une alerte"),
        "document.add" => ("document", "A ajouté un document"),
        "document.withdraw" => ("document", "A retiré un document"),
        "consent.record" => ("hand", "A noté la réponse de la personne sur le partage"),
        "identity.apart" => (
            "id-card",
            "A noté qu’un dossier semblable est celui d’une autre personne",
        ),
        "team.add" => ("person-plus", "A fait entrer quelqu’un dans l’équipe"),
        "team.relative" => ("person-plus", "A noté un proche de la personne"),
        "team.end" => ("minus", "A mis fin à une participation"),
        "team.referent" => ("hand", "A confié le rôle de référent"),
        "glass.break" => ("unlock", "A ouvert le dossier sans être de l’équipe"),
        "circle.invite" => ("mail", "A invité une structure dans le cercle"),
        "circle.admit" => ("circle", "A fait entrer une structure dans le cercle"),
        "circle.remove" => ("minus", "A retiré une structure du cercle"),
        "circle.count-late" => (
            "check",
            "A fait compter ce qu’une structure retirée avait écrit",
        ),
        "circle.replace" => ("refresh", "A inscrit le nouveau système d’une structure"),
        "circle.close" => ("lock", "A clos le dossier"),
        "circle.reopen" => ("unlock", "A rouvert le dossier"),
        "circle.leave" => ("logout", "A quitté le cercle"),
        "circle.continue" => ("link", "A fondé un cercle qui continue celui-ci"),
        "circle.hand-over" => ("hand", "A confié la tenue du cercle à une autre structure"),
        "circle.deputies" => (
            "people",
            "A désigné qui remplace la structure qui tient le cercle",
        ),
        "circle.rotate" => ("key", "A renouvelé les clés du dossier"),
        "circle.confirm" => (
            "check",
            "A confirmé l’état du cercle après une remise en route",
        ),
        "circle.finish" => ("trash", "A effacé le dossier, au terme de sa conservation"),
        "invitation.accept" => ("check", "A accepté l’invitation dans ce cercle"),
        "invitation.decline" => ("close", "A décliné l’invitation dans ce cercle"),
        "request.ask" => ("send", "A demandé un changement du cercle"),
        "request.grant" => ("check", "A accordé un changement du cercle"),
        "request.refuse" => ("close", "A refusé un changement du cercle"),
        "request.withdraw" => ("arrow-left", "A retiré sa demande de changement du cercle"),
        "erasure.ask" => ("trash", "A demandé un effacement"),
        "erasure.carry-out" | "erasure.settle" => ("trash", "A effacé un contenu"),
        "erasure.refuse" => ("close", "A refusé un effacement"),
        "record.export" | "record.export-sealed" => ("upload", "A exporté un contenu"),
        "record.carry-over" | "record.renew" => ("refresh", "A recopié des contenus du cercle"),
        "past.write" => ("history", "A saisi des faits antérieurs"),
        _ => ("info", "A fait une autre opération sur ce dossier"),
    }
}

/// What else is said of it.
pub(super) fn detail(look: &Look) -> &'static str {
    match look.object.as_deref() {
        Some("glass danger") => "La personne est en danger",
        Some("glass replacement") => "Remplacement d’un membre de l’équipe, absent",
        Some("glass asked") => "À la demande de la personne",
        _ => "",
    }
}
