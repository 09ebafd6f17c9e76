//! The pages of whole nodes: who comes in, what each answer carries, and what nobody sees.

mod administration;
mod amend;
mod circle;
mod documents;
mod door;
mod drafts;
mod edges;
mod files;
mod habilitations;
mod invitations;
mod lists;
mod live;
mod looks;
mod markup;
mod team;
mod waiting;
mod walk;

use maillon_tests::{
    daemon::{Daemon, Settings, Trouble, professional},
    visitor::{Page, Visitor},
};
use tempfile::TempDir;

/// What a scenario returns: any trouble is a failed test that says what happened.
type Story = Result<(), Trouble>;

const NAME: &str = "Camille Roux";
const LOGIN: &str = "camille.roux";
const PASSWORD: &str = "trois galets sur la digue";

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

/// A node with pages and one nurse, who has an account and has not come in yet; her code.
fn with_a_nurse(root: &TempDir) -> Result<(Daemon, String), Trouble> {
    let mut settings = Settings::cpts();
    settings.web = Some("127.0.0.1:0".to_owned());
    let node = Daemon::new(root.path(), settings)?;
    let id = professional(&node, NAME, "10999001018", "60")?;
    let made = node.client()?.account_add(LOGIN, NAME, &id)?;
    Ok((node, made.code))
}

/// The first sign-in, and what it showed.
fn first(visitor: &mut Visitor, code: &str) -> Result<Page, Trouble> {
    let fields = [
        ("login", LOGIN),
        ("code", code),
        ("next", PASSWORD),
        ("again", PASSWORD),
    ];
    visitor.post("/premiere-connexion", &fields)
}

fn sign_in(visitor: &mut Visitor, password: &str) -> Result<Page, Trouble> {
    visitor.post("/connexion", &[("login", LOGIN), ("password", password)])
}
