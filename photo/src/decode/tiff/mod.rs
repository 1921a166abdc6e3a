//! TIFF: the first picture of the file. Page numbers are those of TIFF 6.0.
//!
//! Crates undo the compressions. What the samples mean is decided here, because the tiff crate loses it:
//! it takes the differences of extra samples for those of colours, floating-point numbers for whole ones,
//! and knows neither the order of bits nor palettes.

mod bounds;
mod chunks;
mod codec;
mod fax;
mod rows;
mod stored;

use std::io::{self, ErrorKind, Read};
use std::iter::once;

use self::chunks::{Chunk, chunks};
use self::codec::Compression;
use self::rows::Painter;
use self::stored::{Meaning, Stored, corrupt, tag, unsupported};
use super::deflate::refuse_many_blocks;
use super::raster::refuse_padding;
use crate::container::raw;
use crate::container::tiff::Directory;
use crate::metadata::icc;
use crate::pixels::Decoded;
use crate::pixels::samples::{Colour, to_displayable};
use crate::{CancelFlag, PhotoError, Size};

/// Most bytes of a colour profile.
const MAX_PROFILE_BYTES: usize = 8 << 20;
/// Cap on computed bytes: a tile can declare 2^64 pixels, and the caller still adds to the result.
const MAX_COMPUTED_BYTES: u64 = 1 << 60;
/// Most components of a JPEG in a strip or tile.
const JPEG_COMPONENTS: u64 = 4;
/// Bytes that zune-jpeg holds for a sample: the sample itself, and a coefficient of 16 bits.
const JPEG_BYTES_OF_A_SAMPLE: u64 = 1 + 2;
/// Bytes of a decoder's tables and buffers, and of a palette.
const WORKING_BYTES: u64 = 1 << 20;
/// Bytes that the lists hold for each strip or tile.
const BYTES_OF_A_CHUNK: u64 = 128;

/// The properties of a photo that stand before its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub size: Size,
    /// The embedded colour profile, if it is for the photo's colours: gray, RGB or CMYK.
    pub profile: Option<Vec<u8>>,
    /// Most bytes that decoding takes.
    pub memory: u64,
    stored: Stored,
}

/// Reads the first directory.
///
/// # Errors
/// Any [`PhotoError`] that can be found without decoding the photo; [`PhotoError::Cancelled`].
pub(super) fn header(photo: &[u8], cancel: &CancelFlag) -> Result<Header, PhotoError> {
    let directory = first_directory(photo)?;
    if raw::is_preview(directory) {
        return Err(unsupported("a preview before the photo, as raw files have it"));
    }
    let stored = Stored::read(directory)?;
    cancel.check()?;
    // A photo with a broken profile is decoded without it.
    let profile = directory.field(tag::ICC_PROFILE).ok().flatten().map(|field| field.bytes);
    let profile = profile
        .filter(|profile| profile.len() <= MAX_PROFILE_BYTES)
        .filter(|profile| icc::fits(profile, stored.layout().colours()));
    let profile = profile.map(<[u8]>::to_vec);
    let memory = memory(&stored, photo.len() as u64);
    Ok(Header { size: stored.size, profile, memory, stored })
}

fn first_directory(photo: &[u8]) -> Result<Directory<'_>, PhotoError> {
    Directory::first(photo).ok_or_else(|| PhotoError::Truncated {
        bytes: photo.len(),
        what: "the directory is missing".into(),
    })
}

/// Most bytes that decoding a photo of `file_bytes` takes: the picture, a row of a strip or tile, and what
/// the decoder of its compression holds.
fn memory(stored: &Stored, file_bytes: u64) -> u64 {
    let picture = stored.size.pixels().saturating_mul(stored.layout().bytes_per_pixel());
    let of_compression = match stored.compression {
        // One strip or tile with its coefficients, its part of the file, and the colour profile that
        // zune-jpeg keeps of it.
        Compression::Jpeg => stored
            .chunk
            .width
            .saturating_mul(stored.chunk.height)
            .saturating_mul(JPEG_COMPONENTS * JPEG_BYTES_OF_A_SAMPLE)
            .saturating_add(2 * file_bytes),
        // A row, and the changes of colour in it and in the one before.
        Compression::Fax(_) => stored.chunk.width.saturating_mul(2 * 2 * 8),
        // A whole strip or tile.
        Compression::Lzw => stored.row_bytes().saturating_mul(stored.chunk.height),
        Compression::None | Compression::Deflate | Compression::PackBits => 0,
    };
    // A copy of the file whose bits are put into order.
    let reversed = if stored.is_reversed { file_bytes } else { 0 };
    let lists = stored.chunks().min(bounds::MAX_CHUNKS as u64) * BYTES_OF_A_CHUNK;
    [of_compression, stored.row_bytes(), reversed, lists, WORKING_BYTES]
        .into_iter()
        .fold(picture, u64::saturating_add)
        .min(MAX_COMPUTED_BYTES)
}

