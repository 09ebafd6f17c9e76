//! Bad frames on the admin socket: answered at once with an error that names the cause, and of no consequence.

use std::{ffi::OsStr, fs, os::unix::fs::PermissionsExt};

use maillon_protocol::{
    admin::{AdminError, Call, ErrorCode, Outcome, Reply},
    ids::Token,
    limits,
};
use maillon_tests::daemon::{Client, Daemon, Settings, Trouble, person, professional, wait};

use crate::{Story, ensure, folder};

/// The error that answers what was just sent; the connection is closed after it.
fn refusal(mut client: Client) -> Result<AdminError, Trouble> {
    let frame = client.read_frame()?;
    let reply: Reply = serde_json::from_slice(&frame)
        .map_err(|error| Trouble::Protocol(format!("a reply: {error}")))?;
    let Outcome::Failed(error) = reply.outcome else {
        return Err(Trouble::wrong("it was not refused"));
    };
    match client.read_frame() {
        Err(Trouble::Closed) => Ok(error),
        other => Err(Trouble::wrong(format!("the connection goes on: {other:?}"))),
    }
}

fn names(error: &AdminError, codes: &[ErrorCode]) -> Story {
    let whole = !error.cause.is_empty() && !error.action.is_empty() && !error.request.is_empty();
    ensure(codes.contains(&error.code) && whole, || {
        format!("{error:?}")
    })
}

#[test]
fn garbage_is_answered_and_the_connection_closed() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let frames: [&[u8]; 5] = [
        b"",
        b"\xff\xfe\x00garbage",
        b"{}",
        b"{\"id\":1,\"call\":\"make-coffee\"}",
        b"{\"id\":-1,\"call\":\"status\"}",
    ];
    for frame in frames {
        let mut client = daemon.client()?;
        client.write_frame(frame)?;
        names(
            &refusal(client)?,
            &[ErrorCode::BadRequest, ErrorCode::Version],
        )?;
    }
    daemon.client()?.status().map(drop)
}

#[test]
fn an_oversized_frame_is_refused_by_its_length_alone() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    for length in [limits::FRAME as u32 + 1, u32::MAX] {
        let mut client = daemon.client()?;
        client.write_raw(&length.to_be_bytes())?;
        let error = refusal(client)?;
        names(&error, &[ErrorCode::Limit, ErrorCode::BadRequest])?;
        ensure(error.cause.contains(&limits::FRAME.to_string()), || {
            format!("the limit is not named: {}", error.cause)
        })?;
    }
    daemon.client()?.status().map(drop)
}

#[test]
fn clients_that_say_nothing_or_half_a_word_keep_nobody_waiting() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut client = daemon.client()?;
        client.write_raw(&[0, 0])?;
        silent.push(client);
    }
    daemon.client()?.status()?;
    drop(silent);
    daemon.client()?.status().map(drop)
}

#[test]
fn the_socket_belongs_to_its_owner_alone() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let mode = fs::metadata(daemon.socket()).map_err(Trouble::io("the socket"))?;
    let mode = mode.permissions().mode() & 0o777;
    ensure(mode == 0o600, || format!("its mode is {mode:o}"))
}

#[test]
fn care_content_needs_a_professional() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    for mut client in [daemon.client()?, daemon.client()?.acting_as("nobody")] {
        match client.circle_open(person()) {
            Err(error)
                if matches!(
                    error.code(),
                    Some(ErrorCode::NotAllowed | ErrorCode::NotFound)
                ) => {}
            other => return Err(Trouble::wrong(format!("{:?}", other.map(|_| "opened")))),
        }
    }
    Ok(())
}

#[test]
fn care_commands_are_off_unless_the_configuration_says_so() -> Story {
    let root = folder()?;
    let mut settings = Settings::dac();
    settings.care_commands = false;
    let daemon = Daemon::new(root.path(), settings)?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    ensure(!client.status()?.care_commands, || {
        String::from("status does not say it")
    })?;
    match client.circle_open(person()) {
        Err(error) if error.code() == Some(ErrorCode::NotAllowed) => {}
        other => return Err(Trouble::wrong(format!("{:?}", other.map(|_| "opened")))),
    }
    let upload = Token([1; 16]);
    for call in [
        Call::AlertList {
            circle: None,
            open: true,
            after: None,
            limit: 50,
        },
        Call::ImportBegin { length: 4 },
        Call::ImportPart {
            upload,
            offset: 0,
            bytes: String::from("Tm90ZQ=="),
        },
        Call::ImportEnd {
            upload,
            dry_run: true,
        },
    ] {
        match client.call(call.clone()) {
            Err(error) if error.code() == Some(ErrorCode::NotAllowed) => {}
            other => return Err(Trouble::wrong(format!("{call:?}: {other:?}"))),
        }
    }
    Ok(())
}

#[test]
fn a_name_that_nothing_has_is_not_found() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let mut client = daemon.client()?;
    let circle = "0".repeat(64);
    let call = Call::RecordList {
        circle,
        after: None,
        limit: 10,
    };
    match client.call(call) {
        Err(error) if error.code() == Some(ErrorCode::NotFound) => {}
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    // The connection goes on: this was a good frame.
    client.status().map(drop)
}

#[test]
fn where_every_connection_is_taken_or_the_daemon_is_held_the_next_one_is_told_so() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let status = || daemon.ctl("", &["status"].map(OsStr::new));
    let mut held = Vec::new();
    while held.len() < 256 {
        held.push(daemon.client()?);
    }
    let ended = status()?;
    ensure(
        ended.status.code() == Some(78) && ended.words.contains("256 connections"),
        || format!("{ended:?}"),
    )?;
    drop(held);
    wait::until("a free connection", wait::LONG, || {
        Ok(daemon.client().and_then(|mut client| client.status()).ok())
    })?;

    daemon.freeze()?;
    let ended = status();
    daemon.thaw()?;
    let ended = ended?;
    ensure(
        ended.status.code() == Some(3) && ended.words.contains("does not greet"),
        || format!("{ended:?}"),
    )?;
    daemon.client()?.status().map(drop)
}
