//! The line that one photo takes, and the answer to the event that brought it.
//!
//! fetch -> EXIF and header -> render -> put the thumbnail -> commit the item. The item is the
//! commit: whatever stops before it is done again from the start when Lambda retries.

use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime};

use aws_config::SdkConfig;
use chrono::Utc;
use futures_util::{StreamExt, stream};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::config::Config;
use crate::dead_letter::{Invocation, Letter};
use crate::event::{self, Created, Record, Sequencer};
use crate::exif;
use crate::failure::{Class, Failure};
use crate::item::{self, Guard, Known, Standing, Status, Update};
use crate::log::{self, Steps};
use crate::memory::{Grant, Memory};
use crate::photo::{self, Format, Header, Orientation, PhotoError};
use crate::store::{Original, Store, refuse_too_many_bytes};
use crate::thumbnail::{self, Plan, Thumbnail};

/// What is left of Lambda's time when the handler gives up by itself, so that the error is a clear
/// one and the letter names the photo.
const DEADLINE_MARGIN: Duration = Duration::from_secs(1);
/// Longest object key in S3, in bytes of UTF-8 (S3 User Guide, "Naming Amazon S3 objects").
const MAX_KEY_BYTES: usize = 1024;

/// The thumbnail function: what lives from one event to the next.
#[derive(Clone, Debug)]
pub struct Handler {
    config: Config,
    store: Store,
    photos_in_flight: usize,
    memory: Memory,
}

/// A photo about to be committed.
struct Photo {
    created: Created,
    known: Known,
    guard: Guard,
}

/// A photo in memory, and all that its bytes tell without being decoded.
struct Inspected {
    photo: Vec<u8>,
    known: Known,
    orientation: Orientation,
    /// What may be decoded, and how.
    header: Result<(Header, Plan), PhotoError>,
}

/// All that became known of a photo, and its thumbnail or why there is none.
struct Developed {
    known: Known,
    thumbnail: Result<Thumbnail, Failure>,
}

impl Handler {
    /// A handler with the settings of `config` on the account that `aws` leads to.
    pub fn new(config: Config, aws: &SdkConfig) -> Handler {
        // Decoding is bound by the CPU: more at once would only take more memory.
        let photos_in_flight = available_parallelism().map_or(1, usize::from);
        let memory = Memory::new(config.memory_mb);
        Handler { config, store: Store::new(aws), photos_in_flight, memory }
    }

