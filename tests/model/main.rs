//! Renditions and item agree in the end, whatever crosses: every order of the calls of events about one key is
//! explored, with kills before and after each call and another try, lost answers and duplicates. The product's
//! own functions decide between the calls; each part of the protocol is seen to be needed.

#![cfg(test)]

mod exploration;
mod protocol;
mod symmetry;
mod verdict;
mod world;

use exploration::{Exploration, Faults};
use protocol::{Deed, Protocol, Variant};
use world::{Layout, Original, Settings};

use Deed::{Backfill, Deploy, Remove, Restore, Upload};
use Original::{A, B, Broken, C, SamePixelsAsA};
use Settings::{First, OneLess, OneMore, OtherPlace, OtherQuality};

type Story = (&'static str, &'static [Deed]);

const STORIES: [Story; 30] = [
    ("an upload", &[Upload(A)]),
    ("an overwritten upload", &[Upload(A), Upload(B)]),
    ("the same upload again", &[Upload(A), Upload(A)]),
    ("another original with the same pixels", &[Upload(A), Upload(SamePixelsAsA)]),
    ("broken over good", &[Upload(A), Upload(Broken)]),
    ("good over broken", &[Upload(Broken), Upload(A)]),
    ("removed", &[Upload(A), Remove]),
    ("removed and uploaded again", &[Upload(A), Remove, Upload(A)]),
    ("removed and replaced", &[Upload(A), Remove, Upload(B)]),
    ("three uploads", &[Upload(A), Upload(B), Upload(C)]),
    ("back to the first", &[Upload(A), Upload(B), Upload(A)]),
    ("good, broken, good", &[Upload(A), Upload(Broken), Upload(B)]),
    ("good, broken, the same good", &[Upload(A), Upload(Broken), Upload(A)]),
    ("overwritten, then removed", &[Upload(A), Upload(B), Remove]),
    ("backfilled", &[Upload(A), Backfill]),
    ("backfilled with another quality", &[Upload(A), Deploy(OtherQuality), Backfill]),
    ("backfilled to another place", &[Upload(A), Deploy(OtherPlace), Backfill]),
    ("backfilled with one more", &[Upload(A), Deploy(OneMore), Backfill]),
    ("overwritten at another place", &[Upload(A), Deploy(OtherPlace), Upload(B)]),
    ("overwritten with one more", &[Upload(A), Deploy(OneMore), Upload(B)]),
    ("removed after another place", &[Upload(A), Deploy(OtherPlace), Remove]),
    ("removed after one more", &[Upload(A), Deploy(OneMore), Remove]),
    ("broken after another place", &[Upload(A), Deploy(OtherPlace), Upload(Broken)]),
    ("one more taken back", &[Upload(A), Deploy(OneMore), Backfill, Deploy(First), Backfill]),
    ("overwritten twice", &[Upload(A), Deploy(OtherPlace), Upload(B), Upload(C)]),
    ("backfilled, then overwritten", &[Upload(A), Backfill, Upload(B)]),
    ("backfilled, then removed", &[Upload(A), Backfill, Remove]),
    ("the former version again", &[Upload(A), Upload(B), Restore(A)]),
    ("the former version again, then another", &[Upload(A), Restore(A), Upload(B)]),
    ("a broken version removed", &[Upload(A), Upload(Broken), Restore(A)]),
];

/// Stories of photos that have several renditions.
const STORIES_OF_SEVERAL: [Story; 4] = [
    ("backfilled with one less", &[Upload(A), Deploy(OneLess), Backfill]),
    ("overwritten with one less", &[Upload(A), Deploy(OneLess), Upload(B)]),
    ("removed after one less", &[Upload(A), Deploy(OneLess), Remove]),
    ("broken after one less", &[Upload(A), Deploy(OneLess), Upload(Broken)]),
];

const fn faults(kills: u8, lost_answers: u8, duplicates: u8) -> Faults {
    Faults { kills, lost_answers, duplicates }
}

