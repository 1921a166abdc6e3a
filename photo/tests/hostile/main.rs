//! Files that are cut, damaged or made to hurt: each ends in a typed failure, soon and in bounded
//! memory, or is shown whole.

#![allow(clippy::disallowed_methods)] // the library is pure, not its tests

mod bombs;
mod cost;
mod costly;
mod crashes;
mod damage;
mod files;
mod floods;
mod memory;

use std::fs;
use std::path::Path;
use std::time::Duration;

use photo::{CancelFlag, LocationPolicy, PhotoError, Resampling, Spec, Thumbnail, inspect};

use cost::cpu_time;

const SPEC: Spec = Spec { scale: 0.25, quality: 0.9, resampling: Resampling::Best };
/// CPU time that a file may take that is no photo. Most take a tenth of it.
const SOON: Duration = Duration::from_secs(2);
/// As by default.
const MAX_PIXELS: u64 = 500_000_000;
/// As a function of 1769 MB would have for a photo.
const MEMORY: u64 = 1600 << 20;

/// All that the function does with a photo's bytes.
fn develop(photo: &[u8]) -> Result<Thumbnail, PhotoError> {
    let cancel = CancelFlag::default();
    let inspected = inspect(photo, MAX_PIXELS, LocationPolicy::Exact, &cancel);
    let plan = inspected.plan(SPEC, MEMORY)?;
    if plan.memory > MEMORY {
        return Err(PhotoError::TooLittleMemory { has_mb: 1769, needs_mb: plan.memory >> 20 });
    }
    plan.render(&cancel)
}

/// Develops a file and sees to it that this neither takes long nor makes a decoder panic.
fn develop_soon(photo: &[u8], what: &str) -> Result<Thumbnail, PhotoError> {
    let started = cpu_time();
    let result = develop(photo);
    let taken = cpu_time() - started;
    assert!(taken < SOON, "{what} took {taken:?} of CPU time");
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
