//! How many blocks image data is deflated in (RFC 1951 section 3.2.3), which decoders do not ask.

use zlib_rs::{Inflate, InflateFlush, Status};

use crate::{CancelFlag, PhotoError};

/// Blocks of a picture, each of which may cost its decoder a microsecond for its tables, however little is
/// in it. Encoders put some 16,000 symbols in one, and so need as many for 8 GB.
const MAX_BLOCKS: u64 = 500_000;
/// The shortest block with tables of its own has some 10 bytes, so that in these there are not too many.
const FEW_BYTES: u64 = 8 << 20;
const LEAST_BYTES_OF_A_BLOCK: u64 = 10;

/// Refuses image data of more blocks than any photo has. Each stream is in parts.
///
/// # Errors
/// [`PhotoError::Corrupt`], [`PhotoError::Cancelled`].
pub fn refuse_many_blocks<'a, Parts>(
    compressed: u64,
    streams: impl Iterator<Item = Parts>,
    cancel: &CancelFlag,
) -> Result<(), PhotoError>
where
    Parts: Iterator<Item = &'a [u8]>,
{
    if compressed <= FEW_BYTES {
        return Ok(());
    }
    let mut blocks = 0;
    for parts in streams {
        let mut stream = Stream::new();
        for part in parts {
            blocks += stream.blocks(part, MAX_BLOCKS - blocks, cancel)?;
            if blocks >= MAX_BLOCKS {
                let what = "its image data is in more parts than any photo's";
                return Err(PhotoError::Corrupt(what.into()));
            }
        }
    }
    Ok(())
}

/// A stream whose pixels are thrown away.
struct Stream {
    /// None once it has ended.
    inflate: Option<Inflate>,
    pixels: Vec<u8>,
}

impl Stream {
    fn new() -> Stream {
        Stream { inflate: Some(Inflate::new(true, 15)), pixels: vec![0; 64 << 10] }
    }

    /// The blocks of a part, or a few more, as far as they are not too many.
    fn blocks(&mut self, part: &[u8], most: u64, cancel: &CancelFlag) -> Result<u64, PhotoError> {
        let mut rest = part;
        let mut blocks = 0;
        while let (Some(inflate), true) = (&mut self.inflate, blocks < most) {
            cancel.check()?;
            let before = (inflate.total_in(), inflate.total_out());
            // It returns at the end of each block.
            let status = inflate.decompress(rest, &mut self.pixels, InflateFlush::Block);
            let read = inflate.total_in() - before.0;
            rest = &rest[read as usize..];
            match status {
                Ok(Status::StreamEnd) => self.inflate = None,
                Ok(_) if (inflate.total_in(), inflate.total_out()) == before => break,
                Ok(_) => blocks += 1,
                // A decoder that goes on may find blocks in all of it.
                Err(_) => return Ok(blocks + rest.len() as u64 / LEAST_BYTES_OF_A_BLOCK),
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

    /// A stream of this many blocks of a byte each.
    fn stream(blocks: usize) -> Vec<u8> {
        let mut stream = vec![0x78, 0x9C];
        (1..blocks).for_each(|_| stream.extend([0, 1, 0, 0xFE, 0xFF, 7])); // stored
        stream.extend([1, 1, 0, 0xFE, 0xFF, 7]);
        stream.extend([0; 4]); // a checksum that nobody looks at
        stream
    }

    fn count(parts: &[&[u8]]) -> u64 {
        let (mut stream, cancel) = (Stream::new(), CancelFlag::default());
        parts.iter().map(|part| stream.blocks(part, MAX_BLOCKS, &cancel).unwrap()).sum()
    }

    #[test]
    fn each_block_counts_however_the_stream_is_cut() {
        let stream = stream(1000);
        assert!((999..=1002).contains(&count(&[&stream])), "{}", count(&[&stream]));
        let parts: Vec<&[u8]> = stream.chunks(600).collect();
        assert!((999..=1030).contains(&count(&parts)), "{}", count(&parts));
    }

    #[test]
    fn what_an_encoder_writes_is_few_blocks() {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        let noise = (0u32..3_000_000).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8);
        encoder.write_all(&noise.collect::<Vec<u8>>()).unwrap();
        assert!((1..2000).contains(&count(&[&encoder.finish().unwrap()])));
    }

    #[test]
    fn more_blocks_than_a_photo_has_are_refused_in_large_files_alone() {
        let refuse = |stream: &[u8], compressed| {
            let streams = [stream].into_iter().map(std::iter::once);
            refuse_many_blocks(compressed, streams, &CancelFlag::default())
        };
        let many = stream(MAX_BLOCKS as usize + 10);
        assert!(matches!(refuse(&many, FEW_BYTES + 1), Err(PhotoError::Corrupt(_))));
        assert_eq!(refuse(&many, FEW_BYTES), Ok(()));
        assert_eq!(refuse(&stream(MAX_BLOCKS as usize - 10), FEW_BYTES + 1), Ok(()));
        let unknown = [b"\x78\x9C\x07", &vec![0; 6 << 20][..]].concat();
        assert!(refuse(&unknown, FEW_BYTES + 1).is_err(), "which cannot be followed");
    }
}
