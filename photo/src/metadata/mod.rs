//! A photo's metadata: EXIF and colour profiles.

pub mod exif;
pub(crate) mod icc;
