//! What tiff 0.11.3 reads without asking whether there is memory for it, refused before it does.

use crate::container::lzw::Lzw;
use crate::decode::jpeg::ScanCosts;
use crate::{CancelFlag, PhotoError, Size};

/// Values that a tag may have: more strips than a picture has rows. The decoder makes 32 bytes of each.
const MAX_VALUES: u64 = 1 << 17;
/// Bytes of JPEG tables that are read before all strips together: encoders write 574, and a picture of
/// 500 megapixels has 120,000 tiles of 64x64.
const MAX_BYTES_OF_TABLES: usize = 128 << 20;
/// Pixels of all strips or tiles together, for each pixel of the picture and beside these: those at its
/// edges reach beyond it.
const MAX_CHUNK_PIXELS: u64 = 4;
const MAX_EDGE_PIXELS: u64 = 4096 * 4096;
/// What a fax may cost in picoseconds, of which each pixel takes and each byte: fax 0.2 sets pixels one by
/// one, and finds a change of colour in each bit. A page of A3 at 600 dpi takes a tenth of it.
const MAX_FAX_COST: u64 = 2_000_000_000_000;
const FAX_COST_OF_A_PIXEL: u64 = 2_500;
const FAX_COST_OF_A_BYTE: u64 = 56_000;
/// Bytes at the beginning of a frame header that tell whether it is one, and the size.
const FRAME_BYTES: usize = 10;
/// The last tag that tells how a picture is stored, ReferenceBlackWhite: the others are metadata.
const LAST_PICTURE_TAG: u64 = 532;

/// Refuses long lists in the first directory, which the decoder reads before it takes a limit.
pub fn refuse_long_lists(photo: &[u8]) -> Result<(), PhotoError> {
    match longest_list(photo) {
        Some(values) if values > MAX_VALUES => {
            Err(PhotoError::Corrupt(format!("a list of {values} values is in its directory")))
        }
        _ => Ok(()),
    }
}

/// The most values that a tag of the picture has; `None` if no directory can be read.
fn longest_list(photo: &[u8]) -> Option<u64> {
    let read = |bytes: &[u8]| number(bytes, photo.starts_with(b"MM"));
    // The offset of the directory, and the lengths of its entry count, an entry, and a value count
    // (pages 13 to 16; BigTIFF has wider ones).
    let (offset, count, entry, values) = match read(photo.get(2..4)?) {
        43 => (read(photo.get(8..16)?), 8, 20, 8),
        _ => (read(photo.get(4..8)?), 2, 12, 4),
    };
    let directory = photo.get(usize::try_from(offset).ok()?..)?;
    let (count, entries) = directory.split_at_checked(count)?;
    entries
        .chunks_exact(entry)
        .take(usize::try_from(read(count)).unwrap_or(usize::MAX))
        .filter(|entry| read(&entry[..2]) <= LAST_PICTURE_TAG)
        .map(|entry| read(&entry[4..4 + values]))
        .max()
}

fn number(bytes: &[u8], is_big_endian: bool) -> u64 {
    let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match is_big_endian {
        true => bytes.iter().fold(0, append),
        false => bytes.iter().rev().fold(0, append),
    }
}

