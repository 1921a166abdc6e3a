//! Photos that break the rules without lacking a part of the picture have the thumbnail of the photo that
//! does not, byte for byte; and what lacks a part is refused, even if it breaks them in the same way.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "the library is pure, but its tests read files")]

mod blocks;
mod padding;

use std::fs;
use std::path::Path;

use photo::{CancelFlag, PhotoError, Policy, Resampling, Spec, inspect};

const SPEC: Spec = Spec::scaled(0.25, 0.9);

const BASELINE: &str = "jpeg-420.jpg";
const RESTARTS: &str = "jpeg-restart-markers.jpg";
const PROGRESSIVE: &str = "jpeg-progressive.jpg";
const SEVERAL_SCANS: &str = "jpeg-one-component-a-scan.jpg";
const ARITHMETIC: &str = "jpeg-arithmetic.jpg";
const HUFFMAN: [&str; 6] =
    [BASELINE, RESTARTS, PROGRESSIVE, SEVERAL_SCANS, "jpeg-gray.jpg", "jpeg-444.jpg"];

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photos");
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn thumbnail(photo: &[u8]) -> Result<Vec<u8>, PhotoError> {
    let cancel = CancelFlag::default();
    let inspected = inspect(photo, Policy::default(), &cancel);
    let plan = inspected.plan(&[SPEC], Resampling::Best, u64::MAX)?;
    Ok(plan.render(&cancel)?.renditions.remove(0).file)
}

fn expect_whole(name: &str, photo: &[u8], variant: &[u8]) {
    match thumbnail(variant) {
        Ok(made) => assert!(made == thumbnail(photo).unwrap(), "{name} has other pixels"),
        Err(refusal) => panic!("{name}: {refusal}"),
    }
}

fn expect_refused(name: &str, variant: &[u8]) {
    let Err(refusal) = thumbnail(variant) else { panic!("{name} is shown") };
    assert!(["TruncatedPhoto", "CorruptPhoto"].contains(&refusal.name()), "{name}: {refusal}");
}

/// The offsets of the segments with these markers, in a photo whose segments have nothing between them.
fn segments(jpeg: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<usize> {
    let mut found = Vec::new();
    let mut position = 2;
    while jpeg[position + 1] != 0xD9 {
        if wanted(jpeg[position + 1]) {
            found.push(position);
        }
        let is_scan = jpeg[position + 1] == 0xDA;
        position = behind(jpeg, position);
        let is_data = |two: &[u8]| two[0] != 0xFF || matches!(two[1], 0 | 0xD0..=0xD7);
        while is_scan && is_data(&jpeg[position..]) {
            position += 1;
        }
    }
    found
}

/// The offset behind the segment at this one.
fn behind(jpeg: &[u8], segment: usize) -> usize {
    segment + 2 + usize::from(u16::from_be_bytes([jpeg[segment + 2], jpeg[segment + 3]]))
}

fn scans(jpeg: &[u8]) -> Vec<usize> {
    segments(jpeg, |marker| marker == 0xDA)
}

/// The offsets of the restart markers.
fn restarts(jpeg: &[u8]) -> Vec<usize> {
    let data = scans(jpeg)[0] + 2;
    let is_restart = |at: &usize| jpeg[*at] == 0xFF && matches!(jpeg[at + 1], 0xD0..=0xD7);
    (data..jpeg.len() - 1).filter(is_restart).collect()
}

fn insert(jpeg: &[u8], at: usize, inserted: &[u8]) -> Vec<u8> {
    [&jpeg[..at], inserted, &jpeg[at..]].concat()
}

fn without_end(jpeg: &[u8]) -> &[u8] {
    jpeg.strip_suffix(b"\xFF\xD9").unwrap()
}

/// Bytes without any order, among them markers of all kinds.
fn garbage(length: usize, seed: u32) -> Vec<u8> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8)
    };
    std::iter::repeat_n((), length).scan(seed, |state, ()| next(state)).collect()
}

