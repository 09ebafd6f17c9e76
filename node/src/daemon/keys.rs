//! The keyring: the keystore with what is in it, while the node runs.

use maillon_protocol::{
    admin,
    ids::{Hash, KeyId},
    keys::{SealKey, SealPublic},
};

use super::{Node, StartError};
use crate::{
    admin::Refusal,
    audit::{self, About, By},
    config::Config,
    keystore::{Keystore, KeystoreError, ReceiveKey, Secret, Secrets},
    recovery::recovery_that_rules,
    store::Options,
};

const DAY_MS: u64 = 24 * 3600 * 1000;
/// A receive key is replaced this long before it expires.
const RENEW_BEFORE_MS: u64 = 30 * DAY_MS;
/// An old receive key is dropped this long after it expired.
const KEEP_AFTER_MS: u64 = 90 * DAY_MS;

/// The store's options: the defaults, and no sync for the test that must then fail.
#[allow(
    clippy::field_reassign_with_default,
    reason = "the options cannot be built outside the store in another way"
)]
pub(super) fn store_options(config: &Config) -> Options {
    let mut options = Options::default();
    options.sync = !config.test.unsynced;
    options
}

/// Keys in use.
pub(crate) struct Keyring {
    keystore: Keystore,
    secrets: Secrets,
    seals: Vec<SealKey>,
    days: u64,
}

impl Keyring {
    pub(super) fn new(
        keystore: Keystore,
        secrets: Secrets,
        config: &Config,
        now_ms: u64,
    ) -> Result<Self, StartError> {
        let mut ring = Self {
            keystore,
            secrets,
            seals: Vec::new(),
            days: config.keys.receive_key_days,
        };
        ring.load();
        // A node never starts with an expired key; while it runs, a worker looks.
        if ring.is_due(now_ms) {
            ring.renew(now_ms)?;
        }
        Ok(ring)
    }

    /// Whether the newest receive key expires so soon that it must be replaced now.
    pub(super) fn is_due(&self, now_ms: u64) -> bool {
        self.seals
            .first()
            .is_none_or(|newest| newest.public().expires_ms < now_ms + RENEW_BEFORE_MS)
    }

    fn load(&mut self) {
        let mut keys: Vec<&ReceiveKey> = self.secrets.receive_keys.iter().collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.created_ms));
        self.seals = keys
            .iter()
            .map(|key| SealKey::from_seed(key.private.expose(), key.expires_ms))
            .collect();
    }

    /// A new receive key; those that expired long ago are dropped.
    fn renew(&mut self, now: u64) -> Result<(), KeystoreError> {
        let private = Secret::random()?;
        let expires_ms = now + self.days * DAY_MS;
        let key = SealKey::from_seed(private.expose(), expires_ms);
        let dropped: Vec<_> = self
            .secrets
            .receive_keys
            .extract_if(.., |key| key.expires_ms + KEEP_AFTER_MS < now)
            .collect();
        self.secrets.receive_keys.push(ReceiveKey {
            id: key.public().id.0,
            private,
            created_ms: now,
            expires_ms,
        });
        if let Err(error) = self.keystore.save(&self.secrets) {
            self.secrets.receive_keys.pop();
            self.secrets.receive_keys.extend(dropped);
            return Err(error);
        }
        self.load();
        Ok(())
    }

    pub(super) fn newest(&self) -> &SealPublic {
        self.seals[0].public()
    }

    pub(super) fn seal_keys(&self) -> Vec<SealKey> {
        self.seals.clone()
    }

    pub(super) const fn recovery(&self) -> Hash {
        Hash(self.secrets.recovery_public_sha256)
    }

    pub(super) fn identity_seed(&self) -> [u8; 32] {
        *self.secrets.identity_seed.expose()
    }

    fn shown(&self, node: maillon_protocol::ids::NodeId) -> admin::Keys {
        let mut receive: Vec<_> = self
            .secrets
            .receive_keys
            .iter()
            .map(|key| (KeyId(key.id), key.created_ms, key.expires_ms))
            .collect();
        receive.sort_by_key(|(_, created, _)| std::cmp::Reverse(*created));
        admin::Keys {
            node,
            receive,
            recovery: self.recovery(),
        }
    }
}

impl Node {
    pub(crate) async fn keys(&self) -> admin::Keys {
        let shared = self.ledger.shared();
        let mut keys = self.keyring.lock().await.shown(shared.own());
        // One that cannot be read, `doctor` tells.
        if let Ok(rules) = recovery_that_rules(shared.rows(), &keys.node, keys.recovery) {
            keys.recovery = rules.recovery;
        }
        keys
    }

    /// A new receive key, told to everybody with the next contact.
    pub(crate) async fn rotate_keys(&self, by: By, now_ms: u64) -> Result<(), Refusal> {
        let seals = {
            let mut keyring = self.keyring.lock().await;
            keyring.renew(now_ms)?;
            keyring.seal_keys()
        };
        let job = self.ledger.run(move |tx| {
            tx.replica.open_with(seals);
            audit::note(tx, by, "keys.rotate", About::NOTHING)?;
            Ok::<(), crate::care::CareError>(())
        });
        job.await.map_err(crate::care::CareError::from)?;
        self.describe().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::now_ms,
        config::Config,
        founding::found,
        keystore::{Unlock, create_key_file},
    };

    fn keyring(folder: &std::path::Path) -> Keyring {
        let key = folder.join("key");
        create_key_file(&key).expect("a key file");
        let (dir, unlock) = (folder.join("node"), Unlock::KeyFile(key));
        let text = "[structure]\nname = \"DAC\"\nkind = \"dac\"\n";
        let config: Config = found(&dir, &unlock, text).expect("a node").config;
        let (keystore, secrets) = Keystore::open(&dir, &unlock).expect("its keys");
        Keyring::new(keystore, secrets, &config, now_ms()).expect("a keyring")
    }

    #[test]
    fn a_receive_key_is_due_thirty_days_before_its_end_and_the_old_one_stays_ninety_days_after() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ring = keyring(folder.path());
        let first = ring.newest().clone();
        let end = first.expires_ms;
        assert!(!ring.is_due(end - 31 * DAY_MS));
        assert!(ring.is_due(end - 29 * DAY_MS));

        ring.renew(end - 29 * DAY_MS).expect("a new key");
        assert_ne!(ring.newest().id, first.id);
        assert!(!ring.is_due(end - 29 * DAY_MS));
        let held = |ring: &Keyring| ring.seals.iter().any(|key| key.public().id == first.id);
        assert!(held(&ring), "what is on its way must still open");

        ring.renew(end + 89 * DAY_MS).expect("a third key");
        assert!(held(&ring));
        ring.renew(end + 91 * DAY_MS).expect("a fourth key");
        assert!(!held(&ring));
    }
}
