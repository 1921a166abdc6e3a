//! How a picture is stored: what its tags say, and the kinds that are refused by name.

use super::bounds;
use super::codec::Compression;
use crate::container::tiff::Directory;
use crate::pixels::samples::{Alpha, Colour, Layout};
use crate::{PhotoError, Size};

/// Tags (TIFF 6.0 appendix A).
pub(super) mod tag {
    pub const WIDTH: u16 = 256;
    pub const HEIGHT: u16 = 257;
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_BYTE_COUNTS: u16 = 279;
    pub const PLANAR_CONFIGURATION: u16 = 284;
    pub const T4_OPTIONS: u16 = 292;
    pub const PREDICTOR: u16 = 317;
    pub const COLOR_MAP: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_LENGTH: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_BYTE_COUNTS: u16 = 325;
    pub const INK_SET: u16 = 332;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const JPEG_TABLES: u16 = 347;
    pub const YCBCR_COEFFICIENTS: u16 = 529;
    pub const YCBCR_SUBSAMPLING: u16 = 530;
    pub const REFERENCE_BLACK_WHITE: u16 = 532;
    pub const ICC_PROFILE: u16 = 34675;
}

/// Most bits of a sample.
const MAX_BITS: u64 = 16;

/// A picture as its tags describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub size: Size,
    pub meaning: Meaning,
    /// The place of alpha among a pixel's samples.
    pub alpha: Option<(u16, Alpha)>,
    /// Samples of a pixel.
    pub samples: u16,
    /// Bits of a sample, 1 to 16.
    pub bits: u8,
    /// Whether each sample has its own strips or tiles.
    pub is_planar: bool,
    pub compression: Compression,
    /// Whether a row's samples are differences (TIFF 6.0 section 14).
    pub is_predicted: bool,
    /// Whether the lowest bit of a byte comes first.
    pub is_reversed: bool,
    pub is_big_endian: bool,
    pub chunk: ChunkSize,
}

/// What a pixel's first samples mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Gray { is_white_zero: bool },
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
}

/// Columns and rows of a strip or tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkSize {
    pub is_tile: bool,
    pub width: u64,
    pub height: u64,
}

impl Meaning {
    /// The number of samples.
    pub fn samples(self) -> u16 {
        match self {
            Meaning::Gray { .. } | Meaning::Palette => 1,
            Meaning::Rgb | Meaning::YCbCr => 3,
            Meaning::Cmyk => 4,
        }
    }

    fn colour(self) -> Colour {
        match self {
            Meaning::Gray { .. } => Colour::Gray,
            Meaning::Rgb | Meaning::Palette => Colour::Rgb,
            Meaning::YCbCr => Colour::YCbCr,
            Meaning::Cmyk => Colour::Cmyk,
        }
    }
}

impl Stored {
    /// Reads the tags.
    ///
    /// # Errors
    /// [`PhotoError::UnsupportedFormat`] for a kind that is not decoded; [`PhotoError::Corrupt`] or
    /// [`PhotoError::Truncated`] if the tags contradict each other or are cut off.
    pub fn read(directory: Directory<'_>) -> Result<Stored, PhotoError> {
        let size = size(directory)?;
        let compression = Compression::read(directory)?;
        refuse_formats(directory)?;
        let samples = number(directory, tag::SAMPLES_PER_PIXEL, 1)?;
        let samples = u16::try_from(samples).ok().filter(|samples| *samples > 0);
        let samples = samples.ok_or_else(|| corrupt("it has no samples"))?;
        let bits = bits(directory, samples)?;
        let is_planar = samples > 1 && is_planar(directory)?;
        let meaning = meaning(directory, compression, is_planar)?;
        if samples < meaning.samples() {
            return Err(corrupt("it has fewer samples than its colours need"));
        }
        if bits > 8 && compression == Compression::Jpeg {
            return Err(unsupported("JPEG of more than 8 bits"));
        }
        if compression == Compression::Jpeg && !is_planar && ![1, 3, 4].contains(&samples) {
            return Err(unsupported(&format!("JPEG of {samples} samples a pixel")));
        }
        if compression.is_fax() && (bits, samples) != (1, 1) {
            return Err(unsupported("fax of more than one bit"));
        }
        let alpha = alpha(directory, meaning, samples)?;
        let stored = Stored {
            size,
            meaning,
            alpha,
            samples,
            bits,
            is_planar,
            compression,
            is_predicted: is_predicted(directory, compression, bits)?,
            // A JPEG has its own order, which libtiff leaves alone.
            is_reversed: compression != Compression::Jpeg
                && number(directory, tag::FILL_ORDER, 1)? == 2,
            is_big_endian: directory.is_big_endian(),
            chunk: chunk_size(directory, size)?,
        };
        bounds::refuse_many_samples(samples, bits, stored.layout(), size)?;
        Ok(stored)
    }

