//! What two administrators and two professionals do so that their nodes share a circle: the steps that every scenario begins with.

use std::{collections::BTreeMap, path::Path};

use maillon_protocol::{
    admin::{Pairing, RecordLine, Relation, WatchEvent},
    content::{IdentityStatus, Ins, InsKind, PartialDate, PatientIdentity, Sex},
    ids::{CircleId, LogId, NodeId, RecordId},
};

use super::{Client, Daemon, Settings, Trouble, trouble::ensure, wait};

/// Two peered nodes, a professional at each.
#[derive(Debug)]
pub struct Two {
    /// The steward of what they share.
    pub a: Daemon,
    /// The other.
    pub b: Daemon,
    /// A professional at A.
    pub at_a: String,
    /// A professional at B.
    pub at_b: String,
}

/// Two nodes with a common circle of one person.
#[derive(Debug)]
pub struct Shared {
    /// The nodes.
    pub two: Two,
    /// The circle, of which both are members.
    pub circle: CircleId,
}

impl Two {
    /// Makes, starts and peers two nodes.
    ///
    /// # Errors
    /// Where any step fails.
    pub fn peered(root: &Path, a: Settings, b: Settings) -> Result<Self, Trouble> {
        let a = Daemon::new(root, a)?;
        let b = Daemon::new(root, b)?;
        Self::of(a, b)
    }

    /// Peers two running nodes.
    ///
    /// # Errors
    /// Where any step fails.
    pub fn of(a: Daemon, b: Daemon) -> Result<Self, Trouble> {
        let at_a = professional(&a, "Claire Vasseur", "10999001018", "60")?;
        let at_b = professional(&b, "Yann Le Goff", "10999001026", "10")?;
        pair(&a, &b)?;
        Ok(Self { a, b, at_a, at_b })
    }

    /// Opens a circle at A, records consent, invites B, and accepts there.
    ///
    /// # Errors
    /// Where any step fails.
    pub fn share(self) -> Result<Shared, Trouble> {
        let mut a = self.a.client()?.acting_as(&self.at_a);
        let circle = a.circle_open(person())?.line.circle;
        a.consent_given(circle)?;
        admit(&self, circle)?;
        Ok(Shared { two: self, circle })
    }
}

/// A person of our own invention, with an INS of the test range.
pub fn person() -> PatientIdentity {
    PatientIdentity {
        birth_name: String::from("QUESNEVILLE"),
        birth_given_names: vec![String::from("Léontine")],
        used_name: String::new(),
        used_given_name: String::new(),
        birth_date: PartialDate::try_from(String::from("1941-02-23")).ok(),
        sex: Sex::Female,
        birth_place: String::from("76540"),
        ins: Some(Ins::new("279035121518989", InsKind::TestNir)),
        status: IdentityStatus::Provisional,
        validated_by: String::new(),
        contacts: Vec::new(),
        identifiers: Vec::new(),
    }
}

/// Adds a professional and returns what `--as` takes.
///
/// # Errors
/// The daemon's.
pub fn professional(
    daemon: &Daemon,
    name: &str,
    rpps: &str,
    profession: &str,
) -> Result<String, Trouble> {
    let added = daemon.client()?.professional_add(name, rpps, profession)?;
    Ok(added.id)
}

/// Pairs two nodes: A invites, B accepts, both see the same five words and confirm. Returns the words once both are connected peers.
///
/// # Errors
/// Where the words differ, or any step fails.
pub fn pair(a: &Daemon, b: &Daemon) -> Result<String, Trouble> {
    let (mut at_a, mut at_b) = (a.client()?, b.client()?);
    let invitation = at_a.peer_invite()?;
    let accepted = at_b.peer_accept(&invitation.text)?;
    let shown = accepted.words.clone();
    let shown = shown.ok_or_else(|| Trouble::wrong("the accepting side shows no words"))?;
    let invited = wait::until("the words at the inviting side", wait::LONG, || {
        let pairings = at_a.peer_list()?.pairings;
        Ok(pairings
            .into_iter()
            .find(|pairing| pairing.pairing == invitation.pairing && pairing.words.is_some()))
    })?;
    ensure(invited.words.as_deref() == Some(&shown), || {
        format!("the words differ: {:?} and {shown:?}", invited.words)
    })?;
    ensure(shown.split_whitespace().count() == 5, || {
        format!("not five words: {shown:?}")
    })?;
    let early = |pairing: &Pairing| pairing.paired;
    ensure(!early(&invited) && !early(&accepted), || {
        String::from("paired before anybody confirmed")
    })?;
    at_a.peer_confirm(&invitation.pairing, &shown)?;
    at_b.peer_confirm(&accepted.pairing, &shown)?;
    connected(a, b)?;
    connected(b, a)?;
    Ok(shown)
}

