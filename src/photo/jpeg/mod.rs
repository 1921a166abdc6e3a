//! JPEG: its header, decoding at a fraction of the size, and encoding.
//!
//! The segments are walked here, before any decoding: what the photo will cost is known from the
//! header, and a file without an end is refused rather than shown half grey. Coding is
//! libjpeg-turbo's, by TurboJPEG's whole-image calls: the mozjpeg crate could decode row by row, but
//! not planes at a fraction of the size, it reports errors by unwinding through C, and planes at half
//! the size take 16 MB of the reference photo. Nor can the two be in one program: both bring a libjpeg.
//! Clause and table numbers are those of ITU-T T.81.

mod decode;
mod encode;
mod header;
mod segments;

pub use decode::decode;
pub use encode::encode;
pub use header::Header;
pub use segments::app1;

#[cfg(test)]
pub(super) mod sample;
