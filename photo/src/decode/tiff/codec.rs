//! The compressions of strips and tiles (TIFF 6.0 pages 30, 42, 49 and 57; TIFF Technical Note 2 for JPEG).

use std::io::{self, BufRead, Cursor, Read};

use flate2::bufread::ZlibDecoder;
use weezl::BitOrder;
use weezl::decode::Configuration;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::fax::{Coding, Fax};
use super::stored::{Stored, number, tag, unsupported};
use crate::container::tiff::Directory;
use crate::decode::jpeg::resynchronised;
use crate::{CancelFlag, PhotoError};

/// Bytes of LZW data that are decoded between two checks of the flag.
const LZW_STRIDE: usize = 64 << 10;

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Fax(Coding),
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
}

impl Compression {
    pub fn read(directory: Directory<'_>) -> Result<Compression, PhotoError> {
        let code = number(directory, tag::COMPRESSION, 1)?;
        let name = match code {
            1 => return Ok(Compression::None),
            2 => return Ok(Compression::Fax(Coding::Huffman)),
            3 => {
                let options = number(directory, tag::T4_OPTIONS, 0)?;
                return Ok(Compression::Fax(Coding::Group3 {
                    is_two_dimensional: options & 1 == 1,
                }));
            }
            4 => return Ok(Compression::Fax(Coding::Group4)),
            5 => return Ok(Compression::Lzw),
            7 => return Ok(Compression::Jpeg),
            // Adobe's code, and the older one.
            8 | 32946 => return Ok(Compression::Deflate),
            32773 => return Ok(Compression::PackBits),
            6 => "JPEG of the old style",
            9 | 10 | 34661 => "JBIG",
            32771 => "fax of rows of whole words",
            32766 => "NeXT coding",
            32809 => "ThunderScan coding",
            33003..=33005 | 34712 => "JPEG 2000",
            34676 | 34677 => "LogLuv",
            34887 => "LERC",
            34892 => "lossy JPEG of raw samples",
            34925 => "LZMA",
            34926 | 50000 => "Zstandard",
            34927 | 50001 => "WebP",
            50002 | 52546 => "JPEG XL",
            _ => return Err(unsupported(&format!("compression {code}"))),
        };
        Err(unsupported(name))
    }

    pub fn is_fax(self) -> bool {
        matches!(self, Compression::Fax(_))
    }
}

/// The bytes of a strip or tile as they were before compression, of at least `rows` rows. `tables` are the
/// JPEG's.
///
/// # Errors
/// [`PhotoError::Corrupt`] if it is a JPEG that is no picture of the strip or tile; others come as errors
/// of reading.
pub(super) fn decoded<'a>(
    chunk: &'a [u8],
    stored: &Stored,
    rows: u64,
    tables: Option<&[u8]>,
    cancel: &CancelFlag,
) -> Result<Box<dyn Read + 'a>, PhotoError> {
    if stored.compression == Compression::Jpeg {
        return Ok(Box::new(Cursor::new(jpeg(chunk, stored, rows, tables, cancel)?)));
    }
    Ok(match stored.compression {
        Compression::None | Compression::Jpeg => Box::new(chunk),
        Compression::Fax(coding) => Box::new(Fax::new(chunk, stored.chunk.width, coding)),
        Compression::Lzw => {
            let bytes = stored.row_bytes().saturating_mul(rows);
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            Box::new(Cursor::new(lzw(chunk, bytes, cancel)?))
        }
        Compression::Deflate => Box::new(ZlibDecoder::new(chunk)),
        Compression::PackBits => Box::new(PackBits { input: chunk, literals: 0, repeats: (0, 0) }),
    })
}

/// A strip or tile in the colour model of its JPEG, which the photometric interpretation names. Its codes are
/// followed first: zune-jpeg fills up what is missing of a picture, and reports nothing.
fn jpeg(
    chunk: &[u8],
    stored: &Stored,
    rows: u64,
    tables: Option<&[u8]>,
    cancel: &CancelFlag,
) -> Result<Vec<u8>, PhotoError> {
    // The tables' end marker and the stream's start marker stand where the two are joined.
    let joined = match (tables, chunk.get(2..)) {
        (Some([tables @ .., _, _]), Some(rest)) => [tables, rest].concat(),
        _ => chunk.to_vec(),
    };
    let corrupt = |error| PhotoError::Corrupt(format!("the JPEG decoder says \"{error:?}\""));
    let whole = resynchronised(&joined, cancel)?;
    drop(joined);
    let mut decoder = JpegDecoder::new(ZCursor::new(whole));
    decoder.decode_headers().map_err(corrupt)?;
    if let (Some(info), Some(colours)) = (decoder.info(), decoder.input_colorspace()) {
        let samples = usize::from(stored.samples_in_a_chunk());
        let is_whole = u64::from(info.width) == stored.chunk.width
            && u64::from(info.height) >= rows
            && usize::from(info.components) == samples
            && colours.num_components() == samples;
        if !is_whole {
            let what =
                "it holds a JPEG that is smaller than its strip or tile, or has other samples";
            return Err(PhotoError::Corrupt(what.into()));
        }
        decoder.set_options(DecoderOptions::default().jpeg_set_out_colorspace(colours));
    }
    decoder.decode().map_err(corrupt)
}

