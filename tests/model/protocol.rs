//! The calls of the events about one key, each atomic at its service, in every order: what crosses, what is
//! killed and tried again, whose answer is lost, what is delivered twice. The decisions between the calls are
//! those of the product, made by its own functions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stateright::{Model, Property};
use thumbnailer::event::Sequencer;
use thumbnailer::item::{
    Place, Precondition, RenditionHead, RenditionRef, RenditionRefs, Repair, Seen, Status, Stored,
    Verdict, must_look, repair,
};

/// What happens to the key, in this order; each but the last is an event.
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

/// An original by its ETag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Original {
    A,
    /// Another original, whose renditions have the same bytes as those of A.
    SamePixelsAsA,
    B,
    C,
    /// An original that can have no renditions.
    Broken,
}

/// Settings: those of the beginning, and those that make other bytes at the same place or at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settings {
    First,
    OtherQuality,
    OtherPlace,
}

/// How much may go wrong in one story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Faults {
    /// Processes that are killed; each event is then tried again.
    pub kills: u8,
    /// Answers that are lost; the SDK then repeats the call.
    pub lost_answers: u8,
    /// Events that are delivered twice.
    pub duplicates: u8,
}

/// The protocol, or a protocol that lacks a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// What the product does.
    Whole,
    /// No look at the renditions after a write.
    WithoutLook,
    /// No tombstone of a superseded event.
    WithoutTombstone,
    /// No place of a rendition is kept until its file is gone.
    WithoutFormerPlaces,
    /// No sequencer of a removal in an item that stays.
    WithoutTakeOver,
}

/// One key and the events about it.
pub struct Protocol {
    pub story: Vec<Deed>,
    pub faults: Faults,
    pub variant: Variant,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Deeds that are done.
    done: usize,
    world: World,
    left: Faults,
    /// Whether no process was under way when the settings changed.
    is_quiet_deploy: bool,
    /// Of each event, the process of its delivery and that of a second delivery.
    processes: Vec<[Process; 2]>,
}

/// What S3 and DynamoDB keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    settings: Settings,
    original: Option<Original>,
    /// The rendition at each place.
    renditions: [Option<Made>; 2],
    item: Option<Item>,
}

/// A rendition by what it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Made {
    from: Original,
    settings: Settings,
}

/// An item of one rendition. It is a `Stored`, smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Item {
    status: Status,
    sequencer: u8,
    original: Option<Original>,
    rendition: Option<Made>,
    /// Whether a rendition may be at each place.
    places: [bool; 2],
    /// `processedAt`: differs between any two writes.
    stamp: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Process {
    NotStarted,
    At(Local),
    Done,
}

