//! Files that are cut, damaged or made to hurt: each ends in a typed failure, soon and in bounded
//! memory, or is shown whole.

mod bombs;
mod cost;
mod crashes;
mod damage;
mod files;
mod floods;
mod memory;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use thumbnailer::exif::{self, LocationPolicy};
use thumbnailer::photo::{CancelFlag, Format, Orientation, PhotoError, inspect};
use thumbnailer::thumbnail::{Options, Resampling, Thumbnail, render};

const OPTIONS: Options = Options { scale: 0.25, quality: 0.9, resampling: Resampling::Best };
/// How long a file may take that is no photo. Unhurried machines take a tenth of it.
const SOON: Duration = Duration::from_secs(2);
/// As by default.
const MAX_PIXELS: u64 = 500_000_000;
/// As a function of 1769 MB would have for a photo.
const MEMORY: u64 = 1600 << 20;

/// All that the function does with a photo's bytes.
fn develop(photo: &[u8]) -> Result<Thumbnail, PhotoError> {
    let cancel = CancelFlag::default();
    let facts = exif::read(photo, LocationPolicy::Exact, &cancel);
    let header = inspect(photo, Format::of(photo), MAX_PIXELS, &cancel)?;
    let plan = OPTIONS.plan(&header, MEMORY);
    if plan.memory > MEMORY {
        return Err(PhotoError::TooLittleMemory { has_mb: 1769, needs_mb: plan.memory >> 20 });
    }
    let orientation = Orientation::from_exif(facts.orientation);
    render(photo, &header, orientation, OPTIONS, plan.eighths, &cancel)
}

/// Develops a file and sees to it that this neither takes long nor makes a decoder panic.
fn develop_soon(photo: &[u8], what: &str) -> Result<Thumbnail, PhotoError> {
    let started = Instant::now();
    let result = develop(photo);
    assert!(started.elapsed() < SOON, "{what} took {:?}", started.elapsed());
    if let Err(PhotoError::DecoderPanic(message)) = &result {
        panic!("{what} made the decoder panic: {message}");
    }
    result
}

/// A photo of the golden ones.
fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photos");
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
