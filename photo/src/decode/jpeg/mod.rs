//! JPEG: reads the header, and decodes at one to eight eighths of the size.
//!
//! The segments are walked before any decoding, so that the photo's cost is known from its header. What
//! decoders only warn about is mended in a copy (`mend`), so that libjpeg-turbo's first warning, the only one
//! that TurboJPEG reports, means damage. Stray bytes within the image data are found only by following its
//! codes (`entropy`), after such a warning. A picture that lacks a part is refused instead of being shown
//! half gray. libjpeg-turbo decodes, through
//! TurboJPEG's whole-image calls. The mozjpeg crate could decode row by row, but not planes at a fraction
//! of the size, and it reports errors by unwinding through C; planes at half the size take only 16 MB for
//! the reference photo. One program cannot link both, as each brings its own libjpeg. Clause and table
//! numbers are those of ITU-T T.81.

mod entropy;
mod header;
mod mend;

pub(super) use entropy::resynchronised;
pub use header::Header;
pub(super) use header::ScanCosts;

pub(crate) use mend::{write, write_image};

use std::borrow::Cow;
use std::fmt::Display;

use turbojpeg::{
    Colorspace, DecompressHeader, Decompressor, Image, PixelFormat, ScalingFactor, Subsamp,
    YuvImage,
};

use crate::container::jpeg::NO_END;
use crate::pixels::{Area, Decoded, DecodedPlane, cmyk};
use crate::{CancelFlag, DctScale, PhotoError, Size};

/// Decodes at this scale, without computing the frequencies that a thumbnail cannot show.
///
/// # Errors
/// [`PhotoError::Truncated`] and [`PhotoError::Corrupt`] after libjpeg-turbo's verdict on the data,
/// [`PhotoError::UnsupportedFormat`] for two or more than four components.
pub fn decode(
    jpeg: &[u8],
    header: &Header,
    scale: DctScale,
    cancel: &CancelFlag,
) -> Result<Decoded, PhotoError> {
    let components = header.components;
    if ![1, 3, 4].contains(&components) {
        return Err(PhotoError::UnsupportedFormat(format!("a JPEG of {components} components")));
    }
    let mended = header.mended_to.map(|end| mend::mended(jpeg, header, end, cancel)).transpose()?;
    let bytes = jpeg.len();
    let jpeg = mended.map_or(Cow::Borrowed(jpeg), Cow::Owned);
    let verdict = match decode_once(&jpeg, header, scale) {
        Ok(decoded) => return Ok(decoded),
        Err(verdict) => verdict,
    };
    if !verdict.may_hide_nothing() || header.is_arithmetic {
        return Err(verdict.refusal(header, bytes));
    }
    // Nobody can say that uploading it again would help.
    if header.cost > MAX_COST_TWICE {
        let kind = format!("a JPEG of {bytes} bytes with stray bytes in its image data");
        return Err(PhotoError::UnsupportedFormat(kind));
    }
    let resynchronised = entropy::resynchronised(&jpeg, cancel)?;
    drop(jpeg);
    cancel.check()?;
    decode_once(&resynchronised, header, scale).map_err(|verdict| verdict.refusal(header, bytes))
}

/// Decodes a stream about which every warning counts.
fn decode_once(jpeg: &[u8], header: &Header, scale: DctScale) -> Result<Decoded, Verdict> {
    let mut decompressor = Decompressor::new().map_err(Verdict::of)?;
    let decoders_header = decompressor.read_header(jpeg).map_err(Verdict::of)?;
    let Size { width, height } = header.size;
    if (decoders_header.width, decoders_header.height) != (width as usize, height as usize) {
        return Err(Verdict::AmbiguousHeader);
    }
    let scale = ScalingFactor::new(scale.eighths() as usize, 8);
    decompressor.set_scaling_factor(scale).map_err(Verdict::of)?;
    let is_planar = decoders_header.colorspace == Colorspace::YCbCr
        && decoders_header.subsamp != Subsamp::Unknown;
    let decode = if is_planar { decode_planes } else { decode_packed };
    decode(&mut decompressor, jpeg, header, decoders_header.scaled(scale))
}

