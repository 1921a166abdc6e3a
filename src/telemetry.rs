//! What the function says of each photo: one JSON line with what became of it and where its time went.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use metrique_writer_core::format::Format as _;
use metrique_writer_core::unit::{AsBytes, AsMegabytes, AsPercent};
use metrique_writer_core::{Entry, EntryWriter};
use metrique_writer_format_emf::{Emf, NoMetric};
use photo::{Format, Size};

use crate::disposition::{Disposition, Summary};

/// Where CloudWatch keeps the metrics of the photos.
pub const NAMESPACE: &str = "PhotoThumbnails";
/// The dimension by which the metrics of several stacks are told apart.
const FUNCTION_NAME: &str = "FunctionName";

/// A step of the work on one photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// GetObject.
    Fetch,
    /// Reading the facts and the header.
    Inspect,
    /// Decoding, shrinking, turning, encoding.
    Render,
    /// PutObject of the renditions.
    Store,
    /// UpdateItem of the item, or of a tombstone.
    Commit,
    /// The dead letter and the FAILED item.
    DeadLetter,
    /// Making renditions and item agree where events cross.
    Reconcile,
    /// Waiting until there is memory for the photo, and a core to render it.
    Wait,
}

impl Step {
    const COUNT: usize = 8;
}

/// Where the time of one photo went, and what is known of it by now.
#[derive(Debug, Default)]
pub struct Trace(Mutex<Notes>);

/// A step that was not reached took no time.
#[derive(Clone, Debug, Default)]
struct Notes {
    took: [Option<Duration>; Step::COUNT],
    photo: TracedPhoto,
}

/// The part of a photo's log line that tells which kind of photo it was.
#[derive(Clone, Debug, Default)]
pub struct TracedPhoto {
    /// Format of the content.
    pub format: Option<Format>,
    /// Size of the original in bytes.
    pub bytes: Option<u64>,
    /// Size of the photo as displayed.
    pub size: Option<Size>,
    /// Size of all renditions together in bytes.
    pub rendition_bytes: Option<u64>,
    /// Whether the photo was decoded at less than it would have been with more memory.
    pub is_reduced: bool,
}

impl Trace {
    /// Awaits a step and keeps how long it took, also where it fails.
    pub async fn time<F: Future>(&self, step: Step, work: F) -> F::Output {
        let started = Instant::now();
        let output = work.await;
        self.add(step, started.elapsed());
        output
    }

    /// Adds to the time of a step.
    pub fn add(&self, step: Step, took: Duration) {
        let sum = &mut self.notes().took[step as usize];
        *sum = Some(sum.unwrap_or_default() + took);
    }

    /// Keeps what has become known of the photo.
    pub fn describe(&self, describe: impl FnOnce(&mut TracedPhoto)) {
        describe(&mut self.notes().photo);
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        // A panic leaves a number too few, which is better than no log line.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Logs what became of a record that is about no photo.
pub fn log_event(disposition: &Disposition) {
    let Summary { outcome, reason, .. } = disposition.summary();
    let (error_type, reason) = reason.unzip();
    match disposition {
        Disposition::Rejected(_) | Disposition::Retry(_) | Disposition::GivenUp(_) => {
            tracing::error!(outcome, errorType = error_type, reason, "event");
        }
        Disposition::Ready
        | Disposition::Removed
        | Disposition::Ignored(_)
        | Disposition::Superseded(_) => {
            tracing::info!(outcome, errorType = error_type, reason, "event");
        }
    }
}

/// The line of one photo: a log entry and a measurement in one. CloudWatch makes metrics of its
/// numbers, for each function (CloudWatch User Guide, "Embedding metrics within logs"). So it is
/// written whatever the log level is.
#[derive(Debug)]
pub struct LogRecord<'a> {
    /// Name of the function.
    pub function_name: &'a str,
    /// Request ID of the invocation.
    pub request_id: &'a str,
    /// Whether this is the first photo of the process.
    pub is_cold_start: bool,
    /// Key of the photo.
    pub key: &'a str,
    /// What became of the photo.
    pub disposition: &'a Disposition,
    /// Where its time went.
    pub trace: &'a Trace,
    /// All of its time.
    pub took: Duration,
    /// Used part of the invocation's time, in percent of the function's timeout.
    pub timeout_used: f64,
}

impl LogRecord<'_> {
    /// Writes it to standard output, which Lambda sends to CloudWatch Logs.
    pub fn write(&self) {
        if let Err(error) = std::io::stdout().write_all(&self.formatted()) {
            tracing::error!(key = self.key, %error, "the line of a photo could not be written");
        }
    }

