//! One TOML file, documented field by field; unknown fields are refused. The commented example (`maillond config`) is made of these
//! definitions, so it cannot lie.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use confique::Config as _;
use libp2p::Multiaddr;
use maillon_protocol::descriptor::StructureKind;

use crate::clock::MAX_OFFSET_S;

/// Why the configuration is refused. Nothing is touched then.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there.
    #[error(
        "there is no configuration at {0}: run `maillond init --dir DIR` first, or name the folder with --dir"
    )]
    Missing(PathBuf),
    /// A field is missing, unknown or of the wrong kind.
    #[error(
        "the configuration {path} cannot be read: {cause}\n`maillond config` prints every field with what it takes"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the parser says, with the field's name.
        cause: String,
    },
    /// A value is out of range.
    #[error("the configuration {path}: {field} {cause}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// What is wrong, and what to write.
        cause: String,
    },
}

/// A value that a field does not take.
#[derive(Debug, thiserror::Error)]
#[error("{field} {cause}")]
pub struct OutOfRange {
    /// The field.
    pub field: &'static str,
    /// What is wrong, and what to write.
    pub cause: String,
}

impl OutOfRange {
    /// The same, with the file in which it stands.
    #[must_use]
    pub fn in_file(self, path: &Path) -> ConfigError {
        ConfigError::Value {
            path: path.to_owned(),
            field: self.field,
            cause: self.cause,
        }
    }
}

/// Configuration of a Maillon node.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct Config {
    /// The structure that hosts this node. Other nodes see all of it.
    #[config(nested)]
    pub structure: StructureConfig,
    /// How the node's keys are unlocked at the start.
    #[config(nested)]
    pub keys: KeysConfig,
    /// The network between nodes.
    #[config(nested)]
    pub network: NetworkSection,
    /// The last way between nodes that cannot reach each other: through a third that both can reach.
    #[config(nested)]
    pub relay: RelaySection,
    /// Circles of which this node is the steward.
    #[config(nested)]
    pub circles: CirclesConfig,
    /// How long files are kept.
    #[config(nested)]
    pub retention: RetentionConfig,
    /// The administrator's socket.
    #[config(nested)]
    pub admin: AdminConfig,
    /// The pages for professionals.
    #[config(nested)]
    pub web: WebConfig,
    /// Health and metrics, on this machine only.
    #[config(nested)]
    pub http: HttpConfig,
    /// What is written to standard error.
    #[config(nested)]
    pub log: LogConfig,
    /// For tests of the program itself. Leave this out.
    #[config(nested)]
    pub test: TestConfig,
}

/// The structure.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct StructureConfig {
    /// Its name, as professionals know it.
    pub name: String,
    /// What it is: "dac", "cpts", "esms", "hospital", "article51" or "other".
    pub kind: StructureKind,
    /// Its FINESS number, nine characters, if it has one.
    #[config(default = "")]
    pub finess: String,
    /// Its territory in words.
    #[config(default = "")]
    pub territory: String,
    /// How other administrators reach this node's administrator: a telephone number or a mail address.
    #[config(default = "")]
    pub administrator: String,
    /// How the data protection officer is reached.
    #[config(default = "")]
    pub dpo: String,
}

/// Unlocking.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct KeysConfig {
    /// A file of 32 random bytes that unlocks the keystore, such as a systemd credential. Without it, the node asks for the passphrase, or
    /// reads it from the environment variable MAILLON_PASSPHRASE_FILE.
    pub key_file: Option<PathBuf>,
    /// Days for which a receive key is valid. 30 to 730.
    #[config(default = 365)]
    pub receive_key_days: u64,
}

