//! HEICs whose lists, sizes and streams lie, or that want more work than their pixels.
//!
//! Most of them are written here, see `hevc.rs`. Those in the folder `heic` were written by pillow-heif 1.8.1 (libheif,
//! x265) from a pattern, at quality 40: `plain.heic` 100x70 in 4:2:0, `alpha.heic` the same with alpha, `deep.heic` 64x48
//! in 4:4:4 and 10 bits.

use std::fs;
use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use photo::{CancelFlag, PhotoError, Policy, Rendition, Resampling, Size, Spec, inspect};

use super::cost::{self, Cost};
use super::files::media_box;
use super::floods::expect;
use super::hevc::{Heic, STREAM, Stream, configuration, extent, grid, units};
use super::{MEMORY, SPEC, golden, render, render_soon};

/// Most entries of each list, and parts of other things, that are read.
const SEARCHED: usize = 16_384;
const PARTS: u32 = 32;
const PARAMETER_SETS: usize = 64;
const UNITS: usize = 65_535;

fn end(heic: &Heic) -> &'static str {
    let rendered = render_soon(&heic.file(), "a HEIC");
    rendered.map_or_else(|failure| failure.name(), |_| "Thumbnail")
}

/// Checks that a HEIC is refused, in these words.
fn refused(heic: &Heic, words: &str) {
    let failure = render_soon(&heic.file(), words).map(|thumbnail| thumbnail.size).unwrap_err();
    assert!(failure.to_string().contains(words), "{failure} instead of {words}");
}

fn accepted(heic: &Heic) -> Rendition {
    render_soon(&heic.file(), "a HEIC").unwrap_or_else(|failure| panic!("{failure}"))
}

/// A HEIC of one picture whose data and configuration are given.
fn coded(stream: &Stream, sets: &[Vec<u8>], slices: &[Vec<u8>]) -> Heic {
    let mut heic = Heic::new();
    heic.coded(extent(stream.shown()), &configuration(sets), &units(slices));
    heic
}

fn with_slices(stream: &Stream, slices: &[Vec<u8>]) -> Heic {
    coded(stream, &[stream.sps(), stream.pps()], slices)
}

fn with_sets(stream: &Stream, sets: &[Vec<u8>]) -> Heic {
    coded(stream, sets, &[stream.slice(0, 4)])
}

