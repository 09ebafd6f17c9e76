//! A browser without a window: asks for pages, keeps cookies, sends forms. It follows no redirection, and runs no script.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use ureq::{Agent, RequestBuilder, http::Response, typestate::WithBody};

use crate::daemon::Trouble;

/// Somebody before a page.
#[derive(Debug, Clone)]
pub struct Visitor {
    origin: String,
    agent: Agent,
    /// Cookies by name.
    pub cookies: BTreeMap<String, String>,
    /// Where requests say that they come from; the pages themselves, unless a test says otherwise.
    pub from: Option<String>,
    /// What the browser says of that (`Sec-Fetch-Site`); an older one says nothing.
    pub site: Option<&'static str>,
    /// Whether it is an open page that asks by itself, and nobody who looks.
    pub alone: bool,
    /// Whether it says that what comes may be packed, as browsers do; [`Visitor::bytes`] leaves it so.
    pub unpacks: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// Header fields, names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body; a space that does not break is a space.
    pub text: String,
}

/// A file in a form: its name, the type that is said of it, its bytes.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// The name.
    pub name: &'a str,
    /// The type.
    pub media_type: &'a str,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// What parts a form with files.
pub const BOUNDARY: &str = "----maillon-7f3a";

/// A form with a file, as browsers write it.
pub fn multipart(fields: &[(&str, &str)], file: Option<File<'_>>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n");
        body.extend(format!("{head}\r\n{value}\r\n").into_bytes());
    }
    if let Some(file) = file {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"fichier\"; filename=\"{}\"\r\n",
            file.name
        );
        body.extend(format!("{head}Content-Type: {}\r\n\r\n", file.media_type).into_bytes());
        body.extend_from_slice(file.bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    body
}

/// Something that happened.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// What.
    pub name: String,
    /// What is said of it.
    pub data: String,
    /// Its number.
    pub id: String,
}

/// A stream of events.
#[derive(Debug)]
pub struct Events {
    queue: Receiver<Event>,
    last: String,
}

impl Events {
    /// The next one; none where nothing came for so long.
    ///
    /// # Errors
    /// Where the stream has ended.
    pub fn next(&mut self, within: Duration) -> Result<Option<Event>, Trouble> {
        match self.queue.recv_timeout(within) {
            Ok(event) => {
                event.id.clone_into(&mut self.last);
                Ok(Some(event))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Trouble::wrong("the stream has ended")),
        }
    }

    /// The number of the last one that was heard.
    pub fn last_id(&self) -> &str {
        &self.last
    }
}

impl Page {
    /// Where it sends the browser; empty where nowhere.
    pub fn leads_to(&self) -> &str {
        self.headers.get("location").map_or("", String::as_str)
    }

    /// A header field; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// A text as a person reads it: a space that does not break is a space.
fn as_read(text: &str) -> String {
    let text = text.replace("&nbsp;", " ");
    text.replace(['\u{a0}', '\u{202f}'], " ")
}

impl Visitor {
    /// Somebody who has not been there before; `origin` is `Daemon::pages`.
    pub fn new(origin: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self {
            origin: origin.to_owned(),
            agent: config.into(),
            cookies: BTreeMap::new(),
            from: Some(origin.to_owned()),
            site: Some("same-origin"),
            alone: false,
            unpacks: false,
        }
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn get(&mut self, path: &str) -> Result<Page, Trouble> {
        let mut request = self.agent.get(format!("{}{path}", self.origin));
        if let Some(cookies) = self.sent() {
            request = request.header("cookie", cookies);
        }
        if self.alone {
            request = request.header("x-maillon-alone", "1");
        }
        self.read(request.call())
    }

    /// Asks for a file: its header fields, and its bytes.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn bytes(&mut self, path: &str) -> Result<(Page, Vec<u8>), Trouble> {
        let mut request = self.agent.get(format!("{}{path}", self.origin));
        if let Some(cookies) = self.sent() {
            request = request.header("cookie", cookies);
        }
        if self.unpacks {
            request = request.header("accept-encoding", "gzip");
        }
        let wrong = |error: ureq::Error| Trouble::wrong(format!("no file: {error}"));
        let answer = request.call().map_err(wrong)?;
        let (head, mut body) = answer.into_parts();
        let bytes = body.with_config().limit(64 << 20).read_to_vec();
        let empty = Response::from_parts(head, ureq::Body::builder().data(Vec::new()));
        Ok((self.read(Ok(empty))?, bytes.map_err(wrong)?))
    }

