//! Roads that are late, lossy, one-sided or next to nothing.

use std::{
    num::NonZeroU64,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use maillon_protocol::{
    admin::WatchEvent,
    ids::{CircleId, RecordId},
};
use maillon_tests::{
    daemon::{
        Cable, Carriers, Daemon, Settings, Shared, Trouble, Two, Watch, admit, pair, person,
        professional, same_digests, wait, write_notes,
    },
    wire::{Cut, Mishap, Way, Wire},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{Story, ensure, folder};

/// Each way; a round trip pays it twice.
const LATE: Duration = Duration::from_millis(300);
const LOSS: f64 = 0.05;
/// Notes of each side before each alert. Where a twentieth is lost and a round trip takes 600 ms, QUIC gets some 10 KiB a second across, and what was
/// written first goes first.
const NOTES: u64 = 20;
/// From the writing of an alert to the other node, where a round trip takes 600 ms and one piece in twenty is lost.
const PROMPT: Duration = Duration::from_secs(10);
/// A link that says nothing is given up after 15 s, one that cannot write after 30 s.
const NOTICED: Duration = Duration::from_secs(60);
/// From a good road to what waited for it; while an alert waits, attempts follow each other within 10 s.
const HEALED: Duration = Duration::from_secs(30);

/// Two nodes that know each other by wires only, with a common circle.
struct Wired {
    two: Two,
    circle: CircleId,
    to_a: Cable,
    to_b: Cable,
    _root: TempDir,
}

fn runtime() -> Result<Arc<Runtime>, Trouble> {
    Ok(Arc::new(Runtime::new().map_err(Trouble::io("a runtime"))?))
}

fn wired(carriers: Carriers) -> Result<Wired, Trouble> {
    let (root, runtime) = (folder()?, runtime()?);
    let mut a = Daemon::init(root.path(), Settings::dac())?;
    let mut b = Daemon::init(root.path(), Settings::cpts())?;
    let to_a = Cable::lay(&mut a, carriers, &runtime)?;
    let to_b = Cable::lay(&mut b, carriers, &runtime)?;
    a.start()?;
    b.start()?;
    let Shared { two, circle } = Two::of(a, b)?.share()?;
    Ok(Wired {
        two,
        circle,
        to_a,
        to_b,
        _root: root,
    })
}

impl Wired {
    fn wires(&self) -> impl Iterator<Item = &Wire> {
        self.to_a.wires().chain(self.to_b.wires())
    }

    fn alert(&self, from: (&Daemon, &str), text: &str) -> Result<RecordId, Trouble> {
        let mut client = from.0.client()?.acting_as(from.1);
        Ok(client.alert_send(self.circle, text)?.record)
    }
}

fn arrives(watch: &mut Watch, wanted: RecordId, bound: Duration) -> Story {
    let is_it = |event: &WatchEvent| matches!(event, WatchEvent::Recorded { record, .. } if *record == wanted);
    watch.until("the alert", bound, is_it).map(drop)
}

/// The same story over QUIC and over TCP, side by side: most of it is waiting.
fn over_both(story: fn(Carriers) -> Story) -> Story {
    let over = |carriers| {
        story(carriers).map_err(|why| Trouble::wrong(format!("over {carriers:?}: {why}")))
    };
    thread::scope(|scope| {
        let quic = scope.spawn(|| over(Carriers::Quic));
        let tcp = over(Carriers::Tcp);
        let quic = quic.join();
        quic.unwrap_or_else(|_| Err(Trouble::wrong("over QUIC: it panicked")))
            .and(tcp)
    })
}

/// Alerts each way, one after the other, each within the bound, while both also write much else.
fn over_a_late_and_lossy_road(carriers: Carriers) -> Story {
    let wired = wired(carriers)?;
    for wire in wired.wires() {
        wire.delay(LATE, LATE / 10);
        wire.lose(LOSS);
        for way in Way::BOTH {
            // What a stream pays for a lost piece: one more round trip.
            wire.change(way, |weather| weather.mishap = Mishap::Stall(2 * LATE));
        }
    }
    let (two, circles) = (&wired.two, [wired.circle]);
    let (mut at_a, mut at_b) = (two.a.watch()?, two.b.watch()?);
    let (from_a, from_b) = ((&two.a, two.at_a.as_str()), (&two.b, two.at_b.as_str()));
    for turn in 0..3 {
        for (daemon, who) in [from_a, from_b] {
            write_notes(&daemon.caller().acting_as(who), &circles, 4, NOTES)?;
        }
        let there = wired.alert(from_a, &format!("Appel {turn}, sans réponse."))?;
        let back = wired.alert(from_b, &format!("Visite {turn}, tout va bien."))?;
        arrives(&mut at_b, there, PROMPT)?;
        arrives(&mut at_a, back, PROMPT)?;
    }
    same_digests(&two.a, &two.b, wired.circle)?;
    // It was one link all the time, however bad.
    let ended = at_a.until("an end of the link", Duration::ZERO, |event| {
        matches!(event, WatchEvent::Link { up: false, .. })
    });
    ensure(ended.is_err(), || String::from("the link was given up"))
}

#[test]
fn alerts_pass_within_seconds_where_all_is_300_ms_late_and_a_twentieth_lost() -> Story {
    over_both(over_a_late_and_lossy_road)
}

/// A is heard by nobody and hears everybody.
fn heard_one_way(carriers: Carriers) -> Story {
    let wired = wired(carriers)?;
    let two = &wired.two;
    let (mut at_a, mut at_b) = (two.a.watch()?, two.b.watch()?);
    wired.to_b.wires().for_each(|wire| wire.cut(Cut::There));
    wired.to_a.wires().for_each(|wire| wire.cut(Cut::Back));
    let there = wired.alert((&two.a, &two.at_a), "Personne ne m'entend.")?;
    let back = wired.alert((&two.b, &two.at_b), "Et moi, m'entend-on ?")?;
    for (watch, who) in [(&mut at_a, "A"), (&mut at_b, "B")] {
        watch.until(&format!("{who} gives the link up"), NOTICED, |event| {
            matches!(event, WatchEvent::Link { up: false, .. })
        })?;
    }
    let crossed = two.b.client()?.acting_as(&two.at_b).shows(there)?;
    ensure(!crossed, || String::from("it crossed the cut"))?;
    wired.wires().for_each(Wire::heal);
    arrives(&mut at_b, there, HEALED)?;
    // It may have been heard in time, and its acknowledgement not.
    let mut reader = two.a.client()?.acting_as(&two.at_a);
    wait::until("B's alert at A", HEALED, || {
        Ok(reader.shows(back)?.then_some(()))
    })?;
    same_digests(&two.a, &two.b, wired.circle).map(drop)
}

#[test]
fn where_only_one_of_two_is_heard_both_notice_and_nothing_is_lost() -> Story {
    over_both(heard_one_way)
}

/// How long the road is next to nothing.
const THIN: Duration = Duration::from_secs(10);
/// From A to a third node on a good road, whatever happens elsewhere.
const UNDISTURBED: Duration = Duration::from_secs(5);
/// More than all queues between two nodes hold.
const BACKLOG: u64 = 3_000;

/// A has one peer behind a byte a second, and one on a good road.
fn a_byte_a_second(carriers: Carriers) -> Story {
    let (root, runtime) = (folder()?, runtime()?);
    let mut a = Daemon::init(root.path(), Settings::dac())?;
    let mut b = Daemon::init(root.path(), Settings::cpts())?;
    let to_a = Cable::lay(&mut a, carriers, &runtime)?;
    let to_b = Cable::lay(&mut b, carriers, &runtime)?;
    // Nobody comes to A, so that what passes to B passes on B's wire.
    to_a.wires().for_each(Wire::sever);
    a.start()?;
    b.start()?;
    let c = Daemon::new(root.path(), Settings::hospital())?;
    let Shared { two, circle } = Two::of(a, b)?.share()?;
    let at_c = professional(&c, "Maëlle Kerouédan", "10999001034", "10")?;
    pair(&two.a, &c)?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let other = a.circle_open(person())?.line.circle;
    a.consent_given(other)?;
    let Two {
        a: here, b, at_a, ..
    } = two;
    let with_c = Two {
        a: here,
        b: c,
        at_a,
        at_b: at_c,
    };
    admit(&with_c, other)?;
    let Two {
        a: here,
        b: c,
        at_a,
        ..
    } = with_c;

    let (mut at_b_watch, mut at_c_watch) = (b.watch()?, c.watch()?);
    to_b.wires().for_each(|wire| wire.limit(NonZeroU64::new(1)));
    write_notes(&here.caller().acting_as(&at_a), &[circle], 16, BACKLOG)?;
    let waiting = a.alert_send(circle, "Au bout du fil.")?.record;
    let begun = Instant::now();
    while begun.elapsed() < THIN {
        let alert = a.alert_send(other, "Chute dans l'escalier.")?.record;
        arrives(&mut at_c_watch, alert, UNDISTURBED)?;
    }
    let line = a.peer_show(b.node()?)?.line;
    ensure(line.waiting >= BACKLOG, || {
        format!("a byte a second was enough: {line:?}")
    })?;

    to_b.wires().for_each(Wire::heal);
    arrives(&mut at_b_watch, waiting, HEALED)?;
    same_digests(&here, &b, circle)?;
    same_digests(&here, &c, other).map(drop)
}

#[test]
fn a_peer_behind_a_byte_a_second_holds_up_nobody_else_and_catches_up() -> Story {
    over_both(a_byte_a_second)
}
