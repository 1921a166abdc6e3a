//! What was measured, as load.json has it: each field is named by its unit, times are UTC by the clock
//! of AWS, and what is not known is null.

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
    /// Of all photos.
    pub total: Figures,
    /// Of the photos of each batch.
    pub batches: Vec<Figures>,
    /// How many letters more the dead-letter queue has than before.
    pub dead_letters: Option<u64>,
    pub cost: Option<Expense>,
    /// CPU time of the function's processes, in ms; null where photos were not done.
    pub cpu_ms_a_photo: Option<f64>,
    /// Of the function's processes, where the stack is on this machine.
    pub usage: Option<Usage>,
    pub photos: Vec<Photo>,
    /// Why photos were not taken: each reason once.
    pub refusals: Vec<String>,
    /// What is not known, and why; and how what is known is to be read.
    pub notes: Vec<String>,
}

/// What was tested.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    pub stack: String,
    pub region: String,
    /// Of a local AWS; null is the real one.
    pub endpoint: Option<String>,
    pub function: String,
    pub architecture: String,
    /// Of the function, in MB of 1024 KB.
    pub memory_mb: u64,
    pub timeout_seconds: u64,
    pub thumbnail_scale: f64,
}

/// What was uploaded, and how.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    pub batches: usize,
    pub batch_size: usize,
    /// Of a steady arrival; null is a burst.
    pub photos_per_second: Option<f64>,
    pub upload: Way,
    pub timeout_seconds: u64,
    /// Where the photos are now: bucket and the beginning of their keys.
    pub place: String,
    pub is_interrupted: bool,
}

/// What the photos would cost in AWS, in dollars per million.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expense {
    pub used: Used,
    pub dollars_per_million: Cost,
    /// The same with the CPU time of the function's processes as its duration.
    pub dollars_per_million_by_cpu_time: Option<Cost>,
}

/// One photo.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    /// From 1.
    pub batch: usize,
    /// In the batch, from 1.
    pub number: usize,
    pub key: String,
    pub outcome: Outcome,
    pub problems: Vec<String>,
    /// When the upload began.
    pub began_at: DateTime<Utc>,
    pub upload_ms: f64,
    /// When the item was READY.
    pub ready_at: Option<DateTime<Utc>>,
    pub latency_ms: Option<f64>,
    pub wait_ms: Option<f64>,
    /// Of the try that made it READY.
    pub steps: Option<Steps>,
    pub duration_ms: Option<f64>,
    /// The most that its processes ever held until then, in MB of 1024 KB.
    pub peak_memory_mb: Option<f64>,
    /// Processes whose first photo it was.
    pub cold_starts: Option<usize>,
    /// Tries that ended in an error.
    pub retries: Option<usize>,
}

/// All that was found out, before it is made figures of.
pub struct Found {
    pub checked: Vec<Checked>,
    pub refusals: Vec<Refusal>,
    /// Or why it cannot be read, as the next.
    pub log: Result<Log, String>,
    /// In the dead-letter queue, more than before.
    pub letters: Result<u64, String>,
    pub usage: Option<Usage>,
    /// Where the photos are, below the prefix of the originals.
    pub album: String,
    pub is_interrupted: bool,
}

impl Report {
    pub fn new(stack: &Stack, options: &Options, found: Found) -> Report {
        let (log, letters) = (found.log.as_ref().ok(), found.letters.as_ref().ok());
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
            dead_letters: letters.copied(),
            cost: log
                .and_then(|log| Expense::of(&stack.function, &found.checked, log, cpu_ms_a_photo)),
            cpu_ms_a_photo,
            refusals: refusals.into_iter().cloned().collect(),
            notes: notes(&found, &photos),
            usage: found.usage,
            photos,
        }
    }

    /// As load.json has it: with three decimals, as nothing was measured more exactly.
    pub fn to_json(&self) -> serde_json::Result<Value> {
        Ok(rounded(serde_json::to_value(self)?))
    }

    /// Whether every photo that was sent is READY and right, and no letter came.
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
            thumbnail_scale: stack.config.rendition.scale,
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

/// The figures of each batch of which anything was sent.
fn batches(count: usize, photos: &[Photo], refusals: &[Refusal]) -> Vec<Figures> {
    let figures = (1..=count).map(|number| {
        let own: Vec<&Photo> = photos.iter().filter(|photo| photo.batch == number).collect();
        let refused = refusals.iter().filter(|refusal| refusal.batch + 1 == number).count();
        Figures::of(Some(number), &own, refused)
    });
    figures.filter(|figures| figures.photos + figures.refused > 0).collect()
}

/// None where photos were not done: who knows what of their time is spent, and what is yet to come.
fn cpu_ms_a_photo(photos: &[Photo], usage: Option<&Usage>) -> Option<f64> {
    let is_done = |photo: &Photo| match photo.outcome {
        Outcome::Ready | Outcome::Wrong | Outcome::Failed => true,
        Outcome::Lost | Outcome::Unfinished => false,
    };
    let are_done = !photos.is_empty() && photos.iter().all(is_done);
    usage.filter(|_| are_done).map(|usage| usage.cpu_ms as f64 / photos.len() as f64)
}

/// What is not known, and why.
fn notes(found: &Found, photos: &[Photo]) -> Vec<String> {
    let log = match &found.log {
        Ok(log) => incomplete(log, photos),
        Err(reason) => Some(format!(
            "Steps, waits, cold starts, retries, memory and cost are not known: {reason}"
        )),
    };
    let letters = found.letters.as_ref().err();
    let letters =
        letters.map(|reason| format!("How many dead letters there are is not known: {reason}"));
    let is_elsewhere = found.usage.is_none();
    let usage = "The function's CPU time is not known: its processes are not on this machine";
    [log, letters, is_elsewhere.then(|| usage.to_owned())].into_iter().flatten().collect()
}

/// What a log lacks that was given up.
fn incomplete(log: &Log, photos: &[Photo]) -> Option<String> {
    let ready: Vec<&Photo> =
        photos.iter().filter(|photo| photo.outcome == Outcome::Ready).collect();
    let (silent, ready) = (ready.iter().filter(|photo| photo.steps.is_none()).count(), ready.len());
    if silent > 0 {
        return Some(format!(
            "The log has no line of {silent} of {ready} READY photos: steps, waits and costs are \
             those of the others"
        ));
    }
    let is_unreported = log.invocations.is_empty() && !log.photos.is_empty();
    let note = "The log has no reports of Lambda: costs are by the time of the photos alone";
    is_unreported.then(|| note.to_owned())
}

impl Photo {
    fn new(checked: &Checked, log: Option<&Log>) -> Photo {
        let Checked { upload, outcome, problems, uploaded_at, processed_at, .. } = checked;
        let tries: Option<Vec<&PhotoLine>> = log.map(|log| log.tries(&upload.key).collect());
        let line = log.and_then(|log| log.ready(&upload.key));
        let steps = line.map(|line| line.steps);
        // Processed is when the item was made; READY is when it was written.
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
            // An upload ends when S3 says so: then this machine's clock need not be AWS's.
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

/// What the function logged last of a photo that was lost.
fn last_words(outcome: Outcome, tries: Option<&Vec<&PhotoLine>>) -> Option<String> {
    let last = tries?.last().filter(|_| outcome == Outcome::Lost)?;
    let error = last.error_type.as_deref().unwrap_or("no error");
    Some(format!("the last that the log says of it is {}, {error}", last.outcome))
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