/// A HEIC of pillow-heif.
fn photo(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/heic");
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const PHOTOS: [&str; 3] = ["plain.heic", "alpha.heic", "deep.heic"];

#[test]
fn the_pictures_of_these_tests_are_good() {
    for stream in [
        STREAM,
        Stream { chroma: 0, ..STREAM },
        Stream { chroma: 2, bits: 12, ..STREAM },
        Stream { chroma: 3, bits: 10, ..STREAM },
        Stream { block: 4, hidden: [0, 3, 2, 1], ..STREAM },
    ] {
        let (width, height) = stream.shown();
        let mut heic = Heic::single(&stream);
        assert_eq!(accepted(&heic).size, Size { width, height }.scaled(0.25), "{stream:?}");
        heic.alpha(&stream);
        accepted(&heic);
        assert_eq!(
            accepted(&Heic::grid(4, 2, &stream)).size,
            Size { width: width * 4, height: height * 2 }.scaled(0.25)
        );
    }
}

#[test]
fn no_list_is_searched_for_ever() {
    let heic = Heic::grid(1, 1, &STREAM);
    let flood = |what: &str, count: usize| {
        let mut heic = heic.clone();
        match what {
            "boxes" => heic.before[0] = media_box(b"free", b"").repeat(count),
            "items" => {
                heic.before[1] = media_box(b"infe", b"\x02\0\0\0\0\x63\0\0hvc1\0").repeat(count)
            }
            "associations" => heic.before[2] = b"\0\x63\0".repeat(count),
            "references" => {
                let other = media_box(b"dimg", b"\0\x63\0\0").repeat(count);
                heic.references.insert(0, other);
            }
            "properties" => {
                heic.properties.insert(0, media_box(b"free", b"").repeat(count));
                let numbers = heic.items.iter_mut().flat_map(|item| &mut item.properties);
                numbers.for_each(|number| *number += count as u16);
            }
            other => panic!("{other}"),
        }
        end(&heic)
    };
    for what in ["boxes", "items", "associations", "references", "properties"] {
        assert_eq!(flood(what, SEARCHED - 20), "Thumbnail", "{what}");
        assert_ne!(flood(what, SEARCHED), "Thumbnail", "{what}");
    }
}

/// A sequence with these bytes before all tracks, or before the boxes of its first track.
fn sequence_with(bytes: &[u8], is_in_track: bool) -> Vec<u8> {
    let mut file = golden("heic-sequence-alpha.heic");
    let start = file.windows(4).position(|name| name == b"moov").unwrap() - 4;
    let length = u32::from_be_bytes(*file[start..].first_chunk().unwrap()) as usize;
    let inside = file[start + 8..start + length].to_vec();
    let header = inside.windows(4).position(|name| name == b"trak").unwrap() - 4;
    let (header, tracks) = inside.split_at(header);
    let first = u32::from_be_bytes(*tracks.first_chunk().unwrap()) as usize;
    let movie = if is_in_track {
        let track = media_box(b"trak", &[bytes, &tracks[8..first]].concat());
        [header, &track, &tracks[first..]].concat()
    } else {
        [header, bytes, tracks].concat()
    };
    // The pictures stay where they are: the new boxes come last.
    file[start + 4..start + 8].copy_from_slice(b"free");
    [file, media_box(b"moov", &movie)].concat()
}

#[test]
fn the_tracks_of_a_sequence_are_not_searched_for_ever() {
    let empty = media_box(b"free", b"");
    let end = |file: &[u8]| render_soon(file, "a sequence").map_or_else(|it| it.name(), |_| "Ok");
    for is_in_track in [false, true] {
        let few = sequence_with(&empty.repeat(SEARCHED - 20), is_in_track);
        assert_eq!(end(&few), "Ok", "{is_in_track}");
        let many = sequence_with(&empty.repeat(SEARCHED), is_in_track);
        assert_ne!(end(&many), "Ok", "{is_in_track}");
        // As many as a file can hold
        end(&sequence_with(&empty.repeat(10_000_000), is_in_track));
    }
    // Tracks of alpha, each of which belongs to thousands of others
    let handler = media_box(b"hdlr", b"\0\0\0\0\0\0\0\0auxv");
    let references = media_box(b"auxl", &b"\0\0\0\x09".repeat(1_000));
    let track = [media_box(b"tref", &references), media_box(b"mdia", &handler)].concat();
    let tracks = media_box(b"trak", &track).repeat(SEARCHED - 20);
    assert_eq!(end(&sequence_with(&tracks, false)), "Ok");
}

#[test]
fn an_item_lies_in_few_parts() {
    for (empty, is_accepted) in [(PARTS - 1, true), (PARTS, false)] {
        let mut heic = with_slices(&STREAM, &[[70, 1].repeat(PARTS as usize), STREAM.slice(0, 4)]);
        let item = heic.data_of(1);
        let (_, length) = item.parts[0];
        let single = (1..=empty).map(|byte| (byte - 1, 1));
        item.parts = single.chain([(empty, length - empty)]).collect();
        assert_eq!(end(&heic) == "Thumbnail", is_accepted, "{empty}");
    }
}

#[test]
fn parts_of_a_file_are_not_read_again_and_again() {
    // Each of 4096 tiles has some kilobytes behind its picture, which lie in the file once.
    let mut heic = Heic::grid(64, 64, &STREAM);
    let tile = heic.data_of(2).parts[0];
    heic.data.truncate((tile.0 + tile.1) as usize);
    heic.data.extend(units(&[[70, 1].repeat(4000)]));
    heic.data_of(2).parts = vec![(tile.0, heic.data.len() as u32 - tile.0)];
    refused(&heic, "image data is missing");
    // A length of 0 reaches to the end of the data.
    heic.data_of(2).parts = vec![(tile.0, 0)];
    refused(&heic, "image data is missing");
    heic.data_of(2).parts = vec![tile; 2];
    heic.data_of(2).parts.extend([(0, 0); 20]);
    refused(&heic, "image data is missing");
    heic.data_of(2).parts = vec![tile];
    heic.data.resize(4096 * tile.1 as usize, 0);
    accepted(&heic);
}

#[test]
fn parts_outside_of_the_file_are_refused() {
    for part in [(0, u32::MAX), (u32::MAX, 1), (u32::MAX, 0), (1 << 20, 8)] {
        let mut heic = Heic::single(&STREAM);
        heic.data_of(1).parts = vec![part];
        refused(&heic, "image data is missing");
    }
    let mut heic = Heic::single(&STREAM);
    heic.data_of(1).parts.clear();
    refused(&heic, "a tile of the picture is not whole");
}

#[test]
fn derivations_end() {
    // As many as three items that only turn another one.
    for (turns, is_accepted) in [(3, true), (4, false)] {
        let mut heic = Heic::new();
        for number in 1..=turns {
            heic.item(b"iden", vec![], b"");
            heic.refer(b"dimg", number, &[number + 1]);
        }
        heic.picture(&STREAM);
        assert_eq!(end(&heic) == "Thumbnail", is_accepted, "{turns}");
    }
    for kind in [b"iden", b"tmap"] {
        let mut itself = Heic::new();
        itself.item(kind, vec![], b"");
        itself.refer(b"dimg", 1, &[1]);
        refused(&itself, "its picture is derived from too many others");
        let mut pair = Heic::new();
        pair.item(kind, vec![], b"");
        pair.item(kind, vec![], b"");
        pair.refer(b"dimg", 1, &[2]);
        pair.refer(b"dimg", 2, &[1]);
        refused(&pair, "its picture is derived from too many others");
    }
    let mut heic = Heic::grid(2, 2, &STREAM);
    heic.references.clear();
    heic.refer(b"dimg", 1, &[1; 4]);
    refused(&heic, "of the coding grid");
    heic.references.clear();
    heic.refer(b"dimg", 1, &[2, 2, 2, 9]);
    refused(&heic, "a tile is missing");
    let mut own_alpha = Heic::single(&STREAM);
    let kind = b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";
    let kind = own_alpha.property(media_box(b"auxC", kind));
    own_alpha.data_of(1).properties.push(kind);
    own_alpha.refer(b"auxl", 1, &[1]);
    accepted(&own_alpha);
}

#[test]
fn a_grid_has_as_many_tiles_as_it_says_and_as_photos_have() {
    accepted(&Heic::grid(64, 64, &Stream::of_size(32, 32)));
    let mut many = Heic::grid(255, 255, &STREAM);
    refused(&many, "it has more tiles than any photo has");
    // 256 columns and rows are the most that a grid can say.
    let size = (256 * 64, 256 * 64);
    many.properties[0] = extent(size);
    many.data.splice(..12, grid(256, 256, size));
    refused(&many, "it has more tiles than any photo has");
    let mut few = Heic::grid(4, 3, &STREAM);
    few.references.clear();
    few.refer(b"dimg", 1, &[2; 11]);
    refused(&few, "its grid has fewer tiles than it says");
}

#[test]
fn sizes_that_lie_are_refused() {
    let (width, height) = (64 * 4, 64 * 3);
    let sizes = [0, 1, 64, width - 64, width + 1, 65_536, 1 << 31, u32::MAX];
    for size in sizes.iter().flat_map(|side| [(*side, height), (width, *side), (*side, *side)]) {
        let is_empty = size.0 == 0 || size.1 == 0;
        if size == (width, height) {
            continue;
        }
        // The size of a grid that does not fit its tiles.
        let mut of_grid = Heic::grid(4, 3, &STREAM);
        of_grid.properties[0] = extent(size);
        let mut refusal = "its grid is not as large as the picture";
        refused(&of_grid, if is_empty { "it does not tell its size" } else { refusal });
        of_grid.data.splice(..12, grid(4, 3, size));
        refusal = if is_empty { "it does not tell its size" } else { "its tiles do not cover it" };
        refused(&of_grid, refusal);
        // The size of the tiles.
        if size == (64, 64) {
            continue;
        }
        let mut of_tile = Heic::grid(4, 3, &STREAM);
        of_tile.properties[1] = extent(size);
        refusal =
            if is_empty { "a tile does not tell its size" } else { "its tiles do not cover it" };
        refused(&of_tile, refusal);
        // The size of a picture of one item.
        let mut of_picture = Heic::single(&STREAM);
        of_picture.properties[0] = extent(size);
        let words = if is_empty { "does not tell its size" } else { "not as large as it says" };
        refused(&of_picture, words);
    }
    let (stream, other) = (Stream::of_size(96, 64), Stream::of_size(64, 64));
    let mut heic = Heic::grid(2, 1, &other);
    let wide = heic.picture(&stream);
    heic.references.clear();
    heic.refer(b"dimg", 1, &[2, wide]);
    refused(&heic, "its tiles do not cover it");
    // The description of a tile says one size and its stream another.
    heic.properties[3] = extent((64, 64));
    refused(&heic, "whose tiles have different configurations");
    let mut alpha = Heic::single(&STREAM);
    alpha.alpha(&stream);
    refused(&alpha, "whose alpha has another size");
    let half = Stream { chroma: 2, hidden: [0, 0, 0, 0], ..Stream::of_size(96, 64) };
    let mut heic = Heic::grid(2, 1, &half);
    heic.properties[0] = extent((95 * 2, 64));
    heic.properties[1] = extent((95, 64));
    heic.data.splice(..12, grid(2, 1, (95 * 2, 64)));
    refused(&heic, "its tiles are not as large as it says");
}

#[test]
fn all_tiles_together_have_as_many_samples_as_photos_have() {
    // 64x64 tiles of 512x512, and a tile of which the picture is a small part.
    refused(&Heic::grid(64, 64, &Stream::of_size(512, 512)), "of 32768x32768 pixels");
    // 4:4:4 and alpha count.
    let stream = Stream { chroma: 3, ..Stream::of_size(8192, 8192) };
    refused(&Heic::grid(2, 1, &stream), "of 16384x8192 pixels");
    let mut heic = Heic::single(&Stream { chroma: 3, ..stream });
    heic.alpha(&stream);
    refused(&heic, "of 8192x8192 pixels");
}

#[test]
fn a_picture_that_shows_a_small_part_counts_as_a_whole() {
    let limited = |heic: &Heic| {
        let policy = Policy { max_pixels: 100_000, ..Policy::default() };
        let file = heic.file();
        let refusal = inspect(&file, policy, &CancelFlag::default()).header().map(|_| ());
        refusal.map_or_else(|failure| failure.name(), |()| "nothing")
    };
    let stream = Stream::of_size(512, 512);
    assert_eq!(limited(&Heic::single(&Stream::of_size(256, 256))), "nothing");
    assert_eq!(limited(&Heic::single(&stream)), "TooManyPixels");
    // Cropped by the stream, by a property, and by a grid.
    let hidden = Stream { hidden: [0, 240, 0, 240], ..stream };
    assert_eq!(limited(&Heic::single(&hidden)), "TooManyPixels");
    let mut cropped = Heic::single(&stream);
    let crop = [32u32, 1, 32, 1, 0, 1, 0, 1].map(u32::to_be_bytes).concat();
    let crop = cropped.property(media_box(b"clap", &crop));
    cropped.data_of(1).properties.push(crop);
    assert_eq!(accepted(&cropped).size, Size { width: 8, height: 8 });
    assert_eq!(limited(&cropped), "TooManyPixels");
    let small = |heic: &mut Heic, item: u16| {
        let place = heic.data_of(item).parts[0].0 as usize;
        let extent = heic.property(extent((32, 32)));
        heic.data_of(item).properties[0] = extent;
        heic.data.splice(place..place + 12, grid(1, 1, (32, 32)));
    };
    let mut covered = Heic::grid(1, 1, &stream);
    small(&mut covered, 1);
    accepted(&covered);
    assert_eq!(limited(&covered), "TooManyPixels");
    // The same for alpha.
    let mut alpha = Heic::single(&Stream::of_size(32, 32));
    let data = grid(1, 1, (32, 32));
    let extent = alpha.property(extent((32, 32)));
    let kind = alpha.property(media_box(b"auxC", b"\0\0\0\0urn:mpeg:hevc:2015:auxid:1\0"));
    let of_alpha = alpha.item(b"grid", vec![extent, kind], &data);
    let tile = alpha.picture(&stream);
    alpha.refer(b"dimg", of_alpha, &[tile]);
    alpha.refer(b"auxl", of_alpha, &[1]);
    accepted(&alpha);
    assert_eq!(limited(&alpha), "TooManyPixels");
}

#[test]
fn a_configuration_has_few_parameter_sets() {
    let (sps, pps) = (STREAM.sps(), STREAM.pps());
    for (count, is_accepted) in [(PARAMETER_SETS, true), (PARAMETER_SETS + 1, false)] {
        for other in [&vec![78, 1, 0], &pps] {
            let sets = [&[sps.clone(), pps.clone()][..], &vec![other.clone(); count - 2]].concat();
            assert_eq!(end(&with_sets(&STREAM, &sets)) == "Thumbnail", is_accepted, "{count}");
        }
    }
    let flood = |unit: &[u8]| configuration(&vec![unit.to_vec(); UNITS]);
    for (name, unit) in [("sps", &sps), ("pps", &pps), ("sei", &vec![78, 1])] {
        let mut heic = Heic::new();
        heic.coded(extent((64, 64)), &flood(unit), &STREAM.picture());
        expect("CorruptPhoto", &format!("many-{name}.heic"), &heic.file());
    }
}

#[test]
fn a_long_configuration_is_not_compared_with_that_of_each_tile() {
    let long = |filler: u8| [STREAM.configuration(), vec![filler; 20 << 20]].concat();
    let mut heic = Heic::grid(64, 64, &STREAM);
    heic.properties[2] = media_box(b"hvcC", &long(0));
    expect("CorruptPhoto", "long-configuration.heic", &heic.file());
    let other = heic.coded(extent((64, 64)), &long(1), &STREAM.picture());
    heic.references.clear();
    heic.refer(b"dimg", 1, &[2, other].repeat(2048));
    expect("CorruptPhoto", "long-configurations.heic", &heic.file());
}

#[test]
fn a_long_type_of_an_auxiliary_picture_is_not_searched_for_its_end() {
    let mut heic = Heic::single(&STREAM);
    let kind = [&b"\0\0\0\0"[..], &vec![b'u'; 10 << 20]].concat();
    let kind = heic.property(media_box(b"auxC", &kind));
    let auxiliary = heic.picture(&STREAM);
    heic.data_of(auxiliary).properties.extend(vec![kind; 250]);
    (0..SEARCHED).for_each(|_| heic.refer(b"auxl", auxiliary, &[1]));
    expect("Thumbnail", "long-auxiliary-type.heic", &heic.file());
}

#[test]
fn a_long_description_of_a_grid_is_not_copied() {
    let mut heic = Heic::grid(2, 2, &STREAM);
    heic.data.resize(64 << 20, 0);
    heic.data_of(1).parts = vec![(0, 64 << 20)];
    // The grid's data and its tile's overlap, but each is read once.
    let file = heic.file();
    expect("Thumbnail", "long-grid.heic", &file);
    let Cost { taken, .. } = cost::of(&file, "long-grid.heic");
    assert!(taken <= 64 + 12, "{taken} MB");
}

#[test]
fn sequence_parameter_sets_that_declare_much_are_refused_before_others_are_read() {
    for (width, height) in [
        (16_384, 16_384),
        (33_792, 32), // a side of more than level 7.2 allows
        (32, 33_792),
        (786_432, 32), // 24,576 tiles in a row
        (1 << 30, 1 << 30),
        (u32::MAX - 31, u32::MAX - 31),
    ] {
        for tiles in [(1, 1), (width / 32, 1), (1, height / 32)] {
            let stream = Stream { tiles, ..Stream::of_size(width, height) };
            let heic = coded(&stream, &[stream.sps(), stream.pps()], &[STREAM.slice(0, 4)]);
            refused(&heic, &format!("with a tile of {width}x{height} pixels"));
        }
    }
}

#[test]
fn the_streams_own_tiles_are_as_few_as_a_level_allows() {
    for (tiles, is_accepted) in
        [((20, 1), true), ((1, 22), true), ((21, 1), false), ((1, 23), false)]
    {
        let size = (32 * tiles.0, 32 * tiles.1);
        let stream = Stream { size, tiles, has_rows: true, ..STREAM };
        let slices: Vec<_> = (0..tiles.0 * tiles.1).map(|first| stream.slice(first, 1)).collect();
        let heic = with_slices(&stream, &slices);
        if is_accepted {
            accepted(&heic);
        } else {
            refused(&heic, "it has more tiles than a level allows");
        }
    }
}

#[test]
fn what_the_decoder_shows_wrongly_is_refused() {
    let planes = Stream { chroma: 3, has_separate_planes: true, ..STREAM };
    refused(&Heic::single(&planes), "with separate colour planes");
    for (bits, is_accepted) in [(12, true), (13, false), (16, false)] {
        for chroma in 0..4 {
            let heic = Heic::single(&Stream { bits, chroma, ..STREAM });
            if is_accepted {
                accepted(&heic);
            } else {
                refused(&heic, "with more than 12 bits a sample");
            }
        }
    }
}

#[test]
fn a_picture_has_one_pair_of_parameter_sets() {
    let large = Stream { id: 1, ..Stream::of_size(640, 640) };
    let sets = [STREAM.sps(), STREAM.pps(), large.sps(), large.pps()];
    let words = "with several sequence parameter sets";
    refused(&coded(&STREAM, &sets, &[STREAM.slice(0, 2), large.slice(2, 2)]), words);
    refused(&coded(&STREAM, &sets, &[STREAM.slice(0, 4)]), words);
    refused(&with_sets(&STREAM, &[vec![78, 1]]), words);
    // A second picture parameter set, which the second slice names.
    let other = Stream { id: 1, ..STREAM };
    let sets = [STREAM.sps(), STREAM.pps(), second_pps()];
    let heic = coded(&STREAM, &sets, &[STREAM.slice(0, 2), other.slice(2, 2)]);
    refused(&heic, "whose slices have different parameter sets");
    // A sequence parameter set that replaces the one by which the others were read.
    let stream = Stream { tiles: (2, 1), first_column: Some(9), ..Stream::of_size(320, 64) };
    let small = Stream { size: (64, 64), ..stream };
    let heic = coded(&small, &[stream.sps(), stream.pps(), small.sps()], &[small.slice(0, 2)]);
    refused(&heic, "missing PPS");
    let (sps, pps) = (STREAM.sps(), STREAM.pps());
    accepted(&with_sets(&STREAM, &[sps.clone(), pps.clone(), sps, pps]));
}

/// A picture parameter set of number 1 for the sequence parameter set 0.
fn second_pps() -> Vec<u8> {
    let pps = STREAM.pps();
    // The numbers are the codes "1" and "1"; the first becomes "010".
    let bits: String = pps[2..].iter().map(|byte| format!("{byte:08b}")).collect();
    let bits = format!("010{}", &bits[1..]);
    let end = bits.rfind('1').unwrap() + 1;
    let bits = format!("{:0<width$}", &bits[..end], width = end.next_multiple_of(8));
    let bytes = bits
        .as_bytes()
        .chunks(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap());
    [34 << 1, 1].into_iter().chain(bytes).collect()
}

#[test]
fn slices_cover_a_picture_once() {
    let stream = Stream::of_size(128, 128); // 16 blocks
    let slice = |first, count| stream.slice(first, count);
    accepted(&with_slices(&stream, &[slice(0, 7), slice(7, 9)]));
    let words = "a slice does not begin where the one before it ends";
    for slices in [
        vec![slice(0, 8), slice(7, 9)],
        vec![slice(0, 8), slice(1, 8), slice(1, 8), slice(8, 8)],
        vec![slice(0, 8), slice(9, 7)],
        vec![slice(1, 15)],
        vec![slice(0, 16), slice(15, 1)],
    ] {
        refused(&with_slices(&stream, &slices), words);
    }
    let missing = "a tile of the picture is not whole";
    for slices in [vec![], vec![slice(0, 15)], vec![slice(0, 8), slice(0, 8)], vec![vec![78, 1]]] {
        refused(&with_slices(&stream, &slices), missing);
    }
    // Only the first picture is shown, and only of the lowest layer.
    accepted(&with_slices(&stream, &[slice(0, 16), slice(0, 3)]));
    let mut other_layer = slice(0, 16);
    other_layer[1] |= 1 << 3;
    accepted(&with_slices(&stream, &[other_layer.clone(), slice(0, 16), other_layer.clone()]));
    refused(&with_slices(&stream, &[other_layer]), missing);
    let more = Stream::of_size(128, 256).slice(0, 32);
    assert_eq!(end(&with_slices(&stream, &[more])), "CorruptPhoto");
}

#[test]
fn slices_that_cover_blocks_again_cost_nothing() {
    let stream = Stream { block: 4, ..Stream::of_size(4096, 4096) };
    let again: Vec<_> = (0..200).map(|_| stream.slice(1, 65_534)).collect();
    let slices = [&[stream.slice(0, 1)][..], &again].concat();
    refused(&with_slices(&stream, &slices), "a slice does not begin where");
}

#[test]
fn an_item_has_as_many_units_as_a_picture_has_slices() {
    for (others, is_accepted) in [(UNITS - 1, true), (UNITS, false)] {
        let slices = [&vec![vec![70, 1]; others][..], &[STREAM.slice(0, 4)]].concat();
        assert_eq!(end(&with_slices(&STREAM, &slices)) == "Thumbnail", is_accepted, "{others}");
    }
    let flood = units(&vec![vec![70, 1]; 10_000_000]);
    let mut heic = Heic::new();
    heic.coded(extent((64, 64)), &STREAM.configuration(), &flood);
    expect("TruncatedPhoto", "many-units.heic", &heic.file());
}

#[test]
fn entry_points_are_not_copied_with_each_slice() {
    let stream =
        Stream { size: (320, 33_776), block: 4, tiles: (20, 22), has_rows: true, ..STREAM };
    let (columns, rows) = (20, 33_776 / 16);
    let bounds: Vec<u32> = (0..=22).map(|tile| tile * rows / 22).collect();
    let in_tile =
        |column: u32, from: u32, to: u32| (from..to).map(move |row| row * columns + column);
    let order = bounds
        .windows(2)
        .flat_map(|rows| (0..columns).flat_map(move |column| in_tile(column, rows[0], rows[1])));
    let slices: Vec<_> = order
        .enumerate()
        .map(|(number, block)| match number {
            0 => stream.slice_with(0, 1, false, columns * rows - 1),
            _ => stream.slice_with(block, 1, true, 0),
        })
        .collect();
    let file = with_slices(&stream, &slices).file();
    println!("{} slices", slices.len());
    render_soon(&file, "slices").unwrap();
}

#[test]
fn pictures_without_data_cost_nothing() {
    for (stream, name) in [
        (Stream::of_size(8192, 8192), "zeros-420.heic"),
        (Stream { block: 4, chroma: 3, ..Stream::of_size(8192, 8192) }, "zeros-444.heic"),
    ] {
        let header = stream.slice(0, 1);
        for zeros in [0, 1, 8] {
            // What stands before the data of a slice of one block is its header.
            let slice = [&header[..3], &vec![0; zeros]].concat();
            let heic = with_slices(&stream, &[slice]);
            let failure = render_soon(&heic.file(), name).map(|made| made.size).unwrap_err();
            assert!(["TruncatedPhoto", "CorruptPhoto"].contains(&failure.name()), "{failure}");
        }
    }
}

/// Cuts the last byte of the item's data, as its place and its length say too.
#[test]
fn a_slice_that_is_shorter_by_a_byte_is_refused() {
    for stream in [
        STREAM,
        Stream { chroma: 3, ..Stream::of_size(96, 64) },
        Stream { block: 4, bits: 10, ..STREAM },
    ] {
        let (columns, rows) = (stream.size.0 >> stream.block, stream.size.1 >> stream.block);
        let slice = stream.slice(0, columns * rows);
        for length in 2..slice.len() {
            let end = end(&with_slices(&stream, &[slice[..length].to_vec()]));
            assert_ne!(end, "Thumbnail", "{length} of {} bytes", slice.len());
        }
    }
    for name in PHOTOS {
        let photo = photo(name);
        for (at, length) in lengths_of_slices(&photo) {
            let end = at + 4 + length;
            for cut in 1..length - 20 {
                // The unit is shorter, and another one that is no slice fills its place.
                let mut damaged = photo.clone();
                damaged[at..at + 4].copy_from_slice(&((length - cut) as u32).to_be_bytes());
                if cut >= 6 {
                    let filler = [&((cut - 4) as u32).to_be_bytes()[..], &[70, 1]].concat();
                    damaged[end - cut..end - cut + 6].copy_from_slice(&filler);
                } else {
                    continue;
                }
                assert!(render_soon(&damaged, name).is_err(), "{name} without {cut} of {length}");
            }
        }
    }
}

/// The places and lengths of the slices in a file.
fn lengths_of_slices(photo: &[u8]) -> Vec<(usize, usize)> {
    let start = photo.windows(4).position(|four| four == b"mdat").unwrap() + 4;
    let (mut at, mut found) = (start, Vec::new());
    while let Some(length) = photo.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        found.push((at, length));
        at += 4 + length;
    }
    assert_eq!(at, photo.len());
    found
}

