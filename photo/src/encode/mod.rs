//! Encodes a picture as a file.

mod jpeg;

pub use jpeg::jpeg;
