//! The section `[relay]`: the relays that this node uses, and the one that it hosts.

use libp2p::{Multiaddr, identity::Keypair};
use maillon_protocol::ids::NodeId;

use crate::{
    config::{Config, OutOfRange, RelaySection, multiaddresses},
    network::{
        AllowList, NetworkError, Tap,
        relay::{NamedRelay, RelayConfig, RelayHost},
    },
};

/// Relays that a node uses at most: each costs a connection that is kept.
const MOST: usize = 4;
/// Bytes of a KiB and of a MiB.
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl RelaySection {
    /// The relays that this node uses.
    ///
    /// # Errors
    /// [`OutOfRange`] for the first that is none, or one too many.
    pub fn named(&self) -> Result<Vec<NamedRelay>, OutOfRange> {
        let field = "relay.through";
        if self.through.len() > MOST {
            let cause = format!("names {} relays; {MOST} at most", self.through.len());
            return Err(OutOfRange { field, cause });
        }
        let mut all: Vec<NamedRelay> = Vec::new();
        for text in &self.through {
            let relay: NamedRelay = text.parse().map_err(|error| OutOfRange {
                field,
                cause: format!("has {text:?}: it {error}"),
            })?;
            if all.iter().any(|other| other.node == relay.node) {
                let cause = format!("names the relay of {} twice", relay.node);
                return Err(OutOfRange { field, cause });
            }
            all.push(relay);
        }
        Ok(all)
    }

    /// The nodes that may use the relay of this one.
    ///
    /// # Errors
    /// [`OutOfRange`] for the first that is no node's name.
    pub fn allowed(&self) -> Result<Vec<NodeId>, OutOfRange> {
        let read = |text: &String| {
            text.parse().map_err(|_| OutOfRange {
                field: "relay.allow",
                cause: format!(
                    "has {text:?}; write the nodes' names as `maillonctl status` or `peer show` prints them, such as \"12D3KooW…\""
                ),
            })
        };
        self.allow.iter().map(read).collect()
    }

    /// How the relay of this node runs; nothing where it hosts none.
    ///
    /// # Errors
    /// [`OutOfRange`].
    pub fn host(&self) -> Result<Option<RelayConfig>, OutOfRange> {
        for (field, value, most) in [
            ("relay.places", self.places, 4096),
            ("relay.circuits", self.circuits, 16_384),
            ("relay.circuits_a_node", self.circuits_a_node, 512),
            ("relay.circuit_mib", self.circuit_mib, 1 << 20),
            ("relay.circuit_minutes", self.circuit_minutes, 10_080),
            (
                "relay.kib_per_second_a_node",
                self.kib_per_second_a_node,
                1 << 20,
            ),
            ("relay.kib_per_second", self.kib_per_second, 1 << 20),
        ] {
            if !(1..=most).contains(&value) {
                let cause = format!("is {value}; it must be from 1 to {most}");
                return Err(OutOfRange { field, cause });
            }
        }
        let listen = multiaddresses("relay.listen", &self.listen)?;
        if listen.is_empty() {
            return Ok(None);
        }
        // The ranges above fit.
        let count = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Ok(Some(RelayConfig {
            listen,
            reservations: count(self.places),
            circuits: count(self.circuits),
            circuits_a_node: count(self.circuits_a_node),
            circuit_bytes: self.circuit_mib * MIB,
            circuit_time: std::time::Duration::from_secs(60 * self.circuit_minutes),
            rate_a_node: self.kib_per_second_a_node * KIB,
            rate: self.kib_per_second * KIB,
            ..RelayConfig::default()
        }))
    }
}

/// The relays that a node uses, without itself.
///
/// # Errors
/// [`OutOfRange`], where it names itself too: nothing is reached through oneself.
pub(super) fn used(config: &Config, own: &NodeId) -> Result<Vec<NamedRelay>, OutOfRange> {
    let named = config.relay.named()?;
    match named.iter().any(|relay| relay.node == *own) {
        true => Err(OutOfRange {
            field: "relay.through",
            cause: "names this node itself; name the relay of another one".to_owned(),
        }),
        false => Ok(named),
    }
}

/// The addresses at which others reach this node through relays, whether it holds a place there now or not: what a node says of itself does
/// not change with each connection.
pub(super) fn circuits(config: &Config) -> Vec<Multiaddr> {
    // Read before the node started.
    let named = config.relay.named().unwrap_or_default();
    named.iter().map(NamedRelay::circuit).collect()
}

