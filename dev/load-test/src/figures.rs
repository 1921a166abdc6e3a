//! Figures computed from the measurements of several photos.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::check::Outcome;
use crate::log::Steps;
use crate::report::{Photo, since};
use crate::statistics::Spread;

/// Figures of several photos.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Number of the batch, from 1; null for all photos.
    pub number: Option<usize>,
    /// Number of photos that S3 accepted.
    pub photos: usize,
    pub ready: usize,
    /// READY photos whose item or thumbnail is wrong.
    pub wrong: usize,
    /// Photos that the function rejected.
    pub failed: usize,
    /// Photos that were not done in time.
    pub lost: usize,
    /// Photos that an interrupted test did not wait for.
    pub unfinished: usize,
    /// Photos that the upload-url function or S3 refused.
    pub refused: usize,
    /// Time when the first upload began.
    pub began_at: Option<DateTime<Utc>>,
    /// Seconds from then until the last photo was READY.
    pub seconds: Option<f64>,
    /// READY photos per second of this time.
    pub photos_per_second: Option<f64>,
    /// Time from when S3 had the photo until it was READY.
    pub latency_ms: Option<Spread>,
    pub upload_ms: Option<Spread>,
    /// Time from when S3 had the photo until the function began with it: events, queues, cold starts and
    /// tries that failed.
    pub wait_ms: Option<Spread>,
    /// The function's time for a photo.
    pub duration_ms: Option<Spread>,
    pub fetch_ms: Option<Spread>,
    pub inspect_ms: Option<Spread>,
    pub render_ms: Option<Spread>,
    pub store_ms: Option<Spread>,
    pub commit_ms: Option<Spread>,
    pub reconcile_ms: Option<Spread>,
    /// Number of processes whose first photo was one of these.
    pub cold_starts: Option<usize>,
    /// Number of tries that ended in an error, so that Lambda tried again.
    pub retries: Option<usize>,
    /// Highest peak memory of a process, in MB of 1024 KB.
    pub peak_memory_mb: Option<f64>,
}

impl Figures {
    pub fn of(number: Option<usize>, photos: &[&Photo], refused: usize) -> Figures {
        let count = |outcome| photos.iter().filter(|photo| photo.outcome == outcome).count();
        let spread = |value: fn(&Photo) -> Option<f64>| {
            Spread::of(photos.iter().filter_map(|photo| value(photo)))
        };
        let step = |value: fn(&Steps) -> Option<f64>| {
            Spread::of(photos.iter().filter_map(|photo| value(photo.steps.as_ref()?)))
        };
        let ready = count(Outcome::Ready);
        let began_at = photos.iter().map(|photo| photo.began_at).min();
        let ended_at = photos.iter().filter_map(|photo| photo.ready_at).max();
        let seconds = since(began_at, ended_at).map(|ms| ms / 1000.0);
        let sum =
            |count: fn(&Photo) -> Option<usize>| photos.iter().map(|photo| count(photo)).sum();
        Figures {
            number,
            photos: photos.len(),
            ready,
            wrong: count(Outcome::Wrong),
            failed: count(Outcome::Failed),
            lost: count(Outcome::Lost),
            unfinished: count(Outcome::Unfinished),
            refused,
            began_at,
            seconds,
            photos_per_second: seconds.map(|seconds| ready as f64 / seconds),
            latency_ms: spread(|photo| photo.latency_ms),
            upload_ms: spread(|photo| Some(photo.upload_ms)),
            wait_ms: spread(|photo| photo.wait_ms),
            duration_ms: spread(|photo| photo.duration_ms),
            fetch_ms: step(|steps| steps.fetch_ms),
            inspect_ms: step(|steps| steps.inspect_ms),
            render_ms: step(|steps| steps.render_ms),
            store_ms: step(|steps| steps.store_ms),
            commit_ms: step(|steps| steps.commit_ms),
            reconcile_ms: step(|steps| steps.reconcile_ms),
            cold_starts: sum(|photo| photo.cold_starts),
            retries: sum(|photo| photo.retries),
            peak_memory_mb: photos.iter().filter_map(|photo| photo.peak_memory_mb).reduce(f64::max),
        }
    }
}
