//! Prints what the EXIF of photos says, a line of JSON for each photo:
//!
//! ```sh
//! cargo run --release --package photo --example facts -- photo.jpg another.png
//! ```
//!
//! No file is too damaged: what cannot be read of it is left out. `make exif-check` compares these lines with
//! what exiftool reads.

#![allow(clippy::disallowed_methods, reason = "the library is pure, not its examples")]

use std::error::Error;
use std::fs;
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;

use photo::CancelFlag;
use photo::metadata::exif::{self, Camera, Exposure, Facts, Location, LocationPolicy};
use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let photos: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if photos.is_empty() {
        return Err("usage: facts PHOTO...".into());
    }
    let mut output = BufWriter::new(stdout().lock());
    for path in photos {
        let file = path.to_string_lossy();
        let line = match fs::read(&path) {
            Ok(photo) => {
                let facts = exif::read(&photo, LocationPolicy::Exact, &CancelFlag::default());
                json!({ "file": file, "facts": attributes(&facts) })
            }
            Err(error) => json!({ "file": file, "error": error.to_string() }),
        };
        writeln!(output, "{line}")?;
    }
    Ok(output.flush()?)
}

fn attributes(facts: &Facts) -> Value {
    let taken_at = facts.taken_at.as_ref();
    let offset_source = taken_at.and_then(|taken| taken.offset_source());
    known([
        ("takenAt", taken_at.map(|taken| taken.iso8601()).into()),
        ("takenAtOffsetSource", offset_source.map(|source| source.as_str()).into()),
        ("timelineAt", taken_at.map(|taken| taken.timeline()).into()),
        ("location", facts.location.as_ref().map(location).into()),
        ("camera", camera(&facts.camera)),
        ("exposure", exposure(&facts.exposure)),
        ("orientation", facts.orientation.into()),
        ("exif", known(facts.tags.iter().map(|(name, text)| (name.as_str(), json!(text))))),
    ])
}

fn location(location: &Location) -> Value {
    known([
        ("latitude", location.latitude.into()),
        ("longitude", location.longitude.into()),
        ("altitude", location.altitude.into()),
    ])
}

fn camera(camera: &Camera) -> Value {
    known([
        ("make", json!(camera.make)),
        ("model", json!(camera.model)),
        ("lens", json!(camera.lens)),
        ("software", json!(camera.software)),
    ])
}

fn exposure(exposure: &Exposure) -> Value {
    let time = exposure.time.as_ref();
    known([
        ("time", json!(time.map(|time| &time.fraction))),
        ("seconds", time.map(|time| time.seconds).into()),
        ("fNumber", exposure.f_number.into()),
        ("iso", exposure.iso.into()),
        ("focalLength", exposure.focal_length.into()),
        ("focalLength35", exposure.focal_length_35mm.into()),
        ("flash", exposure.flash.into()),
    ])
}

/// What is not null or empty.
fn known<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let is_known = |value: &Value| !value.is_null() && value.as_object() != Some(&Map::new());
    entries
        .into_iter()
        .filter(|(_, value)| is_known(value))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
