//! From a picture to a file.

mod jpeg;

pub use jpeg::jpeg;
