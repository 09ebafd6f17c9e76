//! A peer that never stops and a peer that never goes on, by its own key and in well-formed words: it costs its own connection, nobody else's, and
//! the node stays small.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

use maillon_protocol::{admin::WatchEvent, ids::CircleId, limits, sync::Message};
use maillon_tests::daemon::{
    Daemon, Settings, Trouble, Two, admit, pair, person, professional, same_digests, wait,
    write_notes,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{
    Taken,
    impostor::{Impostor, Learnt},
    runtime, ways,
};
use crate::{Story, ensure, folder};

/// What the circle of the tireless one holds: some MiB, so that an answer to it is long.
const NOTES: u64 = 2_000;
/// Alerts between the others meanwhile, and how long each may take.
const ALERTS: usize = 10;
const UNDISTURBED: Duration = Duration::from_secs(5);
/// What it may cost in memory, KiB: the queues of one link in both ways, an answer under way, and what the allocator keeps of that.
const GROWTH_KIB: u64 = 64 * 1024;

/// The check that names whoever broke a rule.
const RULES: &str = "exchange.peers-keep-the-rules";

/// A and C, who share a circle, and the keys of B, whom A takes for a member of another one.
struct Scene {
    with_c: Two,
    common: CircleId,
    of_b: CircleId,
    taken: Taken,
    /// B's folder; it runs no more.
    _b: Daemon,
    runtime: Runtime,
    _root: TempDir,
}

fn scene() -> Result<Scene, Trouble> {
    let root = folder()?;
    let shared = Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let (two, of_b) = (shared.two, shared.circle);
    let caller = two.a.caller().acting_as(&two.at_a);
    write_notes(&caller, &[of_b], 16, NOTES)?;
    same_digests(&two.a, &two.b, of_b)?;
    let c = Daemon::new(root.path(), Settings::hospital())?;
    let at_c = professional(&c, "Maëlle Kerouédan", "10999001034", "10")?;
    pair(&two.a, &c)?;
    let mut client = caller.connect()?;
    let common = client.circle_open(person())?.line.circle;
    client.consent_given(common)?;
    let Two { a, mut b, at_a, .. } = two;
    let with_c = Two {
        a,
        b: c,
        at_a,
        at_b: at_c,
    };
    admit(&with_c, common)?;
    b.stop()?;
    Ok(Scene {
        taken: Taken::of(&b)?,
        with_c,
        common,
        of_b,
        _b: b,
        runtime: runtime()?,
        _root: root,
    })
}

impl Scene {
    /// Comes in as B, and behaves so far.
    async fn enter(&self) -> Result<(Impostor, Learnt), Trouble> {
        let a = &self.with_c.a;
        let (to, [_, way]) = (a.node()?, ways(a.address())?);
        let mut impostor = Impostor::connect(&self.taken, to, &way).await?;
        impostor.greet(&self.taken).await?;
        let learnt = impostor.learn(self.of_b).await?;
        Ok((impostor, learnt))
    }

    /// Alerts from A to C and back, each within its time.
    fn others_are_undisturbed(&self) -> Story {
        let two = &self.with_c;
        let (mut at_a, mut at_c) = (two.a.watch()?, two.b.watch()?);
        let mut a = two.a.client()?.acting_as(&two.at_a);
        let mut c = two.b.client()?.acting_as(&two.at_b);
        for _ in 0..ALERTS {
            let there = a.alert_send(self.common, "Chute, au sol depuis une heure.")?;
            let back = c.alert_send(self.common, "Ambulance en route.")?;
            for (watch, wanted) in [(&mut at_c, there), (&mut at_a, back)] {
                watch.until("an alert of the others", UNDISTURBED, |event| {
                    matches!(event, WatchEvent::Recorded { record, .. } if *record == wanted.record)
                })?;
            }
        }
        same_digests(&two.a, &two.b, self.common).map(drop)
    }

    /// B says this for ever and hears nothing, and comes back whenever it is shown out, while the others go on.
    fn says_for_ever(&self, words: impl Fn(&Learnt, CircleId) -> Message + Sync) -> Story {
        let before = self.with_c.a.memory_kib()?;
        let (over, said) = (AtomicBool::new(false), AtomicU64::new(0));
        let for_ever = async {
            while !over.load(Relaxed) {
                // Whoever was shown out a moment ago may not be let in.
                let Ok((mut impostor, learnt)) = self.enter().await else {
                    continue;
                };
                let words = words(&learnt, self.of_b).encode();
                while !over.load(Relaxed) && impostor.frame(&words).await {
                    said.fetch_add(1, Relaxed);
                }
            }
        };
        let undisturbed = thread::scope(|scope| {
            scope.spawn(|| self.runtime.block_on(for_ever));
            let undisturbed = wait::until("the flood", wait::LONG, || {
                Ok((said.load(Relaxed) > 1_000).then_some(()))
            })
            .and_then(|()| self.others_are_undisturbed());
            over.store(true, Relaxed);
            undisturbed
        });
        undisturbed?;
        let grown = self.with_c.a.memory_kib()?.saturating_sub(before);
        ensure(grown < GROWTH_KIB, || {
            format!("A grew by {grown} KiB under {said:?} frames")
        })
    }

    /// What B did is told at A in these words, and nothing else is wrong there.
    fn is_told(&mut self, words: &str) -> Story {
        self.with_c.a.settings.broken.push(RULES);
        let checks = self.with_c.a.client()?.doctor()?;
        let told = checks.iter().find(|check| check.name == RULES);
        let so = told.is_some_and(|check| !check.holds && check.found.contains(words));
        ensure(so, || format!("{told:?}"))
    }
}

#[test]
fn a_peer_that_asks_for_everything_for_ever_and_reads_nothing_holds_up_nobody_and_is_told() -> Story
{
    let mut scene = scene()?;
    scene.says_for_ever(|learnt, circle| {
        let all = learnt.state.heights.iter().max_by_key(|log| log.height);
        all.map_or(Message::Compared(0), |log| Message::Want {
            circle,
            log: log.log,
            after: 0,
            up_to: log.height,
        })
    })?;
    scene.is_told("wants without reading the answers")
}

#[test]
fn a_peer_that_says_what_it_has_said_before_for_ever_holds_up_nobody() -> Story {
    scene()?.says_for_ever(|learnt, circle| {
        let logs = learnt.records.iter();
        let some = logs.flat_map(|(_, records)| records.iter().take(40).cloned());
        learnt.push(circle, some.collect())
    })
}

#[test]
fn a_peer_that_stops_in_the_middle_of_a_word_is_shown_out_and_holds_up_nobody() -> Story {
    let mut scene = scene()?;
    let (mut impostor, _) = scene.runtime.block_on(scene.enter())?;
    let announced = (limits::FRAME as u32).to_be_bytes();
    let half = [&announced[..], &vec![0; limits::FRAME / 2]].concat();
    scene.runtime.block_on(impostor.raw(&half));
    scene.others_are_undisturbed()?;
    scene.runtime.block_on(impostor.closed())?;
    scene.is_told("a frame was begun and not continued")
}

#[test]
fn a_peer_that_announces_a_frame_beyond_the_limit_is_shown_out_before_it_has_sent_it() -> Story {
    let mut scene = scene()?;
    let before = scene.with_c.a.memory_kib()?;
    for length in [limits::FRAME as u32 + 1, u32::MAX] {
        let (mut impostor, _) = scene.runtime.block_on(scene.enter())?;
        scene.runtime.block_on(impostor.raw(&length.to_be_bytes()));
        scene.runtime.block_on(impostor.closed())?;
    }
    let grown = scene.with_c.a.memory_kib()?.saturating_sub(before);
    ensure(grown < GROWTH_KIB, || format!("A grew by {grown} KiB"))?;
    scene.others_are_undisturbed()?;
    scene.is_told("bytes was announced")
}
