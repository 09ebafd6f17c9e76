//! The daemon's command line: `init`, `run`, `recovery-key`, `restore`, `demo`, `config`; and, for benchmarks, `floor`, which the help does not list.
//!
//! Exit codes are in one table, [`EXIT_CODES`], which the help prints.

mod demo;
mod floor;
mod init;
mod recover;
mod recovery;
mod shell;
mod unlock;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use maillon_node::{
    admin::SocketError,
    checkpoint::{self, CheckpointError},
    clock,
    config::{self, Config, FILE_NAME, OutOfRange},
    daemon::{Node, StartError},
    keystore::KeystoreError,
    network::NetworkError,
    peering::PeeringError,
    store::StoreError,
};
use maillon_protocol::descriptor::StructureKind;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Every exit code with its meaning, as the help prints them.
const EXIT_CODES: &str = "\
Exit codes:
   0  Done; for run: stopped as asked.
  64  The command line, the configuration, the environment or a new passphrase is wrong, or there is no node in this folder.
  70  Anything else.
  73  The data folder or the key file cannot be made, or the folder is not empty.
  74  The data folder is damaged, full, of a newer version, or cannot be read or written.
  75  The folder or the socket is in use, or an address cannot be listened on.
  77  The passphrase or the key file is wrong, or there is none.";

/// What a command line that is not well formed ends with, as that of maillonctl does.
const USAGE: u8 = 64;

/// The node that a care territory hosts for itself.
#[derive(Debug, Parser)]
#[command(name = "maillond", version, about, long_about = None, after_help = EXIT_CODES)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a data folder: keys and configuration. Example: maillond init --dir /var/lib/maillon --name "DAC du Ponant" --kind dac --key-file /etc/maillon/key
    Init(Init),
    /// Runs the node in the foreground until it is told to stop. Example: maillond run --dir /var/lib/maillon
    Run(Run),
    /// Makes another recovery key for a node that is stopped, by the one from the safe. Example: maillond recovery-key --dir /var/lib/maillon
    RecoveryKey(RecoveryKey),
    /// Puts a checkpoint back into a new data folder; the node that starts there begins anew. Example: maillond restore --from /mnt/copy/2026-11-26T031500.000Z --dir /var/lib/maillon
    Restore(Restore),
    /// Runs three territories with one shared file of a person who does not exist, to look at. Example: maillond demo
    Demo(demo::Arguments),
    /// Measures what this machine can do at best, for benchmarks: prints one line of JSON.
    #[command(subcommand, hide = true)]
    Floor(floor::Floor),
    /// Prints the commented example of the configuration. Example: maillond config > maillon.toml
    Config,
}

/// What `init` needs.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The data folder; it must be empty or not exist.
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// Name of the structure.
    #[arg(long)]
    pub(crate) name: String,
    /// What it is.
    #[arg(long, value_enum)]
    pub(crate) kind: Kind,
    /// Its FINESS number.
    #[arg(long, default_value = "")]
    pub(crate) finess: String,
    /// Unlock with this file of random bytes, made if it does not exist. Without it, a passphrase is asked for.
    #[arg(long)]
    pub(crate) key_file: Option<PathBuf>,
    /// The name of a node whose machine was stolen or lost: the new one takes its place, by the recovery key, which is read from the terminal, or from
    /// standard input where that is none. Example: maillond init --recover 12D3KooW… --dir /var/lib/maillon --name "DAC du Ponant" --kind dac
    #[arg(long, value_name = "NODE")]
    pub(crate) recover: Option<String>,
    /// Read the recovery key from this file. Remove the file afterwards.
    #[arg(long, requires = "recover", value_name = "FILE")]
    pub(crate) recovery_key: Option<PathBuf>,
    /// Make another recovery key for the new node, because the paper may have been seen.
    #[arg(long, requires = "recover")]
    pub(crate) new_recovery_key: bool,
}

/// What `recovery-key` needs.
#[derive(Debug, Args)]
pub(crate) struct RecoveryKey {
    /// The data folder of the node, which is stopped.
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// Read the key that rules now from this file. Without it, it is asked for on the terminal, or read from standard input where that is none.
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Restore {
    /// The checkpoint: a folder that `maillonctl checkpoint` made.
    #[arg(long)]
    from: PathBuf,
    /// The data folder; it must be empty or not exist.
    #[arg(long)]
    dir: PathBuf,
}

#[derive(Debug, Args)]
struct Run {
    /// The data folder.
    #[arg(long)]
    dir: PathBuf,
}

/// Kinds of structures, as typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// Dispositif d'appui à la coordination.
    Dac,
    /// Communauté professionnelle territoriale de santé.
    Cpts,
    /// Établissement ou service social ou médico-social.
    Esms,
    /// Établissement de santé.
    Hospital,
    /// Groupe « article 51 ».
    Article51,
    /// Anything else.
    Other,
}

