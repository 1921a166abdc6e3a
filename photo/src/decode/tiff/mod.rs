//! TIFF, decoded by the tiff crate: the first picture of the file. Page numbers are TIFF 6.0's.

mod bounds;

use std::io;
use std::iter::once;

use tiff::decoder::ifd::Value;
use tiff::decoder::{ChunkType, Decoder, Limits};
use tiff::tags::{Tag, Type, ValueBuffer};
use tiff::{ColorType, TiffError, TiffResult};

use super::deflate::refuse_many_blocks;
use super::raster::refuse_padding;
use crate::cancel::CancellableReader;
use crate::metadata::icc;
use crate::pixels::Decoded;
use crate::pixels::samples::{Alpha, Colour, Layout, displayed};
use crate::{CancelFlag, PhotoError, Size};

/// What a tag's value may take in memory: tables of strips, colour profiles of printers.
const MAX_TAG_BYTES: usize = 8 << 20;
/// Bytes; a tile can be of 2^64 pixels, and to this something can be added.
const MORE_THAN_THERE_IS: u64 = 1 << 60;
/// Compressions (TIFF 6.0 pages 30, 49 and 57; TIFF Technical Note 2 for JPEG in each strip or tile).
mod compression {
    pub const FAX: std::ops::RangeInclusive<u16> = 2..=4;
    pub const LZW: u16 = 5;
    pub const JPEG: u16 = 7;
    /// Adobe's, and the one before it.
    pub const DEFLATE: [u16; 2] = [8, 32946];
}
/// The tag that only Adobe's raw format has (DNG 1.4 page 20).
const DNG_VERSION: Tag = Tag::Unknown(50706);

type TiffDecoder<'a> = Decoder<CancellableReader<'a>>;

/// What is known of a photo before its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub size: Size,
    /// For gray, RGB or CMYK, as the photo is.
    pub profile: Option<Vec<u8>>,
    /// Bytes that decoding takes at most.
    pub memory: u64,
    layout: Layout,
    /// Bits of a gray sample that is less than a byte.
    packed_bits: Option<u8>,
    compression: u16,
}

impl Header {
    /// The profile that the thumbnail keeps.
    pub fn icc_profile(&self) -> Option<&Vec<u8>> {
        self.profile.as_ref().filter(|_| self.layout.colour != Colour::Cmyk)
    }
}

/// Reads the first directory.
pub(super) fn header(photo: &[u8], cancel: &CancelFlag) -> Result<Header, PhotoError> {
    let refused = |error| refused(error, photo.len());
    bounds::refuse_long_lists(photo)?;
    let mut decoder = decoder(photo, cancel).map_err(refused)?;
    refuse_raw(&mut decoder, photo).map_err(refused)??;
    let (width, height) = decoder.dimensions().map_err(refused)?;
    if width == 0 || height == 0 {
        return Err(PhotoError::Corrupt("it has no pixels".into()));
    }
    let color_type = decoder.colortype().map_err(refused)?;
    let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(refused)?;
    let is_associated = extra.unwrap_or_default().first() == Some(&1); // page 31
    let alpha = if is_associated { Alpha::Associated } else { Alpha::Straight };
    let (colour, alpha, bits) = match color_type {
        ColorType::Gray(bits @ (1 | 2 | 4 | 8 | 16)) => (Colour::Gray, Alpha::None, bits),
        ColorType::RGB(bits @ (8 | 16)) => (Colour::Rgb, Alpha::None, bits),
        ColorType::YCbCr(8) => (Colour::YCbCr, Alpha::None, 8), // JPEG in TIFF
        ColorType::RGBA(bits @ (8 | 16)) => (Colour::Rgb, alpha, bits),
        ColorType::CMYK(bits @ (8 | 16)) => (Colour::Cmyk, Alpha::None, bits),
        other => return Err(PhotoError::UnsupportedFormat(format!("a TIFF of {other:?}"))),
    };
    let layout = Layout { colour, alpha, is_deep: bits == 16 };
    let size = Size { width, height };
    let samples = decoder.find_tag_unsigned::<u16>(Tag::SamplesPerPixel).map_err(refused)?;
    bounds::refuse_many_samples(samples.unwrap_or(1), bits, layout, size)?;
    let profile = profile(&mut decoder).filter(|profile| icc::fits(profile, layout.colours()));
    let compression = decoder.find_tag_unsigned::<u16>(Tag::Compression).map_err(refused)?;
    let compression = compression.unwrap_or(1);
    let bytes_of = |pixels: u64| pixels.saturating_mul(layout.bytes_per_pixel());
    let (across, down) = chunk_size(&decoder, size);
    let beside = match compression {
        // A strip or tile of up to four components with the coefficients, its part of the file, and
        // the profile that zune-jpeg keeps of it.
        compression::JPEG => {
            across.saturating_mul(down).saturating_mul(4 * 3).saturating_add(2 * photo.len() as u64)
        }
        _ => bytes_of(across),
    };
    // At last planes are interleaved, and samples of less than a byte become one.
    let picture = bytes_of(size.pixels());
    let memory = picture.saturating_add(beside.max(picture)).min(MORE_THAN_THERE_IS);
    let packed_bits = Some(bits).filter(|bits| *bits < 8);
    Ok(Header { size, profile, memory, layout, packed_bits, compression })
}

