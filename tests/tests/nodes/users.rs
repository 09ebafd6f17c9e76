//! Another user of the machine at the admin socket.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use maillon_tests::{
    daemon::{Daemon, Settings, Trouble, programs, wait},
    skip::{Means, skip},
};

use crate::{Story, ensure, folder};

/// nobody, on Debian.
const NOBODY: &str = "65534";

/// The tool that runs a program as another user, where this user may; else the skip has been said.
fn setpriv() -> Result<Option<Command>, Trouble> {
    let Some(tool) = programs::installed("setpriv") else {
        skip("there is no setpriv (util-linux)", Means::Expected);
        return Ok(None);
    };
    let command = || {
        let mut command = Command::new(&tool);
        let user = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
        command
            .args(user)
            .arg("--clear-groups")
            .stdin(Stdio::null());
        command
    };
    let allowed = command().arg("true").output();
    if !allowed.is_ok_and(|ended| ended.status.success()) {
        skip("only root can become another user", Means::Absent);
        return Ok(None);
    }
    Ok(Some(command()))
}

/// `maillonctl status` at a socket, as another user. The program is copied to where that user may run it.
fn status(mut as_other: Command, root: &Path, socket: &Path) -> Result<Output, Trouble> {
    let program = root.join("maillonctl");
    fs::copy(programs::find("maillonctl")?, &program).map_err(Trouble::io("maillonctl"))?;
    open(&program, 0o755)?;
    as_other
        .arg(program)
        .arg("--socket")
        .arg(socket)
        .arg("status")
        .output()
        .map_err(Trouble::io("maillonctl"))
}

fn open(path: &Path, mode: u32) -> Story {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Trouble::io("a mode"))
}

fn is_refused(ended: &Output) -> Story {
    let words = String::from_utf8_lossy(&ended.stderr).into_owned();
    let learnt = String::from_utf8_lossy(&ended.stdout).into_owned();
    ensure(
        ended.status.code() == Some(3) && learnt.is_empty() && !words.is_empty(),
        || format!("{}: {learnt}{words}", ended.status),
    )
}

#[test]
fn another_user_cannot_open_the_socket() -> Story {
    let Some(as_other) = setpriv()? else {
        return Ok(());
    };
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    open(root.path(), 0o755)?;
    is_refused(&status(as_other, root.path(), &daemon.socket())?)?;
    daemon.client()?.status().map(drop)
}

#[test]
fn another_user_is_refused_where_folders_and_socket_were_opened_to_everybody() -> Story {
    let Some(as_other) = setpriv()? else {
        return Ok(());
    };
    let root = folder()?;
    let settings = Settings {
        broken: vec!["folder.closed"],
        ..Settings::dac()
    };
    let daemon = Daemon::new(root.path(), settings)?;
    let socket = daemon.socket();
    for path in [root.path(), &daemon.folder(), &daemon.folder().join("run")] {
        open(path, 0o755)?;
    }
    open(&socket, 0o777)?;
    let ended = status(as_other, root.path(), &socket)?;
    ensure(!ended.status.success() && ended.stdout.is_empty(), || {
        format!(
            "{}: {}",
            ended.status,
            String::from_utf8_lossy(&ended.stdout)
        )
    })?;
    let words = String::from_utf8_lossy(&ended.stderr);
    ensure(
        words.contains("without a greeting") && words.contains("sudo -u"),
        || words.clone().into_owned(),
    )?;
    wait::until("the refusal in the log", wait::LONG, || {
        let log = fs::read_to_string(daemon.log()).map_err(Trouble::io("the log"))?;
        Ok(log
            .contains("a connection of another user to the admin socket was refused")
            .then_some(()))
    })?;
    daemon.client()?.status().map(drop)
}
