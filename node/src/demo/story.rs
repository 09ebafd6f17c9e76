//! What the demonstration tells: four weeks of care at home, in the words of those who were there. No day of the week is named: the story is
//! told on any day.

use maillon_protocol::content::NoteKind::{
    self, AdviceRequest, General, Instruction, Intervention, Observation,
};

use super::people::Voice;

const DAY_MS: u64 = 24 * 3600 * 1000;
const MINUTE_MS: u64 = 60 * 1000;

/// A moment of the past weeks: days before today, and the time of day in UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Whole days before today, from 1.
    pub(super) days_ago: u64,
    /// Hour.
    pub(super) hour: u64,
    /// Minute.
    pub(super) minute: u64,
}

impl Moment {
    /// In Unix milliseconds, seen from `now_ms`.
    pub(super) const fn ms(self, now_ms: u64) -> u64 {
        let today = now_ms - now_ms % DAY_MS;
        today.saturating_sub(self.days_ago * DAY_MS) + (self.hour * 60 + self.minute) * MINUTE_MS
    }
}

/// One note of the liaison notebook.
pub(super) struct Said {
    /// Who.
    pub(super) voice: Voice,
    /// When.
    pub(super) at: Moment,
    /// Which kind.
    pub(super) note: NoteKind,
    /// What.
    pub(super) text: &'static str,
}

const fn at(days_ago: u64, hour: u64, minute: u64) -> Moment {
    Moment {
        days_ago,
        hour,
        minute,
    }
}

const fn said(at: Moment, voice: Voice, note: NoteKind, text: &'static str) -> Said {
    Said {
        voice,
        at,
        note,
        text,
    }
}

/// When the file was opened, the person informed, and the team formed.
pub(super) const OPENED: Moment = at(27, 8, 40);

/// How the person was informed.
pub(super) const INFORMED: &str = "Information donnée à domicile, en présence de sa fille ; la notice lui a été remise et relue avec elle. Madame ne s'oppose pas au partage entre les trois structures.";

/// The care team's name.
pub(super) const TEAM: &str = "Équipe autour de Mme Le Dantec-Abautret";

