//! What the demonstration tells first: four weeks of care at home, in the words of those who were there. No day of the week is named: the story is
//! told on any day.

use maillon_protocol::content::{
    AlertStep::{Acknowledge, Close},
    NoteKind::{AdviceRequest, General, Instruction, Intervention, Observation},
    Severity::{High, Medium},
};

use super::{
    lives::{Event, Life, Who, alert, answer, note},
    people::{
        Voice::{Coordinator, Doctor, Geriatrician, Nurse, Physiotherapist, SocialWorker},
        daughter, patient,
    },
    territory::Place::{Cpts, Hospital},
};

const DAY_MS: u64 = 24 * 3600 * 1000;
const MINUTE_MS: u64 = 60 * 1000;

/// A moment of the past weeks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// Whole days before today, from 1; hour and minute of that day in UTC.
    Day(u64, u64, u64),
    /// Minutes before now.
    Ago(u64),
}

impl Moment {
    /// In Unix milliseconds, seen from `now_ms`.
    pub(super) const fn ms(self, now_ms: u64) -> u64 {
        match self {
            Self::Day(days, hour, minute) => {
                let today = now_ms - now_ms % DAY_MS;
                today.saturating_sub(days * DAY_MS) + (hour * 60 + minute) * MINUTE_MS
            }
            Self::Ago(minutes) => now_ms.saturating_sub(minutes * MINUTE_MS),
        }
    }
}

pub(super) const fn at(days_ago: u64, hour: u64, minute: u64) -> Moment {
    Moment::Day(days_ago, hour, minute)
}

pub(super) const fn ago(minutes: u64) -> Moment {
    Moment::Ago(minutes)
}

/// The file that all three share.
pub(super) const MAIN: Life = Life {
    who: Who::Whole(patient),
    opened: (Coordinator, at(27, 8, 40)),
    informed: "Information donnée à domicile, en présence de sa fille ; la notice lui a été remise et relue avec elle. Madame ne s'oppose pas au partage entre les trois structures.",
    reason: "Maintien à domicile à préparer après deux chutes en trois mois ; demande de sa fille.",
    close: Some(daughter),
    shared: &[Cpts, Hospital],
    invited: None,
    team: &[SocialWorker, Doctor, Nurse, Physiotherapist, Geriatrician],
    events: EVENTS,
    closed: None,
};

/// In the order in which it happened.
const EVENTS: &[Event] = &[
    note(
        at(26, 9, 10),
        Coordinator,
        General,
        "Première visite à domicile. Madame vit seule au rez-de-chaussée depuis le décès de son mari ; sa fille passe le mercredi et le dimanche. Elle souhaite rester chez elle. Points de vigilance : deux chutes en trois mois, repas sautés le soir, courrier administratif en retard.",
    ),
    note(
        at(25, 16, 5),
        Doctor,
        Observation,
        "Tension 152/84 assise, 128/76 après trois minutes debout, sans malaise mais avec une gêne. Poids 51,3 kg, soit 2,4 kg de moins qu'il y a six mois. Je réduis le traitement du soir et je revois Madame dans deux semaines.",
    ),
    note(
        at(24, 7, 45),
        Nurse,
        Instruction,
        "Pilulier préparé par nos soins une fois par semaine. Merci à chacun de ne rien y ajouter : en cas de nouvelle ordonnance, nous appeler avant midi pour le refaire le jour même.",
    ),
    note(
        at(21, 14, 30),
        SocialWorker,
        Intervention,
        "Dossier APA complété et envoyé avec Madame. Portage de repas demandé quatre soirs par semaine ; début prévu la semaine prochaine si la commune confirme. Le courrier en retard est trié, aucune dette.",
    ),
    note(
        at(19, 10, 0),
        Physiotherapist,
        Observation,
        "Lever de chaise possible sans les bras trois fois sur cinq. Marche de dix mètres en dix-neuf secondes avec la canne. Le tapis du couloir a été retiré avec l'accord de Madame. Je propose deux séances par semaine, équilibre et relevé du sol.",
    ),
    note(
        at(17, 11, 20),
        Doctor,
        AdviceRequest,
        "Demande d'avis gériatrique : perte de poids, chutes répétées, plaintes de mémoire rapportées par la fille. Un hôpital de jour vous paraît-il indiqué, et dans quel délai ? Bilan sanguin récent joint à la demande transmise par messagerie sécurisée.",
    ),
    note(
        at(16, 15, 40),
        Geriatrician,
        General,
        "Avis : hôpital de jour indiqué, place réservée dans quatre jours, à 9 h. Prévoir l'ordonnance en cours, les lunettes et une personne qui connaît bien Madame. À jeun inutile.",
    ),
    note(
        at(12, 13, 15),
        Geriatrician,
        Observation,
        "Hôpital de jour fait. Dénutrition modérée, hypotension orthostatique confirmée, épreuves de mémoire à la limite de la normale et à refaire dans six mois. Pas d'argument pour une hospitalisation.",
    ),
    note(
        at(12, 13, 50),
        Geriatrician,
        Instruction,
        "Enrichir les trois repas et ajouter une collation vers 16 h. Bas de contention le matin avant le lever. Lever en deux temps : assise une minute au bord du lit, puis debout. Peser une fois par semaine, à la même heure.",
    ),
    note(
        at(10, 7, 55),
        Nurse,
        Intervention,
        "Premier passage avec les bas de contention ; bien supportés, mais Madame ne peut pas les enfiler seule. Passage avancé à 7 h 30 tous les jours. Poids de la semaine : 51,6 kg.",
    ),
    alert(
        at(8, 6, 35),
        Nurse,
        High,
        0,
        "Chute cette nuit dans la salle de bains. Madame est consciente, sans douleur à la mobilisation, hématome de l'avant-bras gauche. Elle a attendu deux heures au sol : il n'y a pas encore de téléassistance. Passage médical souhaité ce matin.",
    ),
    answer(
        at(8, 7, 5),
        Coordinator,
        Acknowledge,
        "Vu. J'appelle la fille et je demande la pose en urgence de la téléassistance.",
    ),
    answer(
        at(7, 11, 25),
        Doctor,
        Close,
        "Vue à domicile : pas de fracture, pas de trouble de la conscience. Barre d'appui à poser près de la douche, téléassistance en place.",
    ),
    note(
        at(6, 9, 30),
        Coordinator,
        General,
        "Point par téléphone avec la fille : le portage de repas se passe bien, Madame finit ses assiettes. La téléassistance est posée depuis hier ; le médaillon est porté, y compris la nuit.",
    ),
    note(
        at(3, 10, 10),
        Physiotherapist,
        Intervention,
        "Cinquième séance. Relevé du sol réussi avec une chaise, sans aide, deux fois. Dix mètres en quinze secondes. Madame demande à refaire le tour du jardin : d'accord, avec la canne et accompagnée.",
    ),
    note(
        at(1, 7, 50),
        Nurse,
        Observation,
        "Poids 52,4 kg. Tension debout 134/78, plus de gêne au lever. Madame dit mieux dormir.",
    ),
    alert(
        ago(25),
        Nurse,
        Medium,
        4,
        "Ce matin, les prises d'hier midi et d'hier soir sont encore dans le pilulier, et Madame est un peu confuse, sans fièvre ni signe de chute. Tension 118/66. Je reste joignable ; quelqu'un peut-il joindre sa fille et organiser une visite médicale aujourd'hui ?",
    ),
];
