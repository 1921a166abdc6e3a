//! Refuses files on which decoding would take unbounded memory or time. Page numbers are those of TIFF 6.0.

use super::codec::is_old_lzw;
use super::stored::unsupported;
use crate::container::jpeg::{huffman_tables, marker};
use crate::container::lzw::Lzw;
use crate::decode::jpeg::ScanCosts;
use crate::pixels::samples::Layout;
use crate::{CancelFlag, PhotoError, Size};

/// Most strips or tiles: more than a picture has rows.
pub const MAX_CHUNKS: usize = 1 << 17;
/// Most bytes of JPEG tables that are read in total, as they are read before each strip or tile. Encoders
/// write 574 bytes, and a picture of 500 megapixels has 120,000 tiles of 64x64.
const MAX_BYTES_OF_TABLES: usize = 128 << 20;
/// Most pixels of all strips or tiles together, for each pixel of the picture. Those at its edges reach
/// beyond it.
const MAX_CHUNK_PIXELS: u64 = 4;
/// Pixels that all strips or tiles together may have in addition, so that a small picture may have a large
/// tile.
const MAX_EDGE_PIXELS: u64 = 4096 * 4096;
/// Most picoseconds for a fax, in which each bit may be a change of colour. An A3 page at 600 dpi takes a
/// tenth of this.
const MAX_FAX_COST: u64 = 2_000_000_000_000;
/// Picoseconds for each pixel and each byte of a fax.
const FAX_COST_OF_A_PIXEL: u64 = 2_500;
const FAX_COST_OF_A_BYTE: u64 = 56_000;
/// Most samples of a pixel that has more than its colours and alpha.
const MAX_SAMPLES: u16 = 64;
/// Most bytes of all samples of such pixels.
const MAX_BYTES_OF_SAMPLES: u64 = 1 << 30;
/// Most scans of one strip or tile: a baseline picture has up to one for each component, a progressive one
/// some ten.
const MAX_SCANS_OF_A_CHUNK: usize = 64;
/// Most Huffman tables of all strips or tiles together; zune-jpeg takes a microsecond for each. This is
/// enough for four in each 64x64 tile of 500 megapixels.
const MAX_TABLES: usize = 500_000;
/// Bytes at the start of a frame header that identify it and give its size.
const FRAME_BYTES: usize = 10;
/// Refuses JPEG streams whose pictures are larger than their strip or tile of `size`, because they would
/// be decoded completely. The tables, if any, are a separate stream that is read before each.
///
/// # Errors
/// [`PhotoError::Corrupt`] if a picture is too large, or the tables are or hold a frame;
/// [`PhotoError::Cancelled`].
pub fn refuse_larger_jpegs(
    chunks: &[&[u8]],
    tables: Option<&[u8]>,
    size: (u64, u64),
    cancel: &CancelFlag,
) -> Result<(), PhotoError> {
    // The decoder joins them without the tables' end marker and the stream's start marker.
    let (tables, skipped) = match tables {
        Some([tables @ .., _, _]) => (tables, 2),
        _ => (&[][..], 0),
    };
    let is_too_much = tables.len().saturating_mul(chunks.len()) > MAX_BYTES_OF_TABLES
        || possible_tables(tables).saturating_mul(chunks.len()) > MAX_TABLES;
    if is_too_much {
        let what = format!("it has {} bytes of JPEG tables for each strip or tile", tables.len());
        return Err(PhotoError::Corrupt(what));
    }
    let end_of_tables =
        tables.last_chunk::<FRAME_BYTES>().map_or(tables, <[u8; FRAME_BYTES]>::as_slice);
    // A frame must be in its strip or tile, where its scans are counted.
    let mut is_in_tables = frame_sizes(tables, tables.len()).next().is_some();
    for chunk in chunks {
        cancel.check()?;
        let jpeg = chunk.get(skipped..).unwrap_or_default();
        let seam = [end_of_tables, jpeg.get(..FRAME_BYTES).unwrap_or(jpeg)].concat();
        is_in_tables |= frame_sizes(&seam, end_of_tables.len()).next().is_some();
        let is_larger = |(w, h): (u16, u16)| u64::from(w) > size.0 || u64::from(h) > size.1;
        if frame_sizes(jpeg, jpeg.len()).any(is_larger) {
            return Err(PhotoError::Corrupt(
                "it holds a JPEG larger than its strip or tile".into(),
            ));
        }
    }
    match is_in_tables {
        true => Err(PhotoError::Corrupt("its JPEG tables hold a frame".into())),
        false => Ok(()),
    }
}

/// Widths and heights in the frame headers that begin in the first `end` bytes.
fn frame_sizes(jpeg: &[u8], end: usize) -> impl Iterator<Item = (u16, u16)> {
    let start = jpeg.get(..end).unwrap_or(jpeg);
    memchr::memchr_iter(0xFF, start).filter_map(|at| frame_size(jpeg.get(at..)?))
}