/// Whether LZW is of the style before TIFF 6.0, as libtiff tells it: the lowest bits come first, as in GIF,
/// so that the first code, which clears the table, is stored as 0 and an odd number.
pub(super) fn is_old_lzw(chunk: &[u8]) -> bool {
    matches!(chunk, [0, second, ..] if second & 1 == 1)
}

/// The first bytes of LZW data (TIFF 6.0 section 13), fewer than `bytes` if it ends before. They are decoded
/// at once: weezl 0.1.12 loses bytes of a code that does not fit into a short buffer at the end of the data.
fn lzw(data: &[u8], bytes: usize, cancel: &CancelFlag) -> Result<Vec<u8>, PhotoError> {
    let configuration = match is_old_lzw(data) {
        true => Configuration::new(BitOrder::Lsb, 8),
        false => Configuration::with_tiff_size_switch(BitOrder::Msb, 8),
    };
    let mut decoder = configuration.with_yield_on_full_buffer(true).build();
    let mut decoded = vec![0; bytes];
    let (mut read, mut written) = (0, 0);
    while written < bytes {
        cancel.check()?;
        let rest = data.get(read..).unwrap_or_default();
        let part = rest.get(..LZW_STRIDE).unwrap_or(rest);
        let place = decoded.get_mut(written..).unwrap_or_default();
        let result = decoder.decode_bytes(part, place);
        read += result.consumed_in;
        written += result.consumed_out;
        result
            .status
            .map_err(|error| PhotoError::Corrupt(format!("the LZW decoder says \"{error}\"")))?;
        if result.consumed_in + result.consumed_out == 0 {
            break;
        }
    }
    decoded.truncate(written);
    Ok(decoded)
}

/// Decodes PackBits (TIFF 6.0 section 9).
struct PackBits<R> {
    input: R,
    /// Bytes to copy.
    literals: usize,
    /// How often to repeat which byte.
    repeats: (usize, u8),
}

impl<R: BufRead> PackBits<R> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = 0;
        self.input.read_exact(std::slice::from_mut(&mut byte))?;
        Ok(byte)
    }
}

impl<R: BufRead> Read for PackBits<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.literals == 0 && self.repeats.0 == 0 {
            match self.byte()? {
                count @ ..128 => self.literals = usize::from(count) + 1,
                128 => {} // does nothing
                count => self.repeats = (257 - usize::from(count), self.byte()?),
            }
        }
        if self.literals > 0 {
            let count = self.input.by_ref().take(self.literals as u64).read(buffer)?;
            self.literals -= count;
            return Ok(count);
        }
        let (left, byte) = self.repeats;
        let count = left.min(buffer.len());
        buffer.iter_mut().take(count).for_each(|place| *place = byte);
        self.repeats.0 -= count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn packbits_repeats_copies_and_skips() {
        // The example of TIFF 6.0 page 42, and a byte that does nothing.
        let packed = b"\xFE\xAA\x80\x02\x80\x00\x2A\xFD\xAA\x03\x80\x00\x2A\x22\xF7\xAA";
        let expected = b"\xAA\xAA\xAA\x80\x00\x2A\xAA\xAA\xAA\xAA\x80\x00\x2A\x22\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA";
        for step in 1..=expected.len() {
            let mut reader = PackBits { input: &packed[..], literals: 0, repeats: (0, 0) };
            let mut unpacked = vec![0; expected.len()];
            for part in unpacked.chunks_mut(step) {
                reader.read_exact(part).unwrap();
            }
            assert_eq!(unpacked, expected, "{step} bytes at a time");
            let end = reader.read_exact(&mut [0]).unwrap_err();
            assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn lzw_of_one_colour_is_read_whole() {
        for length in (1..200).chain([1000, 4000, 20_000]) {
            for pixels in [vec![7; length], (0..length).map(|at| (at / 5) as u8).collect()] {
                let mut encoder = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
                let coded = encoder.encode(&pixels).unwrap();
                let cancel = CancelFlag::default();
                let decoded = |bytes| lzw(&coded, bytes, &cancel).unwrap();
                assert!(decoded(length) == pixels, "{length}");
                assert!(decoded(length + 1) == pixels, "there are no more than {length}");
                assert!(decoded(length / 2) == pixels[..length / 2], "half of {length}");
            }
        }
    }
}
