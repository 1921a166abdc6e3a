//! The calls of the events about one key, each atomic at its service. The decisions between the calls are those
//! of the product, made by its own functions.

use thumbnailer::event::Sequencer;
use thumbnailer::item::{Precondition, Repair, Seen, Status, Stored, Verdict, must_look, repair};

use crate::world::{Files, Item, Layout, Original, PLACES, Places, Settings, World};
use crate::world::{files_at, heads, index_of};

/// What happens to the key, in this order; each but a deployment is an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// An original is uploaded.
    Upload(Original),
    /// The original is deleted.
    Remove,
    /// The current version of the original is deleted, so that this older one is current again.
    Restore(Original),
    /// S3 Batch Operations sends the photo once more: an event without a sequencer.
    Backfill,
    /// The function is deployed with other settings.
    Deploy(Settings),
}

/// The protocol, or a protocol that lacks a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// What the product does.
    Whole,
    /// No look at the renditions after a write.
    WithoutLook,
    /// A look at the first rendition alone.
    WithoutLookAtAll,
    /// No tombstone of a superseded event.
    WithoutTombstone,
    /// No place of a rendition is kept until its file is gone.
    WithoutFormerPlaces,
    /// No sequencer of a removal in an item that stays.
    WithoutTakeOver,
}

/// What the processes of one key do.
#[derive(Clone, Debug)]
pub struct Protocol {
    pub story: Vec<Deed>,
    pub layout: Layout,
    pub variant: Variant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Process {
    NotStarted,
    At(Local),
    Done,
}

/// What a process knows, and the call that it makes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    pub call: Call,
    /// Of calls that are made at once, the places whose call is still to be made.
    pub waiting: Places,
    pub settings: Settings,
    pub claim: Claim,
    /// The item as it was read or written.
    pub stored: Option<Item>,
    /// The places of all calls that are made at once.
    pub looked_at: Places,
    /// What is known to be there.
    pub found: Files,
    /// The stamp of a write whose answer was lost.
    pub unanswered: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    pub original: Option<Original>,
    pub sequencer: u8,
    /// The stamp of the item that must not have changed, 0 for none; for events without a sequencer.
    pub unchanged: Option<u8>,
}

/// A call. The calls about several renditions are made at once: those of one process have no order among each
/// other, and other processes' calls may come between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// An event without a sequencer asks for the ETag, then for the item.
    Head,
    ClaimItem,
    /// The line of a photo.
    Fetch,
    Puts,
    Commit,
    /// A photo that can have no renditions.
    RejectItem,
    /// A removal.
    RemovalItem,
    RemovalHead,
    TakeOver,
    /// Renditions at places that the settings do not name, before these places are forgotten.
    FormerHeads,
    FormerDeletes,
    CommitFailed,
    CommitTombstone,
    /// A superseded event whose object is gone.
    LeaveTombstone,
    /// Reconciliation.
    Item,
    Heads,
    Deletes,
    FetchAgain,
    PutsAgain,
    CommitAgain,
}

/// What becomes of a process after a call.
pub type Step = (World, Process);

/// A stamp that no write has yet, until a state is normalised.
pub const FRESH: u8 = u8::MAX;

impl Claim {
    /// Of a process that only reconciles: it does so under the claim of the item that it finds.
    const NONE: Claim = Claim { original: None, sequencer: 0, unchanged: None };

    fn precondition(self) -> Precondition {
        match self.unchanged {
            None => {
                let sequencer = self.sequencer.to_string();
                Precondition::not_newer(Sequencer::new(&sequencer).expect("a number"))
            }
            Some(0) => Precondition::unchanged(Seen::Absent),
            Some(stamp) => Precondition::unchanged(Seen::At(stamp.to_string())),
        }
    }

    fn etag(self) -> String {
        self.original.map(Original::etag).unwrap_or_default()
    }
}

