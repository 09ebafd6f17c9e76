//! One line a sentence, and the count at the end.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use crate::daemon::Trouble;

/// A sentence did not come true; it has been told and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Numbers, times, prints and counts the sentences of a story.
#[derive(Debug)]
pub struct Teller<W = io::Stdout> {
    out: W,
    begun: Instant,
    passed: u32,
    failed: u32,
    figures: Vec<(String, String)>,
}

impl Default for Teller {
    fn default() -> Self {
        Self::to(io::stdout())
    }
}

impl<W: Write> Teller<W> {
    /// Tells it there.
    pub fn to(out: W) -> Self {
        Self {
            out,
            begun: Instant::now(),
            passed: 0,
            failed: 0,
            figures: Vec::new(),
        }
    }

    /// Acts, and says how long it took, or why it failed.
    ///
    /// # Errors
    /// [`Stopped`] where it failed.
    pub fn tell<T>(
        &mut self,
        sentence: &str,
        act: impl FnOnce() -> Result<T, Trouble>,
    ) -> Result<T, Stopped> {
        self.tell_with(sentence, || Ok((act()?, String::new())))
    }

    /// As [`Teller::tell`]; the act also says something that is worth reading, which stands in the line.
    ///
    /// # Errors
    /// [`Stopped`] where it failed.
    pub fn tell_with<T>(
        &mut self,
        sentence: &str,
        act: impl FnOnce() -> Result<(T, String), Trouble>,
    ) -> Result<T, Stopped> {
        let number = self.passed + self.failed + 1;
        let begun = Instant::now();
        match act() {
            Ok((value, detail)) => {
                self.passed += 1;
                let detail = match detail.as_str() {
                    "" => String::new(),
                    detail => format!("{detail}; "),
                };
                self.line(&format!(
                    "ok {number:02} {sentence} ({detail}{})",
                    shown(begun.elapsed())
                ));
                Ok(value)
            }
            Err(trouble) => {
                self.failed += 1;
                self.line(&format!("FAIL {number:02} {sentence}: {trouble}"));
                Err(Stopped)
            }
        }
    }

    /// Keeps a figure for the end.
    pub fn figure(&mut self, name: &str, value: impl Into<String>) {
        self.figures.push((name.to_owned(), value.into()));
    }

    /// Prints the figures, the logs' path where something failed, and the count; whether all came true.
    pub fn end(mut self, logs: &std::path::Path) -> bool {
        for (name, value) in std::mem::take(&mut self.figures) {
            self.line(&format!("   {name}: {value}"));
        }
        self.line(&format!(
            "   the whole story: {}",
            shown(self.begun.elapsed())
        ));
        if self.failed > 0 {
            self.line(&format!("logs in {}", logs.display()));
        }
        let (passed, failed) = (self.passed, self.failed);
        self.line(&format!("{passed} passed, {failed} failed"));
        failed == 0 && passed > 0
    }

    /// How many sentences failed so far.
    pub fn failed(&self) -> u32 {
        self.failed
    }

    fn line(&mut self, line: &str) {
        // Nobody reads any more: the exit code still says it.
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}

/// `41 ms`, `3.2 s`.
pub(super) fn shown(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_story_ends_with_its_count_and_names_the_logs_where_it_failed() {
        let mut out = Vec::new();
        let mut teller = Teller::to(&mut out);
        assert_eq!(teller.tell("it rains", || Ok(3)), Ok(3));
        let failed: Result<(), _> = teller.tell("it stops", || Err(Trouble::wrong("it pours")));
        assert_eq!(failed, Err(Stopped));
        assert!(!teller.end(Path::new("/the/logs")));
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("ok 01 it rains (0 ms)\n"), "{text}");
        assert!(text.contains("FAIL 02 it stops: it pours\n"), "{text}");
        assert!(
            text.ends_with("logs in /the/logs\n1 passed, 1 failed\n"),
            "{text}"
        );
    }

    #[test]
    fn a_story_without_a_sentence_is_no_success() {
        assert!(!Teller::to(Vec::new()).end(Path::new("/")));
    }
}
