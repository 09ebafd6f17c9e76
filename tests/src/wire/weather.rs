//! What a [`Wire`](super::Wire) does to what passes, in each way; changed while it runs.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The two ways along a wire. A is whoever dials the wire's port, B the target behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// From A, who dialled, to B, the target.
    There,
    /// From B, the target, to A, who dialled.
    Back,
}

impl Way {
    /// Both ways.
    pub const BOTH: [Way; 2] = [Way::There, Way::Back];
}

/// The condition of one way of a wire. `default()` is fair weather: nothing is held, lost or slowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// How long everything is held before it goes on.
    pub delay: Duration,
    /// Up to so much more, drawn for each datagram (which may overtake each other) or chunk of a stream (which may not).
    pub jitter: Duration,
    /// The probability that a datagram is lost, or that a chunk of a stream meets with a [`Mishap`]: `0.0..=1.0`.
    pub loss: f64,
    /// What a loss means for a stream, where nothing can be left out.
    pub mishap: Mishap,
    /// How much passes in a second, over all connections and clients of this transport; `None`: as much as comes.
    pub bytes_per_second: Option<NonZeroU64>,
    /// Nothing passes and nobody is told: datagrams vanish, streams wait. What waits goes on after [`Wire::heal`].
    ///
    /// [`Wire::heal`]: super::Wire::heal
    pub cut: bool,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            mishap: Mishap::Stall(Duration::from_millis(200)),
            bytes_per_second: None,
            cut: false,
        }
    }
}

/// What happens to a TCP connection when a chunk of it is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It comes so much later, as after a retransmission.
    Stall(Duration),
    /// The connection is reset on both sides.
    Reset,
}

/// Which ways are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Neither hears the other.
    Both,
    /// B no longer hears A; A still hears B.
    There,
    /// A no longer hears B; B still hears A.
    Back,
}

/// Everything about a wire that can change while it runs. Its tasks read it, and are woken when it changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sky {
    pub(super) there: Weather,
    pub(super) back: Weather,
    pub(super) udp_target: Option<SocketAddr>,
    pub(super) tcp_target: Option<SocketAddr>,
    /// Counts the resets that were asked for: a connection that began under an earlier number ends.
    pub(super) resets: u64,
    /// New TCP connections are reset at once.
    pub(super) refuse: bool,
}

impl Sky {
    pub(super) fn over(&self, way: Way) -> &Weather {
        match way {
            Way::There => &self.there,
            Way::Back => &self.back,
        }
    }

    pub(super) fn over_mut(&mut self, way: Way) -> &mut Weather {
        match way {
            Way::There => &mut self.there,
            Way::Back => &mut self.back,
        }
    }
}

/// The wire was dropped; its tasks end.
pub(super) struct Gone;

/// Waits until the instant that `due` names has come, asking again whenever the weather changes; `None` means not
/// before it changes.
pub(super) async fn wait(
    sky: &mut watch::Receiver<Sky>,
    due: impl Fn(&Sky) -> Option<Instant>,
) -> Result<(), Gone> {
    loop {
        let due = due(&sky.borrow_and_update());
        match due {
            Some(due) if due <= Instant::now() => return Ok(()),
            Some(due) => tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                changed = sky.changed() => changed.map_err(|_| Gone)?,
            },
            None => sky.changed().await.map_err(|_| Gone)?,
        }
    }
}