/// Decodes the whole picture.
///
/// # Errors
/// Any [`PhotoError`] of the decoder; [`PhotoError::Cancelled`].
pub(super) fn decode(
    photo: &[u8],
    header: &Header,
    cancel: &CancelFlag,
) -> Result<Decoded, PhotoError> {
    let (directory, stored) = (first_directory(photo)?, &header.stored);
    let reversed: Vec<u8> = match stored.is_reversed {
        true => photo.iter().map(|byte| byte.reverse_bits()).collect(),
        false => Vec::new(),
    };
    let chunks = chunks(directory, stored, if stored.is_reversed { &reversed } else { photo })?;
    let tables = match stored.compression {
        Compression::Jpeg => directory.field(tag::JPEG_TABLES)?.map(|field| field.bytes),
        Compression::None
        | Compression::Fax(_)
        | Compression::Lzw
        | Compression::Deflate
        | Compression::PackBits => None,
    };
    refuse_costly_chunks(stored, &chunks, tables, cancel)?;
    let painter = Painter { stored, palette: palette(directory, stored)? };
    let layout = stored.layout();
    let bytes_per_pixel = layout.bytes_per_pixel() as usize;
    let picture_row = header.size.width as usize * bytes_per_pixel;
    let mut picture = vec![0; header.size.height as usize * picture_row];
    let mut row = vec![0; stored.row_bytes() as usize];
    for chunk in chunks.iter().filter(|chunk| painter.shows(chunk.plane)) {
        let failure = |error| photo_error(error, photo.len(), cancel);
        let mut rows = codec::decoded(chunk.data, stored, chunk.height, tables, cancel)?;
        let lines = picture.chunks_exact_mut(picture_row).skip(chunk.top as usize);
        for line in lines.take(chunk.height as usize) {
            cancel.check()?;
            rows.read_exact(&mut row).map_err(failure)?;
            let pixels = line.get_mut(chunk.left as usize * bytes_per_pixel..).unwrap_or_default();
            let shown = pixels.len().min(chunk.width as usize * bytes_per_pixel);
            painter.paint(&mut row, chunk, pixels.get_mut(..shown).unwrap_or_default());
        }
    }
    Ok(to_displayable(picture, header.size, layout, header.profile.as_deref()))
}

/// The verdict on a photo whose data a decoder cannot read.
fn photo_error(error: io::Error, bytes: usize, cancel: &CancelFlag) -> PhotoError {
    if let Err(cancelled) = cancel.check() {
        return cancelled;
    }
    if error.kind() == ErrorKind::UnexpectedEof {
        return PhotoError::Truncated { bytes, what: "image data is missing".into() };
    }
    if error.kind() == ErrorKind::Unsupported {
        return unsupported("fax with parts that are not compressed");
    }
    PhotoError::Corrupt(format!("the decoder says \"{error}\""))
}

/// The colours of a palette: all red values, then all green, then all blue (page 23).
fn palette(directory: Directory<'_>, stored: &Stored) -> Result<Vec<[u8; 3]>, PhotoError> {
    if stored.meaning != Meaning::Palette {
        return Ok(Vec::new());
    }
    let count = 1 << stored.bits;
    let map = directory.field(tag::COLOR_MAP)?;
    let map = map.filter(|map| map.numbers().len() == 3 * count);
    let map = map.ok_or_else(|| corrupt("its palette has not as many colours as its indices"))?;
    // Some writers write values of 8 bits, which libtiff recognises by their all being small.
    let shift = if map.numbers().all(|value| value < 256) { 0 } else { 8 };
    let channel =
        |number: usize| map.numbers().skip(number * count).map(|value| (value >> shift) as u8);
    let colours = channel(0).zip(channel(1)).zip(channel(2)).take(count);
    Ok(colours.map(|((red, green), blue)| [red, green, blue]).collect())
}

/// Refuses strips or tiles that would cost more than those of any photo.
fn refuse_costly_chunks(
    stored: &Stored,
    chunks: &[Chunk<'_>],
    tables: Option<&[u8]>,
    cancel: &CancelFlag,
) -> Result<(), PhotoError> {
    let size = (stored.chunk.width, stored.chunk.height);
    bounds::refuse_larger_chunks(
        chunks.len().div_ceil(if stored.is_planar { stored.samples.into() } else { 1 }),
        size,
        stored.size,
    )?;
    if stored.chunk.is_tile {
        bounds::refuse_odd_tiles(size)?;
    }
    let data: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.data).collect();
    match stored.compression {
        Compression::Jpeg => {
            bounds::refuse_larger_jpegs(&data, tables, size, cancel)?;
            return bounds::refuse_many_scans(&data, cancel);
        }
        Compression::Fax(_) => return bounds::refuse_long_fax(&data, stored.size),
        Compression::None | Compression::Lzw | Compression::Deflate | Compression::PackBits => {}
    }
    let bytes = data.iter().map(|chunk| chunk.len() as u64).sum();
    refuse_padding(bytes, stored.bytes())?;
    match stored.compression {
        Compression::Lzw => bounds::refuse_many_tables(&data, cancel),
        Compression::Deflate => {
            refuse_many_blocks(bytes, data.iter().map(|chunk| once(*chunk)), cancel)
        }
        Compression::None | Compression::Jpeg | Compression::Fax(_) | Compression::PackBits => {
            Ok(())
        }
    }
}

impl Header {
    /// The colour profile that the thumbnail keeps.
    pub fn icc_profile(&self) -> Option<&Vec<u8>> {
        self.profile.as_ref().filter(|_| self.stored.layout().colour != Colour::Cmyk)
    }
}
