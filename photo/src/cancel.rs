//! Work on pixels that nobody waits for any more ends early.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::PhotoError;

/// Bytes of a photo that a decoder gets before it is looked whether it should go on.
const STRIDE: usize = 64 << 10;

/// Raised by whoever gives up, looked at by whoever works on the pixels.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Asks the work to end.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Looks whether the work should go on.
    ///
    /// # Errors
    /// [`PhotoError::Cancelled`] if it should not.
    pub fn check(&self) -> Result<(), PhotoError> {
        if self.0.load(Ordering::Relaxed) { Err(PhotoError::Cancelled) } else { Ok(()) }
    }
}

/// A photo's bytes for a decoder that knows of no cancelling: it is told that they cannot be read.
#[derive(Debug)]
pub(crate) struct CancellableReader<'a> {
    photo: io::Cursor<&'a [u8]>,
    cancel: &'a CancelFlag,
}

impl<'a> CancellableReader<'a> {
    pub fn new(photo: &'a [u8], cancel: &'a CancelFlag) -> CancellableReader<'a> {
        CancellableReader { photo: io::Cursor::new(photo), cancel }
    }
}

impl BufRead for CancellableReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.cancel.check().map_err(io::Error::other)?;
        let left = self.photo.fill_buf()?;
        Ok(&left[..left.len().min(STRIDE)])
    }

    fn consume(&mut self, amount: usize) {
        self.photo.consume(amount);
    }
}

impl Read for CancellableReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(io::Error::other)?;
        let length = buffer.len().min(STRIDE);
        self.photo.read(&mut buffer[..length])
    }
}

impl Seek for CancellableReader<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.photo.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_flag_ends_the_reading_within_a_stride() {
        let photo = [7; 3 * STRIDE];
        let cancel = CancelFlag::default();
        let mut reader = CancellableReader::new(&photo, &cancel);
        let mut buffer = [0; 2 * STRIDE];
        assert_eq!(reader.read(&mut buffer).unwrap(), STRIDE);
        assert_eq!(reader.fill_buf().unwrap().len(), STRIDE);
        cancel.raise();
        assert!(reader.read(&mut buffer).is_err());
        assert!(reader.fill_buf().is_err());
    }

    #[test]
    fn all_of_the_photo_is_read_in_the_end() {
        let photo: Vec<u8> = (0..2 * STRIDE + 5).map(|at| at as u8).collect();
        let cancel = CancelFlag::default();
        let mut read = Vec::new();
        CancellableReader::new(&photo, &cancel).read_to_end(&mut read).unwrap();
        assert_eq!(read, photo);
    }
}