/// Decodes luma and chroma as they are in the file, each at its own resolution.
fn decode_planes(
    decompressor: &mut Decompressor,
    jpeg: &[u8],
    header: &Header,
    scaled: DecompressHeader,
) -> Result<Decoded, Verdict> {
    let DecompressHeader { width, height, subsamp, .. } = scaled;
    let length = turbojpeg::yuv_pixels_len(width, 1, height, subsamp).map_err(Verdict::of)?;
    let mut image = YuvImage { pixels: vec![0; length], width, align: 1, height, subsamp };
    let (luma, chroma) = (image.y_size(), image.uv_size());
    let result = decompressor.decompress_to_yuv(jpeg, image.as_deref_mut());
    result.or_else(|error| Verdict::of(error).unless_harmless(header))?;

    let Area { width: across, height: down, .. } = content(header, decompressor.scaling_factor());
    let (step_x, step_y) = subsamp.size();
    let mut start = 0;
    let mut plane = |(width, height): (usize, usize), content| {
        let range = start..start + width * height;
        start = range.end;
        let size = Size { width: width as u32, height: height as u32 };
        DecodedPlane { range, size, channels: 1, content }
    };
    let subsampled = Area::of_size(across / step_x as f64, down / step_y as f64);
    let planes = vec![
        plane(luma, Area::of_size(across, down)),
        plane(chroma, subsampled),
        plane(chroma, subsampled),
    ];
    Ok(Decoded { data: image.pixels, planes, opacity: None }.without_padding())
}

/// Decodes to gray, to RGB if the file holds RGB or an unusual sampling, or from CMYK to sRGB.
fn decode_packed(
    decompressor: &mut Decompressor,
    jpeg: &[u8],
    header: &Header,
    scaled: DecompressHeader,
) -> Result<Decoded, Verdict> {
    let format = match header.components {
        1 => PixelFormat::GRAY,
        4 => PixelFormat::CMYK, // libjpeg-turbo converts YCCK to CMYK
        _ => PixelFormat::RGB,
    };
    let DecompressHeader { width, height, .. } = scaled;
    let pitch = width * format.size();
    let mut pixels = vec![0; pitch * height];
    let image = Image { pixels: pixels.as_mut_slice(), width, pitch, height, format };
    let result = decompressor.decompress(jpeg, image);
    result.or_else(|error| Verdict::of(error).unless_harmless(header))?;
    if format == PixelFormat::CMYK {
        if header.is_adobe {
            pixels.iter_mut().for_each(|ink| *ink = 255 - *ink);
        }
        pixels = cmyk::to_srgb(pixels, header.profile.as_deref());
    }
    let size = Size { width: width as u32, height: height as u32 };
    let channels = if format == PixelFormat::GRAY { 1 } else { 3 };
    let content = content(header, decompressor.scaling_factor());
    let plane = DecodedPlane { range: 0..pixels.len(), size, channels, content };
    Ok(Decoded { data: pixels, planes: vec![plane], opacity: None }.without_padding())
}

/// The exact size of the picture in scaled samples, which the decoder rounds up.
fn content(header: &Header, scale: ScalingFactor) -> Area {
    let scaled = |side: u32| f64::from(side) * scale.num() as f64 / scale.denom() as f64;
    Area::of_size(scaled(header.size.width), scaled(header.size.height))
}

/// Why a stream was not decoded without doubt.
#[derive(Debug)]
enum Verdict {
    /// libjpeg-turbo reads another size than the header's walk.
    AmbiguousHeader,
    /// libjpeg-turbo's message (see its jerror.h): an error, or the first of its warnings.
    Message(String),
}

impl Verdict {
    fn of(message: impl Display) -> Verdict {
        Verdict::Message(message.to_string())
    }