#[test]
fn no_prefix_of_a_small_heic_is_a_thumbnail() {
    let mut files: Vec<_> = PHOTOS.map(photo).to_vec();
    let mut grid = Heic::grid(2, 2, &STREAM);
    grid.alpha(&Stream::of_size(128, 128));
    files.push(grid.file());
    for photo in files {
        assert!(render(&photo).is_ok());
        for length in 0..photo.len() {
            let failure = render_soon(&photo[..length], "a prefix").map(|_| ()).unwrap_err();
            assert_ne!(failure.name(), "DecoderPanic", "{length}");
        }
    }
}

#[test]
fn a_flipped_bit_of_a_heic_gives_a_picture_or_a_failure() {
    let mut files: Vec<_> = PHOTOS.map(photo).to_vec();
    files.push(Heic::grid(2, 2, &STREAM).file());
    for photo in files {
        let mut refused = 0;
        for turn in 0..1500 {
            let mut damaged = photo.clone();
            let reach = if turn % 2 == 0 { photo.len().min(700) } else { photo.len() };
            let bit = (turn * 7919) % (8 * reach);
            damaged[bit / 8] ^= 1 << (bit % 8);
            refused += usize::from(render_soon(&damaged, "a flipped bit").is_err());
        }
        assert!(refused > 0);
        for filler in [0x00, 0xFF] {
            for start in (0..photo.len()).step_by(3) {
                let mut damaged = photo.clone();
                let end = photo.len().min(start + 4);
                damaged[start..end].fill(filler);
                let _ = render_soon(&damaged, "overwritten bytes");
            }
        }
    }
}