impl Local {
    /// Before a call, knowing the claim and this item, and nothing else.
    fn before(self, call: Call, stored: Option<Item>) -> Local {
        Local {
            call,
            waiting: Places::NONE,
            stored,
            looked_at: Places::NONE,
            found: [None; PLACES],
            unanswered: None,
            ..self
        }
    }

    fn at(self, call: Call) -> Process {
        self.with_item(None, call)
    }

    fn with_item(self, stored: Option<Item>, call: Call) -> Process {
        Process::At(self.before(call, stored))
    }

    /// Calls that are made at once.
    fn at_once(self, call: Call, places: Places) -> Process {
        Process::At(Local { call, waiting: places, looked_at: places, unanswered: None, ..self })
    }

    fn reconcile(self) -> Process {
        Local { claim: Claim::NONE, ..self }.at(Call::Item)
    }

    /// After one of the calls that are made at once: `then` after the last.
    fn after_one(self, place: usize, then: impl FnOnce(Local) -> Process) -> Process {
        let local = Local { waiting: self.waiting.without(place), ..self };
        if local.waiting.is_empty() { then(local) } else { Process::At(local) }
    }

    fn knowing(mut self, place: usize, world: World) -> Local {
        self.found[place] = world.files[place];
        self
    }

    fn forgetting(mut self, place: usize) -> Local {
        self.found[place] = None;
        self
    }
}

impl Protocol {
    pub fn start(&self, event: usize, settings: Settings) -> Process {
        let sequencer = u8::try_from(event + 1).expect("few events");
        let (call, original, sequencer, unchanged) = match self.events()[event] {
            Deed::Upload(original) => (Call::Fetch, Some(original), sequencer, None),
            Deed::Remove | Deed::Restore(_) => (Call::RemovalItem, None, sequencer, None),
            Deed::Backfill => (Call::Head, None, 0, Some(0)),
            Deed::Deploy(_) => panic!("no event"),
        };
        Process::At(Local {
            call,
            waiting: Places::NONE,
            settings,
            claim: Claim { original, sequencer, unchanged },
            stored: None,
            looked_at: Places::NONE,
            found: [None; PLACES],
            unanswered: None,
        })
    }

    pub fn events(&self) -> Vec<Deed> {
        let is_event = |deed: &Deed| !matches!(deed, Deed::Deploy(_));
        self.story.iter().copied().filter(is_event).collect()
    }

    /// Deeds up to the event, itself among them.
    pub fn deeds_until(&self, event: usize) -> usize {
        let is_event = |(_, deed): &(usize, &Deed)| !matches!(deed, Deed::Deploy(_));
        self.story.iter().enumerate().filter(is_event).nth(event).expect("an event").0 + 1
    }

    fn stored(&self, item: Option<Item>) -> Option<Stored> {
        item.map(|item| self.layout.stored(item))
    }

    /// What a process's next call does; of calls that are made at once, that about `place`.
    pub fn call(&self, event: usize, local: Local, place: Option<usize>, world: World) -> Step {
        match place {
            Some(place) => self.call_about(place, local, world),
            None => self.single_call(event, local, world),
        }
    }

    fn call_about(&self, place: usize, local: Local, world: World) -> Step {
        let put = || {
            let from = local.claim.original.expect("an original is claimed");
            world.with_file(place, self.layout.made(from, local.settings, place))
        };
        let delete = || world.without_file(place, local.found[place]);
        match local.call {
            Call::Puts => (put(), local.after_one(place, |local| local.at(Call::Commit))),
            Call::PutsAgain => (put(), local.after_one(place, |local| local.at(Call::CommitAgain))),
            Call::Heads => {
                let next = local.knowing(place, world).after_one(place, |it| self.after_heads(it));
                (world, next)
            }
            Call::Deletes => (delete(), local.forgetting(place).after_one(place, Local::reconcile)),
            Call::FormerHeads => {
                let after = |local: Local| {
                    let there =
                        local.looked_at.iter().filter(|place| local.found[*place].is_some());
                    self.delete_all_former(local, there.collect())
                };
                (world, local.knowing(place, world).after_one(place, after))
            }
            Call::FormerDeletes => {
                let after = |local: Local| self.delete_all_former(local, Places::NONE);
                (delete(), local.forgetting(place).after_one(place, after))
            }
            Call::Head
            | Call::ClaimItem
            | Call::Fetch
            | Call::Commit
            | Call::RejectItem
            | Call::RemovalItem
            | Call::RemovalHead
            | Call::TakeOver
            | Call::CommitFailed
            | Call::CommitTombstone
            | Call::LeaveTombstone
            | Call::Item
            | Call::FetchAgain
            | Call::CommitAgain => panic!("one call about the whole photo"),
        }
    }

