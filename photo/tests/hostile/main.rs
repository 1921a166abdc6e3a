//! Feeds truncated, damaged and hostile files: each ends soon and in bounded memory, either with a typed
//! failure or as a complete thumbnail.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "the library is pure, but its tests read files")]

mod bombs;
mod cost;
mod costly;
mod crashes;
mod damage;
mod files;
mod floods;
mod heic;
mod hevc;
mod memory;
mod strip;

use std::fs;
use std::path::Path;

use photo::{CancelFlag, PhotoError, Policy, Rendition, Resampling, Spec, inspect};

const SPEC: Spec = Spec::scaled(0.25, 0.9);
/// The memory that a function of 1769 MB has for a photo.
const MEMORY: u64 = 1600 << 20;

/// Does everything that the function does with a photo's bytes.
fn render(photo: &[u8]) -> Result<Rendition, PhotoError> {
    render_as(photo, SPEC)
}

fn render_as(photo: &[u8], spec: Spec) -> Result<Rendition, PhotoError> {
    let cancel = CancelFlag::default();
    let inspected = inspect(photo, Policy::default(), &cancel);
    let plan = inspected.plan(&[spec], Resampling::Best, MEMORY)?;
    if plan.memory > MEMORY {
        return Err(PhotoError::TooLittleMemory { has_mb: 1769, needs_mb: plan.memory >> 20 });
    }
    Ok(plan.render(&cancel)?.renditions.remove(0))
}

/// Renders a file, and checks that this takes little time and that no decoder panics.
fn render_soon(photo: &[u8], name: &str) -> Result<Rendition, PhotoError> {
    let (result, taken) = cost::timed(|| render(photo));
    cost::assert_soon(taken, name, || cost::timed(|| render(photo)).1);
    if let Err(PhotoError::DecoderPanic(message)) = &result {
        panic!("{name} made the decoder panic: {message}");
    }
    result
}

/// One of the golden photos.
fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photos");
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
