//! The calls, each with the answer that belongs to it.

use maillon_protocol::{
    admin::{
        AccountCall, AccountCode, AccountLine, Answer, Call, Candidates, Check, CircleDigest,
        CircleLine, CircleView, DocumentState, ErrorCode, Exported, Imported, InvitationLine,
        LocalProfessional, Pairing, Peer, PeerInvitation, Peers, RecordLine, RecordPage,
        RecordView, Status, VerifiedRecord, Written,
    },
    charter::{Grant, RemovalReason},
    content::{AlertStep, ConsentDecision, ConsentKind, NoteKind, PatientIdentity, Severity},
    ids::{CircleId, InvitationId, NodeId, RecordId},
    invite::InvitationReason,
};

use super::{Client, Trouble};

/// Methods that make one call and expect one kind of answer.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) $call:expr => $variant:ident($answer:ty);)*) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// Those of [`Client::call`].
                pub fn $name(&mut self, $($arg: $ty),*) -> Result<$answer, Trouble> {
                    match self.call($call)? {
                        Answer::$variant(answer) => Ok(answer),
                        other => Err(unexpected(stringify!($name), &other)),
                    }
                }
            )*
        }
    };
}

fn unexpected(call: &str, answer: &Answer) -> Trouble {
    let shown: String = format!("{answer:?}").chars().take(80).collect();
    Trouble::Protocol(format!("{call} was answered with {shown}"))
}

calls! {
    /// Must I do something?
    status() Call::Status => Status(Status);
    /// Every invariant, checked now.
    doctor() Call::Doctor => Checks(Vec<Check>);
    /// A fresh invitation to peer.
    peer_invite() Call::PeerInvite => PeerInvitation(PeerInvitation);
    /// Takes an invitation to peer; answers with the words.
    peer_accept(invitation: &str) Call::PeerAccept { invitation: invitation.to_owned() } => Pairing(Pairing);
    /// Somebody compared the words.
    peer_confirm(pairing: &str, words: &str)
        Call::PeerConfirm { pairing: pairing.to_owned(), words: words.to_owned() } => Pairing(Pairing);
    /// Peers and pairings.
    peer_list() Call::PeerList => Peers(Peers);
    /// One peer.
    peer_show(peer: NodeId) Call::PeerShow { peer: peer.to_string() } => Peer(Peer);
    /// Tries to reach a peer now.
    peer_test(peer: NodeId) Call::PeerTest { peer: peer.to_string() } => Peer(Peer);
    /// Adds a professional.
    professional_add(name: &str, rpps: &str, profession: &str) Call::ProfessionalAdd {
        name: name.to_owned(),
        rpps: Some(rpps.to_owned()),
        profession: Some(profession.to_owned()),
    } => Professional(LocalProfessional);
    /// Makes an account that acts in the name of a professional.
    account_add(login: &str, name: &str, professional: &str) Call::Account(AccountCall::Add {
        login: login.to_owned(),
        name: name.to_owned(),
        professionals: vec![professional.to_owned()],
        administrator: false,
    }) => AccountCode(AccountCode);
    /// Makes an account of somebody who administers the node and is no professional.
    account_administer(login: &str, name: &str) Call::Account(AccountCall::Add {
        login: login.to_owned(),
        name: name.to_owned(),
        professionals: Vec::new(),
        administrator: true,
    }) => AccountCode(AccountCode);
    /// All accounts.
    account_list() Call::Account(AccountCall::List) => Accounts(Vec<AccountLine>);
    /// A code for one more first sign-in.
    account_begin_again(login: &str)
        Call::Account(AccountCall::BeginAgain { login: login.to_owned() }) => AccountCode(AccountCode);
    /// Records non-opposition.
    consent_given(circle: CircleId) Call::ConsentRecord {
        circle: circle.to_string(),
        kind: ConsentKind::NonOpposition,
        decision: ConsentDecision::Given,
        answered_by: String::new(),
        how: String::from("Information orale, dépliant remis"),
    } => Written(Written);
    /// Opens a circle.
    circle_open(identity: PatientIdentity) Call::CircleOpen { identity } => Circle(CircleView);
    /// A page of circles.
    circle_page(after: Option<CircleId>) Call::CircleList {
        after: after.map(|circle| circle.to_string()),
        limit: 200,
    } => Circles(Vec<CircleLine>);
    /// One circle.
    circle_show(circle: CircleId) Call::CircleShow { circle: circle.to_string(), before: None } => Circle(CircleView);
    /// Invites a peer, with the whole past.
    circle_invite(circle: CircleId, peer: NodeId) Call::CircleInvite {
        circle: circle.to_string(),
        peer: peer.to_string(),
        reason: InvitationReason::CareTeam,
        grant: Grant::Whole,
    } => Invitation(InvitationLine);
    /// A page of the open invitations, received and sent, or of all.
    invitation_page(all: bool, after: Option<InvitationId>)
        Call::InvitationList { all, after, limit: 200 } => Invitations(Vec<InvitationLine>);
    /// Who an invitation is about.
    candidates(invitation: InvitationId)
        Call::InvitationCandidates { invitation: invitation.to_string() } => Candidates(Candidates);
    /// Sends an alert to all structures of the circle.
    alert_send(circle: CircleId, text: &str) Call::AlertSend {
        circle: circle.to_string(),
        severity: Severity::High,
        text: text.to_owned(),
        to: Vec::new(),
        within_s: 0,
    } => Written(Written);
    /// Acknowledges an alert.
    alert_acknowledge(alert: RecordId, comment: &str) Call::AlertAnswer {
        alert: alert.to_string(),
        step: AlertStep::Acknowledge,
        comment: comment.to_owned(),
    } => Written(Written);
    /// Writes an observation.
    note_add(circle: CircleId, text: &str) Call::NoteAdd {
        circle: circle.to_string(),
        note: NoteKind::Observation,
        text: text.to_owned(),
        emergency: false,
    } => Written(Written);
    /// A page of a circle's records.
    record_page(circle: CircleId, after: Option<String>) Call::RecordList {
        circle: circle.to_string(),
        after,
        limit: 500,
    } => Records(RecordPage);
    /// What a record says.
    record_show(record: RecordId) Call::RecordShow { record: record.to_string() } => Record(RecordView);
    /// How much is here of a document's files.
    document_show(record: RecordId) Call::DocumentShow { record: record.to_string() } => Document(DocumentState);
    /// A record's sealed bytes, base64.
    record_export(record: RecordId)
        Call::RecordExport { record: record.to_string(), sealed: true } => Exported(Exported);
    /// Checks sealed bytes.
    record_verify(sealed: &str) Call::RecordVerify { sealed: sealed.to_owned() } => Verified(VerifiedRecord);
    /// Imports a FHIR file.
    import(file: &[u8]) Call::Import {
        content: data_encoding::BASE64.encode(file),
        dry_run: false,
    } => Imported(Imported);
    /// Digests of one circle, or of all.
    digests(circle: Option<CircleId>) Call::SyncCheck {
        circle: circle.map(|circle| circle.to_string()),
        digest: true,
    } => SyncCheck(Vec<CircleDigest>);
}

