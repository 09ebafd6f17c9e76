//! Pages in a real browser: Debian's chromium before whole nodes. What each page must hold at both widths, light and dark, and what people do with them
//! by touch, with the keyboard alone, and without script.
//!
//! Pictures of every page go to `$CARGO_TARGET_DIR/screens/NAME-WIDTH-SCHEME.png` (`target/screens` of the checkout where that is not set).

mod alert;
mod driver;
mod gates;
mod ground;
mod keyboard;
mod shown;
mod traces;
mod without_script;

use std::{env, fs, path::PathBuf};

use maillon_tests::daemon::Trouble;
use tempfile::TempDir;

use self::{driver::Browser, driver::Look};

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

/// Keeps a picture of the page as it is now.
fn picture(browser: &Browser, name: &str, look: Look) -> Story {
    let built = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let built =
        built.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")));
    let screens = built.join("screens");
    fs::create_dir_all(&screens).map_err(Trouble::io("the folder of pictures"))?;
    let path = screens.join(format!("{name}-{}.png", look.word()));
    fs::write(&path, browser.picture()?).map_err(Trouble::io(path.display().to_string()))
}
