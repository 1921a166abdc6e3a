//! Compares every kind of photo with pixels from other programs: see make.py.
//!
//! The comparison uses the thumbnail's picture before it is encoded as a JPEG.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "the library is pure, but its tests read files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use image::RgbImage;
use photo::{
    CancelFlag, DctScale, LocationPolicy, PhotoError, Picture, Pixels, Resampling, Size, Spec,
    inspect,
};

const SPEC: Spec = Spec { scale: 0.25, quality: 0.9, resampling: Resampling::Best };

/// Largest differences between the channels of two pictures, on a scale of 255.
#[derive(Clone, Copy)]
struct Tolerance {
    mean: f64,
    worst: u8,
}

/// For photos that are decoded at full size and resized like the expected picture: only rounding differs.
const EXACT: Tolerance = Tolerance { mean: 0.3, worst: 2 };
/// The same where black meets white. Resizing overshoots there, and values beyond black and white are
/// clipped after the first pass, which resizes columns here and rows in Pillow.
const HARD_EDGES: Tolerance = Tolerance { mean: 0.5, worst: 12 };
/// For lossy photos, which another decoder decoded for the expected picture.
const LOSSY: Tolerance = Tolerance { mean: 1.0, worst: 8 };
/// For JPEGs, which are decoded at half their size into planes whose chroma is upsampled only when the
/// thumbnail is shown. At the hard edges of these tiny pictures this differs from resizing all pixels.
const JPEG: Tolerance = Tolerance { mean: 2.0, worst: 40 };
/// The same through a printer's colour profile.
const INKS: Tolerance = Tolerance { mean: 2.5, worst: 40 };
/// For other photos with a printer's colour profile, which can be interpolated in several ways.
const EXACT_INKS: Tolerance = Tolerance { mean: 1.5, worst: 6 };

fn tolerance(name: &str) -> Tolerance {
    match name {
        "tiff-cmyk-profile" => EXACT_INKS,
        "jpeg-cmyk-profile" | "jpeg-ycck-profile" => INKS,
        "webp-lossy" | "webp-lossy-alpha" | "webp-orientation-6" | "tiff-jpeg" => LOSSY,
        "gif-transparent" | "tiff-bilevel" | "tiff-bilevel-min-is-white" | "tiff-fax-group-4" => {
            HARD_EDGES
        }
        _ if name.ends_with("-1-bit") || name.contains("-key-") => HARD_EDGES,
        _ if name.starts_with("jpeg-") => JPEG,
        _ => EXACT,
    }
}

/// Kinds of photo that are refused, each with a word from its message.
const REFUSED: [(&str, &str); 2] = [("tiff-palette", "RGBPalette"), ("tiff-cielab", "CIELab")];

#[test]
fn unsupported_kinds_are_refused_with_a_reason() {
    for (name, reason) in REFUSED {
        let path = folder("photos").join(name).with_extension("tif");
        let refusal = shown(&path, 4).unwrap_err();
        assert_eq!(refusal.name(), "UnsupportedFormat", "{name}");
        assert!(refusal.to_string().contains(reason), "{name}: {refusal}");
    }
}

