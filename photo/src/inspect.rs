//! The first step: reads a photo's metadata and header without decoding it.

use crate::container::heif;
use crate::decode::{Header, header};
use crate::metadata;
use crate::render::catch_panic;
use crate::{CancelFlag, Facts, Format, LocationPolicy, Orientation, PhotoError, Size};

/// A photo with its metadata and header, not yet decoded. See [`inspect()`].
#[derive(Clone, Debug)]
pub struct Inspected<'a> {
    /// The photo's file.
    pub bytes: &'a [u8],
    /// The picture format, recognised by content; `None` if it is not a known one.
    pub format: Option<Format>,
    /// The facts from the metadata, present even if the photo cannot be decoded.
    pub facts: Facts,
    /// The header, or the reason why the photo may not be decoded.
    header: Result<Header, PhotoError>,
    /// The size as displayed of a photo that is not decoded, but tells its size.
    told_size: Option<Size>,
}

/// What is read of photos, and which of them are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Most stored pixels of a photo; a larger one is refused before anything is decoded. The default is 500
    /// million.
    pub max_pixels: u64,
    /// How much of the place goes into the facts. The default is the exact place.
    pub location: LocationPolicy,
    /// Whether HEIC is decoded. The default is that it is, in a build with the feature `heic`.
    pub heic: HeicPolicy,
}

/// Whether HEIC is decoded: its coding, HEVC, is patented, and a licence may be needed where it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeicPolicy {
    /// HEIC becomes a thumbnail like any other photo. Without the feature `heic`, it is refused.
    Decode,
    /// HEIC is refused as [`PhotoError::UnsupportedFormat`]; its facts are read.
    Refuse,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            max_pixels: 500_000_000,
            location: LocationPolicy::Exact,
            heic: HeicPolicy::Decode,
        }
    }
}

/// Reads a photo's metadata and header, and decodes nothing.
///
/// This never fails: a file without thumbnail can still have [`Inspected::facts`], and [`Inspected::plan`]
/// returns the error.
pub fn inspect<'a>(bytes: &'a [u8], policy: Policy, cancel: &CancelFlag) -> Inspected<'a> {
    let format = Format::of(bytes);
    let facts = metadata::read(bytes, policy.location, cancel);
    let header = catch_panic(|| header(bytes, format, policy, cancel));
    let told_size = match format {
        _ if header.is_ok() => None, // the header has it
        Some(Format::Heic | Format::Avif | Format::Heif) => heif::displayed_size(bytes, cancel),
        Some(
            Format::Jpeg
            | Format::Png
            | Format::Gif
            | Format::WebP
            | Format::Tiff
            | Format::Bmp
            | Format::JpegXl
            | Format::Jpeg2000
            | Format::Raw(_),
        )
        | None => None,
    };
    Inspected { bytes, format, facts, header, told_size }
}

impl Inspected<'_> {
    /// The photo's header.
    ///
    /// # Errors
    /// The reason why the photo can have no thumbnail.
    pub fn header(&self) -> Result<&Header, PhotoError> {
        self.header.as_ref().map_err(PhotoError::clone)
    }

    /// The turn that makes the photo upright. A HEIC is turned by its own properties, not by the EXIF
    /// orientation, which only repeats them (ISO/IEC 23008-12 clause 6.5.10).
    pub fn orientation(&self) -> Orientation {
        let of_format = self.header.as_ref().ok().and_then(Header::orientation);
        of_format.unwrap_or_else(|| Orientation::from_exif(self.facts.orientation))
    }

    /// The photo's size as displayed; `None` if its header cannot be read. That of an AVIF, or of a HEIC that
    /// is refused, is known even though it is not decoded.
    pub fn size(&self) -> Option<Size> {
        match &self.header {
            Ok(header) => Some(self.orientation().displayed(header.size)),
            Err(_) => self.told_size,
        }
    }
}
