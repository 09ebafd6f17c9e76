//! What group commit gives: 64 writers beside one.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use maillon_protocol::ids::CircleId;

use super::{Figure, Goal, Scale};
use crate::daemon::{Acknowledged, Daemon, Settings, Trouble, Writers, person, professional};

const WRITERS: usize = 64;
const CIRCLES: usize = 16;
const TIME: Duration = Duration::from_secs(8);

pub(super) fn measure(root: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let daemon = Daemon::new(root, Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let circles = (0..CIRCLES).map(|_| Ok(client.circle_open(person())?.line.circle));
    let circles: Vec<CircleId> = circles.collect::<Result<_, Trouble>>()?;
    let rate = |writers: usize| -> Result<f64, Trouble> {
        let acknowledged = Acknowledged::default();
        let caller = daemon.caller().acting_as(&who);
        let begun = Instant::now();
        let writing = Writers::begin(&caller, &circles, writers, &acknowledged)?;
        thread::sleep(TIME);
        let count = acknowledged.count();
        let elapsed = begun.elapsed();
        match writing.end()? {
            0 => Ok(count as f64 / elapsed.as_secs_f64()),
            lost => Err(Trouble::wrong(format!("{lost} writers lost their daemon"))),
        }
    };
    // Once without counting: the first writes make files.
    rate(WRITERS)?;
    let one = rate(1)?;
    let all = rate(WRITERS)?;
    let figure = Figure::new(
        "group_commit",
        all,
        "1/s",
        Some(one),
        Goal::AtLeastTimes(10.0),
    );
    Ok(vec![figure])
}
