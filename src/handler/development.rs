//! From a photo in S3 to its facts and its thumbnail in memory.

use tokio::task::spawn_blocking;

use super::Handler;
use crate::config::Config;
use crate::event::ObjectEvent;
use crate::exif;
use crate::failure::Failure;
use crate::item::Known;
use crate::log::Steps;
use crate::memory::{Grant, Memory};
use crate::photo::{self, CancelFlag, Claim, Format, Header, Orientation, PhotoError};
use crate::store::{Original, refuse_too_many_bytes};
use crate::thumbnail::{self, Plan, Thumbnail};

/// Longest object key in S3, in bytes of UTF-8 (S3 User Guide, "Naming Amazon S3 objects").
const MAX_KEY_BYTES: usize = 1024;

/// A photo in memory, and all that its bytes tell without being decoded.
struct Inspected {
    photo: Vec<u8>,
    known: Known,
    orientation: Orientation,
    /// What may be decoded, and how.
    header: Result<(Header, Plan), PhotoError>,
    /// As its uploader said.
    content_type: Option<String>,
}

/// Raises its flag when the work that it belongs to is given up: when it is dropped.
#[derive(Default)]
struct GivenUp(CancelFlag);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.raise();
    }
}

/// All that became known of a photo, and its thumbnail or why there is none.
pub(super) struct Developed {
    pub known: Known,
    pub thumbnail: Result<Thumbnail, Failure>,
    /// Whether neither its content nor its name nor its Content-Type is a picture's.
    pub is_other: bool,
}

impl Handler {
    /// Facts and thumbnail of a photo.
    ///
    /// # Errors
    /// Why the photo's bytes cannot be had or understood.
    pub(super) async fn develop(
        &self,
        object: &mut ObjectEvent,
        steps: &mut Steps,
    ) -> Result<Developed, Failure> {
        let given_up = GivenUp::default();
        let (inspected, grant) = self.admit(object, &given_up.0, steps).await?;
        let Inspected { photo, known, orientation, header, content_type } = inspected;
        (steps.format, steps.bytes, steps.size) = (known.format, known.bytes, known.size);
        let (header, plan) = match header {
            Ok(admitted) => admitted,
            Err(error) => {
                let is_other = matches!(error, PhotoError::NotAPhoto(_) | PhotoError::Empty)
                    && Claim::of(&object.key, content_type.as_deref()) != Claim::Picture;
                return Ok(Developed { known, thumbnail: Err(error.into()), is_other });
            }
        };
        steps.is_reduced = plan.is_reduced;
        let options = self.config.thumbnail;
        let cancel = given_up.0.clone();
        let render = on_its_own_thread(move || {
            // Given back only when the memory is free again, also where nobody waits any more.
            let _grant = grant;
            thumbnail::render(&photo, &header, orientation, options, plan.eighths, &cancel)
        });
        let thumbnail = steps.render.time(render).await.and_then(|rendered| rendered);
        Ok(Developed { known, thumbnail: thumbnail.map_err(Failure::from), is_other: false })
    }

    /// Fetches a photo and takes the memory that its way to a thumbnail needs.
    ///
    /// How much that is only its header tells. Where it is not free then, the photo is let go and
    /// fetched again when it is: a photo that waits holds no memory.
    async fn admit(
        &self,
        object: &mut ObjectEvent,
        cancel: &CancelFlag,
        steps: &mut Steps,
    ) -> Result<(Inspected, Grant), Failure> {
        let mut needed = object.size.unwrap_or(self.config.max_photo_bytes);
        loop {
            let closed = || Failure::transient("Closing", "the function is ending");
            let grant = self.memory.wait(needed).await.ok_or_else(closed)?;
            let original = steps.fetch.time(self.fetch(object)).await?;
            object.etag = original.etag;
            object.version_id = original.version_id.or(object.version_id.take());
            object.time = object.time.or(original.last_modified);
            let (config, memory, cancel) =
                (self.config.clone(), self.memory.clone(), cancel.clone());
            let inspect = on_its_own_thread(move || {
                let content_type = original.content_type;
                let inspected = inspect(original.photo, &config, &memory, &cancel);
                (Inspected { content_type, ..inspected }, grant)
            });
            let (inspected, mut grant) = steps.exif.time(inspect).await?;
            let plan = inspected.header.as_ref().map(|(_, plan)| plan.memory);
            needed = inspected.photo.len() as u64 + plan.unwrap_or(0);
            if self.memory.extend(&mut grant, needed) {
                return Ok((inspected, grant));
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
        refuse_too_many_bytes(bytes, self.config.max_photo_bytes)?;
        self.memory.refuse_too_much(bytes)?;
        self.store.fetch(object, self.config.max_photo_bytes).await
    }
}

/// Computes where that blocks nobody; a panic is a failure of the photo.
async fn on_its_own_thread<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PhotoError> {
    spawn_blocking(compute).await.map_err(|error| PhotoError::DecoderPanic(error.to_string()))
}

/// Reads a photo's facts and header: its EXIF is known also where its pixels cannot be had.
fn inspect(photo: Vec<u8>, config: &Config, memory: &Memory, cancel: &CancelFlag) -> Inspected {
    let format = Format::of(&photo);
    let facts = exif::read(&photo, config.location, cancel);
    let orientation = Orientation::from_exif(facts.orientation);
    let header = thumbnail::without_unwinding(|| {
        photo::inspect(&photo, format, config.max_photo_pixels, cancel)
    });
    let size = header.as_ref().ok().map(|header| orientation.displayed(header.size));
    let bytes = photo.len() as u64;
    let header = header.and_then(|header| {
        let plan = config.thumbnail.plan(&header, memory.for_photos().saturating_sub(bytes));
        memory.refuse_too_much(bytes + plan.memory)?;
        Ok((header, plan))
    });
    let known = Known { bytes: Some(bytes), format, size, facts };
    Inspected { photo, known, orientation, header, content_type: None }
}
