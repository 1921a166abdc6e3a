#![doc = include_str!("../README.md")]
//!
//! # What happens to a photo?
//!
//! It takes three steps:
//!
//! 1. [`inspect()`] reads the metadata and the header. It never fails: [`Inspected::facts`] is there even if
//!    the photo cannot be decoded.
//! 2. [`Inspected::plan`] says how renditions of your [`Spec`]s can be made, and how much memory that takes.
//! 3. [`Plan::render`] makes the [`Rendition`]s, all of one decoding.
//!
//! # Where is what?
//!
//! | module | content |
//! |---|---|
//! | `inspect`, `plan`, `render` | the three steps |
//! | `container` | the structure of files: segments, chunks, boxes, blocks |
//! | [`metadata`] | facts, from EXIF, XMP, IPTC and texts, and colour profiles |
//! | `decode` | headers and decoding: JPEG, TIFF, HEIC, and the formats that the image crate decodes |
//! | [`pixels`] | pictures in memory: samples, shrinking, turning, inks |
//! | `strip` | copies of an original without its place or its metadata |
//! | [`encode`](mod@encode) | encoding a picture as a JPEG or a WebP |

#![warn(clippy::indexing_slicing, clippy::print_stderr, clippy::print_stdout)]

mod cancel;
mod container;
mod decode;
pub mod encode;
mod error;
mod format;
mod inspect;
pub mod metadata;
#[allow(
    clippy::indexing_slicing,
    reason = "its loops compute their indices from sizes, never from the bytes of a file"
)]
pub mod pixels;
mod plan;
mod render;
#[cfg(test)]
mod sample;
mod size;
mod spec;
mod strip;

pub use cancel::CancelFlag;
pub use error::PhotoError;
pub use format::{Claim, Format, Raw};
pub use inspect::{HeicPolicy, Inspected, Policy, inspect};
pub use metadata::{Facts, LocationPolicy};
pub use pixels::{Orientation, Picture, Pixels};
pub use plan::{DctScale, Plan, Resampling};
pub use render::{Rendered, Rendition};
pub use size::Size;
pub use spec::{Encoding, Sizing, Spec};
pub use strip::{Strip, Stripped};
