//! Renditions and item are several writes, and nothing makes them one: an event that is superseded between
//! them leaves its rendition where another's belongs. So a superseded event looks at both again. So does an
//! event that has replaced an item: the events that it supersedes may have looked before its own write.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::claim::Claim;
use super::publish::Committed;
use super::{Halt, Pipeline, Stop, TRIES, Work, contended};
use crate::disposition::{Disposition, Ignored, Retry, Superseded};
use crate::item::{Place, Precondition, RenditionHead, Repair, Seen, Stored, Version, repair};
use crate::telemetry::{Step, Trace};

impl Pipeline {
    /// Leaves the photo to the event that has superseded this one, and says so.
    pub(super) async fn give_way(&self, work: &Work<'_>, why: Superseded) -> Disposition {
        let mend = async {
            if self.leave_tombstone(work, why).await? {
                Ok(())
            } else {
                self.reconcile(work, None).await
            }
        };
        match (work.trace.time(Step::Reconcile, mend).await, why) {
            (Ok(()), Superseded::ObjectGone) => Disposition::Ignored(Ignored::ObjectGone),
            (Ok(()), why) => Disposition::Superseded(why),
            (Err(Stop::Ignored(why)), _) => Disposition::Ignored(why),
            (Err(Stop::Superseded(why)), _) => Disposition::Superseded(why),
            (Err(Stop::Retry(why)), _) => Disposition::Retry(why),
        }
    }

    /// Leaves a tombstone of this event's sequencer where its object is gone and there is no item, and
    /// tells whether it did. A try that was cut off may have stored renditions: by the tombstone, the newer
    /// event knows that it must look at them.
    async fn leave_tombstone(&self, work: &Work<'_>, why: Superseded) -> Result<bool, Stop> {
        let sequencer = match (why, &work.notice.sequencer) {
            (Superseded::Overwritten | Superseded::ObjectGone, Some(sequencer)) => sequencer,
            (Superseded::NewerItem, _) | (_, None) => return Ok(false),
        };
        let precondition = Precondition::unchanged(Seen::Absent);
        match self.write_tombstone(work.notice, Some(sequencer), &precondition).await {
            Ok(_) => Ok(true),
            Err(Stop::Superseded(_)) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    /// Makes the renditions match the item. An item that was just `committed` need not be read first.
    pub(super) async fn reconcile(
        &self,
        work: &Work<'_>,
        mut committed: Option<Committed>,
    ) -> Result<(), Stop> {
        let key = &work.notice.key;
        for _ in 0..TRIES {
            let (stored, before) = match committed.take() {
                Some(Committed { written, before, .. }) => (written, before),
                None => match self.aws.items.get(key).await? {
                    Some(stored) => (stored, None),
                    None => return Ok(()),
                },
            };
            let configured = self.config.rendition_places(key);
            let former =
                stored.places.iter().chain(before.iter().flat_map(|before| &before.places));
            let heads = self.heads(former.cloned().chain(configured).collect()).await?;
            match repair(&stored, &heads) {
                Repair::Nothing => return Ok(()),
                Repair::Delete(surplus) => self.delete_all(&surplus).await?,
                Repair::RenderAgain => match self.render_again(work, &stored).await {
                    Ok(()) => {}
                    // Another event has written the item since.
                    Err(Halt::Stop(Stop::Superseded(Superseded::NewerItem))) => {}
                    // The item's original is gone: the event of its successor comes.
                    Err(Halt::Stop(Stop::Superseded(_))) => return Ok(()),
                    Err(Halt::Rejected(rejected)) => {
                        let (key, reason) = (key.clone(), rejected.reason);
                        return Err(Retry::CannotRepair { key, reason }.into());
                    }
                    Err(Halt::Stop(stop)) => return Err(stop),
                },
            }
        }
        Err(contended(work, "renditions and item still do not agree"))
    }

    /// Removes the renditions at places that these settings would not use. An item that has no places is
    /// about to be written, so this is the last chance to know where they are.
    pub(super) async fn delete_former(
        &self,
        key: &str,
        stored: Option<&Stored>,
    ) -> Result<(), Stop> {
        let configured = self.config.rendition_places(key);
        let former = stored.into_iter().flat_map(|stored| &stored.places);
        let former = former.filter(|place| !configured.contains(place)).cloned();
        let heads = self.heads(former.collect()).await?;
        let there = heads.into_iter().filter_map(|(place, head)| Some((place, head?.etag)));
        self.delete_all(&there.collect::<Vec<_>>()).await
    }

    async fn heads(
        &self,
        places: BTreeSet<Place>,
    ) -> Result<Vec<(Place, Option<RenditionHead>)>, Stop> {
        let heads = places.into_iter().map(async |place| {
            let head = self.aws.renditions.head(&place).await?;
            Ok::<_, Stop>((place, head))
        });
        try_join_all(heads).await
    }

    async fn delete_all(&self, surplus: &[(Place, String)]) -> Result<(), Stop> {
        let deletions = surplus.iter().map(|(place, etag)| self.aws.renditions.delete(place, etag));
        try_join_all(deletions).await?;
        Ok(())
    }

    /// Makes the renditions anew of the original that the item is of, and writes the item that names them.
    async fn render_again(&self, work: &Work<'_>, stored: &Stored) -> Result<(), Halt> {
        let etag = stored.etag.clone().unwrap_or_default();
        let claim = Claim {
            version: Version { etag, bytes: stored.bytes, ..Version::default() },
            sequencer: stored.sequencer.clone(),
            precondition: Precondition::unchanged(Seen::of(Some(stored))),
        };
        // The log line of an event is about its own photo.
        let work = &Work { trace: &Trace::default(), ..*work };
        let rendered = self.fetch_and_render(work, &claim).await?;
        let placed = self.place(work, rendered).await?;
        self.commit_ready(work, &claim, &placed).await?;
        Ok(())
    }
}