/// What a process knows, and the call that it makes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Local {
    call: Call,
    settings: Settings,
    claim: Claim,
    /// The item as it was read or written.
    stored: Option<Item>,
    /// The item that a write has replaced.
    before: Option<Item>,
    heads: [Option<Made>; 2],
    /// The stamp of a write whose answer was lost.
    unanswered: Option<u8>,
    /// The item that must not have changed, only while a write is made.
    seen: Option<Option<Item>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Claim {
    original: Option<Original>,
    sequencer: u8,
    /// The stamp of the item that must not have changed, 0 for none; for events without a sequencer.
    unchanged: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Call {
    /// An event without a sequencer asks for the ETag, then for the item.
    Head,
    ClaimItem,
    /// The line of a photo.
    Fetch,
    Put,
    Commit,
    /// A photo that can have no renditions.
    RejectItem,
    /// A removal.
    RemovalItem,
    RemovalHead,
    TakeOver,
    /// Renditions at the place that the settings do not name, before their names are forgotten.
    FormerHead,
    FormerDelete,
    CommitFailed,
    CommitTombstone,
    /// A superseded event whose object is gone.
    LeaveTombstone,
    /// Reconciliation.
    Item,
    HeadOf(usize),
    DeleteOf(usize),
    FetchAgain,
    PutAgain,
    CommitAgain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The next deed of the story.
    Next,
    /// An event is delivered, or delivered again.
    Deliver { event: usize, again: bool },
    /// A process makes its next call.
    Call { event: usize, again: bool },
    /// Its call is made, but the answer is lost.
    LoseAnswer { event: usize, again: bool },
    /// A process is killed before its next call, and its event tried again.
    Kill { event: usize, again: bool },
}

impl Settings {
    fn place(self) -> usize {
        usize::from(self == Settings::OtherPlace)
    }
}

impl Original {
    /// What the renditions of the original show.
    fn pixels(self) -> Original {
        if self == Original::SamePixelsAsA { Original::A } else { self }
    }
}

impl Made {
    fn place(self) -> usize {
        self.settings.place()
    }

    /// S3's ETag of the file: equal bytes have equal ETags.
    fn etag(self) -> String {
        format!("{:?} {:?}", self.from.pixels(), self.settings)
    }

    fn version(self) -> String {
        format!("{:?} {:?}", self.from, self.settings)
    }

    fn named(self) -> RenditionRefs {
        let rendition = RenditionRef { place: place(self.place()), version: self.version() };
        RenditionRefs::from([("thumbnail".to_owned(), rendition)])
    }
}

fn place(index: usize) -> Place {
    Place { bucket: "thumbnails".to_owned(), key: index.to_string() }
}

impl Item {
    fn stored(self) -> Stored {
        let named = |made: Option<Made>| made.map(Made::named).unwrap_or_default();
        Stored {
            status: Some(self.status),
            etag: self.original.map(|original| format!("{original:?}")),
            sequencer: Sequencer::new(&self.sequencer.to_string()),
            processed_at: Some(self.stamp.to_string()),
            dead_letter_id: None,
            bytes: None,
            absent: BTreeMap::new(),
            renditions: named(self.rendition),
            places: self.places().map(place).collect(),
        }
    }

    fn places(self) -> impl Iterator<Item = usize> {
        [0, 1].into_iter().filter(move |place| self.places[*place])
    }
}

fn stored(item: Option<Item>) -> Option<Stored> {
    item.map(Item::stored)
}

impl Claim {
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
        self.original.map(|original| format!("{original:?}")).unwrap_or_default()
    }
}

/// What becomes of a process after a call.
type Step = (World, Process);

impl Protocol {
    fn start(&self, event: usize, settings: Settings) -> Process {
        let sequencer = u8::try_from(event + 1).expect("few events");
        let (call, original, sequencer, unchanged) = match self.events()[event] {
            Deed::Upload(original) => (Call::Fetch, Some(original), sequencer, None),
            Deed::Remove | Deed::Restore(_) => (Call::RemovalItem, None, sequencer, None),
            Deed::Backfill => (Call::Head, None, 0, Some(0)),
            Deed::Deploy(_) => panic!("no event"),
        };
        Process::At(Local {
            call,
            settings,
            claim: Claim { original, sequencer, unchanged },
            stored: None,
            before: None,
            heads: [None; 2],
            unanswered: None,
            seen: None,
        })
    }

    fn events(&self) -> Vec<Deed> {
        let is_event = |deed: &Deed| !matches!(deed, Deed::Deploy(_));
        self.story.iter().copied().filter(is_event).collect()
    }

    /// Deeds up to the event, itself among them.
    fn deeds_until(&self, event: usize) -> usize {
        let is_event = |(_, deed): &(usize, &Deed)| !matches!(deed, Deed::Deploy(_));
        self.story.iter().enumerate().filter(is_event).nth(event).expect("an event").0 + 1
    }