    fn single_call(&self, event: usize, local: Local, world: World) -> Step {
        let ready = |stamp| Item {
            status: Status::Ready,
            sequencer: local.claim.sequencer,
            original: local.claim.original,
            settings: Some(local.settings),
            places: self.places_with(world.item, local.settings),
            stamp,
        };
        match local.call {
            Call::Head => match world.original {
                None => (world, local.reconcile()),
                Some(_) => {
                    let claim = Claim { original: world.original, ..local.claim };
                    (world, Local { claim, ..local }.at(Call::ClaimItem))
                }
            },
            Call::ClaimItem => (world, self.claim_behind(local, world.item)),
            Call::Fetch => match world.original {
                now if now != local.claim.original => (world, self.give_way(event, local)),
                Some(Original::Broken) => (world, local.at(Call::RejectItem)),
                _ => (world, local.at_once(Call::Puts, self.layout.places(local.settings))),
            },
            Call::Commit => self.commit(event, local, world, ready),
            Call::RejectItem => {
                let (item, etag) = (self.stored(world.item), local.claim.etag());
                let verdict = local.claim.precondition().check(item.as_ref(), &etag);
                let next = if verdict == Verdict::Superseded {
                    self.superseded(event, local)
                } else {
                    self.delete_former(local, world.item)
                };
                (world, next)
            }
            Call::RemovalItem => (world, local.with_item(world.item, Call::RemovalHead)),
            Call::RemovalHead => (world, self.after_removal_head(local, world)),
            Call::TakeOver => self.take_over(local, world),
            Call::CommitFailed => {
                let failed = |stamp| Item {
                    status: Status::Failed,
                    original: local.claim.original,
                    ..tombstone(local, stamp)
                };
                self.forget(local, world, failed, Call::RejectItem)
            }
            Call::CommitTombstone => {
                self.forget(local, world, |stamp| tombstone(local, stamp), Call::RemovalItem)
            }
            Call::LeaveTombstone => {
                let own = |stamp| tombstone(local, stamp);
                match self.write(local, &Precondition::unchanged(Seen::Absent), world, own) {
                    Some((world, ..)) => (world, Process::Done),
                    None => (world, local.reconcile()),
                }
            }
            Call::Item => match world.item {
                None => (world, Process::Done),
                Some(stored) => (world, self.look(local, stored, None)),
            },
            Call::FetchAgain => match world.original {
                now if now != local.claim.original => (world, Process::Done),
                _ => (world, local.at_once(Call::PutsAgain, self.layout.places(local.settings))),
            },
            Call::CommitAgain => {
                let written = self.write(local, &local.claim.precondition(), world, ready);
                (written.map_or(world, |(world, ..)| world), local.reconcile())
            }
            Call::Puts
            | Call::PutsAgain
            | Call::Heads
            | Call::Deletes
            | Call::FormerHeads
            | Call::FormerDeletes => panic!("a call for each place"),
        }
    }