/// The network.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct NetworkSection {
    /// Where to listen for other nodes. QUIC first, TCP with TLS for networks that let no UDP out.
    #[config(default = ["/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001"])]
    pub listen: Vec<String>,
    /// The addresses that other nodes dial, as they are seen from outside. Empty: those that this machine has.
    #[config(default = [])]
    pub advertise: Vec<String>,
    /// Where to listen while an invitation to peer is open.
    #[config(default = ["/ip4/0.0.0.0/udp/4002/quic-v1", "/ip4/0.0.0.0/tcp/4002"])]
    pub pairing_listen: Vec<String>,
    /// The addresses that invitations name. Empty: those that this machine has.
    #[config(default = [])]
    pub pairing_advertise: Vec<String>,
    /// The longest wait between two attempts to reach a node, in seconds. 5 to 3600.
    #[config(default = 300)]
    pub longest_wait_s: u64,
    /// The same while an alert waits for that node. 1 to 60.
    #[config(default = 10)]
    pub longest_wait_urgent_s: u64,
    /// Seconds between two rounds of comparison with a connected node while things change. 1 to 3600.
    #[config(default = 60)]
    pub compare_every_s: u64,
}

/// Relays.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct RelaySection {
    /// The relays that this node uses, the best first, four at most: "/dns/relay.example.fr/tcp/443/p2p/12D3KooW…", which ends with the name of
    /// the relay's node. Others find them in this node's addresses; they must name the same relay themselves. A relay learns which nodes talk,
    /// when and how much, and nothing of what they say.
    #[config(default = [])]
    pub through: Vec<String>,
    /// Where this node relays for others, on ports of its own, such as "/ip4/0.0.0.0/tcp/443". Empty: it hosts no relay.
    #[config(default = [])]
    pub listen: Vec<String>,
    /// The nodes that may use it, by their names ("12D3KooW…"). It passes on between two nodes that both are named here, and refuses all others.
    #[config(default = [])]
    pub allow: Vec<String>,
    /// Nodes that may hold a place at it at one time. 1 to 4096.
    #[config(default = 64)]
    pub places: u64,
    /// Connections that it passes on at one time. 1 to 16384.
    #[config(default = 256)]
    pub circuits: u64,
    /// The same for each node that asks for one more. 1 to 512.
    #[config(default = 64)]
    pub circuits_a_node: u64,
    /// MiB after which a passed connection is ended, both ways together; the nodes begin a new one by themselves. 1 to 1048576.
    #[config(default = 4096)]
    pub circuit_mib: u64,
    /// Minutes after which it is ended, in the same way. 1 to 10080.
    #[config(default = 720)]
    pub circuit_minutes: u64,
    /// KiB a second that one node may send through it. 1 to 1048576.
    #[config(default = 5120)]
    pub kib_per_second_a_node: u64,
    /// KiB a second that all nodes together may send through it. 1 to 1048576.
    #[config(default = 20480)]
    pub kib_per_second: u64,
}

/// Stewardship.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct CirclesConfig {
    /// The changes that this node makes by itself where a member asks for them, without a person's word: any of "invite", "remove", "rotate",
    /// "close", "hand-over". Empty: a person answers each request.
    #[config(default = [])]
    pub grant_by_itself: Vec<String>,
    /// Whether this node erases by itself what the structure that wrote it, or the circle's steward, asks to erase. Otherwise a person decides about
    /// each: this structure answers for what it keeps.
    #[config(default = false)]
    pub erase_by_itself: bool,
}

/// How long files are kept.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct RetentionConfig {
    /// Years after its end for which a file is kept here; then the node lets go of it by itself, for good. A file ends when it is closed, or when this
    /// structure has left it. 0: nothing goes by itself, a person says `maillonctl circle finish`. At most 100.
    #[config(default = 0)]
    pub years: u32,
}

/// The socket.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct AdminConfig {
    /// The administrator's Unix socket. Relative paths are in the data folder.
    #[config(default = "run/admin.sock")]
    pub socket: PathBuf,
    /// Whether commands on the socket may show and write care content. An administrator sees no health data: leave this off, except for tests
    /// and demonstrations with people who do not exist.
    #[config(default = false)]
    pub care_commands: bool,
}

