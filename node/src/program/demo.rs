//! `maillond demo`: runs the demonstration in the foreground and says how to look around.

use std::{env, fmt::Write as _, io::Write, path::PathBuf, time::Instant};

use clap::Args;
use maillon_node::{
    clock::now_ms,
    demo::{Demo, DemoError, Place},
    random,
};

use super::{Failure, Told, USAGE, shell};

/// What three nodes log beside the guide. yamux warns when the pairing's listener closes on a connection that is done.
const LOG: &str = "warn,yamux=error";

/// What `demo` may be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where to keep it, so that the next start finds it again. Without it: a new temporary folder, removed at the end.
    dir: Option<PathBuf>,
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        let code = match error {
            DemoError::NotADemo(_)
            | DemoError::Unfinished(_)
            | DemoError::OtherVersion(_)
            | DemoError::Folder { .. } => 73,
            DemoError::Start { cause, .. } => return cause.into(),
            DemoError::Keystore(cause) => return cause.into(),
            DemoError::Founding(cause) => return cause.into(),
            DemoError::Config(_) => USAGE,
            _ => 70,
        };
        Self::new(code, error)
    }
}

/// A folder for this run only; removed when it goes out of scope.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        let name = data_encoding::HEXLOWER.encode(&random::token()[..6]);
        Self(env::temp_dir().join(format!("maillon-demo-{name}")))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is in the system's own folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Starts the demonstration, says how to look around, and stops when it is told to.
pub(super) fn demo(arguments: &Arguments) -> Result<(), Failure> {
    super::log_to_standard_error(LOG, "text").map_err(|wrong| Failure::new(USAGE, wrong))?;
    let temporary = arguments.dir.is_none().then(Temporary::new);
    let dir = match (&arguments.dir, &temporary) {
        (Some(dir), _) => dir,
        (None, Some(temporary)) => &temporary.0,
        (None, None) => return Err(Failure::new(70, "there is no folder")),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(70, error))?;
    runtime.block_on(async {
        let mut told = Told::listen()?;
        let begun = Instant::now();
        say("Starting three territories: keys, pairing, four weeks of care around some forty persons. This takes some seconds.\n")?;
        let demo = tokio::select! {
            demo = Demo::start(dir, now_ms()) => demo?,
            () = told.wait() => return Err(Failure::new(70, "stopped before the demonstration was ready")),
        };
        let guided = guide(&demo, begun, temporary.is_some()).and_then(|text| say(&text));
        if guided.is_ok() {
            told.wait().await;
        }
        demo.stop().await;
        guided
    })
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(74, error))
}

/// Where to look, with whose account, and what to paste.
fn guide(demo: &Demo, begun: Instant, temporary: bool) -> Result<String, Failure> {
    let program = shell::word(&shell::maillonctl());
    let command = |place| -> Result<(String, String), DemoError> {
        let lead = demo.lead(place)?;
        let socket = shell::word(&lead.socket);
        let professional = short(&lead.professional.to_string());
        Ok((format!("{program} --socket {socket}"), professional))
    };
    let mut pages = String::new();
    for place in Place::ALL {
        let _ = writeln!(pages, "    {}  {}", demo.pages(place)?, place.name());
        for example in Demo::examples(place) {
            let (login, name) = (example.login, example.name);
            let _ = writeln!(pages, "        {login:<16}{name}, {}", example.trade);
        }
    }
    let circle = short(&demo.circle()?.to_string());
    let (dac, coordinator) = command(Place::Dac)?;
    let (cpts, doctor) = command(Place::Cpts)?;
    let alert = match demo.open_alert()? {
        Some(alert) => format!(
            "An alert of the file that all three share waits for an answer, on the pages or here:\n\n    \
                 {dac} --as {coordinator} alert answer {} acknowledge\n",
            short(&alert.to_string())
        ),
        None => "Every alert of the file that all three share has been answered.\n".to_owned(),
    };
    let kept = if temporary {
        "its folder is removed then"
    } else {
        "`maillond demo` with the same folder goes on from here"
    };
    Ok(format!(
        "Ready after {seconds:.1} s in {folder}.\n\n\
         Open these in a browser, two of them side by side. Example accounts: nobody in it exists, and everybody's password is\n\n    \
             {password}\n\n\
         {pages}\n\
         For the command line, in another terminal:\n\n    \
             {dac} status\n    \
             {cpts} --as {doctor} circle show {circle}\n\n\
         {alert}\n\
         Ctrl-C stops the demonstration; {kept}.\n",
        seconds = begun.elapsed().as_secs_f64(),
        folder = demo.folder().display(),
        password = Demo::PASSWORD,
    ))
}

/// Enough of an id for the daemon to know it.
fn short(id: &str) -> String {
    id.chars().take(12).collect()
}
