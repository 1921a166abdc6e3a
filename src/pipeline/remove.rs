//! A photo was removed: what was made of it goes too, its place and its time with it.

use chrono::Utc;

use super::{Call, Handler, Outcome, Task};
use crate::event::ObjectEvent;
use crate::failure::Failure;
use crate::item::{self, Precondition, Update};

impl Handler {
    /// Leaves a tombstone in the item's place and removes the thumbnail; but where the key has a
    /// current object all the same, that one is the photo.
    ///
    /// # Errors
    /// Ignored where there is nothing to do, else as [`Handler::created`].
    pub(super) async fn removed(&self, mut object: ObjectEvent, task: &mut Task<'_>) -> Outcome {
        self.ensure_in_scope(&object)?;
        if !self.config.delete_with_original {
            let reason = "DELETE_WITH_ORIGINAL is false: what was made of the photo stays";
            return Err(Failure::ignored("Kept", reason));
        }
        // What a removal tells of an ETag is not the photo's.
        object.etag = None;
        // The item as it was before S3 is asked: what comes after that is not this event's to remove.
        let mut removal = object.clone();
        let precondition = self.precondition(&mut removal).await?;
        let current = self.aws.originals.current(&object.key).await?;
        let Some(current) = current else {
            let tombstone = self.write_tombstone(removal, precondition, task.call);
            return task.steps.commit.time(tombstone).await;
        };
        let stored = self.aws.items.get(&object.key).await?;
        if stored.and_then(|stored| stored.etag).as_deref() == Some(current.etag.as_str()) {
            // This may be the second try of a removal that came between two uploads.
            self.reconcile(&object.key, task.call).await?;
            let reason = "another version was removed than the one that the item is of";
            return Err(Failure::ignored("StillThere", reason));
        }
        // A version that became current again, or one whose own event is on its way.
        object.etag = Some(current.etag);
        object.size = current.bytes;
        object.version_id = None;
        object.time = None;
        self.created(object, task).await
    }

    async fn write_tombstone(
        &self,
        object: ObjectEvent,
        precondition: Precondition,
        call: &Call,
    ) -> Outcome {
        let attributes = item::tombstone(object.sequencer.as_ref(), Utc::now());
        let update = Update::new(attributes, &precondition);
        let committed = self.aws.items.commit(&object.key, update).await;
        if committed.as_ref().is_err_and(|failure| !failure.is_superseded()) {
            return committed;
        }
        // Also where a newer photo has come: this may be the second try of a removal.
        self.reconcile(&object.key, call).await?;
        committed
    }
}