/// Pages.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct WebConfig {
    /// Where browsers reach the pages, such as "0.0.0.0:443". Without it there are no pages.
    pub listen: Option<SocketAddr>,
    /// The certificate with its chain, PEM. Relative paths are in the data folder. Without it the pages are served on a loopback address only, or to
    /// the proxy named below.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// The address of the proxy that speaks TLS with browsers, if there is one: what it says in X-Forwarded-For is believed.
    pub proxy: Option<IpAddr>,
    /// The pages' address as people type it, such as `https://maillon.example.fr`: what `maillonctl account add` names.
    pub address: Option<String>,
    /// Minutes without anybody at the page after which a session locks. 1 to 60.
    #[config(default = 15)]
    pub idle_minutes: u64,
    /// Hours after which a session ends. 1 to 24.
    #[config(default = 12)]
    pub session_hours: u64,
}

impl WebConfig {
    /// Where and how pages are served; none where they are not. `dir`: the data folder.
    pub fn settings(&self, dir: &Path) -> Option<crate::web::Settings> {
        let pair = self.certificate.as_ref().zip(self.key.as_ref());
        Some(crate::web::Settings {
            listen: self.listen?,
            certificate: pair.map(|(chain, key)| (dir.join(chain), dir.join(key))),
            proxy: self.proxy,
        })
    }

    /// How long sessions last.
    pub const fn limits(&self) -> crate::access::Limits {
        crate::access::Limits {
            idle_ms: self.idle_minutes * 60_000,
            longest_ms: self.session_hours * 3_600_000,
        }
    }
}

/// Health and metrics.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct HttpConfig {
    /// Address of /health and /metrics. Only loopback addresses are taken.
    #[config(default = "127.0.0.1:4080")]
    pub listen: SocketAddr,
}

/// Logs.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct LogConfig {
    /// "text" or "json".
    #[config(default = "text")]
    pub format: String,
    /// Such as "info" or "info,maillon_node=debug". Nothing identifying is logged at any level.
    #[config(default = "info")]
    pub filter: String,
}

/// For tests.
#[derive(Debug, Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct TestConfig {
    /// Appends every byte that is handed to the network's streams to this file.
    pub tap: Option<PathBuf>,
    /// Commits without sync: a durability test must fail then.
    #[config(default = false)]
    pub unsynced: bool,
    /// Writes this text in clear beside the database: a search for plaintext must find it.
    pub plant_unsealed: Option<String>,
    /// Seconds by which the clock of the node runs ahead, or behind where negative.
    #[config(default = 0)]
    pub clock_offset_s: i64,
    /// Seconds between two checks of everything, instead of a day. At least 1.
    pub verify_every_s: Option<u64>,
    /// Seconds after which what was erased is taken off the disk, instead of five minutes.
    pub scrub_after_s: Option<u64>,
}

impl TestConfig {
    /// What is switched on, in words for the log and for `status`.
    pub fn live(&self) -> Vec<&'static str> {
        let all = [
            (
                self.tap.is_some(),
                "tap keeps every byte of the network's streams in a file",
            ),
            (
                self.unsynced,
                "unsynced commits without waiting for the disk",
            ),
            (
                self.plant_unsealed.is_some(),
                "plant_unsealed writes a text in clear",
            ),
            (
                self.clock_offset_s != 0,
                "clock_offset_s sets the clock off",
            ),
            (
                self.verify_every_s.is_some(),
                "verify_every_s checks everything more often than once a day",
            ),
            (
                self.scrub_after_s.is_some(),
                "scrub_after_s rewrites the database more often",
            ),
        ];
        let live = all.into_iter().filter(|(on, _)| *on);
        live.map(|(_, words)| words).collect()
    }
}

/// Name of the file in the data folder.
pub const FILE_NAME: &str = "maillon.toml";

