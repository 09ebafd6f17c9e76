//! `account`: who may sign in to the pages.

use clap::{Args, Subcommand};
use maillon_protocol::admin::{AccountCall, AccountCode, AccountLine, Call};

use crate::{
    failure::Failure,
    session::{Consequence, Session, answer},
    terminal::{View, table, text},
};

/// Who may sign in to the pages
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl account list")]
pub(crate) enum Account {
    Add(Add),
    List(List),
    BeginAgain(BeginAgain),
    Close(Close),
    Open(Open),
}

/// Make an account, and the code for its person's first sign-in
///
/// The person signs in with that code within a week and chooses a password, which nobody else ever knows.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl account add camille.roux 'Camille Roux' --professional 7b21"
)]
pub(crate) struct Add {
    /// What the person will type: 3 to 64 small letters, digits, or any of . - _ @
    login: String,
    /// Given and family name
    name: String,
    /// The professional in whose name they act, as `professional list` shows it; several, the usual one first
    #[arg(long = "professional", value_name = "ID")]
    professionals: Vec<String>,
    /// Lets them administer the node, which shows them no health data
    #[arg(long)]
    administrator: bool,
}

/// List the accounts
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl account list")]
pub(crate) struct List {}

/// Give a code for one more first sign-in, where password and recovery codes are lost
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl account begin-again camille.roux")]
pub(crate) struct BeginAgain {
    /// The account
    login: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Close an account: its sessions end, and nobody signs in with it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl account close camille.roux")]
pub(crate) struct Close {
    /// The account
    login: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Open a closed account again
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl account open camille.roux")]
pub(crate) struct Open {
    /// The account
    login: String,
}

impl Account {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::Add(command) => command.run(session),
            Self::List(_) => {
                let all = answer!(session, Call::Account(AccountCall::List), Accounts);
                session.print(&all, |view| show(view, &all))
            }
            Self::BeginAgain(command) => command.run(session),
            Self::Close(command) => command.run(session),
            Self::Open(command) => {
                let login = command.login.clone();
                let call = Call::Account(AccountCall::Open { login });
                session.done(call, "The account is open again.")
            }
        }
    }
}

impl Add {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::Account(AccountCall::Add {
            login: self.login.clone(),
            name: self.name.clone(),
            professionals: self.professionals.clone(),
            administrator: self.administrator,
        });
        told(session, call)
    }
}

impl BeginAgain {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |_| {
            Ok(Consequence {
                lines: vec![
                    "Its password and its recovery codes are good for nothing any more, and its sessions end."
                        .to_owned(),
                    "Make sure that whoever asks for it is its person.".to_owned(),
                ],
            })
        })?;
        let login = self.login.clone();
        told(session, Call::Account(AccountCall::BeginAgain { login }))
    }
}

impl Close {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |_| {
            Ok(Consequence {
                lines: vec!["Its sessions end, and nobody signs in with it.".to_owned()],
            })
        })?;
        let login = self.login.clone();
        let call = Call::Account(AccountCall::Close { login });
        session.done(call, "The account is closed.")
    }
}

/// The code, once.
fn told(session: &mut Session<'_, '_>, call: Call) -> Result<u8, Failure> {
    let made = answer!(session, call, AccountCode);
    session.print(&made, |view| shown(view, &made))
}

fn shown(view: &View, made: &AccountCode) -> String {
    let pages = made.pages.as_deref().unwrap_or("the pages");
    format!(
        "Code for the first sign-in of {}: {}\nGive it to its person by hand or by telephone, and to nobody else. It is good once, and ends {}.\nThey type it at {}/premiere-connexion. It is not shown again.",
        text::line(&made.login),
        text::line(&made.code),
        view.clock.when(made.until_ms),
        text::line(pages),
    )
}

fn show(view: &View, all: &[AccountLine]) -> String {
    if all.is_empty() {
        return "No accounts yet. Make one: maillonctl account add LOGIN NAME --professional ID"
            .to_owned();
    }
    table(
        view,
        [
            "login",
            "name",
            "",
            "last signed in",
            "sessions",
            "recovery codes",
        ],
        all.iter().map(|one| {
            let state = match one {
                one if one.closed_ms.is_some() => "closed",
                one if !one.password => "has not signed in",
                one if one.administrator => "administrator",
                _ => "",
            };
            [
                text::line(&one.login),
                text::line(&one.name),
                state.to_owned(),
                one.seen_ms
                    .map_or_else(String::new, |seen| view.clock.when(seen)),
                one.sessions.to_string(),
                one.recovery_left.to_string(),
            ]
        }),
    )
}
