//! A photo was removed: everything made of it goes too, its place and its time with it.

use chrono::Utc;

use super::claim::Claim;
use super::publish::Committed;
use super::{Pipeline, Stop, TRIES, Work, contended};
use crate::aws::{CallError, CommitError, Service};
use crate::disposition::{Disposition, Ignored, Superseded};
use crate::event::Notice;
use crate::item::{Precondition, Record, Stored, Update, Verdict, Version};
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
            let Some(current) = self.aws.originals.head(&notice.key).await? else {
                match self.remove_and_leave_tombstone(work, stored).await? {
                    true => return Ok(Disposition::Removed),
                    false => continue,
                }
            };
            if stored.and_then(|stored| stored.etag).as_ref() == Some(&current.version.etag) {
                // This may be the second try of a removal that came between two uploads.
                work.trace.time(Step::Reconcile, self.reconcile(work, None)).await?;
                return Err(Ignored::StillThere.into());
            }
            // An older version became current again, or the event of a new one is on its way.
            self.ensure_in_scope(notice, current.version.bytes)?;
            let claim = self.claim_version(notice, current.version).await?;
            return self.process(work, &claim).await;
        }
        Err(contended(work, "its item was written again and again".to_owned()))
    }

    /// Removes what was made of a photo, and leaves a tombstone; false if its item has changed since it was
    /// read, and may name renditions that were not removed.
    async fn remove_and_leave_tombstone(
        &self,
        work: &Work<'_>,
        stored: Option<Stored>,
    ) -> Result<bool, Stop> {
        let Notice { key, sequencer, .. } = work.notice;
        let kept = stored.as_ref().and_then(|stored| stored.sequencer.clone());
        let seen = stored.as_ref().and_then(|stored| stored.processed_at.clone());
        let claim = Claim {
            version: Version::default(),
            sequencer: sequencer.clone().or(kept),
            precondition: match sequencer {
                Some(sequencer) => Precondition::NotNewer(sequencer.clone()),
                None => Precondition::Unchanged(seen),
            },
        };
        if claim.precondition.check(stored.as_ref()) == Verdict::Superseded {
            return Err(Superseded::NewerItem.into());
        }
        self.delete_former(key, stored.as_ref()).await?;
        let forgetting = claim.forgetting(stored.as_ref());
        let tombstone = self.write_tombstone(work.notice, &forgetting);
        match work.trace.time(Step::Commit, tombstone).await {
            Err(Stop::Superseded(Superseded::NewerItem)) => Ok(false),
            committed => {
                let committed = Committed { before: stored, ..committed? };
                self.follow_up(work, &claim, committed).await?;
                Ok(true)
            }
        }
    }

    /// Writes a tombstone in the place of the item.
    pub(super) async fn write_tombstone(
        &self,
        notice: &Notice,
        claim: &Claim,
    ) -> Result<Committed, Stop> {
        let record = Record::tombstone(claim.sequencer.as_ref(), Utc::now());
        let refused = |cause: String| {
            let call = format!("writing the tombstone of {}", notice.key);
            Stop::from(CallError { service: Service::DynamoDb, call, cause })
        };
        let update = Update::new(&record, &claim.precondition);
        let update = update.map_err(|error| refused(error.to_string()))?;
        match self.aws.items.commit(&notice.key, &update).await {
            Ok(before) => Ok(Committed { written: update.written, before }),
            Err(CommitError::Superseded) => Err(Superseded::NewerItem.into()),
            // A removal has no FAILED item and no letter of its own: Lambda must keep it.
            Err(CommitError::Refused(reason)) => Err(refused(reason)),
            Err(CommitError::Call(error)) => Err(error.into()),
        }
    }
}