    /// An event without a sequencer takes its place behind the item.
    fn claim_behind(&self, local: Local, item: Option<Item>) -> Process {
        let from = local.claim.original.expect("it was asked for");
        let renditions = self.layout.named(from, local.settings);
        let stored = self.stored(item);
        if stored.is_some_and(|stored| stored.is_finished(&from.etag(), &renditions)) {
            return local.reconcile();
        }
        let (sequencer, stamp) = item.map_or((0, 0), |item| (item.sequencer, item.stamp));
        let claim = Claim { sequencer, unchanged: Some(stamp), ..local.claim };
        Local { claim, ..local }.at(Call::Fetch)
    }

    fn give_way(&self, event: usize, local: Local) -> Process {
        let has_sequencer = self.events()[event] != Deed::Backfill;
        let leaves = has_sequencer && self.variant != Variant::WithoutTombstone;
        if leaves { local.at(Call::LeaveTombstone) } else { local.reconcile() }
    }

    fn after_removal_head(&self, local: Local, world: World) -> Process {
        let Some(current) = world.original else {
            let stored = self.stored(local.stored);
            let verdict = local.claim.precondition().check(stored.as_ref(), "");
            if verdict == Verdict::Superseded {
                return local.reconcile();
            }
            return self.delete_former(local, local.stored);
        };
        if let Some(item) = local.stored
            && self.layout.stored(item).is_ready(&current.etag())
        {
            let takes_over =
                item.sequencer < local.claim.sequencer && self.variant != Variant::WithoutTakeOver;
            if takes_over {
                return local.with_item(local.stored, Call::TakeOver);
            }
            return local.reconcile();
        }
        let claim = Claim { original: Some(current), ..local.claim };
        Local { claim, ..local }.at(Call::Fetch)
    }

    fn take_over(&self, local: Local, world: World) -> Step {
        let item = local.stored.expect("it was read");
        let taken = |stamp| Item {
            sequencer: local.claim.sequencer,
            stamp,
            // DynamoDB keeps the places that the item has by then.
            places: world.item.map_or(item.places, |item| item.places),
            ..item
        };
        match self.write(local, &self.if_unchanged(local), world, taken) {
            Some((world, ..)) => (world, local.reconcile()),
            None => (world, local.at(Call::RemovalItem)),
        }
    }

    /// Looks at the places of an item that the settings do not name, before a write forgets them.
    fn delete_former(&self, local: Local, stored: Option<Item>) -> Process {
        let named = stored.map_or(Places::NONE, |item| item.places);
        let former = named.minus(self.layout.places(local.settings));
        let local = local.before(Call::FormerHeads, stored);
        if former.is_empty() || self.variant == Variant::WithoutFormerPlaces {
            return self.delete_all_former(local, Places::NONE);
        }
        local.at_once(Call::FormerHeads, former)
    }

    /// Removes renditions, and then writes the item that forgets them.
    fn delete_all_former(&self, local: Local, there: Places) -> Process {
        if !there.is_empty() {
            return local.at_once(Call::FormerDeletes, there);
        }
        // A claim on no original is that of a removal.
        let is_removal = local.claim.original.is_none();
        let call = if is_removal { Call::CommitTombstone } else { Call::CommitFailed };
        local.with_item(local.stored, call)
    }

    /// The places of the item and those of new renditions.
    fn places_with(&self, item: Option<Item>, settings: Settings) -> Places {
        let keeps = self.variant != Variant::WithoutFormerPlaces;
        let former = item.filter(|_| keeps).map_or(Places::NONE, |item| item.places);
        former.and(self.layout.places(settings))
    }

    /// An UpdateItem with its condition: the world after it, what was written, and what was there before.
    fn write(
        &self,
        local: Local,
        precondition: &Precondition,
        world: World,
        item: impl Fn(u8) -> Item,
    ) -> Option<(World, Item, Option<Item>)> {
        let found = self.stored(world.item);
        if precondition.check(found.as_ref(), &local.claim.etag()) != Verdict::Superseded {
            let written = item(local.unanswered.unwrap_or(FRESH));
            return Some((World { item: Some(written), ..world }, written, world.item));
        }
        // A repeated call may find its own write.
        let own = local.unanswered.map(|stamp| self.layout.stored(item(stamp)));
        let is_own = own.zip(found).is_some_and(|(own, found)| found.is_same_write(&own));
        let found = world.item.filter(|_| is_own)?;
        Some((world, found, Some(found)))
    }

