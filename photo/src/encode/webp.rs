//! Encodes a picture as a lossy WebP (RFC 9649), by libwebp through webpx.

use webpx::{Encoder, EncoderConfig, Stop, StopReason, YuvPlanesRef};

use crate::container::riff;
use crate::{CancelFlag, PhotoError, Picture, Pixels, Size};

/// Most pixels of a picture for which libwebp keeps what it will write. Encoding takes a third less CPU time then.
const KEPT_PIXELS: u64 = 4_000_000;

/// Bytes for each pixel that libwebp takes, its input's conversion included. They were measured with noise of 12
/// megapixels at quality 1: 32.8 where it keeps what it will write, else 2.8 for planes, to which their levels add
/// 1.5, and 7.9 for RGB.
pub(super) fn bytes_of_a_pixel(size: Size, is_planar: bool) -> u64 {
    match (size.pixels() <= KEPT_PIXELS, is_planar) {
        (true, _) => 35,
        (false, true) => 5,
        (false, false) => 8,
    }
}
/// How hard libwebp tries to make the file small, 0 to 6.
const METHOD: u8 = 4;

/// Encodes a picture as a lossy WebP, 4:2:0, with no metadata except the colour profile.
///
/// `quality` is libwebp's divided by 100, 0.01 to 1.
///
/// # Errors
/// [`PhotoError::Corrupt`] if libwebp refuses the pixels, as it does for a picture that is too large for a
/// WebP; [`PhotoError::Cancelled`] soon after the flag is raised.
pub fn webp(
    picture: &Picture,
    quality: f64,
    icc_profile: Option<&[u8]>,
    cancel: &CancelFlag,
) -> Result<Vec<u8>, PhotoError> {
    let size @ Size { width, height } = picture.size();
    let config = EncoderConfig::new().quality((quality * 100.0) as f32).method(METHOD);
    let config = config.low_memory(size.pixels() > KEPT_PIXELS);
    let planes;
    let encoder = match picture {
        Picture::Packed(pixels) if pixels.channels == 3 => {
            Encoder::new_rgb(&pixels.data, width, height)
        }
        Picture::Packed(gray) => {
            planes = [leveled(gray, luma_level), neutral(gray.size), neutral(gray.size)];
            Encoder::new_yuv(yuv(&planes))
        }
        Picture::Planar([luma, cb, cr]) => {
            planes =
                [leveled(luma, luma_level), leveled(cb, chroma_level), leveled(cr, chroma_level)];
            Encoder::new_yuv(yuv(&planes))
        }
    };
    let webp = encoder.config(config).encode(Cancellation(cancel)).map_err(|error| {
        cancel.check().err().unwrap_or_else(|| {
            PhotoError::Corrupt(format!("its thumbnail cannot be encoded: {error}"))
        })
    })?;
    Ok(match icc_profile {
        Some(profile) => riff::with_profile(&webp, size, profile),
        None => webp,
    })
}

/// Tells libwebp, which asks for each row of blocks, when to stop.
struct Cancellation<'a>(&'a CancelFlag);

impl Stop for Cancellation<'_> {
    fn check(&self) -> Result<(), StopReason> {
        self.0.check().map_err(|_| StopReason::Cancelled)
    }
}

fn yuv([luma, cb, cr]: &[Pixels; 3]) -> YuvPlanesRef<'_> {
    YuvPlanesRef {
        y: &luma.data,
        y_stride: luma.row_length(),
        u: &cb.data,
        u_stride: cb.row_length(),
        v: &cr.data,
        v_stride: cr.row_length(),
        a: None,
        a_stride: 0,
        width: luma.size.width,
        height: luma.size.height,
    }
}

/// The level of luma in BT.601's range, which WebP has (RFC 9649 section 2.5), for one of a JPEG's full range.
fn luma_level(full: u8) -> u8 {
    (16.0 + f32::from(full) * 219.0 / 255.0).round() as u8
}

/// The same for chroma.
fn chroma_level(full: u8) -> u8 {
    (128.0 + (f32::from(full) - 128.0) * 224.0 / 255.0).round() as u8
}

fn leveled(plane: &Pixels, level: fn(u8) -> u8) -> Pixels {
    let levels: Vec<u8> = (0..=u8::MAX).map(level).collect();
    let data = plane.data.iter().filter_map(|sample| levels.get(usize::from(*sample)).copied());
    Pixels { data: data.collect(), ..*plane }
}

/// The chroma of a gray picture.
fn neutral(Size { width, height }: Size) -> Pixels {
    let size = Size { width: width.div_ceil(2), height: height.div_ceil(2) };
    let mut plane = Pixels::black(size, 1);
    plane.data.fill(128);
    plane
}
