//! The line that one photo takes, and the answer to the event that brought it.
//!
//! fetch -> EXIF -> header -> render -> put the thumbnail -> commit the item. The item is the
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
use crate::event::{self, Created, Record};
use crate::exif;
use crate::failure::{Class, Failure};
use crate::item::{self, Known, Standing, Status, Update};
use crate::log::{self, Steps};
use crate::photo::{self, Format, Orientation, PhotoError};
use crate::store::{Store, refuse_too_many_bytes};
use crate::thumbnail::{self, Thumbnail};

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
}

/// All that its bytes tell of a photo.
struct Developed {
    known: Known,
    thumbnail: Result<Thumbnail, Failure>,
    exif_took: Duration,
    render_took: Duration,
}

impl Handler {
    /// A handler with the settings of `config` on the account that `aws` leads to.
    pub fn new(config: Config, aws: &SdkConfig) -> Handler {
        // Decoding is bound by the CPU: more at once would only take more memory.
        let photos_in_flight = available_parallelism().map_or(1, usize::from);
        Handler {
            config,
            store: Store::new(aws),
            photos_in_flight,
        }
    }

    /// Handles every record of an event. One photo never stops another.
    ///
    /// # Errors
    /// The transient failures among the records, once all records were tried.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<(), Failure> {
        let (payload, context) = event.into_parts();
        let left = context
            .deadline()
            .duration_since(SystemTime::now())
            .unwrap_or_default();
        let deadline = Instant::now() + left.saturating_sub(DEADLINE_MARGIN);
        let invocation = Invocation {
            request_id: context.request_id,
            function_arn: context.invoked_function_arn,
            function_version: context.env_config.version.clone(),
        };
        let records = match event::records(&payload) {
            Ok(records) => records,
            Err(reason) => return self.bury_event(&payload, reason, &invocation).await,
        };
        let count = records.len();
        let failures: Vec<Failure> = stream::iter(records)
            .map(|record| self.record(record, deadline, &invocation))
            .buffer_unordered(self.photos_in_flight)
            .filter_map(async |outcome| outcome.err())
            .collect()
            .await;
        Failure::several(&failures, count).map_or(Ok(()), Err)
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
                let mut steps = Steps::default();
                let left = deadline.saturating_duration_since(Instant::now());
                let result = timeout(left, self.photo(&created, &mut steps, invocation))
                    .await
                    .unwrap_or_else(|_| Err(out_of_time(&created)));
                log::photo(&created.key, &steps, result.as_ref().err());
                result.or_else(Failure::retryable)
            }
            Record::Other(kind) => {
                tracing::info!(outcome = "ignored", reason = kind, "event");
                Ok(())
            }
            Record::Unreadable { reason, record } => {
                let failure = Failure::permanent("UnreadableRecord", reason);
                let letter = Letter::about_photo(&record, None, &failure, invocation, Utc::now());
                self.send_letter(letter).await?;
                tracing::error!(outcome = "failed", reason = failure.message, "record");
                Ok(())
            }
        }
    }

    /// One photo, from its event to its committed item.
    ///
    /// # Errors
    /// Why it is not READY; a permanent failure is an error whose dead letter and item are written.
    async fn photo(
        &self,
        created: &Created,
        steps: &mut Steps,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        self.refuse_what_is_not_ours(created)?;
        let fetched = steps.fetch.time(self.fetch(created)).await;
        let developed = match fetched {
            Ok(photo) => self.develop(photo).await,
            Err(failure) if failure.class == Class::Permanent => {
                Developed::unseen(created, failure)
            }
            Err(failure) => return Err(failure),
        };
        (steps.exif, steps.render) = (developed.exif_took.into(), developed.render_took.into());
        match developed.thumbnail {
            Ok(thumbnail) => {
                self.publish(created, &developed.known, thumbnail, steps)
                    .await
            }
            Err(failure) => {
                let known = &developed.known;
                steps
                    .bury
                    .time(self.bury(created, known, &failure, invocation))
                    .await?;
                Err(failure)
            }
        }
    }

    fn refuse_what_is_not_ours(&self, created: &Created) -> Result<(), Failure> {
        let Config {
            originals_bucket,
            originals_prefix,
            ..
        } = &self.config;
        if created.bucket != *originals_bucket || !created.key.starts_with(originals_prefix) {
            let place = format!("s3://{originals_bucket}/{originals_prefix}");
            return Err(Failure::ignored(
                "NotOurs",
                format!("only objects below {place} are photos"),
            ));
        }
        Ok(())
    }

    /// Downloads a photo, unless its event alone says that it can have no thumbnail.
    async fn fetch(&self, created: &Created) -> Result<Vec<u8>, Failure> {
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
        refuse_too_many_bytes(created.size.unwrap_or(0), self.config.max_photo_bytes)?;
        self.store.fetch(created, self.config.max_photo_bytes).await
    }

    /// Facts and thumbnail out of a photo's bytes, on a thread where computing blocks nobody.
    async fn develop(&self, photo: Vec<u8>) -> Developed {
        let config = self.config.clone();
        let bytes = photo.len() as u64;
        spawn_blocking(move || develop(&photo, &config))
            .await
            .unwrap_or_else(|error| {
                let known = Known {
                    bytes: Some(bytes),
                    ..Known::default()
                };
                Developed::without_thumbnail(
                    known,
                    PhotoError::DecoderPanic(error.to_string()).into(),
                )
            })
    }

    /// Writes the thumbnail, then commits the item that names it.
    async fn publish(
        &self,
        created: &Created,
        known: &Known,
        thumbnail: Thumbnail,
        steps: &mut Steps,
    ) -> Result<(), Failure> {
        let put = self.store.put_thumbnail(&self.config, created, thumbnail);
        let rendition = steps.store.time(put).await?;
        let status = Status::Ready(&rendition);
        steps
            .commit
            .time(self.commit(created, known, &status))
            .await
    }

    /// Sends the dead letter, unless this event's is there already, then commits the FAILED item,
    /// then removes the thumbnail of the photo that was overwritten by a broken one.
    async fn bury(
        &self,
        created: &Created,
        known: &Known,
        failure: &Failure,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let stored = self
            .store
            .item(&self.config.photos_table, &created.key)
            .await?;
        let dead_letter_id = match Standing::of(stored.as_ref(), created.sequencer.as_ref()) {
            Standing::Superseded => {
                return Err(Failure::superseded(
                    "the item is of a newer event, or of this one and done",
                ));
            }
            Standing::Buried { dead_letter_id } => dead_letter_id,
            Standing::Open => {
                let (record, key) = (&created.record, Some(created.key.as_str()));
                let letter = Letter::about_photo(record, key, failure, invocation, Utc::now());
                self.send_letter(letter).await?
            }
        };
        let status = Status::Failed {
            failure,
            dead_letter_id: &dead_letter_id,
        };
        self.commit(created, known, &status).await?;
        if item::has_renditions(stored.as_ref()) {
            self.store
                .remove_thumbnail(&self.config, &created.key)
                .await?;
        }
        Ok(())
    }

    /// An event of nobody's: its letter is all that can be kept of it.
    async fn bury_event(
        &self,
        payload: &Value,
        reason: String,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let failure = Failure::permanent("UnknownEvent", reason);
        let letter = Letter::about_event(payload, &failure, invocation, Utc::now());
        self.send_letter(letter).await?;
        tracing::error!(outcome = "failed", reason = failure.message, "event");
        Ok(())
    }

    async fn commit(
        &self,
        created: &Created,
        known: &Known,
        status: &Status<'_>,
    ) -> Result<(), Failure> {
        let update = Update::new(item::attributes(created, known, status, Utc::now()));
        self.store
            .commit(&self.config.photos_table, &created.key, update)
            .await
    }

    async fn send_letter(&self, letter: Letter) -> Result<String, Failure> {
        self.store
            .send_letter(&self.config.dead_letter_queue_url, letter)
            .await
    }
}

