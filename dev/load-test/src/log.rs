//! The function's log lines about photos, and Lambda's about invocations.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::interrupt::Interrupt;
use crate::stack::Stack;

/// Longest wait for the last lines: CloudWatch Logs has them seconds after they were written.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same in a local AWS, which has them at once or only after the process's next invocation.
const LOCAL_PATIENCE: Duration = Duration::from_secs(3);
/// Pause between two readings.
const PACE: Duration = Duration::from_millis(500);
/// How far this machine's clock may be ahead of AWS's.
const CLOCK_MARGIN: TimeDelta = TimeDelta::minutes(1);

/// The lines about the photos of a run.
#[derive(Debug, Default, PartialEq)]
pub struct Log {
    /// Lines about photos, in the order in which they were read.
    pub photos: Vec<PhotoLine>,
    /// Invocations that processed these photos.
    pub invocations: Vec<Invocation>,
}

/// The function's line about one try of one photo (src/telemetry.rs).
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PhotoLine {
    /// Time when the try ended, by Lambda's clock.
    pub timestamp: DateTime<Utc>,
    pub request_id: String,
    pub key: String,
    pub outcome: String,
    pub error_type: Option<String>,
    pub reason: Option<String>,
    /// 1 for the first photo of a process.
    pub cold_starts: Option<u64>,
    #[serde(flatten)]
    pub steps: Steps,
    /// Duration of the whole try, in ms.
    pub duration_ms: f64,
    /// Peak memory of the process until then, in MB of 1024 KB.
    pub peak_memory_mb: Option<f64>,
}

/// Duration of each step in ms; none for a step that was not reached.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Steps {
    pub fetch_ms: Option<f64>,
    pub inspect_ms: Option<f64>,
    pub render_ms: Option<f64>,
    pub store_ms: Option<f64>,
    pub commit_ms: Option<f64>,
    pub reconcile_ms: Option<f64>,
}

/// Lambda's report of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    pub request_id: String,
    pub billed_ms: f64,
}

/// A log line about a photo or an invocation.
#[derive(Debug, PartialEq)]
enum Line {
    Photo(Box<PhotoLine>),
    Invocation(Invocation),
}

/// Reads the lines about the photos whose keys begin with `prefix`, until each key in `ready` has a line
/// and each invocation of these photos has its report, or until the wait has lasted too long.
pub async fn read(
    stack: &Stack,
    since: DateTime<Utc>,
    prefix: &str,
    ready: &HashSet<&str>,
    interrupt: &Interrupt,
) -> Result<Log, String> {
    let patience = if stack.endpoint().is_some() { LOCAL_PATIENCE } else { PATIENCE };
    let started = Instant::now();
    loop {
        let messages = stack.log(since - CLOCK_MARGIN).await?;
        let log = Log::of(&messages, prefix);
        let is_late = started.elapsed() > patience || interrupt.came();
        if log.is_whole(ready) || is_late {
            return Ok(log);
        }
        sleep(PACE).await;
    }
}

impl Log {
    fn of(messages: &[String], prefix: &str) -> Log {
        let (mut photos, mut invocations) = (Vec::new(), Vec::new());
        for line in messages.iter().filter_map(|message| read_line(message)) {
            match line {
                Line::Photo(line) if line.key.starts_with(prefix) => photos.push(*line),
                Line::Photo(_) => {}
                Line::Invocation(line) => invocations.push(line),
            }
        }
        let ids: HashSet<&str> = photos.iter().map(|line| line.request_id.as_str()).collect();
        invocations.retain(|line| ids.contains(line.request_id.as_str()));
        Log { photos, invocations }
    }

    fn is_whole(&self, ready: &HashSet<&str>) -> bool {
        let keys: HashSet<&str> = self.photos.iter().map(|line| line.key.as_str()).collect();
        let reported: HashSet<&str> =
            self.invocations.iter().map(|line| line.request_id.as_str()).collect();
        ready.is_subset(&keys)
            && self.photos.iter().all(|line| reported.contains(line.request_id.as_str()))
    }

    /// The line of the try that made a photo READY.
    pub fn ready(&self, key: &str) -> Option<&PhotoLine> {
        self.tries(key).find(|line| line.outcome == "ready")
    }

    /// All tries of a photo.
    pub fn tries(&self, key: &str) -> impl Iterator<Item = &PhotoLine> {
        self.photos.iter().filter(move |line| line.key == key)
    }

    /// Number of invocations for these photos. Without reports by Lambda, each try counts as one.
    pub fn invocation_count(&self) -> usize {
        if self.invocations.is_empty() { self.photos.len() } else { self.invocations.len() }
    }

    /// The time that Lambda bills for these invocations, in ms. Without reports by Lambda, the sum of the
    /// tries, each rounded up to a whole millisecond as Lambda does.
    pub fn billed_ms(&self) -> f64 {
        if self.invocations.is_empty() {
            self.photos.iter().map(|line| line.duration_ms.ceil()).sum()
        } else {
            self.invocations.iter().map(|invocation| invocation.billed_ms).sum()
        }
    }
}

impl PhotoLine {
    /// Whether the try ended in an error, so that Lambda tries again.
    pub fn is_retried(&self) -> bool {
        self.outcome == "retry"
    }

    /// Time when the try began, by Lambda's clock.
    pub fn started(&self) -> DateTime<Utc> {
        self.timestamp - milliseconds(self.duration_ms)
    }
}

pub fn milliseconds(number: f64) -> TimeDelta {
    TimeDelta::microseconds((number * 1000.0) as i64)
}