/// Refuses strips or tiles that together are much larger than the picture, because they are decoded
/// completely.
///
/// # Errors
/// [`PhotoError::Corrupt`] if they are.
pub fn refuse_larger_chunks(
    count: usize,
    size: (u64, u64),
    picture: Size,
) -> Result<(), PhotoError> {
    let pixels = size.0.saturating_mul(size.1).saturating_mul(count as u64);
    if pixels <= picture.pixels().saturating_mul(MAX_CHUNK_PIXELS).saturating_add(MAX_EDGE_PIXELS) {
        return Ok(());
    }
    let (width, height) = size;
    let what = format!(
        "its {count} strips or tiles of {width}x{height} pixels are larger than the picture"
    );
    Err(PhotoError::Corrupt(what))
}

/// Refuses large pictures with many extra samples, because the decoder reads them all. Designers use such
/// channels, besides colours and alpha, for selections in smaller pictures.
///
/// # Errors
/// [`PhotoError::UnsupportedFormat`] if there are too many.
pub fn refuse_many_samples(
    samples: u16,
    bits: u8,
    layout: Layout,
    size: Size,
) -> Result<(), PhotoError> {
    let has_extra = samples > u16::from(layout.colours()) + 1;
    let bytes = size.pixels().saturating_mul(u64::from(samples) * u64::from(bits)) / 8;
    match has_extra && (samples > MAX_SAMPLES || bytes > MAX_BYTES_OF_SAMPLES) {
        true => Err(PhotoError::UnsupportedFormat(format!(
            "a TIFF of {}x{} pixels of {samples} samples",
            size.width, size.height
        ))),
        false => Ok(()),
    }
}

/// Refuses tiles whose sides are not multiples of 16, as page 67 demands: the decoder takes time for each
/// row of a tile, even a very short one.
///
/// # Errors
/// [`PhotoError::UnsupportedFormat`] if they are not.
pub fn refuse_odd_tiles((width, height): (u64, u64)) -> Result<(), PhotoError> {
    match width.is_multiple_of(16) && height.is_multiple_of(16) {
        true => Ok(()),
        false => Err(unsupported(&format!("tiles of {width}x{height} pixels"))),
    }
}

/// Refuses JPEG streams with more scans, or more tables, than those of photos have.
///
/// # Errors
/// [`PhotoError::Corrupt`] if one has; [`PhotoError::Cancelled`].
pub fn refuse_many_scans(chunks: &[&[u8]], cancel: &CancelFlag) -> Result<(), PhotoError> {
    let mut costs = ScanCosts::default();
    let mut tables = 0;
    for chunk in chunks {
        costs.add(chunk, cancel)?;
        if possible_scans(chunk) > MAX_SCANS_OF_A_CHUNK {
            let what = "a strip or tile has more scans than any photo's";
            return Err(PhotoError::Corrupt(what.into()));
        }
        tables += possible_tables(chunk);
        if tables > MAX_TABLES {
            return Err(PhotoError::Corrupt(
                "it has more Huffman tables than any photo has".into(),
            ));
        }
    }
    costs.refuse_too_much()
}

/// Most scans that a decoder may find. zune-jpeg reads a length even after markers that stand alone, and
/// so may find scans that [`ScanCosts`] does not. A scan header's length follows from its number of
/// components (T.81 B.2.3).
fn possible_scans(jpeg: &[u8]) -> usize {
    let is_header = |bytes: &&[u8]| match **bytes {
        [0, length, count @ 1..=4, ..] => length == 6 + 2 * count,
        _ => false,
    };
    after_markers(jpeg, marker::SOS).filter(is_header).count()
}

/// Most Huffman tables that a decoder may find, counted up to one more than [`MAX_TABLES`].
fn possible_tables(jpeg: &[u8]) -> usize {
    let tables = |payload| huffman_tables(payload).flatten();
    after_markers(jpeg, marker::DHT).map(payload).flat_map(tables).take(MAX_TABLES + 1).count()
}

/// The payload of a segment, which begins with its length.
fn payload(segment: &[u8]) -> &[u8] {
    let length = segment.first_chunk().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
    segment.get(2..length.min(segment.len())).unwrap_or_default()
}

/// The bytes after each marker of this code, even if zeros stand between 0xFF and the code.
fn after_markers(jpeg: &[u8], code: u8) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(code, jpeg).filter_map(move |at| {
        let before = jpeg.get(..at)?.iter().rev().find(|byte| **byte != 0);
        jpeg.get(at + 1..).filter(|_| before == Some(&0xFF))
    })
}

