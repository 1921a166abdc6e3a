//! Makes share copies of photos, as `DIR/location/PHOTO` and `DIR/all/PHOTO`:
//!
//! ```sh
//! cargo run --release --package photo-thumbnail --all-features --example stripped -- DIR photo.jpg another.png
//! ```
//!
//! Each line of the output is a photo, a tab, and the copy or why there is none. `make strip-check` reads the copies
//! with exiftool.

#![allow(clippy::disallowed_methods, reason = "the library is pure, not its examples")]

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use photo::{CancelFlag, DctScale, Inspected, Policy, Resampling, Spec, Strip, inspect};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [folder, photos @ ..] = arguments.as_slice() else {
        return Err("usage: stripped DIR PHOTO...".into());
    };
    for photo in photos {
        let path = PathBuf::from(photo);
        let bytes = fs::read(&path)?;
        let cancel = CancelFlag::default();
        let original = inspect(&bytes, Policy::default(), &cancel);
        for (strip, name) in [(Strip::Location, "location"), (Strip::All, "all")] {
            // Photos of the same name in different folders have different copies.
            let below: PathBuf = path.components().skip_while(|part| !is_name(part)).collect();
            let copy = Path::new(folder).join(name).join(below);
            let end = match original.stripped(strip, &cancel)? {
                Ok(stripped) => {
                    let made = inspect(&stripped.file, Policy::default(), &cancel);
                    let is_same = decoded(&original) == decoded(&made);
                    fs::create_dir_all(copy.parent().unwrap_or(Path::new(folder)))?;
                    fs::write(&copy, &stripped.file)?;
                    if is_same { copy.display().to_string() } else { "OTHER PIXELS".into() }
                }
                Err(reason) => format!("absent: {reason}"),
            };
            println!("{}\t{end}", path.display());
        }
    }
    Ok(())
}

/// Whether a part of a path is a name, so that it can be repeated below another folder.
fn is_name(part: &std::path::Component) -> bool {
    matches!(part, std::path::Component::Normal(_))
}

/// The pixels at full size, or why there are none.
fn decoded(photo: &Inspected) -> Result<Vec<u8>, String> {
    let plan = photo.plan(&[Spec::scaled(1.0, 0.9)], Resampling::Best, u64::MAX);
    let mut plan = plan.map_err(|error| error.name().to_owned())?;
    plan.dct_scale = DctScale::FULL;
    let decoded = plan.decode(&CancelFlag::default()).map_err(|error| error.name().to_owned())?;
    Ok(decoded.data)
}
