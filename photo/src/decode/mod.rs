//! Reads a photo's header without decoding it, and decodes the photo.

mod deflate;
#[cfg(feature = "heic")]
mod heif;
#[cfg(not(feature = "heic"))]
#[path = "no_heif.rs"]
mod heif;
pub(crate) mod jpeg;
mod raster;
mod tiff;

use self::raster::RasterFormat;
use crate::encode;
use crate::inspect::{HeicPolicy, Policy};
use crate::pixels::{Decoded, memory_along_rows};
use crate::spec::{Frame, Spec};
use crate::{CancelFlag, DctScale, Format, Orientation, PhotoError, Picture, Size};

/// The longest side of a photo, in pixels: four times that of a JPEG, so that its thumbnail fits in one.
const MAX_SIDE: u32 = 4 * 65_535;
/// Bytes that the resizer holds for each row or column of a photo: the weights of a Lanczos window,
/// measured as 73.
const BYTES_OF_WEIGHTS: u64 = 80;
/// Bytes of a pixel in RGB.
const RGB_BYTES: u64 = 3;
/// Pictures of each rendition's size that are held at once: shrunk, and encoded. One of them is also held upright.
const COPIES_OF_A_RENDITION: u64 = 2;

/// The properties of a photo that may be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Size as stored, before the orientation is applied.
    pub size: Size,
    /// The colour profile that the thumbnail keeps so that it shows the photo's colours. It is for gray or
    /// RGB, as the thumbnail is.
    pub icc_profile: Option<Vec<u8>>,
    kind: Kind,
}

/// The part of a header that only the format's decoder understands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Jpeg(jpeg::Header),
    Raster(raster::Header),
    Tiff(tiff::Header),
    Heif(heif::Header),
}

/// Checks a photo's bytes, then its dimensions. `format` is what [`Format::of`] found; only a photo that
/// passes may be decoded.
///
/// # Errors
/// Any [`PhotoError`] that can be found without decoding the photo; [`PhotoError::Cancelled`] soon after
/// the flag is raised.
pub fn header(
    photo: &[u8],
    format: Option<Format>,
    policy: Policy,
    cancel: &CancelFlag,
) -> Result<Header, PhotoError> {
    let raster = |format| raster::header(photo, format, cancel).map(Header::of_raster);
    let header = match format {
        Some(Format::Jpeg) => Header::of_jpeg(jpeg::Header::read(photo, cancel)?),
        Some(Format::Tiff) => Header::of_tiff(tiff::header(photo, cancel)?),
        Some(Format::Png) => raster(RasterFormat::Png)?,
        Some(Format::Gif) => raster(RasterFormat::Gif)?,
        Some(Format::WebP) => raster(RasterFormat::WebP)?,
        Some(Format::Bmp) => raster(RasterFormat::Bmp)?,
        Some(Format::Raw(raw)) => return Err(PhotoError::UnsupportedFormat(raw.to_string())),
        Some(Format::Heic) if policy.heic == HeicPolicy::Refuse => {
            let what = "HEIC, which is switched off by the setting HEIC=refuse,";
            return Err(PhotoError::UnsupportedFormat(what.into()));
        }
        Some(Format::Heic) => Header::of_heif(heif::header(photo, cancel)?),
        Some(other @ (Format::Avif | Format::Heif | Format::JpegXl | Format::Jpeg2000)) => {
            return Err(PhotoError::UnsupportedFormat(other.to_string()));
        }
        None if photo.is_empty() => return Err(PhotoError::Empty),
        None => return Err(PhotoError::NotAPhoto(first_bytes(photo))),
    };
    cancel.check()?;
    let stored = header.stored();
    if stored.pixels() > policy.max_pixels {
        let Size { width, height } = stored;
        return Err(PhotoError::TooManyPixels { width, height, limit: policy.max_pixels });
    }
    let Size { width, height } = header.size;
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

    fn of_heif(header: heif::Header) -> Header {
        let icc_profile = header.profile.clone();
        Header { size: header.size, icc_profile, kind: Kind::Heif(header) }
    }

    /// What only JPEGs have.
    pub fn as_jpeg(&self) -> Option<&jpeg::Header> {
        match &self.kind {
            Kind::Jpeg(header) => Some(header),
            Kind::Raster(_) | Kind::Tiff(_) | Kind::Heif(_) => None,
        }
    }

    /// The size of what has to be decoded: a HEIC can show a small part of it.
    fn stored(&self) -> Size {
        match &self.kind {
            Kind::Heif(header) => header.stored(),
            Kind::Jpeg(_) | Kind::Raster(_) | Kind::Tiff(_) => self.size,
        }
    }

    /// The turn that makes the photo upright, where the format itself says it.
    pub fn orientation(&self) -> Option<Orientation> {
        match &self.kind {
            Kind::Heif(header) => Some(header.orientation),
            Kind::Jpeg(_) | Kind::Raster(_) | Kind::Tiff(_) => None,
        }
    }

    /// The picture in the colours that its JPEG will have.
    pub fn coloured(&self, picture: Picture) -> Picture {
        match &self.kind {
            Kind::Heif(header) => header.colours.to_jpeg(picture),
            Kind::Jpeg(_) | Kind::Raster(_) | Kind::Tiff(_) => picture,
        }
    }

    /// Decodes a JPEG at this scale, a HEIC at its full or half size, and any other photo at its full size.
    ///
    /// # Errors
    /// Any [`PhotoError`] of the decoder; [`PhotoError::Cancelled`] soon after the flag is raised, except
    /// for a JPEG, which libjpeg-turbo decodes in one call.
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
            Kind::Heif(header) => heif::decode(photo, header, scale, cancel),
        };
        // A decoder that knows nothing of the flag reports a read error once it is raised.
        cancel.check().and(decoded)
    }

    /// Most bytes of memory that making these renditions takes, without the file itself. The photo is decoded at
    /// `dct_scale`, as [`Header::decode`] has it.
    pub(crate) fn memory(&self, dct_scale: DctScale, renditions: &[(Spec, Frame)]) -> u64 {
        let full = DctScale::FULL.eighths();
        let (decoding, eighths, is_planar) = match &self.kind {
            Kind::Jpeg(jpeg) => {
                (jpeg.decoding_memory(dct_scale), dct_scale.eighths(), jpeg.is_subsampled)
            }
            Kind::Raster(raster) => (raster.memory, full, false),
            Kind::Tiff(tiff) => (tiff.memory, full, false),
            Kind::Heif(heif) => (heif.memory(dct_scale), heif.eighths(dct_scale), heif.is_planar()),
        };
        let decoded_columns = (u64::from(self.size.width) * u64::from(eighths)).div_ceil(8);
        let weights = u64::from(self.size.width.max(self.size.height)) * BYTES_OF_WEIGHTS;
        // Planes are resized one after another, luma being the largest. In 4:2:0 four pixels have four samples
        // of luma and two of chroma.
        let bytes_of = |size: Size| match is_planar {
            true => size.pixels() * 6 / 4,
            false => size.pixels() * RGB_BYTES,
        };
        let sizes = || renditions.iter().map(|(_, frame)| frame.size);
        let half_resized = sizes().map(|size| decoded_columns * u64::from(size.height)).max();
        let half_resized = half_resized.map(|samples| match is_planar {
            true => memory_along_rows(samples),
            false => samples * RGB_BYTES,
        });
        let upright = sizes().map(bytes_of).max();
        let kept: u64 = sizes().map(|size| bytes_of(size) * COPIES_OF_A_RENDITION).sum();
        let encoding = renditions
            .iter()
            .map(|(spec, frame)| encode::memory(spec, frame.size, is_planar))
            .max();
        decoding
            + weights
            + half_resized.unwrap_or(0)
            + upright.unwrap_or(0)
            + kept
            + encoding.unwrap_or(0)
    }
}

