//! Folders, files and ports that somebody else has, and folders of another version.

use std::{
    fs,
    net::{TcpListener, UdpSocket},
    os::unix::fs::PermissionsExt,
};

use maillon_tests::daemon::{Daemon, Settings, Trouble};

use super::{
    FOLDER, IN_USE, NOT_MADE, everything, is_refused, read, says, still_works, stopped, works,
    write,
};
use crate::{Story, ensure, folder};

#[test]
fn a_folder_in_use_is_refused_and_its_daemon_goes_on() -> Story {
    let root = folder()?;
    let mut daemon = Daemon::new(root.path(), Settings::dac())?;
    works(&daemon)?;
    says(&daemon.refused()?, IN_USE, &["in use", "stop it first"])?;
    // The socket and the folder are still those of the first.
    let records = daemon.client()?.status()?.records;
    ensure(records > 0, || String::from("its records are gone"))?;
    daemon.stop()
}

#[test]
fn a_folder_of_a_newer_version_is_refused() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), Settings::dac())?;
    let format = daemon.folder().join("FORMAT");
    let text = String::from_utf8_lossy(&read(&format)?).into_owned();
    write(&format, text.replacen("database 2", "database 999", 1))?;
    is_refused(&daemon, FOLDER, &["999", "up to 2", "install"])?;
    for unreadable in ["", "maillon database one\n", "\u{0}\u{1}"] {
        write(&format, unreadable)?;
        is_refused(&daemon, FOLDER, &["FORMAT", "damaged", "backup"])?;
    }
    write(&format, text)?;
    still_works(daemon)
}

#[test]
fn ports_that_somebody_has_are_named() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), Settings::dac())?;
    let port = daemon.address();
    let number = port.port().to_string();
    let words = [number.as_str(), "in use", "[network]"];
    {
        let _taken = UdpSocket::bind(port).map_err(Trouble::io("a port"))?;
        says(&daemon.refused()?, IN_USE, &words)?;
    }
    {
        let _taken = TcpListener::bind(port).map_err(Trouble::io("a port"))?;
        says(&daemon.refused()?, IN_USE, &words)?;
    }
    still_works(daemon)
}

#[test]
fn a_file_where_the_socket_should_be_is_left_alone() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), Settings::dac())?;
    let place = daemon.socket();
    write(&place, "somebody's words")?;
    let ended = daemon.refused()?;
    says(&ended, FOLDER, &["socket", "something else has this name"])?;
    ensure(read(&place)? == b"somebody's words", || {
        String::from("the file was changed")
    })?;
    fs::remove_file(&place).map_err(Trouble::io("the file"))?;
    still_works(daemon)
}

#[test]
fn a_node_is_never_made_over_another_one() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), Settings::dac())?;
    let before = everything(&daemon.folder())?;
    says(&daemon.run_init()?, NOT_MADE, &["not empty"])?;
    ensure(everything(&daemon.folder())? == before, || {
        String::from("something in the data folder was changed")
    })?;
    // A key that was made for it and opens nothing is taken away; one that was there stays.
    let key = read(&daemon.key_file())?;
    fs::remove_file(daemon.key_file()).map_err(Trouble::io("the key file"))?;
    says(&daemon.run_init()?, NOT_MADE, &["not empty"])?;
    ensure(!daemon.key_file().exists(), || {
        String::from("a key file was left behind")
    })?;
    write(&daemon.key_file(), key)?;
    fs::set_permissions(daemon.key_file(), fs::Permissions::from_mode(0o600))
        .map_err(Trouble::io("a mode"))?;
    says(&daemon.run_init()?, NOT_MADE, &["not empty"])?;
    still_works(daemon)
}

#[test]
fn a_folder_without_a_node_is_refused_and_stays_empty() -> Story {
    let root = folder()?;
    let daemon = Daemon::init(root.path(), Settings::dac())?;
    fs::remove_dir_all(daemon.folder()).map_err(Trouble::io("the folder"))?;
    says(
        &daemon.refused()?,
        super::USAGE,
        &["no configuration", "maillond init"],
    )?;
    ensure(!daemon.folder().exists(), || {
        String::from("it made the folder")
    })
}