    /// Handles every record of an event. One photo never stops another.
    ///
    /// # Errors
    /// The transient failures among the records, once all records were tried.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<(), Failure> {
        let (payload, context) = event.into_parts();
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let deadline = Instant::now() + left.saturating_sub(DEADLINE_MARGIN);
        let invocation = Invocation {
            request_id: context.request_id,
            function_arn: context.invoked_function_arn,
            function_version: context.env_config.version.clone(),
        };
        let records = match event::records(&payload) {
            Ok(records) => records,
            Err(reason) => {
                let failure = Failure::permanent("UnknownEvent", reason);
                let letter = Letter::about_event(&payload, &failure, &invocation, Utc::now());
                return self.bury_unknown(letter, failure).await;
            }
        };
        let count = records.len();
        let failures: Vec<Failure> = stream::iter(records)
            .map(|record| self.record(record, deadline, &invocation))
            .buffer_unordered(self.photos_in_flight)
            .filter_map(async |outcome| outcome.err())
            .collect()
            .await;
        Failure::several(failures, count).map_or(Ok(()), Err)
    }

    /// Handles one record; only a transient failure is an error.
    async fn record(
        &self,
        record: Record,
        deadline: Instant,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        match record {
            Record::Created(created) => {
                let (key, mut steps) = (created.key.clone(), Steps::default());
                let left = deadline.saturating_duration_since(Instant::now());
                let result = timeout(left, self.photo(*created, &mut steps, invocation))
                    .await
                    .unwrap_or_else(|_| Err(out_of_time(&key)));
                log::photo(&key, &steps, result.as_ref().err());
                result.or_else(Failure::retryable)
            }
            Record::Other(kind) => {
                log::event(&Failure::ignored("OtherEvent", kind));
                Ok(())
            }
            Record::Unreadable { reason, record } => {
                let failure = Failure::permanent("UnreadableRecord", reason);
                let letter = Letter::about_photo(&record, None, &failure, invocation, Utc::now());
                self.bury_unknown(letter, failure).await
            }
        }
    }

    /// One photo, from its event to its committed item.
    ///
    /// # Errors
    /// Why it is not READY; a permanent failure is an error whose dead letter and item are written.
    async fn photo(
        &self,
        mut created: Created,
        steps: &mut Steps,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        self.refuse_what_is_no_photo(&created)?;
        let guard = self.guard(&mut created).await?;
        let developed = match self.develop(&mut created, steps).await {
            Ok(developed) => developed,
            Err(failure) if failure.class == Class::Permanent => {
                let known = Known { bytes: created.size, ..Known::default() };
                Developed { known, thumbnail: Err(failure) }
            }
            Err(failure) => return Err(failure),
        };
        let photo = Photo { created, known: developed.known, guard };
        match developed.thumbnail {
            Ok(thumbnail) => self.publish(&photo, thumbnail, steps).await,
            Err(failure) => {
                steps.bury.time(self.bury(&photo, &failure, invocation)).await?;
                Err(failure)
            }
        }
    }

    fn refuse_what_is_no_photo(&self, created: &Created) -> Result<(), Failure> {
        let Config { originals_bucket, originals_prefix, .. } = &self.config;
        if created.bucket != *originals_bucket || !created.key.starts_with(originals_prefix) {
            let place = format!("s3://{originals_bucket}/{originals_prefix}");
            let reason = format!("only objects below {place} are photos");
            return Err(Failure::ignored("NotOurs", reason));
        }
        if created.key.ends_with('/') && created.size == Some(0) {
            let reason = "an empty object that stands for a folder is no photo";
            return Err(Failure::ignored("Folder", reason));
        }
        Ok(())
    }

    /// What the item must be for this event to write it. An event without a sequencer takes its
    /// place behind the item as it is now, and keeps that one's sequencer.
    async fn guard(&self, created: &mut Created) -> Result<Guard, Failure> {
        if let Some(sequencer) = &created.sequencer {
            return Ok(Guard::NotNewer(sequencer.clone()));
        }
        let stored = self.store.item(&self.config.photos_table, &created.key).await?;
        let text = |name| item::text_of(stored.as_ref(), name);
        let is_same = created.etag.is_some() && text("etag") == created.etag.as_deref();
        if is_same && text("status") == Some("READY") {
            return Err(Failure::done());
        }
        created.sequencer = text("sequencer").and_then(Sequencer::new);
        Ok(Guard::Unchanged(text("processedAt").map(str::to_owned)))
    }

    /// Downloads a photo, unless its event alone says that it can have no thumbnail.
    async fn fetch(&self, created: &Created) -> Result<Original, Failure> {
        let thumbnail_key_bytes = self.config.thumbnail_key(&created.key).len();
        if thumbnail_key_bytes > MAX_KEY_BYTES {
            return Err(Failure::permanent(
                "KeyTooLong",
                format!(
                    "the thumbnail's key, THUMBNAILS_PREFIX and the photo's key, would have \
                     {thumbnail_key_bytes} bytes; S3 allows {MAX_KEY_BYTES}; use shorter names"
                ),
            ));
        }
        let bytes = created.size.unwrap_or(0);
        refuse_too_many_bytes(bytes, self.config.max_photo_bytes)?;
        self.memory.refuse_too_much(bytes)?;
        self.store.fetch(created, self.config.max_photo_bytes).await
    }

    /// Facts and thumbnail of a photo.
    ///
    /// # Errors
    /// Why the photo's bytes cannot be had or understood.
    async fn develop(
        &self,
        created: &mut Created,
        steps: &mut Steps,
    ) -> Result<Developed, Failure> {
        let (inspected, grant) = self.admit(created, steps).await?;
        let Inspected { photo, known, orientation, header } = inspected;
        let (header, plan) = match header {
            Ok(admitted) => admitted,
            Err(error) => return Ok(Developed { known, thumbnail: Err(error.into()) }),
        };
        steps.is_reduced = plan.is_reduced;
        let options = self.config.thumbnail;
        let render = on_its_own_thread(move || {
            // The memory is given back only when it is free: a given up invocation does not wait.
            let _grant = grant;
            thumbnail::render(&photo, &header, orientation, options, plan.eighths)
        });
        let thumbnail = steps.render.time(render).await.and_then(|rendered| rendered);
        Ok(Developed { known, thumbnail: thumbnail.map_err(Failure::from) })
    }

    /// Fetches a photo and takes the memory that its way to a thumbnail needs.
    ///
    /// How much that is only its header tells. Where it is not free then, the photo is let go and
    /// fetched again when it is: a photo that waits holds no memory.
    async fn admit(
        &self,
        created: &mut Created,
        steps: &mut Steps,
    ) -> Result<(Inspected, Grant), Failure> {
        let mut needed = created.size.unwrap_or(self.config.max_photo_bytes);
        loop {
            let closed = || Failure::transient("Closing", "the function is ending");
            let mut grant = self.memory.wait(needed).await.ok_or_else(closed)?;
            let original = steps.fetch.time(self.fetch(created)).await?;
            created.etag = original.etag;
            created.version_id = original.version_id.or(created.version_id.take());
            let (config, memory) = (self.config.clone(), self.memory.clone());
            let inspect = on_its_own_thread(move || inspect(original.photo, &config, &memory));
            let inspected = steps.exif.time(inspect).await?;
            let plan = inspected.header.as_ref().map(|(_, plan)| plan.memory);
            needed = inspected.photo.len() as u64 + plan.unwrap_or(0);
            if self.memory.extend(&mut grant, needed) {
                return Ok((inspected, grant));
            }
        }
    }

    /// Writes the thumbnail, then commits the item that names it.
    async fn publish(
        &self,
        photo: &Photo,
        thumbnail: Thumbnail,
        steps: &mut Steps,
    ) -> Result<(), Failure> {
        let put = self.store.put_thumbnail(&self.config, &photo.created, thumbnail);
        let rendition = steps.store.time(put).await?;
        steps.commit.time(self.commit(photo, &Status::Ready(&rendition))).await
    }

    /// Sends the dead letter, unless this event's is there already, then commits the FAILED item,
    /// then removes the thumbnail of the photo that was overwritten by a broken one.
    async fn bury(
        &self,
        photo: &Photo,
        failure: &Failure,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let Photo { created, guard, .. } = photo;
        let stored = self.store.item(&self.config.photos_table, &created.key).await?;
        let standing = Standing::of(stored.as_ref(), guard);
        // Where the letter is there, the removal may be what an earlier try did not come to.
        let has_thumbnail =
            matches!(standing, Standing::Buried { .. }) || item::has_renditions(stored.as_ref());
        let dead_letter_id = match standing {
            Standing::Superseded => return Err(Failure::done()),
            Standing::Buried { dead_letter_id } => dead_letter_id,
            Standing::Open => {
                let (record, key) = (&created.record, Some(created.key.as_str()));
                let letter = Letter::about_photo(record, key, failure, invocation, Utc::now());
                self.send_letter(letter).await?
            }
        };
        self.commit(photo, &Status::Failed { failure, dead_letter_id: &dead_letter_id }).await?;
        if has_thumbnail {
            self.store.remove_thumbnail(&self.config, &created.key).await?;
        }
        Ok(())
    }

    /// Keeps an event or a record about which nothing is known: its letter is all there is of it.
    async fn bury_unknown(&self, letter: Letter, failure: Failure) -> Result<(), Failure> {
        self.send_letter(letter).await?;
        log::event(&failure);
        Ok(())
    }

    async fn commit(&self, photo: &Photo, status: &Status<'_>) -> Result<(), Failure> {
        let Photo { created, known, guard } = photo;
        let attributes = item::attributes(created, known, status, Utc::now());
        let update = Update::new(attributes, guard);
        self.store.commit(&self.config.photos_table, &created.key, update).await
    }

    async fn send_letter(&self, letter: Letter) -> Result<String, Failure> {
        self.store.send_letter(&self.config.dead_letter_queue_url, letter).await
    }
}

