//! Cancels work on pixels once nobody waits for its result.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::PhotoError;

/// Bytes that a decoder reads between two checks of the flag.
const STRIDE: usize = 64 << 10;

/// A flag that the caller raises to give up, and that the work on a photo checks as it goes.
///
/// Clones share one flag.
///
/// ```
/// use photo::{CancelFlag, PhotoError};
///
/// let cancel = CancelFlag::default();
/// assert_eq!(cancel.check(), Ok(()));
/// cancel.clone().raise();
/// assert_eq!(cancel.check(), Err(PhotoError::Cancelled));
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Asks the work to end.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Checks whether the work should go on.
    ///
    /// # Errors
    /// [`PhotoError::Cancelled`] if it should not.
    pub fn check(&self) -> Result<(), PhotoError> {
        if self.0.load(Ordering::Relaxed) { Err(PhotoError::Cancelled) } else { Ok(()) }
    }
}

/// A reader for decoders that cannot be cancelled: once the flag is raised, every read fails.
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
        Ok(left.get(..STRIDE).unwrap_or(left))
    }

    fn consume(&mut self, amount: usize) {
        self.photo.consume(amount);
    }
}

impl Read for CancellableReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(io::Error::other)?;
        self.photo.by_ref().take(STRIDE as u64).read(buffer)
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
    fn a_raised_flag_stops_reading_within_a_stride() {
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
    fn the_whole_photo_can_be_read() {
        let photo: Vec<u8> = (0..2 * STRIDE + 5).map(|at| at as u8).collect();
        let cancel = CancelFlag::default();
        let mut read = Vec::new();
        CancellableReader::new(&photo, &cancel).read_to_end(&mut read).unwrap();
        assert_eq!(read, photo);
    }
}
