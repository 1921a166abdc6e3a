//! What a photo's file says of the photo: facts and colour profiles.

pub(crate) mod blocks;
mod clock;
pub(crate) mod exif;
mod facts;
pub(crate) mod icc;
pub(crate) mod iptc;
mod place;
pub(crate) mod png_text;
#[cfg(test)]
pub(crate) mod sample;
mod text;
mod time;
pub(crate) mod xmp;

pub use exif::exposure::{Exposure, ExposureTime};
pub use exif::tags::MAX_TAGS;
pub use facts::{Camera, Facts, read};
pub use place::{Location, LocationPolicy};
pub use time::{OffsetSource, TakenAt, TimeSource};
