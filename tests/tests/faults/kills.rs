//! The power goes at random instants, at either node or at both, under many writers: six times here, `MAILLON_KILLS=200` times by hand.

use std::{env, thread, time::Duration};

use maillon_protocol::ids::CircleId;
use maillon_tests::daemon::{
    Acknowledged, Daemon, Settings, Trouble, Two, Writers, admit, person, records_of, same_digests,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Story, ensure, folder};

const KILLS: u32 = 6;
/// Writers at each of the two nodes.
const WRITERS: usize = 32;
/// Kills in one circle, which is looked at as a whole after each; then the next one begins.
const IN_A_CIRCLE: u32 = 10;
/// The instant of a kill, in milliseconds after the writers began.
const INSTANTS: std::ops::Range<u64> = 5..500;
/// The instant of a second kill while the node wakes up from the first.
const WAKING: std::ops::Range<u64> = 0..400;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Who loses its power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victims {
    A,
    B,
    Both,
}

/// One kill, as the seed chose it.
#[derive(Debug)]
struct Kill {
    victims: Victims,
    after: Duration,
    /// Killed once more, so long after it began to wake up.
    again: Option<Duration>,
}

impl Kill {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let victims = [Victims::A, Victims::B, Victims::Both][rng.random_range(0..3)];
        let after = Duration::from_millis(rng.random_range(INSTANTS));
        let waking = Duration::from_millis(rng.random_range(WAKING));
        Self {
            victims,
            after,
            again: rng.random_bool(0.3).then_some(waking),
        }
    }
}

fn wake(daemon: &mut Daemon, again: Option<Duration>) -> Story {
    if let Some(waking) = again {
        daemon.launch()?;
        thread::sleep(waking);
        daemon.kill()?;
    }
    daemon.start().map(drop)
}

/// Writers begin at both, the power goes, and what each had acknowledged must be there when it is back, and then at the other.
fn kill_once(two: &mut Two, circle: CircleId, kill: &Kill, told: &[Acknowledged; 2]) -> Story {
    let callers = [
        two.a.caller().acting_as(&two.at_a),
        two.b.caller().acting_as(&two.at_b),
    ];
    let mut writers = Vec::new();
    for (caller, told) in callers.iter().zip(told) {
        writers.push(Writers::begin(caller, &[circle], WRITERS, told)?);
    }
    // Not a wait for anything: the instant is what the seed chooses.
    thread::sleep(kill.after);
    if kill.victims != Victims::B {
        two.a.kill()?;
    }
    if kill.victims != Victims::A {
        two.b.kill()?;
    }
    for writers in writers {
        writers.end()?;
    }
    for daemon in [&mut two.a, &mut two.b] {
        if daemon.pid().is_none() {
            wake(daemon, kill.again)?;
        }
    }
    let ends = [(&two.a, &two.at_a), (&two.b, &two.at_b)];
    for (end, own) in ends.iter().zip(told) {
        holds(*end, circle, std::slice::from_ref(own))?;
    }
    same_digests(&two.a, &two.b, circle)?;
    ends.iter().try_for_each(|end| holds(*end, circle, told))
}

/// Everything that was acknowledged is here, each log counts without a gap, and the newest can be read.
fn holds((daemon, who): (&Daemon, &String), circle: CircleId, told: &[Acknowledged]) -> Story {
    let held = records_of(daemon, circle)?;
    let told: Vec<_> = told.iter().flat_map(Acknowledged::all).collect();
    let lost = told.iter().filter(|id| !held.contains_key(id)).count();
    ensure(lost == 0, || {
        let (all, name) = (told.len(), &daemon.settings.name);
        format!("{lost} of {all} acknowledged notes are not at {name}")
    })?;
    let mut reader = daemon.client()?.acting_as(who);
    told.iter()
        .rev()
        .take(WRITERS)
        .try_for_each(|id| reader.record_show(*id).map(drop))
}

/// All invariants hold, and no peer ever had to give a node back what that node itself had written: a loss that was made good is a loss.
fn lost_no_tail(daemon: &Daemon) -> Story {
    daemon.invariants()?;
    let checks = daemon.client()?.doctor()?;
    let aside = checks
        .iter()
        .find(|check| check.name == "exchange.nothing-aside");
    let nothing = aside.is_some_and(|check| check.found == "nothing is kept aside");
    ensure(nothing, || {
        format!("at {}: {aside:?}", daemon.settings.name)
    })
}

#[test]
fn nothing_acknowledged_is_lost_whichever_node_is_killed_at_whatever_instant() -> Story {
    let kills = number("MAILLON_KILLS").map_or(KILLS, |kills| kills as u32);
    let seed = number("MAILLON_SEED").unwrap_or_else(|| rand::rng().random());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let root = folder()?;
    let mut two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let (mut notes, mut done) = (0, 0);
    while done < kills {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        let circle = a.circle_open(person())?.line.circle;
        a.consent_given(circle)?;
        admit(&two, circle)?;
        let told = [Acknowledged::default(), Acknowledged::default()];
        for _ in 0..IN_A_CIRCLE.min(kills - done) {
            done += 1;
            let kill = Kill::draw(&mut rng);
            kill_once(&mut two, circle, &kill, &told).map_err(|why| {
                Trouble::wrong(format!(
                    "kill {done} of MAILLON_SEED={seed}, {kill:?}: {why}"
                ))
            })?;
        }
        notes += told.iter().map(Acknowledged::count).sum::<usize>();
        lost_no_tail(&two.a)?;
        lost_no_tail(&two.b)?;
    }
    ensure(notes > 0, || {
        String::from("nothing was acknowledged, so nothing was shown")
    })?;
    println!("MAILLON_SEED={seed}: {kills} kills, {notes} notes acknowledged, none lost");
    Ok(())
}