    fn call(&self, event: usize, local: Local, world: World) -> Step {
        let at = |call| Process::At(Local { call, unanswered: None, ..local });
        let made = local.claim.original.map(|from| Made { from, settings: local.settings });
        let ready = |stamp| Item {
            status: Status::Ready,
            sequencer: local.claim.sequencer,
            original: local.claim.original,
            rendition: made,
            places: self.places_with(world.item, made),
            stamp,
        };
        match local.call {
            Call::Head => match world.original {
                None => (world, at(Call::Item)),
                Some(_) => {
                    let claim = Claim { original: world.original, ..local.claim };
                    (world, Process::At(Local { call: Call::ClaimItem, claim, ..local }))
                }
            },
            Call::ClaimItem => (world, self.claim_behind(local, world.item)),
            Call::Fetch => match world.original {
                now if now != local.claim.original => (world, self.give_way(event, local)),
                Some(Original::Broken) => (world, at(Call::RejectItem)),
                _ => (world, at(Call::Put)),
            },
            Call::Put => (with_rendition(world, made), at(Call::Commit)),
            Call::Commit => self.commit(event, local, world, ready),
            Call::RejectItem => {
                let (item, etag) = (stored(world.item), local.claim.etag());
                let verdict = local.claim.precondition().check(item.as_ref(), &etag);
                if verdict == Verdict::Superseded {
                    return (world, self.superseded(event, local));
                }
                (
                    world,
                    self.delete_former(Local { stored: world.item, ..local }, Call::CommitFailed),
                )
            }
            Call::RemovalItem => {
                let mut claim = local.claim;
                if claim.unchanged.is_some() {
                    claim.unchanged = Some(world.item.map_or(0, |item| item.stamp));
                }
                let stored = world.item;
                (world, Process::At(Local { call: Call::RemovalHead, stored, claim, ..local }))
            }
            Call::RemovalHead => (world, self.after_removal_head(local, world)),
            Call::TakeOver => {
                let sequencer = local.claim.sequencer;
                let taken = |stamp| {
                    let item = local.stored.expect("it was read");
                    // DynamoDB keeps the places that the item has by then.
                    let places = world.item.map_or(item.places, |item| item.places);
                    Item { sequencer, stamp, places, ..item }
                };
                match self.write_if_unchanged(local, world, taken) {
                    Some((world, ..)) => (world, at(Call::Item)),
                    None => (world, at(Call::RemovalItem)),
                }
            }
            Call::FormerHead => {
                let heads = world.renditions;
                let next = match heads[1 - local.settings.place()] {
                    Some(_) => Call::FormerDelete,
                    None => self.forgetting(local),
                };
                (world, Process::At(Local { call: next, heads, ..local }))
            }
            Call::FormerDelete => {
                let place = 1 - local.settings.place();
                (without_rendition(world, place, local.heads[place]), at(self.forgetting(local)))
            }
            Call::CommitFailed => {
                let failed = |stamp| Item {
                    status: Status::Failed,
                    sequencer: local.claim.sequencer,
                    original: local.claim.original,
                    rendition: None,
                    places: [false; 2],
                    stamp,
                };
                self.forget(local, world, failed, Call::RejectItem)
            }
            Call::CommitTombstone => {
                self.forget(local, world, |stamp| tombstone(local, stamp), Call::RemovalItem)
            }
            Call::LeaveTombstone => {
                let claim = Claim { unchanged: Some(0), ..local.claim };
                let own = |stamp| tombstone(local, stamp);
                match self.write(Local { claim, ..local }, world, own) {
                    Some((world, ..)) => (world, Process::Done),
                    None => (world, at(Call::Item)),
                }
            }
            Call::Item => match world.item {
                None => (world, Process::Done),
                stored => {
                    let local = Local { stored, before: None, ..local };
                    (world, look(local))
                }
            },
            Call::HeadOf(place) => {
                let mut heads = local.heads;
                heads[place] = world.renditions[place];
                (world, self.after_head(place, Local { heads, ..local }))
            }
            Call::DeleteOf(place) => {
                let world = without_rendition(world, place, local.heads[place]);
                (world, self.after_delete(place, local))
            }
            Call::FetchAgain => match world.original {
                now if now != local.claim.original => (world, Process::Done),
                _ => (world, at(Call::PutAgain)),
            },
            Call::PutAgain => (with_rendition(world, made), at(Call::CommitAgain)),
            Call::CommitAgain => {
                let written = self.write(local, world, ready);
                let world = written.map_or(world, |(world, ..)| world);
                (world, self.end(event, local))
            }
        }
    }