    fn formatted(&self) -> Vec<u8> {
        let dimensions = vec![vec![FUNCTION_NAME.to_owned()]];
        let mut format = Emf::no_validations(NAMESPACE.to_owned(), dimensions);
        let mut line = Vec::new();
        if let Err(error) = format.format(&self.line(), &mut line) {
            tracing::error!(key = self.key, %error, "the line of a photo could not be formatted");
        }
        line
    }

    fn line(&self) -> Line<'_> {
        let (summary, notes) = (self.disposition.summary(), self.trace.notes().clone());
        let (error_type, reason) = summary.reason.unzip();
        Line {
            record: self,
            level: summary.level,
            outcome: summary.outcome,
            error_type,
            reason,
            notes,
        }
    }
}

/// A record with its texts at hand.
struct Line<'a> {
    record: &'a LogRecord<'a>,
    level: &'static str,
    outcome: &'static str,
    error_type: Option<&'static str>,
    reason: Option<String>,
    notes: Notes,
}

/// A text or a [`NoMetric`] is only to be read; each other number becomes a metric.
impl Entry for Line<'_> {
    fn write<'a>(&'a self, writer: &mut impl EntryWriter<'a>) {
        let Line { record, level, outcome, error_type, reason, notes } = self;
        let (took, photo) = (|step: Step| &notes.took[step as usize], &notes.photo);
        let now = SystemTime::now();
        writer.timestamp(now);
        writer.value("timestamp", &rfc_3339(now));
        writer.value("level", *level);
        writer.value("message", "photo");
        writer.value(FUNCTION_NAME, record.function_name);
        writer.value("requestId", record.request_id);
        writer.value("coldStarts", &record.is_cold_start.then_some(1u64));
        writer.value("key", record.key);
        writer.value("outcome", *outcome);
        writer.value(*outcome, &1u64);
        writer.value("errorType", error_type);
        writer.value("reason", &reason.as_deref());
        writer.value("format", &photo.format.map(Format::name));
        writer.value("bytes", &photo.bytes.map(AsBytes::from));
        writer.value("width", &photo.size.map(|size| NoMetric::from(size.width)));
        writer.value("height", &photo.size.map(|size| NoMetric::from(size.height)));
        writer.value("renditionBytes", &photo.rendition_bytes.map(AsBytes::from));
        let waited = took(Step::Wait).map(|time| NoMetric::from(time.as_micros() as f64 / 1000.0));
        writer.value("waitMs", &waited);
        writer.value("fetchMs", took(Step::Fetch));
        writer.value("inspectMs", took(Step::Inspect));
        writer.value("renderMs", took(Step::Render));
        writer.value("storeMs", took(Step::Store));
        writer.value("commitMs", took(Step::Commit));
        writer.value("deadLetterMs", took(Step::DeadLetter));
        writer.value("reconcileMs", took(Step::Reconcile));
        writer.value("durationMs", &record.took);
        writer.value("timeoutUsed", &AsPercent::from(record.timeout_used));
        writer.value("reducedForMemory", &photo.is_reduced.then_some(1u64));
        writer.value("peakMemoryMb", &peak_memory_mb().map(AsMegabytes::from));
    }
}