/// Decodes the whole picture.
pub(super) fn decode(
    photo: &[u8],
    header: &Header,
    cancel: &CancelFlag,
) -> Result<Decoded, PhotoError> {
    let refused = |error| refused(error, photo.len());
    let mut decoder = decoder(photo, cancel).map_err(refused)?;
    let buffers = decoder.image_buffer_layout().map_err(refused)?;
    let length = (header.size.pixels() * header.layout.bytes_per_pixel()) as usize;
    let packed = header.packed_bits.map(|bits| (bits, packed_length(header.size, bits)));
    if buffers.complete_len != packed.map_or(length, |(_, packed_length)| packed_length) {
        return Err(PhotoError::UnsupportedFormat("a TIFF of this arrangement of samples".into()));
    }
    let chunks = chunks(&mut decoder, photo).map_err(refused)??;
    let size = chunk_size(&decoder, header.size);
    bounds::refuse_larger_chunks(chunks.len(), size, header.size)?;
    if decoder.get_chunk_type() == ChunkType::Tile {
        bounds::refuse_odd_tiles(size)?;
    }
    match header.compression {
        compression::JPEG => {
            let tables = decoder.find_tag(Tag::JPEGTables).map_err(refused)?;
            let tables = tables.map(Value::into_u8_vec).transpose().map_err(refused)?;
            bounds::refuse_larger_jpegs(&chunks, tables.as_deref(), size, cancel)?;
            bounds::refuse_many_scans(&chunks, cancel)?;
        }
        fax if compression::FAX.contains(&fax) => bounds::refuse_long_fax(&chunks, header.size)?,
        other => {
            let bytes = chunks.iter().map(|chunk| chunk.len() as u64).sum();
            refuse_padding(bytes, length as u64)?;
            if other == compression::LZW {
                bounds::refuse_many_tables(&chunks, cancel)?;
            }
            if compression::DEFLATE.contains(&other) {
                refuse_many_blocks(bytes, chunks.iter().map(|chunk| once(*chunk)), cancel)?;
            }
        }
    }
    let mut samples = vec![0; buffers.complete_len];
    decoder.read_image_bytes(&mut samples).map_err(refused)?;
    if let Some((bits, _)) = packed {
        samples = unpacked(&samples, header.size, bits);
    }
    if let (Some(plane), true) = (buffers.plane_stride, buffers.planes > 1) {
        samples = interleaved(&samples, plane.get(), header.layout.is_deep);
    }
    Ok(displayed(samples, header.size, header.layout, header.profile.as_deref()))
}

fn decoder<'a>(photo: &'a [u8], cancel: &'a CancelFlag) -> TiffResult<TiffDecoder<'a>> {
    let mut limits = Limits::unlimited();
    // This is what tiff 0.11.3 holds tags' values to, not `ifd_value_size`.
    limits.decoding_buffer_size = MAX_TAG_BYTES;
    Ok(Decoder::new(CancellableReader::new(photo, cancel))?.with_limits(limits))
}

/// The colour profile, read as bytes: as a list of values it would take 32 times as much.
fn profile(decoder: &mut TiffDecoder<'_>) -> Option<Vec<u8>> {
    let mut profile = ValueBuffer::empty(Type::UNDEFINED);
    decoder.image_ifd().find_tag_buf(Tag::IccProfile, &mut profile).ok()??;
    Some(profile.as_bytes().to_vec())
}

