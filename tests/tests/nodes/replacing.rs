//! A structure's machine is stolen: a new node in its place, by the recovery key from the safe, between whole nodes.

use std::{ffi::OsStr, fs, path::Path};

use maillon_protocol::{
    admin::{Call, Check, ErrorCode, PeerLine, Relation},
    ids::NodeId,
};
use maillon_tests::daemon::{
    Client, Daemon, Settings, Shared, Trouble, Two, invite, maillond, pair, professional, wait,
};

use crate::{Story, ensure, folder};

const IDENTITIES: &str = "identities.stand";

fn line(client: &mut Client, node: NodeId) -> Result<Option<PeerLine>, Trouble> {
    let peers = client.peer_list()?.peers;
    Ok(peers.into_iter().find(|line| line.node == node))
}

fn words(daemon: &Daemon, actor: &str, words: &[&str]) -> Result<(bool, String), Trouble> {
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    let ended = daemon.ctl(actor, &words)?;
    Ok((ended.status.success(), ended.words))
}

fn identities(client: &mut Client) -> Result<Check, Trouble> {
    let checks = client.doctor()?;
    let found = checks.into_iter().find(|check| check.name == IDENTITIES);
    found.ok_or_else(|| Trouble::wrong("no such check"))
}

/// The recovery key as `maillond init` printed it.
fn recovery_key(made: &str) -> Result<String, Trouble> {
    let printed = made
        .lines()
        .find_map(|line| line.split_once("recovery key  "));
    let key = printed.map(|(_, key)| key.trim().to_owned());
    key.ok_or_else(|| Trouble::wrong(format!("no recovery key in: {made}")))
}

/// A hospital's new machine: the node of the old one, and its key in a file.
fn new_machine(name: &str, old: NodeId, key: &Path) -> Settings {
    let mut settings = Settings::hospital();
    settings.name = name.to_owned();
    settings.init_arguments = vec![
        String::from("--recover"),
        old.to_string(),
        String::from("--recovery-key"),
        key.display().to_string(),
    ];
    settings
}

