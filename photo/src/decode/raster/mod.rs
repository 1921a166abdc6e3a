//! PNG, GIF, WebP and BMP, decoded by the image crate; for an animation, its first picture.

mod webp;

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::iter::{once, successors};

use image::error::{LimitErrorKind, UnsupportedErrorKind};
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::deflate::refuse_many_blocks;
use crate::cancel::CancellableReader;
use crate::container::{gif, png, riff};
use crate::metadata::icc;
use crate::pixels::Decoded;
use crate::pixels::samples::{Alpha, Colour, Layout, to_displayable};
use crate::{CancelFlag, PhotoError, Size};

/// Most bytes that a decoder may take for metadata: compressed profiles and texts can be bombs.
const METADATA_BYTES: u64 = 16 << 20;
/// Bytes that a PNG decoder may take besides picture and metadata, for rows and tables.
const WORKING_BYTES: u64 = 1 << 20;

/// The properties of a photo that stand before its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub size: Size,
    pub icc_profile: Option<Vec<u8>>,
    /// Most bytes that decoding takes.
    pub memory: u64,
    /// Most bytes that the decoder itself may allocate.
    limit: u64,
    /// Bytes of a PNG's compressed picture, 0 for other formats.
    compressed: u64,
    format: RasterFormat,
    repair: Repair,
}

/// What is mended in a file so that its decoder reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Repair {
    /// Bytes of a PNG before its end chunk, which is put there again.
    before_end: Option<usize>,
    /// Bytes of a checksum that come between these and the end chunk.
    checksum: Vec<u8>,
    /// Whether the file lacks its end, so that image data may be missing too.
    lacks_end: bool,
    /// The flags of a WebP that announce nothing that is missing.
    flags: Option<u8>,
}

/// The formats that the image crate decodes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RasterFormat {
    Png,
    Gif,
    WebP,
    Bmp,
}

/// Reads a photo up to its pixels.
///
/// # Errors
/// Any [`PhotoError`] that can be found without decoding the photo; [`PhotoError::Cancelled`].
pub(super) fn header(
    photo: &[u8],
    format: RasterFormat,
    cancel: &CancelFlag,
) -> Result<Header, PhotoError> {
    let mut repair = Repair::default();
    let (kept, compressed, riff_profile) = match format {
        RasterFormat::Png => {
            let png::Sizes { before_end, checksum, has_end, kept, image } =
                png::sizes(photo, cancel)?;
            repair = Repair { before_end, checksum, lacks_end: !has_end, flags: None };
            (kept, image, None)
        }
        RasterFormat::Gif => {
            let gif::Sizes { kept, has_end } = gif::sizes(photo, cancel)?;
            repair.lacks_end = !has_end;
            (kept, 0, None)
        }
        RasterFormat::WebP => {
            let riff::Contents { profile, flags, has_end } = riff::contents(photo, cancel)?;
            repair = Repair { flags, lacks_end: !has_end, ..repair };
            (0, 0, profile)
        }
        RasterFormat::Bmp => (0, 0, None),
    };
    let mut decoder = open(photo, format, &repair, METADATA_BYTES, cancel)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PhotoError::Corrupt("it has no pixels".into()));
    }
    let size = Size { width, height };
    let layout = layout(decoder.color_type())?;
    let icc_profile = match format {
        // image-webp would read a profile of any size.
        RasterFormat::WebP => riff_profile.map(Cow::Borrowed),
        // A photo with a broken profile is decoded without it.
        RasterFormat::Png | RasterFormat::Gif | RasterFormat::Bmp => {
            decoder.icc_profile().ok().flatten().map(Cow::Owned)
        }
    };
    let icc_profile =
        icc_profile.filter(|profile| icc::fits(profile, layout.colours())).map(Cow::into_owned);
    let picture = size.pixels().saturating_mul(layout.bytes_per_pixel());
    refuse_padding(compressed, picture)?;
    // What the decoders of image 0.25 hold in addition to the picture.
    let working = match format {
        // The decoder doubles its buffer for a chunk, and keeps the metadata in it.
        RasterFormat::Png => (WORKING_BYTES + 3 * kept).min(METADATA_BYTES),
        // A frame in RGBA.
        RasterFormat::Gif => size.pixels().saturating_mul(4).saturating_add(kept),
        RasterFormat::WebP => webp::working_memory(photo, size)?,
        RasterFormat::Bmp => 0,
    };
    let memory = picture.saturating_add(working);
    let limit = match format {
        // The decoder writes into the caller's picture, and so allocates nothing for it.
        RasterFormat::Png => working,
        RasterFormat::Gif | RasterFormat::WebP | RasterFormat::Bmp => {
            memory.saturating_add(METADATA_BYTES)
        }
    };
    drop(decoder);
    Ok(Header { size, icc_profile, memory, limit, compressed, format, repair })
}

