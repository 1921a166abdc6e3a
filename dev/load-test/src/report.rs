//! The contents of load.json: the name of a field has its unit, times are UTC by the clock of AWS, and
//! unknown values are null.

use std::collections::BTreeSet;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use thumbnailer::config::Config;

use crate::check::{Checked, Outcome};
use crate::cost::{self, Cost, Used};
use crate::figures::Figures;
use crate::log::{Log, PhotoLine, Steps, milliseconds};
use crate::options::{Options, Way};
use crate::processes::Usage;
use crate::run::Refusal;
use crate::stack::{Function, Stack};

/// The whole of load.json.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub target: Target,
    pub load: Load,
    /// Figures of all photos.
    pub total: Figures,
    /// Figures of each batch.
    pub batches: Vec<Figures>,
    /// Messages that the dead-letter queue gained during the test.
    pub dead_letters: Option<u64>,
    pub cost: Option<Expense>,
    /// CPU time of the function's processes per photo, in ms; null if a photo was not done.
    pub cpu_ms_a_photo: Option<f64>,
    /// CPU time and memory of the function's processes, if the stack is on this machine.
    pub usage: Option<Usage>,
    pub photos: Vec<Photo>,
    /// Reasons why photos were refused, each once.
    pub refusals: Vec<String>,
    /// Values that are unknown or partial, and why.
    pub notes: Vec<String>,
}

/// The stack under test.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    pub stack: String,
    pub region: String,
    /// Endpoint of a local AWS; null for the real one.
    pub endpoint: Option<String>,
    pub function: String,
    pub architecture: String,
    /// Memory of the function, in MB of 1024 KB.
    pub memory_mb: u64,
    pub timeout_seconds: u64,
    /// Names of the renditions, the default one first.
    pub renditions: Vec<String>,
}

/// The uploads of the test.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    pub batches: usize,
    pub batch_size: usize,
    /// Rate of a steady arrival; null for a burst.
    pub photos_per_second: Option<f64>,
    pub upload: Way,
    pub timeout_seconds: u64,
    /// Bucket and common key prefix of the photos.
    pub place: String,
    pub is_interrupted: bool,
}

/// Cost of the photos in AWS, in dollars per million.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expense {
    pub used: Used,
    pub dollars_per_million: Cost,
    /// The same, if the function only took its CPU time.
    pub dollars_per_million_by_cpu_time: Option<Cost>,
}

/// One photo.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    /// Number of the batch, from 1.
    pub batch: usize,
    /// Number in the batch, from 1.
    pub number: usize,
    pub key: String,
    pub outcome: Outcome,
    pub problems: Vec<String>,
    /// Time when the upload began.
    pub began_at: DateTime<Utc>,
    pub upload_ms: f64,
    /// Time when the item was READY.
    pub ready_at: Option<DateTime<Utc>>,
    pub latency_ms: Option<f64>,
    pub wait_ms: Option<f64>,
    /// Steps of the try that made the photo READY.
    pub steps: Option<Steps>,
    pub duration_ms: Option<f64>,
    /// Highest peak memory of its processes until then, in MB of 1024 KB.
    pub peak_memory_mb: Option<f64>,
    /// Number of processes whose first photo it was.
    pub cold_starts: Option<usize>,
    /// Number of tries that ended in an error.
    pub retries: Option<usize>,
}

/// The findings from which the report is computed.
pub struct Found {
    pub checked: Vec<Checked>,
    pub refusals: Vec<Refusal>,
    /// Log lines, or why they cannot be read.
    pub log: Result<Log, String>,
    /// Messages that the dead-letter queue gained, or why they cannot be counted.
    pub dead_letters: Result<u64, String>,
    pub usage: Option<Usage>,
    /// Album of the photos, below the prefix of the originals.
    pub album: String,
    pub is_interrupted: bool,
}

impl Report {
    pub fn new(stack: &Stack, options: &Options, found: Found) -> Report {
        let log = found.log.as_ref().ok();
        let photos: Vec<Photo> =
            found.checked.iter().map(|checked| Photo::new(checked, log)).collect();
        let cpu_ms_a_photo = cpu_ms_a_photo(&photos, found.usage.as_ref());
        let refusals: BTreeSet<&String> =
            found.refusals.iter().map(|refusal| &refusal.reason).collect();
        Report {
            target: Target::of(stack),
            load: Load::of(stack, options, &found),
            total: Figures::of(None, &photos.iter().collect::<Vec<_>>(), found.refusals.len()),
            batches: batches(options.batches, &photos, &found.refusals),
            dead_letters: found.dead_letters.as_ref().ok().copied(),
            cost: log
                .and_then(|log| Expense::of(&stack.function, &found.checked, log, cpu_ms_a_photo)),
            cpu_ms_a_photo,
            refusals: refusals.into_iter().cloned().collect(),
            notes: notes(&found, &photos),
            usage: found.usage,
            photos,
        }
    }

