//! Stray bytes are found whatever the blocks before them hold: coefficients up to the last one, long runs of
//! zeros between them, and intervals of any length.

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::{
    RESTARTS, behind, expect_refused, expect_whole, garbage, golden, insert, restarts, scans,
    segments,
};

const SIDE: usize = 48;

/// Pictures with their names and qualities: noise has all coefficients of a block, and waves have one of the
/// highest frequency behind zeros, of another height in each block.
fn pictures() -> Vec<(&'static str, i32, Vec<u8>)> {
    let wave = |at: usize| ((2 * at + 1) as f64 * 7.0 * std::f64::consts::PI / 16.0).cos();
    let waves = (0..SIDE * SIDE).flat_map(|at| {
        let (x, y) = (at % SIDE, at / SIDE);
        let height = 4 * (x / 8 + SIDE / 8 * (y / 8));
        [(128.0 + height as f64 * wave(x) * wave(y)).clamp(0.0, 255.0) as u8; 3]
    });
    let noise = garbage(3 * SIDE * SIDE, 1);
    vec![("noise", 100, noise.clone()), ("coarse noise", 40, noise), ("waves", 90, waves.collect())]
}

fn coded(pixels: &[u8], quality: i32, is_progressive: bool) -> Vec<u8> {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(quality).unwrap();
    compressor.set_subsamp(Subsamp::None).unwrap();
    compressor.set_progressive(is_progressive).unwrap();
    let format = PixelFormat::RGB;
    let image = Image { pixels, width: SIDE, pitch: 3 * SIDE, height: SIDE, format };
    compressor.compress_to_vec(image).unwrap()
}

/// The photo with an interval of restart markers that is longer than itself.
fn with_restarts(jpeg: &[u8]) -> Vec<u8> {
    insert(jpeg, scans(jpeg)[0], b"\xFF\xDD\0\x04\xFF\xFF")
}

#[test]
fn stray_bytes_behind_blocks_of_every_form_are_no_part_of_the_picture() {
    let inks = ["jpeg-cmyk.jpg", "jpeg-ycck.jpg"].map(|name| (name.to_owned(), golden(name)));
    let others = pictures()
        .into_iter()
        .map(|(name, quality, pixels)| (name.to_owned(), coded(&pixels, quality, false)));
    for (name, photo) in inks.into_iter().chain(others) {
        let photo = with_restarts(&photo);
        let end = photo.len() - 2;
        expect_whole(&name, &photo, &insert(&photo, end, &[0; 9]));
        // Other stray bytes could pass for the missing one.
        let short = [&photo[..end - 1], b"\xFF\x05\x11", &photo[end..]].concat();
        expect_refused(&format!("{name} without its last byte"), &short);
    }
}

#[test]
fn stray_bytes_between_scans_of_blocks_of_every_form_are_no_part_of_the_picture() {
    for (name, quality, pixels) in pictures() {
        let photo = coded(&pixels, quality, true);
        let data = scans(&photo).into_iter().map(|scan| behind(&photo, scan));
        let next = |from: usize| segments(&photo, |_| true).into_iter().find(|at| *at >= from);
        for end in data.filter_map(next) {
            expect_whole(&format!("{name} at {end}"), &photo, &insert(&photo, end, &[0; 9]));
        }
    }
}

/// A gray photo of so many blocks in each restart interval, each interval of another brightness.
fn intervals(lengths: &[u16]) -> Vec<u8> {
    // The codes of differences: 0 for none, 10 for one of three bits. A 0 ends each block.
    let tables = b"\xFF\xC4\0\x15\0\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\
        \xFF\xC4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let width = (8 * lengths.iter().sum::<u16>()).to_be_bytes();
    let mut jpeg = [b"\xFF\xD8\xFF\xDB\0\x43\0", &[64; 64][..], tables].concat();
    jpeg.extend([b"\xFF\xC0\0\x0B\x08\0\x08", &width[..], b"\x01\x01\x11\0"].concat());
    jpeg.extend([b"\xFF\xDD\0\x04", &lengths[0].to_be_bytes()[..]].concat());
    jpeg.extend(b"\xFF\xDA\0\x08\x01\x01\0\0\x3F\0");
    for (nth, length) in (0..).zip(lengths) {
        if nth > 0 {
            jpeg.extend([0xFF, 0xD0 + (nth - 1) % 8]);
        }
        let bits = 6 + 2 * (length - 1);
        let first = u64::from(0b10_1000 | (nth % 4) << 1) << 58;
        let padding = u64::MAX >> bits;
        jpeg.extend(&(first | padding).to_be_bytes()[..usize::from(bits.div_ceil(8))]);
    }
    jpeg.extend(b"\xFF\xD9");
    jpeg
}

#[test]
fn the_last_restart_interval_may_be_shorter() {
    for lengths in [&[3, 3, 2][..], &[5, 5, 5, 1], &[4, 3], &[1; 11]] {
        let photo = intervals(lengths);
        for at in restarts(&photo).into_iter().chain([photo.len() - 2]) {
            let variant = insert(&photo, at, &[0; 9]);
            expect_whole(&format!("{lengths:?} at {at}"), &photo, &variant);
        }
    }
}

#[test]
fn a_restart_marker_that_comes_again_is_passed_over() {
    let photo = golden(RESTARTS);
    for at in restarts(&photo) {
        for before in [1, 2] {
            let again = [0xFF, 0xD0 | (photo[at + 1].wrapping_sub(before) & 7)];
            let variant = insert(&photo, at, &again);
            expect_whole(&format!("{again:x?} at {at}"), &photo, &variant);
        }
    }
}

#[test]
fn fill_bytes_before_a_stuffed_zero_are_no_part_of_the_picture() {
    let photo = golden(RESTARTS);
    let data = scans(&photo)[0] + 2;
    let is_stuffed = |at: &usize| photo[*at..*at + 2] == [0xFF, 0];
    let stuffed = (data..photo.len() - 1).find(is_stuffed).unwrap();
    let filled = insert(&photo, stuffed, b"\xFF\xFF");
    expect_whole("fill bytes", &photo, &filled);
    expect_whole("and stray ones", &photo, &insert(&filled, photo.len(), &[0; 9]));
}
