//! What group commit gives: 64 writers beside one.

use std::{path::Path, time::Duration};

use maillon_protocol::ids::CircleId;

use super::{Figure, Goal, Scale, crowd};
use crate::daemon::{Daemon, Settings, Trouble, person, professional};

const WRITERS: usize = 64;
const CIRCLES: usize = 16;
const TIME: Duration = Duration::from_secs(8);

pub(super) fn measure(root: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let daemon = Daemon::new(root, Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let circles = (0..CIRCLES).map(|_| Ok(client.circle_open(person())?.line.circle));
    let circles: Vec<CircleId> = circles.collect::<Result<_, Trouble>>()?;
    let rate = |writers| crowd::rate(&daemon.socket(), &who, &circles, writers, TIME);
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