/// The first bytes of the content, for a message: text as it is, other bytes escaped.
fn first_bytes(photo: &[u8]) -> String {
    let beginning = photo.get(..16).unwrap_or(photo);
    format!("it begins with \"{}\"", beginning.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use crate::{Picture, Pixels};

    #[test]
    fn files_that_are_not_photos_are_refused_by_name() {
        let refusal = |bytes: &[u8]| {
            header(bytes, Format::of(bytes), Policy::default(), &CancelFlag::default()).unwrap_err()
        };
        assert_eq!(refusal(b""), PhotoError::Empty);
        let text = refusal(b"Dear diary, today");
        assert_eq!(text.name(), "NotAPhoto");
        assert!(text.to_string().contains("it begins with \"Dear diary, toda\""), "{text}");
        let avif = refusal(b"\0\0\0\x18ftypavif");
        assert_eq!(
            avif.to_string(),
            "AVIF is not supported; upload the photo as JPEG, PNG, WebP, GIF, TIFF or BMP"
        );
        let of_heic = if cfg!(feature = "heic") { "TruncatedPhoto" } else { "UnsupportedFormat" };
        assert_eq!(refusal(b"\0\0\0\x18ftypheic").name(), of_heic);
        assert_eq!(refusal(b"\x89PNG\r\n\x1A\n").name(), "TruncatedPhoto");
    }

    #[test]
    fn too_many_pixels_are_refused_before_decoding() {
        let black = Picture::Packed(Pixels::black(Size { width: 20, height: 10 }, 1));
        let photo = encode::jpeg(&black, 0.9, None).unwrap();
        let cancel = CancelFlag::default();
        let header = |max_pixels| {
            let policy = Policy { max_pixels, ..Policy::default() };
            header(&photo, Some(Format::Jpeg), policy, &cancel)
        };
        assert!(header(200).is_ok());
        let message = header(199).unwrap_err().to_string();
        assert!(
            message.starts_with("the photo has 20x10 = 200 pixels, more than the 199"),
            "{message}"
        );
    }
}
