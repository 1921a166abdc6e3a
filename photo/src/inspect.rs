//! The first step: what a photo is and what is said of it, nothing decoded.

use crate::decode::{Header, header};
use crate::metadata::exif;
use crate::render::catch_panic;
use crate::{CancelFlag, Facts, Format, LocationPolicy, Orientation, PhotoError, Size};

/// A photo, and all that its bytes tell without being decoded.
#[derive(Clone, Debug)]
pub struct Inspected<'a> {
    /// The photo itself.
    pub bytes: &'a [u8],
    /// By content; `None` if it is no known picture format.
    pub format: Option<Format>,
    /// What the metadata says, also of a photo that cannot be decoded.
    pub facts: Facts,
    /// What may be decoded, or why nothing may.
    header: Result<Header, PhotoError>,
}

/// Reads a photo's facts and its header: its bytes, then its dimensions are checked, so that only what
/// passes may be decoded.
///
/// `max_pixels` is how many it may have, as stored. Of the place, the facts have as much as `location`
/// says.
pub fn inspect<'a>(
    bytes: &'a [u8],
    max_pixels: u64,
    location: LocationPolicy,
    cancel: &CancelFlag,
) -> Inspected<'a> {
    let format = Format::of(bytes);
    let facts = exif::read(bytes, location, cancel);
    let header = catch_panic(|| header(bytes, format, max_pixels, cancel));
    Inspected { bytes, format, facts, header }
}

impl Inspected<'_> {
    /// What the photo may be decoded by.
    ///
    /// # Errors
    /// Why it can have no thumbnail.
    pub fn header(&self) -> Result<&Header, PhotoError> {
        self.header.as_ref().map_err(PhotoError::clone)
    }

    /// How it must be turned to stand upright.
    pub fn orientation(&self) -> Orientation {
        Orientation::from_exif(self.facts.orientation)
    }

    /// Its size as displayed; `None` if its header cannot be read.
    pub fn size(&self) -> Option<Size> {
        let header = self.header.as_ref().ok()?;
        Some(self.orientation().displayed(header.size))
    }
}
