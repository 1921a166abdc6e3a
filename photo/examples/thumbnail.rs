//! Makes a thumbnail of a photo, a quarter of each side:
//!
//! ```sh
//! cargo run --release --package photo-thumbnail --example thumbnail -- photo.jpg thumbnail.jpg
//! ```

#![allow(clippy::disallowed_methods, reason = "the library is pure, not its examples")]

use std::error::Error;
use std::fs;

use photo::{CancelFlag, Policy, Resampling, Spec};

/// A photo that needs more memory is refused; the error says how much it needs.
const MAX_MEMORY: u64 = 256 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    let [photo, thumbnail] = paths.as_slice() else {
        return Err("usage: thumbnail PHOTO THUMBNAIL".into());
    };
    let bytes = fs::read(photo)?;

    // Another thread could set this flag to end the work early.
    let cancel = CancelFlag::default();
    let inspected = photo::inspect(&bytes, Policy::default(), &cancel);
    let plan = inspected.plan(&[Spec::scaled(0.25, 0.9)], Resampling::Best, MAX_MEMORY)?;
    println!("rendering takes {:.1} MB of memory besides the file", plan.memory as f64 / 1e6);

    for made in plan.render(&cancel)?.renditions {
        println!("{}x{} pixels, {} bytes", made.size.width, made.size.height, made.file.len());
        fs::write(thumbnail, made.file)?;
    }
    Ok(())
}
