//! What must hold of a node: asked for at the end of each test, and by the node itself once a day.

use std::panic::{AssertUnwindSafe, catch_unwind};

use maillon_node::store::Table;
use maillon_protocol::admin::{Answer, Call, Worker};
use maillon_tests::daemon::{Client, Daemon, Settings, Trouble, Two, wait};
use rustix::process::{Pid, Signal, kill_process};

use crate::{Story, ensure, folder, raw::opened};

const AHEAD_S: i64 = 2 * 3600;

/// Takes the first line out of the audit trail of a stopped node, as somebody could who has its keys.
fn tamper(daemon: &Daemon) -> Story {
    let wrong = |error: &dyn std::fmt::Display| Trouble::wrong(error.to_string());
    let (_, store) = opened(daemon)?;
    let line = [&b"l"[..], &1_u64.to_be_bytes()].concat();
    let held = store
        .get(Table::Audit, &line)
        .map_err(|error| wrong(&error))?;
    ensure(held.is_some(), || String::from("there is no first line"))?;
    let mut batch = store.batch();
    batch
        .delete(Table::Audit, &line)
        .map_err(|error| wrong(&error))?;
    store.commit(batch).map_err(|error| wrong(&error))
}

/// With what words a test would fail that ended now.
fn words_at_the_end(daemon: Daemon) -> Option<String> {
    let ended = catch_unwind(AssertUnwindSafe(|| drop(daemon)));
    let words = ended.err()?.downcast::<String>();
    words.ok().map(|words| *words)
}

#[test]
fn a_test_that_leaves_a_broken_invariant_behind_fails_with_its_sentence() -> Story {
    let root = folder()?;
    let mut daemon = Daemon::new(root.path(), Settings::dac())?;
    maillon_tests::daemon::professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    daemon.stop()?;
    tamper(&daemon)?;
    daemon.start()?;
    let words = words_at_the_end(daemon).unwrap_or_default();
    let told = words.contains("Each line of the audit trail names the one before it.");
    ensure(told && words.contains("audit.lines-follow"), || words)
}

#[test]
fn a_test_whose_daemon_has_ended_unasked_fails() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let pid = daemon
        .pid()
        .and_then(|pid| Pid::from_raw(pid.cast_signed()));
    let pid = pid.ok_or_else(|| Trouble::wrong("it does not run"))?;
    let killed = kill_process(pid, Signal::KILL);
    killed.map_err(|error| Trouble::wrong(error.to_string()))?;
    wait::until("nobody answers any more", wait::LONG, || {
        Ok(daemon.client().is_err().then_some(()))
    })?;
    let words = words_at_the_end(daemon).unwrap_or_default();
    ensure(words.contains("SIGKILL"), || words)
}

/// The worker that checks everything, once it has done so.
fn verified(client: &mut Client) -> Result<Worker, Trouble> {
    wait::until("a check of everything", wait::LONG, || {
        let Answer::Workers(workers) = client.call(Call::WorkerList)? else {
            return Err(Trouble::wrong("an answer of another kind"));
        };
        let verify = workers.into_iter().find(|worker| worker.name == "verify");
        Ok(verify.filter(|it| it.last_success_ms.is_some() || it.last_error.is_some()))
    })
}

#[test]
fn the_daily_check_finds_what_doctor_finds_and_status_says_so() -> Story {
    let root = folder()?;
    let [mut a, mut b] = [Settings::dac(), Settings::cpts()];
    b.verify_every_s = Some(1);
    let good = Daemon::new(
        root.path(),
        Settings {
            name: String::from("good"),
            ..b.clone()
        },
    )?;
    let verify = verified(&mut good.client()?)?;
    ensure(verify.last_error.is_none(), || format!("{verify:?}"))?;

    // A clock that runs ahead is seen in no single row; a line that is missing is.
    a.clock_offset_s = AHEAD_S;
    let shared = Two::peered(root.path(), a, b)?.share()?;
    let mut two = shared.two;
    let mut at_b = two.b.watch()?;
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let note = at_a.note_add(shared.circle, "Écrit deux heures trop tôt.")?;
    at_b.until_recorded(note.record)?;
    two.a.stop()?;
    two.b.stop()?;
    tamper(&two.b)?;
    two.b.settings.broken = vec!["audit.lines-follow", "clock.agrees"];
    two.b.start()?;
    let mut client = two.b.client()?;
    let verify = verified(&mut client)?;
    let (_, error) = verify.last_error.unwrap_or_default();
    let broken: Vec<String> = client
        .doctor()?
        .into_iter()
        .filter(|check| !check.holds)
        .map(|check| check.name)
        .collect();
    ensure(
        broken == two.b.settings.broken && error.contains(&broken.join(", ")),
        || format!("the daily check says {error:?}, doctor {broken:?}"),
    )?;
    let status = client.status()?;
    let told = status
        .reasons
        .iter()
        .any(|reason| reason.sentence.contains("the worker verify failed"));
    ensure(told, || format!("{:?}", status.reasons))
}
