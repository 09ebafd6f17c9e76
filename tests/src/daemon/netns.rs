//! Roads between machines that do not exist: network namespaces around one router, whose rules a test changes while its daemons run.
//!
//! ```text
//! place 1  10.77.1.2 ─┐
//! place 2  10.77.2.2 ─┤ router 10.77.N.1: it forwards what its nftables let pass
//! place 3  10.77.3.2 ─┘
//! ```
//!
//! Each place is a namespace with one network card, and its daemon sees that card, loopback and nothing else. A [`Wire`](crate::wire::Wire)
//! stands between two sockets and knows transports; a road stands between two machines and knows packets: firewalls, address translation, an
//! address that goes and comes.
//!
//! # Promises
//!
//! - Names are of this process and of this object, so that tests run side by side. Dropped roads are taken away, also when a test panics; those
//!   of a process that was killed are taken away by the next one that lays some.
//! - New rules take the place of the old ones at once, without a moment in between.
//! - Where namespaces cannot be had, the test is told as skipped.

use std::{
    fs,
    io::Write,
    net::Ipv4Addr,
    path::Path,
    process::{Command, Stdio, id},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use super::{Settings, Trouble, programs};
use crate::skip::{Means, skip};

/// Where `ip` keeps the names of namespaces.
const NAMES: &str = "/run/netns";
const PREFIX: &str = "maillon-";

static LAID: AtomicU32 = AtomicU32::new(0);

/// A router, and places around it.
#[derive(Debug)]
pub struct Roads {
    /// Every namespace's name begins so.
    name: String,
    places: u8,
}

impl Roads {
    /// Lays roads to so many places, numbered from 1, over which everything passes. `None` where this machine cannot; that has been said then.
    ///
    /// # Errors
    /// Where a part cannot be made though namespaces can.
    pub fn lay(places: u8) -> Result<Option<Self>, Trouble> {
        if ["ip", "nft"]
            .iter()
            .any(|tool| programs::installed(tool).is_none())
        {
            skip(
                "there is no ip or no nft (iproute2, nftables)",
                Means::Expected,
            );
            return Ok(None);
        }
        sweep();
        let number = LAID.fetch_add(1, Relaxed);
        let roads = Self {
            name: format!("{PREFIX}{}-{number}-", id()),
            places,
        };
        let router = roads.router();
        if run(&["ip", "netns", "add", &router]).is_err() {
            skip(
                "network namespaces need root, or the right to make them",
                Means::Absent,
            );
            return Ok(None);
        }
        run(&["ip", "-n", &router, "link", "set", "lo", "up"])?;
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
        run(&["ip", "netns", "exec", &router, "sh", "-c", forward])?;
        for place in 1..=places {
            roads.lay_to(place)?;
        }
        roads.rules("")?;
        Ok(Some(roads))
    }

    fn lay_to(&self, place: u8) -> Result<(), Trouble> {
        let (router, there) = (self.router(), self.namespace(place));
        let card = format!("place{place}");
        run(&["ip", "netns", "add", &there])?;
        run(&["ip", "-n", &there, "link", "set", "lo", "up"])?;
        run(&[
            "ip", "link", "add", "card", "netns", &there, "type", "veth", "peer", "name", &card,
            "netns", &router,
        ])?;
        run(&["ip", "-n", &router, "link", "set", &card, "up"])?;
        let gateway = format!("{}/24", self.gateway(place));
        run(&["ip", "-n", &router, "addr", "add", &gateway, "dev", &card])?;
        run(&["ip", "-n", &there, "link", "set", "card", "up"])?;
        self.address(place, self.first_address(place))
    }

    /// The address that a place has at the beginning.
    pub fn first_address(&self, place: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, place, 2)
    }

    /// The router's address as a place sees it.
    pub fn gateway(&self, place: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, place, 1)
    }

    /// Gives a place another address of its network, and takes the one that it had.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self, place: u8, address: Ipv4Addr) -> Result<(), Trouble> {
        let (there, gateway) = (self.namespace(place), self.gateway(place).to_string());
        run(&["ip", "-n", &there, "addr", "flush", "dev", "card"])?;
        let address = format!("{address}/24");
        run(&["ip", "-n", &there, "addr", "add", &address, "dev", "card"])?;
        run(&[
            "ip", "-n", &there, "route", "add", "default", "via", &gateway,
        ])
    }

    /// The settings of a daemon that lives at a place.
    #[must_use]
    pub fn at(&self, place: u8, settings: Settings) -> Settings {
        let under = ["ip", "netns", "exec", &self.namespace(place)].map(str::to_owned);
        Settings {
            host: Ipv4Addr::UNSPECIFIED,
            under: under.into(),
            ..settings
        }
    }

    /// What the router lets pass from now on: rules of the chain that sees every forwarded packet, one a line, and everything that they do not
    /// drop. The networks of the places can be named `$place1`, `$place2`….
    ///
    /// # Errors
    /// Where nftables does not take them; the old ones stay then.
    pub fn rules(&self, forward: &str) -> Result<(), Trouble> {
        self.tables(&format!(
            "table ip roads {{
               chain forward {{ type filter hook forward priority 0; policy accept;
                 {forward}
               }}
             }}"
        ))
    }

    /// As [`Roads::rules`], and the router hides a place behind its own address: that place can begin a conversation, and nobody else one with it.
    ///
    /// # Errors
    /// As there.
    pub fn rules_behind(&self, hidden: u8, forward: &str) -> Result<(), Trouble> {
        self.tables(&format!(
            "table ip roads {{
               chain forward {{ type filter hook forward priority 0; policy accept;
                 ct state invalid drop
                 ip daddr $place{hidden} ct state new drop
                 {forward}
               }}
               chain leaving {{ type nat hook postrouting priority 100; policy accept;
                 ip saddr $place{hidden} masquerade
               }}
             }}"
        ))
    }

    fn tables(&self, tables: &str) -> Result<(), Trouble> {
        let mut text = String::new();
        for place in 1..=self.places {
            text.push_str(&format!("define place{place} = 10.77.{place}.0/24\n"));
        }
        text.push_str("flush ruleset\n");
        text.push_str(tables);
        text.push('\n');
        let mut nft = Command::new("ip");
        nft.args(["netns", "exec", &self.router(), "nft", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = nft.spawn().map_err(Trouble::io("nft"))?;
        if let Some(mut to) = child.stdin.take() {
            to.write_all(text.as_bytes()).map_err(Trouble::io("nft"))?;
        }
        let ended = child.wait_with_output().map_err(Trouble::io("nft"))?;
        if ended.status.success() {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&ended.stderr);
        Err(Trouble::wrong(format!("nft: {words}\n{text}")))
    }

    fn router(&self) -> String {
        format!("{}router", self.name)
    }

    /// The name of a place's namespace.
    pub fn namespace(&self, place: u8) -> String {
        format!("{}{place}", self.name)
    }
}

impl Drop for Roads {
    fn drop(&mut self) {
        for place in 1..=self.places {
            // One that was never made has nothing to take away.
            let _ = run(&["ip", "netns", "del", &self.namespace(place)]);
        }
        let _ = run(&["ip", "netns", "del", &self.router()]);
    }
}

/// Takes away what a test left that was killed: the names say of which process.
fn sweep() {
    let names = fs::read_dir(NAMES).into_iter().flatten().flatten();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| {
            let (owner, _) = rest.split_once('-')?;
            owner.parse::<u32>().ok()
        });
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner.to_string()).exists()) {
            let _ = run(&["ip", "netns", "del", &name]);
        }
    }
}

fn run(words: &[&str]) -> Result<(), Trouble> {
    let line = words.join(" ");
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| Trouble::wrong("no command"))?;
    let ended = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(Trouble::io(line.clone()))?;
    if ended.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&ended.stderr);
    Err(Trouble::wrong(format!("{line}: {}", words.trim())))
}
