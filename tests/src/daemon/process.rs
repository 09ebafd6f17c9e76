//! One daemon: made, started, stopped, killed, and made to wait.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use maillon_protocol::ids::NodeId;
use rand::RngExt;
use rustix::process::{Pid, Signal, kill_process};

use super::{Caller, Client, Settings, Trouble, Watch, programs, wait};

/// Fixed ports: below the system's own range for outgoing connections, above what needs privileges.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// From a closed socket to the end of its process.
const ENDING: Duration = Duration::from_secs(10);

/// How a daemon ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Exit status.
    pub status: ExitStatus,
    /// What it wrote, standard output and error output together.
    pub words: String,
}

/// One node, in its folder; running, or not.
#[derive(Debug)]
pub struct Daemon {
    /// What it was told; changes count from the next start.
    pub settings: Settings,
    /// What `maillond init` said: the recovery key is in it.
    pub made: String,
    root: PathBuf,
    port: u16,
    child: Option<Child>,
    node: Option<NodeId>,
}

impl Daemon {
    /// Makes a new node below `root` with `maillond init`, which writes the data folder; the configuration is then ours.
    ///
    /// # Errors
    /// [`Trouble::Exited`] where `maillond init` fails, and the system's own.
    pub fn init(root: &Path, settings: Settings) -> Result<Self, Trouble> {
        let mut daemon = Self {
            settings,
            made: String::new(),
            root: root.to_owned(),
            port: free_port()?,
            child: None,
            node: None,
        };
        for folder in ["keys", "logs", "taps"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).map_err(Trouble::io(folder.display().to_string()))?;
        }
        match &daemon.settings.passphrase {
            None => write_secret(&daemon.key_file(), &rand::rng().random::<[u8; 32]>())?,
            Some(passphrase) => {
                write_secret(&daemon.passphrase_file(), passphrase.as_bytes())?;
            }
        }
        let ended = daemon.run_init()?;
        if !ended.status.success() {
            return Err(Trouble::Exited {
                name: format!("maillond init ({})", daemon.settings.name),
                status: ended.status,
                words: ended.words,
            });
        }
        daemon.made = ended.words;
        daemon.configure()?;
        Ok(daemon)
    }

    /// Runs `maillond init` on this folder and says how it ended.
    ///
    /// # Errors
    /// The system's.
    pub fn run_init(&self) -> Result<Ended, Trouble> {
        let mut command = self.command("init")?;
        command
            .args(["--name", &self.settings.structure])
            .args(["--kind", self.settings.kind_word()]);
        if self.settings.passphrase.is_none() {
            command.arg("--key-file").arg(self.key_file());
        }
        command.args(&self.settings.init_arguments);
        run_to_its_end(command, wait::LONG)
    }

    /// Writes the configuration for the settings as they are now.
    ///
    /// # Errors
    /// The system's.
    pub fn configure(&self) -> Result<(), Trouble> {
        let text = self
            .settings
            .toml(self.port, &self.key_file(), &self.socket(), &self.tap());
        let path = self.configuration();
        // Writing again what stands there would need room on a disk that may be full.
        if fs::read(&path).is_ok_and(|held| held == text.as_bytes()) {
            return Ok(());
        }
        fs::write(&path, text).map_err(Trouble::io(path.display().to_string()))
    }

    /// Another port for this node, such as that of its relay: free now, and outside of what the system gives to outgoing connections.
    ///
    /// # Errors
    /// Where none is free.
    pub fn another_port() -> Result<u16, Trouble> {
        free_port()
    }

    /// Makes and starts a new node.
    ///
    /// # Errors
    /// As [`Daemon::init`] and [`Daemon::start`].
    pub fn new(root: &Path, settings: Settings) -> Result<Self, Trouble> {
        let mut daemon = Self::init(root, settings)?;
        daemon.start()?;
        Ok(daemon)
    }

    /// Starts `maillond run`, waits until it answers `status`, and returns the time from exec to that answer.
    ///
    /// # Errors
    /// [`Trouble::Exited`] where it ends instead, with its last words; [`Trouble::TooLate`].
    pub fn start(&mut self) -> Result<Duration, Trouble> {
        let begun = Instant::now();
        self.launch()?;
        let what = format!("{} answers status", self.settings.name);
        let status = wait::until(&what, wait::LONG, || {
            self.ended_early()?;
            // Not there yet, or the socket of the life before.
            Ok(self.client().and_then(|mut client| client.status()).ok())
        })?;
        self.node = Some(status.node);
        Ok(begun.elapsed())
    }

    /// Begins `maillond run` and does not wait for it: for a test that kills it while it wakes up.
    ///
    /// # Errors
    /// The system's.
    pub fn launch(&mut self) -> Result<(), Trouble> {
        self.configure()?;
        let log = self.open_log()?;
        let errors = log.try_clone().map_err(Trouble::io("the log"))?;
        let mut command = self.command("run")?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = command.spawn().map_err(Trouble::io("maillond run"))?;
        self.child = Some(child);
        Ok(())
    }

    /// Runs `maillond run` where it should refuse, and says how it ended.
    ///
    /// # Errors
    /// [`Trouble::TooLate`] where it goes on; it is killed then.
    pub fn refused(&self) -> Result<Ended, Trouble> {
        run_to_its_end(self.command("run")?, wait::LONG)
    }

    /// Asks it to stop (SIGTERM), waits, and checks that it ended with exit code 0.
    ///
    /// # Errors
    /// [`Trouble::Exited`] with another exit code, [`Trouble::TooLate`].
    pub fn stop(&mut self) -> Result<(), Trouble> {
        self.signal(Signal::TERM)?;
        let status = self.wait_for_end()?;
        if status.success() {
            return Ok(());
        }
        Err(self.exited(status))
    }

    /// Kills it (SIGKILL): no last words, no last write.
    ///
    /// # Errors
    /// The system's.
    pub fn kill(&mut self) -> Result<(), Trouble> {
        self.signal(Signal::KILL)?;
        self.wait_for_end().map(drop)
    }

    /// Stops the process in place (SIGSTOP): it keeps its connections and does nothing.
    ///
    /// # Errors
    /// The system's.
    pub fn freeze(&self) -> Result<(), Trouble> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen process go on.
    ///
    /// # Errors
    /// The system's.
    pub fn thaw(&self) -> Result<(), Trouble> {
        self.signal(Signal::CONT)
    }

    /// A new connection to its socket.
    ///
    /// # Errors
    /// [`Trouble::Io`] where nobody listens.
    pub fn client(&self) -> Result<Client, Trouble> {
        self.caller().connect()
    }

    /// How to connect, for other threads.
    pub fn caller(&self) -> Caller {
        Caller::new(&self.socket())
    }

    /// Begins to watch; returns once the daemon says that the watch has begun.
    ///
    /// # Errors
    /// [`Trouble::TooLate`], and those of a connection.
    pub fn watch(&self) -> Result<Watch, Trouble> {
        Watch::begin(self.client()?)
    }

    /// Runs `maillonctl` at its socket, in the name of a professional, and says how it ended.
    ///
    /// # Errors
    /// [`Trouble::TooLate`] where it goes on; it is killed then.
    pub fn ctl(&self, actor: &str, words: &[&OsStr]) -> Result<Ended, Trouble> {
        let mut command = Command::new(programs::find("maillonctl")?);
        command.arg("--socket").arg(self.socket());
        command.args(["--as", actor]).args(words);
        run_to_its_end(command, wait::LONG)
    }

    /// Its name in the network; known from the first start on.
    ///
    /// # Errors
    /// [`Trouble::Wrong`] before it.
    pub fn node(&self) -> Result<NodeId, Trouble> {
        self.node
            .ok_or_else(|| Trouble::wrong(format!("{} was never started", self.settings.name)))
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Its port, UDP and TCP.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens for nodes on loopback, UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Where its pages are, such as `http://127.0.0.1:40123`.
    ///
    /// # Errors
    /// [`Trouble::TooLate`] where it serves none.
    pub fn pages(&self) -> Result<String, Trouble> {
        let path = self.folder().join("run").join("web");
        // The socket answers before the pages do.
        wait::until("the pages", wait::LONG, || {
            match fs::read_to_string(&path) {
                Ok(address) => Ok((!address.is_empty()).then_some(address)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Trouble::io(path.display().to_string())(error)),
            }
        })
    }

    /// Its data folder.
    pub fn folder(&self) -> PathBuf {
        self.root.join(&self.settings.name)
    }

    /// Its configuration.
    pub fn configuration(&self) -> PathBuf {
        self.folder().join("maillon.toml")
    }

    /// Its admin socket.
    pub fn socket(&self) -> PathBuf {
        self.folder().join("run").join("admin.sock")
    }

    /// Its key file.
    pub fn key_file(&self) -> PathBuf {
        self.root
            .join("keys")
            .join(format!("{}.key", self.settings.name))
    }

    /// The file with its passphrase, where [`Settings::passphrase`] says so.
    pub fn passphrase_file(&self) -> PathBuf {
        self.root
            .join("keys")
            .join(format!("{}.passphrase", self.settings.name))
    }

    /// What all its lives wrote.
    pub fn log(&self) -> PathBuf {
        self.root
            .join("logs")
            .join(format!("{}.log", self.settings.name))
    }

    /// The bytes handed to libp2p streams.
    pub fn tap(&self) -> PathBuf {
        self.root
            .join("taps")
            .join(format!("{}.tap", self.settings.name))
    }

    fn command(&self, verb: &str) -> Result<Command, Trouble> {
        let program = programs::find("maillond")?;
        let mut command = match self.settings.under.split_first() {
            Some((tool, arguments)) if verb == "run" => {
                let mut command = Command::new(tool);
                command.args(arguments).arg(program);
                command
            }
            _ => Command::new(program),
        };
        command
            .arg(verb)
            .arg("--dir")
            .arg(self.folder())
            .current_dir(&self.root)
            // The daemon refuses to run with it; a developer's shell may have it.
            .env_remove("SSLKEYLOGFILE")
            .env_remove("MAILLON_PASSPHRASE_FILE");
        if self.settings.passphrase.is_some() {
            command.env("MAILLON_PASSPHRASE_FILE", self.passphrase_file());
        }
        command.envs(self.settings.environment.iter().cloned());
        Ok(command)
    }

    fn open_log(&self) -> Result<File, Trouble> {
        let path = self.log();
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(Trouble::io(path.display().to_string()))
    }

    fn signal(&self, signal: Signal) -> Result<(), Trouble> {
        let pid = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let pid =
            pid.ok_or_else(|| Trouble::wrong(format!("{} does not run", self.settings.name)))?;
        kill_process(pid, signal).map_err(|error| Trouble::Io {
            what: format!("a signal to {}", self.settings.name),
            source: error.into(),
        })
    }

    fn wait_for_end(&mut self) -> Result<ExitStatus, Trouble> {
        let what = format!("{} ends", self.settings.name);
        let child = self.child.as_mut();
        let child = child.ok_or_else(|| Trouble::wrong("nothing runs"))?;
        let status = wait::until(&what, wait::LONG, || {
            child.try_wait().map_err(Trouble::io("waiting"))
        })?;
        self.child = None;
        Ok(status)
    }

    fn ended_early(&mut self) -> Result<(), Trouble> {
        let ended = self.child.as_mut().map(Child::try_wait).transpose();
        match ended.map_err(Trouble::io("waiting"))?.flatten() {
            None => Ok(()),
            Some(status) => {
                self.child = None;
                Err(self.exited(status))
            }
        }
    }

    /// The last look at a daemon that a test leaves running; one that was frozen goes on for it.
    fn at_the_end(&mut self) -> Result<(), Trouble> {
        self.ended_early()?;
        self.thaw()?;
        let unanswered = match self.invariants() {
            Err(trouble @ (Trouble::Io { .. } | Trouble::Closed)) => trouble,
            checked => return checked.map(drop),
        };
        // It is ending: how says more than that nobody answers.
        let ended = wait::until("its end", ENDING, || Ok(self.ended_early().err()));
        Err(ended.unwrap_or(unanswered))
    }

    fn exited(&self, status: ExitStatus) -> Trouble {
        let words = fs::read(self.log()).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        let lines: Vec<&str> = words.lines().collect();
        Trouble::Exited {
            name: self.settings.name.clone(),
            status,
            words: lines[lines.len().saturating_sub(10)..].join("\n"),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let found = if self.child.is_some() && !thread::panicking() {
            self.at_the_end()
        } else {
            Ok(())
        };
        if let Some(mut child) = self.child.take() {
            // Both fail only where it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Err(trouble) = found {
            panic!("the test is over, and {trouble}");
        }
    }
}

/// Runs `maillond` with these words, which should end by itself, and returns how it ended.
///
/// # Errors
/// [`Trouble::TooLate`] where it goes on; it is killed then.
pub fn maillond(words: &[&OsStr], bound: Duration) -> Result<Ended, Trouble> {
    let mut command = Command::new(programs::find("maillond")?);
    command.args(words);
    run_to_its_end(command, bound)
}

/// Runs a program that should end by itself. What it writes goes through a file, so that it never waits for a reader.
fn run_to_its_end(mut command: Command, bound: Duration) -> Result<Ended, Trouble> {
    let mut words = tempfile::NamedTempFile::new().map_err(Trouble::io("a temporary file"))?;
    let copy = |file: &File| file.try_clone().map_err(Trouble::io("a temporary file"));
    command
        .stdin(Stdio::null())
        .stdout(copy(words.as_file())?)
        .stderr(copy(words.as_file())?);
    let mut child = command.spawn().map_err(Trouble::io("maillond"))?;
    let status = wait::until("the end of maillond", bound, || {
        child.try_wait().map_err(Trouble::io("waiting"))
    });
    if status.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let status = status?;
    let _ = words.flush();
    let bytes = fs::read(words.path()).map_err(Trouble::io("a temporary file"))?;
    Ok(Ended {
        status,
        words: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// A file that only we may read, as `maillond` asks for.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(Trouble::io(path.display().to_string()))
}

/// A port that nobody has now, for both transports.
fn free_port() -> Result<u16, Trouble> {
    let mut rng = rand::rng();
    let mut tries = (0..200).map(|_| rng.random_range(PORTS));
    let free = tries.find(|port| {
        let address = (Ipv4Addr::LOCALHOST, *port);
        TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
    });
    free.ok_or_else(|| Trouble::wrong("no free port on loopback"))
}
