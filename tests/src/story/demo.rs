//! The demonstration, as whoever has typed the one command sees it: its guide names pages and accounts, and these are good.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Stopped, Teller};
use crate::{
    daemon::{Trouble, programs, wait},
    visitor::Visitor,
};

/// Who signs in: somebody of each territory, by the names that the guide prints.
const THREE: [&str; 3] = ["maelle", "yann", "soizic"];

/// A demonstration that runs; it ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

pub(super) fn tell(teller: &mut Teller, root: &Path) -> Result<(), Stopped> {
    let folder = root.join("demo");
    let sentence =
        "the demonstration starts and names the pages of three territories, with example accounts";
    let (_running, guide) = teller.tell_with(sentence, || {
        let mut child = Command::new(programs::find("maillond")?)
            .arg("demo")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Trouble::io("maillond demo"))?;
        let out = child.stdout.take();
        let running = Running(child);
        let guide = guide(out)?;
        let detail = format!("{} lines", guide.len());
        Ok(((running, guide), detail))
    })?;
    let sentence = "an example account of each signs in on its page and sees its patients";
    teller.tell_with(sentence, || {
        let pages = guide.iter().filter_map(|line| {
            let address = line.split_whitespace().next()?;
            address.starts_with("http://127.0.0.1:").then_some(address)
        });
        let mark = guide.iter().position(|line| line.contains("password is"));
        let password = mark
            .and_then(|at| guide.get(at + 2))
            .map(|line| line.trim());
        let password = password.ok_or_else(|| Trouble::wrong("the guide names no password"))?;
        let mut seen = Vec::new();
        for (origin, login) in pages.zip(THREE) {
            seen.push(patients(origin, login, password)?.to_string());
        }
        if seen.len() != THREE.len() {
            return Err(Trouble::wrong(format!(
                "the guide names {} pages",
                seen.len()
            )));
        }
        Ok(((), format!("{} patients", seen.join(", "))))
    })
}

/// The lines that the demonstration prints until it is ready.
fn guide(out: Option<ChildStdout>) -> Result<Vec<String>, Trouble> {
    let out = out.ok_or_else(|| Trouble::wrong("the demonstration has no output"))?;
    let (tell, told) = mpsc::channel();
    // It reads to the end, so that nobody is held up; the bound is the other side's.
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    let mut lines = Vec::new();
    wait::until("the demonstration's guide", wait::LONG, || {
        lines.extend(told.try_iter());
        Ok(lines
            .iter()
            .any(|line: &String| line.starts_with("Ctrl-C"))
            .then_some(()))
    })?;
    Ok(lines)
}

/// Signs in and counts the files on the list of one's own patients.
fn patients(origin: &str, login: &str, password: &str) -> Result<usize, Trouble> {
    let mut visitor = Visitor::new(origin);
    let door = visitor.get("/")?;
    if door.leads_to() != "/connexion" || visitor.get("/connexion")?.status != 200 {
        return Err(Trouble::wrong(format!("{origin} opens on no sign-in page")));
    }
    let in_it = visitor.post("/connexion", &[("login", login), ("password", password)])?;
    if in_it.leads_to() != "/" {
        return Err(Trouble::wrong(format!(
            "{login} does not sign in at {origin}: {}",
            in_it.status
        )));
    }
    let list = visitor.get("/patients")?.text;
    let files = list.matches("m-row--patient").count();
    if files < 5 {
        return Err(Trouble::wrong(format!("{login} sees {files} patients")));
    }
    Ok(files)
}
