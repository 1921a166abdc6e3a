//! Makes thumbnails of photos that strangers uploaded, and reads their EXIF, in bounded time and memory.
//!
//! # When was this photo taken, and how do I make its thumbnail?
//!
//! ```
//! use photo::{CancelFlag, Policy, PhotoError, Rendered, Resampling, Spec, inspect};
//!
//! /// Prints when a photo was taken, and makes its thumbnail: a quarter of each side, JPEG quality 90.
//! fn thumbnail(bytes: &[u8]) -> Result<Rendered, PhotoError> {
//!     const MEMORY: u64 = 256 << 20;
//!     let cancel = CancelFlag::default();
//!
//!     // Reads metadata and header, but decodes nothing.
//!     let photo = inspect(bytes, Policy::default(), &cancel);
//!     if let Some(taken_at) = &photo.facts.taken_at {
//!         println!("taken at {}", taken_at.iso8601());
//!     }
//!
//!     // Says how the thumbnail can be made, and how much memory that takes. Further renditions would be made
//!     // of the same decoded photo.
//!     let plan = photo.plan(&[Spec::scaled(0.25, 0.9)], Resampling::Best, MEMORY)?;
//!     if plan.memory > MEMORY {
//!         let needs_mb = plan.memory.div_ceil(1 << 20);
//!         return Err(PhotoError::TooLittleMemory { has_mb: MEMORY >> 20, needs_mb });
//!     }
//!
//!     // Decodes as much as the thumbnail needs, shrinks, turns upright and encodes.
//!     plan.render(&cancel)
//! }
//!
//! # use photo::{Picture, Pixels, Size, encode};
//! # let black = Picture::Packed(Pixels::black(Size { width: 400, height: 300 }, 3));
//! # let photo = encode::jpeg(&black, 0.9, None)?;
//! # let rendered = thumbnail(&photo)?;
//! # let made = inspect(&rendered.renditions[0].file, Policy::default(), &CancelFlag::default());
//! # assert_eq!(made.size(), Some(Size { width: 100, height: 75 }));
//! # Ok::<(), PhotoError>(())
//! ```
//!
//! These are the three steps of every photo:
//!
//! 1. [`inspect()`] reads the metadata and the header. It never fails: [`Inspected::facts`] is there even if
//!    the photo cannot be decoded.
//! 2. [`Inspected::plan`] says how renditions of your [`Spec`]s can be made, and how much memory that takes.
//! 3. [`Plan::render`] makes the [`Rendition`]s, all of one decoding.
//!
//! # Why can I trust it with files from strangers?
//!
//! Whatever a file declares, it is read in time and memory that are linear in its bytes and pixels. A
//! decoder's panic becomes a [`PhotoError`] of that photo. Raise the [`CancelFlag`] from another thread to
//! stop work that nobody waits for any more.
//!
//! The crate is pure: bytes in, bytes or a [`PhotoError`] out. It reads no file, clock or environment,
//! starts no thread and holds no state.
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

/// The example of README.md, which `cargo test --doc` compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
