//! Makes several renditions of one decoding, and compares each with the picture that another program made of the same
//! photo (tests/golden).

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "the library is pure, but its tests read files")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::RgbImage;
use image::imageops::{self, FilterType};
use photo::{
    CancelFlag, Encoding, Inspected, PhotoError, Policy, Rendered, Rendition, Resampling, Size,
    Sizing, Spec, inspect,
};

/// Renditions of every kind, the default one first, smaller and larger ones in no order. Without loss, as far as the
/// formats can be.
const SPECS: [Spec; 6] = [
    spec(Sizing::Scale(0.25), Encoding::Jpeg),
    spec(Sizing::Fit(square(16)), Encoding::WebP),
    spec(Sizing::Cover(square(16)), Encoding::Jpeg),
    spec(Sizing::Fit(square(22)), Encoding::Jpeg),
    spec(Sizing::Cover(Size { width: 20, height: 12 }), Encoding::WebP),
    spec(Sizing::Scale(0.25), Encoding::WebP),
];

const fn spec(sizing: Sizing, encoding: Encoding) -> Spec {
    Spec { sizing, encoding, quality: 1.0 }
}

const fn square(side: u32) -> Size {
    Size { width: side, height: side }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn photo(name: &str) -> Vec<u8> {
    fs::read(golden("photos").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn inspected(photo: &[u8]) -> Inspected<'_> {
    inspect(photo, Policy::default(), &CancelFlag::default())
}

fn rendered(photo: &Inspected<'_>, specs: &[Spec], resampling: Resampling) -> Rendered {
    let plan = photo.plan(specs, resampling, u64::MAX).unwrap();
    plan.render(&CancelFlag::default()).unwrap()
}

fn shown(rendition: &Rendition) -> RgbImage {
    let shown = match rendition.encoding {
        Encoding::Jpeg => {
            let decoded =
                turbojpeg::decompress(&rendition.file, turbojpeg::PixelFormat::RGB).unwrap();
            RgbImage::from_raw(decoded.width as u32, decoded.height as u32, decoded.pixels).unwrap()
        }
        Encoding::WebP => {
            let format = image::ImageFormat::WebP;
            image::load_from_memory_with_format(&rendition.file, format).unwrap().into_rgb8()
        }
    };
    assert_eq!((shown.width(), shown.height()), (rendition.size.width, rendition.size.height));
    shown
}

/// A quarter of the photo, upright, by another program.
fn quarter(name: &str) -> RgbImage {
    let (stem, _) = name.rsplit_once('.').unwrap();
    image::open(golden("expected").join(format!("{stem}.png"))).unwrap().into_rgb8()
}

/// What a rendition should show of this quarter.
fn expected(quarter: &RgbImage, sizing: Sizing, Size { width, height }: Size) -> RgbImage {
    let part = match sizing {
        Sizing::Scale(_) | Sizing::Fit(_) => quarter.clone(),
        Sizing::Cover(_) => {
            let (all_across, all_down) = (quarter.width(), quarter.height());
            let share = f64::from(width) / f64::from(height);
            let across = all_across.min((f64::from(all_down) * share).round() as u32);
            let down = all_down.min((f64::from(all_across) / share).round() as u32);
            let (left, top) = ((all_across - across) / 2, (all_down - down) / 2);
            imageops::crop_imm(quarter, left, top, across, down).to_image()
        }
    };
    imageops::resize(&part, width, height, FilterType::Lanczos3)
}

fn mean_difference(a: &RgbImage, b: &RgbImage) -> f64 {
    let sum: u64 = a.iter().zip(b.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}

/// Photos of every orientation, colour model and format.
const PHOTOS: [&str; 22] = [
    "jpeg-orientation-1.jpg",
    "jpeg-orientation-2.jpg",
    "jpeg-orientation-3.jpg",
    "jpeg-orientation-4.jpg",
    "jpeg-orientation-5.jpg",
    "jpeg-orientation-6.jpg",
    "jpeg-orientation-7.jpg",
    "jpeg-orientation-8.jpg",
    "jpeg-420.jpg",
    "jpeg-422.jpg",
    "jpeg-444.jpg",
    "jpeg-gray.jpg",
    "jpeg-cmyk.jpg",
    "jpeg-display-p3.jpg",
    "jpeg-progressive.jpg",
    "png-rgb-alpha-8-bit.png",
    "webp-orientation-6.webp",
    "tiff-orientation-6.tif",
    "gif-opaque.gif",
    "bmp-24-bit.bmp",
    "heic-irot-3.heic",
    "heic-grid.heic",
];

#[test]
fn every_rendition_shows_the_photo_upright_in_its_colours() {
    for name in PHOTOS {
        let (bytes, quarter) = (photo(name), quarter(name));
        for resampling in [Resampling::Best, Resampling::Fast] {
            let made = rendered(&inspected(&bytes), &SPECS, resampling).renditions;
            assert_eq!(made.len(), SPECS.len());
            for (made, spec) in made.iter().zip(SPECS) {
                assert_eq!(made.encoding, spec.encoding, "the order is that of the specs");
                let difference =
                    mean_difference(&shown(made), &expected(&quarter, spec.sizing, made.size));
                // 4:2:0 blurs the hard edges of these tiny pictures, and DCT scaling has other edges than Lanczos3.
                assert!(difference < 12.0, "{name} {spec:?} {resampling:?}: {difference:.1}");
            }
        }
    }
}

#[test]
fn a_picture_that_is_wrong_would_be_noticed() {
    let name = "jpeg-orientation-6.jpg";
    let (bytes, quarter) = (photo(name), quarter(name));
    let wrong = [
        imageops::flip_horizontal(&quarter),
        imageops::flip_vertical(&quarter),
        imageops::rotate180(&quarter),
    ];
    let made = rendered(&inspected(&bytes), &SPECS, Resampling::Best).renditions;
    for (made, spec) in made.iter().zip(SPECS) {
        for wrong in &wrong {
            let difference =
                mean_difference(&shown(made), &expected(wrong, spec.sizing, made.size));
            assert!(difference > 20.0, "{spec:?}: {difference:.1}");
        }
    }
}

#[test]
fn a_rendition_has_the_same_size_alone_and_among_others() {
    for name in PHOTOS {
        let bytes = photo(name);
        let photo = inspected(&bytes);
        let together = rendered(&photo, &SPECS, Resampling::Best).renditions;
        for (made, spec) in together.iter().zip(SPECS) {
            let alone = rendered(&photo, &[spec], Resampling::Best).renditions.remove(0);
            assert_eq!(made.size, alone.size, "{name} {spec:?}");
            assert_eq!(made.size, spec.sizing.of(photo.size().unwrap()), "{name} {spec:?}");
            let difference = mean_difference(&shown(made), &shown(&alone));
            assert!(difference < 6.0, "{name} {spec:?}: {difference:.1}");
        }
    }
}

#[test]
fn the_default_rendition_is_the_same_bytes_whatever_is_made_beside_it() {
    for name in PHOTOS {
        let bytes = photo(name);
        let photo = inspected(&bytes);
        let smaller = [Sizing::Fit(square(8)), Sizing::Cover(square(8)), Sizing::Scale(0.1)];
        let specs = [
            SPECS[0],
            spec(smaller[0], Encoding::WebP),
            spec(smaller[1], Encoding::Jpeg),
            spec(smaller[2], Encoding::Jpeg),
        ];
        let [alone, together] =
            [&specs[..1], &specs].map(|specs| rendered(&photo, specs, Resampling::Best));
        assert_eq!(alone.renditions[0], together.renditions[0], "{name}");
        assert_eq!(alone.thumb_hash, together.thumb_hash, "{name}");
    }
}

#[test]
fn a_photo_that_is_smaller_than_a_box_is_not_enlarged() {
    let bytes = photo("jpeg-orientation-6.jpg");
    let photo = inspected(&bytes);
    let size = photo.size().unwrap();
    for sizing in [Sizing::Fit(square(16_383)), Sizing::Cover(square(16_383)), Sizing::Scale(1.0)] {
        for encoding in [Encoding::Jpeg, Encoding::WebP] {
            let made = rendered(&photo, &[spec(sizing, encoding)], Resampling::Best);
            assert_eq!(shown(&made.renditions[0]).dimensions(), (size.width, size.height));
        }
    }
}

/// The values of the JavaScript package thumbhash 0.1.1, for the pixels of these photos turned upright:
/// `Buffer.from(rgbaToThumbHash(width, height, rgba)).toString("base64")`.
const THUMB_HASHES: [(&str, [&str; 8]); 2] = [
    (
        "png-rgb-8-bit.png",
        [
            "3QgKPYxohmfyWXh4q5V3eIDc94d8",
            "3QgKPYxniWgCqYiIW5V4iI8sB4dz",
            "3QgKPYxniWj9VneIW2WHiI/TB3d8",
            "3QgKPYxohmcNpod4q2WIeIAj93dz",
            "3QgKPQyCifh3Z7lnpYh1Z3zQiPd8",
            "3QgKPQyNhgiHZ7Zoqnh1aHMgePdz",
            "3QgKPQyNhvd4aLaYVXiFZ3PfeAd8",
            "3QgKPQyCiQeIaLmXWoiFaHwviAdz",
        ],
    ),
    (
        "png-rgb-alpha-8-bit.png",
        [
            "nCiGLIg5boL3XKaNRvSbn+n2h/dneIaIBw==",
            "nCiGLIg5YY0HrFaNufSUkBkGd/dod4l4Bw==",
            "nCiGLIg5YY34U1Z9tgSbkOYGdweXeImHBw==",
            "nCiGLIg5boIIo6Z9SQSUnxb2hweYd4Z3Bw==",
            "nCiGLAg5Z+ivZtxS+ElLae/5h/dneIaIBw==",
            "nCiGLAg5aOegadOiCElEZh8Jd/dod4l4Bw==",
            "nCiGLAg5aBdfZtNdCLlLZuAJdweXeImHBw==",
            "nCiGLAg5ZxhQadyt+LlEaRD5hweYd4Z3Bw==",
        ],
    ),
];

#[test]
fn the_thumb_hash_is_that_of_the_package_for_every_orientation() {
    for (name, hashes) in THUMB_HASHES {
        let bytes = photo(name);
        for (orientation, hash) in (1..).zip(hashes) {
            let mut photo = inspected(&bytes);
            photo.facts.orientation = Some(orientation);
            let made = rendered(&photo, &[Spec::scaled(1.0, 0.9)], Resampling::Best);
            let found = BASE64_STANDARD.encode(made.thumb_hash.unwrap());
            // On white and back, colours are rounded where they are transparent: a sixteenth is a digit's unit.
            let differ = distance(&found, hash);
            let most = if name.contains("alpha") { 1 } else { 0 };
            assert!(differ <= most, "{name} {orientation}: {found} instead of {hash}");
        }
    }
}

/// The largest difference between the values of 4 bits of which two hashes of one length consist, behind the header.
fn distance(a: &str, b: &str) -> u8 {
    let [a, b] = [a, b].map(|hash| BASE64_STANDARD.decode(hash).unwrap());
    assert_eq!(a.len(), b.len());
    let of_header = u8::from(a[..5] != b[..5]);
    let digits = a[5..]
        .iter()
        .zip(&b[5..])
        .map(|(a, b)| (a >> 4).abs_diff(b >> 4).max((a & 15).abs_diff(b & 15)));
    digits.max().unwrap_or(0).max(of_header)
}

#[test]
fn a_photos_hash_has_its_shape_and_its_colours_in_srgb() {
    for name in PHOTOS {
        let (bytes, quarter) = (photo(name), quarter(name));
        let hash = rendered(&inspected(&bytes), &SPECS, Resampling::Best).thumb_hash.unwrap();
        let (red, green, blue, alpha) = thumbhash::thumb_hash_to_average_rgba(&hash).unwrap();
        if name.contains("alpha") {
            assert!(alpha < 0.95, "{name}: {alpha}");
            continue;
        }
        assert!(alpha > 0.99, "{name}: {alpha}");
        let shape = thumbhash::thumb_hash_to_approximate_aspect_ratio(&hash).unwrap();
        assert_eq!(shape < 1.0, quarter.width() < quarter.height(), "{name}");
        for (channel, found) in [red, green, blue].into_iter().enumerate() {
            let sum: u32 = quarter.pixels().map(|pixel| u32::from(pixel.0[channel])).sum();
            let mean = sum as f32 / 255.0 / quarter.pixels().len() as f32;
            // The picture of Display P3 is compared as it is, and its colours are paler in its own numbers.
            let most = if name.contains("p3") { 0.12 } else { 0.04 };
            assert!((found - mean).abs() < most, "{name} {channel}: {found} and {mean}");
        }
    }
}

#[test]
fn a_large_profile_is_kept_but_beside_a_small_picture_in_a_box_which_is_converted() {
    let p3 = photo("jpeg-display-p3.jpg");
    let mut profile = inspected(&p3).header().unwrap().icc_profile.clone().unwrap();
    let small_profile = profile.clone();
    profile.resize(1100, 0);
    profile[..4].copy_from_slice(&1100u32.to_be_bytes()); // its size (ICC.1:2022 clause 7.2)
    let size = square(1000);
    let data = [200, 100, 50].repeat(size.pixels() as usize);
    let picture = photo::Picture::Packed(photo::Pixels { data, size, channels: 3 });
    let with = |profile: &[u8]| photo::encode::jpeg(&picture, 1.0, Some(profile)).unwrap();
    // The colours of Display P3 in its own numbers and in those of sRGB.
    let (own, srgb) = ([200, 100, 50], [215, 93, 31]);
    for (profile, sizing, colours) in [
        (&profile, Sizing::Scale(0.25), own),
        (&profile, Sizing::Fit(square(501)), own),
        (&profile, Sizing::Fit(square(400)), srgb),
        (&profile, Sizing::Cover(Size { width: 400, height: 300 }), srgb),
        (&small_profile, Sizing::Fit(square(400)), own),
    ] {
        let bytes = with(profile);
        for encoding in [Encoding::Jpeg, Encoding::WebP] {
            let spec = spec(sizing, encoding);
            let made = rendered(&inspected(&bytes), &[spec], Resampling::Best).renditions.remove(0);
            let kept = inspected(&made.file).header().unwrap().icc_profile.clone();
            assert_eq!(kept.as_ref(), (colours == own).then_some(profile), "{spec:?}");
            let shown = shown(&made).get_pixel(100, 100).0;
            let worst = shown.iter().zip(colours).map(|(a, b)| a.abs_diff(b)).max();
            assert!(worst <= Some(8), "{spec:?}: {shown:?}");
        }
    }
}

#[test]
fn the_plan_counts_the_memory_of_every_rendition() {
    let bytes = photo("jpeg-420.jpg");
    let photo = inspected(&bytes);
    let memory = |specs: &[Spec]| photo.plan(specs, Resampling::Best, u64::MAX).unwrap().memory;
    let mut before = 0;
    for count in 1..=SPECS.len() {
        let needed = memory(&SPECS[..count]);
        assert!(needed > before, "{count}");
        before = needed;
    }
}

#[test]
fn a_webp_has_at_most_the_pixels_that_webp_can_have() {
    let black = photo::Picture::Packed(photo::Pixels::black(Size { width: 17_000, height: 2 }, 1));
    let wide = photo::encode::jpeg(&black, 0.9, None).unwrap();
    let photo = inspected(&wide);
    let plan = |sizing| {
        photo.plan(&[spec(sizing, Encoding::WebP)], Resampling::Best, u64::MAX).map(|_| ())
    };
    assert!(matches!(plan(Sizing::Scale(1.0)), Err(PhotoError::UnsupportedFormat(_))));
    assert_eq!(plan(Sizing::Fit(square(16_383))), Ok(()));
}

#[test]
fn a_raised_flag_stops_the_encoder_of_a_webp() {
    let size = Size { width: 1000, height: 1000 };
    let black = photo::Picture::Packed(photo::Pixels::black(size, 3));
    let cancel = CancelFlag::default();
    assert!(photo::encode::webp(&black, 0.8, None, &cancel).is_ok());
    cancel.raise();
    let stopped = photo::encode::webp(&black, 0.8, None, &cancel);
    assert_eq!(stopped, Err(PhotoError::Cancelled));
}