/// Waits until one node shows the other as a connected peer.
fn connected(here: &Daemon, there: &Daemon) -> Result<(), Trouble> {
    let (mut client, node) = (here.client()?, there.node()?);
    let what = format!("{} sees {}", here.settings.name, there.settings.name);
    wait::until_seen(&what, wait::LONG, || {
        let peers = client.peer_list()?.peers;
        let line = peers.into_iter().find(|line| line.node == node);
        let there = line
            .as_ref()
            .is_some_and(|line| line.relation == Relation::Peer && line.connected);
        Ok((there.then_some(()), line.and_then(|line| line.last_error)))
    })
    .map(drop)
}

/// Invites B into a circle of A, accepts there for a new person, and waits until B is a member.
///
/// # Errors
/// Where any step fails.
pub fn admit(two: &Two, circle: CircleId) -> Result<(), Trouble> {
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let mut watch = two.b.watch()?;
    let sent = a.circle_invite(circle, two.b.node()?)?;
    watch.until("the invitation at B", wait::LONG, |event| {
        matches!(event, WatchEvent::Invited { invitation } if *invitation == sent.invitation)
    })?;
    b.circle_accept(sent.invitation)?;
    watch.until("the charter that lists B", wait::LONG, |event| {
        matches!(event, WatchEvent::Charter { circle: named, member: true, .. } if *named == circle)
    })?;
    Ok(())
}

/// Invites a node whose client this is into a circle of the host, and accepts there for a new person. The charter may still be on its way.
///
/// # Errors
/// Where any step fails.
pub fn invite(
    host: &mut Client,
    guest: &mut Client,
    node: NodeId,
    circle: CircleId,
) -> Result<(), Trouble> {
    let sent = host.circle_invite(circle, node)?.invitation;
    wait::until("the invitation", wait::LONG, || {
        let all = guest.invitations(true)?;
        Ok(all.iter().any(|line| line.invitation == sent).then_some(()))
    })?;
    guest.circle_accept(sent)
}

/// Waits until both nodes work out the same digest of a circle, over the same number of records.
///
/// # Errors
/// [`Trouble::TooLate`] with what both sides showed last.
pub fn same_digests(a: &Daemon, b: &Daemon, circle: CircleId) -> Result<u64, Trouble> {
    let (mut at_a, mut at_b) = (a.client()?, b.client()?);
    let (records, _) = wait::until_seen("the same digest at both", wait::LONG, || {
        let here = at_a.digests(Some(circle))?;
        // It may not be a member yet.
        let there = at_b.digests(Some(circle)).unwrap_or_default();
        let same = here.len() == 1 && here == there && here[0].digest.is_some();
        Ok((same.then(|| here[0].records), (here, there)))
    })?;
    Ok(records)
}

/// The records of a circle, after checking that each log counts from 1 without a gap and that nothing stands twice.
///
/// # Errors
/// [`Trouble::Wrong`] where something is missing or twice there.
pub fn records_of(
    daemon: &Daemon,
    circle: CircleId,
) -> Result<BTreeMap<RecordId, RecordLine>, Trouble> {
    let lines = daemon.client()?.records(circle)?;
    let count = lines.len();
    let mut logs: BTreeMap<LogId, Vec<u64>> = BTreeMap::new();
    let mut records = BTreeMap::new();
    for line in lines {
        logs.entry(line.log).or_default().push(line.sequence);
        records.insert(line.record, line);
    }
    ensure(records.len() == count, || {
        format!("{count} lines, but {} records", records.len())
    })?;
    for sequences in logs.values_mut() {
        sequences.sort_unstable();
        let gap = (1..)
            .zip(sequences.iter())
            .find(|(due, found)| due != *found);
        ensure(gap.is_none(), || {
            format!("a log has a gap: sequence {gap:?} (due, found)")
        })?;
    }
    Ok(records)
}