impl Config {
    /// Reads and checks the configuration of a data folder.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(dir: &Path) -> Result<Self, ConfigError> {
        let path = dir.join(FILE_NAME);
        let read = |cause: String| ConfigError::Read {
            path: path.clone(),
            cause,
        };
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Err(ConfigError::Missing(path)),
            // Another user's folder is no empty one.
            Err(why) => return Err(read(format!("{why}; run maillond as the folder's user"))),
        }
        let config = Self::builder().env().file(&path).load().map_err(|error| {
            // The parser's own words, where there are some: ours name the file already.
            let cause = std::error::Error::source(&error);
            let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
            read(cause.trim_end().to_owned())
        })?;
        config.check().map_err(|wrong| wrong.in_file(&path))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), OutOfRange> {
        let wrong = |field, cause: &str| OutOfRange {
            field,
            cause: cause.to_owned(),
        };
        if self.structure.name.trim().is_empty() || self.structure.name.len() > 200 {
            return Err(wrong("structure.name", "must have 1 to 200 characters"));
        }
        let finess = &self.structure.finess;
        if !finess.is_empty()
            && (finess.len() != 9 || !finess.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        {
            return Err(wrong(
                "structure.finess",
                "must have nine characters, or be left out",
            ));
        }
        let known = |word: &String| crate::care::requests::WORDS.contains(&word.as_str());
        if !self.circles.grant_by_itself.iter().all(known) {
            return Err(wrong(
                "circles.grant_by_itself",
                "takes \"invite\", \"remove\", \"rotate\", \"close\" and \"hand-over\"",
            ));
        }
        if self.retention.years > 100 {
            let cause = format!("is {}; it must be from 0 to 100", self.retention.years);
            return Err(OutOfRange {
                field: "retention.years",
                cause,
            });
        }
        if !self.http.listen.ip().is_loopback() {
            return Err(wrong(
                "http.listen",
                "must be a loopback address such as 127.0.0.1:4080",
            ));
        }
        if self.web.certificate.is_some() != self.web.key.is_some() {
            return Err(wrong("web.certificate", "and web.key are named together"));
        }
        for (field, value, range) in [
            ("web.idle_minutes", self.web.idle_minutes, 1..=60),
            ("web.session_hours", self.web.session_hours, 1..=24),
            (
                "keys.receive_key_days",
                self.keys.receive_key_days,
                30..=730,
            ),
            (
                "network.longest_wait_s",
                self.network.longest_wait_s,
                5..=3600,
            ),
            (
                "network.longest_wait_urgent_s",
                self.network.longest_wait_urgent_s,
                1..=60,
            ),
            (
                "network.compare_every_s",
                self.network.compare_every_s,
                1..=3600,
            ),
        ] {
            if !range.contains(&value) {
                let cause = format!(
                    "is {value}; it must be from {} to {}",
                    range.start(),
                    range.end()
                );
                return Err(OutOfRange { field, cause });
            }
        }
        for (field, addresses) in [
            ("network.listen", &self.network.listen),
            ("network.advertise", &self.network.advertise),
            ("network.pairing_listen", &self.network.pairing_listen),
            ("network.pairing_advertise", &self.network.pairing_advertise),
        ] {
            multiaddresses(field, addresses)?;
        }
        self.relay.named()?;
        self.relay.allowed()?;
        self.relay.host()?;
        let (offset, most) = (self.test.clock_offset_s, MAX_OFFSET_S);
        if !(-most..=most).contains(&offset) {
            let cause = format!("is {offset}; it must be from -{most} to {most}");
            return Err(OutOfRange {
                field: "test.clock_offset_s",
                cause,
            });
        }
        if self.test.verify_every_s == Some(0) {
            return Err(wrong("test.verify_every_s", "is 0; it must be at least 1"));
        }
        if !matches!(self.log.format.as_str(), "text" | "json") {
            return Err(wrong("log.format", "must be \"text\" or \"json\""));
        }
        Ok(())
    }
}

/// Addresses as libp2p writes them.
///
/// # Errors
/// [`OutOfRange`].
pub fn multiaddresses(field: &'static str, texts: &[String]) -> Result<Vec<Multiaddr>, OutOfRange> {
    texts
        .iter()
        .map(|text| {
            text.parse().map_err(|_| OutOfRange {
                field,
                cause: format!(
                    "has {text:?}; write addresses such as \"/ip4/0.0.0.0/udp/4001/quic-v1\""
                ),
            })
        })
        .collect()
}

/// The commented example, made of the definitions above.
pub fn example() -> String {
    confique::toml::template::<Config>(confique::toml::FormatOptions::default())
}
