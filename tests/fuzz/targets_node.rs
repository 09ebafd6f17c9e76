// The same for what only the daemon reads: files that somebody hands over, and the configuration.

use std::{cell::OnceCell, fs};

use maillon_node::{
    config::{Config, FILE_NAME},
    fhir::{ImportLimits, read},
};

use super::targets::Target;

/// Those of the daemon.
pub(crate) const NODE_TARGETS: [Target; 2] = [("bundle", bundle), ("configuration", configuration)];

/// A FHIR file to import.
fn bundle(data: &[u8]) {
    if let Ok(import) = read(data, &ImportLimits::default()) {
        let leaves = import.report.leaves();
        let value: serde_json::Value = serde_json::from_slice(data).expect("JSON, if it was read");
        assert_eq!(leaves, count(&value), "each element has one fate");
    }
}

/// Scalars, and empty lists and objects.
fn count(value: &serde_json::Value) -> u64 {
    match value {
        serde_json::Value::Array(list) if !list.is_empty() => list.iter().map(count).sum(),
        serde_json::Value::Object(object) if !object.is_empty() => object.values().map(count).sum(),
        _ => 1,
    }
}

/// `maillon.toml`.
fn configuration(data: &[u8]) {
    thread_local! {
        static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
    }
    FOLDER.with(|folder| {
        let dir = folder.get_or_init(|| tempfile::tempdir().expect("a folder"));
        fs::write(dir.path().join(FILE_NAME), data).expect("a file");
        if let Err(error) = Config::load(dir.path()) {
            assert!(!error.to_string().is_empty());
        }
    });
}
