//! Where a daemon's admin socket is, for somebody who has not been told.

use std::path::{Path, PathBuf};

use super::{Client, ClientError};

/// Where daemons usually have their socket: the system's folder for such things, and the data folder that the guide names.
pub const PLACES: [&str; 2] = ["/run/maillon/admin.sock", "/var/lib/maillon/run/admin.sock"];

/// Where the socket is in a data folder, unless its configuration says otherwise.
const IN_A_DATA_FOLDER: &str = "run/admin.sock";

/// The socket that `named` means: itself, or the usual one in it where it is a data folder.
pub(super) fn meant(named: &Path) -> PathBuf {
    if named.is_dir() {
        named.join(IN_A_DATA_FOLDER)
    } else {
        named.to_owned()
    }
}

/// Connects to the first of `places` where a daemon listens.
///
/// # Errors
/// What says most of why there is none: that this user may not, that a daemon has stopped, or that there is no socket at all. Whatever a
/// daemon that listens answers is the answer; nobody else is asked then.
pub(super) fn first_of(places: &[PathBuf]) -> Result<Client, ClientError> {
    let mut why = ClientError::Nowhere(places.to_vec());
    for place in places {
        match Client::connect(place) {
            Err(ClientError::NoSocket(_)) => {}
            Err(error @ ClientError::NobodyListens(_)) => {
                if matches!(why, ClientError::Nowhere(_)) {
                    why = error;
                }
            }
            Err(error @ ClientError::Permission(_)) => why = error,
            found => return found,
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::tests::daemon::{Daemon, greet};

    #[test]
    fn a_daemon_is_found_behind_a_place_with_nothing_and_one_with_a_socket_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let left = folder.path().join("left.sock");
        drop(UnixListener::bind(&left).expect("a socket"));
        let daemon = Daemon::doing(|mut stream| greet(&mut stream));
        let places = [folder.path().join("none.sock"), left, daemon.socket()];
        let found = first_of(&places);
        assert!(found.is_ok(), "{found:?}");
    }

    #[test]
    fn where_there_is_no_daemon_every_place_is_named_or_the_one_where_something_is_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        let nothing = [folder.path().join("a.sock"), folder.path().join("b.sock")];
        let said = first_of(&nothing).expect_err("nobody").to_string();
        assert!(said.contains("a.sock") && said.contains("b.sock"), "{said}");
        let left = folder.path().join("left.sock");
        drop(UnixListener::bind(&left).expect("a socket"));
        let [a, b] = nothing;
        assert!(matches!(
            first_of(&[a, left.clone(), b]),
            Err(ClientError::NobodyListens(path)) if path == left
        ));
    }

    #[test]
    fn a_data_folder_means_the_usual_socket_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(meant(folder.path()), folder.path().join("run/admin.sock"));
        let socket = folder.path().join("other.sock");
        assert_eq!(meant(&socket), socket);
    }
}