/// Refuses image data that is far larger than the picture itself. Compression adds a few percent at most,
/// but a file can be padded with any number of blocks that decode to nothing.
///
/// # Errors
/// [`PhotoError::Corrupt`] if there is more than twice as much image data as picture.
pub(super) fn refuse_padding(compressed: u64, picture: u64) -> Result<(), PhotoError> {
    if compressed <= picture.saturating_mul(2).saturating_add(1 << 20) {
        return Ok(());
    }
    let what = format!(
        "{compressed} bytes of image data are more than twice its {picture} bytes of pixels"
    );
    Err(PhotoError::Corrupt(what))
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
    let decoder = open(photo, header.format, &header.repair, header.limit, cancel)?;
    let layout = layout(decoder.color_type())?;
    if header.format == RasterFormat::Png {
        refuse_many_blocks(header.compressed, once(png::image_data(photo, cancel)), cancel)?;
    }
    let mut samples = vec![0; (header.size.pixels() * layout.bytes_per_pixel()) as usize];
    if decoder.total_bytes() != samples.len() as u64 {
        return Err(PhotoError::Corrupt("its header is ambiguous".into()));
    }
    decoder
        .read_image(&mut samples)
        .map_err(|error| photo_error(&error, photo.len(), header.repair.lacks_end))?;
    Ok(to_displayable(samples, header.size, layout, None))
}

fn open<'a>(
    photo: &'a [u8],
    format: RasterFormat,
    repair: &'a Repair,
    limit: u64,
    cancel: &'a CancelFlag,
) -> Result<impl ImageDecoder + 'a, PhotoError> {
    let format = match format {
        RasterFormat::Png => ImageFormat::Png,
        RasterFormat::Gif => ImageFormat::Gif,
        RasterFormat::WebP => ImageFormat::WebP,
        RasterFormat::Bmp => ImageFormat::Bmp,
    };
    let parts = match repair.before_end.and_then(|end| photo.get(..end)) {
        Some(before_end) => vec![before_end, &repair.checksum, png::END],
        None => riff::with_flags(photo, repair.flags.as_ref()),
    };
    let mut reader = ImageReader::with_format(CancellableReader::new(parts, cancel), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(limit);
    reader.limits(limits);
    reader.into_decoder().map_err(|error| photo_error(&error, photo.len(), repair.lacks_end))
}

fn layout(color_type: ColorType) -> Result<Layout, PhotoError> {
    let (colour, alpha) = match color_type {
        ColorType::L8 | ColorType::L16 => (Colour::Gray, Alpha::None),
        ColorType::La8 | ColorType::La16 => (Colour::Gray, Alpha::Straight),
        ColorType::Rgb8 | ColorType::Rgb16 => (Colour::Rgb, Alpha::None),
        ColorType::Rgba8 | ColorType::Rgba16 => (Colour::Rgb, Alpha::Straight),
        ColorType::Rgb32F | ColorType::Rgba32F | _ => {
            return Err(PhotoError::UnsupportedFormat(format!("a picture of {color_type:?}")));
        }
    };
    let is_deep = color_type.bytes_per_pixel() > color_type.channel_count();
    Ok(Layout { colour, alpha, is_deep })
}

/// Maps a decoder's error to a verdict on the photo. Some decoders call it corrupt where it ends too soon.
fn photo_error(error: &ImageError, bytes: usize, lacks_end: bool) -> PhotoError {
    let is_supported = !matches!(error, ImageError::Unsupported(_));
    if is_unexpected_end(error) || lacks_end && is_supported {
        return PhotoError::image_data_is_missing(bytes);
    }
    match error {
        ImageError::Unsupported(error) => PhotoError::UnsupportedFormat(match error.kind() {
            UnsupportedErrorKind::GenericFeature(feature) => feature.clone(),
            UnsupportedErrorKind::Color(_)
            | UnsupportedErrorKind::ColorLayout(_)
            | UnsupportedErrorKind::ColorspaceCicp(_)
            | UnsupportedErrorKind::Format(_)
            | _ => error.to_string(),
        }),
        ImageError::Limits(error) if error.kind() == LimitErrorKind::InsufficientMemory => {
            PhotoError::Corrupt("its header asks for more memory than its size needs".into())
        }
        ImageError::Limits(_)
        | ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::IoError(_) => PhotoError::Corrupt(format!("the decoder says \"{error}\"")),
    }
}

/// Whether the error, or one of its causes, is an unexpected end of the file.
fn is_unexpected_end(error: &ImageError) -> bool {
    let cause: &(dyn Error + 'static) =
        if let ImageError::IoError(error) = error { error } else { error };
    successors(Some(cause), |error: &&(dyn Error + 'static)| (*error).source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}
