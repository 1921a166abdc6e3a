//! A photo was removed: everything made of it goes too, its place and its time with it.

use chrono::Utc;

use super::publish::Committed;
use super::{ITEM_KEEPS_CHANGING, Pipeline, Stop, TRIES, Work, contended};
use crate::aws::CommitError;
use crate::call_error::{CallError, Service};
use crate::disposition::{Disposition, Ignored, Superseded};
use crate::event::{Notice, Sequencer};
use crate::item::{Precondition, Record, Seen, Stored, Update, Verdict};
use crate::telemetry::Step;

impl Pipeline {
    /// Leaves a tombstone in the item's place and removes the renditions. Where the key has a current
    /// object all the same, that one is the photo.
    pub(super) async fn removed(&self, work: &Work<'_>) -> Result<Disposition, Stop> {
        let notice = work.notice;
        self.ensure_in_scope(notice, notice.size)?;
        if !self.config.delete_with_original {
            return Err(Ignored::Kept.into());
        }
        for _ in 0..TRIES {
            // The item as it was before S3 is asked: later writes are not this event's to remove.
            let stored = self.aws.items.get(&notice.key).await?;
            let current = self.aws.originals.head(&notice.key).await?;
            let ended = match (current, stored) {
                (None, stored) => self.remove_all(work, stored).await?,
                (Some(current), Some(stored)) if stored.is_ready(&current.version.etag) => {
                    self.take_over(work, &stored).await?
                }
                // An older version became current again, or the event of a new one is on its way.
                (Some(current), _) => {
                    self.ensure_in_scope(notice, current.version.bytes)?;
                    let claim = self.claim_version(notice, current.version).await?;
                    return self.process(work, &claim).await;
                }
            };
            if let Some(disposition) = ended {
                return Ok(disposition);
            }
        }
        Err(contended(work, ITEM_KEEPS_CHANGING))
    }

    /// Removes everything that was made of a photo, and leaves a tombstone; `None` if its item has changed
    /// since it was read, and may name renditions that were not removed.
    async fn remove_all(
        &self,
        work: &Work<'_>,
        stored: Option<Stored>,
    ) -> Result<Option<Disposition>, Stop> {
        let Notice { key, sequencer, .. } = work.notice;
        let kept = stored.as_ref().and_then(|stored| stored.sequencer.clone());
        let precondition = match sequencer {
            Some(sequencer) => Precondition::not_newer(sequencer.clone()),
            None => Precondition::unchanged(Seen::of(stored.as_ref())),
        };
        if precondition.check(stored.as_ref(), "") == Verdict::Superseded {
            return Err(Superseded::NewerItem.into());
        }
        self.delete_former(key, stored.as_ref()).await?;
        let if_unchanged = precondition.and_unchanged(stored.as_ref());
        let sequencer = sequencer.clone().or(kept);
        let tombstone = self.write_tombstone(work.notice, sequencer.as_ref(), &if_unchanged);
        match work.trace.time(Step::Commit, tombstone).await {
            Ok(committed) => {
                let committed = Committed { before: stored, ..committed };
                self.follow_up(work, &precondition, committed).await?;
                Ok(Some(Disposition::Removed))
            }
            Err(Stop::Superseded(Superseded::NewerItem)) => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    /// Leaves a photo as it is of which another version was removed, but gives its item this event's
    /// sequencer: the event of a version that was there in between may come later. `None` if the item has
    /// changed since it was read.
    async fn take_over(
        &self,
        work: &Work<'_>,
        stored: &Stored,
    ) -> Result<Option<Disposition>, Stop> {
        let Notice { key, sequencer, .. } = work.notice;
        if let Some(sequencer) =
            sequencer.as_ref().filter(|own| stored.sequencer.as_ref() < Some(own))
        {
            let precondition =
                Precondition::not_newer(sequencer.clone()).and_unchanged(Some(stored));
            let update = Update::take_over(sequencer, stored, Utc::now(), &precondition);
            let commit = self.aws.items.commit(key, &update);
            match work.trace.time(Step::Commit, commit).await {
                Ok(_) => {}
                Err(CommitError::Superseded) => return Ok(None),
                Err(CommitError::Refused(reason)) => return Err(refused(work.notice, reason)),
                Err(CommitError::Call(error)) => return Err(error.into()),
            }
        }
        // This may be the second try of a removal that came between two uploads.
        work.trace.time(Step::Reconcile, self.reconcile(work, None)).await?;
        Err(Ignored::StillThere.into())
    }

    /// Writes a tombstone in the place of the item.
    pub(super) async fn write_tombstone(
        &self,
        notice: &Notice,
        sequencer: Option<&Sequencer>,
        precondition: &Precondition,
    ) -> Result<Committed, Stop> {
        let record = Record::tombstone(sequencer, Utc::now());
        let update = Update::new(&record, precondition);
        let update = update.map_err(|error| refused(notice, error.to_string()))?;
        match self.aws.items.commit(&notice.key, &update).await {
            Ok(before) => Ok(Committed { written: update.written, before, is_unsure: false }),
            Err(CommitError::Superseded) => Err(Superseded::NewerItem.into()),
            Err(CommitError::Refused(reason)) => Err(refused(notice, reason)),
            Err(CommitError::Call(error)) => Err(error.into()),
        }
    }
}

/// A removal whose item DynamoDB does not take. It has no FAILED item and no letter, so Lambda must keep it.
fn refused(notice: &Notice, cause: String) -> Stop {
    let call = format!("UpdateItem of the removed {}", notice.key);
    CallError { service: Service::DynamoDb, call, cause }.into()
}
