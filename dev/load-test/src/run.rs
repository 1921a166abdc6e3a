//! The load itself: batches of photos uploaded, and waited for.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::{join, join_all};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::interrupt::Interrupt;
use crate::options::{Options, Way};
use crate::photos::Photo;
use crate::progress::{Bar, Progress};
use crate::stack::{Slot, Stack};

/// Pause between two looks at the table. The item says to the millisecond when its photo was READY.
const PACE: Duration = Duration::from_millis(250);

/// The uploads of a test.
pub struct Run {
    /// Uploads in the order in which they ended.
    pub uploads: Vec<Upload>,
    /// Photos that were refused, and why.
    pub refusals: Vec<Refusal>,
    /// Time when the first upload began.
    pub began: DateTime<Utc>,
    /// Album of all photos, below the prefix of the originals.
    pub album: String,
}

/// A photo that S3 has accepted.
pub struct Upload {
    /// Number of the batch, from 0.
    pub batch: usize,
    /// Number of the photo in its batch, from 0.
    pub number: usize,
    pub key: String,
    pub etag: String,
    /// Time when the upload began, by this machine's clock.
    pub began: DateTime<Utc>,
    pub took: Duration,
}

/// A photo that the upload-url function or S3 has refused.
pub struct Refusal {
    /// Number of the batch, from 0.
    pub batch: usize,
    pub reason: String,
}

/// Uploads all batches, and waits until each photo is done or late, or until an interruption.
pub async fn run(
    stack: &Stack,
    photos: &[Photo],
    options: &Options,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<Run, String> {
    let began = Utc::now();
    let load = Load {
        stack,
        photos,
        options,
        interrupt,
        album: format!("load/{}", began.format("%Y%m%dT%H%M%SZ")),
        uploads: RefCell::default(),
        refusals: RefCell::default(),
        open: RefCell::default(),
    };
    match options.spacing() {
        Some(spacing) => load.batches(0..options.batches, spacing, progress).await?,
        None => {
            for batch in 0..options.batches {
                load.batches(batch..batch + 1, Duration::ZERO, progress).await?;
            }
        }
    }
    Ok(Run {
        uploads: load.uploads.into_inner(),
        refusals: load.refusals.into_inner(),
        began,
        album: load.album,
    })
}

/// A run under way.
struct Load<'a> {
    stack: &'a Stack,
    photos: &'a [Photo],
    options: &'a Options,
    interrupt: &'a Interrupt,
    album: String,
    uploads: RefCell<Vec<Upload>>,
    refusals: RefCell<Vec<Refusal>>,
    /// Keys of the photos that are not done, each with the time from which it is late.
    open: RefCell<Vec<(String, Instant)>>,
}

impl Load<'_> {
    /// Uploads these batches, one photo after another, and waits for all of them.
    async fn batches(
        &self,
        batches: Range<usize>,
        spacing: Duration,
        progress: &Progress,
    ) -> Result<(), String> {
        if self.interrupt.came() {
            return Ok(());
        }
        let size = self.options.batch_size;
        let name = match batches.len() {
            1 => format!("batch {} of {}", batches.start + 1, self.options.batches),
            count => format!("{count} batches"),
        };
        let total = batches.len() * size;
        let bars = ["uploaded", "done"].map(|what| progress.bar(format!("{name}, {what}"), total));
        let [uploaded, done] = &bars;
        let started = Instant::now();
        let is_sent = Cell::new(false);
        let send = async {
            join_all(batches.clone().map(|batch| {
                let started = started + spacing * ((batch - batches.start) * size) as u32;
                self.batch(batch, started, spacing, uploaded)
            }))
            .await;
            is_sent.set(true);
        };
        let ((), watched) = join(send, self.watch(&is_sent, done)).await;
        watched
    }

    /// Uploads the photos of a batch, each at its time.
    async fn batch(&self, batch: usize, started: Instant, spacing: Duration, uploaded: &Bar) {
        tokio::select! {
            () = sleep_until(started) => {}
            () = self.interrupt.wait() => return,
        }
        let photos = self.photos.iter().cycle().take(self.options.batch_size);
        let photos: Vec<&Photo> = photos.collect();
        let slots = match self.slots(batch, &photos).await {
            Ok(slots) => slots,
            Err(reason) => {
                let refusal = |_| Refusal { batch, reason: reason.clone() };
                return self.refusals.borrow_mut().extend(photos.iter().map(refusal));
            }
        };
        join_all(slots.iter().zip(photos).enumerate().map(async |(number, (slot, photo))| {
            let upload = async {
                sleep_until(started + spacing * number as u32).await;
                self.upload(batch, number, slot, photo, uploaded).await;
            };
            tokio::select! {
                () = upload => {}
                () = self.interrupt.wait() => {}
            }
        }))
        .await;
    }

    /// The places to upload the photos of a batch to.
    async fn slots(&self, batch: usize, photos: &[&Photo]) -> Result<Vec<Slot>, String> {
        let album = format!("{}/{}", self.album, batch + 1);
        match self.options.upload {
            Way::Presigned => self.stack.upload_urls(&album, photos).await,
            Way::Direct => {
                let prefix = &self.stack.config.originals_prefix;
                let names = photos.iter().enumerate();
                let key = |(number, photo): (usize, &&Photo)| {
                    Slot::Key(format!("{prefix}{album}/{:03}-{}", number + 1, photo.name))
                };
                Ok(names.map(key).collect())
            }
        }
    }

    async fn upload(
        &self,
        batch: usize,
        number: usize,
        slot: &Slot,
        photo: &Photo,
        uploaded: &Bar,
    ) {
        let (began, started) = (Utc::now(), Instant::now());
        let limit = self.options.timeout();
        let outcome = timeout(limit, self.stack.upload(slot, photo)).await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(format!("the upload took more than {limit:?}")));
        match outcome {
            Ok(etag) => {
                let (key, took) = (slot.key().to_owned(), started.elapsed());
                self.open.borrow_mut().push((key.clone(), Instant::now() + limit));
                self.uploads.borrow_mut().push(Upload { batch, number, key, etag, began, took });
                uploaded.advance();
            }
            Err(reason) => {
                let reason = format!("{}: {reason}", photo.name);
                self.refusals.borrow_mut().push(Refusal { batch, reason });
            }
        }
    }

    /// Reads the items until all uploaded photos are done or late.
    async fn watch(&self, is_sent: &Cell<bool>, done: &Bar) -> Result<(), String> {
        loop {
            // Read before the items, so that photos sent in between are looked for once more.
            let is_last = is_sent.get();
            let now = Instant::now();
            self.open.borrow_mut().retain(|(_, late)| *late > now);
            let keys: Vec<String> = self.open.borrow().iter().map(|(key, _)| key.clone()).collect();
            if self.interrupt.came() || (is_last && keys.is_empty()) {
                return Ok(());
            }
            for key in self.stack.done(&keys).await? {
                self.open.borrow_mut().retain(|(open, _)| *open != key);
                done.advance();
            }
            sleep(PACE).await;
        }
    }
}
