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
///
/// It reads the parts of a photo one after another as if they were one file, so that a part can be replaced
/// without copying the others.
#[derive(Debug)]
pub(crate) struct CancellableReader<'a> {
    parts: Vec<&'a [u8]>,
    /// Offset in all parts together.
    position: u64,
    cancel: &'a CancelFlag,
}

impl<'a> CancellableReader<'a> {
    pub fn new(parts: Vec<&'a [u8]>, cancel: &'a CancelFlag) -> CancellableReader<'a> {
        CancellableReader { parts, position: 0, cancel }
    }

    /// The bytes from the position to the end of its part, at most a stride of them.
    fn next(&self) -> io::Result<&'a [u8]> {
        self.cancel.check().map_err(io::Error::other)?;
        let mut before = self.position;
        for part in &self.parts {
            let rest = usize::try_from(before).ok().and_then(|before| part.get(before..));
            if let Some(rest @ [_, ..]) = rest {
                return Ok(rest.get(..STRIDE).unwrap_or(rest));
            }
            before = before.saturating_sub(part.len() as u64);
        }
        Ok(&[])
    }

    fn length(&self) -> u64 {
        self.parts.iter().map(|part| part.len() as u64).sum()
    }
}

impl BufRead for CancellableReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.next()
    }

    fn consume(&mut self, amount: usize) {
        self.position = self.position.saturating_add(amount as u64);
    }
}

impl Read for CancellableReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.next()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl Seek for CancellableReader<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match position {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::End(offset) => (self.length(), offset),
            SeekFrom::Current(offset) => (self.position, offset),
        };
        let before_the_start = || io::Error::from(io::ErrorKind::InvalidInput);
        self.position = base.checked_add_signed(offset).ok_or_else(before_the_start)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_flag_stops_reading_within_a_stride() {
        let photo = [7; 3 * STRIDE];
        let cancel = CancelFlag::default();
        let mut reader = CancellableReader::new(vec![&photo], &cancel);
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
        CancellableReader::new(vec![&photo], &cancel).read_to_end(&mut read).unwrap();
        assert_eq!(read, photo);
    }

    #[test]
    fn parts_are_read_and_searched_like_one_file() {
        let cancel = CancelFlag::default();
        let parts = vec![&b"one"[..], b"", b" and ", b"two"];
        let mut reader = CancellableReader::new(parts, &cancel);
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, "one and two");
        for (position, expected) in [
            (SeekFrom::Start(2), "e and two"),
            (SeekFrom::End(-4), " two"),
            (SeekFrom::Start(3), " and two"),
            (SeekFrom::End(3), ""),
        ] {
            reader.seek(position).unwrap();
            read.clear();
            reader.read_to_string(&mut read).unwrap();
            assert_eq!(read, expected, "{position:?}");
        }
        assert!(reader.seek(SeekFrom::End(-12)).is_err());
        assert_eq!(reader.stream_position().unwrap(), 14);
    }
}