/// Starts the relay that this node hosts, where it does.
pub(super) fn host(
    config: Option<RelayConfig>,
    allowed: Vec<NodeId>,
    identity: &Keypair,
    tap: Option<Tap>,
) -> Result<Option<RelayHost>, NetworkError> {
    let Some(config) = config else {
        return Ok(None);
    };
    let config = RelayConfig { tap, ..config };
    RelayHost::start(&config, identity, AllowList::new(allowed)).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, FILE_NAME};

    const NODE: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    /// Reads a configuration whose section `[relay]` is this one.
    fn load(relay: &str) -> Result<RelaySection, ConfigError> {
        let dir = tempfile::tempdir().expect("a folder");
        let text = format!("[structure]\nname = \"DAC\"\nkind = \"dac\"\n[relay]\n{relay}\n");
        std::fs::write(dir.path().join(FILE_NAME), text).expect("written");
        Config::load(dir.path()).map(|config| config.relay)
    }

    fn section(text: &str) -> RelaySection {
        load(text).expect("a configuration")
    }

    /// The field that is refused, and the cause.
    fn refused(text: &str) -> (&'static str, String) {
        match load(text) {
            Err(ConfigError::Value { field, cause, .. }) => (field, cause),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_node_hosts_no_relay_and_uses_none_unless_it_is_told_to() {
        let plain = section("");
        assert!(plain.host().expect("read").is_none());
        assert!(
            plain.named().expect("read").is_empty() && plain.allowed().expect("read").is_empty()
        );
    }

    #[test]
    fn what_is_written_is_what_runs() {
        let text = format!(
            "listen = [\"/ip4/0.0.0.0/tcp/443\"]\nallow = [{NODE:?}]\ncircuit_mib = 2\nplaces = 3\ncircuit_minutes = 5"
        );
        let host = section(&text).host().expect("read").expect("a relay");
        assert_eq!((host.reservations, host.circuit_bytes), (3, 2 << 20));
        assert_eq!(host.circuit_time.as_secs(), 300);
        let default = RelayConfig::default();
        assert_eq!(host.circuits, default.circuits);
        assert_eq!(host.circuits_a_node, default.circuits_a_node);
        assert_eq!(
            (host.rate, host.rate_a_node),
            (default.rate, default.rate_a_node)
        );
        let whole = section("listen = [\"/ip4/0.0.0.0/tcp/443\"]");
        let whole = whole.host().expect("read").expect("a relay");
        assert_eq!(whole.reservations, default.reservations);
        assert_eq!(whole.circuit_bytes, default.circuit_bytes);
        assert_eq!(whole.circuit_time, default.circuit_time);
    }

    #[test]
    fn what_names_no_relay_or_no_node_is_refused_with_what_to_write() {
        let relay = format!("/dns/relay.example.org/tcp/443/p2p/{NODE}");
        let (field, cause) = refused("through = [\"relay.example.org\"]");
        assert!(
            field == "relay.through" && cause.contains("/p2p/"),
            "{cause}"
        );
        let (_, cause) = refused("through = [\"/dns/a.example/tcp/443\"]");
        assert!(cause.contains("must end with /p2p/"), "{cause}");
        let (_, cause) = refused(&format!("through = [{relay:?}, {relay:?}]"));
        assert!(cause.contains("twice"), "{cause}");
        let (field, cause) = refused("allow = [\"DAC du Ponant\"]");
        assert!(
            field == "relay.allow" && cause.contains("12D3KooW"),
            "{cause}"
        );
        let (field, cause) = refused("places = 0");
        assert!(
            field == "relay.places" && cause.contains("from 1"),
            "{cause}"
        );
        let itself: NodeId = NODE.parse().expect("a node");
        let dir = tempfile::tempdir().expect("a folder");
        let text =
            format!("[structure]\nname = \"DAC\"\nkind = \"dac\"\n[relay]\nthrough = [{relay:?}]");
        std::fs::write(dir.path().join(FILE_NAME), text).expect("written");
        let config = Config::load(dir.path()).expect("a configuration");
        assert!(used(&config, &itself).is_err());
        assert_eq!(
            used(&config, &NodeId([1; 32])).map(|all| all.len()).ok(),
            Some(1)
        );
    }
}