/// Refuses LZW streams that cause more work than those of photos.
///
/// # Errors
/// [`PhotoError::Corrupt`] if they do; [`PhotoError::Cancelled`].
pub fn refuse_many_tables(chunks: &[&[u8]], cancel: &CancelFlag) -> Result<(), PhotoError> {
    let mut cost = 0;
    chunks.iter().try_for_each(|chunk| {
        cancel.check()?;
        let style = if is_old_lzw(chunk) { Lzw::Gif } else { Lzw::Tiff };
        style.count_tables(chunk.iter().copied(), 8, &mut cost)
    })
}

/// Refuses a fax whose lines may have more changes of colour than those of any page.
///
/// # Errors
/// [`PhotoError::Corrupt`] if they may.
pub fn refuse_long_fax(chunks: &[&[u8]], picture: Size) -> Result<(), PhotoError> {
    let bytes: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
    let pixels = picture.pixels().saturating_mul(FAX_COST_OF_A_PIXEL);
    match pixels.saturating_add(bytes.saturating_mul(FAX_COST_OF_A_BYTE)) > MAX_FAX_COST {
        true => {
            Err(PhotoError::Corrupt(format!("its {bytes} bytes of fax are too many for its size")))
        }
        false => Ok(()),
    }
}

/// Width and height, if these bytes begin a frame header that the decoder accepts (T.81 B.2.2). The
/// decoder may find one anywhere, so this does not ask whether a segment begins here.
fn frame_size(bytes: &[u8]) -> Option<(u16, u16)> {
    match *bytes {
        [0xFF, 0xC0..=0xC2, 0, length, 8, h1, h0, w1, w0, components, ..]
            if u16::from(length) == 8 + 3 * u16::from(components) =>
        {
            Some((u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0])))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jpeg_larger_than_its_tile_is_refused_wherever_its_frame_is() {
        let frame = b"\xFF\xC0\0\x0B\x08\0\x20\0\x30\x01\x01\x11\0"; // 48x32
        let jpeg = [b"\xFF\xD8", &frame[..], b"\xFF\xD9"].concat();
        let refuse = |chunks: &[&[u8]], tables: Option<&[u8]>, size| {
            refuse_larger_jpegs(chunks, tables, size, &CancelFlag::default())
        };
        assert!(refuse(&[&jpeg], None, (48, 32)).is_ok());
        for size in [(47, 32), (48, 31)] {
            assert!(refuse(&[b"", &jpeg], None, size).is_err());
            // The frame may be in the tables, or begin there.
            for at in 2..jpeg.len() - 1 {
                let (tables, rest) = jpeg.split_at(at);
                let tables = [tables, b"\xFF\xD9"].concat();
                let rest = [b"\xFF\xD8", rest].concat();
                assert!(refuse(&[&rest], Some(&tables), size).is_err(), "{at}");
            }
        }
    }

    #[test]
    fn tables_that_would_cost_too_much_for_all_tiles_are_refused() {
        let refuse = |bytes, chunks| {
            refuse_larger_jpegs(
                &vec![&b""[..]; chunks],
                Some(&vec![0; bytes]),
                (8, 8),
                &CancelFlag::default(),
            )
        };
        assert!(refuse(576, 120_000).is_ok());
        assert!(refuse(64 << 10, 1 << 11).is_ok());
        assert!(refuse(64 << 10, 1 << 12).is_err());
        assert!(refuse(8 << 20, 1 << 18).is_err());
    }

    #[test]
    fn chunks_that_are_much_larger_than_the_picture_are_refused() {
        let picture = Size { width: 10_000, height: 8000 };
        assert!(refuse_larger_chunks(8000, (10_000, 1), picture).is_ok());
        assert!(
            refuse_larger_chunks(1, (16_384, 16_384), picture).is_ok(),
            "one tile for the whole picture"
        );
        assert!(refuse_larger_chunks(1, (1 << 28, 1), picture).is_ok());
        assert!(refuse_larger_chunks(2, (1 << 28, 1), picture).is_err());
        assert!(refuse_larger_chunks(1, (u64::MAX, u64::MAX), picture).is_err());
        assert!(refuse_larger_chunks(1, (4096, 4096), Size { width: 1, height: 1 }).is_ok());
    }

    #[test]
    fn a_fax_may_be_a_page_but_not_noise() {
        let a3 = Size { width: 7016, height: 9921 };
        let fax = |bytes: usize, size| refuse_long_fax(&[&vec![0; bytes]], size);
        assert!(fax(3 << 20, a3).is_ok());
        assert!(fax(30 << 20, a3).is_ok());
        assert!(fax(40 << 20, a3).is_err());
        assert!(fax(60 << 20, Size { width: 8192, height: 61_000 }).is_err());
    }
}