#[test]
fn a_raised_flag_stops_a_picture_within_its_only_slice() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let this = thread::current().id();
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == this {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        others(panic);
    }));
    let stream = Stream { block: 4, ..Stream::of_size(8192, 8192) };
    let file = Heic::single(&stream).file();
    let started = Instant::now();
    render(&file).unwrap();
    let whole = started.elapsed();
    let inspected = inspect(&file, Policy::default(), &CancelFlag::default());
    let plan = inspected.plan(&[SPEC], Resampling::Best, MEMORY).unwrap();
    let cancel = CancelFlag::default();
    let raised = cancel.clone();
    let started = Instant::now();
    let (ended, waited) = thread::scope(|scope| {
        let raise = scope.spawn(move || {
            thread::sleep(whole / 4);
            raised.raise();
            Instant::now()
        });
        let ended = plan.render(&cancel).map(|made| made.renditions.len());
        let now = Instant::now();
        (ended, now.duration_since(raise.join().unwrap()))
    });
    println!("{whole:?} whole, {:?} until it ended, {waited:?} after the flag", started.elapsed());
    assert_eq!(ended, Err(PhotoError::Cancelled));
    assert!(waited < whole / 4, "{waited:?} of {whole:?}");
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

#[test]
fn edges_of_a_very_large_picture_are_not_smoothed() {
    // What smooths them cannot be cancelled, and takes a copy of luma. 16,777,216 pixels take less memory than a few
    // less, which are smoothed.
    let memory = |height| {
        let file = Heic::single(&Stream::of_size(4096, height)).file();
        let inspected = inspect(&file, Policy::default(), &CancelFlag::default());
        inspected.plan(&[Spec::scaled(1.0, 0.9)], Resampling::Best, MEMORY).unwrap().memory
    };
    let (smoothed, other) = (memory(3904), memory(4096));
    assert!(other < smoothed, "{other} and {smoothed}");
}

