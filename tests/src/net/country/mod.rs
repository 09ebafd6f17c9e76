//! A whole country: hundreds of nodes, tens of thousands of circles, a month of their life, in virtual time.
//!
//! The nodes, the network and the rules are those of every other test ([`Net`]); nothing here knows the protocol's messages. What is here is a
//! country around them: who is peered with whom (`map`), what people do (`life`), which machines are up and who may connect with whom
//! (`reach`), what must be true at the end (`settled`), and what each node had to do for it (`table`).
//!
//! Everything follows from one seed. Signatures, seals and ciphers are real.
//!
//! Three things differ from a daemon, so that a month fits into minutes:
//!
//! - A quiet connection looks again after six hours, not a minute, and sweeps once a day, not once an hour ([`LIMITS`]): a month of the
//!   country would have three hundred million looks at nothing. Connections here lose nothing without breaking, so no arrival waits for a look.
//! - People are busy: a circle lives its life, of about nine records, within the month.
//! - Nobody attaches files.

mod life;
mod map;
mod reach;
mod settled;
mod table;

use std::collections::{BTreeMap, HashMap};

use maillon_protocol::{
    ids::{CircleId, InvitationId, NodeId, RecordId, ThingId},
    sync::Limits,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::Net;
use life::Deed;
use map::Map;
pub use table::{Class, Figures};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What the country's sessions are opened with.
pub const LIMITS: fn() -> Limits = || Limits {
    round_ms: 6 * HOUR,
    sweep_ms: DAY,
    ..Limits::default()
};

/// How large a country is, and for how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Nodes.
    pub nodes: usize,
    /// Circles that are founded.
    pub circles: usize,
    /// Days.
    pub days: u64,
}

impl Size {
    /// France: 119 DAC, 131 CPTS, 29 article 51 groups.
    pub const COUNTRY: Self = Self {
        nodes: 279,
        circles: 20_000,
        days: 30,
    };

    /// Another number of nodes, with as many circles for each of them.
    pub const fn with_nodes(self, nodes: usize) -> Self {
        Self {
            nodes,
            circles: self.circles * nodes / self.nodes,
            days: self.days,
        }
    }
}

/// A circle as the people know it who made it.
#[derive(Debug)]
struct Told {
    id: CircleId,
    /// Who founded it, and everybody who accepted to be in it.
    ever: Vec<usize>,
    /// What was written, and by whom.
    written: Vec<(usize, RecordId)>,
    /// Alerts that somebody answered, and who.
    answered: Vec<(ThingId, usize)>,
}

/// A country, its people, and what they have done so far.
pub struct Country {
    size: Size,
    net: Net,
    map: Map,
    rng: ChaCha20Rng,
    /// Midnight before the first day.
    began: u64,
    /// What is going to happen, by time and order of planning.
    plan: BTreeMap<(u64, u64), Deed>,
    planned: u64,
    circles: Vec<Told>,
    by_id: HashMap<CircleId, usize>,
    invitations: HashMap<InvitationId, usize>,
    places: HashMap<NodeId, usize>,
    /// Machines that run.
    on: Vec<bool>,
    /// The region that is cut off.
    dark: Option<usize>,
    /// With whom each node shares circles, and how many.
    fellows: Vec<BTreeMap<usize, u32>>,
    /// Who was in a circle when a node last looked.
    seen: HashMap<(usize, CircleId), Vec<usize>>,
    /// The month is over: people do nothing more.
    over: bool,
    /// How long it took after the month until all agreed.
    settled_ms: u64,
    /// What people did, and what was refused to them, by name.
    done: BTreeMap<&'static str, u64>,
    /// What nodes complained of, by its words.
    complaints: BTreeMap<String, u64>,
}

impl Country {
    /// A country before its first day: everybody is up, peers are connected.
    pub fn new(size: Size, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let map = Map::draw(size.nodes, &mut rng);
        let mut net = Net::of_strangers(seed, &map.kinds);
        for node in &mut net.nodes {
            node.limits = LIMITS();
        }
        let places = (0..size.nodes).map(|node| (net.id(node), node)).collect();
        let mut country = Self {
            size,
            began: net.now,
            net,
            map,
            rng,
            plan: BTreeMap::new(),
            planned: 0,
            circles: Vec::new(),
            by_id: HashMap::new(),
            invitations: HashMap::new(),
            places,
            on: vec![true; size.nodes],
            dark: None,
            fellows: vec![BTreeMap::new(); size.nodes],
            seen: HashMap::new(),
            over: false,
            settled_ms: 0,
            done: BTreeMap::new(),
            complaints: BTreeMap::new(),
        };
        for node in 0..size.nodes {
            country.reconnect(node);
        }
        country.plan_the_month();
        country
    }

    /// Lives the month, heals everything, waits until all agree, and looks at what it came to.
    ///
    /// # Errors
    /// The first thing that does not hold, in words.
    pub fn live(&mut self) -> Result<Figures, String> {
        while let Some(((at, _), deed)) = self.plan.pop_first() {
            self.net.run(at.saturating_sub(self.net.now));
            self.hear();
            self.act(deed);
        }
        self.settle()?;
        Ok(self.figures())
    }

    fn plan_at(&mut self, at: u64, deed: Deed) {
        if at < self.began + self.size.days * DAY {
            self.planned += 1;
            self.plan.insert((at, self.planned), deed);
        }
    }

    /// A moment of people's working hours, at least `least` and about up to `most` milliseconds from now.
    fn at_work(&mut self, least: u64, most: u64) -> u64 {
        let from = self.net.now + least;
        let wanted = from + self.rng.random_range(0..=most - least);
        let day = (wanted - self.began) / DAY;
        let at = self.began + day * DAY + 8 * HOUR + self.rng.random_range(0..11 * HOUR);
        if at < from { at + DAY } else { at }
    }

    fn count(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }
}
