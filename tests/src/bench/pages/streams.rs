//! Open pages: each listens to a stream of events, as its script does.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::readers::Reader;
use crate::{
    daemon::{Trouble, ensure},
    visitor::Visitor,
};

/// For the first event.
const FIRST: Duration = Duration::from_secs(30);

/// One of them. Nobody reads it after its first event; what comes waits in the system's buffer.
#[derive(Debug)]
pub(super) struct Stream(TcpStream);

/// The address of a page's stream, which stands in the page.
pub(super) fn address(
    visitor: &mut Visitor,
    reader: &Reader,
    page: &str,
) -> Result<String, Trouble> {
    reader.at(visitor);
    let page = visitor.get(page)?;
    let address = page.text.split("hx-sse:connect=\"").nth(1);
    let address = address.and_then(|rest| rest.split('"').next());
    let address = address.ok_or_else(|| Trouble::wrong(format!("no stream: {page:?}")))?;
    Ok(address.replace("&amp;", "&"))
}

impl Stream {
    /// Opens one, and waits for the first event.
    pub(super) fn open(origin: &str, address: &str, reader: &Reader) -> Result<Self, Trouble> {
        let lost = |error| Trouble::io("a stream")(error);
        let host = origin.trim_start_matches("http://");
        let cookies = reader.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut stream = TcpStream::connect(host).map_err(lost)?;
        stream.set_read_timeout(Some(FIRST)).map_err(lost)?;
        let head = format!(
            "GET {address} HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nX-Maillon-Alone: 1\r\nAccept: text/event-stream\r\n\r\n",
            cookies.join("; ")
        );
        stream.write_all(head.as_bytes()).map_err(lost)?;
        let mut heard = Vec::new();
        loop {
            let mut bytes = [0; 4_096];
            let count = stream.read(&mut bytes).map_err(lost)?;
            heard.extend_from_slice(&bytes[..count]);
            let text = String::from_utf8_lossy(&heard);
            if text.starts_with("HTTP/1.1 200") && text.contains("event: compte") {
                break;
            }
            ensure(count > 0, || format!("no stream: {text}"))?;
        }
        stream.set_nonblocking(true).map_err(lost)?;
        Ok(Self(stream))
    }

    /// Reads away what has come, and says whether the node goes on telling.
    pub(super) fn goes_on(&mut self) -> Result<bool, Trouble> {
        let mut bytes = [0; 4_096];
        loop {
            match self.0.read(&mut bytes) {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(Trouble::io("a stream")(error)),
            }
        }
    }
}
