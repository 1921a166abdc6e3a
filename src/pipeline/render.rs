//! From a photo in S3 to its facts and its renditions in memory.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use photo::{CancelFlag, Inspected, PhotoError, Plan, Size, Spec, Strip};

use super::claim::Claim;
use super::memory::{Grant, Memory};
use super::reject::Rejected;
use super::{Halt, Pipeline, Refusal, Stop, Work};
use crate::aws::{Head, Original};
use crate::config::{Config, RenditionKind, RenditionSetting};
use crate::disposition::{Rejection, Retry};
use crate::item::{PhotoInfo, Version};
use crate::telemetry::Step;

/// Longest object key in S3, in bytes of UTF-8 (S3 User Guide, "Naming Amazon S3 objects").
const MAX_KEY_BYTES: usize = 1024;

/// A photo and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Photo {
    /// The version that was processed.
    pub version: Version,
    /// What its content says.
    pub info: PhotoInfo,
}

/// A photo with its renditions, in the order of the settings.
#[derive(Debug)]
pub(super) struct Rendered {
    pub photo: Photo,
    pub renditions: Vec<Result<Made, Absent>>,
}

/// A rendition in memory.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// The file.
    pub bytes: Bytes,
    /// The size as displayed.
    pub size: Size,
    /// The media type of the file.
    pub content_type: &'static str,
    /// The ThumbHash in base64, of the default rendition.
    pub thumb_hash: Option<String>,
}

/// Why a rendition cannot be made of a photo that has others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Absent(pub &'static str);

/// The outcome of one trip to the pixels.
struct Attempt {
    info: PhotoInfo,
    renditions: Result<Vec<Result<Made, Absent>>, PhotoError>,
    is_reduced: bool,
    inspecting: Duration,
    rendering: Option<Duration>,
}

/// Bytes of memory that a photo needs and that are not free now.
struct NeedsMemory(u64);

impl Pipeline {
    /// Facts and renditions of the claimed version.
    ///
    /// Only a photo's header tells how much memory it needs. Where that is not free, the photo is let go
    /// and fetched again when it is: a photo that waits holds no memory.
    ///
    /// # Errors
    /// Why the photo's bytes cannot be had, or why it can have no renditions.
    pub(super) async fn fetch_and_render(
        &self,
        work: &Work<'_>,
        claim: &Claim,
    ) -> Result<Rendered, Halt> {
        let mut needed = claim.version.bytes.unwrap_or(self.config.max_photo_bytes);
        loop {
            let granted = work.trace.time(Step::Wait, self.memory.wait(needed)).await;
            let mut grant = granted.ok_or(Retry::Closing)?;
            let fetched = work.trace.time(Step::Fetch, self.fetch(work, claim)).await;
            let Original { bytes, head } = match fetched {
                Ok(original) => original,
                Err(Refusal::Stop(stop)) => return Err(stop.into()),
                Err(Refusal::Rejection(reason)) => {
                    return Err(self.reject_unfetched(work, claim, reason).await?.into());
                }
            };
            work.trace.describe(|photo| photo.bytes = Some(bytes.len() as u64));
            let (config, memory) = (self.config.clone(), self.memory.clone());
            // The grant is given back only when the memory is free again, even where nobody waits any more.
            let rendering = work
                .blocking_work
                .run(move |cancel| render(&bytes, &config, &memory, &mut grant, cancel));
            let fetched = Instant::now();
            let attempt = self.cores.take(work.patience, async {
                work.trace.add(Step::Wait, fetched.elapsed());
                rendering.await
            });
            match attempt.await {
                Ok(Err(NeedsMemory(bytes))) => needed = bytes,
                Ok(Ok(attempt)) => return finish(work, claim, head, attempt),
                Err(panic) => {
                    let photo = photo(claim, head.version, PhotoInfo::default());
                    return Err(Rejected::new(Rejection::Photo(panic), photo).into());
                }
            }
        }
    }

    /// Downloads a photo, unless its claim alone shows that it can have no renditions.
    async fn fetch(&self, work: &Work<'_>, claim: &Claim) -> Result<Original, Refusal> {
        let key = &work.notice.key;
        for place in self.config.rendition_places(key) {
            let bytes = place.key.len();
            if bytes > MAX_KEY_BYTES {
                let reason = Rejection::KeyTooLong { bytes, limit: MAX_KEY_BYTES };
                return Err(Refusal::Rejection(reason));
            }
        }
        let bytes = claim.version.bytes.unwrap_or(0);
        PhotoError::too_many_bytes(bytes, self.config.max_photo_bytes)?;
        self.memory.refuse_too_much(bytes)?;
        Ok(self.aws.originals.fetch(key, &claim.version.etag).await?)
    }

    /// The rejection of a photo that was not worth its download.
    async fn reject_unfetched(
        &self,
        work: &Work<'_>,
        claim: &Claim,
        reason: Rejection,
    ) -> Result<Rejected, Stop> {
        let is_other = self.claims_to_be_other(&work.notice.key).await?;
        let photo = Photo { version: claim.version.clone(), info: PhotoInfo::default() };
        Ok(Rejected { is_other, ..Rejected::new(reason, photo) })
    }

    /// Whether name and Content-Type of an object that was not downloaded say that it is no picture.
    async fn claims_to_be_other(&self, key: &str) -> Result<bool, Stop> {
        if photo::Claim::of(key, None) == photo::Claim::Picture {
            return Ok(false);
        }
        let content_type = self.aws.originals.head(key).await?.and_then(|head| head.content_type);
        Ok(photo::Claim::of(key, content_type.as_deref()) == photo::Claim::Other)
    }
}

