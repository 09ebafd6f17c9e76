//! What a daemon under test is told, and the configuration that says it.

use std::{fmt::Write, net::Ipv4Addr, path::Path};

use maillon_protocol::descriptor::StructureKind;

/// One node's settings. [`Settings::new`] gives those of a territory's node; tests change single fields.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the folder, of the key file and of the log: a short word.
    pub name: String,
    /// Name of the structure.
    pub structure: String,
    /// Its kind.
    pub kind: StructureKind,
    /// Its territory.
    pub territory: String,
    /// Where it listens: loopback; every address of its machine only where that is a network namespace of its own.
    pub host: Ipv4Addr,
    /// Listens on QUIC.
    pub quic: bool,
    /// Listens on TCP.
    pub tcp: bool,
    /// The addresses that its descriptor names; none: those on which it listens.
    pub advertise: Vec<String>,
    /// `[relay] through`: the relays that it uses.
    pub through: Vec<String>,
    /// `[relay] listen`: where it relays for others.
    pub relay_listen: Vec<String>,
    /// `[relay] allow`: for whom.
    pub relay_allow: Vec<String>,
    /// `[circles] grant_by_itself`.
    pub grant_by_itself: Vec<String>,
    /// `[circles] erase_by_itself`.
    pub erase_by_itself: bool,
    /// `[test] scrub_after_s`: seconds until what was erased leaves the disk, some minutes where none is set.
    pub scrub_after_s: Option<u64>,
    /// `[admin] care_commands`.
    pub care_commands: bool,
    /// `[web] listen`: where it serves pages, such as `127.0.0.1:0`; `Daemon::pages` says where that is.
    pub web: Option<String>,
    /// `[test] tap`: every byte handed to libp2p streams is kept.
    pub tap: bool,
    /// `[test] unsynced`: the WAL is not synced, so that the durability test can fail.
    pub unsynced: bool,
    /// `[test] plant_unsealed`: a text that is written unsealed, so that the secrecy test can fail.
    pub plant_unsealed: Option<String>,
    /// `[test] clock_offset_s`: seconds by which its clock runs ahead, or behind where negative.
    pub clock_offset_s: i64,
    /// `[test] verify_every_s`: seconds between two checks of everything, a day where none is set.
    pub verify_every_s: Option<u64>,
    /// Invariants that the test breaks, by name: when the daemon is dropped, these must not hold, and all others must.
    pub broken: Vec<&'static str>,
    /// The keystore opens with this passphrase instead of the key file.
    pub passphrase: Option<String>,
    /// `[log] filter`: how much it says of itself.
    pub log_filter: Option<String>,
    /// More arguments of `maillond init`.
    pub init_arguments: Vec<String>,
    /// More environment.
    pub environment: Vec<(String, String)>,
    /// A program and arguments before `maillond run`, such as strace. It must let the daemon be our direct child.
    pub under: Vec<String>,
}

impl Settings {
    /// The node of one structure.
    pub fn new(name: &str, structure: &str, kind: StructureKind) -> Self {
        Self {
            name: name.to_owned(),
            structure: structure.to_owned(),
            kind,
            territory: String::from("Pays de Caux"),
            host: Ipv4Addr::LOCALHOST,
            quic: true,
            tcp: true,
            advertise: Vec::new(),
            through: Vec::new(),
            relay_listen: Vec::new(),
            relay_allow: Vec::new(),
            grant_by_itself: Vec::new(),
            erase_by_itself: false,
            scrub_after_s: None,
            care_commands: true,
            web: None,
            tap: false,
            unsynced: false,
            plant_unsealed: None,
            clock_offset_s: 0,
            verify_every_s: None,
            broken: Vec::new(),
            passphrase: None,
            log_filter: None,
            init_arguments: Vec::new(),
            environment: Vec::new(),
            under: Vec::new(),
        }
    }

    /// A support structure (DAC): A of the stories.
    pub fn dac() -> Self {
        Self::new("a", "DAC du Pays de Caux", StructureKind::Dac)
    }

    /// A territory's professionals (CPTS): B of the stories.
    pub fn cpts() -> Self {
        Self::new("b", "CPTS des Falaises", StructureKind::Cpts)
    }

