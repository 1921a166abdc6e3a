//! Encodes a picture as a file.

mod jpeg;
mod thumb_hash;
mod webp;

pub use jpeg::jpeg;
pub use thumb_hash::thumb_hash;
pub use webp::webp;

use crate::spec::{Encoding, Spec};
use crate::{CancelFlag, PhotoError, Picture, Size};

/// Encodes a picture in the format of its spec, with no metadata except the colour profile.
///
/// # Errors
/// [`PhotoError::Corrupt`] if the encoder refuses the pixels; [`PhotoError::Cancelled`], except for a JPEG, which
/// libjpeg-turbo encodes in one call.
pub(crate) fn encode(
    picture: &Picture,
    spec: &Spec,
    icc_profile: Option<&[u8]>,
    cancel: &CancelFlag,
) -> Result<Vec<u8>, PhotoError> {
    match spec.encoding {
        Encoding::Jpeg => jpeg(picture, spec.quality, icc_profile),
        Encoding::WebP => webp(picture, spec.quality, icc_profile, cancel),
    }
}

/// Most bytes that the encoder takes for a picture of this size, besides the picture and the file.
pub(crate) fn memory(spec: &Spec, size: Size, is_planar: bool) -> u64 {
    match spec.encoding {
        Encoding::Jpeg => 0,
        Encoding::WebP => size.pixels() * webp::bytes_of_a_pixel(size, is_planar),
    }
}