fn video(seed: u32) -> Vec<u8> {
    [b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", &garbage(50_000, seed)[..]].concat()
}

/// Samsung's trailer with one entry.
fn samsungs_trailer(entry: &[u8]) -> Vec<u8> {
    let length = (entry.len() as u32).to_le_bytes();
    let header = [b"SEFH\x6B\0\0\0\x01\0\0\0\0\0\x01\x0A", &length[..], &length].concat();
    let end = (header.len() as u32).to_le_bytes();
    [entry, &header, &end, b"SEFT"].concat()
}

/// What comes after the image in place of its end marker.
fn trailers() -> Vec<(String, Vec<u8>)> {
    let named = b"\0\0\x01\x0A\x0E\0\0\0Image_UTC_Data1617";
    let mut trailers = vec![
        ("nothing".to_owned(), Vec::new()),
        ("Samsung's trailer".to_owned(), samsungs_trailer(named)),
        ("another image".to_owned(), golden(BASELINE)),
        ("another progressive image".to_owned(), golden(PROGRESSIVE)),
    ];
    for seed in 0..8 {
        trailers.push((format!("video {seed}"), video(seed)));
        let motion = [named, &video(seed)[..]].concat();
        trailers.push((format!("Samsung's video {seed}"), samsungs_trailer(&motion)));
        let long = samsungs_trailer(&garbage(70_000, seed));
        trailers.push((format!("Samsung's long trailer {seed}"), long));
    }
    trailers
}

#[test]
fn a_photo_may_lack_its_end_marker_whatever_comes_in_its_place() {
    for name in HUFFMAN {
        let photo = golden(name);
        let image = without_end(&photo);
        let padding = [&b"\xFF"[..], &[0; 2], &[0; 4096], b"\xFF\0\0\0", b"\xFF\xFF\xFF"];
        // A trailer that would begin in the header, and a segment that no JPEG has.
        let mut far = samsungs_trailer(b"");
        far[8 + 4 + 4..][..4].copy_from_slice(&((image.len() - 2) as u32).to_le_bytes());
        let others = [
            ("a false trailer", far),
            ("a segment", b"\xFF\x35\0\x04ab".to_vec()),
            ("broken tables", b"\xFF\xC4\0\x04ab".to_vec()),
        ];
        let others = others.map(|(what, bytes)| (what.to_owned(), bytes));
        let padding = padding.iter().map(|bytes| (format!("{bytes:.4x?}"), bytes.to_vec()));
        let garbage = (0..8).map(|seed| (format!("garbage {seed}"), garbage(20_000, seed)));
        for (what, trailer) in trailers().into_iter().chain(padding).chain(garbage).chain(others) {
            let variant = [image, &trailer].concat();
            expect_whole(&format!("{name} with {what}"), &photo, &variant);
        }
    }
}

#[test]
fn a_photo_that_lacks_its_last_bytes_is_refused_whatever_comes_in_their_place() {
    for name in HUFFMAN {
        let photo = golden(name);
        let image = without_end(&photo);
        for (what, trailer) in trailers() {
            for missing in [1, 2, 7, 60] {
                let variant = [&image[..image.len() - missing], &trailer].concat();
                expect_refused(&format!("{name} without {missing} bytes, with {what}"), &variant);
            }
        }
        let half = &image[..image.len() / 2];
        for zeros in [half.len(), photo.len(), 100 * photo.len()] {
            expect_refused(
                &format!("half of {name}, and zeros"),
                &[half, &vec![0; zeros]].concat(),
            );
        }
    }
    // Nothing in arithmetic-coded data tells that it is whole.
    expect_refused("arithmetic", without_end(&golden(ARITHMETIC)));
}

#[test]
fn what_only_looks_like_another_scan_is_no_part_of_a_sequential_photo() {
    for name in [BASELINE, RESTARTS, SEVERAL_SCANS] {
        let photo = golden(name);
        let variant = [without_end(&photo), b"\xFF\xDA\0\x04ab"].concat();
        expect_whole(name, &photo, &variant);
    }
}

#[test]
fn a_photo_that_breaks_off_is_said_to_lack_its_end() {
    for name in HUFFMAN {
        let photo = golden(name);
        for missing in [3, 4, 9, photo.len() / 2] {
            let refusal = thumbnail(&photo[..photo.len() - missing]).unwrap_err();
            assert_eq!(refusal.name(), "TruncatedPhoto", "{name}: {refusal}");
            assert!(refusal.to_string().contains("end-of-image marker"), "{name}: {refusal}");
        }
    }
}

#[test]
fn a_progressive_photo_that_lacks_a_scan_and_its_end_marker_is_refused() {
    let photo = golden(PROGRESSIVE);
    for scan in &scans(&photo)[1..] {
        expect_refused("a scan less", &photo[..*scan]);
    }
}

#[test]
fn spectral_selection_means_nothing_in_a_sequential_scan() {
    for name in [BASELINE, RESTARTS, SEVERAL_SCANS, ARITHMETIC] {
        let photo = golden(name);
        for parameters in [[0, 0, 0], [1, 63, 0], [0, 63, 0x21], [0xFF; 3], [0, 5, 0]] {
            let mut variant = photo.clone();
            for scan in scans(&photo) {
                let end = behind(&photo, scan);
                variant[end - 3..end].copy_from_slice(&parameters);
            }
            expect_whole(&format!("{name} with {parameters:?}"), &photo, &variant);
            let cut = variant.len() - 60;
            if name != ARITHMETIC {
                expect_refused(name, &[&variant[..cut], b"\xFF\xD9"].concat());
            }
        }
    }
}

/// Bytes before a marker: also a stuffed one, a fill byte and a reserved code.
const STRAY: [&[u8]; 6] =
    [&[0; 9], b"\x11", &[0x5A; 700], b"\xFF\0\x11", b"\xFF", b"\x11\xFF\x05\x11"];

#[test]
fn stray_bytes_before_restart_markers_are_no_part_of_the_picture() {
    let photo = golden(RESTARTS);
    let markers = restarts(&photo);
    for stray in STRAY {
        let name = format!("{stray:.9x?} before a restart marker");
        for at in &markers {
            expect_whole(&name, &photo, &insert(&photo, *at, stray));
        }
        let all = markers.iter().rev().fold(photo.clone(), |one, at| insert(&one, *at, stray));
        expect_whole(&name, &photo, &all);
        expect_whole(&name, &photo, without_end(&all));
    }
}

#[test]
fn stray_bytes_hide_no_missing_data() {
    let photo = golden(RESTARTS);
    let markers = restarts(&photo);
    let (first, damaged, end) = (markers[0], markers[2], markers[3]);
    for missing in [1, 5, end - damaged - 2, end - damaged] {
        let short = [&photo[..end - missing], &photo[end..]].concat();
        expect_refused("a short interval", &short);
        expect_refused("stray bytes and a short interval", &insert(&short, first, &[0; 9]));
    }
    for at in markers {
        let missing = [&photo[..at], &photo[at + 2..]].concat();
        expect_refused("a missing restart marker", &missing);
    }
}

#[test]
fn restart_markers_may_have_wrong_numbers_if_none_is_missing() {
    let photo = golden(RESTARTS);
    let markers = restarts(&photo);
    let renumbered = |jpeg: &[u8], at: usize, by: u8| {
        let mut renumbered = jpeg.to_vec();
        renumbered[at + 1] = 0xD0 | ((renumbered[at + 1] + by) & 7);
        renumbered
    };
    for by in 1..8 {
        for at in &markers {
            expect_whole(&format!("one, by {by}"), &photo, &renumbered(&photo, *at, by));
        }
        let all = markers.iter().fold(photo.clone(), |one, at| renumbered(&one, *at, by));
        expect_whole(&format!("all, by {by}"), &photo, &all);
    }
}

#[test]
fn stray_bytes_between_scans_are_no_part_of_the_picture() {
    for name in [PROGRESSIVE, SEVERAL_SCANS] {
        let photo = golden(name);
        let data = scans(&photo).into_iter().map(|scan| behind(&photo, scan));
        let next = |from: usize| segments(&photo, |_| true).into_iter().find(|at| *at >= from);
        let ends: Vec<usize> = data.filter_map(next).collect();
        for stray in &STRAY[..5] {
            for end in &ends {
                let variant = insert(&photo, *end, stray);
                expect_whole(&format!("{name}: {stray:.9x?} at {end}"), &photo, &variant);
            }
            for end in &ends[1..] {
                let short = [&photo[..end - 9], &photo[*end..]].concat();
                expect_refused(&format!("{name}: too little before {end}"), &short);
                expect_refused(
                    &format!("{name}: too little before {end}, after {stray:.9x?}"),
                    &insert(&short, ends[0], stray),
                );
            }
        }
    }
}

#[test]
fn stray_bytes_between_segments_are_no_part_of_the_picture() {
    for name in [BASELINE, PROGRESSIVE, SEVERAL_SCANS, ARITHMETIC] {
        let photo = golden(name);
        for at in segments(&photo, |marker| marker != 0xDA) {
            // The last one looks like the start of a segment that reaches into the next.
            for stray in [&[0; 9][..], b"\x37", b"\xFF", &[0x5A; 700], b"\0\xE1\0\x09"] {
                if at < scans(&photo)[0] {
                    expect_whole(&format!("{name} at {at}"), &photo, &insert(&photo, at, stray));
                }
            }
        }
    }
}

#[test]
fn a_metadata_segment_may_lack_the_first_byte_of_its_marker() {
    let photo = golden(BASELINE);
    let inner = golden("jpeg-gray.jpg");
    let length = ((inner.len() + 8) as u16).to_be_bytes();
    for first in [0x00, 0x7F] {
        let segment = [&[first, 0xE1], &length[..], b"Exif\0\0", &inner].concat();
        for at in segments(&photo, |marker| !(0xDA..0xE0).contains(&marker)) {
            expect_whole("with an image of its own", &photo, &insert(&photo, at, &segment));
        }
    }
}

#[test]
fn any_other_segment_that_lacks_it_is_no_part_of_the_picture() {
    let photo = golden(BASELINE);
    let frame = segments(&photo, |marker| marker == 0xC0)[0];
    for table in [0, 1] {
        let tables = [b"\0\xDB\0\x43", &[table][..], &[1; 64]].concat();
        expect_whole("with other tables", &photo, &insert(&photo, frame, &tables));
    }
}

#[test]
fn a_segment_may_have_a_length_that_does_not_count_itself() {
    let photo = golden(BASELINE);
    for segment in [b"\xFF\xFE\0\0", b"\xFF\xFE\0\x01", b"\xFF\xED\0\0"] {
        expect_whole("no content", &photo, &insert(&photo, 2, segment));
    }
}

#[test]
fn an_unknown_colour_transform_means_what_libjpeg_takes_it_for() {
    let adobe = |transform| [b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0", &[transform][..]].concat();
    // Without JFIF's segment Adobe's counts.
    let photo = golden(BASELINE);
    let plain = [&photo[..2], &photo[behind(&photo, 2)..]].concat();
    for transform in [2, 3, 255] {
        expect_whole("YCbCr", &photo, &insert(&plain, 2, &adobe(transform)));
        expect_whole("YCbCr with JFIF", &photo, &insert(&photo, 2, &adobe(transform)));
    }
    let inks = golden("jpeg-ycck.jpg");
    let at = segments(&inks, |marker| marker == 0xEE)[0] + 4 + 11;
    assert_eq!(inks[at], 2);
    for transform in [1, 3, 255] {
        let variant = [&inks[..at], &[transform], &inks[at + 1..]].concat();
        expect_whole("YCCK", &inks, &variant);
    }
}

#[test]
fn stray_bytes_may_be_between_all_segments_at_once() {
    let photo = golden(BASELINE);
    for stray in [&[0; 9][..], b"\x37", b"\r\n"] {
        let before = segments(&photo, |_| true).into_iter().filter(|at| *at <= scans(&photo)[0]);
        let before: Vec<usize> = before.collect();
        let variant = before.iter().rev().fold(photo.clone(), |one, at| insert(&one, *at, stray));
        expect_whole(&format!("{stray:x?}"), &photo, &variant);
    }
}

#[test]
fn what_looks_like_an_end_marker_in_a_video_hides_no_missing_data() {
    for name in [BASELINE, RESTARTS] {
        let photo = golden(name);
        let image = without_end(&photo);
        let trailer =
            [&b"\0\0\0\x18ftypmp42\0\0\0\0isommp42"[..], &[0x11; 900], b"\xFF\xD9"].concat();
        expect_whole(name, &photo, &[image, &trailer].concat());
        for missing in [1, 7, 60] {
            expect_refused(name, &[&image[..image.len() - missing], &trailer].concat());
        }
    }
}

#[test]
fn a_strip_or_tile_whose_jpeg_lacks_data_is_refused() {
    for name in
        ["tiff-jpeg.tif", "tiff-jpeg-strips.tif", "tiff-jpeg-tiles.tif", "tiff-jpeg-gray.tif"]
    {
        let photo = golden(name);
        assert!(thumbnail(&photo).is_ok(), "{name}");
        // That of the tables is followed by no image data.
        let ends: Vec<usize> =
            memchr::memmem::find_iter(&photo, b"\xFF\xD9").filter(|at| *at > 40).collect();
        let end = *ends.last().unwrap();
        for missing in [4, 40] {
            let mut variant = photo.clone();
            variant[end - missing..end + 2].fill(0);
            variant[end - missing..end - missing + 2].copy_from_slice(b"\xFF\xD9");
            expect_refused(&format!("{name} without {missing} bytes"), &variant);
        }
    }
}

#[test]
fn the_checksum_of_a_pngs_last_image_data_may_be_cut_off() {
    let photo = golden("png-rgb-8-bit.png");
    let end = memchr::memmem::rfind(&photo, b"IEND").unwrap() - 4;
    for missing in 0..=4 {
        expect_whole(&format!("{missing} bytes"), &photo, &photo[..end - missing]);
    }
    expect_refused("image data", &photo[..end - 5]);
    let mut wrong = photo[..end].to_vec();
    wrong[end - 1] ^= 1;
    expect_refused("a wrong checksum", &wrong);
}

#[test]
fn a_photo_without_a_scan_of_one_of_its_components_is_refused() {
    let photo = golden(SEVERAL_SCANS);
    let last = *scans(&photo).last().unwrap();
    expect_refused("two of three components", &[&photo[..last], b"\xFF\xD9"].concat());
}
