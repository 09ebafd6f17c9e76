//! How far a note, an alert or a document got, in words: as far as it got where it got least far.

use maillon_protocol::{dossier::Delivery, ids::NodeId};

use super::entry::{Gender, Mark};
use crate::web::french;

/// How far something got, structure by structure.
pub(super) struct Reach {
    pub(super) whole: Mark,
    pub(super) structures: Vec<(String, Mark)>,
}

/// Where it got; `exact` where it is known when each structure received it first.
pub(super) fn reach(
    delivery: &[(NodeId, String, Delivery)],
    gender: Gender,
    exact: bool,
    now_ms: u64,
) -> Option<Reach> {
    if delivery.is_empty() {
        return None;
    }
    let received = gender.of_two("Reçu", "Reçue");
    let (mut waiting, mut without_files, mut not_shown) = (0, 0, 0);
    let mut structures = Vec::new();
    for (_, structure, delivery) in delivery {
        let done = |icon, words| Mark {
            icon,
            class: "m-mark--done",
            words,
        };
        let mark = match delivery {
            Delivery::Waiting { since_ms } => {
                waiting += 1;
                let since = french::lasting(now_ms.saturating_sub(*since_ms));
                Mark {
                    icon: "hourglass",
                    class: "m-mark--wait",
                    words: format!("En attente depuis {since}"),
                }
            }
            Delivery::Delivered { at_ms } => done(
                "check",
                if exact {
                    format!("{received} {}", french::moment(*at_ms, now_ms).said)
                } else {
                    received.to_owned()
                },
            ),
            Delivery::FilesMissing { at_ms } => {
                without_files += 1;
                let at = if exact {
                    format!(" {}", french::moment(*at_ms, now_ms).said)
                } else {
                    String::new()
                };
                Mark {
                    icon: "hourglass",
                    class: "m-mark--wait",
                    words: format!("Texte reçu{at}, fichiers en chemin"),
                }
            }
            Delivery::NotShown { .. } => {
                not_shown += 1;
                Mark {
                    icon: "warning",
                    class: "m-mark--warn",
                    words: format!(
                        "{received}, mais non {} là-bas",
                        gender.of_two("affiché", "affichée")
                    ),
                }
            }
            Delivery::Answered { at_ms, .. } => done(
                "check-double",
                format!("Répondu {}", french::moment(*at_ms, now_ms).said),
            ),
            Delivery::Read { at_ms } => done(
                "check-double",
                format!(
                    "{} {}",
                    gender.of_two("Lu", "Lue"),
                    french::moment(*at_ms, now_ms).said
                ),
            ),
        };
        structures.push((structure.clone(), mark));
    }
    let all = structures.len();
    // As far as it got where it got least far.
    let (icon, class, words) = if waiting > 0 {
        let so_far = all - waiting;
        let words = format!("{received} par {so_far} sur {all}, en attente pour {waiting}");
        ("hourglass", "m-mark--wait", words)
    } else if not_shown > 0 {
        let shown = gender.of_two("affiché", "affichée");
        let words = match all {
            1 => format!("{received} par l’autre structure, mais non {shown} là-bas"),
            _ => format!("{received} partout, mais non {shown} dans {not_shown} sur {all}"),
        };
        ("warning", "m-mark--warn", words)
    } else if without_files > 0 {
        let words = match all {
            1 => "Texte reçu par l’autre structure, fichiers en chemin".to_owned(),
            _ => format!("Texte reçu partout, fichiers en chemin vers {without_files} sur {all}"),
        };
        ("hourglass", "m-mark--wait", words)
    } else {
        let words = match all {
            1 => format!("{received} par l’autre structure"),
            _ => format!("{received} par les {all} autres structures"),
        };
        ("check-double", "m-mark--done", words)
    };
    let whole = Mark { icon, class, words };
    Some(Reach { whole, structures })
}
