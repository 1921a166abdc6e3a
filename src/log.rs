//! What the function says of each photo: one JSON line with its fate and where its time went.

use std::time::{Duration, Instant};

use crate::failure::{Class, Failure};
use crate::photo::{Format, Size};

/// How long each step of one photo took, and what it was about; a step that was not reached took no
/// time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steps {
    /// GetObject.
    pub fetch: Step,
    /// Reading the EXIF facts and the header.
    pub exif: Step,
    /// Decoding, shrinking, turning, encoding.
    pub render: Step,
    /// PutObject of the thumbnail.
    pub store: Step,
    /// The write of the READY item.
    pub commit: Step,
    /// Dead letter and FAILED item.
    pub bury: Step,
    /// Seeing to it that thumbnail and item agree, where the photo was overtaken.
    pub agree: Step,
    /// By content.
    pub format: Option<Format>,
    /// Of the original.
    pub bytes: Option<u64>,
    /// Of the original, as displayed.
    pub size: Option<Size>,
    /// Of the thumbnail.
    pub thumbnail_bytes: Option<u64>,
    /// Whether the photo was decoded at less than it would have been with more memory.
    pub is_reduced: bool,
}

/// The duration of one step, if it was taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step(Option<Duration>);

impl Step {
    /// Awaits a step and keeps how long it took, also where it fails, and all times together.
    pub async fn time<F: Future>(&mut self, step: F) -> F::Output {
        let started = Instant::now();
        let output = step.await;
        self.0 = Some(self.0.unwrap_or_default() + started.elapsed());
        output
    }

    /// Takes a step and keeps how long it took.
    pub fn measure<T>(&mut self, step: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let output = step();
        self.0 = Some(started.elapsed());
        output
    }

    fn milliseconds(self) -> Option<f64> {
        self.0.map(|took| took.as_micros() as f64 / 1000.0)
    }
}

/// Logs what became of an event or a record that is about no photo.
pub fn event(failure: &Failure) {
    let Failure { class, error_type, message } = failure;
    match class {
        Class::Ignored | Class::Superseded => {
            tracing::info!(outcome = "ignored", errorType = error_type, reason = message, "event");
        }
        Class::Permanent | Class::Transient => {
            tracing::error!(outcome = "failed", errorType = error_type, reason = message, "event");
        }
    }
}

/// Logs what became of a photo: it is `done`, such as `ready`, or `failure` says why it is not.
pub fn photo(key: &str, done: &str, steps: &Steps, failure: Option<&Failure>) {
    macro_rules! line {
        ($level:ident, $outcome:expr) => {
            tracing::$level!(
                key,
                outcome = $outcome,
                errorType = failure.map(|failure| failure.error_type),
                reason = failure.map(|failure| failure.message.as_str()),
                format = steps.format.map(Format::name),
                bytes = steps.bytes,
                width = steps.size.map(|size| size.width),
                height = steps.size.map(|size| size.height),
                thumbnailBytes = steps.thumbnail_bytes,
                fetchMs = steps.fetch.milliseconds(),
                exifMs = steps.exif.milliseconds(),
                renderMs = steps.render.milliseconds(),
                storeMs = steps.store.milliseconds(),
                commitMs = steps.commit.milliseconds(),
                buryMs = steps.bury.milliseconds(),
                agreeMs = steps.agree.milliseconds(),
                reducedForMemory = steps.is_reduced.then_some(true),
                peakMemoryMb = peak_memory_mb(),
                "photo"
            )
        };
    }
    match failure.map(|failure| failure.class) {
        None => line!(info, done),
        Some(Class::Ignored) => line!(info, "ignored"),
        Some(Class::Superseded) => line!(info, "superseded"),
        Some(Class::Permanent) => line!(error, "failed"),
        Some(Class::Transient) => line!(warn, "retry"),
    }
}

/// The most memory this process ever held, in MB of 1024 KB as Lambda counts them (proc(5), VmHWM).
pub fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kilobytes / 102.4).round() / 10.0)
}
