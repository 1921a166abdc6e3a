//! Limits the number of deflate blocks (RFC 1951 section 3.2.3) in image data, which decoders do not.

use zlib_rs::{Inflate, InflateFlush, Status};

use crate::{CancelFlag, PhotoError};

/// Most blocks of a picture. Building a block's tables may cost the decoder a microsecond, even if the
/// block is empty. Encoders put some 16,000 symbols in a block, so this is enough for 8 GB.
const MAX_BLOCKS: u64 = 500_000;
/// Bytes of the shortest block that has its own tables.
const MIN_BLOCK_BYTES: u64 = 10;
/// Image data up to this size is not checked: it cannot hold many more than [`MAX_BLOCKS`] blocks.
const UNCHECKED_BYTES: u64 = 8 << 20;

/// Refuses image data in more blocks than any photo has.
///
/// `compressed` is the size of all streams in bytes; each stream comes in parts.
///
/// # Errors
/// [`PhotoError::Corrupt`] if there are too many blocks; [`PhotoError::Cancelled`].
pub fn refuse_many_blocks<'a, Parts>(
    compressed: u64,
    streams: impl Iterator<Item = Parts>,
    cancel: &CancelFlag,
) -> Result<(), PhotoError>
where
    Parts: Iterator<Item = &'a [u8]>,
{
    if compressed <= UNCHECKED_BYTES {
        return Ok(());
    }
    let mut blocks = 0;
    for parts in streams {
        let mut stream = Stream::new();
        for part in parts {
            blocks += stream.blocks(part, MAX_BLOCKS - blocks, cancel)?;
            if blocks >= MAX_BLOCKS {
                let what = "its image data is in more deflate blocks than any photo's";
                return Err(PhotoError::Corrupt(what.into()));
            }
        }
    }
    Ok(())
}

/// A zlib stream that is decoded only to count its blocks.
struct Stream {
    /// The decoder; `None` once the stream has ended.
    inflate: Option<Inflate>,
    pixels: Vec<u8>,
}

impl Stream {
    fn new() -> Stream {
        Stream { inflate: Some(Inflate::new(true, 15)), pixels: vec![0; 64 << 10] }
    }

    /// Counts the blocks of a part, up to `most`. The count may be a few too high.
    fn blocks(&mut self, part: &[u8], most: u64, cancel: &CancelFlag) -> Result<u64, PhotoError> {
        let mut rest = part;
        let mut blocks = 0;
        while let (Some(inflate), true) = (&mut self.inflate, blocks < most) {
            cancel.check()?;
            let before = (inflate.total_in(), inflate.total_out());
            // This call returns at the end of each block.
            let status = inflate.decompress(rest, &mut self.pixels, InflateFlush::Block);
            let read = inflate.total_in() - before.0;
            rest = rest.get(read as usize..).unwrap_or_default();
            match status {
                Ok(Status::StreamEnd) => self.inflate = None,
                Ok(_) if (inflate.total_in(), inflate.total_out()) == before => break,
                Ok(_) => blocks += 1,
                // Another decoder may go on after an error, and find blocks in all of the rest.
                Err(_) => return Ok(blocks + rest.len() as u64 / MIN_BLOCK_BYTES),
            }
        }
        Ok(blocks.min(most))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    /// A stream of this many stored blocks of one byte each.
    fn stream(blocks: usize) -> Vec<u8> {
        let mut stream = vec![0x78, 0x9C];
        (1..blocks).for_each(|_| stream.extend([0, 1, 0, 0xFE, 0xFF, 7])); // stored
        stream.extend([1, 1, 0, 0xFE, 0xFF, 7]);
        stream.extend([0; 4]); // a checksum that is never checked
        stream
    }

    fn count(parts: &[&[u8]]) -> u64 {
        let (mut stream, cancel) = (Stream::new(), CancelFlag::default());
        parts.iter().map(|part| stream.blocks(part, MAX_BLOCKS, &cancel).unwrap()).sum()
    }

    #[test]
    fn every_block_is_counted_wherever_the_stream_is_split() {
        let stream = stream(1000);
        assert!((999..=1002).contains(&count(&[&stream])), "{}", count(&[&stream]));
        let parts: Vec<&[u8]> = stream.chunks(600).collect();
        assert!((999..=1030).contains(&count(&parts)), "{}", count(&parts));
    }

    #[test]
    fn an_encoders_output_has_few_blocks() {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        let noise = (0u32..3_000_000).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8);
        encoder.write_all(&noise.collect::<Vec<u8>>()).unwrap();
        assert!((1..2000).contains(&count(&[&encoder.finish().unwrap()])));
    }

    #[test]
    fn too_many_blocks_are_refused_in_large_files_only() {
        let refuse = |stream: &[u8], compressed| {
            let streams = [stream].into_iter().map(std::iter::once);
            refuse_many_blocks(compressed, streams, &CancelFlag::default())
        };
        let many = stream(MAX_BLOCKS as usize + 10);
        assert!(matches!(refuse(&many, UNCHECKED_BYTES + 1), Err(PhotoError::Corrupt(_))));
        assert_eq!(refuse(&many, UNCHECKED_BYTES), Ok(()));
        assert_eq!(refuse(&stream(MAX_BLOCKS as usize - 10), UNCHECKED_BYTES + 1), Ok(()));
        let unknown = [b"\x78\x9C\x07", &vec![0; 6 << 20][..]].concat();
        assert!(refuse(&unknown, UNCHECKED_BYTES + 1).is_err(), "a stream that cannot be followed");
    }
}
