//! TIFF, decoded by the tiff crate: the first picture of the file. Page numbers are those of TIFF 6.0.

mod bounds;

use std::io;
use std::iter::once;

use tiff::decoder::ifd::Value;
use tiff::decoder::{ChunkType, Decoder, Limits};
use tiff::tags::{Tag, Type, ValueBuffer};
use tiff::{ColorType, TiffError};

use super::deflate::refuse_many_blocks;
use super::raster::refuse_padding;
use crate::cancel::CancellableReader;
use crate::metadata::icc;
use crate::pixels::Decoded;
use crate::pixels::samples::{Alpha, Colour, Layout, to_displayable};
use crate::{CancelFlag, PhotoError, Size};

/// Most bytes of a tag's value in memory: tables of strips, colour profiles of printers.
const MAX_TAG_BYTES: usize = 8 << 20;
/// Cap on computed bytes: a tile can declare 2^64 pixels, and the caller still adds to the result.
const MAX_COMPUTED_BYTES: u64 = 1 << 60;
/// Most components of a JPEG in a strip or tile.
const JPEG_COMPONENTS: u64 = 4;
/// Bytes that zune-jpeg holds for a sample: the sample itself, and a coefficient of 16 bits.
const JPEG_BYTES_OF_A_SAMPLE: u64 = 1 + 2;
/// Compressions (TIFF 6.0 pages 30, 49 and 57; TIFF Technical Note 2 for a JPEG in each strip or tile).
mod compression {
    pub const NONE: u16 = 1;
    pub const FAX: std::ops::RangeInclusive<u16> = 2..=4;
    pub const LZW: u16 = 5;
    pub const JPEG: u16 = 7;
    /// Adobe's code, and the older one.
    pub const DEFLATE: [u16; 2] = [8, 32946];
}
/// The tag that marks Adobe's raw format (DNG 1.4 page 20).
const DNG_VERSION: Tag = Tag::Unknown(50706);

type TiffDecoder<'a> = Decoder<CancellableReader<'a>>;

/// The properties of a photo that stand before its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub size: Size,
    /// The embedded colour profile, if it is for the photo's colours: gray, RGB or CMYK.
    pub profile: Option<Vec<u8>>,
    /// Most bytes that decoding takes.
    pub memory: u64,
    samples: Samples,
    compression: u16,
}

/// How a pixel's samples are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Samples {
    layout: Layout,
    /// Bits of a sample: 1, 2, 4, 8 or 16.
    bits: u8,
}

/// An error of the tiff crate, or a verdict on the photo.
enum Error {
    Tiff(TiffError),
    Photo(PhotoError),
}

impl From<TiffError> for Error {
    fn from(error: TiffError) -> Error {
        Error::Tiff(error)
    }
}

impl From<PhotoError> for Error {
    fn from(error: PhotoError) -> Error {
        Error::Photo(error)
    }
}

impl Error {
    /// The verdict on a photo of this many bytes.
    fn into_photo_error(self, bytes: usize) -> PhotoError {
        let error = match self {
            Error::Photo(error) => return error,
            Error::Tiff(error) => error,
        };
        match error {
            TiffError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                PhotoError::Truncated { bytes, what: "image data is missing".into() }
            }
            TiffError::UnsupportedError(feature) => {
                PhotoError::UnsupportedFormat(format!("this TIFF ({feature})"))
            }
            TiffError::IoError(_)
            | TiffError::FormatError(_)
            | TiffError::LimitsExceeded
            | TiffError::IntSizeError
            | TiffError::UsageError(_) => {
                PhotoError::Corrupt(format!("the decoder says \"{error}\""))
            }
        }
    }
}

/// Reads the first directory.
///
/// # Errors
/// Any [`PhotoError`] that can be found without decoding the photo; [`PhotoError::Cancelled`].
pub(super) fn header(photo: &[u8], cancel: &CancelFlag) -> Result<Header, PhotoError> {
    read_header(photo, cancel).map_err(|error| error.into_photo_error(photo.len()))
}

