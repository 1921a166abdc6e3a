//! HEIC in a build without its decoder, the feature `heic`: none has a header.

use std::convert::Infallible;

use crate::pixels::Decoded;
use crate::{CancelFlag, DctScale, Orientation, PhotoError, Picture, Size};

/// What there is none of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub size: Size,
    pub orientation: Orientation,
    pub profile: Option<Vec<u8>>,
    pub colours: Colours,
}

/// What there is none of, so that there is no [`Header`] either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colours(Infallible);

impl Colours {
    pub fn to_jpeg(self, _picture: Picture) -> Picture {
        match self.0 {}
    }
}

impl Header {
    pub fn stored(&self) -> Size {
        match self.colours.0 {}
    }

    pub fn memory(&self, _scale: DctScale) -> u64 {
        match self.colours.0 {}
    }

    pub fn is_planar(&self) -> bool {
        match self.colours.0 {}
    }

    pub fn eighths(&self, _scale: DctScale) -> u32 {
        match self.colours.0 {}
    }
}

/// # Errors
/// [`PhotoError::UnsupportedFormat`].
pub(super) fn header(_photo: &[u8], _cancel: &CancelFlag) -> Result<Header, PhotoError> {
    let what = "HEIC, which this build cannot decode (feature heic),";
    Err(PhotoError::UnsupportedFormat(what.into()))
}

pub(super) fn decode(
    _photo: &[u8],
    header: &Header,
    _scale: DctScale,
    _cancel: &CancelFlag,
) -> Result<Decoded, PhotoError> {
    match header.colours.0 {}
}
