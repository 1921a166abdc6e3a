//! Copies of an original to be shared: its own bytes without the place, or without any metadata.

use crate::{CancelFlag, Format, Inspected, PhotoError};

/// What a copy of an original leaves out. Its pixels are those of the original, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strip {
    /// Whatever tells where the photo was taken.
    Location,
    /// All EXIF, XMP and IPTC, except for the orientation and the colour profile.
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

impl Inspected<'_> {
    /// A copy of the original without this metadata; where it cannot be taken out safely, why not.
    ///
    /// # Errors
    /// [`PhotoError::Cancelled`] soon after the flag is raised.
    pub fn stripped(
        &self,
        _strip: Strip,
        cancel: &CancelFlag,
    ) -> Result<Result<Stripped, &'static str>, PhotoError> {
        cancel.check()?;
        Ok(Err(match self.format {
            Some(Format::Tiff) => "a TIFF's places lie all over the file",
            _ => "its format is not one of which copies are made",
        }))
    }
}
