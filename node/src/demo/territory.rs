//! The three structures of the demonstration, and their nodes. None of them exists.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use maillon_protocol::{descriptor::StructureKind, ids::NodeId};

use super::{DemoError, wait::until};
use crate::{
    config::Config,
    daemon::Node,
    founding::found,
    keystore::{Unlock, create_key_file},
};

/// A structure of the demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The dispositif d'appui à la coordination, which opens the file.
    Dac,
    /// The communauté professionnelle territoriale de santé.
    Cpts,
    /// The hospital.
    Hospital,
}

impl Place {
    /// All three; the one that opens the file first.
    pub const ALL: [Self; 3] = [Self::Dac, Self::Cpts, Self::Hospital];

    /// Name of its data folder, its socket and its key.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Dac => "dac",
            Self::Cpts => "cpts",
            Self::Hospital => "hospital",
        }
    }

    /// As professionals know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dac => "DAC du Ponant",
            Self::Cpts => "CPTS du Val de Kermoor",
            Self::Hospital => "Centre hospitalier de Kermoor",
        }
    }

    const fn kind(self) -> StructureKind {
        match self {
            Self::Dac => StructureKind::Dac,
            Self::Cpts => StructureKind::Cpts,
            Self::Hospital => StructureKind::Hospital,
        }
    }

    /// Numbers of a department that does not exist.
    const fn finess(self) -> &'static str {
        match self {
            Self::Dac => "990000101",
            Self::Cpts => "990000102",
            Self::Hospital => "990000103",
        }
    }

    /// The configuration: loopback only, ports that the system picks, care commands on the socket.
    fn configuration(self) -> String {
        let kind = serde_json::to_string(&self.kind()).unwrap_or_default();
        let short = self.short();
        format!(
            "# Made by `maillond demo`: nobody in it exists.\n\
             [structure]\n\
             name = \"{name}\"\n\
             kind = {kind}\n\
             finess = \"{finess}\"\n\
             territory = \"Bretagne\"\n\
             administrator = \"administration@{short}.example\"\n\
             dpo = \"dpo@{short}.example\"\n\n\
             [keys]\n\
             key_file = \"../{short}.key\"\n\n\
             [network]\n\
             listen = [\"/ip4/127.0.0.1/udp/0/quic-v1\", \"/ip4/127.0.0.1/tcp/0\"]\n\
             pairing_listen = [\"/ip4/127.0.0.1/udp/0/quic-v1\", \"/ip4/127.0.0.1/tcp/0\"]\n\n\
             [admin]\n\
             socket = \"../{short}.sock\"\n\
             care_commands = true\n\n\
             [http]\n\
             listen = \"127.0.0.1:0\"\n\n\
             [web]\n\
             listen = \"127.0.0.1:0\"\n\n\
             [log]\n\
             filter = \"warn\"\n",
            name = self.name(),
            finess = self.finess(),
        )
    }
}

/// A structure and its running node.
pub(super) struct Territory {
    /// Which.
    pub(super) place: Place,
    /// Its node.
    pub(super) node: Arc<Node>,
}

/// Makes keys and configuration of a structure's node in `demo`.
pub(super) fn make(demo: &Path, place: Place) -> Result<(), DemoError> {
    let dir = demo.join(place.short());
    let key = key_file(demo, place);
    create_key_file(&key)?;
    // Nobody will need another identity for a node of a demonstration: the recovery key is forgotten at once.
    found(&dir, &Unlock::KeyFile(key), &place.configuration())?;
    Ok(())
}

fn key_file(demo: &Path, place: Place) -> PathBuf {
    demo.join(format!("{}.key", place.short()))
}

impl Territory {
    /// Starts the node, and waits until its descriptor says where it listens now.
    pub(super) async fn start(demo: &Path, place: Place) -> Result<Self, DemoError> {
        let dir = demo.join(place.short());
        let config = Config::load(&dir)?;
        let unlock = Unlock::KeyFile(key_file(demo, place));
        let node = Node::start(&dir, config, &unlock)
            .await
            .map_err(|cause| DemoError::Start {
                structure: place.name(),
                cause,
            })?;
        let territory = Self { place, node };
        let listening = until("listening on loopback", async || {
            let transports = territory.node.config.network.listen.len();
            let (now, told) = (territory.node.addresses(), territory.told());
            let all_told = now.iter().all(|address| told.contains(address));
            Ok((now.len() >= transports && all_told).then_some(()))
        });
        if let Err(error) = listening.await {
            territory.node.stop().await;
            return Err(error);
        }
        Ok(territory)
    }

    /// The addresses that its descriptor names.
    fn told(&self) -> Vec<String> {
        self.node.ledger.shared().descriptor().object.addresses
    }

    /// Its node's name.
    pub(super) fn id(&self) -> NodeId {
        self.node.ledger.shared().own()
    }
}

/// The admin socket of a structure's node.
pub(super) fn socket(demo: &Path, place: Place) -> PathBuf {
    demo.join(format!("{}.sock", place.short()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FILE_NAME;

    #[test]
    fn every_structure_has_a_configuration_that_the_daemon_takes() {
        for place in Place::ALL {
            let dir = tempfile::tempdir().expect("a folder");
            std::fs::write(dir.path().join(FILE_NAME), place.configuration()).expect("writable");
            let config = Config::load(dir.path()).expect("a configuration");
            assert_eq!(config.structure.name, place.name());
            assert!(config.admin.care_commands);
        }
    }
}