    fn says(&self, phrase: &str) -> bool {
        matches!(self, Verdict::Message(message) if message.contains(phrase))
    }

    /// Takes a warning about stray bytes before the end for none, because nothing is decoded after them.
    /// With restart markers, one may be missing there and all that comes after it.
    fn unless_harmless(self, header: &Header) -> Result<(), Verdict> {
        let is_at_end = self.says("extraneous bytes before marker 0xd9");
        if is_at_end && !header.has_restarts { Ok(()) } else { Err(self) }
    }

    /// Whether the message is about bytes that a decoder drops, or about a restart marker's number, so that
    /// the picture may be whole. A worse warning may have followed.
    fn may_hide_nothing(&self) -> bool {
        let phrases =
            ["extraneous bytes before marker", "instead of RST", "Unsupported marker type"];
        phrases.iter().any(|phrase| self.says(phrase))
    }

    fn refusal(&self, header: &Header, bytes: usize) -> PhotoError {
        let message = match self {
            Verdict::AmbiguousHeader => {
                return PhotoError::Corrupt("its header is ambiguous".into());
            }
            Verdict::Message(message) => message,
        };
        let is_cut = ["Premature end of JPEG file", "premature end of data segment"]
            .iter()
            .any(|phrase| self.says(phrase));
        if header.lacks_end {
            PhotoError::Truncated { bytes, what: NO_END.into() }
        } else if is_cut {
            PhotoError::image_data_is_missing(bytes)
        } else if self.says("not implemented") {
            PhotoError::UnsupportedFormat("a JPEG of this sampling".into())
        } else {
            PhotoError::Corrupt(format!("libjpeg-turbo says \"{message}\""))
        }
    }
}