fn read_header(photo: &[u8], cancel: &CancelFlag) -> Result<Header, Error> {
    bounds::refuse_long_lists(photo)?;
    let mut decoder = open(photo, cancel)?;
    refuse_raw(&mut decoder, photo)?;
    let (width, height) = decoder.dimensions()?;
    if width == 0 || height == 0 {
        return Err(PhotoError::Corrupt("it has no pixels".into()).into());
    }
    let size = Size { width, height };
    let samples = Samples::of(&mut decoder)?;
    let count = decoder.find_tag_unsigned::<u16>(Tag::SamplesPerPixel)?.unwrap_or(1);
    bounds::refuse_many_samples(count, samples.bits, samples.layout, size)?;
    let compression = decoder.find_tag_unsigned(Tag::Compression)?.unwrap_or(compression::NONE);
    let chunk = chunk_size(&decoder, size);
    Ok(Header {
        size,
        profile: profile(&mut decoder)
            .filter(|profile| icc::fits(profile, samples.layout.colours())),
        memory: memory(samples.layout, size, compression, chunk, photo.len() as u64),
        samples,
        compression,
    })
}

/// Most bytes that decoding a photo of `file_bytes` in strips or tiles of size `chunk` takes.
fn memory(layout: Layout, size: Size, compression: u16, chunk: (u64, u64), file_bytes: u64) -> u64 {
    let (across, down) = chunk;
    let bytes_of = |pixels: u64| pixels.saturating_mul(layout.bytes_per_pixel());
    let working = match compression {
        // One strip or tile with its coefficients, its part of the file, and the colour profile that
        // zune-jpeg keeps of it.
        compression::JPEG => across
            .saturating_mul(down)
            .saturating_mul(JPEG_COMPONENTS * JPEG_BYTES_OF_A_SAMPLE)
            .saturating_add(2 * file_bytes),
        _ => bytes_of(across),
    };
    // After decoding, interleaving planes or unpacking samples of less than a byte takes a second picture.
    let picture = bytes_of(size.pixels());
    picture.saturating_add(working.max(picture)).min(MAX_COMPUTED_BYTES)
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
    read_picture(photo, header, cancel).map_err(|error| error.into_photo_error(photo.len()))
}

fn read_picture(photo: &[u8], header: &Header, cancel: &CancelFlag) -> Result<Decoded, Error> {
    let mut decoder = open(photo, cancel)?;
    let buffers = decoder.image_buffer_layout()?;
    if buffers.complete_len != header.stored_bytes() {
        let kind = "a TIFF of this arrangement of samples";
        return Err(PhotoError::UnsupportedFormat(kind.into()).into());
    }
    let chunks = chunks(&mut decoder, photo)?;
    refuse_costly_chunks(&mut decoder, header, &chunks, cancel)?;
    let mut data = vec![0; buffers.complete_len];
    decoder.read_image_bytes(&mut data)?;
    let Samples { layout, bits } = header.samples;
    if bits < 8 {
        data = unpack(&data, header.size, bits);
    }
    if let (Some(plane), true) = (buffers.plane_stride, buffers.planes > 1) {
        data = interleave(&data, plane.get(), layout.is_deep);
    }
    Ok(to_displayable(data, header.size, layout, header.profile.as_deref()))
}

