//! Thumbnail and item are two writes, and nothing makes them one: an invocation that is overtaken
//! between them leaves its thumbnail where another's belongs. So whoever was overtaken looks again; and
//! so does who was not, as those whom it overtook may have looked before its item was there.

use serde_json::Value;

use super::{Call, Handler, Outcome};
use crate::event::ObjectEvent;
use crate::failure::Failure;
use crate::item::{Stored, StoredStatus};
use crate::log::Steps;

/// How often the thumbnail is put right before the event is given back for another try: only events
/// about the same photo at the same moment can get in each other's way.
const TRIES: usize = 5;

impl Handler {
    /// Sees to it that the photo's thumbnail is the one that its item speaks of, and that there is
    /// none where it speaks of none.
    ///
    /// # Errors
    /// Transient.
    pub(super) async fn reconcile(&self, key: &str, call: &Call) -> Outcome {
        for _ in 0..TRIES {
            let stored = self.aws.items.get(key).await?;
            let thumbnail = self.aws.renditions.head(key).await?;
            let Stored { status, etag, .. } = stored.unwrap_or_default();
            match (status, thumbnail) {
                (None, _) | (Some(StoredStatus::Failed | StoredStatus::Deleted), None) => {
                    return Ok(());
                }
                (Some(StoredStatus::Failed | StoredStatus::Deleted), Some(head)) => {
                    self.aws.renditions.delete(key, &head.etag).await?;
                }
                (Some(StoredStatus::Ready), head) => {
                    if head.is_some_and(|head| head.original_etag == etag) {
                        return Ok(());
                    }
                    match self.render_again(key, etag.as_deref(), call).await {
                        // The item is of an object that is there no more: its own event comes.
                        Err(failure) if failure.is_superseded() => return Ok(()),
                        outcome => outcome?,
                    }
                }
            }
        }
        let message = format!("the thumbnail of {key} is written by several invocations at once");
        Err(Failure::transient("Contended", message))
    }

    /// Sees to it that the thumbnail of a photo whose item has just been committed is there.
    ///
    /// # Errors
    /// Transient.
    pub(super) async fn verify(&self, object: &ObjectEvent, call: &Call) -> Outcome {
        match self.aws.renditions.head(&object.key).await? {
            Some(head) if head.original_etag == object.etag => Ok(()),
            Some(_) | None => self.reconcile(&object.key, call).await,
        }
    }

    /// Makes the thumbnail anew of the object that the item is of.
    async fn render_again(&self, key: &str, etag: Option<&str>, call: &Call) -> Outcome {
        let mut object = ObjectEvent {
            bucket: self.config.originals_bucket.clone(),
            key: key.to_owned(),
            size: None,
            etag: etag.map(str::to_owned),
            version_id: None,
            sequencer: None,
            time: None,
            payload: Value::Null,
        };
        let (work, mut steps) = (&call.blocking_work, Steps::default());
        let rendered = self.fetch_and_render(&mut object, work, &mut steps).await?;
        let thumbnail = rendered.thumbnail.map_err(|failure| {
            let cause = format!("{}: {}", failure.error_type, failure.message);
            Failure::transient("Contended", format!("{key} cannot be rendered again: {cause}"))
        })?;
        self.aws.renditions.put(&object, thumbnail).await.map(drop)
    }
}
