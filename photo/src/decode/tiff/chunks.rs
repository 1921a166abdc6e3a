//! The strips or tiles of a picture: where they lie in the file and in the picture.

use super::bounds;
use super::codec::Compression;
use super::stored::{ChunkSize, Stored, corrupt, tag};
use crate::PhotoError;
use crate::container::tiff::{Directory, Field};

/// A strip or tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk<'a> {
    pub data: &'a [u8],
    /// The sample that it holds, if each has its own strips or tiles; else 0.
    pub plane: u16,
    /// Its first column and row in the picture.
    pub left: u64,
    pub top: u64,
    /// Columns and rows of it that the picture shows.
    pub width: u64,
    pub height: u64,
}

/// The strips or tiles in the order in which the file lists them: rows of them, one plane after another
/// (TIFF 6.0 pages 39 and 67).
///
/// # Errors
/// [`PhotoError::Truncated`] if one lies beyond the end of the file, because a part of the picture would be
/// missing; [`PhotoError::Corrupt`] if they are too many, or share bytes, which would be read once for each.
pub(super) fn chunks<'a>(
    directory: Directory<'a>,
    stored: &Stored,
    tiff: &'a [u8],
) -> Result<Vec<Chunk<'a>>, PhotoError> {
    let across = u64::from(stored.size.width).div_ceil(stored.chunk.width);
    let down = u64::from(stored.size.height).div_ceil(stored.chunk.height);
    let count = usize::try_from(stored.chunks()).ok().filter(|count| *count <= bounds::MAX_CHUNKS);
    let count = count.ok_or_else(|| corrupt("it has more strips or tiles than any photo has"))?;
    let places = places(directory, stored, count)?;
    let mut chunks = Vec::with_capacity(count);
    for (number, (offset, length)) in (0..).zip(places) {
        let (plane, number) = (number / (across * down), number % (across * down));
        let (left, top) =
            (number % across * stored.chunk.width, number / across * stored.chunk.height);
        let width = stored.chunk.width.min(u64::from(stored.size.width) - left);
        let height = stored.chunk.height.min(u64::from(stored.size.height) - top);
        let length = length.unwrap_or_else(|| whole_length(stored, height, count, offset, tiff));
        let data = data(tiff, offset, length)
            .ok_or_else(|| PhotoError::image_data_is_missing(tiff.len()))?;
        chunks.push(Chunk { data, plane: plane as u16, left, top, width, height });
    }
    let bytes: u64 = chunks.iter().map(|chunk| chunk.data.len() as u64).sum();
    if bytes > tiff.len() as u64 {
        return Err(corrupt(&format!("its strips have {bytes} bytes, more than the file")));
    }
    Ok(chunks)
}

/// The offset of each strip or tile, and its length; `None` for that of the only one, or of uncompressed
/// ones, which old writers leave out (libtiff computes it too).
fn places(
    directory: Directory<'_>,
    stored: &Stored,
    count: usize,
) -> Result<Vec<(u64, Option<u64>)>, PhotoError> {
    let ChunkSize { is_tile, .. } = stored.chunk;
    let (offsets, lengths) = match is_tile {
        true => (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS),
        false => (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS),
    };
    let listed = |tag| {
        let values = directory.field(tag)?.map(Field::numbers);
        match values.as_ref().map_or(0, ExactSizeIterator::len) > bounds::MAX_CHUNKS {
            true => Err(corrupt(&format!("tag {tag} has more values than any photo's"))),
            false => Ok(values),
        }
    };
    let offsets = listed(offsets)?.filter(|offsets| offsets.len() >= count);
    let offsets = offsets.ok_or_else(|| corrupt("it lists fewer strips or tiles than it has"))?;
    let mut lengths = listed(lengths)?.into_iter().flatten();
    let may_lack_length = count == 1 || stored.compression == Compression::None;
    let place = |offset: u64| match lengths.next().filter(|length| *length > 0) {
        Some(length) if offset > 0 => Ok((offset, Some(length))),
        None if offset > 0 && may_lack_length => Ok((offset, None)),
        Some(_) | None => Err(corrupt("a strip or tile has no data")),
    };
    offsets.take(count).map(place).collect()
}

/// The length of a strip or tile for which none is given: that of its rows, or up to the end of the file.
fn whole_length(stored: &Stored, rows: u64, count: usize, offset: u64, tiff: &[u8]) -> u64 {
    let rows = if stored.chunk.is_tile { stored.chunk.height } else { rows };
    match (stored.compression == Compression::None, count) {
        (true, _) => stored.row_bytes().saturating_mul(rows),
        (false, 1) => (tiff.len() as u64).saturating_sub(offset),
        (false, _) => 0,
    }
}

fn data(tiff: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let (offset, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
    tiff.get(offset..)?.get(..length)
}
