//! Copies of an original to be shared: its own bytes without the place, or without any metadata.
//!
//! A copy is made of what is known, not by taking out what is forbidden: pixels are copied, metadata that may stay
//! are written anew, and all else is missing. So nothing is told by what no reader here understands: maker notes,
//! a second picture, a video behind the image, bytes that no directory refers to. Only a HEIC keeps its length,
//! because its items are found by their offsets; there, all that may not stay is overwritten.
//!
//! At the end the copy is read like any other photo. If it is not the same picture, or tells a place, there is none.

mod exif;
mod heif;
mod iptc;
mod jpeg;
mod png;
mod webp;
mod xmp;

use std::borrow::Cow;

use crate::metadata::blocks::Blocks;
use crate::{
    CancelFlag, Facts, Format, HeicPolicy, Inspected, LocationPolicy, PhotoError, Policy, inspect,
};

/// What a copy of an original leaves out. Its pixels are those of the original, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strip {
    /// Whatever tells where the photo was taken: coordinates and names of places, wherever they stand, and all
    /// that may hold them in a form that is not read, such as maker notes.
    Location,
    /// All EXIF, XMP, IPTC, comments and texts, except for the orientation and the colour profile.
    All,
}

/// A copy of an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stripped {
    /// The file.
    pub file: Vec<u8>,
    /// The media type of the file.
    pub media_type: &'static str,
}

/// Writes a copy of a format.
type Write = fn(&Original) -> Result<Vec<u8>, Refusal>;

/// Why there is no copy.
#[derive(Debug)]
enum Refusal {
    Cancelled,
    Because(&'static str),
}

impl From<PhotoError> for Refusal {
    fn from(error: PhotoError) -> Refusal {
        match error {
            PhotoError::Cancelled => Refusal::Cancelled,
            PhotoError::Empty
            | PhotoError::NotAPhoto(_)
            | PhotoError::UnsupportedFormat(_)
            | PhotoError::Truncated { .. }
            | PhotoError::Corrupt(_)
            | PhotoError::TooManyPixels { .. }
            | PhotoError::TooManyBytes { .. }
            | PhotoError::TooLittleMemory { .. }
            | PhotoError::DecoderPanic(_) => Refusal::Because("the photo cannot be decoded"),
        }
    }
}

impl Inspected<'_> {
    /// A copy of the original without this metadata; where it cannot be taken out safely, why not. The copy is at
    /// most some kilobytes longer than the original. Beside it, a frame of an animated WebP is held once more.
    ///
    /// # Errors
    /// [`PhotoError::Cancelled`] soon after the flag is raised.
    pub fn stripped(
        &self,
        strip: Strip,
        cancel: &CancelFlag,
    ) -> Result<Result<Stripped, &'static str>, PhotoError> {
        cancel.check()?;
        let copy = self.copied(strip, cancel);
        cancel.check()?;
        match copy {
            Ok(copy) => Ok(Ok(copy)),
            Err(Refusal::Because(reason)) => Ok(Err(reason)),
            Err(Refusal::Cancelled) => Err(PhotoError::Cancelled),
        }
    }

    fn copied(&self, strip: Strip, cancel: &CancelFlag) -> Result<Stripped, Refusal> {
        let (write, media_type): (Write, _) = match self.format {
            Some(Format::Jpeg) => (jpeg::stripped, "image/jpeg"),
            Some(Format::Png) => (png::stripped, "image/png"),
            Some(Format::WebP) => (webp::stripped, "image/webp"),
            Some(Format::Heic) => (heif::stripped, "image/heic"),
            Some(Format::Avif) => (heif::stripped, "image/avif"),
            Some(Format::Tiff) => {
                return Err(Refusal::Because("a TIFF's places lie all over the file"));
            }
            Some(
                Format::Gif
                | Format::Bmp
                | Format::Heif
                | Format::JpegXl
                | Format::Jpeg2000
                | Format::Raw(_),
            )
            | None => {
                return Err(Refusal::Because("its format is not one of which copies are made"));
            }
        };
        self.header()?;
        let file = write(&Original { photo: self, strip, cancel })?;
        self.check(&file, strip, cancel)?;
        Ok(Stripped { file, media_type })
    }

    /// Refuses a copy that is not the same picture, or that tells what it must not.
    fn check(&self, copy: &[u8], strip: Strip, cancel: &CancelFlag) -> Result<(), Refusal> {
        let policy = Policy {
            max_pixels: u64::MAX,
            location: LocationPolicy::Exact,
            heic: HeicPolicy::Decode,
        };
        let copy = inspect(copy, policy, cancel);
        cancel.check()?;
        let (ours, its) = (self.header()?, copy.header()?);
        let is_same = (ours.size, &ours.icc_profile, self.orientation())
            == (its.size, &its.icc_profile, copy.orientation());
        let allowed = match strip {
            Strip::Location => Facts { location: None, ..copy.facts.clone() },
            Strip::All => Facts { orientation: copy.facts.orientation, ..Facts::default() },
        };
        match (is_same, copy.facts == allowed) {
            (true, true) => Ok(()),
            (false, _) => Err(Refusal::Because("a copy would not look the same")),
            (true, false) => Err(Refusal::Because("a copy would still tell too much")),
        }
    }
}

/// An original of which a copy is made.
struct Original<'a> {
    photo: &'a Inspected<'a>,
    strip: Strip,
    cancel: &'a CancelFlag,
}

/// The metadata that are written into a copy.
#[derive(Debug, Default)]
struct Kept {
    /// A block of EXIF, which begins with its TIFF header.
    exif: Option<Vec<u8>>,
    /// Packets of XMP.
    xmp: Vec<Vec<u8>>,
    /// Image resources of Photoshop.
    resources: Option<Vec<u8>>,
}

impl Original<'_> {
    fn bytes(&self) -> &[u8] {
        self.photo.bytes
    }

    /// The EXIF of a copy, made of these blocks.
    fn exif(&self, blocks: &[Cow<[u8]>]) -> Option<Vec<u8>> {
        let orientation = self.photo.facts.orientation.filter(|value| (1..=8).contains(value));
        match self.strip {
            Strip::Location => exif::without_place(blocks, orientation),
            Strip::All => orientation.filter(|value| *value != 1).map(exif::orientation_alone),
        }
    }

    /// The metadata of a copy that stand in blocks of their own.
    fn kept(&self) -> Result<Kept, Refusal> {
        let blocks = Blocks::find(self.bytes(), self.cancel);
        self.cancel.check()?;
        let exif = self.exif(&blocks.exif);
        let mut kept = Kept { exif, ..Kept::default() };
        if self.strip == Strip::Location {
            for packet in &blocks.xmp {
                kept.xmp.extend(xmp::without_place(packet, xmp::GainMap::Gone, self.cancel));
            }
            kept.resources = iptc::without_place(&blocks.resources);
        }
        self.cancel.check()?;
        Ok(kept)
    }
}

/// Words in the names of properties, keywords and comments that tell a place, in lower case.
const WORDS: [&str; 7] =
    ["gps", "latitude", "longitude", "location", "geotag", "coordinate", "landmark"];

/// Whether a comment or a keyword may be about a place.
fn tells_place(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| memchr::memmem::find(&text, word.as_bytes()).is_some())
}

#[cfg(test)]
mod tests;
