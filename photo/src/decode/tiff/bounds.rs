//! What tiff 0.11.3 reads without asking whether there is memory for it, refused before it does.

use crate::{CancelFlag, PhotoError};

/// Values that a tag may have: more strips than a picture has rows. The decoder makes 32 bytes of each.
const MAX_VALUES: u64 = 1 << 17;
/// Bytes of JPEG tables that are read before all strips together: encoders write 574, and a picture of
/// 500 megapixels has 120,000 tiles of 64x64.
const MAX_BYTES_OF_TABLES: usize = 128 << 20;
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
    let mut is_larger = holds_larger(tables, size);
    for chunk in chunks {
        cancel.check()?;
        let jpeg = chunk.get(skipped..).unwrap_or_default();
        let seam = [end_of_tables, &jpeg[..jpeg.len().min(FRAME_BYTES)]].concat();
        is_larger |= holds_larger(&seam, size) || holds_larger(jpeg, size);
    }
    match is_larger {
        true => Err(PhotoError::Corrupt("it holds a JPEG larger than its strip or tile".into())),
        false => Ok(()),
    }
}

/// Whether a frame header in these bytes gives a side that is larger.
fn holds_larger(jpeg: &[u8], size: (u64, u64)) -> bool {
    memchr::memchr_iter(0xFF, jpeg)
        .filter_map(|at| frame_size(&jpeg[at..]))
        .any(|(width, height)| u64::from(width) > size.0 || u64::from(height) > size.1)
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
}