/// Computes where that blocks nobody; a panic is a failure of the photo.
async fn on_its_own_thread<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PhotoError> {
    spawn_blocking(compute).await.map_err(|error| PhotoError::DecoderPanic(error.to_string()))
}

/// Reads a photo's facts and header: its EXIF is known also where its pixels cannot be had.
fn inspect(photo: Vec<u8>, config: &Config, memory: &Memory) -> Inspected {
    let format = Format::of(&photo);
    let facts = exif::read(&photo, config.location);
    let orientation = Orientation::from_exif(facts.orientation);
    let header =
        thumbnail::without_unwinding(|| photo::inspect(&photo, format, config.max_photo_pixels));
    let size = header.as_ref().ok().map(|header| orientation.displayed(header.size));
    let bytes = photo.len() as u64;
    let header = header.and_then(|header| {
        let plan = config.thumbnail.plan(&header, memory.for_photos().saturating_sub(bytes));
        memory.refuse_too_much(bytes + plan.memory)?;
        Ok((header, plan))
    });
    let known = Known { bytes: Some(bytes), format, size, facts };
    Inspected { photo, known, orientation, header }
}

fn out_of_time(key: &str) -> Failure {
    let margin = DEADLINE_MARGIN.as_secs();
    let message = format!(
        "{key} was not finished {margin} s before the function's timeout; raise the timeout or the memory"
    );
    Failure::transient("DeadlineNear", message)
}