/// Refuses strips or tiles that would cost more than those of any photo.
fn refuse_costly_chunks(
    decoder: &mut TiffDecoder<'_>,
    header: &Header,
    chunks: &[&[u8]],
    cancel: &CancelFlag,
) -> Result<(), Error> {
    let size = chunk_size(decoder, header.size);
    bounds::refuse_larger_chunks(chunks.len(), size, header.size)?;
    if decoder.get_chunk_type() == ChunkType::Tile {
        bounds::refuse_odd_tiles(size)?;
    }
    match header.compression {
        compression::JPEG => {
            let tables = decoder.find_tag(Tag::JPEGTables)?;
            let tables = tables.map(Value::into_u8_vec).transpose()?;
            bounds::refuse_larger_jpegs(chunks, tables.as_deref(), size, cancel)?;
            bounds::refuse_many_scans(chunks, cancel)?;
        }
        fax if compression::FAX.contains(&fax) => bounds::refuse_long_fax(chunks, header.size)?,
        other => {
            let bytes = chunks.iter().map(|chunk| chunk.len() as u64).sum();
            refuse_padding(bytes, header.picture_bytes() as u64)?;
            if other == compression::LZW {
                bounds::refuse_many_tables(chunks, cancel)?;
            }
            if compression::DEFLATE.contains(&other) {
                refuse_many_blocks(bytes, chunks.iter().map(|chunk| once(*chunk)), cancel)?;
            }
        }
    }
    Ok(())
}

impl Header {
    /// The colour profile that the thumbnail keeps.
    pub fn icc_profile(&self) -> Option<&Vec<u8>> {
        self.profile.as_ref().filter(|_| self.samples.layout.colour != Colour::Cmyk)
    }

    /// Bytes of the picture with whole bytes for each sample.
    fn picture_bytes(&self) -> usize {
        (self.size.pixels() * self.samples.layout.bytes_per_pixel()) as usize
    }

    /// Bytes of the picture as stored, in which a row of samples of less than a byte is packed.
    fn stored_bytes(&self) -> usize {
        match self.samples.bits {
            bits if bits < 8 => packed_row_bytes(self.size, bits) * self.size.height as usize,
            _ => self.picture_bytes(),
        }
    }
}

impl Samples {
    /// The samples of the first picture.
    fn of(decoder: &mut TiffDecoder<'_>) -> Result<Samples, Error> {
        let color_type = decoder.colortype()?;
        let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)?;
        let is_associated = extra.unwrap_or_default().first() == Some(&1); // page 31
        let alpha = if is_associated { Alpha::Associated } else { Alpha::Straight };
        let (colour, alpha, bits) = match color_type {
            ColorType::Gray(bits @ (1 | 2 | 4 | 8 | 16)) => (Colour::Gray, Alpha::None, bits),
            ColorType::RGB(bits @ (8 | 16)) => (Colour::Rgb, Alpha::None, bits),
            ColorType::YCbCr(8) => (Colour::YCbCr, Alpha::None, 8), // JPEG in TIFF
            ColorType::RGBA(bits @ (8 | 16)) => (Colour::Rgb, alpha, bits),
            ColorType::CMYK(bits @ (8 | 16)) => (Colour::Cmyk, Alpha::None, bits),
            ColorType::Gray(_)
            | ColorType::RGB(_)
            | ColorType::YCbCr(_)
            | ColorType::RGBA(_)
            | ColorType::CMYK(_)
            | ColorType::GrayA(_)
            | ColorType::CMYKA(_)
            | ColorType::Palette(_)
            | ColorType::Lab(_)
            | ColorType::Multiband { .. }
            | _ => {
                let kind = format!("a TIFF of {color_type:?}");
                return Err(PhotoError::UnsupportedFormat(kind).into());
            }
        };
        Ok(Samples { layout: Layout { colour, alpha, is_deep: bits == 16 }, bits })
    }
}

fn open<'a>(photo: &'a [u8], cancel: &'a CancelFlag) -> Result<TiffDecoder<'a>, Error> {
    let mut limits = Limits::unlimited();
    // tiff 0.11.3 applies this limit to tags' values, not `ifd_value_size`.
    limits.decoding_buffer_size = MAX_TAG_BYTES;
    Ok(Decoder::new(CancellableReader::new(photo, cancel))?.with_limits(limits))
}

