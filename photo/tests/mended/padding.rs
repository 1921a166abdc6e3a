//! What a decoder pads a picture with is never seen.

use photo::{CancelFlag, DctScale, Picture, Policy, Resampling, inspect};
use turbojpeg::{Image, PixelFormat, Subsamp};

use super::SPEC;

const COLOUR: [u8; 3] = [200, 170, 150];

/// A photo of one colour whose last MCUs hold another one beyond its sides.
fn padded(width: usize, height: usize, subsamp: Subsamp, padding: [u8; 3]) -> Vec<u8> {
    let (across, down) = subsamp.size();
    let [coded_width, coded_height] =
        [width.next_multiple_of(8 * across), height.next_multiple_of(8 * down)];
    let inside = |at: usize| at % coded_width < width && at / coded_width < height;
    let pixels: Vec<u8> = (0..coded_width * coded_height)
        .flat_map(|at| if inside(at) { COLOUR } else { padding })
        .collect();
    let image = Image {
        pixels: pixels.as_slice(),
        width: coded_width,
        pitch: 3 * coded_width,
        height: coded_height,
        format: PixelFormat::RGB,
    };
    let mut jpeg = turbojpeg::compress(image, 100, subsamp).unwrap().to_vec();
    let frame = jpeg.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0, height as u8, 0, width as u8]);
    jpeg
}

/// The thumbnail's planes.
fn planes(jpeg: &[u8], eighths: u8) -> Vec<photo::Pixels> {
    let cancel = CancelFlag::default();
    let photo = inspect(jpeg, Policy::default(), &cancel);
    let mut plan = photo.plan(&[SPEC], Resampling::Best, u64::MAX).unwrap();
    plan.dct_scale = DctScale::of_eighths(eighths);
    match plan.pictures(&cancel).unwrap().remove(0) {
        Picture::Packed(pixels) => vec![pixels],
        Picture::Planar(planes) => planes.into(),
    }
}

/// Most levels by which a sample differs from its plane's first one, which is far from the padding.
fn worst(planes: &[photo::Pixels]) -> u8 {
    let differences = planes.iter().flat_map(|plane| {
        let first = &plane.data[..plane.channels];
        plane.data.chunks(plane.channels).flat_map(move |sample| {
            sample.iter().zip(first).map(|(one, other)| one.abs_diff(*other))
        })
    });
    differences.max().unwrap()
}

#[test]
fn padding_is_never_seen_at_any_remainder_and_sampling() {
    let mut seen = Vec::new();
    for subsamp in [
        Subsamp::None,
        Subsamp::Sub2x1,
        Subsamp::Sub2x2,
        Subsamp::Sub1x2,
        Subsamp::Sub4x1,
        Subsamp::Sub1x4,
    ] {
        for remainder in 0..32 {
            for (width, height) in [(64 + remainder, 64), (64, 64 + remainder)] {
                for (padding, eighths) in
                    [([0; 3], 4), ([255, 0, 255], 4), ([0; 3], 2), ([0; 3], 8), ([0; 3], 3)]
                {
                    let jpeg = padded(width, height, subsamp, padding);
                    let worst = worst(&planes(&jpeg, eighths));
                    if worst > MOST {
                        seen.push(format!(
                            "{worst}: {subsamp:?} {width}x{height} {padding:?} at {eighths}/8"
                        ));
                    }
                }
            }
        }
    }
    assert!(seen.is_empty(), "{}:\n{}", seen.len(), seen.join("\n"));
}

/// Cutting a block's frequencies at the edge between picture and padding makes waves on both sides of it.
const MOST: u8 = 24;