#[test]
fn every_kind_of_photo_has_the_pixels_that_other_programs_show() {
    let mut wrong = Vec::new();
    for path in photos() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if REFUSED.iter().any(|(refused, _)| *refused == name) {
            continue;
        }
        match shown(&path, 4) {
            Err(error) => wrong.push(format!("{name}: {error}")),
            Ok(shown) => {
                let Tolerance { mean, worst } = tolerance(&name);
                let (found_mean, found_worst) = difference(&shown, &expected(&name), &name);
                if found_mean > mean || found_worst > worst {
                    wrong.push(format!("{name}: mean {found_mean:.2}, worst {found_worst}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn photos() -> BTreeSet<PathBuf> {
    let photos: BTreeSet<PathBuf> =
        fs::read_dir(folder("photos")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(photos.len() > 100, "the golden photos are missing");
    photos
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn expected(name: &str) -> RgbImage {
    image::open(folder("expected").join(name).with_extension("png")).unwrap().into_rgb8()
}

#[test]
fn a_screens_colour_profile_is_kept_verbatim_and_a_printers_is_applied() {
    let profile = |name: &str| {
        let photo = fs::read(folder("photos").join(name)).unwrap();
        let inspected = inspect(&photo, 1_000_000, LocationPolicy::Off, &CancelFlag::default());
        let profile = inspected.header().unwrap().icc_profile.clone();
        profile.map(|profile| (profile, photo))
    };
    let (display_p3, photo) = profile("jpeg-display-p3.jpg").unwrap();
    assert!(photo.windows(display_p3.len()).any(|window| window == display_p3));
    for name in ["png-display-p3.png", "webp-display-p3.webp", "tiff-display-p3.tif"] {
        assert_eq!(profile(name).unwrap().0, display_p3, "{name}");
    }
    let (gray, photo) = profile("jpeg-gray-profile.jpg").unwrap();
    assert!(photo.windows(gray.len()).any(|window| window == gray));
    for name in ["jpeg-cmyk-profile.jpg", "jpeg-ycck-profile.jpg", "tiff-cmyk-profile.tif"] {
        assert!(profile(name).is_none(), "{name}");
    }
}

#[test]
fn swapped_channels_and_mirrored_pictures_are_noticed() {
    let expected = expected("png-rgb-8-bit");
    let mirrored = image::imageops::flip_horizontal(&expected);
    let upside_down = image::imageops::flip_vertical(&expected);
    let mut swapped = expected.clone();
    swapped.pixels_mut().for_each(|pixel| pixel.0.reverse());
    for (name, wrong) in [("mirrored", mirrored), ("flipped", upside_down), ("BGR", swapped)] {
        let (mean, worst) = difference(&wrong, &expected, name);
        assert!(mean > 5.0 * INKS.mean && worst > 2 * INKS.worst, "{name}: {mean} {worst}");
    }
}

/// The picture of a photo's thumbnail in RGB.
fn shown(path: &Path, eighths: u8) -> Result<RgbImage, PhotoError> {
    let photo = fs::read(path).unwrap();
    let cancel = CancelFlag::default();
    let inspected = inspect(&photo, 1_000_000, LocationPolicy::Off, &cancel);
    let mut plan = inspected.plan(SPEC, u64::MAX)?;
    plan.dct_scale = DctScale::of_eighths(eighths);
    Ok(match plan.picture(&cancel)? {
        Picture::Packed(pixels) if pixels.channels == 3 => rgb(pixels.size, pixels.data),
        Picture::Packed(gray) => {
            rgb(gray.size, gray.data.iter().flat_map(|value| [*value; 3]).collect())
        }
        Picture::Planar(planes) => of_planes(&planes),
    })
}

fn rgb(size: Size, data: Vec<u8>) -> RgbImage {
    RgbImage::from_raw(size.width, size.height, data).unwrap()
}

/// Converts YCbCr to RGB (JFIF 1.02 page 3), with each chroma sample centred between four pixels.
fn of_planes([luma, cb, cr]: &[Pixels; 3]) -> RgbImage {
    RgbImage::from_fn(luma.size.width, luma.size.height, |x, y| {
        let luma = f64::from(luma.data[(y * luma.size.width + x) as usize]);
        let [cb, cr] = [cb, cr].map(|plane| between_samples(plane, x, y) - 128.0);
        let rgb = [luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb];
        image::Rgb(rgb.map(|value| value.round().clamp(0.0, 255.0) as u8))
    })
}

/// Chroma at a pixel of luma, interpolated linearly between the samples, each of which lies in the middle
/// of 2x2 pixels.
fn between_samples(plane: &Pixels, x: u32, y: u32) -> f64 {
    let weighted = |at: u32, side: u32| {
        let place = (f64::from(at) + 0.5) / 2.0 - 0.5;
        let place = place.clamp(0.0, f64::from(side - 1));
        let first = place.floor() as u32;
        (first, (first + 1).min(side - 1), place - f64::from(first))
    };
    let (left, right, across) = weighted(x, plane.size.width);
    let (top, bottom, down) = weighted(y, plane.size.height);
    let sample = |x, y| f64::from(plane.data[(y * plane.size.width + x) as usize]);
    let row = |y| sample(left, y) * (1.0 - across) + sample(right, y) * across;
    row(top) * (1.0 - down) + row(bottom) * down
}

/// The mean and the largest difference between two pictures' channels.
fn difference(shown: &RgbImage, expected: &RgbImage, name: &str) -> (f64, u8) {
    assert_eq!(shown.dimensions(), expected.dimensions(), "{name}");
    let differences = shown.iter().zip(expected.iter()).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = differences.clone().map(u64::from).sum();
    (sum as f64 / shown.len() as f64, differences.max().unwrap_or(0))
}
