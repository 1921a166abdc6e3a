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
    CancelFlag, DctScale, Format, PhotoError, Picture, Pixels, Policy, Resampling, Size, Spec,
    inspect,
};

const SPEC: Spec = Spec::scaled(0.25, 0.9);

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
/// For gray and RGB HEICs, and for the luma of others: each 2x2 pixels become one while tiles are gathered,
/// and these are shrunk with Lanczos3. That leaves soft edges as they are. The sums of four samples are
/// rounded once more, and so is a limited range when it is widened.
const HALVED: Tolerance = Tolerance { mean: 0.5, worst: 2 };
/// For the colours of HEICs. Their chroma becomes 4:2:0, as for JPEGs.
const HEIC: Tolerance = Tolerance { mean: 1.8, worst: 21 };
/// For the luma of HEICs with another matrix than JPEG's: it takes a share of chroma, which has half of its
/// resolution.
const MIXED: Tolerance = Tolerance { mean: 0.65, worst: 4 };
/// The same for YCgCo, whose chroma is all of the difference between luma and green.
const YCGCO: Tolerance = Tolerance { mean: 0.8, worst: 5 };
/// For gray and RGB HEICs of high dynamic range. They are shrunk in 8 bits and mapped to sRGB afterwards, so
/// that a step of a sample becomes several, most in the dark of PQ.
const BRIGHT: Tolerance = Tolerance { mean: 1.1, worst: 8 };
/// The same in 4:2:0: the brightest of red, green and blue decides how luma is mapped, and chroma has half of
/// its resolution.
const BRIGHT_CHROMA: Tolerance = Tolerance { mean: 5.0, worst: 60 };
const BRIGHT_LUMA: Tolerance = Tolerance { mean: 2.5, worst: 36 };
/// For other photos with a printer's colour profile, which can be interpolated in several ways.
const EXACT_INKS: Tolerance = Tolerance { mean: 1.5, worst: 6 };

fn tolerance(name: &str) -> Tolerance {
    match name {
        "tiff-cmyk-profile" => EXACT_INKS,
        "jpeg-cmyk-profile" | "jpeg-ycck-profile" => INKS,
        "webp-lossy" | "webp-lossy-alpha" | "webp-orientation-6" => LOSSY,
        "gif-transparent" => HARD_EDGES,
        _ if name.contains("bilevel") || name.starts_with("tiff-fax-") => HARD_EDGES,
        _ if name.starts_with("tiff-rgb-2-bit") => HARD_EDGES,
        _ if name.starts_with("tiff-jpeg") || name == "tiff-ycbcr" => LOSSY,
        _ if name.starts_with("webp-announces") => LOSSY,
        _ if name.ends_with("-1-bit") || name.contains("-key-") => HARD_EDGES,
        _ if name.starts_with("jpeg-") => JPEG,
        "heic-pq" | "heic-hlg" => BRIGHT_CHROMA,
        _ if name.starts_with("heic-pq-") || name.starts_with("heic-hlg-") => BRIGHT,
        _ if name.starts_with("heic-") && name.contains("-gray") => HALVED,
        "heic-gbr" => HALVED,
        _ if name.starts_with("heic-") => HEIC,
        _ => EXACT,
    }
}

/// The tolerance of luma alone, which has the thumbnail's resolution in every photo.
fn luma_tolerance(name: &str) -> Tolerance {
    let has_another_matrix = ["-709", "-2020", "-colours-of-"];
    match name {
        "heic-pq" | "heic-hlg" => BRIGHT_LUMA,
        "heic-ycgco" => YCGCO,
        "heic-primaries-of-2020" => HALVED,
        _ if tolerance(name).mean != HEIC.mean => tolerance(name),
        _ if has_another_matrix.iter().any(|part| name.contains(part)) => MIXED,
        _ => HALVED,
    }
}

/// Kinds of photo that are refused, each with a word from its message.
const REFUSED: [(&str, &str); 25] = [
    ("tiff-cielab", "CIELab"),
    ("tiff-float-16-bit", "floating-point numbers"),
    ("tiff-float-32-bit", "floating-point numbers"),
    ("tiff-signed", "signed numbers"),
    ("tiff-32-bit", "samples of 32 bits"),
    ("tiff-different-depths", "samples of different depths"),
    ("tiff-gray-4-bit-predictor", "differences of samples of 4 bits"),
    ("tiff-packbits-predictor", "differences of samples in PackBits"),
    ("tiff-other-inks", "inks other than CMYK"),
    ("tiff-ycbcr-subsampled", "YCbCr with fewer samples of colour"),
    ("tiff-zstandard", "Zstandard"),
    ("tiff-lzma", "LZMA"),
    ("tiff-jpeg-2000", "JPEG 2000"),
    ("heic-overlay", "iovl"),
    ("heic-mini", "mini"),
    ("heic-small-alpha", "another size"),
    ("heic-irot-clap", "crop"),
    ("heic-turned-tiles", "turned"),
    ("heic-av01", "coding"),
    ("heic-avc1", "coding"),
    ("heic-predicted", "P and B slices"),
    ("heic-sequence-av01", "coding"),
    ("heic-sequence-in-fragments", "table"),
    ("heic-sequence-aslant", "turned"),
    ("heic-sequence-of-sound", "no track of pictures"),
];