#[test]
fn no_heic_takes_more_memory_than_announced() {
    let stream = Stream::of_size(4096, 3072);
    let wide = Stream { chroma: 3, ..stream };
    let deep = Stream { chroma: 2, bits: 10, ..stream };
    let gray = Stream { chroma: 0, ..stream };
    let tile = Stream::of_size(512, 512);
    let odd = Stream { chroma: 3, hidden: [0, 1, 0, 1], ..Stream::of_size(512, 512) };
    // A long slice that has to be put together and cleared of its escapes.
    let data = [STREAM.slice(0, 4), [0, 0, 1].repeat(7 << 20)].concat();
    let mut long = with_slices(&STREAM, &[data]);
    let (_, length) = long.data_of(1).parts[0];
    long.data_of(1).parts = vec![(0, 9), (9, length - 9)];
    let with_alpha = |mut heic: Heic, alpha: &Stream| {
        heic.alpha(alpha);
        heic
    };
    for (name, heic) in [
        ("420.heic", Heic::single(&stream)),
        ("small-blocks.heic", Heic::single(&Stream { block: 4, ..stream })),
        ("422-10-bit.heic", Heic::single(&deep)),
        ("444.heic", Heic::single(&wide)),
        ("gray.heic", Heic::single(&gray)),
        ("large.heic", Heic::single(&Stream::of_size(8192, 6144))),
        ("alpha.heic", with_alpha(Heic::single(&stream), &gray)),
        ("grid.heic", Heic::grid(8, 6, &tile)),
        ("grid-444.heic", Heic::grid(8, 6, &Stream { chroma: 3, ..tile })),
        ("grid-odd.heic", Heic::grid(10, 10, &odd)),
        ("grid-odd-gray.heic", Heic::grid(10, 10, &Stream { chroma: 0, ..odd })),
        ("long-slice.heic", long),
        ("grid-alpha.heic", with_alpha(Heic::grid(8, 6, &tile), &gray)),
    ] {
        let Cost { end, needed, taken, .. } = cost::of(&heic.file(), name);
        println!("{name}: {needed} MB needed, {taken} MB taken");
        assert_eq!(end, "Thumbnail", "{name}");
        assert!(taken <= needed + 4, "{name} took {taken} MB instead of {needed}");
        assert!(needed <= 3 * taken + 10, "{name} announces {needed} MB and takes {taken}");
    }
}