/// Refuses JPEG streams of pictures that are larger than their strip or tile of `size`, for all of
/// them would be decoded. The tables, if any, are a stream of their own that comes before each.
pub fn refuse_larger_jpegs(
    chunks: &[&[u8]],
    tables: Option<&[u8]>,
    size: (u64, u64),
    cancel: &CancelFlag,
) -> Result<(), PhotoError> {
    // The decoder puts them together without the tables' end and the stream's beginning.
    let (tables, skipped) = match tables {
        Some([tables @ .., _, _]) => (tables, 2),
        _ => (&[][..], 0),
    };
    if tables.len().saturating_mul(chunks.len()) > MAX_BYTES_OF_TABLES {
        let what = format!("it has {} bytes of JPEG tables for each strip or tile", tables.len());
        return Err(PhotoError::Corrupt(what));
    }
    let end_of_tables = &tables[tables.len().saturating_sub(FRAME_BYTES)..];
    // A frame belongs to its strip or tile, where its scans are counted.
    let mut is_in_tables = frame_sizes(tables, tables.len()).next().is_some();
    for chunk in chunks {
        cancel.check()?;
        let jpeg = chunk.get(skipped..).unwrap_or_default();
        let seam = [end_of_tables, &jpeg[..jpeg.len().min(FRAME_BYTES)]].concat();
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

/// Widths and heights in the frame headers that begin in the first `end` of these bytes.
fn frame_sizes(jpeg: &[u8], end: usize) -> impl Iterator<Item = (u16, u16)> {
    memchr::memchr_iter(0xFF, &jpeg[..end]).filter_map(|at| frame_size(&jpeg[at..]))
}

/// Refuses strips or tiles that together are much larger than the picture, for all of each is decoded.
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
    let what =
        format!("its {count} strips or tiles of {width}x{height} pixels are larger than itself");
    Err(PhotoError::Corrupt(what))
}

/// Refuses JPEG streams of more scans than those of pictures have.
pub fn refuse_many_scans(chunks: &[&[u8]], cancel: &CancelFlag) -> Result<(), PhotoError> {
    let mut costs = ScanCosts::default();
    chunks.iter().try_for_each(|chunk| costs.add(chunk, cancel))?;
    costs.refuse_too_much()
}

/// Refuses LZW streams that make their decoder do more than those of pictures do.
pub fn refuse_many_tables(chunks: &[&[u8]], cancel: &CancelFlag) -> Result<(), PhotoError> {
    let mut cost = 0;
    chunks.iter().try_for_each(|chunk| {
        cancel.check()?;
        Lzw::Tiff.count_tables(chunk.iter().copied(), 8, &mut cost)
    })
}

/// Refuses a fax whose lines have more changes of colour than those of any page.
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

/// Width and height, if a frame header begins so (T.81 B.2.2) that the decoder takes: where it takes
/// a segment to begin is its own affair.
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

    fn directory(entries: &[(u16, u32)]) -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0".to_vec();
        tiff.extend((entries.len() as u16).to_le_bytes());
        for (tag, values) in entries {
            tiff.extend([&tag.to_le_bytes()[..], &[1, 0], &values.to_le_bytes(), &[0; 4]].concat());
        }
        tiff
    }

    fn big_directory(tag: u16, values: u64) -> Vec<u8> {
        let tiff = b"MM\0\x2B\0\x08\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x01";
        [&tiff[..], &tag.to_be_bytes(), &[0, 1], &values.to_be_bytes(), &[0; 8]].concat()
    }

    #[test]
    fn long_lists_are_refused_and_long_metadata_is_not() {
        assert!(refuse_long_lists(&directory(&[(256, 1), (273, 1 << 17)])).is_ok());
        assert!(refuse_long_lists(&directory(&[(256, 1), (273, (1 << 17) + 1)])).is_err());
        assert!(refuse_long_lists(&directory(&[(256, 1), (34377, u32::MAX)])).is_ok());
        assert!(refuse_long_lists(&big_directory(273, 1)).is_ok());
        assert!(refuse_long_lists(&big_directory(273, u64::MAX)).is_err());
    }

    #[test]
    fn a_directory_that_is_not_there_is_the_decoders_affair() {
        let tiff = directory(&[(273, u32::MAX)]);
        for length in 0..tiff.len() {
            assert!(refuse_long_lists(&tiff[..length]).is_ok());
        }
        assert!(refuse_long_lists(b"II*\0\xFF\xFF\xFF\xFF").is_ok());
    }

    #[test]
    fn a_jpeg_larger_than_its_tile_is_refused_wherever_it_says_so() {
        let frame = b"\xFF\xC0\0\x0B\x08\0\x20\0\x30\x01\x01\x11\0"; // 48x32
        let jpeg = [b"\xFF\xD8", &frame[..], b"\xFF\xD9"].concat();
        let refuse = |chunks: &[&[u8]], tables: Option<&[u8]>, size| {
            refuse_larger_jpegs(chunks, tables, size, &CancelFlag::default())
        };
        assert!(refuse(&[&jpeg], None, (48, 32)).is_ok());
        for size in [(47, 32), (48, 31)] {
            assert!(refuse(&[b"", &jpeg], None, size).is_err());
            // The size may stand in the tables, or begin there.
            for at in 2..jpeg.len() - 1 {
                let (tables, rest) = jpeg.split_at(at);
                let tables = [tables, b"\xFF\xD9"].concat();
                let rest = [b"\xFF\xD8", rest].concat();
                assert!(refuse(&[&rest], Some(&tables), size).is_err(), "{at}");
            }
        }
    }

    #[test]
    fn tables_that_would_be_read_too_often_are_refused() {
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
            "one tile for all of it"
        );
        assert!(refuse_larger_chunks(1, (1 << 28, 1), picture).is_ok());
        assert!(refuse_larger_chunks(2, (1 << 28, 1), picture).is_err());
        assert!(refuse_larger_chunks(1, (u64::MAX, u64::MAX), picture).is_err());
        assert!(refuse_larger_chunks(1, (4096, 4096), Size { width: 1, height: 1 }).is_ok());
    }

    #[test]
    fn a_fax_may_be_a_page_but_no_noise() {
        let a3 = Size { width: 7016, height: 9921 };
        let fax = |bytes: usize, size| refuse_long_fax(&[&vec![0; bytes]], size);
        assert!(fax(3 << 20, a3).is_ok());
        assert!(fax(30 << 20, a3).is_ok());
        assert!(fax(40 << 20, a3).is_err());
        assert!(fax(60 << 20, Size { width: 8192, height: 61_000 }).is_err());
    }
}
