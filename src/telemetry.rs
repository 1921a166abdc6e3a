//! What the function says of each photo: one JSON line with its fate and where its time went.

use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use metrique_writer_core::format::Format as _;
use metrique_writer_core::unit::{AsBytes, AsMegabytes, AsPercent};
use metrique_writer_core::{Entry, EntryWriter};
use metrique_writer_format_emf::{Emf, NoMetric};
use photo::{Format, Size};

use crate::failure::{Class, Failure};

/// Where CloudWatch keeps the metrics of the photos.
pub const NAMESPACE: &str = "PhotoThumbnails";
/// The dimension by which the metrics of several stacks are told apart.
const FUNCTION_NAME: &str = "FunctionName";

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
    pub dead_letter: Step,
    /// Seeing to it that thumbnail and item agree, where the photo was overtaken.
    pub reconcile: Step,
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
        self.add(started.elapsed());
        output
    }

    /// Keeps how long a step took that was timed elsewhere, and all times together.
    pub fn add(&mut self, took: Duration) {
        self.0 = Some(self.0.unwrap_or_default() + took);
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

/// The line of one photo: a log entry and a measurement in one. CloudWatch makes metrics of its
/// numbers, for each function (CloudWatch User Guide, "Embedding metrics within logs"). So it is
/// written whatever the log level is.
#[derive(Debug)]
pub struct Line<'a> {
    /// The function that writes it.
    pub function_name: &'a str,
    /// Of the invocation.
    pub request_id: &'a str,
    /// Whether this is the first photo of the process.
    pub is_cold_start: bool,
    /// Of the photo.
    pub key: &'a str,
    /// What became of the photo if nothing failed, such as `ready`.
    pub done: &'a str,
    /// Why it is not done.
    pub failure: Option<&'a Failure>,
    /// Where its time went.
    pub steps: &'a Steps,
    /// All of its time.
    pub took: Duration,
    /// How much of the invocation's time is gone, in percent of the function's timeout.
    pub timeout_used: f64,
}

impl Line<'_> {
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
        if let Err(error) = format.format(self, &mut line) {
            tracing::error!(key = self.key, %error, "the line of a photo could not be formatted");
        }
        line
    }

    fn level_and_outcome(&self) -> (&str, &str) {
        match self.failure.map(|failure| failure.class) {
            None => ("INFO", self.done),
            Some(Class::Ignored) => ("INFO", "ignored"),
            Some(Class::Superseded) => ("INFO", "superseded"),
            Some(Class::Permanent) => ("ERROR", "failed"),
            Some(Class::Transient) => ("WARN", "retry"),
        }
    }
}

/// What is only to be read is a text or a [`NoMetric`]; each number becomes a metric.
impl Entry for Line<'_> {
    fn write<'a>(&'a self, writer: &mut impl EntryWriter<'a>) {
        let (steps, (level, outcome)) = (self.steps, self.level_and_outcome());
        let now = SystemTime::now();
        writer.timestamp(now);
        writer.value("timestamp", &rfc_3339(now));
        writer.value("level", level);
        writer.value("message", "photo");
        writer.value(FUNCTION_NAME, self.function_name);
        writer.value("requestId", self.request_id);
        writer.value("coldStarts", &self.is_cold_start.then_some(1u64));
        writer.value("key", self.key);
        writer.value("outcome", outcome);
        writer.value(outcome, &1u64);
        writer.value("errorType", &self.failure.map(|failure| failure.error_type));
        writer.value("reason", &self.failure.map(|failure| failure.message.as_str()));
        writer.value("format", &steps.format.map(Format::name));
        writer.value("bytes", &steps.bytes.map(AsBytes::from));
        writer.value("width", &steps.size.map(|size| NoMetric::from(size.width)));
        writer.value("height", &steps.size.map(|size| NoMetric::from(size.height)));
        writer.value("thumbnailBytes", &steps.thumbnail_bytes.map(AsBytes::from));
        writer.value("fetchMs", &steps.fetch.0);
        writer.value("exifMs", &steps.exif.0);
        writer.value("renderMs", &steps.render.0);
        writer.value("storeMs", &steps.store.0);
        writer.value("commitMs", &steps.commit.0);
        writer.value("deadLetterMs", &steps.dead_letter.0);
        writer.value("reconcileMs", &steps.reconcile.0);
        writer.value("durationMs", &self.took);
        writer.value("timeoutUsed", &AsPercent::from(self.timeout_used));
        writer.value("reducedForMemory", &steps.is_reduced.then_some(1u64));
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
    use serde_json::{Value, json};

    use super::*;

    fn line(steps: &Steps, failure: Option<&Failure>) -> Value {
        let line = Line {
            function_name: "photos-thumbnail",
            request_id: "8f5c",
            is_cold_start: true,
            key: "trip/a.jpg",
            done: "ready",
            failure,
            steps,
            took: Duration::from_micros(123_456),
            timeout_used: 12.5,
        };
        let text = String::from_utf8(line.formatted()).unwrap();
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    fn steps() -> Steps {
        let mut steps = Steps {
            format: Some(Format::Png),
            bytes: Some(1000),
            size: Some(Size { width: 40, height: 30 }),
            ..Steps::default()
        };
        steps.fetch.0 = Some(Duration::from_micros(1500));
        steps
    }

    #[test]
    fn each_number_but_the_sizes_is_a_metric_of_the_function_with_its_unit() {
        let line = line(&steps(), None);
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
        let line = line(&steps(), None);
        assert_eq!(line.get("commitMs"), None);
        assert!(!line["_aws"].to_string().contains("commitMs"), "{line}");
    }

    #[test]
    fn each_class_of_failure_has_its_own_count_and_level() {
        for (failure, level, outcome) in [
            (None, "INFO", "ready"),
            (Some(Failure::gone()), "INFO", "ignored"),
            (Some(Failure::done()), "INFO", "superseded"),
            (Some(Failure::permanent("EmptyPhoto", "it is empty")), "ERROR", "failed"),
            (Some(Failure::transient("SlowDown", "S3 is \"busy\"")), "WARN", "retry"),
        ] {
            let line = line(&steps(), failure.as_ref());
            assert_eq!((&line["level"], &line["outcome"]), (&json!(level), &json!(outcome)));
            assert_eq!(line[outcome], 1);
            let reason = failure.map(|failure| failure.message);
            assert_eq!(line.get("reason").and_then(Value::as_str), reason.as_deref());
        }
    }

    #[test]
    fn the_line_tells_when_it_was_written_to_people_and_to_cloudwatch() {
        let line = line(&steps(), None);
        let text = line["timestamp"].as_str().unwrap();
        let time = DateTime::parse_from_rfc3339(text).unwrap();
        assert_eq!(line["_aws"]["Timestamp"], time.timestamp_millis());
    }
}
