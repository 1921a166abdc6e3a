//! A photo that can have no renditions: it is kept where it can be tried again, and its item says why.

use chrono::Utc;

use super::claim::Claim;
use super::publish::Committed;
use super::render::Photo;
use super::{Halt, ITEM_KEEPS_CHANGING, Pipeline, Stop, TRIES, Work, contended};
use crate::dead_letter::{DeadLetter, OnFailure};
use crate::disposition::{Ignored, Rejection, Superseded};
use crate::item::{Outcome, Stored, Verdict};

/// A photo that can have no renditions.
#[derive(Debug)]
pub(super) struct Rejected {
    /// Why not.
    pub reason: Rejection,
    /// What is known of it all the same.
    pub photo: Photo,
    /// Whether neither its content nor its name nor its Content-Type is a picture's.
    pub is_other: bool,
    /// Whether its renditions are stored already.
    pub has_renditions: bool,
}

impl Rejected {
    /// A photo that is rejected before it has renditions.
    pub(super) fn new(reason: Rejection, photo: Photo) -> Rejected {
        Rejected { reason, photo, is_other: false, has_renditions: false }
    }
}

impl From<Rejected> for Halt {
    fn from(rejected: Rejected) -> Halt {
        Halt::Rejected(Box::new(rejected))
    }
}

/// Where a rejected event is kept.
#[derive(Clone, Debug)]
enum Kept {
    /// The dead letter or the message of this ID, which the item names.
    Message(String),
    /// The report of a job.
    Report,
}

impl Kept {
    fn message_id(&self) -> Option<&str> {
        match self {
            Kept::Message(id) => Some(id),
            Kept::Report => None,
        }
    }
}

impl Pipeline {
    /// Keeps the event, unless it is already kept, then commits the FAILED item.
    ///
    /// A photo that is READY stays so, and gives nothing to follow up, if it is only now that its original
    /// cannot be rendered: because it was archived since, or because a limit was lowered.
    pub(super) async fn reject(
        &self,
        work: &Work<'_>,
        claim: &Claim,
        rejected: &Rejected,
    ) -> Result<Option<Committed>, Stop> {
        let (key, etag) = (&work.notice.key, &claim.version.etag);
        let mut kept = None;
        for _ in 0..TRIES {
            let stored = self.aws.items.get(key).await?;
            match claim.precondition.check(stored.as_ref(), etag) {
                Verdict::Superseded => return Err(Superseded::NewerItem.into()),
                Verdict::AlreadyRejected { dead_letter_id } => {
                    kept = Some(Kept::Message(dead_letter_id));
                }
                Verdict::Proceed => ignore_what_claims_to_be_other(rejected, stored.as_ref())?,
            }
            if stored.as_ref().is_some_and(|stored| stored.is_ready(etag)) {
                self.keep(work, &rejected.reason).await?;
                return Ok(None);
            }
            self.delete_former(key, stored.as_ref()).await?;
            // Right before the item, which tells the next try that the event is kept.
            let kept = match &kept {
                Some(kept) => kept,
                None => kept.insert(self.keep(work, &rejected.reason).await?),
            };
            let dead_letter_id = kept.message_id();
            let outcome = Outcome::Failed { reason: &rejected.reason, dead_letter_id };
            let claim = claim.if_unchanged(stored.as_ref());
            match self.commit(work, &claim, &rejected.photo, &outcome).await {
                Ok(committed) => {
                    let is_unsure = rejected.has_renditions;
                    return Ok(Some(Committed { before: stored, is_unsure, ..committed }));
                }
                // The item has changed since, and may name renditions that were not removed.
                Err(Halt::Stop(Stop::Superseded(Superseded::NewerItem))) => {}
                // Not even this item has room: the letter is all there is.
                Err(Halt::Rejected(_)) => return Ok(None),
                Err(Halt::Stop(stop)) => return Err(stop),
            }
        }
        Err(contended(work, ITEM_KEEPS_CHANGING))
    }

    /// Keeps the event where it can be tried again.
    async fn keep(&self, work: &Work<'_>, reason: &Rejection) -> Result<Kept, Stop> {
        match work.on_failure {
            OnFailure::DeadLetterQueue => {
                let (payload, key) = (&work.notice.payload, Some(work.notice.key.as_str()));
                let letter = DeadLetter::about(payload, key, reason, work.invocation, Utc::now());
                Ok(Kept::Message(self.aws.dead_letters.send(letter).await?))
            }
            OnFailure::SourceQueue(id) => Ok(Kept::Message(id.clone())),
            OnFailure::JobReport => Ok(Kept::Report),
        }
    }
}

/// An object that neither is a photo nor claims to be one is ignored, unless it has taken the place of a
/// photo.
fn ignore_what_claims_to_be_other(
    rejected: &Rejected,
    stored: Option<&Stored>,
) -> Result<(), Ignored> {
    let is_in_place_of_photo = stored.is_some_and(Stored::is_of_photo);
    if rejected.is_other && !is_in_place_of_photo {
        return Err(Ignored::NotAPhoto(rejected.reason.clone()));
    }
    Ok(())
}