impl Developed {
    /// A photo that was not even fetched.
    fn unseen(created: &Created, failure: Failure) -> Developed {
        let known = Known {
            bytes: created.size,
            ..Known::default()
        };
        Developed::without_thumbnail(known, failure)
    }

    fn without_thumbnail(known: Known, failure: Failure) -> Developed {
        let thumbnail = Err(failure);
        Developed {
            known,
            thumbnail,
            exif_took: Duration::ZERO,
            render_took: Duration::ZERO,
        }
    }
}

/// All that can be known of a photo: its EXIF also where its pixels cannot be had.
fn develop(photo: &[u8], config: &Config) -> Developed {
    let started = Instant::now();
    let format = Format::of(photo);
    let facts = exif::read(photo, config.location);
    let orientation = Orientation::from_exif(facts.orientation);
    let exif_took = started.elapsed();
    let header = photo::inspect(photo, format, config.max_photo_pixels);
    let size = header
        .as_ref()
        .ok()
        .map(|header| orientation.displayed(header.size));
    let thumbnail = header
        .and_then(|header| thumbnail::render(photo, &header, orientation, config.thumbnail))
        .map_err(Failure::from);
    let known = Known {
        bytes: Some(photo.len() as u64),
        format,
        size,
        facts,
    };
    Developed {
        known,
        thumbnail,
        exif_took,
        render_took: started.elapsed() - exif_took,
    }
}

fn out_of_time(created: &Created) -> Failure {
    let message = format!(
        "s3://{}/{} was not finished {} s before the function's timeout; raise the timeout or the memory",
        created.bucket,
        created.key,
        DEADLINE_MARGIN.as_secs()
    );
    Failure::transient("DeadlineNear", message)
}
