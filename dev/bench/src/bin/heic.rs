//! The part of `make heic-check` in this crate: `heic PHOTO THUMBNAIL` writes the photo's thumbnail, and prints a line
//! of JSON about it, or about why there is none. The thumbnail has the least loss that a JPEG can have, so that what is
//! left of a difference from libheif's pixels comes from decoding.

use std::error::Error;
use std::fs;

use photo::{CancelFlag, PhotoError, Policy, Resampling, Spec, inspect};
use serde_json::json;

/// A picture with a longer side than this becomes a quarter of it, as by default in the function; a smaller one
/// stays as large as it is, so that enough pixels are compared.
const LARGE: u32 = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [photo, thumbnail] = arguments.as_slice() else {
        return Err("usage: heic PHOTO THUMBNAIL".into());
    };
    let photo = fs::read(photo)?;
    match render(&photo) {
        Ok((scale, memory, made)) => {
            fs::write(thumbnail, made)?;
            println!("{}", json!({ "scale": scale, "memoryMb": memory as f64 / 1e6 }));
        }
        Err(error) => {
            println!("{}", json!({ "refused": error.name(), "message": error.to_string() }));
        }
    }
    Ok(())
}

/// The scale, the memory that rendering takes besides the file, and the thumbnail's file.
fn render(photo: &[u8]) -> Result<(f64, u64, Vec<u8>), PhotoError> {
    let cancel = CancelFlag::default();
    let inspected = inspect(photo, Policy::default(), &cancel);
    let is_large = inspected.size().is_some_and(|size| size.width.max(size.height) > LARGE);
    let scale = if is_large { 0.25 } else { 1.0 };
    let plan = inspected.plan(&[Spec::scaled(scale, 1.0)], Resampling::Best, u64::MAX)?;
    let made = plan.render(&cancel)?.renditions.into_iter().map(|made| made.file);
    Ok((scale, plan.memory, made.collect::<Vec<_>>().concat()))
}
