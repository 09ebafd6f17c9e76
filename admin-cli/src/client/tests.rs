//! The client against a daemon that misbehaves.

use std::{io::Write, os::unix::net::UnixListener, path::Path, sync::mpsc, time::Duration};

use maillon_protocol::{
    admin::{AdminError, Answer, Call, ErrorCode, Greeting, Outcome, Reply, WatchEvent},
    ids::NodeId,
    limits,
};

use super::{Client, ClientError};
use crate::tests::daemon::{Daemon, frame, greet, greeting, request, send};

const SOON: Duration = Duration::from_millis(20);

fn done(id: u64) -> Reply {
    Reply {
        id,
        outcome: Outcome::Done(Answer::Ok),
    }
}

fn refused() -> AdminError {
    AdminError {
        code: ErrorCode::NotAllowed,
        cause: "no".to_owned(),
        action: "ask".to_owned(),
        request: "r1".to_owned(),
    }
}

/// A daemon that greets, reads one request, writes `bytes` and closes.
fn writing(bytes: Vec<u8>) -> Daemon<()> {
    Daemon::doing(move |mut stream| {
        greet(&mut stream);
        request(&mut stream);
        drop(stream.write_all(&bytes));
    })
}

fn calling(daemon: &Daemon<()>) -> Result<Answer, ClientError> {
    Client::connect(daemon.socket())?.call(None, Call::PeerRetry { peer: None })
}

#[test]
fn frames_that_come_byte_by_byte_are_put_together() {
    let daemon = Daemon::doing(|mut stream| {
        for byte in frame(&greeting()) {
            stream.write_all(&[byte]).expect("a client");
        }
        let id = request(&mut stream).expect("a request").id;
        for byte in frame(&done(id)) {
            stream.write_all(&[byte]).expect("a client");
        }
    });
    assert_eq!(calling(&daemon).expect("an answer"), Answer::Ok);
}

