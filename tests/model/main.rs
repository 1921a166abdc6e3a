//! Renditions and item agree in the end, whatever crosses: every order of the calls of events about one key is
//! explored, with kills before and after each call and another try, lost answers and duplicates. The product's
//! own functions decide between the calls; each part of the protocol is seen to be needed.

#![cfg(test)]

mod protocol;

use protocol::{Deed, Faults, Original, Protocol, Settings, Variant};
use stateright::{Checker, Model};

use Deed::{Backfill, Deploy, Remove, Restore, Upload};
use Original::{A, B, Broken, C, SamePixelsAsA};
use Settings::{OtherPlace, OtherQuality};

const STORIES: [(&str, &[Deed]); 26] = [
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
    ("overwritten at another place", &[Upload(A), Deploy(OtherPlace), Upload(B)]),
    ("removed after another place", &[Upload(A), Deploy(OtherPlace), Remove]),
    ("broken after another place", &[Upload(A), Deploy(OtherPlace), Upload(Broken)]),
    ("overwritten twice", &[Upload(A), Deploy(OtherPlace), Upload(B), Upload(C)]),
    ("backfilled, then overwritten", &[Upload(A), Backfill, Upload(B)]),
    ("backfilled, then removed", &[Upload(A), Backfill, Remove]),
    ("the former version again", &[Upload(A), Upload(B), Restore(A)]),
    ("the former version again, then another", &[Upload(A), Restore(A), Upload(B)]),
    ("a broken version removed", &[Upload(A), Upload(Broken), Restore(A)]),
];

/// What may go wrong in a story: less in those that have more orders.
fn budgets(story: &[Deed]) -> &'static [Faults] {
    const fn faults(kills: u8, lost_answers: u8, duplicates: u8) -> Faults {
        Faults { kills, lost_answers, duplicates }
    }
    const FEW: &[Faults] = &[faults(2, 1, 0), faults(1, 0, 1), faults(0, 1, 1)];
    const MANY: &[Faults] = &[faults(2, 0, 0), faults(1, 1, 0), faults(0, 0, 1)];
    if story.len() > 2 { MANY } else { FEW }
}

/// States that were explored, and the way to the first that is wrong.
fn explore(story: &[Deed], faults: Faults, variant: Variant) -> (usize, Option<String>) {
    let protocol = Protocol { story: story.to_vec(), faults, variant };
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    let states = checker.unique_state_count();
    let way = checker.discoveries().into_values().next().map(|path| {
        let last = path.last_state().complaint(checker.model());
        let actions: Vec<String> =
            path.into_actions().iter().map(|action| format!("{action:?}")).collect();
        format!("{last}\n  {}", actions.join("\n  "))
    });
    (states, way)
}

/// The stories in which a protocol without a part of it goes wrong.
fn broken_stories(variant: Variant) -> Vec<&'static str> {
    let breaks = |story: &[Deed]| {
        budgets(story).iter().any(|faults| explore(story, *faults, variant).1.is_some())
    };
    STORIES.iter().filter(|(_, story)| breaks(story)).map(|(name, _)| *name).collect()
}

#[test]
fn renditions_and_item_agree_in_the_end_whatever_crosses_is_killed_lost_or_repeated() {
    let mut all = 0;
    for (name, story) in STORIES {
        for faults in budgets(story) {
            let (states, way) = explore(story, *faults, Variant::Whole);
            assert!(way.is_none(), "{name}, {faults:?}: {}", way.unwrap());
            println!("{states:9} states: {name}, {faults:?}");
            all += states;
        }
    }
    println!("{all:9} states in all");
    assert!(all > 3_000_000, "only {all} states were explored");
}

#[test]
fn without_a_look_after_replacing_an_item_a_superseded_rendition_stays() {
    let broken = broken_stories(Variant::WithoutLook);
    assert!(broken.contains(&"an overwritten upload"), "{broken:?}");
}

#[test]
fn without_the_tombstone_of_a_superseded_event_a_newer_one_does_not_look() {
    let broken = broken_stories(Variant::WithoutTombstone);
    assert!(broken.contains(&"an overwritten upload"), "{broken:?}");
}

#[test]
fn without_the_sequencer_of_a_removal_a_removed_version_comes_back() {
    let broken = broken_stories(Variant::WithoutTakeOver);
    assert!(broken.contains(&"the former version again"), "{broken:?}");
}

#[test]
fn without_former_places_a_rendition_at_another_place_stays() {
    let broken = broken_stories(Variant::WithoutFormerPlaces);
    for name in ["overwritten at another place", "removed after another place"] {
        assert!(broken.contains(&name), "{broken:?}");
    }
}
