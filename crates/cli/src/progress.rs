//! How far a transfer has come: a bar on stderr, if people look on.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use xorbit::Progress;

/// A bar for a large value. Nothing is drawn until the transfer begins.
#[derive(Clone)]
pub struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar, unless stderr is no terminal or a program reads what is told.
    pub fn new(json: bool) -> Self {
        Self::shaped(json, None, "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
    }

    /// A bar for so many keys.
    pub fn of_keys(json: bool, keys: u64) -> Self {
        Self::shaped(json, Some(keys), "{bar:30} {pos} of {len} keys, {per_sec}, {eta} left")
    }

    fn shaped(json: bool, length: Option<u64>, shape: &str) -> Self {
        let draws = !json && stderr().is_terminal();
        Self(draws.then(|| {
            let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
            bar.with_style(ProgressStyle::with_template(shape).unwrap_or_else(|_| {
                // The shapes above are constant and sound; without them a plain bar does as well.
                ProgressStyle::default_bar()
            }))
        }))
    }

    /// What hears of the progress.
    pub fn listener(&self) -> impl FnMut(Progress) + Send + 'static {
        let bar = self.0.clone();
        move |progress| {
            if let Some(bar) = &bar {
                bar.set_length(progress.of);
                bar.set_position(progress.done);
            }
        }
    }

    /// One more is done.
    pub fn advance(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }

    /// Lets something be told that the bar must not run into.
    pub fn aside<T>(&self, tell: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }

    /// Takes the bar away: what follows is told in its place.
    pub fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
