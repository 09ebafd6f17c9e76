//! A bar for calls that take longer than a second.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text;
use crate::client::Progress;

/// How long a call may take before a bar is drawn.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that is drawn on standard error once the call has taken longer than a second.
pub(crate) struct Bar {
    began: Instant,
    allowed: bool,
    drawn: Option<ProgressBar>,
}

impl Bar {
    /// A bar that is not drawn yet; never, unless `allowed`.
    pub(crate) fn new(allowed: bool) -> Self {
        Self {
            began: Instant::now(),
            allowed,
            drawn: None,
        }
    }

    /// Hears how far the call is.
    pub(crate) fn show(&mut self, progress: &Progress) {
        if !self.allowed || self.began.elapsed() < PATIENCE {
            return;
        }
        let bar = self.drawn.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let form = if progress.of.is_some() {
            "{msg} {bar:30} {human_pos}/{human_len} ({eta})"
        } else {
            "{spinner} {msg} {human_pos}"
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        if let Some(of) = progress.of {
            bar.set_length(of);
        }
        bar.set_message(text::line(&progress.what));
        bar.set_position(progress.done);
    }

    /// Takes the bar away.
    pub(crate) fn clear(self) {
        if let Some(bar) = self.drawn {
            bar.finish_and_clear();
        }
    }
}
