//! Debian's chromium, driven through its chromedriver: the few words of WebDriver that these tests and benchmarks speak, over plain HTTP on loopback.
//!
//! A [`Browser`] has a fresh profile and a chromedriver of its own, and takes both with it when it is dropped. Waiting is for a condition and bounded.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use crate::{
    daemon::{Trouble, programs, wait},
    skip::{Means, skip},
    visitor::Visitor,
};

/// How WebDriver names an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What the driver says of an element that is not there yet, or no more.
const AWAY: [&str; 2] = ["no such element", "stale element reference"];

/// For one command; a page that takes longer is broken.
const BOUND: Duration = Duration::from_secs(60);

/// For so long nothing comes when a page is there with all that belongs to it; and between two looks.
const QUIET: Duration = Duration::from_millis(1_500);
const LOOK: Duration = Duration::from_millis(100);

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// A phone of 360 pixels, or a desk.
    pub phone: bool,
    /// The system prefers dark colours.
    pub dark: bool,
}

impl Look {
    /// Both widths, light and dark.
    pub const ALL: [Self; 4] = [
        Self::new(true, false),
        Self::new(true, true),
        Self::new(false, false),
        Self::new(false, true),
    ];

    /// A look.
    pub const fn new(phone: bool, dark: bool) -> Self {
        Self { phone, dark }
    }

    /// As it stands in a picture's name: `360-light`.
    pub fn word(self) -> String {
        let scheme = if self.dark { "dark" } else { "light" };
        format!("{}-{scheme}", if self.phone { 360 } else { 1280 })
    }
}

