//! Who withdrew what, as a circle is shown: by name and structure, and without effect where it was not theirs to withdraw.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on should say where"
)]

mod ground;

use maillon_node::{
    audit::By,
    care::{Actor, Care, CareError},
    ledger::Ledger,
};
use maillon_protocol::{
    charter::{Grant, SealedSecret, Subject},
    content::{Content, LiaisonNote, NoteKind, Structure},
    ids::{CircleId, NodeId, RecordId, ThingId},
    invite::InvitationReason,
    record::Record,
    replica::{Draft, IncomingState, RowPrefix, Rows},
    sign,
    sync::View,
};
use tempfile::TempDir;

/// A structure's node without a network, and a professional at it.
struct Site {
    ledger: Ledger,
    care: Care,
    actor: Actor,
    _folder: TempDir,
}

impl Site {
    async fn new(seed: u8, name: &str, who: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = ground::ledger(folder.path(), seed, name);
        let structure = Structure {
            name: name.to_owned(),
            identifiers: Vec::new(),
        };
        let care = Care::new(ledger.clone(), structure);
        let actor = care.add_professional(By::itself(), who, None, None).await;
        Self {
            actor: actor.expect("a professional"),
            ledger,
            care,
            _folder: folder,
        }
    }

    fn id(&self) -> NodeId {
        self.ledger.shared().own()
    }

    /// Writes a version of a note.
    async fn note(
        &self,
        circle: CircleId,
        thing: ThingId,
        supersedes: Vec<RecordId>,
        withdrawn: &str,
    ) -> RecordId {
        let draft = Draft {
            thing: Some(thing),
            parent: None,
            supersedes,
            author: self.actor.professional.clone(),
            occurred_ms: 1,
            content: Content::LiaisonNote(LiaisonNote {
                note: NoteKind::General,
                text: "Pansement refait.".to_owned(),
                emergency: false,
                written_by: Vec::new(),
                attachments: Vec::new(),
                withdrawn: withdrawn.to_owned(),
            }),
        };
        let job = self.ledger.run(move |tx| {
            let now = tx.now_ms;
            let written = (tx.replica).write(tx.rows, &circle, vec![draft], now, &mut tx.rng)?;
            Ok::<_, CareError>(written[0].record)
        });
        job.await.expect("a member writes")
    }

    /// Everything that this node wrote in a circle.
    fn written(&self, circle: CircleId) -> Vec<Record> {
        let held = self.ledger.shared().circle(&circle).expect("a circle");
        let logs = held.logs.keys().filter(|log| log.node == self.id());
        logs.flat_map(|log| {
            (self.ledger.shared()).read(|view| view.records(&circle, log, 1, u64::MAX, usize::MAX))
        })
        .collect()
    }

    async fn take(&self, from: NodeId, circle: CircleId, records: Vec<Record>) {
        let job = self.ledger.run(move |tx| {
            let now = tx.now_ms;
            (tx.replica).take_records(tx.rows, from, circle, records, now, &mut tx.rng)
        });
        let outcome = job.await.expect("from a member");
        assert!(!outcome.refused, "{:?}", outcome.reasons);
    }
}

/// Founds a circle at `host` and admits `guest`.
async fn share(host: &Site, guest: &Site) -> CircleId {
    let descriptor = guest.ledger.shared().descriptor();
    let to = guest.id();
    let job = host.ledger.run(move |tx| {
        let now = tx.now_ms;
        let circle = tx.replica.found(Subject::Community, now, &mut tx.rng);
        tx.replica
            .take_descriptor(tx.rows, &descriptor)
            .expect("a first descriptor");
        let reason = InvitationReason::Community;
        let invitation = (tx.replica)
            .invite(
                tx.rows,
                &circle,
                to,
                reason,
                None,
                Grant::Whole,
                now,
                &mut tx.rng,
            )
            .map_err(CareError::from)?;
        Ok::<_, CareError>((circle, invitation))
    });
    let (circle, invitation) = job.await.expect("an invitation");
    let job = (host.ledger).run(|tx| tx.replica.outgoing(tx.rows).map_err(CareError::from));
    let letter = job.await.expect("rows").pop().expect("one").1.invitation;
    let from = host.id();
    let job = guest.ledger.run(move |tx| {
        (tx.replica)
            .take_invitation(tx.rows, from, letter.0, tx.now_ms)
            .map_err(CareError::from)
    });
    job.await.expect("an invitation arrives");
    let job = guest.ledger.run(move |tx| {
        (tx.replica)
            .accept(tx.rows, &invitation, None, tx.now_ms)
            .map_err(CareError::from)
    });
    job.await.expect("it waits");
    let job = (guest.ledger).run(|tx| tx.replica.incoming(tx.rows).map_err(CareError::from));
    let mut answers = job.await.expect("rows");
    let IncomingState::Accepted { acceptance, .. } = answers.pop().expect("one").1.state else {
        panic!("accepted above")
    };
    let job = host.ledger.run(move |tx| {
        let now = tx.now_ms;
        (tx.replica)
            .take_acceptance(tx.rows, to, acceptance.0, now, &mut tx.rng)
            .map_err(CareError::from)
    });
    job.await.expect("an acceptance of ours");
    let rows = host.ledger.shared().rows();
    let entries = rows.scan(&RowPrefix::Entries(circle, 0)).expect("rows");
    let entries: Vec<_> = entries
        .into_iter()
        .map(|bytes| sign::verify(bytes).expect("signed"))
        .collect();
    let seals = rows.scan(&RowPrefix::Seals(circle, to)).expect("rows");
    let seals: Vec<SealedSecret> = seals
        .iter()
        .map(|bytes| maillon_protocol::cbor::decode(bytes).expect("a copy"))
        .collect();
    let job = guest.ledger.run(move |tx| {
        let now = tx.now_ms;
        (tx.replica).take_entries(tx.rows, from, circle, entries, &seals, now, &mut tx.rng)
    });
    job.await.expect("admitted");
    circle
}

#[tokio::test]
async fn a_withdrawal_by_another_structure_is_shown_with_its_author_and_counts_for_nothing() {
    let host = Site::new(1, "DAC des Monts", "Claire Vasseur").await;
    let guest = Site::new(2, "CPTS du Vallon", "Yann Le Goff").await;
    let circle = share(&host, &guest).await;
    let thing = ThingId([7; 16]);
    let note = host.note(circle, thing, Vec::new(), "").await;
    guest.note(circle, thing, vec![note], "Doublon").await;
    host.take(guest.id(), circle, guest.written(circle)).await;

    let shown = host.care.show(&circle).expect("a circle").things;
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0].standing[0].record, note);
    assert_eq!(shown[0].contested, 1);
    let by = &shown[0].contested_by[0];
    let who = (by.by.as_str(), by.structure.as_str(), by.node);
    assert_eq!(who, ("Yann Le Goff", "CPTS du Vallon", guest.id()));
    assert_eq!(by.withdraws.as_deref(), Some("Doublon"));
    assert!(!by.after_removal && by.at_ms > 0);

    // What its own structure withdraws is withdrawn.
    let withdrawn = host.note(circle, thing, vec![note], "Autre patiente").await;
    let shown = host.care.show(&circle).expect("a circle").things;
    assert_eq!(shown[0].standing[0].record, withdrawn);
}
