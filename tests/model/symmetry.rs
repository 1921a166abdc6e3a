//! One state in place of all those that differ only in what nothing depends on.

use std::ops::Range;

use crate::exploration::State;
use crate::protocol::{Deed, FRESH, Local, Process, Protocol, Variant};
use crate::world::{Files, Item, Made, Places, Settings};

/// The state that stands for this one.
///
/// Of stamps, only which are equal matters: they are numbered in the order of their appearance.
///
/// Renditions that no setting of the story tells apart are [`alike`]. No call, no decision and no verdict
/// depends on which of them it is about, and they begin alike: so if a state can follow another, the same holds
/// for both with two of these renditions exchanged everywhere, in S3, in the item, and in what each process
/// knows. Exchanging them makes right no state that is wrong. So each state may have its renditions sorted, and
/// every order in which the calls about them can come is still explored.
pub fn normalised(mut state: State, protocol: &Protocol) -> State {
    number_stamps(&mut state);
    let second = is_of_two_places(protocol).then_some(protocol.layout.renditions);
    let alike = alike(protocol);
    for end in alike.clone().rev() {
        for first in alike.start..end {
            if of_rendition(&state, first, second) > of_rendition(&state, first + 1, second) {
                exchange(&mut state, first, first + 1);
                if let Some(second) = second {
                    exchange(&mut state, second + first, second + first + 1);
                }
            }
        }
    }
    state
}

/// The renditions that no setting of the story and no variant of the protocol tells apart.
pub fn alike(protocol: &Protocol) -> Range<usize> {
    let has = |settings| protocol.story.contains(&Deed::Deploy(settings));
    let is_first_other =
        has(Settings::OtherQuality) || protocol.variant == Variant::WithoutLookAtAll;
    let is_last_other = has(Settings::OneLess);
    usize::from(is_first_other)..protocol.layout.renditions - usize::from(is_last_other)
}

fn is_of_two_places(protocol: &Protocol) -> bool {
    protocol.story.contains(&Deed::Deploy(Settings::OtherPlace))
}

/// All that a state says of a rendition.
fn of_rendition(state: &State, place: usize, second: Option<usize>) -> (u64, u64) {
    (of_place(state, place), second.map_or(0, |second| of_place(state, second + place)))
}

/// All that a state says of a place.
fn of_place(state: &State, place: usize) -> u64 {
    let has = |places: Places| u64::from(places.contains(place));
    let item = |item: Option<Item>| item.map_or(0, |item| has(item.places));
    let mut all = file(state.world.files[place]) << 1 | item(state.world.item);
    for process in state.processes.iter().flatten() {
        let Process::At(local) = process else { continue };
        let of_local = has(local.waiting) << 2 | has(local.looked_at) << 1 | item(local.stored);
        all = all << 7 | file(local.found[place]) << 3 | of_local;
    }
    all
}

/// 0 to 10.
fn file(made: Option<Made>) -> u64 {
    let Some(Made { from, has_other_quality }) = made else { return 0 };
    1 + 2 * (from as u64) + u64::from(has_other_quality)
}

fn exchange(state: &mut State, a: usize, b: usize) {
    let in_files = |files: &mut Files| files.swap(a, b);
    let in_places = |places: &mut Places| *places = places.exchanged(a, b);
    in_files(&mut state.world.files);
    if let Some(item) = &mut state.world.item {
        in_places(&mut item.places);
    }
    for process in state.processes.iter_mut().flatten() {
        let Process::At(Local { waiting, looked_at, stored, found, .. }) = process else {
            continue;
        };
        in_places(waiting);
        in_places(looked_at);
        in_files(found);
        if let Some(item) = stored {
            in_places(&mut item.places);
        }
    }
}

fn number_stamps(state: &mut State) {
    let mut numbers = [None; FRESH as usize + 1];
    numbers[0] = Some(0);
    let mut next = 1;
    let mut number = |stamp: &mut u8| {
        let known = &mut numbers[usize::from(*stamp)];
        *stamp = *known.get_or_insert_with(|| {
            next += 1;
            next - 1
        });
    };
    if let Some(item) = &mut state.world.item {
        number(&mut item.stamp);
    }
    for process in state.processes.iter_mut().flatten() {
        let Process::At(local) = process else { continue };
        if let Some(item) = &mut local.stored {
            number(&mut item.stamp);
        }
        for stamp in [&mut local.claim.unchanged, &mut local.unanswered].into_iter().flatten() {
            number(stamp);
        }
    }
}