/// Most nanoseconds that a photo may take which is decoded twice, and searched for stray bytes in between.
const MAX_COST_TWICE: u64 = 300_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::jpeg::marker;
    use crate::encode;
    use crate::sample::{coded, gradient, gradient_jpeg};

    fn decode_at(jpeg: &[u8], eighths: u8) -> Result<Decoded, PhotoError> {
        let cancel = CancelFlag::default();
        decode(jpeg, &Header::read(jpeg, &cancel)?, DctScale::of_eighths(eighths), &cancel)
    }

    /// The whole photo at a quarter of its size.
    fn quarter(jpeg: &[u8]) -> Result<Decoded, PhotoError> {
        decode_at(jpeg, 2)
    }

    #[test]
    fn decoding_at_a_quarter_gives_the_picture_at_a_quarter() {
        for (channels, samples) in [(1, 1), (3, 3)] {
            let jpeg = gradient_jpeg(400, 240, channels);
            let size = Size { width: 100, height: 60 };
            let picture = quarter(&jpeg).unwrap().shrink(size, (false, false)).unwrap();
            let again = encode::jpeg(&picture, 1.0, None).unwrap();
            let image = turbojpeg::decompress(&again, PixelFormat::RGB).unwrap();
            let expected = gradient(100, 60, channels);
            for (pixel, expected) in image.pixels.chunks(3).zip(expected.data.chunks(samples)) {
                let worst = pixel.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(worst <= Some(8), "{pixel:?} instead of {expected:?}");
            }
        }
    }

    #[test]
    fn every_sampling_decodes_to_the_same_picture() {
        let (pixels, size) = (gradient(403, 241, 3), Size { width: 101, height: 60 });
        for subsamp in [
            Subsamp::None,
            Subsamp::Sub2x1,
            Subsamp::Sub2x2,
            Subsamp::Sub1x2,
            Subsamp::Sub4x1,
            Subsamp::Sub1x4,
        ] {
            let image = Image {
                pixels: pixels.data.as_slice(),
                width: 403,
                pitch: 3 * 403,
                height: 241,
                format: PixelFormat::RGB,
            };
            let jpeg = turbojpeg::compress(image, 95, subsamp).unwrap();
            let picture = decode_at(&jpeg, 3).unwrap();
            let again =
                encode::jpeg(&picture.shrink(size, (false, false)).unwrap(), 1.0, None).unwrap();
            let shown = turbojpeg::decompress(&again, PixelFormat::RGB).unwrap();
            let expected = gradient(101, 60, 3);
            for (at, (pixel, expected)) in
                shown.pixels.chunks(3).zip(expected.data.chunks(3)).enumerate()
            {
                let worst = pixel.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(
                    worst <= Some(12),
                    "{subsamp:?} at {at}: {pixel:?} instead of {expected:?}"
                );
            }
        }
    }

    #[test]
    fn missing_image_data_is_refused_even_before_an_end_marker() {
        let mut jpeg = gradient_jpeg(640, 480, 3);
        jpeg.truncate(jpeg.len() / 2);
        jpeg.extend([0xFF, marker::EOI]);
        assert!(matches!(quarter(&jpeg), Err(PhotoError::Truncated { .. })));
    }

    #[test]
    fn data_after_the_end_marker_is_ignored() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let followed = [&jpeg[..], b"\xFF\xC0 a second image or an editor's notes"].concat();
        assert_eq!(quarter(&followed), quarter(&jpeg));
    }

    /// Offset of the first segment after the JFIF header.
    const AFTER_JFIF: usize = 20;

    #[test]
    fn oddities_in_the_header_change_no_pixel() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let (jfif, rest) = jpeg.split_at(AFTER_JFIF);
        let mut jfif_2 = jpeg.clone();
        jfif_2[11] = 2;
        let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\x07";
        for odd in [
            [jfif, &[0, 0, 0], rest].concat(),
            [jfif, b"\xFF\xE2\0\x10ICC_PROFILE\0\x02\x01", rest].concat(),
            [jfif, b"\xFF\xFE\0\x04hi", &[0], rest].concat(),
            [&jpeg[..2], adobe, rest].concat(),
            jfif_2,
        ] {
            assert_eq!(quarter(&odd), quarter(&jpeg));
        }
    }

    #[test]
    fn an_oddity_in_the_header_does_not_hide_missing_data() {
        let jpeg = gradient_jpeg(640, 480, 3);
        let (jfif, rest) = jpeg.split_at(AFTER_JFIF);
        let half = [jfif, &[0, 0, 0], &rest[..rest.len() / 2], &[0xFF, marker::EOI]].concat();
        let refusal = quarter(&half).unwrap_err();
        assert!(matches!(refusal, PhotoError::Truncated { .. }), "{refusal}");
    }

    #[test]
    fn stray_bytes_are_no_part_of_the_picture() {
        // More than the decoder reads past the end of a scan.
        let stray = [0; 100];
        let jpeg = coded(&gradient(64, 48, 3), true, false);
        let (image, end) = jpeg.split_at(jpeg.len() - 2);
        let before_the_end = [image, &stray, end].concat();
        assert_eq!(quarter(&before_the_end), quarter(&jpeg));

        let last_scan = memchr::memmem::rfind(&jpeg, &[0xFF, marker::DHT]).unwrap();
        let (image, last_scan) = jpeg.split_at(last_scan);
        let between_scans = [image, &stray, last_scan].concat();
        assert_eq!(quarter(&between_scans), quarter(&jpeg));
    }

    #[test]
    fn zeros_before_the_end_marker_belong_to_the_picture() {
        // 8x8 gray blocks, each of two bits that are 0: no difference, end of block.
        let table = |class: u8| [&[0xFF, marker::DHT, 0, 20, class, 1][..], &[0; 16]].concat();
        let frame = b"\xFF\xC0\0\x0B\x08\0\x40\0\x40\x01\x01\x11\0\xFF\xDA\0\x08\x01\x01\0\0\x3F\0";
        let quantisation = [b"\xFF\xDB\0\x43\0", &[1; 64][..]].concat();
        let rest =
            [quantisation, table(0), table(16), frame.to_vec(), vec![0; 16], b"\xFF\xD9".to_vec()];
        let jpeg = [b"\xFF\xD8".to_vec(), rest.concat()].concat();
        let odd = [b"\xFF\xD8\0\0\0".to_vec(), rest.concat()].concat();
        assert!(quarter(&jpeg).is_ok());
        assert_eq!(quarter(&odd), quarter(&jpeg));
    }

    #[test]
    fn missing_and_wrong_image_data_are_distinguished() {
        let header = Header::read(&gradient_jpeg(8, 8, 1), &CancelFlag::default()).unwrap();
        let refusal = |message: &str| Verdict::of(message).refusal(&header, 9);
        let missing = refusal("Corrupt JPEG data: premature end of data segment");
        assert!(matches!(missing, PhotoError::Truncated { bytes: 9, .. }));
        assert!(matches!(refusal("Premature end of JPEG file"), PhotoError::Truncated { .. }));
        let wrong = refusal("Corrupt JPEG data: bad Huffman code");
        assert!(matches!(wrong, PhotoError::Corrupt(_)));
    }

    #[test]
    fn progressive_and_arithmetic_photos_decode_like_the_baseline_one() {
        let pixels = gradient(400, 240, 3);
        let baseline = quarter(&coded(&pixels, false, false)).unwrap();
        for (progressive, arithmetic) in [(true, false), (false, true), (true, true)] {
            let decoded = quarter(&coded(&pixels, progressive, arithmetic));
            assert_eq!(decoded.as_ref(), Ok(&baseline), "{progressive} {arithmetic}");
        }
    }

    #[test]
    fn inks_are_inverted_in_adobes_files_alone() {
        let image = Image {
            pixels: &[0; 4 * 16 * 16][..],
            width: 16,
            pitch: 4 * 16,
            height: 16,
            format: PixelFormat::CMYK,
        };
        let mut compressor = turbojpeg::Compressor::new().unwrap();
        compressor.set_colorspace(Colorspace::CMYK).unwrap();
        compressor.set_subsamp(Subsamp::None).unwrap();
        let adobes = compressor.compress_to_vec(image).unwrap();
        let adobe = memchr::memmem::find(&adobes, b"\xFF\xEE\0\x0EAdobe").unwrap();
        let others = [&adobes[..adobe], &adobes[adobe + 16..]].concat();
        let all_are = |jpeg: &[u8], is: fn(&u8) -> bool| quarter(jpeg).unwrap().data.iter().all(is);
        assert!(all_are(&adobes, |value| *value < 60), "full of ink");
        assert!(all_are(&others, |value| *value > 250), "no ink");
    }

    #[test]
    fn what_the_decoder_cannot_is_unsupported_and_not_corrupt() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let cancel = CancelFlag::default();
        let mut header = Header::read(&jpeg, &cancel).unwrap();
        header.components = 2;
        let refusal = decode(&jpeg, &header, DctScale::of_eighths(2), &cancel).unwrap_err();
        assert_eq!(refusal.name(), "UnsupportedFormat", "{refusal}");

        // Three samples of luma to two of chroma.
        let mut fractional = jpeg.clone();
        let frame = memchr::memmem::find(&jpeg, &[0xFF, 0xC0]).unwrap();
        fractional[frame + 11] = 0x31;
        fractional[frame + 14] = 0x21;
        fractional[frame + 17] = 0x21;
        let refusal = quarter(&fractional).unwrap_err();
        assert_eq!(refusal.name(), "UnsupportedFormat", "{refusal}");
    }

    #[test]
    fn a_header_that_the_decoder_reads_differently_is_refused() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let cancel = CancelFlag::default();
        let mut header = Header::read(&jpeg, &cancel).unwrap();
        header.size.width = 640;
        assert!(matches!(
            decode(&jpeg, &header, DctScale::of_eighths(2), &cancel),
            Err(PhotoError::Corrupt(_))
        ));
    }
}
