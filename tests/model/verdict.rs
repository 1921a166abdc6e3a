//! What must be true in the end.

use thumbnailer::item::Status;

use crate::exploration::{Exploration, State};
use crate::protocol::{Deed, Process};
use crate::world::{Files, Item, Original, PLACES, Places, files_at};

impl Exploration {
    /// Whether every event has ended.
    pub fn is_over(&self, state: &State) -> bool {
        let is_over = |[first, second]: &[Process; 2]| {
            *first == Process::Done && matches!(second, Process::Done | Process::NotStarted)
        };
        state.done == self.protocol.story.len() && state.processes.iter().all(is_over)
    }

    /// What is wrong in the end.
    pub fn verdict(&self, state: &State) -> Result<(), &'static str> {
        let files = files_at(state.world.files, self.judged(state));
        let is_bare = files.iter().all(Option::is_none);
        let (original, item) = (state.world.original, state.world.item);
        match original {
            None => match item {
                Some(item) if item.status != Status::Deleted => Err("removed, but an item stays"),
                _ if !is_bare => Err("removed, but a rendition stays"),
                _ => Ok(()),
            },
            Some(Original::Broken) => match item {
                Some(item) if item.status == Status::Failed && item.original == original => {
                    if is_bare {
                        Ok(())
                    } else {
                        Err("FAILED, but a rendition stays")
                    }
                }
                _ => Err("the last photo is broken, but not FAILED"),
            },
            Some(from) => match item {
                Some(item) if item.status == Status::Ready && item.original == original => {
                    self.verdict_of_ready(state, from, item, files)
                }
                _ => Err("the last photo is not READY"),
            },
        }
    }

    fn verdict_of_ready(
        &self,
        state: &State,
        from: Original,
        item: Item,
        files: Files,
    ) -> Result<(), &'static str> {
        let (layout, made) = (self.protocol.layout, item.settings.expect("READY has them"));
        // A process that began under other settings may end after the backfill.
        let must_be_new = self.ends_with_backfill() && state.is_quiet_deploy;
        if must_be_new && layout.named(from, made) != layout.named(from, state.world.settings) {
            return Err("READY with the settings of before the backfill");
        }
        let named = layout.files(from, made);
        for (file, named) in files.into_iter().zip(named) {
            match (file, named) {
                (None, Some(_)) => return Err("READY without a rendition"),
                (Some(_), None) => return Err("READY, but a former rendition stays"),
                (Some(file), Some(named)) if file != named => {
                    return Err("READY with another rendition");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A process that began under other settings and is killed before the write of its item leaves renditions
    /// that no item names: nobody can find those that the settings do not name either.
    fn judged(&self, state: &State) -> Places {
        let all: Places = (0..PLACES).collect();
        if state.is_quiet_deploy || state.left.kills == self.faults.kills {
            return all;
        }
        let named = state.world.item.map_or(Places::NONE, |item| item.places);
        named.and(self.protocol.layout.places(state.world.settings))
    }

    fn ends_with_backfill(&self) -> bool {
        self.protocol.story.last() == Some(&Deed::Backfill)
    }
}
