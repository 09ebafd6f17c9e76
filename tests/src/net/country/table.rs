//! What each node had to do, and what of it falls to each record that it holds.
//!
//! A node's work follows its own circles where what falls to one of its records is the same however many circles it has, and however many
//! other nodes there are. What falls to a record is the median over the nodes of a class, of everything: charters, invitations, acknowledgements,
//! reconnecting and sweeping included. Frames, bytes, commits and rows follow from the seed; the processor's time is this machine's and, where
//! others use it too, theirs.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

use super::{Country, Size};
use crate::net::Traffic;

/// Classes that are shown.
const CLASSES: usize = 5;

/// One node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Circles that it holds.
    pub circles: usize,
    /// With whom it is peered.
    pub peers: usize,
    /// With whom it is connected: peers and fellow members.
    pub connections: usize,
    /// Records that it holds, those of charters included.
    pub records: u64,
    /// Rows that it read.
    pub read: u64,
    /// What it had to do.
    pub traffic: Traffic,
}

/// Nodes with about as many circles.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// How many nodes.
    pub nodes: usize,
    /// Fewest and most circles of one.
    pub circles: (usize, usize),
    /// Means of them all.
    pub peers: f64,
    /// Connections.
    pub connections: f64,
    /// Records.
    pub records: f64,
    /// Frames sent and received, for each record.
    pub frames: f64,
    /// Their bytes, for each record.
    pub bytes: f64,
    /// Commits, for each record.
    pub commits: f64,
    /// Rows read, for each record.
    pub read: f64,
    /// Microseconds of a busy processor, for each record.
    pub busy_us: f64,
}

/// What a month came to.
#[derive(Debug, Clone)]
pub struct Figures {
    /// How large the country was.
    pub size: Size,
    /// Virtual milliseconds after the month until all agreed.
    pub settled_ms: u64,
    /// What people did.
    pub done: BTreeMap<&'static str, u64>,
    /// Every node, those with the fewest circles first.
    rows: Vec<Row>,
}

impl Country {
    pub(super) fn figures(&self) -> Figures {
        let mut rows: Vec<Row> = (0..self.size.nodes)
            .map(|place| {
                let node = &self.net.nodes[place];
                let held = node.circles.values();
                Row {
                    circles: node.circles.len(),
                    peers: self.map.peers[place].len(),
                    connections: node.sessions.len(),
                    records: held
                        .map(|held| {
                            let heights = held.logs.values().map(|tip| tip.height);
                            held.charter.number() + heights.sum::<u64>()
                        })
                        .sum(),
                    read: node.rows_read(),
                    traffic: node.traffic,
                }
            })
            .collect();
        rows.sort_by_key(|row| row.circles);
        Figures {
            size: self.size,
            settled_ms: self.settled_ms,
            done: self.done.clone(),
            rows,
        }
    }
}

impl Figures {
    /// The nodes in so many classes of about as many nodes, those with the fewest circles first.
    pub fn classes(&self, count: usize) -> Vec<Class> {
        let each = self.rows.len().div_ceil(count).max(1);
        self.rows.chunks(each).map(Class::of).collect()
    }

    /// All nodes as one class.
    pub fn all(&self) -> Class {
        Class::of(&self.rows)
    }

    /// As an object of JSON: what people did, and the classes of [`Display`].
    pub fn json(&self) -> String {
        let done: Vec<String> = self
            .done
            .iter()
            .map(|(what, times)| format!("\"{what}\": {times}"))
            .collect();
        let classes: Vec<String> = self.classes(CLASSES).iter().map(Class::json).collect();
        format!(
            "{{\"nodes\": {}, \"circles\": {}, \"days\": {}, \"settled_ms\": {}, \"records\": {}, \"done\": {{{}}}, \
             \"classes\": [{}], \"all\": {}}}",
            self.size.nodes,
            self.size.circles,
            self.size.days,
            self.settled_ms,
            self.records(),
            done.join(", "),
            classes.join(", "),
            self.all().json(),
        )
    }

    /// Records that were committed, each once for each node that holds it.
    pub fn records(&self) -> u64 {
        self.rows.iter().map(|row| row.records).sum()
    }
}

impl Class {
    fn of(rows: &[Row]) -> Self {
        let mean = |of: fn(&Row) -> f64| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
        let records = mean(|row| row.records as f64);
        let each = |of: fn(&Row) -> f64| {
            let mut all: Vec<f64> = rows
                .iter()
                .map(|row| of(row) / row.records.max(1) as f64)
                .collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        Self {
            nodes: rows.len(),
            circles: (rows[0].circles, rows[rows.len() - 1].circles),
            peers: mean(|row| row.peers as f64),
            connections: mean(|row| row.connections as f64),
            records,
            frames: each(|row| (row.traffic.sent + row.traffic.received) as f64),
            bytes: each(|row| (row.traffic.bytes_sent + row.traffic.bytes_received) as f64),
            commits: each(|row| row.traffic.commits as f64),
            read: each(|row| row.read as f64),
            busy_us: each(|row| row.traffic.busy.as_secs_f64() * 1e6),
        }
    }

    /// What falls to a record and follows from the seed, by name.
    pub const fn parts(&self) -> [(&'static str, f64); 4] {
        [
            ("frames", self.frames),
            ("bytes", self.bytes),
            ("commits", self.commits),
            ("rows", self.read),
        ]
    }

    /// As an object of JSON.
    fn json(&self) -> String {
        let (fewest, most) = self.circles;
        format!(
            "{{\"nodes\": {}, \"circles\": [{fewest}, {most}], \"peers\": {:.1}, \"connections\": {:.1}, \"records\": {:.0}, \
             \"frames\": {:.2}, \"bytes\": {:.0}, \"commits\": {:.2}, \"rows\": {:.1}}}",
            self.nodes,
            self.peers,
            self.connections,
            self.records,
            self.frames,
            self.bytes,
            self.commits,
            self.read,
        )
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>5} {:>9} {:>6} {:>6} {:>8} | {:>7} {:>7} {:>7} {:>7} {:>7}",
            "nodes",
            "circles",
            "peers",
            "links",
            "records",
            "frames",
            "bytes",
            "commits",
            "rows",
            "us"
        )?;
        for class in self.classes(CLASSES).iter().chain([&self.all()]) {
            let (fewest, most) = class.circles;
            writeln!(
                f,
                "{:>5} {:>9} {:>6.1} {:>6.1} {:>8.0} | {:>7.2} {:>7.0} {:>7.2} {:>7.1} {:>7.0}",
                class.nodes,
                format!("{fewest}-{most}"),
                class.peers,
                class.connections,
                class.records,
                class.frames,
                class.bytes,
                class.commits,
                class.read,
                class.busy_us
            )?;
        }
        Ok(())
    }
}