    /// Reconciliation begins again, under the event's own claim.
    fn end(&self, event: usize, local: Local) -> Process {
        let Process::At(fresh) = self.start(event, local.settings) else {
            panic!("a start is at a call")
        };
        Process::At(Local { call: Call::Item, ..fresh })
    }

    /// An event without a sequencer takes its place behind the item.
    fn claim_behind(&self, local: Local, item: Option<Item>) -> Process {
        let from = local.claim.original.expect("it was asked for");
        let renditions = Made { from, settings: local.settings }.named();
        if stored(item).is_some_and(|stored| stored.is_finished(&format!("{from:?}"), &renditions))
        {
            return Process::At(Local { call: Call::Item, ..local });
        }
        let (sequencer, stamp) = item.map_or((0, 0), |item| (item.sequencer, item.stamp));
        let claim = Claim { sequencer, unchanged: Some(stamp), ..local.claim };
        Process::At(Local { call: Call::Fetch, claim, ..local })
    }

    fn give_way(&self, event: usize, local: Local) -> Process {
        let has_sequencer = self.events()[event] != Deed::Backfill;
        let leaves = has_sequencer && self.variant != Variant::WithoutTombstone;
        let call = if leaves { Call::LeaveTombstone } else { Call::Item };
        Process::At(Local { call, ..local })
    }

    fn after_removal_head(&self, local: Local, world: World) -> Process {
        let Some(current) = world.original else {
            let verdict = local.claim.precondition().check(stored(local.stored).as_ref(), "");
            if verdict == Verdict::Superseded {
                return Process::At(Local { call: Call::Item, ..local });
            }
            return self.delete_former(local, Call::CommitTombstone);
        };
        if let Some(item) = local.stored
            && item.stored().is_ready(&format!("{current:?}"))
        {
            let takes_over =
                item.sequencer < local.claim.sequencer && self.variant != Variant::WithoutTakeOver;
            let call = if takes_over { Call::TakeOver } else { Call::Item };
            return Process::At(Local { call, ..local });
        }
        let claim = Claim { original: Some(current), ..local.claim };
        Process::At(Local { call: Call::Fetch, claim, ..local })
    }

    /// Removes the renditions that the item names elsewhere, before `commit` forgets their names.
    fn delete_former(&self, local: Local, commit: Call) -> Process {
        let elsewhere = 1 - local.settings.place();
        let is_named = local.stored.is_some_and(|item| item.places().any(|at| at == elsewhere));
        let deletes = is_named && self.variant != Variant::WithoutFormerPlaces;
        // A claim on no original is that of a removal.
        let call = if deletes { Call::FormerHead } else { commit };
        Process::At(Local { call, ..local })
    }

    /// The write that forgets names.
    fn forgetting(&self, local: Local) -> Call {
        match local.claim.original {
            Some(_) => Call::CommitFailed,
            None => Call::CommitTombstone,
        }
    }

    /// The places of the item and that of a new rendition.
    fn places_with(&self, item: Option<Item>, made: Option<Made>) -> [bool; 2] {
        let keeps = self.variant != Variant::WithoutFormerPlaces;
        let former = item.filter(|_| keeps).map_or([false; 2], |item| item.places);
        [0, 1].map(|place| former[place] || made.is_some_and(|made| made.place() == place))
    }

