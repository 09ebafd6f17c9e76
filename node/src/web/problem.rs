//! What a person reads when something did not work: what happened, what to do, and an id to quote.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use data_encoding::HEXLOWER;
use maillon_protocol::{
    invite::InviteError,
    replica::{LetterError, StewardshipError},
};

use super::{
    door::Who,
    shell::{Place, Shell, html},
};
use crate::{access::AccessError, care::CareError, random};

/// An answer that is an error, in French.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    icon: &'static str,
    title: &'static str,
    happened: &'static str,
    todo: &'static str,
    /// What the log says beside the id; nothing identifying.
    cause: Option<String>,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Page<'a> {
    shell: Shell<'a>,
    problem: &'a Problem,
    id: &'a str,
}

impl Problem {
    /// 404. The same for what is not there and for what one may not know to be there.
    pub(super) fn not_found() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            icon: "search",
            title: "Page introuvable",
            happened: "Cette page n’existe pas, ou vous n’y avez pas accès.",
            todo: "Vérifiez l’adresse, ou revenez à l’accueil.",
            cause: None,
        }
    }

    /// 403: sent by a page of another site.
    pub(super) fn from_elsewhere() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            icon: "shield",
            title: "Demande refusée",
            happened: "Cette demande ne vient pas d’une page de ce site. Rien n’a été modifié.",
            todo: "Revenez à l’accueil et recommencez depuis la page elle-même.",
            cause: None,
        }
    }

    /// 403: only who administers the node does this.
    pub(super) fn reserved() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            icon: "shield",
            title: "Réservé à l’administration",
            happened: "Seul un administrateur de Maillon peut le faire. Rien n’a été modifié.",
            todo: "Demandez-le à l’administrateur de votre structure.",
            cause: None,
        }
    }

    /// 403: the profession's habilitation does not reach so far.
    pub(super) fn not_allowed() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            icon: "shield",
            title: "Votre habilitation ne le permet pas",
            happened: "Votre métier ne donne pas ce droit dans cette structure. Rien n’a été enregistré.",
            todo: "Voyez la page «\u{a0}Habilitations\u{a0}»\u{a0}; l’administrateur de votre structure peut les modifier.",
            cause: None,
        }
    }

    /// 403: the profession's habilitation does not let it be read.
    pub(super) fn not_readable() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            icon: "shield",
            title: "Votre habilitation ne le permet pas",
            happened: "Votre métier ne donne pas accès à cette partie du dossier dans cette structure.",
            todo: "Voyez la page «\u{a0}Habilitations\u{a0}»\u{a0}; l’administrateur de votre structure peut les modifier.",
            cause: None,
        }
    }

    /// 403: not in the person's team.
    pub(super) fn not_in_team() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            icon: "people",
            title: "Vous n’êtes pas dans l’équipe",
            happened: "Seule l’équipe de prise en charge de cette personne ouvre son dossier. Vous n’en faites pas partie.",
            todo: "Demandez à la référente ou au référent de vous ajouter à l’équipe. Si vous devez agir tout de suite, ouvrez Patients, «\u{a0}Toute la structure\u{a0}», puis «\u{a0}Accès exceptionnel\u{a0}».",
            cause: None,
        }
    }

    /// 403: an account that acts in no professional's name.
    pub(super) fn nobodys_name() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            icon: "shield",
            title: "Réservé aux professionnels",
            happened: "Ce compte administre Maillon. Il n’ouvre aucun dossier de patient.",
            todo: "Connectez-vous avec un compte de professionnel.",
            cause: None,
        }
    }

    /// 503: the node has just started and does not know everybody yet.
    pub(super) fn starting() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            icon: "hourglass",
            title: "Maillon relit les dossiers",
            happened: "Il vient de démarrer et ne sait pas encore qui est connu ici. Rien n’a été enregistré.",
            todo: "Recommencez dans un instant.",
            cause: None,
        }
    }

    /// 429: as many pages of one account as may listen do.
    pub(super) fn too_many_streams() -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            icon: "hourglass",
            title: "Trop de pages ouvertes",
            happened: "Ce compte a déjà beaucoup de pages ouvertes\u{a0}: celle-ci ne se met pas à jour toute seule.",
            todo: "Fermez des pages dont vous n’avez plus besoin.",
            cause: None,
        }
    }

    /// 422: an alert is closed with its outcome.
    pub(super) fn no_outcome() -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            icon: "alert",
            title: "L’alerte n’a pas été close",
            happened: "Pour clore, il faut dire ce qui a été fait, en 2\u{a0}000 caractères au plus. Rien n’a été enregistré.",
            todo: "Revenez au dossier et écrivez ce qui a été fait avant de clore.",
            cause: None,
        }
    }

    /// 409: somebody was faster.
    pub(super) fn answered() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "check",
            title: "Cette alerte a déjà cette réponse",
            happened: "Quelqu’un a répondu avant vous, ou l’alerte est close. Votre réponse n’ajouterait rien\u{a0}: elle n’a pas été enregistrée.",
            todo: "Rechargez le dossier pour voir qui a répondu.",
            cause: None,
        }
    }

    /// 409: the person refused, or their information is not recorded.
    pub(super) fn not_shared() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "shield",
            title: "Ce dossier n’est pas partagé",
            happened: "La personne s’oppose au partage, ou son information n’est pas notée. Rien n’a été envoyé.",
            todo: "Parlez-en avec elle et avec la structure qui tient le cercle.",
            cause: None,
        }
    }

    /// 409: the file is closed.
    pub(super) fn ended() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "lock",
            title: "On ne peut plus écrire dans ce dossier",
            happened: "Il est clos, ou votre structure n’est plus dans le cercle. Ce qui s’y trouve reste lisible.",
            todo: "Si l’accompagnement reprend, parlez-en à la structure qui tient le cercle.",
            cause: None,
        }
    }

    /// 409: another structure has sent it, and its bytes are not all here yet.
    pub(super) fn on_its_way() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "hourglass",
            title: "Fichier en cours d’arrivée",
            happened: "Une autre structure l’a envoyé, et il n’est pas encore arrivé en entier ici.",
            todo: "Revenez au dossier dans quelques minutes.",
            cause: None,
        }
    }

    /// 409: both have the same qualified INS.
    pub(super) fn one_person() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "id-card",
            title: "Une seule et même personne",
            happened: "Les deux dossiers ont le même matricule INS qualifié. Rien n’a été enregistré.",
            todo: "Si l’un des deux matricules est faux, fermez son dossier avec «\u{a0}Clore le dossier\u{a0}» et ouvrez-en un autre avec le bon matricule.",
            cause: None,
        }
    }

    /// 409: a list is no list of favourites any more.
    pub(super) fn too_many_favourites() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "star",
            title: "Trop de favoris",
            happened: "Vous avez déjà 200\u{a0}favoris. Ce dossier n’a pas été ajouté.",
            todo: "Retirez l’étoile de dossiers que vous ne cherchez plus souvent, puis recommencez.",
            cause: None,
        }
    }

    /// 409: somebody else changed it meanwhile, or the same person with a first click.
    pub(super) fn changed_meanwhile() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "refresh",
            title: "Modifié entre-temps",
            happened: "Ce que montre cette page a été modifié depuis qu’elle est ouverte. Votre envoi n’a pas été enregistré.",
            todo: "Rouvrez la page, regardez ce qui a changé, puis recommencez si besoin.",
            cause: None,
        }
    }

    /// 409: nobody would administer the node any more.
    pub(super) fn last_administrator() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "shield",
            title: "Dernier compte d’administration",
            happened: "Plus personne n’administrerait ce nœud. Le compte n’a pas été fermé.",
            todo: "Créez d’abord un autre compte d’administration.",
            cause: None,
        }
    }

    /// 409: the node does not know where it is reached.
    pub(super) fn no_address() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "wifi-off",
            title: "Ce nœud n’a pas d’adresse à donner",
            happened: "Une invitation dit où l’autre nœud trouve celui-ci, et aucune adresse n’est configurée. Rien n’a été créé.",
            todo: "Complétez pairing_listen et pairing_advertise dans [network] de maillon.toml, puis redémarrez le nœud.",
            cause: None,
        }
    }

    /// 409: enough pairings are open.
    pub(super) fn too_many_pairings() -> Self {
        Self {
            status: StatusCode::CONFLICT,
            icon: "link",
            title: "Trop de mises en relation en cours",
            happened: "Le nombre de mises en relation ouvertes est à sa limite. Rien n’a été créé.",
            todo: "Terminez ou refusez celles qui attendent, puis recommencez.",
            cause: None,
        }
    }

    /// 401: the session ended while something was sent.
    pub(super) fn signed_out() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            icon: "lock",
            title: "Session terminée",
            happened: "Votre session s’est terminée avant l’envoi. Rien n’a été enregistré.",
            todo: "Reconnectez-vous, puis recommencez.",
            cause: None,
        }
    }

    /// 401: it is locked.
    pub(super) fn locked() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            icon: "lock",
            title: "Session verrouillée",
            happened: "Votre session s’est verrouillée avant l’envoi. Rien n’a été enregistré.",
            todo: "Saisissez votre mot de passe pour la rouvrir, puis recommencez.",
            cause: None,
        }
    }

    /// 400: no form of ours.
    pub(super) fn not_understood() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            icon: "error",
            title: "Formulaire illisible",
            happened: "Ce qui a été envoyé n’a pas la forme attendue. Rien n’a été enregistré.",
            todo: "Revenez en arrière, rechargez la page et recommencez.",
            cause: None,
        }
    }

    /// 408.
    pub(super) fn too_slow() -> Self {
        Self {
            status: StatusCode::REQUEST_TIMEOUT,
            icon: "hourglass",
            title: "Envoi trop lent",
            happened: "L’envoi a été interrompu avant d’être complet. Rien n’a été enregistré.",
            todo: "Vérifiez votre connexion et recommencez.",
            cause: None,
        }
    }

    /// 413.
    pub(super) fn too_large() -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            icon: "upload",
            title: "Envoi trop volumineux",
            happened: "Ce qui a été envoyé dépasse la taille permise. Rien n’a été enregistré.",
            todo: "Raccourcissez le texte et recommencez.",
            cause: None,
        }
    }

    /// 500.
    pub(super) fn broken(cause: impl ToString) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            icon: "warning",
            title: "Un problème de notre côté",
            happened: "Maillon n’a pas pu répondre. Ce que vous veniez d’envoyer n’a pas été enregistré.",
            todo: "Réessayez dans un instant. Si cela continue, donnez le repère ci-dessous à votre administrateur.",
            cause: Some(cause.to_string()),
        }
    }
}