#[test]
fn frames_that_come_at_once_are_taken_apart_and_progress_is_heard() {
    let progress = Reply {
        id: 1,
        outcome: Outcome::Progress {
            done: 3,
            of: Some(9),
            what: "views".to_owned(),
        },
    };
    let daemon = writing([frame(&progress), frame(&progress), frame(&done(1))].concat());
    let mut heard = Vec::new();
    let answer = Client::connect(daemon.socket())
        .expect("a greeting")
        .call_with(None, Call::SyncRebuild, &mut |progress| {
            heard.push((progress.done, progress.of));
        });
    assert_eq!(answer.expect("an answer"), Answer::Ok);
    assert_eq!(heard, [(3, Some(9)), (3, Some(9))]);
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_its_bytes_are_awaited() {
    let (held, hold) = mpsc::channel::<()>();
    let daemon = Daemon::doing(move |mut stream| {
        greet(&mut stream);
        request(&mut stream);
        let too_long = u32::try_from(limits::FRAME + 1).expect("a length");
        stream.write_all(&too_long.to_be_bytes()).expect("a client");
        // Keeps the connection open until the test has its answer.
        hold.recv().ok();
    });
    let error = calling(&daemon).expect_err("too long");
    assert!(
        matches!(error, ClientError::TooLong { bytes } if bytes == limits::FRAME + 1),
        "{error}"
    );
    assert_eq!(error.exit_code(), 76);
    drop(held);
    daemon.end();
}

#[test]
fn garbage_is_told_from_an_answer() {
    let mut garbage = 7_u32.to_be_bytes().to_vec();
    garbage.extend(b"{\"id\":x");
    let error = calling(&writing(garbage)).expect_err("garbage");
    assert!(matches!(error, ClientError::Garbled), "{error}");

    let error = calling(&writing(frame(&done(99)))).expect_err("an answer to nothing");
    assert!(matches!(error, ClientError::Garbled), "{error}");

    let other = Daemon::doing(|mut stream| {
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    let error = Client::connect(other.socket()).expect_err("another program");
    assert!(matches!(error, ClientError::TooLong { .. }), "{error}");
    assert!(error.action().contains("--socket"), "{}", error.action());
}

#[test]
fn a_daemon_of_another_version_is_named_and_not_asked() {
    let daemon = Daemon::doing(|mut stream| {
        let other = Greeting {
            maillon_admin: 2,
            program: "9.0.0".to_owned(),
        };
        send(&mut stream, &other);
        request(&mut stream)
    });
    let error = Client::connect(daemon.socket()).expect_err("another version");
    assert!(
        matches!(&error, ClientError::Version { daemon: 2, program } if program == "9.0.0"),
        "{error}"
    );
    assert_eq!(daemon.end(), None);
}

#[test]
fn a_daemon_that_closes_in_the_middle_is_no_answer() {
    let silent = Daemon::doing(drop);
    let error = Client::connect(silent.socket()).expect_err("no greeting");
    assert!(matches!(error, ClientError::NoGreeting(_)), "{error}");
    // What another user of the machine meets.
    assert_eq!(error.exit_code(), 3);
    assert!(
        error.action().contains("sudo -u maillon"),
        "{}",
        error.action()
    );

    let bytes = frame(&done(1));
    for length in [0, 3, 4, bytes.len() - 1] {
        let error = calling(&writing(bytes[..length].to_vec())).expect_err("half an answer");
        assert!(matches!(error, ClientError::Closed), "{length}: {error}");
        assert_eq!(error.exit_code(), 3);
    }
}

#[test]
fn a_refusal_is_understood_wherever_the_daemon_puts_it() {
    let at_the_door = Daemon::doing(|mut stream| send(&mut stream, &refused()));
    let error = Client::connect(at_the_door.socket()).expect_err("refused");
    assert!(matches!(error, ClientError::Refused(_)), "{error}");

    for id in [0, 1] {
        let reply = Reply {
            id,
            outcome: Outcome::Failed(refused()),
        };
        let error = calling(&writing(frame(&reply))).expect_err("refused");
        assert!(matches!(&error, ClientError::Refused(why) if *why == refused()));
        assert_eq!(
            (error.exit_code(), error.code()),
            (77, "not-allowed".to_owned())
        );
    }
    let bare = calling(&writing(frame(&refused()))).expect_err("refused");
    assert!(matches!(bare, ClientError::Refused(_)), "{bare}");
}

#[test]
fn a_read_that_timed_out_in_the_middle_of_an_event_loses_nothing() {
    let event = WatchEvent::Link {
        node: NodeId([7; 32]),
        up: true,
    };
    let reply = Reply {
        id: 1,
        outcome: Outcome::Event(event.clone()),
    };
    let (go, wait) = mpsc::channel::<()>();
    let daemon = Daemon::doing(move |mut stream| {
        greet(&mut stream);
        request(&mut stream);
        let bytes = frame(&reply);
        let (head, tail) = bytes.split_at(9);
        stream.write_all(head).expect("a client");
        wait.recv().expect("the test");
        stream.write_all(tail).expect("a client");
    });
    let client = Client::connect(daemon.socket()).expect("a greeting");
    let mut watch = client.watch(None).expect("a watch");
    watch.set_read_timeout(Some(SOON)).expect("a timeout");
    assert!(matches!(watch.next(), Some(Err(ClientError::TimedOut))));
    watch.set_read_timeout(None).expect("no timeout");
    go.send(()).expect("the daemon");
    assert_eq!(watch.next().expect("an event").expect("whole"), event);
    assert!(matches!(watch.next(), Some(Err(ClientError::Closed))));
    assert!(watch.next().is_none());
}

#[test]
fn the_late_answer_to_a_call_that_was_given_up_is_not_taken_for_the_next_one() {
    let daemon = Daemon::doing(|mut stream| {
        greet(&mut stream);
        let first = request(&mut stream).expect("a request").id;
        let second = request(&mut stream).expect("a request").id;
        send(&mut stream, &done(first));
        let answer = Outcome::Done(Answer::Outbox(Vec::new()));
        send(
            &mut stream,
            &Reply {
                id: second,
                outcome: answer,
            },
        );
    });
    let mut client = Client::connect(daemon.socket()).expect("a greeting");
    client.set_read_timeout(Some(SOON)).expect("a timeout");
    let first = client.call(None, Call::PeerRetry { peer: None });
    assert!(matches!(first, Err(ClientError::TimedOut)));
    client.set_read_timeout(None).expect("no timeout");
    let second = client.call(None, Call::Outbox).expect("an answer");
    assert_eq!(second, Answer::Outbox(Vec::new()));
}

#[test]
fn a_request_that_fits_no_frame_is_refused_here_and_the_connection_goes_on() {
    let daemon = Daemon::answering(|_| Outcome::Done(Answer::Ok));
    let mut client = Client::connect(daemon.socket()).expect("a greeting");
    let call = Call::Import {
        content: "A".repeat(limits::FRAME),
        dry_run: true,
    };
    let error = client.call(None, call).expect_err("too long");
    assert!(
        matches!(error, ClientError::RequestTooLong { .. }),
        "{error}"
    );
    assert_eq!(error.exit_code(), 78);
    client.call(Some("7b21"), Call::Outbox).expect("an answer");
    drop(client);
    let asked = daemon.end();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].actor.as_deref(), Some("7b21"));
}

#[test]
fn the_ways_of_not_reaching_the_daemon_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("admin.sock");
    let error = Client::connect(&path).expect_err("no socket");
    assert!(matches!(error, ClientError::NoSocket(_)), "{error}");

    drop(UnixListener::bind(&path).expect("a socket"));
    let error = Client::connect(&path).expect_err("nobody listens");
    assert!(matches!(error, ClientError::NobodyListens(_)), "{error}");

    // Root may open every socket, so that the third cannot be had from the system in every test.
    let error = ClientError::connecting(
        Path::new("/run/x"),
        std::io::ErrorKind::PermissionDenied.into(),
    );
    assert!(matches!(error, ClientError::Permission(_)), "{error}");
    assert!(error.action().contains("sudo"));
    assert_eq!(error.exit_code(), 3);
}

#[test]
fn a_daemon_that_takes_connections_and_says_nothing_is_not_waited_for_without_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("held.sock");
    let _held = UnixListener::bind(&socket).expect("a socket");
    let error = Client::connect(&socket).expect_err("nobody greets");
    assert!(matches!(&error, ClientError::Silent(path) if *path == socket));
    assert_eq!(error.exit_code(), 3);
}
