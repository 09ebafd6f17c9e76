//! How long an alert takes from the form in one territory to the open page in the other.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::json;

use super::{
    super::{Figure, Goal, Scale},
    weight,
};
use crate::{
    browser::Browser,
    daemon::{Trouble, ensure},
    ground::Ground,
};

/// Alerts that are counted, and how many go before.
const ALERTS: usize = 21;
const WARM_UP: usize = 4;
/// Between two of them: each is told by itself.
const APART: Duration = Duration::from_millis(700);
/// For one of them.
const LONGEST: Duration = Duration::from_secs(30);
/// Between two looks at what the page has noted; it notes the moment itself.
const LOOK: Duration = Duration::from_millis(100);

/// Notes in the page when it shows some words, after they were drawn.
const WATCH: &str = r"
    const words = arguments[0];
    window.maillonShown = 0;
    const drawn = () => requestAnimationFrame(() => setTimeout(() => { window.maillonShown = Date.now(); }, 0));
    const observer = new MutationObserver(() => {
        if (!document.body.innerText.includes(words)) return;
        observer.disconnect();
        drawn();
    });
    observer.observe(document.documentElement, { subtree: true, childList: true, characterData: true, attributes: true });
";

/// The middle of some alerts.
pub(in crate::bench) fn measure(_: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let browser = weight::browser()?;
    let mut ground = Ground::lay()?;
    let cpts = ground.cpts.pages()?;
    browser.become_who(&cpts, &ground.doctor)?;
    browser.go(&format!("{cpts}/"))?;
    browser.until_it_says("Bonjour")?;
    let mut times = Vec::new();
    for number in 0..WARM_UP + ALERTS {
        let time = one(&browser, &mut ground, 100 + number)?;
        if number >= WARM_UP {
            times.push(time);
        }
        thread::sleep(APART);
    }
    times.sort_by(f64::total_cmp);
    let middle = times[times.len() / 2];
    let goal = Goal::AtMost(250.0);
    Ok(vec![Figure::new(
        "alert_to_screen",
        middle,
        "ms",
        None,
        goal,
    )])
}

fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64() * 1_000.0
}

/// Milliseconds from the sending of one alert until the other page shows it.
fn one(browser: &Browser, ground: &mut Ground, number: usize) -> Result<f64, Trouble> {
    let text = format!("Refuse de manger depuis hier soir, relevé {number}.");
    browser.run(WATCH, &json!([text]))?;
    let form = format!("{}/alerte", ground.file);
    let fields = [("gravite", "urgente"), ("texte", text.as_str())];
    let (sent, begun) = (now_ms(), Instant::now());
    let page = ground.nurse.post(&form, &fields)?;
    ensure(page.status == 303, || format!("{page:?}"))?;
    loop {
        let shown = browser.run("return window.maillonShown", &json!([]))?;
        match shown.as_f64() {
            Some(shown) if shown > 0.0 => return Ok(shown - sent),
            Some(_) if begun.elapsed() < LONGEST => thread::sleep(LOOK),
            Some(_) => {
                return Err(Trouble::wrong(format!(
                    "the page did not show alert {number}"
                )));
            }
            None => return Err(Trouble::wrong("the page was loaded as a whole")),
        }
    }
}
