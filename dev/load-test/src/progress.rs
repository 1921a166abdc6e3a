//! How far the test is: bars on a terminal, plain lines elsewhere. On standard error, so that standard
//! output is the report alone.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Plain lines say how far something is whenever so much of it is done.
const QUARTERS: usize = 4;

/// Shows what is under way.
pub struct Progress {
    /// None where nobody watches a terminal.
    bars: Option<MultiProgress>,
}

/// One thing that is under way.
pub struct Bar {
    what: String,
    total: usize,
    done: AtomicUsize,
    /// And where it is shown.
    shown: Option<(ProgressBar, MultiProgress)>,
}

impl Progress {
    pub fn new() -> Progress {
        Progress { bars: stderr().is_terminal().then(MultiProgress::new) }
    }

    /// A line between the others.
    pub fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) => say(bars, line),
            None => eprintln!("{line}"),
        }
    }

    /// Shows how many of `total` are done from now on.
    pub fn bar(&self, what: impl Into<String>, total: usize) -> Bar {
        let what = what.into();
        let shown = self.bars.clone().map(|bars| {
            let style = ProgressStyle::with_template("{msg} {bar:32.green} {pos} of {len}");
            let bar = ProgressBar::new(total as u64).with_message(what.clone());
            let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            (bars.add(bar), bars)
        });
        Bar { what, total, done: AtomicUsize::new(0), shown }
    }
}

impl Bar {
    /// One more is done.
    pub fn advance(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let quarters = |done: usize| done * QUARTERS / self.total.max(1);
        match &self.shown {
            Some((bar, _)) => bar.inc(1),
            None if quarters(done) > quarters(done - 1) => {
                eprintln!("{}: {done} of {}", self.what, self.total);
            }
            None => {}
        }
    }
}

impl Drop for Bar {
    /// A line stays on the terminal where the bar was.
    fn drop(&mut self) {
        if let Some((bar, bars)) = &self.shown {
            bar.finish_and_clear();
            let done = self.done.load(Ordering::Relaxed);
            say(bars, &format!("{}: {done} of {}", self.what, self.total));
        }
    }
}

fn say(bars: &MultiProgress, line: &str) {
    // It fails where the terminal is gone: then nobody reads it.
    let _ = bars.println(line);
}