/// The photo as far as its event and S3 together tell: the event's own words come first.
fn photo(claim: &Claim, fetched: Version, info: PhotoInfo) -> Photo {
    let said = &claim.version;
    let version = Version {
        version_id: fetched.version_id.or_else(|| said.version_id.clone()),
        uploaded_at: said.uploaded_at.or(fetched.uploaded_at),
        ..fetched
    };
    Photo { version, info }
}

fn finish(work: &Work<'_>, claim: &Claim, head: Head, attempt: Attempt) -> Result<Rendered, Halt> {
    let Attempt { info, renditions, is_reduced, inspecting, rendering } = attempt;
    work.trace.add(Step::Inspect, inspecting);
    if let Some(rendering) = rendering {
        work.trace.add(Step::Render, rendering);
    }
    work.trace.describe(|photo| {
        photo.format = info.format;
        photo.size = info.size;
        photo.is_reduced = is_reduced;
    });
    let Head { version, content_type } = head;
    let photo = photo(claim, version, info);
    let error = match renditions {
        Ok(renditions) => return Ok(Rendered { photo, renditions }),
        Err(error) => error,
    };
    let is_no_picture = matches!(error, PhotoError::NotAPhoto(_) | PhotoError::Empty);
    let claimed = photo::Claim::of(&work.notice.key, content_type.as_deref());
    let is_other = is_no_picture && claimed != photo::Claim::Picture;
    Err(match Refusal::from(error) {
        Refusal::Rejection(reason) => Rejected { is_other, ..Rejected::new(reason, photo) }.into(),
        Refusal::Stop(stop) => stop.into(),
    })
}

/// Reads a photo's facts and header, takes the memory that its plan needs, and renders it. Its facts are
/// known also where its pixels cannot be had.
fn render(
    photo: &[u8],
    config: &Config,
    memory: &Memory,
    grant: &mut Grant,
    cancel: &CancelFlag,
) -> Result<Attempt, NeedsMemory> {
    let started = Instant::now();
    let inspected = photo::inspect(photo, config.policy(), cancel);
    let inspecting = started.elapsed();
    let copies = config.renditions.iter().filter(is_copy).count();
    // A copy is as large as the photo, and one more is held while it is made.
    let copies = if copies == 0 { 0 } else { copies as u64 + 1 };
    let bytes = photo.len() as u64 * (1 + copies);
    let specs: Vec<Spec> = config.renditions.iter().filter_map(spec).collect();
    let free = memory.for_photos().saturating_sub(bytes);
    let plan = inspected.plan(&specs, config.resampling, free);
    let admitted = plan.and_then(|plan| {
        memory.refuse_too_much(bytes + plan.memory)?;
        Ok(plan)
    });
    let (renditions, is_reduced, rendering) = match admitted {
        Ok(plan) if !memory.extend(grant, bytes + plan.memory) => {
            return Err(NeedsMemory(bytes + plan.memory));
        }
        Ok(plan) => {
            let renditions = make(&inspected, &plan, config, cancel);
            (renditions, plan.is_reduced, Some(started.elapsed() - inspecting))
        }
        Err(error) => (Err(error), false, None),
    };
    let (size, format) = (inspected.size(), inspected.format);
    let info = PhotoInfo { format, size, facts: inspected.facts };
    Ok(Attempt { info, renditions, is_reduced, inspecting, rendering })
}

/// Makes the renditions in the order of their settings: pictures, all of one decoding, and copies.
fn make(
    photo: &Inspected<'_>,
    plan: &Plan<'_>,
    config: &Config,
    cancel: &CancelFlag,
) -> Result<Vec<Result<Made, Absent>>, PhotoError> {
    let photo::Rendered { renditions, thumb_hash } = plan.render(cancel)?;
    let mut thumb_hash = thumb_hash.map(|hash| BASE64_STANDARD.encode(hash));
    let mut pictures = renditions.into_iter();
    let made = config.renditions.iter().filter_map(|setting| match setting.kind {
        RenditionKind::Made(_) => {
            let photo::Rendition { file, encoding, size } = pictures.next()?;
            let (bytes, content_type) = (file.into(), encoding.media_type());
            // The first rendition is the default one.
            Some(Ok(Ok(Made { bytes, size, content_type, thumb_hash: thumb_hash.take() })))
        }
        RenditionKind::Copy(strip) => Some(copy(photo, strip, cancel)),
    });
    made.collect()
}

fn copy(
    photo: &Inspected<'_>,
    strip: Strip,
    cancel: &CancelFlag,
) -> Result<Result<Made, Absent>, PhotoError> {
    let copy = photo.stripped(strip, cancel)?;
    let size = photo.size();
    Ok(match (copy, size) {
        (Ok(copy), Some(size)) => {
            let (bytes, content_type) = (copy.file.into(), copy.media_type);
            Ok(Made { bytes, size, content_type, thumb_hash: None })
        }
        (Err(why), _) => Err(Absent(why)),
        (Ok(_), None) => Err(Absent("its size is unknown")),
    })
}

fn spec(setting: &RenditionSetting) -> Option<Spec> {
    match setting.kind {
        RenditionKind::Made(spec) => Some(spec),
        RenditionKind::Copy(_) => None,
    }
}

fn is_copy(setting: &&RenditionSetting) -> bool {
    matches!(setting.kind, RenditionKind::Copy(_))
}
