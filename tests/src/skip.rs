//! Tests that cannot run here, said aloud.
//!
//! Rust's test runners only know passed, failed and ignored. A test that lacks its means calls [`skip`] and returns;
//! `tests/run.sh` finds the line in the file that `MAILLON_SKIPS` names, prints it and counts it.

use std::fs::OpenOptions;
use std::io::Write;

/// Whether the means that a test lacks should have been there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// `deploy/needs.sh` could have brought them: under `CI=true` the skip is a failure.
    Expected,
    /// This machine cannot have them, or they are published elsewhere and are not here.
    Absent,
}

/// Says that the calling test (by the name of its thread) cannot run, and why. The test returns afterwards.
///
/// # Panics
///
/// Under `CI=true`, if the means were [`Expected`](Means::Expected).
pub fn skip(why: &str, means: Means) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(
        !(ci && means == Means::Expected),
        "{test} cannot be left out here: {why}"
    );
    if let Some(path) = std::env::var_os("MAILLON_SKIPS") {
        // One write for one line, so that lines of tests that run side by side do not mix.
        let line = format!("{test}: {}\n", why.replace('\n', " "));
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(
            written.is_ok(),
            "{test} was left out ({why}) and could not say so"
        );
    }
}
