//! The fuzz targets: they do the same with their bytes as the function does with a photo's.

mod memory;
mod work;

use libfuzzer_sys::Corpus;
use photo::metadata::{self, MAX_TAGS};
use photo::{CancelFlag, Format, LocationPolicy, Policy, Resampling, Spec, inspect};

const SPEC: Spec = Spec::scaled(0.25, 0.9);
/// Most pixels. Large pictures are slow, and find nothing that small ones do not.
const MAX_PIXELS: u64 = 4_000_000;
/// The same for a HEIC, which may show a small part of what is decoded.
const MAX_HEIC_PIXELS: u64 = 1 << 18;
/// Bytes of memory for a photo, less than the largest ones need.
const MEMORY: u64 = 24 << 20;
/// Bytes that metadata and the decoders may take in addition to the picture.
const OVERHEAD: u64 = 24 << 20;
/// Work that any file may cost, in the unit of [`work::of`].
const WORK: u64 = 3_000_000;
/// Work that each byte may add.
const WORK_OF_A_BYTE: u64 = 500;
/// Work that each pixel may add.
const WORK_OF_A_PIXEL: u64 = 2000;

/// Does everything that the function does with a photo's bytes. A panic ends the process, although the
/// function would go on.
pub fn render(photo: &[u8], format: Format) -> Corpus {
    if Format::of(photo) != Some(format) {
        return Corpus::Reject;
    }
    let cancel = CancelFlag::default();
    let max_pixels = if format == Format::Heic { MAX_HEIC_PIXELS } else { MAX_PIXELS };
    let policy = Policy { max_pixels, ..Policy::default() };
    let ((inspected, taken), looking) =
        work::of(|| memory::peak_of(|| inspect(photo, policy, &cancel)));
    assert!(taken <= OVERHEAD, "the header took {taken} bytes");
    expect_little_work(looking, photo, 0);
    let Ok(plan) = inspected.plan(&[SPEC], Resampling::Best, MEMORY) else { return Corpus::Keep };
    if plan.memory > MEMORY {
        return Corpus::Keep;
    }
    let ((rendered, taken), rendering) = work::of(|| memory::peak_of(|| plan.render(&cancel)));
    let size = inspected.header().unwrap().size;
    // A HEIC's alpha is a picture of its own.
    let pixels = if format == Format::Heic { 2 * MAX_HEIC_PIXELS } else { size.pixels() };
    expect_little_work(looking + rendering, photo, pixels);
    assert!(taken <= plan.memory + OVERHEAD, "{taken} bytes were taken, not {}", plan.memory);
    for thumbnail in rendered.map(|rendered| rendered.renditions).unwrap_or_default() {
        let displayed = inspected.orientation().displayed(size.scaled(0.25));
        let again = inspect(&thumbnail.file, Policy::default(), &cancel);
        assert_eq!((thumbnail.size, again.size()), (displayed, Some(displayed)));
    }
    Corpus::Keep
}

fn expect_little_work(work: u64, file: &[u8], pixels: u64) {
    let most = WORK + WORK_OF_A_BYTE * file.len() as u64 + WORK_OF_A_PIXEL * pixels;
    assert!(work <= most, "{work} of work for {} bytes and {pixels} pixels", file.len());
}

/// Reads a file's facts, as the function does.
pub fn read_exif(file: &[u8]) {
    let read = || metadata::read(file, LocationPolicy::Exact, &CancelFlag::default());
    let ((facts, taken), work) = work::of(|| memory::peak_of(read));
    assert!(taken <= OVERHEAD, "the facts took {taken} bytes");
    expect_little_work(work, file, 0);
    if let Some(place) = facts.location {
        assert!(place.latitude.abs() <= 90.0 && place.longitude.abs() <= 180.0, "{place:?}");
    }
    let bytes: usize = facts.tags.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(facts.tags.len() <= MAX_TAGS && bytes <= 16 << 10, "{:?}", facts.tags);
    assert!(facts.tags.values().all(|value| value.len() <= 512), "{:?}", facts.tags);
}

/// Reads the facts of a file that has these bytes as its packet of XMP.
pub fn read_xmp(packet: &[u8]) {
    let length = (packet.len() as u32).to_le_bytes();
    read_exif(&[b"RIFF\0\0\0\0WEBPXMP ", &length[..], packet].concat());
}

/// Corrects the checksum of every complete chunk.
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
