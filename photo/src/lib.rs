//! From the bytes of a photo to a thumbnail and to the facts of its metadata: when, where and with what
//! it was taken.
//!
//! The crate is pure: bytes in, bytes or a [`PhotoError`] out. It reads no file, no clock and no
//! environment, starts no thread, and holds no state. What may come from anybody is expected to be made
//! to hurt: whatever a file declares, it is read in time and memory that are linear in its bytes and its
//! pixels, a decoder's panic is a failure of that photo, and work that nobody waits for any more can be
//! [cancelled](CancelFlag).
//!
//! A photo takes three steps. [`inspect`] reads its facts and its header, and decodes nothing;
//! [`Inspected::plan`] tells how a thumbnail would be made and how much memory that takes;
//! [`Plan::render`] makes it.
//!
//! ```
//! use photo::{CancelFlag, LocationPolicy, Resampling, Spec};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/photos/jpeg-orientation-6.jpg");
//! # let bytes = std::fs::read(path)?;
//! let cancel = CancelFlag::default();
//! let photo = photo::inspect(&bytes, 500_000_000, LocationPolicy::Exact, &cancel);
//! if let Some(taken_at) = &photo.facts.taken_at {
//!     println!("taken at {}", taken_at.iso8601());
//! }
//!
//! // A quarter of each side at JPEG quality 90, in no more than 256 MB beside the photo itself.
//! let spec = Spec { scale: 0.25, quality: 0.9, resampling: Resampling::Best };
//! let plan = photo.plan(spec, 256 << 20)?;
//! assert!(plan.memory <= 256 << 20);
//! let thumbnail = plan.render(&cancel)?;
//! assert_eq!(&thumbnail.jpeg[..3], b"\xFF\xD8\xFF");
//! // Upright, whichever way the camera was held.
//! assert_eq!(thumbnail.size, photo.size().unwrap().scaled(0.25));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | room | what is in it |
//! |---|---|
//! | `container` | what files are made of: segments, chunks, boxes, blocks |
//! | [`metadata`] | EXIF and colour profiles |
//! | `decode` | a photo's header, and its way to pixels: JPEG, TIFF, and what the image crate decodes |
//! | [`pixels`] | pictures in memory: samples, shrinking, turning, inks |
//! | [`encode`](mod@encode) | from a picture to a JPEG |
//! | `inspect`, `plan`, `render` | the three steps |

mod cancel;
mod container;
mod decode;
pub mod encode;
mod error;
mod format;
mod inspect;
pub mod metadata;
pub mod pixels;
mod plan;
mod render;
#[cfg(test)]
mod sample;
mod size;

pub use cancel::CancelFlag;
pub use error::PhotoError;
pub use format::{Claim, Format};
pub use inspect::{Inspected, inspect};
pub use metadata::exif::{Facts, LocationPolicy};
pub use pixels::{Orientation, Picture, Pixels};
pub use plan::{DctScale, Plan, Resampling, Spec};
pub use render::Thumbnail;
pub use size::Size;
