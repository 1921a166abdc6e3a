//! PNG, GIF, WebP and BMP, decoded by the image crate. Of an animation, the first picture.

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
use crate::pixels::samples::{Alpha, Colour, Layout, displayed};
use crate::{CancelFlag, PhotoError, Size};

/// What a decoder may take beside the picture: compressed profiles and texts can be bombs.
const METADATA_BYTES: u64 = 16 << 20;
/// What it may take beside the picture where there is hardly any metadata: rows, tables.
const LEAST_BYTES: u64 = 1 << 20;

/// What is known of a photo before its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub size: Size,
    pub icc_profile: Option<Vec<u8>>,
    /// Bytes that decoding takes at most.
    pub memory: u64,
    /// Bytes that the decoder itself may take.
    limit: u64,
    /// Bytes of the picture as a PNG holds it, 0 for other formats.
    compressed: u64,
    format: ImageFormat,
}

/// Reads what stands before the pixels.
pub(super) fn header(
    photo: &[u8],
    format: ImageFormat,
    cancel: &CancelFlag,
) -> Result<Header, PhotoError> {
    let refused = |error| refused(error, photo.len());
    let (kept, compressed, profile) = match format {
        ImageFormat::Png => {
            let png::Sizes { kept, image } = png::sizes(photo, cancel)?;
            (kept, image, None)
        }
        ImageFormat::Gif => (gif::kept_bytes(photo, cancel)?, 0, None),
        ImageFormat::WebP => (0, 0, riff::profile(photo, cancel)?),
        _ => (0, 0, None),
    };
    let mut decoder = decoder(photo, format, METADATA_BYTES, cancel).map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PhotoError::Corrupt("it has no pixels".into()));
    }
    let size = Size { width, height };
    let layout = layout(decoder.color_type())?;
    let icc_profile = match format {
        // image-webp would read any number of bytes of it.
        ImageFormat::WebP => profile.map(Cow::Borrowed),
        // A broken profile costs the photo nothing but its profile.
        _ => decoder.icc_profile().ok().flatten().map(Cow::Owned),
    };
    let icc_profile =
        icc_profile.filter(|profile| icc::fits(profile, layout.colours())).map(Cow::into_owned);
    let picture = size.pixels().saturating_mul(layout.bytes_per_pixel());
    refuse_padding(compressed, picture)?;
    // What the decoders of image 0.25 hold beside the picture.
    let beside = match format {
        // Its buffer is doubled as a chunk comes, and what is in it kept.
        ImageFormat::Png => (LEAST_BYTES + 3 * kept).min(METADATA_BYTES),
        ImageFormat::Gif => size.pixels().saturating_mul(4).saturating_add(kept), // its frame as RGBA
        ImageFormat::WebP => webp::memory_beside(photo, size)?,
        _ => 0,
    };
    let memory = picture.saturating_add(beside);
    let limit = match format {
        // Only what it holds beside the picture, into which it writes.
        ImageFormat::Png => beside,
        _ => memory.saturating_add(METADATA_BYTES),
    };
    Ok(Header { size, icc_profile, memory, limit, compressed, format })
}

/// Refuses a picture that was made larger by being compressed: no method does so by more than a few
/// percent, but parts that give out nothing can be as many as there is room for.
///
/// # Errors
/// [`PhotoError::Corrupt`].
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
pub(super) fn decode(
    photo: &[u8],
    header: &Header,
    cancel: &CancelFlag,
) -> Result<Decoded, PhotoError> {
    let refused = |error| refused(error, photo.len());
    let decoder = decoder(photo, header.format, header.limit, cancel).map_err(refused)?;
    let layout = layout(decoder.color_type())?;
    if header.format == ImageFormat::Png {
        refuse_many_blocks(header.compressed, once(png::image_data(photo, cancel)), cancel)?;
    }
    let mut samples = vec![0; (header.size.pixels() * layout.bytes_per_pixel()) as usize];
    if decoder.total_bytes() != samples.len() as u64 {
        return Err(PhotoError::Corrupt("its header can be read in two ways".into()));
    }
    decoder.read_image(&mut samples).map_err(refused)?;
    Ok(displayed(samples, header.size, layout, None))
}

fn decoder<'a>(
    photo: &'a [u8],
    format: ImageFormat,
    limit: u64,
    cancel: &'a CancelFlag,
) -> Result<impl ImageDecoder + 'a, ImageError> {
    let mut reader = ImageReader::with_format(CancellableReader::new(photo, cancel), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(limit);
    reader.limits(limits);
    reader.into_decoder()
}

fn layout(color_type: ColorType) -> Result<Layout, PhotoError> {
    let (colour, alpha) = match color_type {
        ColorType::L8 | ColorType::L16 => (Colour::Gray, Alpha::None),
        ColorType::La8 | ColorType::La16 => (Colour::Gray, Alpha::Straight),
        ColorType::Rgb8 | ColorType::Rgb16 => (Colour::Rgb, Alpha::None),
        ColorType::Rgba8 | ColorType::Rgba16 => (Colour::Rgb, Alpha::Straight),
        other => return Err(PhotoError::UnsupportedFormat(format!("a picture of {other:?}"))),
    };
    let is_deep = color_type.bytes_per_pixel() > color_type.channel_count();
    Ok(Layout { colour, alpha, is_deep })
}

/// What a decoder's complaint means for the photo.
fn refused(error: ImageError, bytes: usize) -> PhotoError {
    match &error {
        _ if is_unexpected_end(&error) => {
            PhotoError::Truncated { bytes, what: "image data is missing".into() }
        }
        ImageError::Unsupported(error) => match error.kind() {
            UnsupportedErrorKind::GenericFeature(feature) => {
                PhotoError::UnsupportedFormat(feature.clone())
            }
            _ => PhotoError::UnsupportedFormat(error.to_string()),
        },
        ImageError::Limits(error) if error.kind() == LimitErrorKind::InsufficientMemory => {
            PhotoError::Corrupt("its header asks for more memory than its size does".into())
        }
        _ => PhotoError::Corrupt(format!("the decoder says \"{error}\"")),
    }
}

/// Whether the file ended too early, said by the error or by what caused it.
fn is_unexpected_end(error: &ImageError) -> bool {
    let cause: &(dyn Error + 'static) = match error {
        ImageError::IoError(error) => error,
        error => error,
    };
    successors(Some(cause), |error: &&(dyn Error + 'static)| (*error).source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}
