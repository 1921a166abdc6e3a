//! What the fuzz targets do with their bytes: the same as the function with a photo's.
//!
//! The pure modules are taken by their paths, so that no AWS SDK has to be built for fuzzing.

#[path = "../../src/exif/mod.rs"]
pub mod exif;
#[path = "../../src/photo/mod.rs"]
pub mod photo;
#[path = "../../src/thumbnail.rs"]
pub mod thumbnail;

mod memory;

use exif::LocationPolicy;
use libfuzzer_sys::Corpus;
use photo::{CancelFlag, Format, Orientation, inspect, jpeg};
use thumbnail::{Options, Resampling, render};

const OPTIONS: Options = Options { scale: 0.25, quality: 0.9, resampling: Resampling::Best };
/// Few, as large pictures are slow and find nothing that small ones do not.
const MAX_PIXELS: u64 = 4_000_000;
/// Bytes that a photo may take: less than the largest ones want.
const MEMORY: u64 = 24 << 20;
/// Bytes that metadata may take beside the picture, and what the decoders always take.
const BESIDE: u64 = 24 << 20;

/// All that the function does with a photo's bytes. A panic ends the process even where the function
/// goes on after it.
pub fn develop(photo: &[u8], format: Format) -> Corpus {
    if Format::of(photo) != Some(format) {
        return Corpus::Reject;
    }
    let facts = exif::read(photo, LocationPolicy::Exact, &CancelFlag::default());
    let (inspected, taken) = memory::peak_of(|| inspect(photo, Some(format), MAX_PIXELS, &CancelFlag::default()));
    assert!(taken <= BESIDE, "the header took {taken} bytes");
    let Ok(header) = inspected else { return Corpus::Keep };
    let plan = OPTIONS.plan(&header, MEMORY);
    if plan.memory > MEMORY {
        return Corpus::Keep;
    }
    let orientation = Orientation::from_exif(facts.orientation);
    let (rendered, taken) = memory::peak_of(|| {
        render(photo, &header, orientation, OPTIONS, plan.eighths, &CancelFlag::default())
    });
    assert!(taken <= plan.memory + BESIDE, "{taken} bytes were taken, not {}", plan.memory);
    if let Ok(thumbnail) = rendered {
        assert_eq!(thumbnail.size, orientation.displayed(header.size.scaled(OPTIONS.scale)));
        assert_eq!(jpeg::Header::read(&thumbnail.jpeg, &CancelFlag::default()).unwrap().size, thumbnail.size);
    }
    Corpus::Keep
}

/// All that the function knows of a file but its picture.
pub fn read_exif(file: &[u8]) {
    let facts = exif::read(file, LocationPolicy::Exact, &CancelFlag::default());
    if let Some(place) = facts.location {
        assert!(place.latitude.abs() <= 90.0 && place.longitude.abs() <= 180.0, "{place:?}");
    }
    let bytes: usize = facts.tags.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(facts.tags.len() <= 128 && bytes <= 16 << 10, "{:?}", facts.tags);
    assert!(facts.tags.values().all(|value| value.len() <= 512), "{:?}", facts.tags);
}

/// Makes the checksum of every whole chunk right.
pub fn correct_png_checksums(png: &mut [u8]) {
    let mut rest = png.get_mut(8..).unwrap_or_default();
    while let Some((length, chunk)) = rest.split_first_chunk_mut() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((checked, behind)) = chunk.split_at_mut_checked(length.saturating_add(4)) else {
            return;
        };
        let Some((checksum, next)) = behind.split_first_chunk_mut() else { return };
        *checksum = crc32fast::hash(checked).to_be_bytes();
        rest = next;
    }
}