/// The notebook, in the order in which it was written.
pub(super) const NOTES: &[Said] = &[
    said(
        at(26, 9, 10),
        Voice::Coordinator,
        General,
        "Première visite à domicile. Madame vit seule au rez-de-chaussée depuis le décès de son mari ; sa fille passe le mercredi et le dimanche. Elle souhaite rester chez elle. Points de vigilance : deux chutes en trois mois, repas sautés le soir, courrier administratif en retard.",
    ),
    said(
        at(25, 16, 5),
        Voice::Doctor,
        Observation,
        "Tension 152/84 assise, 128/76 après trois minutes debout, sans malaise mais avec une gêne. Poids 51,3 kg, soit 2,4 kg de moins qu'il y a six mois. Je réduis le traitement du soir et je revois Madame dans deux semaines.",
    ),
    said(
        at(24, 7, 45),
        Voice::Nurse,
        Instruction,
        "Pilulier préparé par nos soins une fois par semaine. Merci à chacun de ne rien y ajouter : en cas de nouvelle ordonnance, nous appeler avant midi pour le refaire le jour même.",
    ),
    said(
        at(21, 14, 30),
        Voice::SocialWorker,
        Intervention,
        "Dossier APA complété et envoyé avec Madame. Portage de repas demandé quatre soirs par semaine ; début prévu la semaine prochaine si la commune confirme. Le courrier en retard est trié, aucune dette.",
    ),
    said(
        at(19, 10, 0),
        Voice::Physiotherapist,
        Observation,
        "Lever de chaise possible sans les bras trois fois sur cinq. Marche de dix mètres en dix-neuf secondes avec la canne. Le tapis du couloir a été retiré avec l'accord de Madame. Je propose deux séances par semaine, équilibre et relevé du sol.",
    ),
    said(
        at(17, 11, 20),
        Voice::Doctor,
        AdviceRequest,
        "Demande d'avis gériatrique : perte de poids, chutes répétées, plaintes de mémoire rapportées par la fille. Un hôpital de jour vous paraît-il indiqué, et dans quel délai ? Bilan sanguin récent joint à la demande transmise par messagerie sécurisée.",
    ),
    said(
        at(16, 15, 40),
        Voice::Geriatrician,
        General,
        "Avis : hôpital de jour indiqué, place réservée dans quatre jours, à 9 h. Prévoir l'ordonnance en cours, les lunettes et une personne qui connaît bien Madame. À jeun inutile.",
    ),
    said(
        at(12, 13, 15),
        Voice::Geriatrician,
        Observation,
        "Hôpital de jour fait. Dénutrition modérée, hypotension orthostatique confirmée, épreuves de mémoire à la limite de la normale et à refaire dans six mois. Pas d'argument pour une hospitalisation.",
    ),
    said(
        at(12, 13, 50),
        Voice::Geriatrician,
        Instruction,
        "Enrichir les trois repas et ajouter une collation vers 16 h. Bas de contention le matin avant le lever. Lever en deux temps : assise une minute au bord du lit, puis debout. Peser une fois par semaine, à la même heure.",
    ),
    said(
        at(10, 7, 55),
        Voice::Nurse,
        Intervention,
        "Premier passage avec les bas de contention ; bien supportés, mais Madame ne peut pas les enfiler seule. Passage avancé à 7 h 30 tous les jours. Poids de la semaine : 51,6 kg.",
    ),
    said(
        at(6, 9, 30),
        Voice::Coordinator,
        General,
        "Point par téléphone avec la fille : le portage de repas se passe bien, Madame finit ses assiettes. La téléassistance est posée depuis hier ; le médaillon est porté, y compris la nuit.",
    ),
    said(
        at(3, 10, 10),
        Voice::Physiotherapist,
        Intervention,
        "Cinquième séance. Relevé du sol réussi avec une chaise, sans aide, deux fois. Dix mètres en quinze secondes. Madame demande à refaire le tour du jardin : d'accord, avec la canne et accompagnée.",
    ),
    said(
        at(1, 7, 50),
        Voice::Nurse,
        Observation,
        "Poids 52,4 kg. Tension debout 134/78, plus de gêne au lever. Madame dit mieux dormir.",
    ),
];

/// An alert of the past, and what became of it.
pub(super) struct Settled {
    /// Who sent it, when, and what it says.
    pub(super) sent: (Voice, Moment, &'static str),
    /// Who acknowledged it.
    pub(super) acknowledged: (Voice, Moment, &'static str),
    /// Who closed it, with the outcome.
    pub(super) closed: (Voice, Moment, &'static str),
}

/// The alert that was acknowledged and closed.
pub(super) const SETTLED: Settled = Settled {
    sent: (
        Voice::Nurse,
        at(8, 6, 35),
        "Chute cette nuit dans la salle de bains. Madame est consciente, sans douleur à la mobilisation, hématome de l'avant-bras gauche. Elle a attendu deux heures au sol : il n'y a pas encore de téléassistance. Passage médical souhaité ce matin.",
    ),
    acknowledged: (
        Voice::Coordinator,
        at(8, 7, 5),
        "Vu. J'appelle la fille et je demande la pose en urgence de la téléassistance.",
    ),
    closed: (
        Voice::Doctor,
        at(7, 11, 25),
        "Vue à domicile : pas de fracture, pas de trouble de la conscience. Barre d'appui à poser près de la douche, téléassistance en place.",
    ),
};

/// The alert that waits: who sends it, now, and what it says.
pub(super) const OPEN: (Voice, &str) = (
    Voice::Nurse,
    "Ce matin, les prises d'hier midi et d'hier soir sont encore dans le pilulier, et Madame est un peu confuse, sans fièvre ni signe de chute. Tension 118/66. Je reste joignable ; quelqu'un peut-il joindre sa fille et organiser une visite médicale aujourd'hui ?",
);

/// How long the answer to [`OPEN`] may take, milliseconds: four hours.
pub(super) const ANSWER_WITHIN_MS: u64 = 4 * 3600 * 1000;
