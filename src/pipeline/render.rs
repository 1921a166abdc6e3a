//! From a photo in S3 to its facts and its thumbnail in memory.

use std::time::{Duration, Instant};

use photo::{CancelFlag, Claim, PhotoError, Thumbnail};

use super::Handler;
use crate::abandoned::BlockingWork;
use crate::aws::Original;
use crate::config::Config;
use crate::event::ObjectEvent;
use crate::failure::Failure;
use crate::item::Known;
use crate::log::Steps;
use crate::memory::{Grant, Memory};

/// Longest object key in S3, in bytes of UTF-8 (S3 User Guide, "Naming Amazon S3 objects").
const MAX_KEY_BYTES: usize = 1024;

/// All that became known of a photo, and its thumbnail or why there is none.
pub(super) struct Rendered {
    pub known: Known,
    pub thumbnail: Result<Thumbnail, Failure>,
    /// Whether neither its content nor its name nor its Content-Type is a picture's.
    pub is_other: bool,
}

/// What came of a photo that has been fetched.
enum Attempt {
    Done {
        known: Box<Known>,
        thumbnail: Result<Thumbnail, PhotoError>,
        is_reduced: bool,
        inspecting: Duration,
        rendering: Option<Duration>,
    },
    /// So many bytes were not free for it.
    NeedsMemory(u64),
}

impl Handler {
    /// Facts and thumbnail of a photo.
    ///
    /// How much memory it takes only its header tells. Where that is not free then, the photo is let go
    /// and fetched again when it is: a photo that waits holds no memory.
    ///
    /// # Errors
    /// Why the photo's bytes cannot be had.
    pub(super) async fn fetch_and_render(
        &self,
        object: &mut ObjectEvent,
        work: &BlockingWork,
        steps: &mut Steps,
    ) -> Result<Rendered, Failure> {
        let mut needed = object.size.unwrap_or(self.config.max_photo_bytes);
        loop {
            let closed = || Failure::transient("Closing", "the function is ending");
            let mut grant = self.memory.wait(needed).await.ok_or_else(closed)?;
            let Original { photo, etag, version_id, last_modified, content_type } =
                steps.fetch.time(self.fetch(object)).await?;
            object.etag = etag;
            object.version_id = version_id.or(object.version_id.take());
            object.time = object.time.or(last_modified);
            steps.bytes = Some(photo.len() as u64);
            let (config, memory) = (self.config.clone(), self.memory.clone());
            // The grant is given back only when the memory is free again, also where nobody waits any
            // more.
            let rendered =
                work.run(move |cancel| render(&photo, &config, &memory, &mut grant, cancel));
            match rendered.await? {
                Attempt::NeedsMemory(bytes) => needed = bytes,
                Attempt::Done { known, thumbnail, is_reduced, inspecting, rendering } => {
                    (steps.format, steps.size) = (known.format, known.size);
                    steps.is_reduced = is_reduced;
                    steps.exif.add(inspecting);
                    rendering.into_iter().for_each(|took| steps.render.add(took));
                    let is_other = match &thumbnail {
                        Err(PhotoError::NotAPhoto(_) | PhotoError::Empty) => {
                            Claim::of(&object.key, content_type.as_deref()) != Claim::Picture
                        }
                        Ok(_) | Err(_) => false,
                    };
                    let thumbnail = thumbnail.map_err(Failure::from);
                    return Ok(Rendered { known: *known, thumbnail, is_other });
                }
            }
        }
    }

    /// Downloads a photo, unless its event alone says that it can have no thumbnail.
    async fn fetch(&self, object: &ObjectEvent) -> Result<Original, Failure> {
        let thumbnail_key_bytes = self.config.thumbnail_key(&object.key).len();
        if thumbnail_key_bytes > MAX_KEY_BYTES {
            return Err(Failure::permanent(
                "KeyTooLong",
                format!(
                    "the thumbnail's key, THUMBNAILS_PREFIX and the photo's key, would have \
                     {thumbnail_key_bytes} bytes; S3 allows {MAX_KEY_BYTES}; use shorter names"
                ),
            ));
        }
        let bytes = object.size.unwrap_or(0);
        PhotoError::too_many_bytes(bytes, self.config.max_photo_bytes)?;
        self.memory.refuse_too_much(bytes)?;
        Ok(self.aws.originals.fetch(object).await?)
    }
}

/// Reads a photo's facts and header, takes the memory that its plan needs, and makes its thumbnail. Its
/// facts are known also where its pixels cannot be had.
fn render(
    photo: &[u8],
    config: &Config,
    memory: &Memory,
    grant: &mut Grant,
    cancel: &CancelFlag,
) -> Attempt {
    let started = Instant::now();
    let inspected = photo::inspect(photo, config.max_photo_pixels, config.location, cancel);
    let inspecting = started.elapsed();
    let bytes = photo.len() as u64;
    let plan = inspected.plan(config.thumbnail, memory.for_photos().saturating_sub(bytes));
    let admitted = plan.and_then(|plan| {
        memory.refuse_too_much(bytes + plan.memory)?;
        Ok(plan)
    });
    let (thumbnail, is_reduced, rendering) = match admitted {
        Ok(plan) if !memory.extend(grant, bytes + plan.memory) => {
            return Attempt::NeedsMemory(bytes + plan.memory);
        }
        Ok(plan) => {
            let thumbnail = plan.render(cancel);
            (thumbnail, plan.is_reduced, Some(started.elapsed() - inspecting))
        }
        Err(error) => (Err(error), false, None),
    };
    let (size, format) = (inspected.size(), inspected.format);
    let known = Box::new(Known { bytes: Some(bytes), format, size, facts: inspected.facts });
    Attempt::Done { known, thumbnail, is_reduced, inspecting, rendering }
}