/// The colour profile, read as bytes: a list of values would take 32 times as much memory.
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

/// Refuses raw photos: the first picture of these TIFFs is a tiny preview, not the photo.
fn refuse_raw(decoder: &mut TiffDecoder<'_>, photo: &[u8]) -> Result<(), Error> {
    let is_canons = photo.get(8..10) == Some(b"CR");
    let is_dng = decoder.find_tag(DNG_VERSION)?.is_some();
    let subfile = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType)?;
    let is_preview = subfile.is_some_and(|kind| kind & 1 == 1); // page 36
    match is_canons || is_dng || is_preview {
        true => Err(PhotoError::UnsupportedFormat("a camera's raw photo".into()).into()),
        false => Ok(()),
    }
}

/// The data of the strips or tiles.
///
/// # Errors
/// [`PhotoError::Truncated`] if one lies beyond the end, because the JPEG decoder would show it half gray;
/// [`PhotoError::Corrupt`] if they share bytes, which would be read once for each.
fn chunks<'a>(decoder: &mut TiffDecoder<'_>, photo: &'a [u8]) -> Result<Vec<&'a [u8]>, Error> {
    let (offsets, lengths) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
    };
    let offsets = decoder.find_tag_unsigned_vec::<usize>(offsets)?.unwrap_or_default();
    let lengths = decoder.find_tag_unsigned_vec::<usize>(lengths)?.unwrap_or_default();
    let chunk = |(offset, length): (&usize, &usize)| photo.get(*offset..)?.get(..*length);
    let Some(chunks) = offsets.iter().zip(&lengths).map(chunk).collect::<Option<Vec<_>>>() else {
        let what = "image data is missing".into();
        return Err(PhotoError::Truncated { bytes: photo.len(), what }.into());
    };
    let bytes: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    if bytes > photo.len() {
        let what = format!("its strips have {bytes} bytes, more than the file");
        return Err(PhotoError::Corrupt(what).into());
    }
    Ok(chunks)
}

/// Bytes of a row of samples of 1, 2 or 4 bits.
fn packed_row_bytes(size: Size, bits: u8) -> usize {
    (size.width as usize * usize::from(bits)).div_ceil(8)
}

/// Unpacks samples of 1, 2 or 4 bits to bytes; each row begins with a new byte.
fn unpack(packed: &[u8], size: Size, bits: u8) -> Vec<u8> {
    let row_bytes = packed_row_bytes(size, bits);
    let (bits, width) = (usize::from(bits), size.width as usize);
    let largest = (1u16 << bits) - 1;
    let mut samples = Vec::with_capacity(width * size.height as usize);
    for row in packed.chunks_exact(row_bytes) {
        samples.extend((0..width).map(|x| {
            let shift = 8 - bits - x * bits % 8;
            let byte = row.get(x * bits / 8).copied().unwrap_or_default();
            let sample = u16::from(byte) >> shift & largest;
            (sample * 255 / largest) as u8
        }));
    }
    samples
}

/// Converts planes, one after another, to pixels.
fn interleave(planes: &[u8], plane_length: usize, is_deep: bool) -> Vec<u8> {
    let mut pixels = vec![0; planes.len()];
    match is_deep {
        true => interleave_samples::<2>(planes, plane_length, &mut pixels),
        false => interleave_samples::<1>(planes, plane_length, &mut pixels),
    }
    pixels
}

/// Copies samples of `BYTES` bytes from planes to their places in the pixels.
fn interleave_samples<const BYTES: usize>(planes: &[u8], plane_length: usize, pixels: &mut [u8]) {
    let count = planes.len() / plane_length;
    for (number, plane) in planes.chunks_exact(plane_length).enumerate() {
        let places = pixels.as_chunks_mut::<BYTES>().0.iter_mut().skip(number).step_by(count);
        places.zip(plane.as_chunks().0).for_each(|(place, sample)| *place = *sample);
    }
}
