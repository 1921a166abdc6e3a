//! A photo that can have no renditions: it is kept where it can be tried again, and its item says why.

use chrono::Utc;

use super::claim::Claim;
use super::publish::Committed;
use super::render::Photo;
use super::{Pipeline, Stop, TRIES, Work, contended};
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
}

impl From<Rejected> for Stop {
    fn from(rejected: Rejected) -> Stop {
        Stop::Rejected(Box::new(rejected))
    }
}

impl Pipeline {
    /// Sees to it that the event is kept, unless it is already, then commits the FAILED item, and removes
    /// the renditions of the photo that the broken one has overwritten.
    pub(super) async fn reject(
        &self,
        work: &Work<'_>,
        claim: &Claim,
        rejected: &Rejected,
    ) -> Result<(), Stop> {
        let mut kept = None;
        for _ in 0..TRIES {
            let stored = self.aws.items.get(&work.notice.key).await?;
            match claim.precondition.check(stored.as_ref()) {
                Verdict::Superseded => return Err(Superseded::NewerItem.into()),
                Verdict::AlreadyRejected { dead_letter_id } => kept = Some(Some(dead_letter_id)),
                Verdict::Proceed => ignore_what_claims_to_be_other(rejected, stored.as_ref())?,
            }
            self.delete_former(&work.notice.key, stored.as_ref()).await?;
            // Right before the item, which tells the next try that the event is kept.
            let dead_letter_id = match &kept {
                Some(dead_letter_id) => dead_letter_id.as_deref(),
                None => kept.insert(self.keep(work, &rejected.reason).await?).as_deref(),
            };
            let outcome = Outcome::Failed { reason: &rejected.reason, dead_letter_id };
            let forgetting = claim.forgetting(stored.as_ref());
            match self.commit(work, &forgetting, &rejected.photo, &outcome).await {
                // The item has changed since, and may name renditions that were not removed.
                Err(Stop::Superseded(Superseded::NewerItem)) => {}
                committed => {
                    let committed = Committed { before: stored, ..committed? };
                    return self.follow_up(work, claim, committed).await;
                }
            }
        }
        Err(contended(work, "its item was written again and again".to_owned()))
    }

    /// Keeps the event where it can be tried again, and gives the ID of the message that does.
    async fn keep(&self, work: &Work<'_>, reason: &Rejection) -> Result<Option<String>, Stop> {
        match work.on_failure {
            OnFailure::DeadLetterQueue => {
                let (payload, key) = (&work.notice.payload, Some(work.notice.key.as_str()));
                let letter = DeadLetter::about(payload, key, reason, work.invocation, Utc::now());
                Ok(Some(self.aws.dead_letters.send(letter).await?))
            }
            OnFailure::SourceQueue(id) => Ok(Some(id.clone())),
            OnFailure::JobReport => Ok(None),
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
