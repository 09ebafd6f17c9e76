//! Tells the main story with real daemons: one line a sentence, figures, and the last line `N passed, N failed`.
//!
//! ```text
//! maillon-story [--seed N]      N chooses the instants at which A is killed; without it, the clock does
//! ```
//!
//! Environment: `MAILLON_BIN` (where `maillond` is), `MAILLON_EXAMPLES` (the published FHIR examples). Ends within three minutes. Exit
//! code 0 if everything came true, 1 if not, 2 for a wrong command line. The folders are kept where something failed.
#![forbid(unsafe_code)]

use std::{
    env,
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use maillon_tests::{
    daemon::wait,
    story::{self, Teller},
};

/// What is left of the three minutes when the last daemon must begin to stop.
const TIME: Duration = Duration::from_secs(175);

fn main() -> ExitCode {
    let Some(seed) = seed() else {
        println!("usage: maillon-story [--seed N]");
        return ExitCode::from(2);
    };
    wait::end_by(Instant::now() + TIME);
    let root = match tempfile::Builder::new().prefix("maillon-story-").tempdir() {
        Ok(root) => root,
        Err(error) => {
            println!("FAIL 01 no temporary folder: {error}\n0 passed, 1 failed");
            return ExitCode::FAILURE;
        }
    };
    let mut teller = Teller::default();
    story::tell(&mut teller, root.path(), seed);
    let logs = root.path().join("logs");
    if teller.failed() > 0 {
        let _ = root.keep();
    }
    match teller.end(&logs) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// `None` where the command line makes no sense.
fn seed() -> Option<u64> {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.as_slice() {
        [] => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .map(|since| since.as_secs()),
        [flag, seed] if flag == "--seed" => seed.parse().ok(),
        _ => None,
    }
}
