//! Renditions and item are several writes, and nothing makes them one: an event that is superseded between
//! them leaves its rendition where another's belongs. So a superseded event looks again. So does an event
//! that has replaced an item: those that it supersedes may have looked before its own item was there.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::claim::Claim;
use super::publish::Committed;
use super::{Pipeline, Stop, TRIES, Work, contended};
use crate::disposition::Superseded;
use crate::item::{Place, Precondition, RenditionHead, Repair, Stored, Version, repair};

impl Pipeline {
    /// Leaves the photo to the event that has superseded this one.
    ///
    /// An event whose object is not there any more, and that finds no item either, leaves a tombstone: it
    /// may have stored renditions before, in a try that was cut off, and the newer event must know that
    /// it is to look at them.
    pub(super) async fn give_way(&self, work: &Work<'_>, why: Superseded) -> Result<(), Stop> {
        match (why, &work.notice.sequencer) {
            (Superseded::Overwritten | Superseded::ObjectGone, Some(sequencer)) => {
                let sequencer = Some(sequencer.clone());
                let precondition = Precondition::Unchanged(None);
                let claim = Claim { version: Version::default(), sequencer, precondition };
                match self.write_tombstone(work.notice, &claim).await {
                    Ok(_) => return Ok(()),
                    Err(Stop::Superseded(_)) => {}
                    Err(stop) => return Err(stop),
                }
            }
            (Superseded::NewerItem, _) | (_, None) => {}
        }
        self.reconcile(work, None).await
    }

    /// Sees to it that the renditions are those that the item names, and that there are no others. An item
    /// that was just `committed` need not be read first.
    pub(super) async fn reconcile(
        &self,
        work: &Work<'_>,
        mut committed: Option<Committed>,
    ) -> Result<(), Stop> {
        let key = &work.notice.key;
        for _ in 0..TRIES {
            let (stored, before) = match committed.take() {
                Some(Committed { written, before }) => (written, before),
                None => match self.aws.items.get(key).await? {
                    Some(stored) => (stored, None),
                    None => return Ok(()),
                },
            };
            let configured = self.config.rendition_places(key);
            let named = stored.places().chain(before.iter().flat_map(Stored::places));
            let heads = self.heads(named.cloned().chain(configured).collect()).await?;
            match repair(&stored, &heads) {
                Repair::Nothing => return Ok(()),
                Repair::Delete(surplus) => self.delete_all(&surplus).await?,
                Repair::RenderAgain => match self.render_again(work, &stored).await {
                    Ok(()) => {}
                    // Another event has written the item since.
                    Err(Stop::Superseded(Superseded::NewerItem)) => {}
                    // The item is of an object that is there no more: the event of its successor comes.
                    Err(Stop::Superseded(_)) => return Ok(()),
                    Err(Stop::Rejected(rejected)) => {
                        let reason = &rejected.reason;
                        let cause =
                            format!("it cannot be rendered again: {}: {reason}", reason.name());
                        return Err(contended(work, cause));
                    }
                    Err(stop) => return Err(stop),
                },
            }
        }
        Err(contended(work, "renditions and item still do not agree".to_owned()))
    }

    /// Removes the renditions that an item names and that these settings would not make. An item that
    /// names none is about to take its place, so this is the last chance to know where they are.
    pub(super) async fn delete_former(
        &self,
        key: &str,
        stored: Option<&Stored>,
    ) -> Result<(), Stop> {
        let configured = self.config.rendition_places(key);
        let former = stored.into_iter().flat_map(Stored::places);
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
    async fn render_again(&self, work: &Work<'_>, stored: &Stored) -> Result<(), Stop> {
        let claim = Claim {
            version: Version {
                etag: stored.etag.clone().unwrap_or_default(),
                ..Version::default()
            },
            sequencer: stored.sequencer.clone(),
            precondition: Precondition::Unchanged(stored.processed_at.clone()),
        };
        let rendered = self.fetch_and_render(work, &claim).await?;
        let placed = self.place(work, rendered).await?;
        self.commit_ready(work, &claim, &placed).await?;
        Ok(())
    }
}