    /// Sends a form with a file.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn send(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: File<'_>,
    ) -> Result<Page, Trouble> {
        self.send_body(path, &multipart(fields, Some(file)))
    }

    /// Sends the body of a form with a file.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn send_body(&mut self, path: &str, body: &[u8]) -> Result<Page, Trouble> {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = self.posts(path).header("content-type", kind);
        self.read(request.send(body))
    }

    /// Sends a form.
    ///
    /// # Errors
    /// Where nobody answers.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Page, Trouble> {
        let request = self.posts(path);
        self.read(request.send_form(fields.iter().copied()))
    }

    fn posts(&self, path: &str) -> RequestBuilder<WithBody> {
        let mut request = self.agent.post(format!("{}{path}", self.origin));
        if let Some(cookies) = self.sent() {
            request = request.header("cookie", cookies);
        }
        if self.unpacks {
            request = request.header("accept-encoding", "gzip");
        }
        if let Some(from) = &self.from {
            request = request.header("origin", from);
        }
        if let Some(site) = self.site {
            request = request.header("sec-fetch-site", site);
        }
        request
    }

    /// Listens to a stream of events.
    ///
    /// # Errors
    /// Where nobody answers, or with something else.
    pub fn events(&self, path: &str) -> Result<Events, Trouble> {
        self.events_after(path, "")
    }

    /// The same, after the event with this id.
    ///
    /// # Errors
    /// Where nobody answers, or with something else.
    pub fn events_after(&self, path: &str, id: &str) -> Result<Events, Trouble> {
        let mut request = self.agent.get(format!("{}{path}", self.origin));
        if let Some(cookies) = self.sent() {
            request = request.header("cookie", cookies);
        }
        if !id.is_empty() {
            request = request.header("last-event-id", id);
        }
        let answer = request
            .header("x-maillon-alone", "1")
            .call()
            .map_err(|error| Trouble::wrong(format!("no stream: {error}")))?;
        let kind = answer.headers().get("content-type");
        if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"text/event-stream")) {
            return Err(Trouble::wrong(format!("no stream: {}", answer.status())));
        }
        let mut lines = BufReader::new(answer.into_body().into_reader()).lines();
        let (heard, queue) = channel();
        // Ends with the stream, or when nobody hears it any more.
        thread::spawn(move || {
            let mut event = Event::default();
            while let Some(Ok(line)) = lines.next() {
                match line.split_once(':') {
                    None if line.is_empty() => {
                        let event = std::mem::take(&mut event);
                        if !event.name.is_empty() && heard.send(event).is_err() {
                            return;
                        }
                    }
                    Some(("event", name)) => name.trim_start().clone_into(&mut event.name),
                    Some(("data", data)) => data.trim_start().clone_into(&mut event.data),
                    Some(("id", id)) => id.trim_start().clone_into(&mut event.id),
                    _ => {}
                }
            }
        });
        Ok(Events {
            queue,
            last: String::new(),
        })
    }

    /// The cookies, as they are sent.
    pub fn sent(&self) -> Option<String> {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let all = pairs.collect::<Vec<_>>().join("; ");
        (!all.is_empty()).then_some(all)
    }

    fn read(&mut self, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<Page, Trouble> {
        let wrong = |error: ureq::Error| Trouble::wrong(format!("no page: {error}"));
        let mut answer = answer.map_err(wrong)?;
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap_or_default();
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let fields = answer.headers().iter();
        let headers = fields.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Ok(Page {
            status: answer.status().as_u16(),
            headers: headers.collect(),
            text: as_read(&answer.body_mut().read_to_string().map_err(wrong)?),
        })
    }
}