    /// An UpdateItem with its condition: the world after it, what was written, and what was there before.
    fn write(
        &self,
        local: Local,
        world: World,
        item: impl Fn(u8) -> Item,
    ) -> Option<(World, Item, Option<Item>)> {
        let found = stored(world.item);
        let precondition = match local.seen {
            Some(seen) => local.claim.precondition().and_unchanged(stored(seen).as_ref()),
            None => local.claim.precondition(),
        };
        if precondition.check(found.as_ref(), &local.claim.etag()) != Verdict::Superseded {
            let written = item(local.unanswered.unwrap_or(FRESH));
            return Some((World { item: Some(written), ..world }, written, world.item));
        }
        // A repeated call may find its own write.
        let own = local.unanswered.map(|stamp| item(stamp).stored());
        let is_own = own.zip(found).is_some_and(|(own, found)| found.is_same_write(&own));
        let found = world.item.filter(|_| is_own)?;
        Some((world, found, Some(found)))
    }

    /// An event whose write was refused looks at the renditions; without a sequencer it begins anew.
    fn superseded(&self, event: usize, local: Local) -> Process {
        if self.events()[event] == Deed::Backfill {
            return self.start(event, local.settings);
        }
        Process::At(Local { call: Call::Item, unanswered: None, ..local })
    }

    fn commit(&self, event: usize, local: Local, world: World, item: impl Fn(u8) -> Item) -> Step {
        let Some((world, written, before)) = self.write(local, world, item) else {
            return (world, self.superseded(event, local));
        };
        (world, self.follow_up(local, written, before))
    }

    fn follow_up(&self, local: Local, written: Item, before: Option<Item>) -> Process {
        let looks = must_look(&local.claim.precondition(), stored(before).as_ref());
        if !looks || self.variant == Variant::WithoutLook {
            return Process::Done;
        }
        let before = before.filter(|_| self.variant != Variant::WithoutFormerPlaces);
        look(Local { stored: Some(written), before, unanswered: None, ..local })
    }

    /// A write that forgets the names of renditions: the item must still be the one whose renditions were
    /// removed, else the event begins `again`.
    fn forget(&self, local: Local, world: World, item: impl Fn(u8) -> Item, again: Call) -> Step {
        let Some((world, written, _)) = self.write_if_unchanged(local, world, item) else {
            return (world, Process::At(Local { call: again, unanswered: None, ..local }));
        };
        (world, self.follow_up(local, written, local.stored))
    }

    /// A write under the event's own condition and that the item is still the one that was read.
    fn write_if_unchanged(
        &self,
        local: Local,
        world: World,
        item: impl Fn(u8) -> Item,
    ) -> Option<(World, Item, Option<Item>)> {
        self.write(Local { seen: Some(local.stored), ..local }, world, item)
    }

    fn after_head(&self, place: usize, local: Local) -> Process {
        let looked_at = places(local);
        if let Some(next) = looked_at.iter().find(|other| **other > place) {
            return Process::At(Local { call: Call::HeadOf(*next), ..local });
        }
        let item = local.stored.expect("it was read");
        match repair(&item.stored(), &heads(local, &looked_at)) {
            Repair::Nothing => Process::Done,
            Repair::Delete(_) => self.after_delete(usize::MAX, local),
            Repair::RenderAgain => {
                let claim = Claim {
                    original: item.original,
                    sequencer: item.sequencer,
                    unchanged: Some(item.stamp),
                };
                Process::At(Local { call: Call::FetchAgain, claim, ..local })
            }
        }
    }

    /// The next deletion of those that the repair asks for, or another look.
    fn after_delete(&self, place: usize, local: Local) -> Process {
        let item = local.stored.expect("it was read");
        let looked_at = places(local);
        let Repair::Delete(surplus) = repair(&item.stored(), &heads(local, &looked_at)) else {
            panic!("it asked for deletions");
        };
        let mut surplus: Vec<usize> =
            surplus.iter().map(|(place, _)| place.key.parse().expect("an index")).collect();
        surplus.sort_unstable();
        let next = surplus.iter().find(|other| place == usize::MAX || **other > place);
        match next {
            Some(next) => Process::At(Local { call: Call::DeleteOf(*next), ..local }),
            None => {
                let local = Local { stored: None, before: None, heads: [None; 2], ..local };
                Process::At(Local { call: Call::Item, ..local })
            }
        }
    }