fn rfc_3339(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The most memory this process ever held, in MB of 1024 KB as Lambda counts them (proc(5), VmHWM).
pub fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kilobytes / 102.4).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use photo::PhotoError;
    use serde_json::{Value, json};

    use super::*;
    use crate::disposition::{Ignored, Rejection, Retry, Superseded};

    fn line(disposition: &Disposition) -> Value {
        let trace = Trace::default();
        trace.add(Step::Fetch, Duration::from_micros(1000));
        trace.add(Step::Fetch, Duration::from_micros(500));
        trace.add(Step::Wait, Duration::from_micros(2500));
        trace.describe(|photo| {
            photo.format = Some(Format::Png);
            photo.bytes = Some(1000);
            photo.size = Some(Size { width: 40, height: 30 });
        });
        let record = LogRecord {
            function_name: "photos-thumbnail",
            request_id: "8f5c",
            is_cold_start: true,
            key: "trip/a.jpg",
            disposition,
            trace: &trace,
            took: Duration::from_micros(123_456),
            timeout_used: 12.5,
        };
        let text = String::from_utf8(record.formatted()).unwrap();
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn each_number_but_the_sizes_is_a_metric_of_the_function_with_its_unit() {
        let line = line(&Disposition::Ready);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], NAMESPACE);
        assert_eq!(directive["Dimensions"], json!([[FUNCTION_NAME]]));
        assert_eq!(line[FUNCTION_NAME], "photos-thumbnail");
        let metrics = directive["Metrics"].as_array().unwrap();
        let unit = |name| {
            let metric = metrics.iter().find(|metric| metric["Name"] == name);
            assert!(line[name].is_number(), "{name} has no value: {line}");
            metric.map(|metric| metric["Unit"].as_str().unwrap_or("None"))
        };
        for (name, expected) in [
            ("ready", Some("None")),
            ("coldStarts", Some("None")),
            ("bytes", Some("Bytes")),
            ("fetchMs", Some("Milliseconds")),
            ("durationMs", Some("Milliseconds")),
            ("timeoutUsed", Some("Percent")),
            ("peakMemoryMb", Some("Megabytes")),
            ("waitMs", None),
            ("width", None),
            ("height", None),
        ] {
            assert_eq!(unit(name), expected, "{name}: {line}");
        }
        assert_eq!((&line["ready"], &line["fetchMs"]), (&json!(1), &json!(1.5)));
        for metric in metrics {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric} of {line}");
        }
    }

    #[test]
    fn a_step_that_was_not_taken_is_not_measured() {
        let line = line(&Disposition::Ready);
        assert_eq!(line.get("commitMs"), None);
        assert!(!line["_aws"].to_string().contains("commitMs"), "{line}");
    }

    #[test]
    fn each_outcome_has_its_own_count_and_says_why() {
        let quoted = Rejection::Photo(PhotoError::Corrupt("an \"odd\" marker".into()));
        for disposition in [
            Disposition::Ready,
            Disposition::Removed,
            Disposition::Ignored(Ignored::Folder),
            Disposition::Superseded(Superseded::NewerItem),
            Disposition::Rejected(quoted),
            Disposition::Retry(Retry::Closing),
        ] {
            let (line, summary) = (line(&disposition), disposition.summary());
            assert_eq!(
                (&line["level"], &line["outcome"]),
                (&json!(summary.level), &json!(summary.outcome))
            );
            assert_eq!(line[summary.outcome], 1);
            let text = |name| line.get(name).and_then(Value::as_str);
            let (error_type, reason) = summary.reason.unzip();
            assert_eq!((text("errorType"), text("reason")), (error_type, reason.as_deref()));
        }
    }

    #[tokio::test]
    async fn a_step_that_fails_is_timed_too() {
        let trace = Trace::default();
        let failed: Result<(), ()> = trace.time(Step::Store, async { Err(()) }).await;
        assert!(failed.is_err() && trace.notes().took[Step::Store as usize].is_some());
    }

    #[test]
    fn the_line_tells_when_it_was_written_to_people_and_to_cloudwatch() {
        let line = line(&Disposition::Ready);
        let text = line["timestamp"].as_str().unwrap();
        let time = DateTime::parse_from_rfc3339(text).unwrap();
        assert_eq!(line["_aws"]["Timestamp"], time.timestamp_millis());
    }
}