/// A browser with one window.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    agent: Agent,
    /// `http://127.0.0.1:PORT/session/ID`.
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Opens one; none, and a line that says so, where chromium is not installed.
    ///
    /// # Errors
    /// The browser's.
    pub fn open() -> Result<Option<Self>, Trouble> {
        Self::with_logs(&["browser"])
    }

    /// The same, and it keeps a log of what it fetches, for [`Self::fetched`].
    ///
    /// # Errors
    /// The browser's.
    pub fn counting() -> Result<Option<Self>, Trouble> {
        Self::with_logs(&["browser", "performance"])
    }

    fn with_logs(logs: &[&str]) -> Result<Option<Self>, Trouble> {
        let (Some(driver), Some(_)) = (
            programs::installed("chromedriver"),
            programs::installed("chromium"),
        ) else {
            skip(
                "chromium or chromedriver is not installed (deploy/needs.sh test)",
                Means::Expected,
            );
            return Ok(None);
        };
        let profile = tempfile::Builder::new()
            .prefix("maillon-browser-")
            .tempdir()
            .map_err(Trouble::io("a temporary folder"))?;
        let mut child = Command::new(driver)
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(Trouble::io("chromedriver"))?;
        let port = port(&mut child);
        let mut browser = Self {
            driver: child,
            agent: Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(BOUND))
                .build()
                .into(),
            session: format!("http://127.0.0.1:{}/session", port?),
            _profile: profile,
        };
        let data = browser._profile.path().join("profile");
        let begun = browser.post("", &wanted(&data.to_string_lossy(), logs))?;
        let id = begun["sessionId"].as_str().unwrap_or_default();
        browser.session = format!("{}/{id}", browser.session);
        browser.look(Look::new(false, false))?;
        // Without a screen no window has the focus, and then no field looks as if it had it.
        let focused = json!({ "enabled": true });
        browser.devtools("Emulation.setFocusEmulationEnabled", &focused)?;
        Ok(Some(browser))
    }

    fn post(&self, command: &str, body: &Value) -> Result<Value, Trouble> {
        let request = self.agent.post(format!("{}{command}", self.session));
        let request = request.header("content-type", "application/json; charset=utf-8");
        read(command, request.send(body.to_string()))
    }

    fn get(&self, command: &str) -> Result<Value, Trouble> {
        let request = self.agent.get(format!("{}{command}", self.session));
        read(command, request.call())
    }

    /// A command of the browser's own protocol.
    ///
    /// # Errors
    /// The browser's.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Result<Value, Trouble> {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &body)
    }

    /// Another width, other colours; the page stays.
    ///
    /// # Errors
    /// The browser's.
    pub fn look(&self, look: Look) -> Result<(), Trouble> {
        self.window(look, 0)?;
        let scheme = if look.dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        let media = json!({ "features": features });
        self.devtools("Emulation.setEmulatedMedia", &media)?;
        Ok(())
    }

    /// A window of that look, and at least so high.
    fn window(&self, look: Look, height: u64) -> Result<(), Trouble> {
        let (width, least) = if look.phone { (360, 780) } else { (1280, 900) };
        let size = json!({ "width": width, "height": height.max(least), "deviceScaleFactor": 1, "mobile": look.phone });
        self.devtools("Emulation.setDeviceMetricsOverride", &size)
            .map(drop)
    }

    /// From now on no page runs a script.
    ///
    /// # Errors
    /// The browser's.
    pub fn without_script(&self) -> Result<(), Trouble> {
        let value = json!({ "value": true });
        self.devtools("Emulation.setScriptExecutionDisabled", &value)?;
        Ok(())
    }

    /// Opens an address.
    ///
    /// # Errors
    /// The browser's.
    pub fn go(&self, address: &str) -> Result<(), Trouble> {
        self.post("/url", &json!({ "url": address })).map(drop)
    }

    /// One page back.
    ///
    /// # Errors
    /// The browser's.
    pub fn back(&self) -> Result<(), Trouble> {
        self.post("/back", &json!({})).map(drop)
    }

    /// Where it is: path and query.
    ///
    /// # Errors
    /// The browser's.
    pub fn here(&self) -> Result<String, Trouble> {
        let here = self.run("return location.pathname + location.search", &json!([]))?;
        Ok(here.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a function's body in the page, as the driver and not as the page: also where pages run none.
    ///
    /// # Errors
    /// The browser's.
    pub fn run(&self, script: &str, arguments: &Value) -> Result<Value, Trouble> {
        let body = json!({ "script": script, "args": arguments });
        self.post("/execute/sync", &body)
    }

    /// The same, until it calls its last argument.
    ///
    /// # Errors
    /// The browser's.
    pub fn run_until_done(&self, script: &str) -> Result<Value, Trouble> {
        let body = json!({ "script": script, "args": [] });
        self.post("/execute/async", &body)
    }

    /// What a person reads on the page; a space that does not break is a space.
    ///
    /// # Errors
    /// The browser's.
    pub fn text(&self) -> Result<String, Trouble> {
        // Between two pages there is none.
        let text = self.run("return document.body?.innerText", &json!([]))?;
        let text = text.as_str().unwrap_or_default();
        Ok(text.replace(['\u{a0}', '\u{202f}'], " "))
    }

    fn find(&self, css: &str) -> Result<String, Trouble> {
        let body = json!({ "using": "css selector", "value": css });
        let found = self.post("/element", &body)?;
        let id = found[ELEMENT].as_str();
        id.map(ToOwned::to_owned)
            .ok_or_else(|| Trouble::wrong(format!("no {css} on {:?}", self.here())))
    }

    /// Does something with an element, when it is there: a page that is on its way, or a part of it, comes as late as the machine is busy, and what was found may
    /// have been replaced meanwhile.
    fn with(&self, css: &str, act: impl Fn(&str) -> Result<(), Trouble>) -> Result<(), Trouble> {
        wait::until(css, wait::LONG, || {
            match self.find(css).and_then(|element| act(&element)) {
                Err(Trouble::Wrong(line)) if AWAY.iter().any(|away| line.contains(away)) => {
                    Ok(None)
                }
                done => done.map(Some),
            }
        })
    }

    /// Types over what stands in a field.
    ///
    /// # Errors
    /// The browser's.
    pub fn fill(&self, css: &str, text: &str) -> Result<(), Trouble> {
        let typed = json!({ "text": text });
        self.with(css, |element| {
            self.post(&format!("/element/{element}/clear"), &json!({}))?;
            self.post(&format!("/element/{element}/value"), &typed)
                .map(drop)
        })
    }

    /// Chooses a file of this machine.
    ///
    /// # Errors
    /// The browser's.
    pub fn choose(&self, css: &str, file: &Path) -> Result<(), Trouble> {
        let named = json!({ "text": file.display().to_string() });
        self.with(css, |element| {
            self.post(&format!("/element/{element}/value"), &named)
                .map(drop)
        })
    }

    /// Clicks as a person does: what lies under something else, or outside, cannot be clicked.
    ///
    /// # Errors
    /// The browser's.
    pub fn click(&self, css: &str) -> Result<(), Trouble> {
        self.with(css, |element| {
            // As a person scrolls: away from what is fixed at the window's foot, which the driver does not know of.
            let itself = json!([{ ELEMENT: element }]);
            self.run("arguments[0].scrollIntoView({ block: 'center' })", &itself)?;
            self.post(&format!("/element/{element}/click"), &json!({}))
                .map(drop)
        })
    }

    /// Types keys where the focus is; `\u{E004}` is Tab, `\u{E007}` Enter, as WebDriver numbers them.
    ///
    /// # Errors
    /// The browser's.
    pub fn press(&self, keys: &str) -> Result<(), Trouble> {
        let strokes = keys.chars().flat_map(|key| {
            let key = key.to_string();
            [
                json!({ "type": "keyDown", "value": key }),
                json!({ "type": "keyUp", "value": key }),
            ]
        });
        let strokes = strokes.collect::<Vec<_>>();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.post("/actions", &json!({ "actions": [keyboard] }))
            .map(drop)
    }

    /// Goes on as somebody who has signed in elsewhere.
    ///
    /// # Errors
    /// The browser's.
    pub fn become_who(&self, origin: &str, who: &Visitor) -> Result<(), Trouble> {
        self.go(&format!("{origin}/connexion"))?;
        self.forget()?;
        for (name, value) in &who.cookies {
            let cookie = json!({ "name": name, "value": value, "path": "/", "httpOnly": true });
            self.post("/cookie", &json!({ "cookie": cookie }))?;
        }
        Ok(())
    }

    /// Drops the cookies of the page's site.
    fn forget(&self) -> Result<(), Trouble> {
        let request = self.agent.delete(format!("{}/cookie", self.session));
        read("/cookie", request.call()).map(drop)
    }

    /// Cookies that it holds for the page.
    ///
    /// # Errors
    /// The browser's.
    pub fn cookies(&self) -> Result<usize, Trouble> {
        let cookies = self.get("/cookie")?;
        Ok(cookies.as_array().map_or(0, Vec::len))
    }

    /// What the browser complained of since the last time.
    ///
    /// # Errors
    /// The browser's.
    pub fn complaints(&self) -> Result<Vec<String>, Trouble> {
        let lines = self.post("/se/log", &json!({ "type": "browser" }))?;
        let lines = lines.as_array().into_iter().flatten();
        let serious = lines.filter(|line| line["level"] == "SEVERE" || line["level"] == "WARNING");
        let words = serious.filter_map(|line| line["message"].as_str());
        Ok(words.map(ToOwned::to_owned).collect())
    }

    /// Bytes that came over the network since the last time, heads of answers included, until nothing more comes for a while. What is still being told (a stream of
    /// events) counts as far as it came. Of a browser that counts.
    ///
    /// # Errors
    /// The browser's.
    pub fn fetched(&self) -> Result<u64, Trouble> {
        let mut bytes = BTreeMap::new();
        let mut quiet = Instant::now();
        while quiet.elapsed() < QUIET {
            let lines = self.post("/se/log", &json!({ "type": "performance" }))?;
            for line in lines.as_array().into_iter().flatten() {
                let line = line["message"].as_str().unwrap_or_default();
                let event: Value = serde_json::from_str(line).unwrap_or_default();
                let event = &event["message"];
                let told = &event["params"];
                let request = told["requestId"].as_str().unwrap_or_default().to_owned();
                let count = |told: &Value| told["encodedDataLength"].as_f64().unwrap_or_default();
                match event["method"].as_str().unwrap_or_default() {
                    // A redirection is told with the request that follows it.
                    "Network.requestWillBeSent" if told["redirectResponse"].is_object() => {
                        bytes.insert(
                            format!("{request} before"),
                            count(&told["redirectResponse"]),
                        );
                    }
                    "Network.responseReceived" => {
                        bytes.insert(request, count(&told["response"]));
                    }
                    "Network.dataReceived" => *bytes.entry(request).or_default() += count(told),
                    "Network.loadingFinished" => {
                        bytes.insert(request, count(told));
                    }
                    _ => continue,
                }
                quiet = Instant::now();
            }
            thread::sleep(LOOK);
        }
        Ok(bytes.values().sum::<f64>() as u64)
    }

    /// The whole page as a PNG: in a window as high as the page, so that what is fixed at its foot stands there.
    ///
    /// # Errors
    /// The browser's.
    pub fn picture(&self, look: Look) -> Result<Vec<u8>, Trouble> {
        let height = self.run("return document.documentElement.scrollHeight", &json!([]))?;
        self.window(look, height.as_u64().unwrap_or_default())?;
        let taken = self.capture(&json!({ "format": "png" }))?;
        self.window(look, 0)?;
        Ok(taken)
    }

    /// What is in the window, small enough to be kept with the source: WebP.
    ///
    /// # Errors
    /// The browser's.
    pub fn window_picture(&self) -> Result<Vec<u8>, Trouble> {
        self.capture(&json!({ "format": "webp", "quality": 85 }))
    }

    /// From now on the page looks as it does on paper.
    ///
    /// # Errors
    /// The browser's.
    pub fn as_on_paper(&self) -> Result<(), Trouble> {
        // The width of an A4 sheet between its margins.
        let size = json!({ "width": 688, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size)?;
        self.devtools("Emulation.setEmulatedMedia", &json!({ "media": "print" }))
            .map(drop)
    }

    /// The page on paper: a PDF.
    ///
    /// # Errors
    /// The browser's.
    pub fn print(&self) -> Result<Vec<u8>, Trouble> {
        let printed = self.post("/print", &json!({ "shrinkToFit": false }))?;
        let data = printed.as_str().unwrap_or_default();
        let bytes = data_encoding::BASE64.decode(data.as_bytes());
        bytes.map_err(|error| Trouble::wrong(format!("a printed page: {error}")))
    }

    ///
    /// # Errors
    /// The browser's.
    pub fn capture(&self, how: &Value) -> Result<Vec<u8>, Trouble> {
        let taken = self.devtools("Page.captureScreenshot", how)?;
        let data = taken["data"].as_str().unwrap_or_default();
        let bytes = data_encoding::BASE64.decode(data.as_bytes());
        bytes.map_err(|error| Trouble::wrong(format!("a picture: {error}")))
    }

    /// Waits until the page says something, whatever made it change.
    ///
    /// # Errors
    /// The browser's.
    pub fn until_it_says(&self, words: &str) -> Result<(), Trouble> {
        wait::until_seen(words, wait::LONG, || {
            let text = self.text()?;
            Ok((text.contains(words).then_some(()), text))
        })
        .map(drop)
    }

    /// Opens an address again and again until the page says something: what is no news to the page itself yet.
    ///
    /// # Errors
    /// The browser's.
    pub fn reload_until(&self, address: &str, words: &str) -> Result<(), Trouble> {
        wait::until(words, wait::LONG, || {
            self.go(address)?;
            Ok(self.text()?.contains(words).then_some(()))
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session; what does not is in its driver's group, and its pipe closes with it.
        let _ = self.agent.delete(&self.session).call();
        if let Ok(pid) = i32::try_from(self.driver.id())
            && let Some(group) = Pid::from_raw(pid)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.driver.wait();
    }
}

/// What a session is asked to be.
fn wanted(profile: &str, logs: &[&str]) -> Value {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--remote-debugging-pipe".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--no-first-run".to_owned(),
        "--lang=fr-FR".to_owned(),
        format!("--user-data-dir={profile}"),
    ];
    // As root, as in a container, chromium has no sandbox of its own.
    if rustix::process::geteuid().is_root() {
        arguments.push("--no-sandbox".to_owned());
    }
    let options = json!({ "args": arguments, "prefs": { "intl.accept_languages": "fr-FR,fr" } });
    let logs: BTreeMap<_, _> = logs.iter().map(|log| (*log, "ALL")).collect();
    let asked = json!({
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": logs,
    });
    json!({ "capabilities": { "alwaysMatch": asked } })
}

/// The port on which a driver says that it listens.
fn port(driver: &mut Child) -> Result<u16, Trouble> {
    // The pipe stays open: whoever writes into a closed one ends.
    let Some(said) = driver.stdout.as_mut() else {
        return Err(Trouble::wrong("chromedriver has no output"));
    };
    for line in BufReader::new(said).lines().map_while(Result::ok) {
        let port = line.split("successfully on port ").nth(1);
        if let Some(port) = port.and_then(|port| port.trim_end_matches('.').parse().ok()) {
            return Ok(port);
        }
    }
    Err(Trouble::wrong("chromedriver ended before it listened"))
}

fn read(
    command: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value, Trouble> {
    let wrong = |error: ureq::Error| Trouble::wrong(format!("chromedriver, {command}: {error}"));
    let mut answer = answer.map_err(wrong)?;
    // Pictures are large.
    let body = answer.body_mut().with_config().limit(64 << 20);
    let text = body.read_to_string().map_err(wrong)?;
    let mut said: Value = serde_json::from_str(&text)
        .map_err(|error| Trouble::wrong(format!("chromedriver, {command}: {error}")))?;
    if answer.status().is_success() {
        return Ok(said["value"].take());
    }
    let message = said["value"]["message"].as_str().unwrap_or_default();
    let first = message.lines().next().unwrap_or_default();
    Err(Trouble::wrong(format!("chromedriver, {command}: {first}")))
}