    /// What is wrong in the end.
    fn verdict(&self, state: &State) -> Result<(), &'static str> {
        let World { original, item, settings, .. } = &state.world;
        let mut renditions = state.world.renditions;
        // A process that began under other settings and is killed between its two writes leaves a rendition
        // that no item names: nobody can find it.
        let elsewhere = 1 - settings.place();
        let is_named = item.is_some_and(|item| item.places().any(|place| place == elsewhere));
        if !state.is_quiet_deploy && state.left.kills < self.faults.kills && !is_named {
            renditions[elsewhere] = None;
        }
        let is_bare = renditions.iter().all(Option::is_none);
        match original {
            None => match item {
                Some(item) if item.status != Status::Deleted => Err("removed, but an item stays"),
                _ if !is_bare => Err("removed, but a rendition stays"),
                _ => Ok(()),
            },
            Some(Original::Broken) => match item {
                Some(item) if item.status == Status::Failed && item.original == *original => {
                    if is_bare {
                        Ok(())
                    } else {
                        Err("FAILED, but a rendition stays")
                    }
                }
                _ => Err("the last photo is broken, but not FAILED"),
            },
            Some(from) => match item {
                Some(item) if item.status == Status::Ready && item.original == *original => {
                    let made = item.rendition.expect("READY has one");
                    let others = renditions[1 - made.place()];
                    match renditions[made.place()] {
                        // A process that began under other settings may end after the backfill.
                        _ if self.ends_with_backfill()
                            && state.is_quiet_deploy
                            && made.settings != *settings =>
                        {
                            Err("READY with the settings of before the backfill")
                        }
                        Some(found) if found.from != *from || found != made => {
                            Err("READY with another rendition")
                        }
                        None => Err("READY without its rendition"),
                        Some(_) if others.is_some() => Err("READY, but a former rendition stays"),
                        Some(_) => Ok(()),
                    }
                }
                _ => Err("the last photo is not READY"),
            },
        }
    }

    fn ends_with_backfill(&self) -> bool {
        self.story.last() == Some(&Deed::Backfill)
    }

    fn is_over(&self, state: &State) -> bool {
        let is_over = |[first, second]: &[Process; 2]| {
            *first == Process::Done && matches!(second, Process::Done | Process::NotStarted)
        };
        state.done == self.story.len() && state.processes.iter().all(is_over)
    }
}

/// A stamp that no write has yet, until [`normalised`] gives it a number.
const FRESH: u8 = u8::MAX;

fn tombstone(local: Local, stamp: u8) -> Item {
    let (status, sequencer) = (Status::Deleted, local.claim.sequencer);
    Item { status, sequencer, original: None, rendition: None, places: [false; 2], stamp }
}

fn with_rendition(mut world: World, made: Option<Made>) -> World {
    let made = made.expect("an original is claimed");
    world.renditions[made.place()] = Some(made);
    world
}

/// DeleteObject with If-Match: the file is removed if it still has the bytes that were seen.
fn without_rendition(mut world: World, place: usize, seen: Option<Made>) -> World {
    let etag = |made: Option<Made>| made.map(Made::etag);
    if etag(world.renditions[place]) == etag(seen) {
        world.renditions[place] = None;
    }
    world
}

/// The places that a reconciliation looks at: those of the settings, and those that an item names.
fn places(local: Local) -> BTreeSet<usize> {
    let named = local.stored.into_iter().chain(local.before).flat_map(Item::places);
    named.chain([local.settings.place()]).collect()
}

fn look(local: Local) -> Process {
    let first = places(local).first().copied().expect("that of the settings");
    Process::At(Local { call: Call::HeadOf(first), heads: [None; 2], ..local })
}

fn heads(local: Local, looked_at: &BTreeSet<usize>) -> Vec<(Place, Option<RenditionHead>)> {
    let head = |made: Made| RenditionHead { etag: made.etag(), version: Some(made.version()) };
    looked_at.iter().map(|&index| (place(index), local.heads[index].map(head))).collect()
}