    /// The event's own condition, and that the item is still the one that was read.
    fn if_unchanged(&self, local: Local) -> Precondition {
        local.claim.precondition().and_unchanged(self.stored(local.stored).as_ref())
    }

    /// An event whose write was refused looks at the renditions; without a sequencer it begins anew.
    fn superseded(&self, event: usize, local: Local) -> Process {
        if self.events()[event] == Deed::Backfill {
            return self.start(event, local.settings);
        }
        local.reconcile()
    }

    fn commit(&self, event: usize, local: Local, world: World, item: impl Fn(u8) -> Item) -> Step {
        match self.write(local, &local.claim.precondition(), world, item) {
            Some((world, written, before)) => (world, self.follow_up(local, written, before)),
            None => (world, self.superseded(event, local)),
        }
    }

    fn follow_up(&self, local: Local, written: Item, before: Option<Item>) -> Process {
        let looks = must_look(&local.claim.precondition(), self.stored(before).as_ref());
        if !looks || self.variant == Variant::WithoutLook {
            return Process::Done;
        }
        self.look(local, written, before.filter(|_| self.variant != Variant::WithoutFormerPlaces))
    }

    /// A write that forgets where renditions are: the item must still be the one whose renditions were
    /// removed, else the event begins `again`.
    fn forget(&self, local: Local, world: World, item: impl Fn(u8) -> Item, again: Call) -> Step {
        match self.write(local, &self.if_unchanged(local), world, item) {
            Some((world, written, _)) => (world, self.follow_up(local, written, local.stored)),
            None => (world, local.at(again)),
        }
    }

    /// A look at the places of the settings, and at those that an item names.
    fn look(&self, local: Local, stored: Item, before: Option<Item>) -> Process {
        let configured = self.layout.places(local.settings);
        let former = before.map_or(Places::NONE, |item| item.places);
        let looked_at = stored.places.and(former).and(configured);
        let local = Local { claim: Claim::NONE, ..local };
        let local = local.before(Call::Heads, Some(stored));
        let looks = Local { waiting: looked_at, looked_at, ..local };
        if self.variant == Variant::WithoutLookAtAll {
            return self.look_at_first(looks, stored);
        }
        Process::At(looks)
    }

    /// A look that takes all but the first rendition for right.
    fn look_at_first(&self, looks: Local, stored: Item) -> Process {
        let first = Places::NONE.with(0).with(self.layout.renditions);
        let waiting = looks.looked_at.minus(looks.looked_at.minus(first));
        let made = stored.original.zip(stored.settings);
        let named = made.map_or([None; PLACES], |(from, made)| self.layout.files(from, made));
        let found = files_at(named, looks.looked_at.minus(first));
        Process::At(Local { waiting, found, ..looks })
    }

    fn after_heads(&self, local: Local) -> Process {
        let item = local.stored.expect("it was read");
        let found = heads(local.found, local.looked_at);
        match repair(&self.layout.stored(item), &found) {
            Repair::Nothing => Process::Done,
            Repair::Delete(surplus) => {
                let surplus: Places = surplus.iter().map(|(place, _)| index_of(place)).collect();
                let found = files_at(local.found, surplus);
                Local { stored: None, found, ..local }.at_once(Call::Deletes, surplus)
            }
            Repair::RenderAgain => {
                let claim = Claim {
                    original: item.original,
                    sequencer: item.sequencer,
                    unchanged: Some(item.stamp),
                };
                Local { claim, ..local }.at(Call::FetchAgain)
            }
        }
    }
}

fn tombstone(local: Local, stamp: u8) -> Item {
    Item {
        status: Status::Deleted,
        sequencer: local.claim.sequencer,
        original: None,
        settings: None,
        places: Places::NONE,
        stamp,
    }
}
