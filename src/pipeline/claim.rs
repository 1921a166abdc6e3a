//! Which version of an original an event processes, and what the stored item must be for that.

use super::{Pipeline, Stop};
use crate::disposition::{Ignored, Superseded};
use crate::event::{Notice, Sequencer};
use crate::item::{Precondition, Seen, Stored, Version};

/// An event's right to process a version of an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// The version to be processed.
    pub version: Version,
    /// The sequencer that the item will have.
    pub sequencer: Option<Sequencer>,
    /// What the stored item must be when it is written.
    pub precondition: Precondition,
}

impl Claim {
    /// The same claim for a write that forgets where renditions are: the item must still be the one whose
    /// former renditions were removed.
    pub(super) fn if_unchanged(&self, stored: Option<&Stored>) -> Claim {
        Claim { precondition: self.precondition.and_unchanged(stored), ..self.clone() }
    }
}

impl Pipeline {
    /// The claim of an event that says that an object was created.
    pub(super) async fn claim(&self, notice: &Notice) -> Result<Claim, Stop> {
        self.ensure_in_scope(notice, notice.size)?;
        let version = match &notice.etag {
            Some(etag) => Version {
                etag: etag.clone(),
                bytes: notice.size,
                version_id: notice.version_id.clone(),
                uploaded_at: notice.time,
                content_sha256: None,
            },
            // A task of Batch Operations names no ETag and no size: one call costs less than rendering
            // what is READY, and than downloading what is too large.
            None => {
                let head = self.aws.originals.head(&notice.key).await?;
                let version = head.ok_or(Superseded::ObjectGone)?.version;
                self.ensure_in_scope(notice, version.bytes)?;
                version
            }
        };
        self.claim_version(notice, version).await
    }

    /// The claim of an event on this version.
    pub(super) async fn claim_version(
        &self,
        notice: &Notice,
        version: Version,
    ) -> Result<Claim, Stop> {
        if let Some(sequencer) = &notice.sequencer {
            let precondition = Precondition::not_newer(sequencer.clone());
            return Ok(Claim { version, sequencer: Some(sequencer.clone()), precondition });
        }
        // An event without a sequencer takes its place behind the item as it is now, and keeps that
        // one's sequencer.
        let stored = self.aws.items.get(&notice.key).await?;
        let precondition = Precondition::unchanged(Seen::of(stored.as_ref()));
        let stored = stored.unwrap_or_default();
        let renditions = self.config.rendition_refs(&notice.key, &version.etag);
        if stored.is_finished(&version.etag, &renditions) {
            return Err(Superseded::NewerItem.into());
        }
        Ok(Claim { version, sequencer: stored.sequencer, precondition })
    }

    /// Ignores objects outside the photos' bucket and prefix, and empty objects that stand for folders.
    pub(super) fn ensure_in_scope(
        &self,
        notice: &Notice,
        bytes: Option<u64>,
    ) -> Result<(), Ignored> {
        let (bucket, prefix) = (&self.config.originals_bucket, &self.config.originals_prefix);
        if notice.bucket != *bucket || !notice.key.starts_with(prefix) {
            return Err(Ignored::NotOurs { bucket: bucket.clone(), prefix: prefix.clone() });
        }
        if notice.key.ends_with('/') && bytes == Some(0) {
            return Err(Ignored::Folder);
        }
        Ok(())
    }
}
