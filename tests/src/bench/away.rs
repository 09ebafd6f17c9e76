//! What a structure sees whose node, or whose line, was away: for a minute, for twelve.

use std::{
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use maillon_protocol::admin::WatchEvent;

use super::{
    Figure, Goal, Scale,
    crowd::{Crowd, What},
    territory::{LONGEST, same_records, share_many},
};
use crate::daemon::{Cable, Carriers, Daemon, Settings, Trouble, Two};

/// How long B is away with a thousand records waiting.
const SHORT: Duration = Duration::from_secs(40);
const WAITING: u64 = 1_000;
const CIRCLES: usize = 16;
/// How long a machine is off, and a line is cut.
const LONG: Duration = Duration::from_secs(720);

/// B was stopped for [`SHORT`] while a thousand records were written.
pub(super) fn catch_up_1k(root: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let mut two = Two::peered(root, Settings::dac(), Settings::cpts())?;
    let circles = share_many(&two, CIRCLES)?;
    let begun = Instant::now();
    two.b.stop()?;
    let crowd = Crowd {
        daemon: &two.a,
        who: &two.at_a,
        circles: &circles,
        what: What::Notes,
        writers: 64,
        together: 16,
    };
    crowd.count(WAITING)?;
    thread::sleep(SHORT.saturating_sub(begun.elapsed()));
    two.b.start()?;
    let ready = Instant::now();
    same_records(&mut two.a.client()?, &mut two.b.client()?)?;
    let seconds = ready.elapsed().as_secs_f64();
    let goal = Goal::AtMost(0.5);
    Ok(vec![Figure::new("catch_up_1k", seconds, "s", None, goal)])
}

/// B is off for twelve minutes; and, apart and at the same time, the line of two others is cut.
pub(super) fn outage(root: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let mut off = Two::peered(&root.join("off"), Settings::dac(), Settings::cpts())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Trouble::io("a runtime"))?;
    let runtime = Arc::new(runtime);
    let (mut cut, cables) = wired(&root.join("cut"), &runtime)?;
    let (at_off, at_cut) = (share_many(&off, 1)?[0], share_many(&cut, 1)?[0]);

    off.b.stop()?;
    cables.iter().for_each(Cable::cut);
    let begun = Instant::now();
    // The connection is found dead first; an alert waits from early on.
    thread::sleep(Duration::from_secs(60));
    let text = "Ne répond plus au téléphone depuis ce matin.";
    for (two, circle) in [(&off, at_off), (&cut, at_cut)] {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        a.alert_send(circle, text)?;
    }
    thread::sleep(LONG.saturating_sub(begun.elapsed()));

    off.b.start()?;
    let ready = Instant::now();
    same_records(&mut off.a.client()?, &mut off.b.client()?)?;
    let after_off = ready.elapsed().as_secs_f64();

    let mut watch = cut.b.watch()?;
    let healed = Instant::now();
    cables.iter().for_each(Cable::heal);
    let told = watch.until(
        "the waiting alert",
        LONGEST,
        |event| matches!(event, WatchEvent::Recorded { kind, .. } if kind == "alert"),
    )?;
    let after_cut = told.at.duration_since(healed).as_secs_f64();
    drop(watch);
    cut.a.stop()?;
    cut.b.stop()?;
    let figure = |name, value, most| Figure::new(name, value, "s", None, Goal::AtMost(most));
    Ok(vec![
        figure("outage_12min", after_off, 2.0),
        figure("outage_12min_cut", after_cut, 15.0),
    ])
}

/// Two peered nodes that know each other by wires only.
pub(super) fn wired(
    root: &Path,
    runtime: &Arc<tokio::runtime::Runtime>,
) -> Result<(Two, [Cable; 2]), Trouble> {
    let mut a = Daemon::init(root, Settings::dac())?;
    let mut b = Daemon::init(root, Settings::cpts())?;
    let to_a = Cable::lay(&mut a, Carriers::Both, runtime)?;
    let to_b = Cable::lay(&mut b, Carriers::Both, runtime)?;
    a.start()?;
    b.start()?;
    Ok((Two::of(a, b)?, [to_a, to_b]))
}
