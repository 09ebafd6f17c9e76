//! What bodies hold: an envelope around a payload.

use maillon_protocol::{
    cbor::{self, Bytes},
    charter::{Grant, RemovalReason, RotationReason},
    content::{
        Alert, AlertAnswer, AlertStep, Answered, AskedChange, AttachmentRef, CareTeam, Code,
        CodeSystem, Consent, ConsentDecision, ConsentKind, Contact, Content, Document, Envelope,
        Erased, Erasure, ErasureAnswer, ErasureReason, Facts, Identifier, IdentifierSystem, Kind,
        LiaisonNote, MembershipRequest, NoteKind, PartialDate, Participation, Party, Period,
        Professional, ReadMark, RequestAnswer, Severity, Structure,
    },
    ids::{Hash, Incarnation, LogId, NodeId, RecordId, ThingId},
    invite::InvitationReason,
};
use serde_json::{Value, json};

use crate::{
    file::{File, hex},
    judge::items,
    node::{NOW, identity},
    world::World,
};

fn date(text: &str) -> Option<PartialDate> {
    text.to_owned().try_into().ok()
}

fn structure() -> Structure {
    Structure {
        name: "CPTS du Littoral".to_owned(),
        identifiers: vec![Identifier {
            system: IdentifierSystem::Finess,
            value: "990000003".to_owned(),
        }],
    }
}

fn code() -> Code {
    Code {
        system: CodeSystem::ProfessionSante,
        code: "60".to_owned(),
        label: "Infirmier".to_owned(),
    }
}

fn professional() -> Professional {
    Professional {
        name: "Camille Exemple".to_owned(),
        identifiers: vec![
            Identifier {
                system: IdentifierSystem::Rpps,
                value: "99900000001".to_owned(),
            },
            Identifier {
                system: IdentifierSystem::Other("urn:example".to_owned()),
                value: "7".to_owned(),
            },
        ],
        profession: Some(code()),
        structure: structure(),
    }
}

fn envelope(content: &Content) -> Envelope {
    let (kind, version) = content.kind();
    Envelope {
        kind,
        version,
        thing: ThingId([0x77; 16]),
        parent: None,
        supersedes: Vec::new(),
        author: professional(),
        occurred_ms: NOW,
        payload: content.payload().expect("a known kind"),
    }
}

fn asked(asked: AskedChange) -> Content {
    Content::MembershipRequest(MembershipRequest {
        asked,
        why: "La famille le demande.".to_owned(),
        withdrawn: false,
    })
}

fn contents() -> Vec<(&'static str, Content)> {
    let node = NodeId([0x21; 32]);
    let invite = AskedChange::Invite {
        node,
        reason: InvitationReason::Stay,
        grant: Grant::From(3),
    };
    let remove = AskedChange::Remove {
        node,
        reason: RemovalReason::Compromised,
    };
    let attachment = || AttachmentRef {
        address: Hash([1; 32]),
        key: Bytes(vec![2; 32]),
        length: 70_000,
        plaintext_hash: Hash([3; 32]),
        media_type: "application/pdf".to_owned(),
        name: "compte-rendu.pdf".to_owned(),
    };
    let period = |start, end| Period { start, end };
    let term = |party, period| {
        Content::Participation(Participation {
            party,
            roles: vec![Code {
                system: CodeSystem::Other("urn:example".to_owned()),
                code: "r".to_owned(),
                label: String::new(),
            }],
            period,
            referent: true,
        })
    };
    let contacts = || {
        vec![
            Contact::Phone("+33100000000".to_owned()),
            Contact::Mail("exemple@example.org".to_owned()),
            Contact::SecureMail("exemple@mssante.example".to_owned()),
            Contact::Address(vec![
                "1 rue de l’Exemple".to_owned(),
                "99000 Exempleville".to_owned(),
            ]),
        ]
    };
    let related = Party::RelatedPerson {
        name: "Sacha Exemple".to_owned(),
        relationship: vec![code()],
        contacts: contacts(),
        identifiers: Vec::new(),
    };
    vec![
        ("log opened", Content::LogOpened),
        ("patient identity", Content::PatientIdentity(identity())),
        (
            "consent",
            Content::Consent(Consent {
                kind: ConsentKind::NonOpposition,
                decision: ConsentDecision::Given,
                answered_by: String::new(),
                how: "oralement".to_owned(),
            }),
        ),
        (
            "care team, a period without dates: an empty array",
            Content::CareTeam(CareTeam {
                name: "Équipe".to_owned(),
                identifiers: Vec::new(),
                period: period(None, None),
                managed_by: vec![structure()],
            }),
        ),
        (
            "participation of a professional, a period with a start: an array of one",
            term(
                Party::Professional(professional()),
                period(date("2027-01-15"), None),
            ),
        ),
        (
            "participation of an organisation, a period with an end: null and the end",
            term(
                Party::Organisation(structure(), contacts()),
                period(None, date("2027-02")),
            ),
        ),
        (
            "participation of a related person, a period with both",
            term(related, period(date("2026"), date("2027"))),
        ),
        (
            "liaison note with an attachment",
            Content::LiaisonNote(LiaisonNote {
                note: NoteKind::Observation,
                text: "Vue ce matin, va bien.".to_owned(),
                emergency: false,
                written_by: vec![professional()],
                attachments: vec![attachment()],
                withdrawn: String::new(),
            }),
        ),
        (
            "alert",
            Content::Alert(Alert {
                severity: Severity::High,
                text: "Chute cette nuit.".to_owned(),
                addressees: Vec::new(),
                answer_by_ms: NOW + 3_600_000,
            }),
        ),
        (
            "answer to an alert",
            Content::AlertAnswer(AlertAnswer {
                step: AlertStep::TakeCharge,
                comment: String::new(),
            }),
        ),
        (
            "document",
            Content::Document(Document {
                title: "Compte rendu".to_owned(),
                type_code: None,
                confidentiality: vec![code()],
                attachments: vec![attachment()],
                withdrawn: String::new(),
            }),
        ),
        ("read mark", Content::ReadMark(ReadMark { read_ms: NOW })),
        (
            "answer to a request",
            Content::RequestAnswer(RequestAnswer {
                answer: Answered::Refused,
                comment: "Après la réunion de jeudi.".to_owned(),
            }),
        ),
        (
            "erasure of a correction",
            Content::Erasure(Erasure {
                record: RecordId([7; 32]),
                log: LogId {
                    node,
                    incarnation: Incarnation([8; 16]),
                },
                sequence: 12,
                facts: Facts {
                    kind: Kind::LiaisonNote as u64,
                    thing: ThingId([9; 16]),
                    parent: Some(ThingId([10; 16])),
                    supersedes: vec![RecordId([6; 32])],
                    code: NoteKind::Instruction as u64,
                    occurred_ms: NOW,
                },
                reason: ErasureReason::WrongPerson,
            }),
        ),
        (
            "answer to an erasure",
            Content::ErasureAnswer(ErasureAnswer {
                record: RecordId([7; 32]),
                answer: Erased::Differs,
            }),
        ),
        ("request to be invited", asked(invite)),
        ("request for a removal", asked(remove)),
        (
            "request for a new epoch",
            asked(AskedChange::Rotate {
                reason: RotationReason::Suspected,
            }),
        ),
        ("request to close", asked(AskedChange::Close { reason: 2 })),
        (
            "request to hand over, withdrawn",
            Content::MembershipRequest(MembershipRequest {
                asked: AskedChange::HandOver { to: node },
                why: String::new(),
                withdrawn: true,
            }),
        ),
    ]
}