impl From<Kind> for StructureKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Dac => Self::Dac,
            Kind::Cpts => Self::Cpts,
            Kind::Esms => Self::Esms,
            Kind::Hospital => Self::Hospital,
            Kind::Article51 => Self::Article51,
            Kind::Other => Self::Other,
        }
    }
}

/// A sentence and an exit code.
pub(crate) struct Failure {
    pub(crate) sentence: String,
    pub(crate) code: u8,
}

impl Failure {
    pub(crate) fn new(code: u8, error: impl std::fmt::Display) -> Self {
        Self {
            sentence: error.to_string(),
            code,
        }
    }
}

impl From<KeystoreError> for Failure {
    fn from(error: KeystoreError) -> Self {
        let code = match &error {
            KeystoreError::WrongSecret
            | KeystoreError::OtherUnlock { .. }
            | KeystoreError::KeyFile { .. } => 77,
            KeystoreError::Missing { .. } | KeystoreError::PassphraseLength { .. } => USAGE,
            KeystoreError::AlreadyExists { .. } => 73,
            // The machine's, not the folder's.
            KeystoreError::OutOfMemory { .. } | KeystoreError::Randomness => 70,
            _ => 74,
        };
        Self::new(code, error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let code = match &error {
            StartError::Config(_) | StartError::Network(NetworkError::KeyLog) => USAGE,
            StartError::Keystore(_) => {
                let StartError::Keystore(error) = error else {
                    return Self::new(70, error);
                };
                return error.into();
            }
            StartError::Store(StoreError::InUse)
            | StartError::Socket(SocketError::InUse(_))
            | StartError::Http(_)
            | StartError::Network(NetworkError::Listen { .. }) => 75,
            StartError::Socket(SocketError::Bind { cause, .. }) => socket(cause),
            StartError::Store(_)
            | StartError::Rows(_)
            | StartError::Restored(_)
            | StartError::Origin(_)
            | StartError::Folder(_)
            | StartError::Uploads(_)
            | StartError::Audit(_)
            | StartError::Peering(
                PeeringError::Commit(_)
                | PeeringError::Store(_)
                | PeeringError::Storage(_)
                | PeeringError::Damaged(_),
            ) => 74,
            _ => 70,
        };
        Self::new(code, error)
    }
}

/// Why there is no socket: its path serves for none, somebody has it, or its folder cannot be written.
fn socket(cause: &io::Error) -> u8 {
    match cause.kind() {
        io::ErrorKind::InvalidInput => USAGE,
        io::ErrorKind::AddrInUse => 75,
        _ => 74,
    }
}

#[allow(
    clippy::print_stderr,
    reason = "a program says on standard error why it ends"
)]
pub(crate) fn run() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(said) => {
            // Nothing is left to tell a closed terminal.
            let _ = said.print();
            return ExitCode::from(if said.use_stderr() { USAGE } else { 0 });
        }
    };
    let result = match command.action {
        Action::Init(init) => init::init(&init),
        Action::RecoveryKey(asked) => recovery::change(&asked),
        Action::Run(run) => serve(&run),
        Action::Restore(restore) => put_back(&restore),
        Action::Demo(arguments) => demo::demo(&arguments),
        Action::Floor(floor) => floor::floor(&floor),
        Action::Config => print(&config::example()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where nobody can be told, the code still says it.
            let _ = writeln!(io::stderr(), "maillond: {}", failure.sentence);
            ExitCode::from(failure.code)
        }
    }
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        let code = match &error {
            CheckpointError::NotOne { .. } => USAGE,
            CheckpointError::NotEmpty(_) => 73,
            CheckpointError::Folder { .. } | CheckpointError::Store(_) => 74,
        };
        Self::new(code, error)
    }
}