fn read_line(message: &str) -> Option<Line> {
    if let Some(report) = message.strip_prefix("REPORT RequestId: ") {
        return read_report(report).map(Line::Invocation);
    }
    let line: Value = serde_json::from_str(message).ok()?;
    if line["message"] == "photo" {
        return serde_json::from_value(line).ok().map(|line| Line::Photo(Box::new(line)));
    }
    if line["type"] == "platform.report" {
        let record = &line["record"];
        return Some(Line::Invocation(Invocation {
            request_id: record["requestId"].as_str()?.to_owned(),
            billed_ms: record["metrics"]["billedDurationMs"].as_f64()?,
        }));
    }
    None
}

/// The report of a function whose logs are text: fields separated by tabs (Lambda Developer Guide,
/// "Viewing logs for Lambda functions").
fn read_report(report: &str) -> Option<Invocation> {
    let mut fields = report.split('\t');
    let request_id = fields.next()?.trim().to_owned();
    let billed = fields.find_map(|field| field.strip_prefix("Billed Duration: "))?;
    let billed_ms = billed.trim_end().strip_suffix(" ms")?.parse().ok()?;
    Some(Invocation { request_id, billed_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHOTO: &str = r#"{"_aws":{"CloudWatchMetrics":[],"Timestamp":1795390533288},
        "FunctionName":"photos-thumbnail","coldStarts":1,"ready":1,"fetchMs":37.25,"inspectMs":0.9,
        "renderMs":106.5,"storeMs":6.9,"commitMs":6.7,"reconcileMs":2.1,"durationMs":160.4,
        "peakMemoryMb":44.8,"timestamp":"2026-11-22T13:03:13.288000Z","level":"INFO",
        "message":"photo","requestId":"8f5c","key":"load/1/a.jpg","outcome":"ready"}"#;

    fn log(messages: &[&str]) -> Log {
        let messages: Vec<String> = messages.iter().map(|&message| message.to_owned()).collect();
        Log::of(&messages, "load/1/")
    }

    #[test]
    fn a_photos_line_tells_its_steps_and_when_it_began() {
        let log = log(&[PHOTO]);
        let line = log.ready("load/1/a.jpg").unwrap();
        let steps = Steps {
            fetch_ms: Some(37.25),
            inspect_ms: Some(0.9),
            render_ms: Some(106.5),
            store_ms: Some(6.9),
            commit_ms: Some(6.7),
            reconcile_ms: Some(2.1),
        };
        assert_eq!(line.steps, steps);
        assert_eq!(line.started().to_rfc3339(), "2026-11-22T13:03:13.127600+00:00");
        assert_eq!((line.cold_starts, line.peak_memory_mb), (Some(1), Some(44.8)));
    }

    #[test]
    fn a_try_that_failed_is_a_retry_and_has_only_the_steps_that_it_reached() {
        let retry = r#"{"timestamp":"2026-11-22T13:03:12Z","message":"photo","requestId":"8f5c",
            "key":"load/1/a.jpg","outcome":"retry","errorType":"SlowDown","reason":"S3 is busy",
            "fetchMs":12000.5,"durationMs":12001.0}"#;
        let log = log(&[retry, PHOTO]);
        let retried: Vec<bool> = log.tries("load/1/a.jpg").map(PhotoLine::is_retried).collect();
        assert_eq!(retried, [true, false]);
        assert_eq!(log.tries("load/1/b.jpg").count(), 0);
        assert_eq!(log.photos[0].steps.render_ms, None);
        assert_eq!(log.photos[0].error_type.as_deref(), Some("SlowDown"));
        assert_eq!(log.ready("load/1/a.jpg").unwrap().outcome, "ready");
    }

    #[test]
    fn a_report_is_read_as_json_and_as_text_where_its_invocation_had_a_photo_of_the_run() {
        let json = r#"{"time":"2026-11-22T13:03:13.290Z","type":"platform.report","record":
            {"requestId":"8f5c","metrics":{"durationMs":165.02,"billedDurationMs":166,
            "memorySizeMB":1769,"maxMemoryUsedMB":45,"initDurationMs":22.1},"status":"success"}}"#;
        let text = "REPORT RequestId: 8f5c\tDuration: 165.02 ms\tBilled Duration: 166 ms\tMemory \
                    Size: 1769 MB\tMax Memory Used: 45 MB";
        let other = text.replace("8f5c", "9a9a");
        for report in [json, text] {
            let expected = Invocation { request_id: "8f5c".into(), billed_ms: 166.0 };
            let log = log(&[PHOTO, report, &other]);
            assert_eq!(log.invocations, [expected], "{report}");
            assert_eq!((log.invocation_count(), log.billed_ms()), (1, 166.0));
        }
    }

    #[test]
    fn without_reports_a_try_counts_as_an_invocation_of_its_own_time() {
        let log = log(&[PHOTO]);
        assert_eq!((log.invocation_count(), log.billed_ms()), (1, 161.0));
    }

    #[test]
    fn lines_of_others_are_left_out() {
        let other = PHOTO.replace("load/1/a.jpg", "load/12/a.jpg");
        let start = "START RequestId: 8f5c Version: $LATEST";
        let event = r#"{"level":"INFO","message":"event","outcome":"ignored"}"#;
        assert_eq!(log(&[&other, start, event, "[1, 2]", ""]), Log::default());
    }

    #[test]
    fn the_log_is_whole_with_a_line_of_each_photo_and_each_report() {
        let report = "REPORT RequestId: 8f5c\tDuration: 1 ms\tBilled Duration: 1 ms";
        let ready = HashSet::from(["load/1/a.jpg"]);
        assert!(log(&[PHOTO, report]).is_whole(&ready));
        assert!(!log(&[PHOTO]).is_whole(&ready));
        assert!(!log(&[report]).is_whole(&ready));
    }
}
