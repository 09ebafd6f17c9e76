//! What group commit gives: 64 writers beside one.

use std::{path::Path, time::Duration};

use maillon_protocol::ids::CircleId;

use super::{
    Figure, Goal, Scale,
    crowd::{Crowd, What},
};
use crate::daemon::{Daemon, Settings, Trouble, person, professional};

const WRITERS: usize = 64;
/// Of them, on one connection.
const TOGETHER: usize = 16;
const CIRCLES: usize = 16;
/// One writer and sixty-four take turns, because a disk that others use too is not the same from one moment to the next.
const ROUNDS: usize = 5;
const TURN: Duration = Duration::from_secs(2);

pub(super) fn measure(root: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let daemon = Daemon::new(root, Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let circles = (0..CIRCLES).map(|_| Ok(client.circle_open(person())?.line.circle));
    let circles: Vec<CircleId> = circles.collect::<Result<_, Trouble>>()?;
    let rate = |writers| {
        let crowd = Crowd {
            daemon: &daemon,
            who: &who,
            circles: &circles,
            what: What::Notes,
            writers,
            together: TOGETHER,
        };
        crowd.rate(TURN)
    };
    // Without counting: the first writes make files.
    for _ in 0..2 {
        rate(WRITERS)?;
    }
    let (mut one, mut all) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(rate(1)?);
        all.push(rate(WRITERS)?);
    }
    let figure = Figure::new(
        "group_commit",
        median(all),
        "1/s",
        Some(median(one)),
        Goal::AtLeastTimes(20.0),
    );
    Ok(vec![figure])
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