/// The beginnings of files that are recognised and not decoded, by the name of their format.
fn recognised() -> Vec<(&'static str, Vec<u8>)> {
    let of_sensor = |make: &str| {
        let make = [make.as_bytes(), b"\0\0\0\0"].concat();
        let behind = 10 + 2 * 12 + 4u32;
        let sensor = b"\x06\x01\x03\0\x01\0\0\0\x23\x80\0\0"; // a colour filter array
        let maker = [b"\x0F\x01\x02\0", &(make.len() as u32).to_le_bytes()[..]].concat();
        let place = behind.to_le_bytes();
        [b"II*\0\x08\0\0\0\x02\0", &sensor[..], &maker, &place, &[0; 4], &make].concat()
    };
    let makers = [
        ("ARW", "SONY"),
        ("DCR", "KODAK"),
        ("ERF", "SEIKO EPSON CORP."),
        ("MEF", "Mamiya-OP Co.,Ltd."),
        ("MOS", "Leaf"),
        ("NEF", "NIKON CORPORATION"),
        ("PEF", "PENTAX"),
        ("SRW", "SAMSUNG"),
        ("3FR", "Hasselblad"),
        ("RAW", "Somebody"),
    ];
    let signatures: [(&str, &[u8]); 14] = [
        ("AVIF", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"),
        ("HEIF", b"\0\0\0\x18ftypavci\0\0\0\0mif1avci"),
        ("JPEG XL", b"\xFF\x0A\0\0"),
        ("JPEG 2000", b"\0\0\0\x0CjP  \r\n\x87\n"),
        ("CR2", b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0\0\0"),
        ("CR3", b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom"),
        ("CRW", b"II\x1A\0\0\0HEAPCCDR"),
        ("DNG", b"II*\0\x08\0\0\0\x01\0\x12\xC6\x01\0\x04\0\0\0\x01\x04\0\0\0\0\0\0"),
        ("IIQ", b"II*\0\x10\0\0\0IIIITwaR"),
        ("MRW", b"\0MRM\0\0\0\0"),
        ("ORF", b"IIRO\x08\0\0\0"),
        ("RAF", b"FUJIFILMCCD-RAW 0201"),
        ("RW2", b"IIU\0\x18\0\0\0"),
        ("X3F", b"FOVb\0\0\x02\0"),
    ];
    let makers = makers.into_iter().map(|(name, make)| (name, of_sensor(make)));
    makers.chain(signatures.map(|(name, bytes)| (name, bytes.to_vec()))).collect()
}

fn documentation() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats.md");
    fs::read_to_string(path).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_documentation_names_every_format_that_is_recognised_and_not_decoded() {
    let documentation = documentation();
    let (_, table) = documentation.split_once("| format | stored | |---|---| |").unwrap();
    let (table, _) = table.split_once(" A TIFF is a raw file").unwrap();
    let rows = table.split("| |").filter_map(|row| row.split('|').next());
    let documented: BTreeSet<&str> = rows.flat_map(|row| row.trim().split(", ")).collect();
    let recognised = recognised();
    let names: BTreeSet<&str> = recognised.iter().map(|(name, _)| *name).collect();
    assert_eq!(documented, names);
    for (name, file) in recognised {
        let inspected =
            inspect(&file, Policy { max_pixels: 1, ..Policy::default() }, &CancelFlag::default());
        assert_eq!(inspected.format.map(Format::name), Some(name));
        let refusal = inspected.header().unwrap_err();
        assert_eq!(refusal.name(), "UnsupportedFormat", "{name}: {refusal}");
        assert!(refusal.to_string().contains(name), "{name}: {refusal}");
    }
}

#[test]
fn unsupported_kinds_are_refused_with_a_reason() {
    let documentation = documentation();
    for (name, reason) in REFUSED {
        let path = photos().into_iter().find(|path| path.file_stem().unwrap() == name).unwrap();
        let refusal = shown(&path, 4).unwrap_err();
        assert_eq!(refusal.name(), "UnsupportedFormat", "{name}");
        assert!(refusal.to_string().contains(reason), "{name}: {refusal}");
        assert!(documentation.contains(reason), "docs/formats.md does not say that of {name}");
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
                let expected = expected(&name);
                let lumas = (luma(&shown), luma(&expected));
                let colours = (tolerance(&name), difference(&shown, &expected, &name));
                let luma = (luma_tolerance(&name), difference(&lumas.0, &lumas.1, &name));
                for (what, (allowed, (mean, worst))) in [("channels", colours), ("luma", luma)] {
                    if mean > allowed.mean || worst > allowed.worst {
                        wrong.push(format!("{name}: {what}: mean {mean:.2}, worst {worst}"));
                    }
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
        let inspected = inspect(&photo, Policy::default(), &CancelFlag::default());
        let profile = inspected.header().unwrap().icc_profile.clone();
        profile.map(|profile| (profile, photo))
    };
    let (display_p3, photo) = profile("jpeg-display-p3.jpg").unwrap();
    assert!(photo.windows(display_p3.len()).any(|window| window == display_p3));
    for name in [
        "png-display-p3.png",
        "webp-display-p3.webp",
        "tiff-display-p3.tif",
        "heic-display-p3.heic",
    ] {
        assert_eq!(profile(name).unwrap().0, display_p3, "{name}");
    }
    let (gray, photo) = profile("jpeg-gray-profile.jpg").unwrap();
    assert!(photo.windows(gray.len()).any(|window| window == gray));
    assert_eq!(profile("heic-gray-profile.heic").unwrap().0, gray);
    for name in ["jpeg-cmyk-profile.jpg", "jpeg-ycck-profile.jpg", "tiff-cmyk-profile.tif"] {
        assert!(profile(name).is_none(), "{name}");
    }
}

#[test]
fn a_heic_whose_nclx_says_wide_colours_has_a_profile_that_says_so() {
    let profile = |name: &str| {
        let photo = fs::read(folder("photos").join(name)).unwrap();
        let inspected = inspect(&photo, Policy::default(), &CancelFlag::default());
        inspected.header().unwrap().icc_profile.clone()
    };
    // The chromaticities of red in XYZ of D50 (ICC.1:2022 annex E): SMPTE EG 432-1 and BT.2020.
    for (name, red) in [
        ("heic-primaries-of-p3.heic", [0.515, 0.241, -0.001]),
        ("heic-primaries-of-2020.heic", [0.673, 0.279, -0.002]),
    ] {
        let profile = profile(name).unwrap();
        let found = primary(&profile, b"rXYZ");
        let near = found.iter().zip(red).all(|(found, red)| (found - red).abs() < 0.002);
        assert!(near && profile.get(16..20) == Some(b"RGB "), "{name}: {found:?}");
        // It does not tell when the thumbnail was made, so that the same photo has the same thumbnail.
        assert_eq!(profile.get(24..36), Some(&[0; 12][..]), "{name}");
    }
    // These have none: gray has no primaries, and HDR becomes sRGB.
    for name in ["heic-gray-primaries-of-p3.heic", "heic-pq.heic", "heic-hlg-p3-gbr.heic"] {
        assert_eq!(profile(name), None, "{name}");
    }
}

/// A primary of a colour profile, in its tag of type XYZ.
fn primary(profile: &[u8], tag: &[u8; 4]) -> [f64; 3] {
    let number = |at: usize| i32::from_be_bytes(*profile[at..].first_chunk().unwrap());
    let entries = 132..132 + 12 * number(128) as usize;
    let entry = entries.step_by(12).find(|at| profile[*at..].starts_with(tag)).unwrap();
    let place = number(entry + 4) as usize + 8;
    [0, 4, 8].map(|offset| f64::from(number(place + offset)) / 65_536.0)
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
    let inspected = inspect(&photo, Policy::default(), &cancel);
    let mut plan = inspected.plan(&[SPEC], Resampling::Best, u64::MAX)?;
    plan.dct_scale = DctScale::of_eighths(eighths);
    Ok(match plan.pictures(&cancel)?.remove(0) {
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

/// The luma of a picture (JFIF 1.02 page 3), in all its channels.
fn luma(picture: &RgbImage) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue] = picture.get_pixel(x, y).0.map(f64::from);
        image::Rgb([(0.299 * red + 0.587 * green + 0.114 * blue).round() as u8; 3])
    })
}
