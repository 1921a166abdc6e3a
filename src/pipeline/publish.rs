//! From renditions in memory to renditions in S3 and the item that names them.

use std::collections::BTreeMap;

use chrono::Utc;
use futures_util::future::try_join_all;
use photo::Facts;

use super::claim::Claim;
use super::reject::Rejected;
use super::render::{Absent, Made, Photo, Rendered};
use super::{Halt, Pipeline, Refusal, Stop, Work};
use crate::aws::RenditionFile;
use crate::item::{
    Outcome, PhotoInfo, Precondition, Record, Rendition, RenditionRef, Stored, StoredRendition,
    Subject, Update, must_look,
};
use crate::telemetry::Step;

/// A photo whose renditions are in S3.
#[derive(Debug)]
pub(super) struct Placed {
    pub photo: Photo,
    pub renditions: BTreeMap<String, Rendition>,
}

/// An item that was written, and the one that was there before.
#[derive(Clone, Debug)]
pub(super) struct Committed {
    pub written: Stored,
    pub before: Option<Stored>,
    /// Whether renditions were stored that the item does not name.
    pub is_unsure: bool,
}

impl Pipeline {
    /// Writes the renditions, all at once.
    pub(super) async fn place(&self, work: &Work<'_>, rendered: Rendered) -> Result<Placed, Stop> {
        let Rendered { photo, renditions } = rendered;
        let bytes = renditions.iter().flatten().map(|made| made.bytes.len() as u64).sum();
        work.trace.describe(|photo| photo.rendition_bytes = Some(bytes));
        let etag = &photo.version.etag;
        let puts = self.config.renditions.iter().zip(renditions).map(async |(setting, made)| {
            let stored_as = self.config.rendition_ref(setting, &work.notice.key, etag);
            let rendition = match made {
                Ok(made) => {
                    let settings = setting.fingerprint(self.config.resampling);
                    Rendition::Stored(self.put(stored_as, made, etag, settings).await?)
                }
                Err(Absent(absent)) => Rendition::Absent { version: stored_as.version, absent },
            };
            Ok::<_, Stop>((setting.name.clone(), rendition))
        });
        let renditions = try_join_all(puts).await?.into_iter().collect();
        Ok(Placed { photo, renditions })
    }

    async fn put(
        &self,
        stored_as: RenditionRef,
        made: Made,
        original_etag: &str,
        settings: String,
    ) -> Result<StoredRendition, Stop> {
        let Made { bytes, size, content_type, thumb_hash } = made;
        let length = bytes.len() as u64;
        let original_etag = original_etag.to_owned();
        let file = RenditionFile { bytes, content_type, original_etag, settings };
        self.aws.renditions.put(&stored_as.place, file).await?;
        Ok(StoredRendition { stored_as, size, bytes: length, content_type, thumb_hash })
    }

    /// Commits the item that names the renditions: from then on the photo is READY.
    pub(super) async fn commit_ready(
        &self,
        work: &Work<'_>,
        claim: &Claim,
        placed: &Placed,
    ) -> Result<Committed, Halt> {
        let Placed { photo, renditions } = placed;
        self.commit(work, claim, photo, &Outcome::Ready(renditions)).await
    }

    /// Writes the item; without the photo's facts where DynamoDB does not take it with them.
    pub(super) async fn commit(
        &self,
        work: &Work<'_>,
        claim: &Claim,
        photo: &Photo,
        outcome: &Outcome<'_>,
    ) -> Result<Committed, Halt> {
        let refused = match self.write(work, claim, photo, outcome).await {
            Ok(committed) => return Ok(committed),
            Err(Refusal::Stop(stop)) => return Err(stop.into()),
            Err(Refusal::Rejection(reason)) => reason,
        };
        tracing::warn!(key = work.notice.key, reason = %refused, "facts left out");
        let info = PhotoInfo { facts: Facts::default(), ..photo.info };
        let bare = Photo { version: photo.version.clone(), info };
        match self.write(work, claim, &bare, outcome).await {
            Ok(committed) => Ok(committed),
            Err(Refusal::Stop(stop)) => Err(stop.into()),
            Err(Refusal::Rejection(reason)) => {
                let has_renditions = matches!(outcome, Outcome::Ready(_));
                Err(Rejected { has_renditions, ..Rejected::new(reason, bare) }.into())
            }
        }
    }

    async fn write(
        &self,
        work: &Work<'_>,
        claim: &Claim,
        photo: &Photo,
        outcome: &Outcome<'_>,
    ) -> Result<Committed, Refusal> {
        let (bucket, key) = (&work.notice.bucket, &work.notice.key);
        let prefix = &self.config.originals_prefix;
        let subject = Subject { bucket, key, prefix, sequencer: claim.sequencer.as_ref() };
        let record = Record::photo(subject, &photo.version, &photo.info, outcome, Utc::now());
        let update = Update::new(&record, &claim.precondition)?;
        let before = self.aws.items.commit(key, &update).await?;
        Ok(Committed { written: update.written, before, is_unsure: false })
    }

    /// Looks at the renditions once more where events about the same photo may have crossed.
    pub(super) async fn follow_up(
        &self,
        work: &Work<'_>,
        precondition: &Precondition,
        committed: Committed,
    ) -> Result<(), Stop> {
        if committed.is_unsure || must_look(precondition, committed.before.as_ref()) {
            let reconcile = self.reconcile(work, Some(committed));
            work.trace.time(Step::Reconcile, reconcile).await?;
        }
        Ok(())
    }
}