    /// The contents of load.json. Numbers have three decimals, as nothing was measured more exactly.
    pub fn to_json(&self) -> serde_json::Result<Value> {
        Ok(rounded(serde_json::to_value(self)?))
    }

    /// Whether every uploaded photo is READY and correct, and no dead letter came.
    pub fn is_good(&self) -> bool {
        let Figures { wrong, failed, lost, refused, .. } = self.total;
        wrong + failed + lost + refused == 0 && self.dead_letters.unwrap_or(0) == 0
    }
}

fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or(Value::Null, |number| ((number * 1e3).round() / 1e3).into())
        }
        Value::Array(values) => values.into_iter().map(rounded).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, rounded(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

impl Target {
    fn of(stack: &Stack) -> Target {
        let Function { name, architecture, memory_mb, timeout_seconds, .. } = &stack.function;
        Target {
            stack: stack.name.clone(),
            region: stack.region().to_owned(),
            endpoint: stack.endpoint().map(str::to_owned),
            function: name.clone(),
            architecture: architecture.clone(),
            memory_mb: *memory_mb,
            timeout_seconds: *timeout_seconds,
            renditions: stack.config.renditions.iter().map(|one| one.name.clone()).collect(),
        }
    }
}

impl Load {
    fn of(stack: &Stack, options: &Options, found: &Found) -> Load {
        let Config { originals_bucket, originals_prefix, .. } = &stack.config;
        Load {
            batches: options.batches,
            batch_size: options.batch_size,
            photos_per_second: options.rate,
            upload: options.upload,
            timeout_seconds: options.timeout,
            place: format!("s3://{originals_bucket}/{originals_prefix}{}/", found.album),
            is_interrupted: found.is_interrupted,
        }
    }
}

/// Figures of each batch that was begun.
fn batches(count: usize, photos: &[Photo], refusals: &[Refusal]) -> Vec<Figures> {
    let figures = (1..=count).map(|number| {
        let own: Vec<&Photo> = photos.iter().filter(|photo| photo.batch == number).collect();
        let refused = refusals.iter().filter(|refusal| refusal.batch + 1 == number).count();
        Figures::of(Some(number), &own, refused)
    });
    figures.filter(|figures| figures.photos + figures.refused > 0).collect()
}

/// None if a photo was not done: more CPU time may follow.
fn cpu_ms_a_photo(photos: &[Photo], usage: Option<&Usage>) -> Option<f64> {
    let is_done = |photo: &Photo| match photo.outcome {
        Outcome::Ready | Outcome::Wrong | Outcome::Failed => true,
        Outcome::Lost | Outcome::Unfinished => false,
    };
    let are_done = !photos.is_empty() && photos.iter().all(is_done);
    usage.filter(|_| are_done).map(|usage| usage.cpu_ms as f64 / photos.len() as f64)
}

/// Notes about values that are unknown or partial.
fn notes(found: &Found, photos: &[Photo]) -> Vec<String> {
    let log = match &found.log {
        Ok(log) => incomplete(log, photos),
        Err(reason) => Some(format!(
            "Steps, waits, cold starts, retries, memory and cost are not known: {reason}"
        )),
    };
    let dead_letters = found.dead_letters.as_ref().err();
    let dead_letters =
        dead_letters.map(|reason| format!("The number of dead letters is not known: {reason}"));
    let is_elsewhere = found.usage.is_none();
    let usage = "The function's CPU time is not known: its processes are not on this machine";
    [log, dead_letters, is_elsewhere.then(|| usage.to_owned())].into_iter().flatten().collect()
}

/// A note about the lines that the log lacks.
fn incomplete(log: &Log, photos: &[Photo]) -> Option<String> {
    let ready: Vec<&Photo> =
        photos.iter().filter(|photo| photo.outcome == Outcome::Ready).collect();
    let (silent, ready) = (ready.iter().filter(|photo| photo.steps.is_none()).count(), ready.len());
    if silent > 0 {
        return Some(format!(
            "The log has no line about {silent} of {ready} READY photos: steps, waits and costs are \
             those of the others"
        ));
    }
    let is_unreported = log.invocations.is_empty() && !log.photos.is_empty();
    let note = "The log has no reports by Lambda: costs are computed from the photos' durations";
    is_unreported.then(|| note.to_owned())
}

impl Photo {
    fn new(checked: &Checked, log: Option<&Log>) -> Photo {
        let Checked { upload, outcome, problems, uploaded_at, processed_at, .. } = checked;
        let tries: Option<Vec<&PhotoLine>> = log.map(|log| log.tries(&upload.key).collect());
        let line = log.and_then(|log| log.ready(&upload.key));
        let steps = line.map(|line| line.steps);
        // `processedAt` is when the item was made; the photo is READY once it is written.
        let commit =
            steps.and_then(|steps| steps.commit_ms).map_or(TimeDelta::zero(), milliseconds);
        let ready_at = processed_at.filter(|_| *outcome == Outcome::Ready).map(|at| at + commit);
        let took = TimeDelta::from_std(upload.took).unwrap_or_default();
        let count = |has: fn(&PhotoLine) -> bool| {
            tries.as_ref().map(|tries| tries.iter().filter(|line| has(line)).count())
        };
        let memory = tries.iter().flatten().filter_map(|line| line.peak_memory_mb);
        Photo {
            batch: upload.batch + 1,
            number: upload.number + 1,
            key: upload.key.clone(),
            outcome: *outcome,
            problems: problems
                .iter()
                .cloned()
                .chain(last_words(*outcome, tries.as_ref()))
                .collect(),
            // Counted back from S3's own time, as this machine's clock may differ from AWS's.
            began_at: uploaded_at.map_or(upload.began, |at| at - took).trunc_subsecs(3),
            upload_ms: ms(took),
            ready_at: ready_at.map(|at| at.trunc_subsecs(3)),
            latency_ms: since(*uploaded_at, ready_at),
            wait_ms: since(*uploaded_at, line.map(PhotoLine::started)),
            steps,
            duration_ms: line.map(|line| line.duration_ms),
            peak_memory_mb: memory.reduce(f64::max),
            cold_starts: count(|line| line.cold_starts.is_some()),
            retries: count(PhotoLine::is_retried),
        }
    }
}

/// A problem that quotes the last log line about a lost photo.
fn last_words(outcome: Outcome, tries: Option<&Vec<&PhotoLine>>) -> Option<String> {
    let last = tries?.last().filter(|_| outcome == Outcome::Lost)?;
    let error = last.error_type.as_deref().unwrap_or("no error");
    Some(format!("the last log line about it says {}, {error}", last.outcome))
}

/// From one time to another, in ms.
pub fn since(start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) -> Option<f64> {
    Some(ms(end? - start?))
}

fn ms(duration: TimeDelta) -> f64 {
    duration.as_seconds_f64() * 1000.0
}

impl Expense {
    fn of(
        function: &Function,
        checked: &[Checked],
        log: &Log,
        cpu_ms_a_photo: Option<f64>,
    ) -> Option<Expense> {
        let count = |step: fn(&Steps) -> Option<f64>| {
            log.photos.iter().filter(|line| step(&line.steps).is_some()).count()
        };
        let logged: Vec<&Checked> = checked
            .iter()
            .filter(|checked| log.tries(&checked.upload.key).next().is_some())
            .collect();
        let photos = logged.len();
        let used = Used {
            photos,
            invocations: log.invocation_count(),
            gb_seconds: cost::gb_seconds(log.billed_ms(), function.memory_mb),
            puts: photos + count(|steps| steps.store_ms),
            gets: count(|steps| steps.fetch_ms),
            heads: count(|steps| steps.reconcile_ms),
            write_units: logged.iter().map(|checked| checked.write_units).sum(),
        };
        let price = cost::gb_second(&function.architecture);
        let by_cpu_time = cpu_ms_a_photo.and_then(|cpu_ms| {
            let gb_seconds = cost::gb_seconds(cpu_ms * photos as f64, function.memory_mb);
            Cost::of(&Used { gb_seconds, ..used }, price)
        });
        Some(Expense {
            used,
            dollars_per_million: Cost::of(&used, price)?,
            dollars_per_million_by_cpu_time: by_cpu_time,
        })
    }
}