impl Client {
    /// Accepts an invitation for a person who is new here.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub fn circle_accept(&mut self, invitation: InvitationId) -> Result<(), Trouble> {
        self.done(Call::CircleAccept {
            invitation: invitation.to_string(),
            same_as: None,
        })
    }

    /// Removes a member whose part in the care has ended.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub fn circle_remove(&mut self, circle: CircleId, member: NodeId) -> Result<(), Trouble> {
        self.done(Call::CircleRemove {
            circle: circle.to_string(),
            member: member.to_string(),
            reason: RemovalReason::Ended,
        })
    }

    /// Ends the wait before the next attempt to reach each peer.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub fn retry_all(&mut self) -> Result<(), Trouble> {
        self.done(Call::PeerRetry { peer: None })
    }

    /// Whether a record is here and can be shown.
    ///
    /// # Errors
    /// Those of [`Client::call`], except the refusals that say no.
    pub fn shows(&mut self, record: RecordId) -> Result<bool, Trouble> {
        match self.record_show(record) {
            Ok(_) => Ok(true),
            Err(no) if matches!(no.code(), Some(ErrorCode::NotFound | ErrorCode::Conflict)) => {
                Ok(false)
            }
            Err(other) => Err(other),
        }
    }

    /// All circles.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub fn circles(&mut self) -> Result<Vec<CircleLine>, Trouble> {
        let mut all: Vec<CircleLine> = Vec::new();
        loop {
            let page = self.circle_page(all.last().map(|line| line.circle))?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// All invitations, received and sent; only the open ones where `settled_too` is not set.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub fn invitations(&mut self, settled_too: bool) -> Result<Vec<InvitationLine>, Trouble> {
        let mut all: Vec<InvitationLine> = Vec::new();
        loop {
            let page = self.invitation_page(settled_too, all.last().map(|line| line.invitation))?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// All records of a circle.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub fn records(&mut self, circle: CircleId) -> Result<Vec<RecordLine>, Trouble> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = self.record_page(circle, after)?;
            all.extend(page.records);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    fn done(&mut self, call: Call) -> Result<(), Trouble> {
        match self.call(call)? {
            Answer::Ok => Ok(()),
            other => Err(unexpected("a command", &other)),
        }
    }
}
