//! A small disk of the test's own: the test runs again below a mount namespace of its own, with a small file system in memory.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    daemon::{Trouble, programs},
    skip::{Means, skip},
};

/// Says to the second run where its disk is.
const DISK: &str = "MAILLON_TEST_DISK";

/// The folder of a disk of so many MiB, in the run that has it. In the first run of the test: nothing, once the second one has ended well or the
/// skip has been said. `test` is the test's full name.
///
/// # Errors
/// Where the second run failed; its words are in the error.
pub fn small_disk(test: &str, mib: u32) -> Result<Option<PathBuf>, Trouble> {
    if let Some(disk) = env::var_os(DISK) {
        return Ok(Some(PathBuf::from(disk)));
    }
    let tools = ["unshare", "mount"].map(programs::installed);
    let [Some(unshare), Some(mount)] = tools else {
        skip(
            "there is no unshare or no mount (util-linux)",
            Means::Expected,
        );
        return Ok(None);
    };
    let own = |command: &mut Command| {
        command
            .args(["--mount", "--propagation", "private"])
            .stdin(Stdio::null());
    };
    let mut allowed = Command::new(&unshare);
    own(&mut allowed);
    let allowed = allowed.arg("true").output();
    if !allowed.is_ok_and(|ended| ended.status.success()) {
        skip(
            "a small disk needs root, or the right to mount",
            Means::Absent,
        );
        return Ok(None);
    }
    let root = tempfile::tempdir().map_err(Trouble::io("a temporary folder"))?;
    let disk = root.path();
    let exe = env::current_exe().map_err(Trouble::io("this program's own path"))?;
    let script = format!(
        "{mount} -t tmpfs -o size={mib}m,mode=700 maillon-test \"$1\" && shift && exec \"$@\"",
        mount = mount.display()
    );
    let mut again = Command::new(unshare);
    own(&mut again);
    again
        .args(["sh", "-c", &script, "sh"])
        .args([disk, &exe])
        .args(["--exact", test, "--nocapture"])
        .env(DISK, disk);
    let ended = again.output().map_err(Trouble::io("unshare"))?;
    let words = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    // A name that no test has would run nothing, and end well.
    if ended.status.success() && words.contains("1 passed") {
        return Ok(None);
    }
    Err(Trouble::wrong(format!("on the small disk: {words}")))
}