    /// A hospital: C of the stories.
    pub fn hospital() -> Self {
        Self::new("c", "Hôpital du Val", StructureKind::Hospital)
    }

    /// The kind as `maillond init --kind` and the configuration take it.
    pub fn kind_word(&self) -> &'static str {
        match self.kind {
            StructureKind::Dac => "dac",
            StructureKind::Cpts => "cpts",
            StructureKind::Esms => "esms",
            StructureKind::Hospital => "hospital",
            StructureKind::Article51 => "article51",
            StructureKind::Other => "other",
        }
    }

    /// `maillon.toml`.
    pub(super) fn toml(&self, port: u16, key_file: &Path, socket: &Path, tap: &Path) -> String {
        let mut text = String::new();
        let mut line = |words: std::fmt::Arguments<'_>| {
            let _ = text.write_fmt(words);
            text.push('\n');
        };
        line(format_args!("[structure]"));
        line(format_args!("name = {:?}", self.structure));
        line(format_args!("kind = {:?}", self.kind_word()));
        line(format_args!("finess = \"\""));
        line(format_args!("territory = {:?}", self.territory));
        line(format_args!(
            "administrator = \"admin@{}.example\"",
            self.name
        ));
        line(format_args!("dpo = \"dpo@{}.example\"", self.name));
        if self.passphrase.is_none() {
            line(format_args!("\n[keys]\nkey_file = {key_file:?}"));
        }
        line(format_args!("\n[admin]\nsocket = {socket:?}"));
        line(format_args!("care_commands = {}", self.care_commands));
        if !self.grant_by_itself.is_empty() || self.erase_by_itself {
            line(format_args!("\n[circles]"));
            line(format_args!("grant_by_itself = {:?}", self.grant_by_itself));
            line(format_args!("erase_by_itself = {}", self.erase_by_itself));
        }
        line(format_args!("\n[network]"));
        line(format_args!("listen = {:?}", self.listen(port)));
        if !self.advertise.is_empty() {
            line(format_args!("advertise = {:?}", self.advertise));
        }
        let host = self.host;
        line(format_args!(
            "pairing_listen = [\"/ip4/{host}/udp/0/quic-v1\", \"/ip4/{host}/tcp/0\"]"
        ));
        line(format_args!("\n[relay]"));
        line(format_args!("through = {:?}", self.through));
        line(format_args!("listen = {:?}", self.relay_listen));
        line(format_args!("allow = {:?}", self.relay_allow));
        line(format_args!("\n[http]\nlisten = \"127.0.0.1:0\""));
        if let Some(listen) = &self.web {
            line(format_args!("\n[web]\nlisten = {listen:?}"));
        }
        if let Some(filter) = &self.log_filter {
            line(format_args!("\n[log]\nfilter = {filter:?}"));
        }
        let in_words = self.plant_unsealed.is_some() || self.verify_every_s.is_some();
        let in_words = in_words || self.scrub_after_s.is_some();
        if self.tap || self.unsynced || in_words || self.clock_offset_s != 0 {
            line(format_args!("\n[test]"));
        }
        if self.tap {
            line(format_args!("tap = {tap:?}"));
        }
        if self.unsynced {
            line(format_args!("unsynced = true"));
        }
        if self.clock_offset_s != 0 {
            line(format_args!("clock_offset_s = {}", self.clock_offset_s));
        }
        if let Some(every) = self.verify_every_s {
            line(format_args!("verify_every_s = {every}"));
        }
        if let Some(after) = self.scrub_after_s {
            line(format_args!("scrub_after_s = {after}"));
        }
        if let Some(planted) = &self.plant_unsealed {
            line(format_args!("plant_unsealed = {planted:?}"));
        }
        text
    }

    fn listen(&self, port: u16) -> Vec<String> {
        let host = self.host;
        let quic = self.quic.then(|| format!("/ip4/{host}/udp/{port}/quic-v1"));
        let tcp = self.tcp.then(|| format!("/ip4/{host}/tcp/{port}"));
        quic.into_iter().chain(tcp).collect()
    }
}
