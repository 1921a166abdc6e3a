//! PNG, GIF, WebP and BMP, decoded by the image crate. Of an animation, the first picture.

use std::error::Error;
use std::io::{self, Cursor};
use std::iter::successors;

use image::error::{LimitErrorKind, UnsupportedErrorKind};
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::samples::{Alpha, Colour, Layout, displayed};
use super::{Decoded, Format, PhotoError, Size, icc};

/// What a decoder may take beside the picture: compressed profiles and texts can be bombs.
const METADATA_BYTES: u64 = 16 << 20;

/// Bytes of the Huffman tables of a lossless WebP, of which its header says nothing: five tables of
/// 4 KB for each of at most 65,536 groups, as image-webp 0.2.4 makes them,
const WEBP_TABLES: u64 = 65_536 * 5 * 4096;
/// and as many for each of its bytes: the shortest tables in the file are the largest in memory.
const WEBP_TABLES_OF_A_BYTE: u64 = 400;

/// What is known of a photo before its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub size: Size,
    pub icc_profile: Option<Vec<u8>>,
    /// Bytes that decoding takes at most.
    pub memory: u64,
}

/// Reads what stands before the pixels.
pub(super) fn header(photo: &[u8], format: Format) -> Result<Header, PhotoError> {
    let refused = |error| refused(error, photo.len());
    let mut decoder = decoder(photo, format, METADATA_BYTES).map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PhotoError::Corrupt("it has no pixels".into()));
    }
    let size = Size { width, height };
    if format == Format::WebP {
        refuse_larger_frames(photo, size)?;
    }
    let layout = layout(decoder.color_type())?;
    let components = if layout.colour == Colour::Gray { 1 } else { 3 };
    // A broken profile costs the photo nothing but its profile.
    let icc_profile = decoder.icc_profile().ok().flatten();
    let icc_profile = icc_profile.filter(|profile| icc::fits(profile, components));
    let bytes_per_pixel = layout.bytes_per_pixel() + bytes_beside(format);
    let tables = if is_lossless_webp(photo) {
        WEBP_TABLES.min(photo.len() as u64 * WEBP_TABLES_OF_A_BYTE)
    } else {
        0
    };
    let memory = size.pixels().saturating_mul(bytes_per_pixel).saturating_add(tables);
    Ok(Header { size, icc_profile, memory })
}

/// Decodes the whole picture.
pub(super) fn decode(photo: &[u8], format: Format, header: &Header) -> Result<Decoded, PhotoError> {
    let refused = |error| refused(error, photo.len());
    let decoder = decoder(photo, format, header.memory + METADATA_BYTES).map_err(refused)?;
    let layout = layout(decoder.color_type())?;
    let mut samples = vec![0; (header.size.pixels() * layout.bytes_per_pixel()) as usize];
    if decoder.total_bytes() != samples.len() as u64 {
        return Err(PhotoError::Corrupt("its header can be read in two ways".into()));
    }
    decoder.read_image(&mut samples).map_err(refused)?;
    Ok(displayed(samples, header.size, layout, None))
}

fn decoder(
    photo: &[u8],
    format: Format,
    memory: u64,
) -> Result<impl ImageDecoder + '_, ImageError> {
    let format = match format {
        Format::Gif => ImageFormat::Gif,
        Format::WebP => ImageFormat::WebP,
        Format::Bmp => ImageFormat::Bmp,
        _ => ImageFormat::Png,
    };
    let mut reader = ImageReader::with_format(Cursor::new(photo), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(memory);
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

/// Bytes a pixel that the decoders of image 0.25 hold beside the picture: a GIF's frame is decoded
/// as RGBA, a WebP's as YUV or RGBA and, in an animation, put onto a canvas of RGBA.
fn bytes_beside(format: Format) -> u64 {
    match format {
        Format::Gif => 4,
        Format::WebP => 8,
        _ => 0,
    }
}

/// Whether pixels or their alpha are coded without loss, as the name of a chunk says.
fn is_lossless_webp(webp: &[u8]) -> bool {
    Format::of(webp) == Some(Format::WebP)
        && [b"VP8L", b"ALPH"].iter().any(|name| memchr::memmem::find(webp, *name).is_some())
}

/// Refuses lossy frames that are larger than the picture: image-webp 0.2.4 sees that only when it has
/// decoded them.
fn refuse_larger_frames(webp: &[u8], size: Size) -> Result<(), PhotoError> {
    let is_larger = |chunk: usize| match webp.get(chunk + 8..) {
        // A key frame: its tag, its start code, 14 bits of each side (RFC 6386 section 9.1).
        Some(&[_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..]) => {
            let [width, height] =
                [[w0, w1], [h0, h1]].map(|side| u32::from(u16::from_le_bytes(side) & 0x3FFF));
            width > size.width || height > size.height
        }
        _ => false,
    };
    match memchr::memmem::find_iter(webp, b"VP8 ").any(is_larger) {
        true => Err(PhotoError::Corrupt("it holds a frame larger than itself".into())),
        false => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webp_frame_larger_than_its_picture_is_refused() {
        // 60x40 pixels, scaled up by 5/4 on the screen, which changes nothing here.
        let frame = b"RIFF\0\0\0\0WEBPVP8 \x0A\0\0\0\x10\0\0\x9D\x01\x2A\x3C\x40\x28\x40";
        let refusal = |width, height| refuse_larger_frames(frame, Size { width, height }).err();
        assert_eq!(refusal(60, 40), None);
        assert_eq!(refusal(59, 40).unwrap().name(), "CorruptPhoto");
        assert_eq!(refusal(60, 39).unwrap().name(), "CorruptPhoto");
        assert_eq!(refuse_larger_frames(&frame[..20], Size { width: 1, height: 1 }), Ok(()));
    }
}
