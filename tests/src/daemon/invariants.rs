//! What must hold of a node when a test is over.
//!
//! A daemon that still runs when it is dropped is asked for every invariant once, as `maillonctl doctor` asks, and the test fails with the
//! sentence of the one that does not hold; likewise where the daemon has ended and nobody had asked it to. [`Settings::broken`] names what a
//! test breaks on purpose: it must be broken then, so that no name stays there for nothing.
//!
//! A test that panics is not asked any more: its own words come first. One that returns an error is, because a drop does not know of it.
//!
//! [`Settings::broken`]: super::Settings::broken

use maillon_protocol::admin::Check;

use super::{Daemon, Trouble};

impl Daemon {
    /// Checks every invariant now, and says how many there are.
    ///
    /// # Errors
    /// [`Trouble::Wrong`] with the first that does not hold and was not expected to be broken, or the reverse; those of a call.
    pub fn invariants(&self) -> Result<usize, Trouble> {
        let checks = self.client()?.doctor()?;
        judge(&checks, &self.settings.broken).map_err(|found| {
            let name = &self.settings.name;
            Trouble::wrong(format!("at {name}, when asked for its invariants: {found}"))
        })
    }

    /// Checks every invariant, and then stops as [`Daemon::stop`] does.
    ///
    /// # Errors
    /// As [`Daemon::invariants`] and [`Daemon::stop`].
    pub fn finish(&mut self) -> Result<usize, Trouble> {
        let checked = self.invariants();
        self.stop()?;
        checked
    }
}

/// How many checks there are, if those that do not hold are those that are known to be broken.
fn judge(checks: &[Check], broken: &[&str]) -> Result<usize, String> {
    if let Some(nobody) = broken
        .iter()
        .find(|name| !checks.iter().any(|check| check.name == **name))
    {
        return Err(format!("there is no invariant {nobody}"));
    }
    let wrong = checks
        .iter()
        .find(|check| check.holds == broken.contains(&check.name.as_str()));
    match wrong {
        None if checks.is_empty() => Err("nothing was checked".to_owned()),
        None => Ok(checks.len()),
        Some(Check {
            name,
            sentence,
            found,
            holds,
            ..
        }) => {
            let verdict = if *holds {
                "holds, and the test says that it does not"
            } else {
                "does not hold"
            };
            Err(format!("{name} {verdict}: \"{sentence}\" ({found})"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, holds: bool) -> Check {
        Check {
            name: name.to_owned(),
            sentence: format!("The sentence of {name}."),
            holds,
            found: "3 rows".to_owned(),
            repair: None,
            advice: None,
        }
    }

    #[test]
    fn what_does_not_hold_must_be_known_and_what_is_known_must_not_hold() {
        let good = [check("store.rows", true), check("audit.lines", true)];
        assert_eq!(judge(&good, &[]), Ok(2));
        let one = [check("store.rows", true), check("audit.lines", false)];
        assert_eq!(judge(&one, &["audit.lines"]), Ok(2));

        let told = judge(&one, &[]).expect_err("it does not hold");
        assert!(told.contains("The sentence of audit.lines."), "{told}");
        let told = judge(&good, &["audit.lines"]).expect_err("it holds");
        assert!(told.contains("audit.lines holds"), "{told}");
        assert!(judge(&good, &["audit.line"]).is_err());
        assert!(judge(&[], &[]).is_err());
    }
}