impl From<CareError> for Problem {
    fn from(error: CareError) -> Self {
        match error {
            CareError::NotAllowed(_) => Self::not_allowed(),
            CareError::NotReadable(_) => Self::not_readable(),
            CareError::NotInTeam => Self::not_in_team(),
            CareError::NoCircle | CareError::NoRecord | CareError::NoAlert | CareError::NoFile => {
                Self::not_found()
            }
            CareError::OnePerson => Self::one_person(),
            CareError::TooManyFavourites => Self::too_many_favourites(),
            CareError::Write(_) => Self::ended(),
            CareError::NotAllHere { .. } => Self::on_its_way(),
            CareError::HabilitationsChanged
            | CareError::Amended
            | CareError::InTeam
            | CareError::RequestEnded
            | CareError::AsksItself
            | CareError::NotInIt => Self::changed_meanwhile(),
            CareError::Steward(error) if is_stale(&error) => Self::changed_meanwhile(),
            CareError::Letter(error) if is_over(&error) => Self::changed_meanwhile(),
            // The first two name somebody: they are said without that, and not logged.
            CareError::Answered { .. } => Self::answered(),
            CareError::Against(_) | CareError::NoConsent => Self::not_shared(),
            other => Self::broken(other),
        }
    }
}

/// Whether a change of a circle is refused because it has been made, or is this node's to make no more.
const fn is_stale(error: &StewardshipError) -> bool {
    matches!(
        error,
        StewardshipError::Steward(_) | StewardshipError::HasLeft
    )
}