/// Columns and rows of a strip or tile.
fn chunk_size(decoder: &TiffDecoder<'_>, picture: Size) -> (u64, u64) {
    let (across, down) = decoder.chunk_dimensions();
    let is_strip = decoder.get_chunk_type() == ChunkType::Strip;
    let down = if is_strip { down.min(picture.height) } else { down };
    (across.into(), down.into())
}

/// Raw photos are TIFFs whose first picture is a tiny preview, which is not the photo.
fn refuse_raw(decoder: &mut TiffDecoder<'_>, photo: &[u8]) -> TiffResult<Result<(), PhotoError>> {
    let is_canons = photo.get(8..10) == Some(b"CR");
    let is_dng = decoder.find_tag(DNG_VERSION)?.is_some();
    let subfile = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType)?;
    let is_preview = subfile.is_some_and(|kind| kind & 1 == 1); // page 36
    Ok(if is_canons || is_dng || is_preview {
        Err(PhotoError::UnsupportedFormat("a camera's raw photo".into()))
    } else {
        Ok(())
    })
}

/// The strips or tiles. None may be beyond the end: the JPEG decoder would show it half gray. Nor may
/// they share their bytes, which would be read once for each.
fn chunks<'a>(
    decoder: &mut TiffDecoder<'_>,
    photo: &'a [u8],
) -> TiffResult<Result<Vec<&'a [u8]>, PhotoError>> {
    let (offsets, lengths) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
    };
    let offsets = decoder.find_tag_unsigned_vec::<usize>(offsets)?.unwrap_or_default();
    let lengths = decoder.find_tag_unsigned_vec::<usize>(lengths)?.unwrap_or_default();
    let chunk = |(offset, length): (&usize, &usize)| photo.get(*offset..)?.get(..*length);
    let Some(chunks) = offsets.iter().zip(&lengths).map(chunk).collect::<Option<Vec<_>>>() else {
        let what = "image data is missing".into();
        return Ok(Err(PhotoError::Truncated { bytes: photo.len(), what }));
    };
    let bytes: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    if bytes > photo.len() {
        let what = format!("its strips have {bytes} bytes, more than the file");
        return Ok(Err(PhotoError::Corrupt(what)));
    }
    Ok(Ok(chunks))
}

fn packed_length(size: Size, bits: u8) -> usize {
    (size.width as usize * usize::from(bits)).div_ceil(8) * size.height as usize
}

/// Samples of 1, 2 or 4 bits as bytes; each row begins with a new byte.
fn unpacked(packed: &[u8], size: Size, bits: u8) -> Vec<u8> {
    let (bits, width) = (usize::from(bits), size.width as usize);
    let largest = (1u16 << bits) - 1;
    let mut samples = Vec::with_capacity(width * size.height as usize);
    for row in packed.chunks_exact((width * bits).div_ceil(8)) {
        samples.extend((0..width).map(|x| {
            let shift = 8 - bits - x * bits % 8;
            let sample = u16::from(row[x * bits / 8]) >> shift & largest;
            (sample * 255 / largest) as u8
        }));
    }
    samples
}

/// Planes, one behind the other, as pixels.
fn interleaved(planes: &[u8], plane_length: usize, is_deep: bool) -> Vec<u8> {
    let mut pixels = vec![0; planes.len()];
    match is_deep {
        true => interleave::<2>(planes, plane_length, &mut pixels),
        false => interleave::<1>(planes, plane_length, &mut pixels),
    }
    pixels
}

/// Puts the samples of `BYTES` bytes where they belong.
fn interleave<const BYTES: usize>(planes: &[u8], plane_length: usize, pixels: &mut [u8]) {
    let count = planes.len() / plane_length;
    for (number, plane) in planes.chunks_exact(plane_length).enumerate() {
        let places = pixels.as_chunks_mut::<BYTES>().0.iter_mut().skip(number).step_by(count);
        places.zip(plane.as_chunks().0).for_each(|(place, sample)| *place = *sample);
    }
}

/// What the decoder's complaint means for the photo.
fn refused(error: TiffError, bytes: usize) -> PhotoError {
    match error {
        TiffError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            PhotoError::Truncated { bytes, what: "image data is missing".into() }
        }
        TiffError::UnsupportedError(feature) => {
            PhotoError::UnsupportedFormat(format!("this TIFF ({feature})"))
        }
        error => PhotoError::Corrupt(format!("the decoder says \"{error}\"")),
    }
}