#[test]
fn a_machine_is_stolen_and_the_structure_goes_on_with_a_new_node() -> Story {
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let mut stolen = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.a, &stolen)?;
    let at_stolen = professional(&stolen, "Inès Carpentier", "10999003014", "60")?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let mut c = stolen.client()?.acting_as(&at_stolen);
    let old = stolen.node()?;
    invite(&mut a, &mut c, old, circle)?;
    let of_a = a.note_add(circle, "A marché jusqu'au portail.")?.record;
    wait::until("the note at the hospital", wait::LONG, || {
        Ok(c.shows(of_a)?.then_some(()))
    })?;
    let of_c = c.note_add(circle, "Sortie prévue jeudi.")?.record;
    wait::until("the hospital's note at the others", wait::LONG, || {
        Ok((a.shows(of_c)? && b.shows(of_c)?).then_some(()))
    })?;
    stolen.kill()?;

    // Nobody takes its place with another key, or with something that is none.
    let paper = root.path().join("paper");
    fs::write(&paper, "AAAA BBBB").map_err(Trouble::io("the paper"))?;
    match Daemon::init(root.path(), new_machine("e", old, &paper)) {
        Err(Trouble::Exited { status, words, .. }) => {
            ensure(status.code() == Some(64), || format!("{status:?}"))?;
            ensure(words.contains("52 letters"), || words.clone())?;
        }
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    let key = recovery_key(&stolen.made)?;
    fs::write(&paper, &key).map_err(Trouble::io("the paper"))?;
    let mut new = Daemon::init(root.path(), new_machine("d", old, &paper))?;
    ensure(!new.made.contains(&key), || {
        "the key is repeated".to_owned()
    })?;
    new.start()?;
    let at_new = professional(&new, "Inès Carpentier", "10999003014", "60")?;
    let node = new.node()?;
    let (_, trail) = words(&new, &at_new, &["audit", "list", "--json"])?;
    ensure(trail.contains("node.replaces"), || trail.clone())?;

    // It pairs anew, and brings its statement. Nothing follows from that alone.
    pair(&two.a, &new)?;
    wait::until("the statement at A", wait::LONG, || {
        let line = line(&mut a, old)?;
        Ok(line.filter(|line| line.replaced_by == Some(node)))
    })?;
    // Until somebody has compared, that is an open matter at A.
    two.a.settings.broken = vec![IDENTITIES];
    two.b.settings.broken = vec![IDENTITIES];
    let name = circle.to_string();
    let old_name = old.to_string();
    let (done, said) = words(
        &two.a,
        &two.at_a,
        &["circle", "replace", &name, &old_name, "--yes"],
    )?;
    ensure(!done && said.contains("obody has said"), || said.clone())?;
    let (_, said) = words(&two.a, &two.at_a, &["status"])?;
    ensure(said.contains("maillonctl peer replace"), || said.clone())?;
    ensure(!identities(&mut a)?.holds, || "an open matter".to_owned())?;

    // The administrator of A has spoken with the hospital.
    let new_name = node.to_string();
    let (done, said) = words(
        &two.a,
        &two.at_a,
        &[
            "peer",
            "replace",
            &old_name,
            "--by",
            &new_name,
            "--circles",
            "--yes",
        ],
    )?;
    ensure(done && said.contains("1 circle"), || said.clone())?;
    let (_, trail) = words(&two.a, &two.at_a, &["audit", "list", "--json"])?;
    ensure(
        trail.contains("peer.replace") && trail.contains("circle.replace"),
        || trail.clone(),
    )?;
    let mut d = new.client()?.acting_as(&at_new);
    wait::until("the file at the new node", wait::LONG, || {
        Ok((d.shows(of_a)? && d.shows(of_c)?).then_some(()))
    })?;
    let of_d = d.note_add(circle, "Le portail est réparé.")?.record;
    wait::until("what it writes, at both", wait::LONG, || {
        Ok((a.shows(of_d)? && b.shows(of_d)?).then_some(()))
    })?;
    ensure(identities(&mut a)?.holds, || "nothing is open".to_owned())?;
    two.a.settings.broken = Vec::new();

    // Whoever has the old machine starts it. It writes, and nobody hears it or tells it anything.
    stolen.start()?;
    let mut c = stolen.client()?.acting_as(&at_stolen);
    let forged = c.note_add(circle, "Écrit par un voleur.")?.record;
    wait::until("it does not reach A", wait::LONG, || {
        let line = line(&mut c, two.a.node()?)?;
        Ok(line.filter(|line| !line.connected && line.last_error.is_some()))
    })?;
    let at_a = line(&mut a, old)?.ok_or_else(|| Trouble::wrong("A has forgotten it"))?;
    ensure(at_a.relation == Relation::Replaced, || format!("{at_a:?}"))?;
    ensure(!a.shows(forged)? && !b.shows(forged)?, || {
        "it is heard".to_owned()
    })?;
    ensure(!c.shows(of_d)?, || "it hears".to_owned())?;
    match a.circle_invite(circle, old) {
        Err(no) => ensure(no.to_string().contains("revoked or replaced"), || {
            no.to_string()
        })?,
        Ok(sent) => return Err(Trouble::wrong(format!("{sent:?}"))),
    }

    // B's administrator fears for its keys while the machine is still there, and gives them up.
    let (done, said) = words(&two.b, &two.at_b, &["keys", "revoke", "--yes"])?;
    ensure(done, || said.clone())?;
    let revoked = two.b.node()?;
    wait::until(
        "the revocation at A and at the hospital",
        wait::LONG,
        || {
            let here = line(&mut a, revoked)?;
            let there = line(&mut d, revoked)?;
            let all = [here, there].into_iter().flatten();
            let refused = all.filter(|line| line.relation == Relation::Revoked && !line.connected);
            Ok((refused.count() == 2).then_some(()))
        },
    )?;
    match b.note_add(circle, "Trop tard.") {
        Err(no) if no.code() == Some(ErrorCode::Conflict) => {
            ensure(no.to_string().contains("was revoked"), || no.to_string())?;
        }
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    let (_, said) = words(&two.b, &two.at_b, &["status"])?;
    ensure(said.contains("maillond init --recover"), || said.clone())?;
    two.b.settings.broken = vec![IDENTITIES];
    ensure(!identities(&mut a)?.holds, || {
        "B is still a member".to_owned()
    })?;
    a.call(Call::CircleRemove {
        circle: name,
        member: revoked.to_string(),
        reason: maillon_protocol::charter::RemovalReason::Compromised,
    })?;
    ensure(identities(&mut a)?.holds, || "nothing is open".to_owned())
}

/// `maillond recovery-key` with a key in a file: whether it was done, and what it said.
fn change_key(daemon: &Daemon, key: &Path) -> Result<(Option<i32>, String), Trouble> {
    let folder = daemon.folder();
    let words = [
        OsStr::new("recovery-key"),
        OsStr::new("--dir"),
        folder.as_os_str(),
        OsStr::new("--recovery-key"),
        key.as_os_str(),
    ];
    let ended = maillond(&words, wait::LONG)?;
    Ok((ended.status.code(), ended.words))
}

#[test]
fn another_recovery_key_rules_from_the_next_start_and_peers_learn_it_without_a_complaint() -> Story
{
    let root = folder()?;
    // In a circle of A's, so that A looks at what is known of B.
    let Shared { two, .. } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let Two { a, mut b, .. } = two;
    let mut at_a = a.client()?;
    let node = b.node()?;
    let before = at_a.peer_show(node)?.recovery;
    let paper = root.path().join("paper");
    let first = recovery_key(&b.made)?;
    fs::write(&paper, &first).map_err(Trouble::io("the paper"))?;
    let (code, said) = change_key(&b, &paper)?;
    ensure(code == Some(75) && said.contains("stop it first"), || {
        said.clone()
    })?;
    b.stop()?;
    // A letter that was read wrong is another key.
    let other = if first.starts_with('A') { "B" } else { "A" };
    fs::write(&paper, format!("{other}{}", &first[1..])).map_err(Trouble::io("the paper"))?;
    let (code, said) = change_key(&b, &paper)?;
    ensure(
        code == Some(64) && said.contains("letter by letter"),
        || said.clone(),
    )?;
    fs::write(&paper, &first).map_err(Trouble::io("the paper"))?;
    let (code, said) = change_key(&b, &paper)?;
    ensure(code == Some(0), || said.clone())?;
    let second = recovery_key(&said)?;
    ensure(second != first && !said.contains(&first), || {
        "the old key".to_owned()
    })?;

    b.start()?;
    let (after, _) = wait::until_seen("the new key, at A", wait::LONG, || {
        let shown = at_a.peer_show(node)?;
        let changed = shown.recovery != before;
        Ok((changed.then_some(shown.line.clone()), shown))
    })?;
    ensure(after.refused == 0, || format!("{after:?}"))?;
    let ruled = at_a.peer_show(node)?.recovery;
    // Started again, it goes on as it is; and the first key changes nothing any more.
    b.stop()?;
    let (code, said) = change_key(&b, &paper)?;
    ensure(code == Some(64), || said.clone())?;
    fs::write(&paper, &second).map_err(Trouble::io("the paper"))?;
    let (code, said) = change_key(&b, &paper)?;
    ensure(code == Some(0), || said.clone())?;
    b.start()?;
    b.stop()?;
    b.start()?;
    wait::until_seen("the third key, at A", wait::LONG, || {
        let shown = at_a.peer_show(node)?;
        let changed = shown.recovery != ruled && shown.line.refused == 0;
        Ok((changed.then_some(()), shown))
    })?;
    let actor = professional(&b, "Hélène Quéré", "10999001034", "60")?;
    let (_, trail) = words(&b, &actor, &["audit", "list", "--json"])?;
    let noted = trail.matches("node.recovery-key").count();
    ensure(noted == 2, || trail.clone())
}

#[test]
fn a_damaged_word_of_the_recovery_key_is_passed_over_and_the_key_before_rules() -> Story {
    let root = folder()?;
    let mut a = Daemon::new(root.path(), Settings::dac())?;
    let paper = root.path().join("paper");
    fs::write(&paper, recovery_key(&a.made)?).map_err(Trouble::io("the paper"))?;
    let node = a.node()?;
    a.stop()?;
    let before = a.folder().join("rotates");
    let (code, said) = change_key(&a, &paper)?;
    ensure(code == Some(0), || said.clone())?;
    let mut word = fs::read(&before).map_err(Trouble::io("the word"))?;
    let middle = word.len() / 2;
    word[middle] ^= 1;
    fs::write(&before, word).map_err(Trouble::io("the word"))?;
    a.start()?;
    ensure(a.node()? == node, || "another node".to_owned())?;
    a.stop()?;
    // The paper of before still opens.
    let (code, said) = change_key(&a, &paper)?;
    ensure(code == Some(0), || said.clone())?;
    a.start()?;
    Ok(())
}

#[test]
fn a_node_that_listens_nowhere_names_its_other_recovery_key_at_its_next_start() -> Story {
    let root = folder()?;
    let mut cpts = Settings::cpts();
    (cpts.quic, cpts.tcp) = (false, false);
    let Two { a, mut b, .. } = Two::peered(root.path(), Settings::dac(), cpts)?;
    let mut at_a = a.client()?;
    let node = b.node()?;
    let before = at_a.peer_show(node)?.recovery;
    let paper = root.path().join("paper");
    fs::write(&paper, recovery_key(&b.made)?).map_err(Trouble::io("the paper"))?;
    b.stop()?;
    let (code, said) = change_key(&b, &paper)?;
    ensure(code == Some(0), || said.clone())?;
    b.start()?;
    wait::until_seen("the new key, at A", wait::LONG, || {
        let shown = at_a.peer_show(node)?;
        let changed = shown.recovery != before && shown.line.refused == 0;
        Ok((changed.then_some(()), shown))
    })?;
    Ok(())
}
