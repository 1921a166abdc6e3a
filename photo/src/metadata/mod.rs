//! What is said of a photo beside its pixels.

pub mod exif;
pub(crate) mod icc;