    /// The pixels to which the picture is decoded: of 8 bits, without extra samples.
    pub fn layout(&self) -> Layout {
        let alpha = self.alpha.map_or(Alpha::None, |(_, alpha)| alpha);
        Layout { colour: self.meaning.colour(), alpha, is_deep: false }
    }

    /// Samples of a pixel that one strip or tile holds.
    pub fn samples_in_a_chunk(&self) -> u16 {
        if self.is_planar { 1 } else { self.samples }
    }

    /// Bytes of a row of a strip or tile.
    pub fn row_bytes(&self) -> u64 {
        let bits = u64::from(self.samples_in_a_chunk()) * u64::from(self.bits);
        self.chunk.width.saturating_mul(bits).div_ceil(8)
    }

    /// The number of strips or tiles.
    pub fn chunks(&self) -> u64 {
        let across = u64::from(self.size.width).div_ceil(self.chunk.width);
        let down = u64::from(self.size.height).div_ceil(self.chunk.height);
        let planes = if self.is_planar { self.samples } else { 1 };
        across.saturating_mul(down).saturating_mul(planes.into())
    }

    /// Bytes of the picture as stored, uncompressed.
    pub fn bytes(&self) -> u64 {
        let bits = u64::from(self.samples) * u64::from(self.bits);
        let row = (u64::from(self.size.width) * bits).div_ceil(8);
        row.saturating_mul(self.size.height.into())
    }
}

/// The first number of a tag, or its default.
pub(super) fn number(directory: Directory<'_>, tag: u16, default: u64) -> Result<u64, PhotoError> {
    Ok(directory.field(tag)?.and_then(|field| field.numbers().next()).unwrap_or(default))
}

fn size(directory: Directory<'_>) -> Result<Size, PhotoError> {
    let side = |tag| {
        let side = number(directory, tag, 0)?;
        u32::try_from(side).map_err(|_| corrupt("a side has more than 2^32 pixels"))
    };
    match (side(tag::WIDTH)?, side(tag::HEIGHT)?) {
        (0, _) | (_, 0) => Err(corrupt("it has no pixels")),
        (width, height) => Ok(Size { width, height }),
    }
}

/// Refuses samples that are not whole numbers from 0 (TIFF 6.0 section 19). What their black and white
/// would be, only the program knows that wrote them.
fn refuse_formats(directory: Directory<'_>) -> Result<(), PhotoError> {
    let Some(formats) = directory.field(tag::SAMPLE_FORMAT)? else { return Ok(()) };
    match formats.numbers().find(|format| ![1, 4].contains(format)) {
        None => Ok(()),
        Some(2) => Err(unsupported("signed numbers")),
        Some(3) => Err(unsupported("floating-point numbers")),
        Some(5 | 6) => Err(unsupported("complex numbers")),
        Some(format) => Err(unsupported(&format!("samples of format {format}"))),
    }
}

/// Bits of every sample. One value counts for all, as in libtiff.
fn bits(directory: Directory<'_>, samples: u16) -> Result<u8, PhotoError> {
    let Some(field) = directory.field(tag::BITS_PER_SAMPLE)? else { return Ok(1) };
    let mut bits = field.numbers().take(samples.into());
    let first = bits.next().unwrap_or(1);
    if bits.any(|other| other != first) {
        return Err(unsupported("samples of different depths"));
    }
    match first {
        0 => Err(corrupt("its samples have no bits")),
        1..=MAX_BITS => Ok(first as u8),
        _ => Err(unsupported(&format!("samples of {first} bits"))),
    }
}

fn is_planar(directory: Directory<'_>) -> Result<bool, PhotoError> {
    match number(directory, tag::PLANAR_CONFIGURATION, 1)? {
        1 => Ok(false),
        2 => Ok(true),
        other => Err(corrupt(&format!("its planar configuration is {other}"))),
    }
}

fn meaning(
    directory: Directory<'_>,
    compression: Compression,
    is_planar: bool,
) -> Result<Meaning, PhotoError> {
    let photometric = directory.field(tag::PHOTOMETRIC)?.and_then(|field| field.numbers().next());
    let name = match photometric {
        Some(0) => return Ok(Meaning::Gray { is_white_zero: true }),
        Some(1) => return Ok(Meaning::Gray { is_white_zero: false }),
        Some(2) => return Ok(Meaning::Rgb),
        Some(3) => return Ok(Meaning::Palette),
        Some(5) if number(directory, tag::INK_SET, 1)? == 1 => return Ok(Meaning::Cmyk),
        Some(6) => return ycbcr(directory, compression, is_planar),
        // A fax begins with white, and libtiff takes it for zero if nothing is said.
        None if compression.is_fax() => return Ok(Meaning::Gray { is_white_zero: true }),
        None => "samples of unknown meaning",
        Some(4) => "a transparency mask",
        Some(5) => "inks other than CMYK",
        Some(8) => "CIELab",
        Some(9) => "ICCLab",
        Some(10) => "ITULab",
        Some(32803) => "a colour filter array",
        Some(32844 | 32845) => "LogLuv",
        Some(34892) => "linear raw samples",
        Some(other) => return Err(unsupported(&format!("photometric interpretation {other}"))),
    };
    Err(unsupported(name))
}