/// The same state with its stamps numbered in the order of their appearance: only which are equal matters.
fn normalised(mut state: State) -> State {
    let mut numbers: HashMap<u8, u8> = HashMap::from([(0, 0)]);
    let mut number = |stamp: &mut u8| {
        let next = u8::try_from(numbers.len()).expect("few stamps");
        *stamp = *numbers.entry(*stamp).or_insert(next);
    };
    if let Some(item) = &mut state.world.item {
        number(&mut item.stamp);
    }
    for process in state.processes.iter_mut().flatten() {
        let Process::At(local) = process else { continue };
        for item in [&mut local.stored, &mut local.before].into_iter().flatten() {
            number(&mut item.stamp);
        }
        for stamp in [&mut local.claim.unchanged, &mut local.unanswered].into_iter().flatten() {
            number(stamp);
        }
    }
    state
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let world =
            World { settings: Settings::First, original: None, renditions: [None; 2], item: None };
        let processes = vec![[Process::NotStarted; 2]; self.events().len()];
        vec![State { done: 0, world, left: self.faults, is_quiet_deploy: true, processes }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.done < self.story.len() {
            actions.push(Action::Next);
        }
        for (event, processes) in state.processes.iter().enumerate() {
            if self.deeds_until(event) > state.done {
                continue;
            }
            for (process, again) in processes.iter().zip([false, true]) {
                match process {
                    Process::NotStarted if !again || state.left.duplicates > 0 => {
                        actions.push(Action::Deliver { event, again });
                    }
                    Process::NotStarted | Process::Done => {}
                    Process::At(_) => {
                        actions.push(Action::Call { event, again });
                        if state.left.lost_answers > 0 {
                            actions.push(Action::LoseAnswer { event, again });
                        }
                        if state.left.kills > 0 {
                            actions.push(Action::Kill { event, again });
                        }
                    }
                }
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Next => {
                match self.story[state.done] {
                    Deed::Upload(original) => state.world.original = Some(original),
                    Deed::Remove => state.world.original = None,
                    Deed::Restore(original) => state.world.original = Some(original),
                    Deed::Deploy(settings) => {
                        state.world.settings = settings;
                        let mut processes = state.processes.iter().flatten();
                        state.is_quiet_deploy =
                            !processes.any(|process| matches!(process, Process::At(_)));
                    }
                    Deed::Backfill => {}
                }
                state.done += 1;
            }
            Action::Deliver { event, again } => {
                state.left.duplicates -= u8::from(again);
                let process = self.start(event, state.world.settings);
                state.processes[event][usize::from(again)] = process;
            }
            Action::Call { event, again } => {
                let process = &mut state.processes[event][usize::from(again)];
                let Process::At(local) = *process else { return None };
                (state.world, *process) = self.call(event, local, state.world);
            }
            Action::LoseAnswer { event, again } => {
                let process = &mut state.processes[event][usize::from(again)];
                let Process::At(local) = *process else { return None };
                let (world, _) = self.call(event, local, state.world);
                if world == state.world {
                    return None;
                }
                // An item that was written has a stamp that nothing else has.
                let stamp = world.item.map(|item| item.stamp).filter(|stamp| *stamp == FRESH);
                *process = Process::At(Local { unanswered: stamp.or(local.unanswered), ..local });
                state.world = world;
                state.left.lost_answers -= 1;
            }
            Action::Kill { event, again } => {
                state.left.kills -= 1;
                let process = self.start(event, state.world.settings);
                state.processes[event][usize::from(again)] = process;
            }
        }
        Some(normalised(state))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "in the end renditions and item agree",
            |protocol: &Protocol, state: &State| {
                !protocol.is_over(state) || protocol.verdict(state).is_ok()
            },
        )]
    }
}

impl State {
    /// What is wrong, for people.
    pub fn complaint(&self, protocol: &Protocol) -> String {
        let why = protocol.verdict(self).err().unwrap_or("nothing is wrong");
        format!("{why}: {:?}", self.world)
    }
}
