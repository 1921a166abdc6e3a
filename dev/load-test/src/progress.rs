//! Progress of the test: bars on a terminal, plain lines elsewhere. It goes to standard error, so that
//! standard output has only the report.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Number of plain lines that a task prints.
const QUARTERS: usize = 4;

/// Shows the tasks under way.
pub struct Progress {
    /// Bars on the terminal; none if standard error is not a terminal.
    bars: Option<MultiProgress>,
}

/// One task under way.
pub struct Bar {
    what: String,
    total: usize,
    done: AtomicUsize,
    /// The task's bar, and all bars of the terminal.
    shown: Option<(ProgressBar, MultiProgress)>,
}

impl Progress {
    pub fn new() -> Progress {
        Progress { bars: stderr().is_terminal().then(MultiProgress::new) }
    }

    /// Prints a line above the bars.
    pub fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) => say(bars, line),
            None => eprintln!("{line}"),
        }
    }

    /// Shows a task of `total` parts from now on.
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
    /// Counts one more part as done.
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
    /// Leaves a line on the terminal in place of the bar.
    fn drop(&mut self) {
        if let Some((bar, bars)) = &self.shown {
            bar.finish_and_clear();
            let done = self.done.load(Ordering::Relaxed);
            say(bars, &format!("{}: {done} of {}", self.what, self.total));
        }
    }
}

fn say(bars: &MultiProgress, line: &str) {
    // It fails only if the terminal is gone.
    let _ = bars.println(line);
}