pub(crate) fn make(_: &World) -> Value {
    let mut file = File::new(
        "The plaintext of a body, padding taken off. A kind or version that is not known is kept, not refused. \
         `known` says whether version 1 of the protocol has it.",
    );
    let seen =
        |bytes: &[u8]| items(&mut minicbor::Decoder::new(bytes)).expect("what was just written");
    let gives = |envelope: &Envelope, known: bool| {
        json!({
            "known": known,
            "items": seen(&envelope.write()),
            "payload": seen(&envelope.payload.0),
        })
    };
    for (name, content) in contents() {
        let envelope = envelope(&content);
        file.valid(
            name,
            json!({ "plaintext": hex(envelope.write()) }),
            gives(&envelope, true),
        );
    }
    let plain = envelope(&Content::ReadMark(ReadMark { read_ms: NOW }));
    let later = Envelope {
        version: 2,
        ..plain.clone()
    };
    let unknown = Envelope {
        kind: 4_000_000_000,
        parent: Some(ThingId([0x78; 16])),
        supersedes: vec![RecordId([0x79; 32])],
        ..plain.clone()
    };
    for (name, envelope) in [
        ("a later version of a known kind", later),
        (
            "an unknown kind with a parent and a superseded version",
            unknown,
        ),
    ] {
        file.valid(
            name,
            json!({ "plaintext": hex(envelope.write()) }),
            gives(&envelope, false),
        );
    }

    let with = |payload: Vec<u8>| Envelope {
        payload: Bytes(payload),
        ..plain.clone()
    };
    let team = |period: &[u8]| {
        let payload = [&[0x84, 0x60, 0x80], period, &[0x80]].concat();
        Envelope {
            kind: 20,
            ..with(payload)
        }
    };
    for (name, cause, envelope) in [
        (
            "payload of another kind",
            "shape",
            with(cbor::encode(&"text")),
        ),
        (
            "payload in a longer form",
            "not-deterministic",
            with(vec![0x81, 0x18, 0x01]),
        ),
        (
            "a byte behind the payload",
            "trailing",
            with(vec![0x81, 0x01, 0x00]),
        ),
        (
            "a period of two nulls",
            "not-deterministic",
            team(&[0x82, 0xf6, 0xf6]),
        ),
        (
            "a period with a trailing null",
            "not-deterministic",
            team(&[0x82, 0x64, b'2', b'0', b'2', b'7', 0xf6]),
        ),
    ] {
        file.invalid_payload(name, json!({ "plaintext": hex(envelope.write()) }), cause);
    }
    let mut behind = plain.write();
    behind.push(0);
    file.invalid_payload(
        "a byte behind the envelope",
        json!({ "plaintext": hex(behind) }),
        "trailing",
    );
    let many = Envelope {
        supersedes: vec![RecordId([0; 32]); 65],
        ..plain
    };
    file.invalid(
        "more superseded versions than allowed",
        json!({ "plaintext": hex(many.write()) }),
        "limit",
    );
    file.json()
}
