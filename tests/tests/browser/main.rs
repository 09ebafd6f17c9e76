//! Pages in a real browser: Debian's chromium before whole nodes. What each page must hold at both widths, light and dark, and what people do with them
//! by touch, with the keyboard alone, and without script.
//!
//! Pictures of every page go to `$CARGO_TARGET_DIR/screens/NAME-WIDTH-SCHEME.png` (`target/screens` of the checkout where that is not set).

mod alert;
mod demo;
mod gates;
mod idle;
mod keyboard;
mod print;
mod proposed;
mod shown;
mod traces;
mod without_script;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use maillon_tests::{
    browser::{Browser, Look},
    daemon::Trouble,
};
use tempfile::TempDir;

/// What a scenario returns: any trouble is a failed test that says what happened.
type Story = Result<(), Trouble>;

fn folder() -> Result<TempDir, Trouble> {
    tempfile::Builder::new()
        .prefix("maillon-test-")
        .tempdir()
        .map_err(Trouble::io("a temporary folder"))
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Story {
    if holds {
        return Ok(());
    }
    Err(Trouble::wrong(otherwise()))
}

/// Where pictures go.
fn screens() -> PathBuf {
    let built = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let own = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"));
    built.unwrap_or_else(own).join("screens")
}

fn keep(path: &Path, bytes: &[u8]) -> Story {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Trouble::io("the folder of pictures"))?;
    }
    fs::write(path, bytes).map_err(Trouble::io(path.display().to_string()))
}

/// Keeps a picture of the page as it is now.
fn picture(browser: &Browser, name: &str, look: Look) -> Story {
    let path = screens().join(format!("{name}-{}.png", look.word()));
    keep(&path, &browser.picture(look)?)
}
