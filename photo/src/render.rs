//! The third step: decodes as much as the thumbnail needs, shrinks, turns upright and encodes.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use crate::encode;
use crate::pixels::Decoded;
use crate::{CancelFlag, PhotoError, Picture, Plan, Size};

/// A finished thumbnail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// The file: a baseline JPEG, 4:2:0 or gray, with no metadata except the colour profile.
    pub jpeg: Vec<u8>,
    /// The size as displayed.
    pub size: Size,
}

impl Plan<'_> {
    /// Makes the thumbnail.
    ///
    /// # Errors
    /// Any [`PhotoError`] of the decoder; [`PhotoError::DecoderPanic`] if it panics;
    /// [`PhotoError::Cancelled`] if the flag is raised meanwhile.
    pub fn render(&self, cancel: &CancelFlag) -> Result<Thumbnail, PhotoError> {
        catch_panic(|| {
            let picture = self.picture(cancel)?;
            cancel.check()?;
            let jpeg =
                encode::jpeg(&picture, self.spec.quality, self.header.icc_profile.as_deref())?;
            Ok(Thumbnail { jpeg, size: picture.size() })
        })
    }

    /// Makes the thumbnail's pixels: decodes, shrinks and turns upright, but does not encode.
    ///
    /// # Errors
    /// Any [`PhotoError`] of the decoder; [`PhotoError::Cancelled`] if the flag is raised meanwhile.
    pub fn picture(&self, cancel: &CancelFlag) -> Result<Picture, PhotoError> {
        let orientation = self.photo.orientation();
        let decoded = self.decode(cancel)?;
        let target = self.header.size.scaled(self.spec.scale);
        let shrunk = decoded.shrink(target, orientation.mirrors_stored())?;
        drop(decoded);
        cancel.check()?;
        // Samples of chroma lie between pairs of pixels only when the picture is upright.
        Ok(self.header.coloured(shrunk.map(|plane| orientation.apply(plane))))
    }

    /// Decodes the photo's own pixels, as stored.
    ///
    /// # Errors
    /// Any [`PhotoError`] of the decoder; [`PhotoError::Cancelled`] if the flag is raised meanwhile, except
    /// for a JPEG, which libjpeg-turbo decodes in one call.
    pub fn decode(&self, cancel: &CancelFlag) -> Result<Decoded, PhotoError> {
        self.header.decode(self.photo.bytes, self.dct_scale, cancel)
    }
}

/// Turns a decoder's panic into a failure of the photo that caused it.
pub(crate) fn catch_panic<T>(
    read: impl FnOnce() -> Result<T, PhotoError>,
) -> Result<T, PhotoError> {
    // No half-changed state survives a panic: the closures only read what they borrow.
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(PhotoError::DecoderPanic(panic_message(&*panic))))
}

/// The message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::icc;
    use crate::{Inspected, Pixels, Policy, Resampling, Spec, inspect};

    const SPEC: Spec = Spec { scale: 0.25, quality: 0.9, resampling: Resampling::Best };

    fn photo(width: u32, height: u32, channels: usize) -> Vec<u8> {
        let mut pixels = Pixels::black(Size { width, height }, channels);
        pixels.data.iter_mut().enumerate().for_each(|(i, byte)| *byte = (i / 7) as u8);
        encode::jpeg(&Picture::Packed(pixels), 0.9, None).unwrap()
    }

    fn inspected(photo: &[u8]) -> Inspected<'_> {
        inspect(photo, Policy::default(), &CancelFlag::default())
    }

    fn render(photo: &Inspected, spec: Spec) -> Thumbnail {
        photo.plan(spec, u64::MAX).unwrap().render(&CancelFlag::default()).unwrap()
    }

    /// The size of the thumbnail of a photo with this EXIF orientation.
    fn rendered_size(photo: &[u8], orientation: u16, scale: f64) -> Size {
        let mut photo = inspected(photo);
        photo.facts.orientation = Some(orientation);
        let sizes = [Resampling::Best, Resampling::Fast].map(|resampling| {
            let thumbnail = render(&photo, Spec { scale, resampling, ..SPEC });
            assert_eq!(inspected(&thumbnail.jpeg).size(), Some(thumbnail.size));
            thumbnail.size
        });
        assert_eq!(sizes[0], sizes[1]);
        sizes[0]
    }

    #[test]
    fn sides_are_rounded_like_thumbnailators_at_every_remainder_and_scale() {
        for width in 61..=68 {
            let jpeg = photo(width, 40, 3);
            for scale in [0.25, 0.1, 0.3, 0.5, 1.0] {
                let expected = Size { width, height: 40 }.scaled(scale);
                assert_eq!(rendered_size(&jpeg, 1, scale), expected);
            }
        }
    }

    #[test]
    fn thin_photos_keep_their_length() {
        let (wide, tall) = (Size { width: 40, height: 1 }, Size { width: 1, height: 40 });
        for size in [wide, tall] {
            let jpeg = photo(size.width, size.height, 3);
            assert_eq!(rendered_size(&jpeg, 1, 0.5), size.scaled(0.5));
        }
    }

    #[test]
    fn the_colour_profile_is_kept() {
        let profile = icc::sample(b"RGB ", 300);
        let black = Picture::Packed(Pixels::black(Size { width: 16, height: 16 }, 3));
        let photo = encode::jpeg(&black, 0.9, Some(&profile)).unwrap();
        let thumbnail = render(&inspected(&photo), SPEC);
        let thumbnail = inspected(&thumbnail.jpeg);
        assert_eq!(thumbnail.header().unwrap().icc_profile, Some(profile));
    }

    #[test]
    fn gray_photos_are_resized_too() {
        let expected = Size { width: 19, height: 12 };
        assert_eq!(rendered_size(&photo(64, 40, 1), 1, 0.3), expected);
    }

    #[test]
    fn the_thumbnail_of_a_turned_photo_has_its_sides_swapped() {
        let expected = Size { width: 10, height: 16 };
        assert_eq!(rendered_size(&photo(64, 40, 3), 6, 0.25), expected);
    }

    #[test]
    fn a_panic_becomes_a_failure_of_the_photo() {
        let number = 7;
        for (failure, expected) in [
            (catch_panic::<()>(|| panic!("all is lost")), "all is lost"),
            (catch_panic(|| panic!("{number} is odd")), "7 is odd"),
        ] {
            assert_eq!(failure, Err(PhotoError::DecoderPanic(expected.to_owned())));
        }
    }
}
