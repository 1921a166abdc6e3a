//! Prints the facts in the metadata of photos, a line of JSON for each photo:
//!
//! ```sh
//! cargo run --release --package photo-thumbnail --all-features --example facts -- photo.jpg another.png
//! ```
//!
//! Facts that cannot be read are left out, however damaged the file is. `make exif-check` compares these lines
//! with exiftool's.

#![allow(clippy::disallowed_methods, reason = "the library is pure, not its examples")]

use std::error::Error;
use std::fs;
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;

use photo::CancelFlag;
use photo::metadata::{self, Facts, LocationPolicy};
use serde_json::{Value, json};

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
                let facts = metadata::read(&photo, LocationPolicy::Exact, &CancelFlag::default());
                json!({ "file": file, "facts": named(&facts) })
            }
            Err(error) => json!({ "file": file, "error": error.to_string() }),
        };
        writeln!(output, "{line}")?;
    }
    Ok(output.flush()?)
}

/// The facts under the names that they have in items.
fn named(facts: &Facts) -> Value {
    let taken = facts.taken_at.as_ref();
    known(json!({
        "takenAt": taken.map(|taken| taken.iso8601()),
        "taken": {
            "source": taken.map(|taken| taken.source()),
            "offsetSource": taken.map(|taken| taken.offset_source()),
        },
        "timelineAt": taken.map(|taken| taken.timeline()),
        "location": facts.location,
        "camera": facts.camera,
        "exposure": facts.exposure,
        "orientation": facts.orientation,
        "exif": facts.tags,
    }))
}

/// A value without its parts that are null or empty.
fn known(value: Value) -> Value {
    let Value::Object(entries) = value else { return value };
    let known = entries.into_iter().map(|(name, value)| (name, known(value)));
    let is_known = |value: &Value| !value.is_null() && *value != json!({});
    known.filter(|(_, value)| is_known(value)).collect()
}