/// YCbCr as in JFIF: of a JPEG, or of whole pixels with the same range and coefficients (TIFF 6.0
/// section 21).
fn ycbcr(
    directory: Directory<'_>,
    compression: Compression,
    is_planar: bool,
) -> Result<Meaning, PhotoError> {
    let subsampling = directory.field(tag::YCBCR_SUBSAMPLING)?;
    let is_whole = subsampling.is_some_and(|field| field.numbers().take(2).eq([1, 1]));
    if compression == Compression::Jpeg && !is_planar {
        return Ok(Meaning::YCbCr);
    }
    if !is_whole {
        return Err(unsupported("YCbCr with fewer samples of colour than of luma"));
    }
    let has = |tag, expected: &[f64]| {
        let Some(field) = directory.field(tag)? else { return Ok(true) };
        let mut fractions = field.fractions().zip(expected);
        Ok::<_, PhotoError>(fractions.all(|(found, expected)| (found - expected).abs() < 0.01))
    };
    let is_full = has(tag::REFERENCE_BLACK_WHITE, &[0.0, 255.0, 128.0, 255.0, 128.0, 255.0])?;
    match is_full && has(tag::YCBCR_COEFFICIENTS, &[0.299, 0.587, 0.114])? {
        true => Ok(Meaning::YCbCr),
        false => Err(unsupported("YCbCr of another range or other coefficients than JFIF's")),
    }
}

/// The first sample behind the colours that is alpha (TIFF 6.0 page 31). Without the tag a fourth sample
/// of RGB and a second of gray are alpha, as Pillow and libvips take them.
fn alpha(
    directory: Directory<'_>,
    meaning: Meaning,
    samples: u16,
) -> Result<Option<(u16, Alpha)>, PhotoError> {
    let colours = meaning.samples();
    let Some(field) = directory.field(tag::EXTRA_SAMPLES)? else {
        let may_have = matches!(meaning, Meaning::Gray { .. } | Meaning::Rgb);
        return Ok((may_have && samples == colours + 1).then_some((colours, Alpha::Straight)));
    };
    let kinds = field.numbers().map(|kind| match kind {
        1 => Some(Alpha::Associated),
        2 => Some(Alpha::Straight),
        _ => None,
    });
    let alpha = (colours..samples).zip(kinds).find_map(|(place, kind)| Some((place, kind?)));
    match (meaning, alpha) {
        (Meaning::YCbCr, Some(_)) => Err(unsupported("YCbCr with alpha")),
        _ => Ok(alpha),
    }
}

/// Whether samples are differences. LZW and Deflate have a predictor. PackBits has one for tifffile and none
/// for libtiff; for other compressions both ignore the tag.
fn is_predicted(
    directory: Directory<'_>,
    compression: Compression,
    bits: u8,
) -> Result<bool, PhotoError> {
    let predictor = number(directory, tag::PREDICTOR, 1)?;
    match (compression, predictor) {
        (_, 1) | (Compression::None | Compression::Jpeg | Compression::Fax(_), _) => Ok(false),
        (Compression::PackBits, _) => Err(unsupported("differences of samples in PackBits")),
        (Compression::Lzw | Compression::Deflate, 2) => match bits {
            8 | 16 => Ok(true),
            _ => Err(unsupported(&format!("differences of samples of {bits} bits"))),
        },
        (Compression::Lzw | Compression::Deflate, 3) => {
            Err(unsupported("differences of floating-point numbers"))
        }
        (Compression::Lzw | Compression::Deflate, _) => {
            Err(unsupported(&format!("predictor {predictor}")))
        }
    }
}

fn chunk_size(directory: Directory<'_>, size: Size) -> Result<ChunkSize, PhotoError> {
    let is_tile = directory.field(tag::TILE_WIDTH)?.is_some();
    let (width, height) = match is_tile {
        true => (number(directory, tag::TILE_WIDTH, 0)?, number(directory, tag::TILE_LENGTH, 0)?),
        false => {
            let rows = number(directory, tag::ROWS_PER_STRIP, u64::MAX)?;
            (size.width.into(), rows.min(size.height.into()))
        }
    };
    match width == 0 || height == 0 {
        true => Err(corrupt("its strips or tiles have no pixels")),
        false => Ok(ChunkSize { is_tile, width, height }),
    }
}

pub(super) fn unsupported(what: &str) -> PhotoError {
    PhotoError::UnsupportedFormat(format!("a TIFF of {what}"))
}

pub(super) fn corrupt(what: &str) -> PhotoError {
    PhotoError::Corrupt(what.into())
}