/// What may go wrong in a story: less in those that have more orders, and with more renditions.
fn budgets(story: &[Deed], renditions: usize) -> &'static [Faults] {
    const FEW: &[Faults] = &[faults(2, 1, 0), faults(1, 0, 1), faults(0, 1, 1)];
    const MANY: &[Faults] = &[faults(2, 0, 0), faults(1, 1, 0), faults(0, 0, 1)];
    const WITHOUT_DUPLICATES: &[Faults] = &[faults(2, 0, 0), faults(1, 1, 0)];
    const ONE: &[Faults] = &[faults(1, 0, 0), faults(0, 1, 0), faults(0, 0, 1)];
    const ONE_KILL: &[Faults] = &[faults(1, 0, 0)];
    const NOTHING: &[Faults] = &[faults(0, 0, 0)];
    let is_backfilled = story.contains(&Backfill);
    let is_backfilled_elsewhere = is_backfilled && story.contains(&Deploy(OtherPlace));
    let goes_on_after_backfill = is_backfilled && story.last() != Some(&Backfill);
    match (renditions, story.len()) {
        (1 | 2, ..=2) => FEW,
        (1, 3 | 4) => MANY,
        (1, _) => ONE_KILL,
        (2, 3) if is_backfilled => WITHOUT_DUPLICATES,
        (2, 3) => MANY,
        (2, _) => NOTHING,
        (_, ..=2) => ONE,
        (_, 3) if is_backfilled_elsewhere || goes_on_after_backfill => NOTHING,
        (_, 3) => ONE_KILL,
        (_, _) => &[],
    }
}

fn stories(renditions: usize) -> impl Iterator<Item = Story> {
    STORIES.into_iter().chain(STORIES_OF_SEVERAL.into_iter().filter(move |_| renditions > 1))
}

/// States that were explored, and the way to the first that is wrong.
fn explore(
    story: &[Deed],
    renditions: usize,
    faults: Faults,
    variant: Variant,
) -> (usize, Option<String>) {
    let protocol = Protocol { story: story.to_vec(), layout: Layout { renditions }, variant };
    Exploration { protocol, faults }.run()
}

/// Explores all stories of photos with so many renditions, and gives the number of states.
fn explore_all(renditions: usize) -> usize {
    let mut all = 0;
    for (name, story) in stories(renditions) {
        for faults in budgets(story, renditions) {
            let (states, way) = explore(story, renditions, *faults, Variant::Whole);
            assert!(way.is_none(), "{name}, {renditions} renditions, {faults:?}: {}", way.unwrap());
            println!("{states:9} states: {name}, {renditions} renditions, {faults:?}");
            all += states;
        }
    }
    println!("{all:9} states with {renditions} renditions");
    all
}

/// Whether a protocol without a part of it goes wrong in a story.
fn assert_breaks(variant: Variant, renditions: usize, name: &str) {
    let (_, story) = stories(renditions).find(|(other, _)| *other == name).expect("a story");
    let breaks = |faults: &Faults| explore(story, renditions, *faults, variant).1.is_some();
    let is_broken = budgets(story, renditions).iter().any(breaks);
    assert!(is_broken, "{variant:?}: {name}, {renditions} renditions");
}

#[test]
fn a_rendition_and_its_item_agree_in_the_end_whatever_crosses_is_killed_lost_or_repeated() {
    let states = explore_all(1);
    assert!(states > 3_000_000, "only {states} states were explored");
}

#[test]
fn so_do_several_renditions_that_are_stored_at_once() {
    let states = explore_all(2) + explore_all(4);
    assert!(states > 12_000_000, "only {states} states were explored");
}

#[test]
fn without_a_look_after_replacing_an_item_a_superseded_rendition_stays() {
    for renditions in [1, 2, 4] {
        assert_breaks(Variant::WithoutLook, renditions, "an overwritten upload");
    }
}

#[test]
fn without_a_look_at_each_rendition_a_superseded_one_stays() {
    for renditions in [2, 4] {
        assert_breaks(Variant::WithoutLookAtAll, renditions, "an overwritten upload");
    }
}

#[test]
fn without_the_tombstone_of_a_superseded_event_a_newer_one_does_not_look() {
    for renditions in [1, 2, 4] {
        assert_breaks(Variant::WithoutTombstone, renditions, "an overwritten upload");
    }
}

#[test]
fn without_the_sequencer_of_a_removal_a_removed_version_comes_back() {
    for renditions in [1, 2, 4] {
        assert_breaks(Variant::WithoutTakeOver, renditions, "the former version again");
    }
}

#[test]
fn without_former_places_a_rendition_at_another_place_stays() {
    for renditions in [1, 2, 4] {
        for name in ["overwritten at another place", "removed after another place"] {
            assert_breaks(Variant::WithoutFormerPlaces, renditions, name);
        }
    }
}

#[test]
fn without_former_places_a_rendition_that_is_not_made_any_more_stays() {
    for renditions in [2, 4] {
        for name in ["backfilled with one less", "removed after one less"] {
            assert_breaks(Variant::WithoutFormerPlaces, renditions, name);
        }
    }
}