fn put_back(restore: &Restore) -> Result<(), Failure> {
    let bytes = checkpoint::restore(&restore.from, &restore.dir)?;
    let dir = shell::word(&restore.dir);
    print(&format!(
        "Put back: {} MB. Never start the machine that this is a copy of again: two nodes of one name split its records.\n\
         What it had written since then comes back from its peers. Start it with:\n\n  maillond run --dir {dir}\n",
        bytes.div_ceil(1 << 20)
    ))
}

/// Writes an answer to standard output. A reader that has gone (`maillond config | head`) has read what it wanted.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            74,
            format!("the output cannot be written: {error}; see to the disk, then do it again"),
        )),
        _ => Ok(()),
    }
}

fn serve(run: &Run) -> Result<(), Failure> {
    let config = Config::load(&run.dir).map_err(|error| Failure::new(USAGE, error))?;
    log_to_standard_error(&config.log.filter, &config.log.format)
        .map_err(|wrong| Failure::new(USAGE, wrong.in_file(&run.dir.join(FILE_NAME))))?;
    clock::set_offset(config.test.clock_offset_s);
    for live in config.test.live() {
        tracing::warn!(
            "THIS NODE IS UNDER TEST: [test] {live}; take the section out of maillon.toml for care"
        );
    }
    let unlock = unlock::unlock(&run.dir, &config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(70, error))?;
    runtime.block_on(async {
        let mut told = Told::listen()?;
        let node = Node::start(&run.dir, config, &unlock).await?;
        drop(unlock);
        say_where(&node.socket_path());
        told.wait().await;
        node.stop().await;
        Ok(())
    })
}

/// Says how `maillonctl` finds this node, to whoever reads standard output.
fn say_where(socket: &Path) {
    let text = format!(
        "The node runs. To administer it, in another terminal:\n\n    {}\n    maillonctl status\n\n",
        shell::export(socket)
    );
    // A node that nobody listens to runs all the same.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The two signals that tell a program to stop. They are heard from the moment when this is made: one that comes while a node still starts
/// is obeyed once it has started, and never kills it half-way.
struct Told {
    terminate: Signal,
    interrupt: Signal,
}

impl Told {
    /// Must be called within the runtime, before anything is started.
    fn listen() -> Result<Self, Failure> {
        let of = |kind| signal(kind).map_err(|error| Failure::new(70, error));
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
        })
    }

    /// Waits until the program is told to stop.
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A line that cannot be written, on a full disk or to a reader that has gone, is lost, and nothing else is: without the last setting the library
/// would complain about it on standard error too, and end the thread that wanted to say it.
fn log_to_standard_error(filter: &str, format: &str) -> Result<(), OutOfRange> {
    use tracing_subscriber::{EnvFilter, fmt};
    let filter = EnvFilter::try_new(filter).map_err(|error| OutOfRange {
        field: "log.filter",
        cause: format!("cannot be read ({error}); write such as \"info,maillon_node=debug\""),
    })?;
    let lines = fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    if format == "json" {
        lines.json().init();
    } else {
        lines.init();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// The exit code that somebody's mistake ends with.
    fn code(failure: impl Into<Failure>) -> u8 {
        failure.into().code
    }

    #[test]
    fn every_exit_code_is_in_the_help() {
        let path = || PathBuf::from("run/admin.sock");
        let bind = |kind: io::ErrorKind| {
            StartError::Socket(SocketError::Bind {
                path: path(),
                cause: kind.into(),
            })
        };
        let short = KeystoreError::PassphraseLength {
            found: 11,
            least: 12,
            most: 1024,
        };
        for (found, wanted) in [
            (code(short), 64),
            (code(KeystoreError::Missing { path: path() }), 64),
            (code(KeystoreError::Lost { path: path() }), 74),
            (code(KeystoreError::AlreadyExists { path: path() }), 73),
            (code(KeystoreError::Damaged { path: path() }), 74),
            (code(KeystoreError::OutOfMemory { memory_kib: 65_536 }), 70),
            (code(KeystoreError::WrongSecret), 77),
            (code(StartError::Socket(SocketError::InUse(path()))), 75),
            (code(bind(io::ErrorKind::AddrInUse)), 75),
            (code(bind(io::ErrorKind::InvalidInput)), 64),
            (code(bind(io::ErrorKind::PermissionDenied)), 74),
            (code(StartError::Store(StoreError::InUse)), 75),
            (code(StartError::Store(StoreError::DiskFull)), 74),
        ] {
            assert_eq!(found, wanted);
            assert!(EXIT_CODES.contains(&format!("\n  {wanted}  ")), "{wanted}");
        }
    }
}
