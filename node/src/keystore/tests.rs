//! The keystore's promises.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;

const PHRASE: &str = "correct horse battery staple";

fn cheap(passphrase: &str) -> Unlock {
    Unlock::Passphrase {
        passphrase: passphrase.into(),
        cost: Cost {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn some_secrets() -> Secrets {
    let mut secrets = Secrets::generate([7; 32]).expect("random bytes");
    secrets.receive_keys = (0..3)
        .map(|number| ReceiveKey {
            id: [number; 8],
            private: Secret::random().expect("random bytes"),
            created_ms: 1_700_000_000_000 + u64::from(number),
            expires_ms: u64::MAX,
        })
        .collect();
    secrets
}

/// Everything that a keystore holds, to compare.
fn content(secrets: &Secrets) -> impl PartialEq + std::fmt::Debug {
    let keys: Vec<_> = secrets
        .receive_keys
        .iter()
        .map(|key| {
            (
                key.id,
                *key.private.expose(),
                key.created_ms,
                key.expires_ms,
            )
        })
        .collect();
    let identity = *secrets.identity_seed.expose();
    let storage = *secrets.storage_key.expose();
    (identity, storage, keys, secrets.recovery_public_sha256)
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(dir)
        .expect("the folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("the file"))
        })
        .collect()
}

fn refusal(dir: &Path, unlock: &Unlock) -> KeystoreError {
    Keystore::open(dir, unlock).expect_err("must be refused")
}

#[test]
fn what_was_put_in_comes_out_with_the_passphrase() {
    let dir = folder();
    let secrets = some_secrets();
    Keystore::create(dir.path(), &cheap(PHRASE), &secrets).expect("created");

    let (keystore, opened) = Keystore::open(dir.path(), &cheap(PHRASE)).expect("opened");

    assert_eq!(content(&opened), content(&secrets));
    assert_eq!(
        Keystore::needs(dir.path()).expect("readable"),
        UnlockKind::Passphrase
    );
    let mode = fs::metadata(keystore.path())
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(files(dir.path()).len(), 1, "no temporary file is left");
}

#[test]
fn the_default_cost_is_at_least_what_the_field_advises() {
    let cost = Cost::default();
    assert!(cost.memory_kib >= 64 * 1024 && cost.passes >= 3 && cost.lanes >= 1);
    let dir = folder();
    Keystore::create(dir.path(), &Unlock::passphrase(PHRASE), &some_secrets()).expect("created");
    Keystore::open(dir.path(), &cheap(PHRASE)).expect("the file says its own cost");
}

#[test]
fn what_was_put_in_comes_out_with_the_key_file() {
    let dir = folder();
    let key_file = dir.path().join("elsewhere");
    create_key_file(&key_file).expect("written");
    let unlock = Unlock::KeyFile(key_file.clone());
    let secrets = some_secrets();
    Keystore::create(dir.path(), &unlock, &secrets).expect("created");

    let (_, opened) = Keystore::open(dir.path(), &unlock).expect("opened");
    assert_eq!(content(&opened), content(&secrets));

    let other = dir.path().join("other");
    create_key_file(&other).expect("written");
    let error = refusal(dir.path(), &Unlock::KeyFile(other));
    assert!(matches!(error, KeystoreError::WrongSecret), "{error}");
    assert!(
        create_key_file(&key_file).is_err(),
        "a key file is never overwritten"
    );
}

#[test]
fn a_key_file_that_cannot_serve_is_refused_with_the_reason() {
    let dir = folder();
    let key_file = dir.path().join("key");
    create_key_file(&key_file).expect("written");
    let unlock = Unlock::KeyFile(key_file.clone());
    Keystore::create(dir.path(), &unlock, &some_secrets()).expect("created");
    let fault = || match refusal(dir.path(), &unlock) {
        KeystoreError::KeyFile { fault, .. } => fault,
        other => panic!("{other}"),
    };

    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o644)).expect("chmod");
    assert_eq!(fault(), KeyFileFault::Exposed);
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o440)).expect("chmod");
    Keystore::open(dir.path(), &unlock).expect("a systemd credential looks like this");
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).expect("chmod");
    fs::write(&key_file, [1; 33]).expect("written");
    assert_eq!(fault(), KeyFileFault::WrongLength);
    fs::write(&key_file, [1; 31]).expect("written");
    assert_eq!(fault(), KeyFileFault::WrongLength);
    fs::remove_file(&key_file).expect("removed");
    assert_eq!(fault(), KeyFileFault::Missing);
}

