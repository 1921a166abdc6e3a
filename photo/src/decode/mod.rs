//! What a photo is, told without decoding it; and its decoding.

mod deflate;
pub(crate) mod jpeg;
mod raster;
mod tiff;

use image::ImageFormat;

use crate::pixels::Decoded;
use crate::{CancelFlag, DctScale, Format, PhotoError, Size};

/// The longest side of a photo, in pixels: four times that of a JPEG, which its thumbnail will be.
const MAX_SIDE: u32 = 4 * 65_535;
/// What the resizer holds for each row or column of a photo: the weights of a Lanczos window, 73 bytes
/// measured.
const BYTES_OF_WEIGHTS: u64 = 80;

/// What is known of a photo whose pixels may be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// As stored, before orientation.
    pub size: Size,
    /// The colour profile that a thumbnail needs to show the photo's colours: gray or RGB as the
    /// thumbnail is.
    pub icc_profile: Option<Vec<u8>>,
    kind: Kind,
}

/// What its decoder knows of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Jpeg(jpeg::Header),
    Raster(raster::Header),
    Tiff(tiff::Header),
}

/// Checks the bytes of a photo of the format that [`Format::of`] found, then its dimensions: only
/// what passes may be decoded.
///
/// # Errors
/// What is wrong with the photo, as far as can be told without decoding it;
/// [`PhotoError::Cancelled`] soon after the flag was raised.
pub fn header(
    photo: &[u8],
    format: Option<Format>,
    max_pixels: u64,
    cancel: &CancelFlag,
) -> Result<Header, PhotoError> {
    let raster = |format| raster::header(photo, format, cancel).map(Header::of_raster);
    let header = match format {
        Some(Format::Jpeg) => Header::of_jpeg(jpeg::Header::read(photo, cancel)?),
        Some(Format::Tiff) => Header::of_tiff(tiff::header(photo, cancel)?),
        Some(Format::Png) => raster(ImageFormat::Png)?,
        Some(Format::Gif) => raster(ImageFormat::Gif)?,
        Some(Format::WebP) => raster(ImageFormat::WebP)?,
        Some(Format::Bmp) => raster(ImageFormat::Bmp)?,
        Some(other @ (Format::Heic | Format::Avif | Format::JpegXl)) => {
            return Err(PhotoError::UnsupportedFormat(other.to_string()));
        }
        None if photo.is_empty() => return Err(PhotoError::Empty),
        None => return Err(PhotoError::NotAPhoto(first_bytes(photo))),
    };
    cancel.check()?;
    let Size { width, height } = header.size;
    if header.size.pixels() > max_pixels {
        return Err(PhotoError::TooManyPixels { width, height, limit: max_pixels });
    }
    if width.max(height) > MAX_SIDE {
        let kind =
            format!("a picture of {width}x{height}, with a side of more than {MAX_SIDE} pixels,");
        return Err(PhotoError::UnsupportedFormat(kind));
    }
    Ok(header)
}

impl Header {
    fn of_jpeg(header: jpeg::Header) -> Header {
        let icc_profile = header.profile.clone().filter(|_| header.components < 4);
        Header { size: header.size, icc_profile, kind: Kind::Jpeg(header) }
    }

    fn of_raster(header: raster::Header) -> Header {
        let icc_profile = header.icc_profile.clone();
        Header { size: header.size, icc_profile, kind: Kind::Raster(header) }
    }

    fn of_tiff(header: tiff::Header) -> Header {
        let icc_profile = header.icc_profile().cloned();
        Header { size: header.size, icc_profile, kind: Kind::Tiff(header) }
    }

    /// Decodes the photo at this scale if it is a JPEG, else whole.
    ///
    /// # Errors
    /// What is wrong with the photo; [`PhotoError::Cancelled`] soon after the flag was raised, but for
    /// a JPEG, which libjpeg-turbo decodes in one call.
    pub fn decode(
        &self,
        photo: &[u8],
        scale: DctScale,
        cancel: &CancelFlag,
    ) -> Result<Decoded, PhotoError> {
        cancel.check()?;
        let decoded = match &self.kind {
            Kind::Jpeg(header) => jpeg::decode(photo, header, scale, cancel),
            Kind::Raster(header) => raster::decode(photo, header, cancel),
            Kind::Tiff(header) => tiff::decode(photo, header, cancel),
        };
        // A decoder that was told nothing of the flag says that the photo cannot be read.
        cancel.check().and(decoded)
    }

    /// Bytes of memory that its way to a thumbnail of this `scale` takes at most, if a JPEG is decoded at
    /// `dct_scale`: the file itself is not counted.
    pub fn memory(&self, dct_scale: DctScale, scale: f64) -> u64 {
        let (decoding, dct_scale, is_planar) = match &self.kind {
            Kind::Jpeg(jpeg) => (jpeg.decoding_memory(dct_scale), dct_scale, jpeg.is_subsampled),
            Kind::Raster(raster) => (raster.memory, DctScale::FULL, false),
            Kind::Tiff(tiff) => (tiff.memory, DctScale::FULL, false),
        };
        let target = self.size.scaled(scale);
        let eighths = u64::from(dct_scale.eighths());
        let decoded_columns = (u64::from(self.size.width) * eighths).div_ceil(8);
        // Planes are resized one after the other, each first along its columns.
        let half_resized = decoded_columns * u64::from(target.height);
        let shrunk = target.pixels();
        let weights = u64::from(self.size.width.max(self.size.height)) * BYTES_OF_WEIGHTS;
        match is_planar {
            // Beside the picture, the one it is turned into, and the JPEG.
            true => decoding + weights + half_resized + shrunk * 3 / 2 * 3,
            false => decoding + weights + half_resized * 3 + shrunk * 3 * 3,
        }
    }
}

/// How the content begins, for a message: readable text as it is, other bytes escaped.
fn first_bytes(photo: &[u8]) -> String {
    let beginning = &photo[..photo.len().min(16)];
    format!("it begins with \"{}\"", beginning.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use crate::{Picture, Pixels};

    #[test]
    fn what_is_no_photo_is_refused_by_name() {
        let refusal = |bytes: &[u8]| {
            header(bytes, Format::of(bytes), 100, &CancelFlag::default()).unwrap_err()
        };
        assert_eq!(refusal(b""), PhotoError::Empty);
        let text = refusal(b"Dear diary, today");
        assert_eq!(text.name(), "NotAPhoto");
        assert!(text.to_string().contains("it begins with \"Dear diary, toda\""), "{text}");
        let heic = refusal(b"\0\0\0\x18ftypheic");
        assert_eq!(
            heic.to_string(),
            "HEIC is not supported; upload the photo as JPEG, PNG, WebP, GIF, TIFF or BMP"
        );
        assert_eq!(refusal(b"\x89PNG\r\n\x1A\n").name(), "TruncatedPhoto");
    }

    #[test]
    fn too_many_pixels_are_refused_before_decoding() {
        let black = Picture::Packed(Pixels::black(Size { width: 20, height: 10 }, 1));
        let photo = encode::jpeg(&black, 0.9, None).unwrap();
        let cancel = CancelFlag::default();
        let header = |limit| header(&photo, Some(Format::Jpeg), limit, &cancel);
        assert!(header(200).is_ok());
        let message = header(199).unwrap_err().to_string();
        assert!(
            message.starts_with("the photo has 20x10 = 200 pixels, more than the 199"),
            "{message}"
        );
    }
}
