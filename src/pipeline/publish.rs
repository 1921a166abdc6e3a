//! A photo was uploaded: thumbnail, then item.

use chrono::Utc;
use photo::{Claim, Facts, Thumbnail};

use super::render::Rendered;
use super::{Call, Handler, Outcome, Task};
use crate::dead_letter::{Letter, OnFailure};
use crate::event::ObjectEvent;
use crate::failure::{Class, Failure};
use crate::item::{self, Known, Precondition, Status, StoredStatus, Update, Verdict};

/// A photo about to be committed.
struct Photo {
    object: ObjectEvent,
    known: Known,
    precondition: Precondition,
}

impl Handler {
    /// One photo, from its event to its committed item.
    ///
    /// # Errors
    /// Why it is not READY; of a permanent failure dead letter and item are written.
    pub(super) async fn created(&self, object: ObjectEvent, task: &mut Task<'_>) -> Outcome {
        self.ensure_in_scope(&object)?;
        let key = object.key.clone();
        let outcome = self.make_ready(object, task).await;
        match outcome {
            // Who was overtaken may have left its thumbnail where another's belongs.
            Err(failure) if failure.is_superseded() => {
                let reconciled = self.reconcile(&key, task.call);
                task.steps.reconcile.time(reconciled).await?;
                Err(failure)
            }
            outcome => outcome,
        }
    }

    async fn make_ready(&self, mut object: ObjectEvent, task: &mut Task<'_>) -> Outcome {
        if object.etag.is_none() {
            // A task of Batch Operations names no ETag and no size: asking costs less than rendering what
            // is READY, and than downloading what is too large.
            let current = self.aws.originals.current(&object.key).await?;
            let current = current.ok_or_else(Failure::gone)?;
            (object.etag, object.size) = (Some(current.etag), current.bytes);
            self.ensure_in_scope(&object)?;
        }
        let precondition = self.precondition(&mut object).await?;
        let rendered = match self
            .fetch_and_render(&mut object, &task.call.blocking_work, &mut task.steps)
            .await
        {
            Ok(rendered) => rendered,
            Err(failure) if failure.class == Class::Permanent => {
                let known = Known { bytes: object.size, ..Known::default() };
                let is_other = self.claims_something_else(&object).await?;
                Rendered { known, thumbnail: Err(failure), is_other }
            }
            Err(failure) => return Err(failure),
        };
        let Rendered { known, thumbnail, is_other } = rendered;
        let photo = Photo { object, known, precondition };
        let published = match thumbnail {
            Ok(thumbnail) => self.publish(&photo, thumbnail, task).await,
            Err(failure) => Err(failure),
        };
        match published {
            Err(failure) if failure.class == Class::Permanent => {
                let rejected = self.reject(&photo, &failure, is_other, &task.on_failure, task.call);
                task.steps.dead_letter.time(rejected).await?;
                Err(failure)
            }
            outcome => outcome,
        }
    }

    /// Whether an object that is not worth its download says that it is no picture.
    async fn claims_something_else(&self, object: &ObjectEvent) -> Result<bool, Failure> {
        if Claim::of(&object.key, None) == Claim::Picture {
            return Ok(false);
        }
        let current = self.aws.originals.current(&object.key).await?;
        let content_type = current.and_then(|current| current.content_type);
        Ok(Claim::of(&object.key, content_type.as_deref()) == Claim::Other)
    }

    /// What the item must be for this event to write it. An event without a sequencer takes its
    /// place behind the item as it is now, and keeps that one's sequencer.
    pub(super) async fn precondition(
        &self,
        object: &mut ObjectEvent,
    ) -> Result<Precondition, Failure> {
        if let Some(sequencer) = &object.sequencer {
            return Ok(Precondition::NotNewer(sequencer.clone()));
        }
        let stored = self.aws.items.get(&object.key).await?;
        let stored = stored.unwrap_or_default();
        let is_same = object.etag.is_some() && stored.etag == object.etag;
        if is_same && stored.status == Some(StoredStatus::Ready) {
            return Err(Failure::done());
        }
        object.sequencer = stored.sequencer;
        Ok(Precondition::Unchanged(stored.processed_at))
    }

    /// Writes the thumbnail, then commits the item that names it, then looks whether it is still there.
    async fn publish(&self, photo: &Photo, thumbnail: Thumbnail, task: &mut Task<'_>) -> Outcome {
        let Task { call, steps, .. } = task;
        steps.thumbnail_bytes = Some(thumbnail.jpeg.len() as u64);
        let put = self.aws.renditions.put(&photo.object, thumbnail);
        let rendition = steps.store.time(put).await?;
        steps.commit.time(self.commit(photo, &Status::Ready(&rendition))).await?;
        steps.reconcile.time(self.verify(&photo.object, call)).await
    }

    /// Sees to it that the event is kept, unless it is already, then commits the FAILED item, then
    /// removes the thumbnail of the photo that was overwritten by a broken one. What neither is a photo
    /// nor claims to be one is ignored instead, unless it has taken the place of one.
    async fn reject(
        &self,
        photo: &Photo,
        failure: &Failure,
        is_other: bool,
        on_failure: &OnFailure,
        call: &Call,
    ) -> Outcome {
        let Photo { object, precondition, .. } = photo;
        let stored = self.aws.items.get(&object.key).await?;
        let dead_letter_id = match precondition.check(stored.as_ref()) {
            Verdict::Superseded => return Err(Failure::done()),
            Verdict::AlreadyRejected { dead_letter_id } => Some(dead_letter_id),
            Verdict::Proceed if is_other && !stored.is_some_and(|stored| stored.is_of_photo()) => {
                let what = &failure.message;
                let reason = format!("its name and its Content-Type claim no picture: {what}");
                return Err(Failure::ignored("NotAPhoto", reason));
            }
            Verdict::Proceed => match on_failure {
                OnFailure::DeadLetterQueue => {
                    let (payload, key) = (&object.payload, Some(object.key.as_str()));
                    let letter = Letter::about(payload, key, failure, &call.invocation, Utc::now());
                    Some(self.aws.dead_letters.send(letter).await?)
                }
                OnFailure::SourceQueue(id) => Some(id.clone()),
                OnFailure::JobReport => None,
            },
        };
        let dead_letter_id = dead_letter_id.as_deref();
        self.commit(photo, &Status::Failed { failure, dead_letter_id }).await?;
        self.reconcile(&object.key, call).await
    }

    /// Writes the item; without the photo's facts where DynamoDB does not take it with them.
    async fn commit(&self, photo: &Photo, status: &Status<'_>) -> Outcome {
        match self.write(photo, &photo.known, status).await {
            Err(failure) if failure.is_of_item() => {
                tracing::warn!(key = photo.object.key, reason = failure.message, "facts left out");
                let known = Known { facts: Facts::default(), ..photo.known };
                self.write(photo, &known, status).await
            }
            outcome => outcome,
        }
    }

    async fn write(&self, photo: &Photo, known: &Known, status: &Status<'_>) -> Outcome {
        let Photo { object, precondition, .. } = photo;
        let attributes = item::attributes(object, known, status, Utc::now());
        let update = Update::new(attributes, precondition);
        self.aws.items.commit(&object.key, update).await
    }
}