#[test]
fn a_wrong_passphrase_is_refused_and_touches_nothing() {
    let dir = folder();
    Keystore::create(dir.path(), &cheap(PHRASE), &some_secrets()).expect("created");
    let before = files(dir.path());

    let error = refusal(dir.path(), &cheap("correct horse battery stable"));

    assert!(matches!(error, KeystoreError::WrongSecret), "{error}");
    assert_eq!(files(dir.path()), before);
}

#[test]
fn a_flipped_bit_anywhere_is_told_from_a_wrong_passphrase() {
    let dir = folder();
    Keystore::create(dir.path(), &cheap(PHRASE), &some_secrets()).expect("created");
    let path = dir.path().join(FILE_NAME);
    let good = fs::read(&path).expect("the file");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, &bad).expect("written");
        let error = refusal(dir.path(), &cheap(PHRASE));
        assert!(
            matches!(error, KeystoreError::Damaged { .. }),
            "{at}: {error}"
        );
        assert!(
            error
                .to_string()
                .contains("restore the backup of this file")
        );
        assert_eq!(fs::read(&path).expect("the file"), bad);
    }
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).expect("written");
        let error = refusal(dir.path(), &cheap(PHRASE));
        assert!(
            matches!(error, KeystoreError::Damaged { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_header_changed_with_its_checksum_does_not_open() {
    let dir = folder();
    Keystore::create(dir.path(), &cheap(PHRASE), &some_secrets()).expect("created");
    let path = dir.path().join(FILE_NAME);
    let mut file = fs::read(&path).expect("the file");
    // The last byte of the header belongs to the nonce, and is associated data besides.
    let last = 12 + usize::from(u16::from_be_bytes([file[10], file[11]])) - 1;
    file[last] ^= 1;
    write_with_checksum(&path, file);

    let error = refusal(dir.path(), &cheap(PHRASE));
    assert!(matches!(error, KeystoreError::WrongSecret), "{error}");
}

#[test]
fn a_keystore_of_a_newer_version_is_refused_and_touches_nothing() {
    let dir = folder();
    Keystore::create(dir.path(), &cheap(PHRASE), &some_secrets()).expect("created");
    let path = dir.path().join(FILE_NAME);
    let mut file = fs::read(&path).expect("the file");
    file[9] = 2;
    write_with_checksum(&path, file);
    let before = files(dir.path());

    let error = refusal(dir.path(), &cheap(PHRASE));

    assert!(
        matches!(error, KeystoreError::Newer { found: 2, known: 1 }),
        "{error}"
    );
    assert_eq!(files(dir.path()), before);
}

fn write_with_checksum(path: &Path, mut file: Vec<u8>) {
    let content = file.len() - 32;
    let checksum = Sha256::digest(&file[..content]);
    file[content..].copy_from_slice(&checksum);
    fs::write(path, file).expect("written");
}

#[test]
fn a_missing_keystore_says_to_run_init() {
    let dir = folder();
    let error = refusal(dir.path(), &cheap(PHRASE));
    assert!(matches!(error, KeystoreError::Missing { .. }));
    assert!(error.to_string().contains("maillond init"), "{error}");
    assert!(files(dir.path()).is_empty());
}

#[test]
fn an_identity_is_never_overwritten() {
    let dir = folder();
    Keystore::create(dir.path(), &cheap(PHRASE), &some_secrets()).expect("created");
    let before = files(dir.path());

    let again = Keystore::create(dir.path(), &cheap(PHRASE), &some_secrets());

    assert!(matches!(again, Err(KeystoreError::AlreadyExists { .. })));
    assert_eq!(files(dir.path()), before);
}

#[test]
fn rotated_keys_are_saved_under_the_same_passphrase() {
    let dir = folder();
    let mut secrets = some_secrets();
    let keystore = Keystore::create(dir.path(), &cheap(PHRASE), &secrets).expect("created");
    secrets.receive_keys.remove(0);
    // What a crash in the middle of an earlier save left behind is no obstacle.
    fs::write(dir.path().join("keystore.new"), b"half").expect("written");
    keystore.save(&secrets).expect("saved");

    let (_, opened) = Keystore::open(dir.path(), &cheap(PHRASE)).expect("opened");
    assert_eq!(content(&opened), content(&secrets));
    assert_eq!(files(dir.path()).len(), 1);
}

#[test]
fn a_save_that_fails_leaves_the_old_keystore() {
    let dir = folder();
    let mut secrets = some_secrets();
    let keystore = Keystore::create(dir.path(), &cheap(PHRASE), &secrets).expect("created");
    let before = files(dir.path());
    secrets.receive_keys = vec![secrets.receive_keys[0].clone(); Secrets::MAX_RECEIVE_KEYS + 1];
    let refused = keystore.save(&secrets);
    assert!(matches!(refused, Err(KeystoreError::TooManyKeys { .. })));
    assert_eq!(files(dir.path()), before);

    // A folder where the temporary file should be: the disk refuses.
    fs::create_dir(dir.path().join("keystore.new")).expect("made");
    secrets.receive_keys.clear();
    let refused = keystore.save(&secrets);
    assert!(matches!(refused, Err(KeystoreError::Io { .. })));
    fs::remove_dir(dir.path().join("keystore.new")).expect("removed");
    assert_eq!(files(dir.path()), before);
}

#[test]
fn the_passphrase_can_be_changed_for_a_key_file_and_opens_no_more() {
    let dir = folder();
    let elsewhere = folder();
    let key_file = elsewhere.path().join("key");
    create_key_file(&key_file).expect("written");
    let secrets = some_secrets();
    let mut keystore = Keystore::create(dir.path(), &cheap(PHRASE), &secrets).expect("created");

    keystore
        .change_unlock(&Unlock::KeyFile(key_file.clone()))
        .expect("changed");
    keystore.save(&secrets).expect("saved under the new one");

    let error = refusal(dir.path(), &cheap(PHRASE));
    let needs_key_file = KeystoreError::OtherUnlock {
        needs: UnlockKind::KeyFile,
    };
    assert_eq!(error.to_string(), needs_key_file.to_string());
    let (_, opened) = Keystore::open(dir.path(), &Unlock::KeyFile(key_file)).expect("opened");
    assert_eq!(content(&opened), content(&secrets));
}

#[test]
fn a_passphrase_out_of_range_or_an_absurd_cost_is_refused_before_anything_is_written() {
    let dir = folder();
    for (wrong, count) in [("onze lettré".to_owned(), 11), ("é".repeat(1025), 1025)] {
        let refused = Keystore::create(dir.path(), &cheap(&wrong), &some_secrets());
        let Err(KeystoreError::PassphraseLength { found, least, most }) = refused else {
            panic!("{count} characters were taken");
        };
        assert_eq!((found, least, most), (count, 12, 1024));
    }
    for (memory_kib, passes, lanes) in [(u32::MAX, 1, 1), (64, 17, 1), (64, 1, 9), (0, 1, 1)] {
        let unlock = Unlock::Passphrase {
            passphrase: PHRASE.into(),
            cost: Cost {
                memory_kib,
                passes,
                lanes,
            },
        };
        let refused = Keystore::create(dir.path(), &unlock, &some_secrets());
        assert!(matches!(refused, Err(KeystoreError::CostOutOfRange)));
    }
    assert!(files(dir.path()).is_empty());
}

#[test]
fn debug_shows_no_secret() {
    let dir = folder();
    let mut secrets = Secrets::generate([0xEE; 32]).expect("random bytes");
    secrets.identity_seed = Secret::new([0xAB; 32]);
    secrets.storage_key = Secret::new([0xCD; 32]);
    let unlock = cheap(PHRASE);
    let keystore = Keystore::create(dir.path(), &unlock, &secrets).expect("created");
    let key = ReceiveKey {
        id: [0xAB; 8],
        private: Secret::new([0xAB; 32]),
        created_ms: 0,
        expires_ms: 0,
    };
    let shown = format!(
        "{secrets:?} {:?} {key:?} {unlock:?} {keystore:?}",
        secrets.storage_key
    );
    for secret in ["171", "205", "238", "horse"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