/// Whether an invitation was answered, has ended or was taken back.
const fn is_over(error: &LetterError) -> bool {
    match error {
        LetterError::Invite(InviteError::Expired)
        | LetterError::NoInvitation
        | LetterError::Answered
        | LetterError::Cancelled
        | LetterError::Member
        | LetterError::Continued => true,
        LetterError::Steward(error) => is_stale(error),
        _ => false,
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Ended => Self::signed_out(),
            AccessError::NotTheirs | AccessError::NoAccount => Self::not_found(),
            AccessError::LastAdministrator => Self::last_administrator(),
            AccessError::Closed => Self::changed_meanwhile(),
            other => Self::broken(other),
        }
    }
}

/// What an answer carries, so that whoever is signed in reads it inside their navigation.
#[derive(Clone)]
struct Refused {
    problem: Problem,
    id: String,
}

/// An answer as somebody who is signed in gets it: a refusal has their navigation around it, so that they go on from there.
pub(super) fn inside(mut answer: Response, who: &Who) -> Response {
    let Some(Refused { problem, id }) = answer.extensions_mut().remove() else {
        return answer;
    };
    let page = Page {
        shell: Shell::of(who, Place::Elsewhere, problem.title),
        problem: &problem,
        id: &id,
    };
    html(problem.status, &page)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let token = random::token();
        let id = HEXLOWER.encode(&token[..4]);
        let status = self.status.as_u16();
        match &self.cause {
            Some(cause) => tracing::error!(id, status, cause, "a page could not be answered"),
            None => tracing::debug!(id, status, "a page was not given"),
        }
        let page = Page {
            shell: Shell::outside(self.title),
            problem: &self,
            id: &id,
        };
        let mut answer = html(self.status, &page);
        answer
            .extensions_mut()
            .insert(Refused { problem: self, id });
        answer
    }
}

#[cfg(test)]
mod tests {
    use maillon_protocol::charter::StewardError;

    use super::*;

    fn status(error: CareError) -> StatusCode {
        Problem::from(error).status
    }

    #[test]
    fn what_was_done_or_taken_back_meanwhile_is_no_fault_of_the_node() {
        for error in [
            CareError::RequestEnded,
            CareError::NotInIt,
            CareError::AsksItself,
            CareError::Steward(StewardError::NotSteward.into()),
            CareError::Letter(LetterError::Answered),
            CareError::Letter(LetterError::Cancelled),
            CareError::Letter(LetterError::Invite(InviteError::Expired)),
        ] {
            let said = error.to_string();
            assert_eq!(status(error), StatusCode::CONFLICT, "{said}");
        }
        // What an administrator must look at keeps its cause for the log.
        let restored = CareError::Steward(StewardshipError::Unconfirmed);
        assert_eq!(status(restored), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
