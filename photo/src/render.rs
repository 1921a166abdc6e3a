//! The third step: decodes as much as the renditions need, shrinks, turns upright and encodes.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use crate::encode;
use crate::pixels::{Decoded, srgb};
use crate::spec::{Encoding, Frame, Sizing, Spec};
use crate::{CancelFlag, PhotoError, Picture, Pixels, Plan, Size};

/// How many times as large as a rendition another must be at least for it to be shrunk from that one, and not from
/// the decoded photo: measured by `make quality`.
const MARGIN: f64 = 1.25;

/// Most pixels of a picture in a box beside which a large profile is not kept, and the bytes of such a profile: a
/// picture of 400 pixels has some 30 KB, sRGB's common profile has 3 KB, and Display P3's half a KB.
const SMALL_PICTURE: u64 = 250_000;
const LARGE_PROFILE: usize = 1024;

/// Everything that was made of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The renditions, in the order of their specs.
    pub renditions: Vec<Rendition>,
    /// The ThumbHash of the first of them, made of upright pixels in sRGB; `None` if it cannot be had.
    pub thumb_hash: Option<Vec<u8>>,
}

/// Pictures as stored, of all renditions.
struct Shrunk {
    pictures: Vec<Picture>,
    /// How opaque the whole photo is: see [`Decoded::opacity`].
    opacity: Option<Pixels>,
}

/// A finished rendition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// The file. It holds no metadata except the colour profile.
    pub file: Vec<u8>,
    /// The format of the file.
    pub encoding: Encoding,
    /// The size as displayed.
    pub size: Size,
}

impl Plan<'_> {
    /// Makes the renditions.
    ///
    /// # Errors
    /// Any [`PhotoError`] of the decoder; [`PhotoError::DecoderPanic`] if it panics;
    /// [`PhotoError::Cancelled`] if the flag is raised meanwhile.
    pub fn render(&self, cancel: &CancelFlag) -> Result<Rendered, PhotoError> {
        catch_panic(|| {
            let Shrunk { pictures, opacity } = self.shrunk(cancel)?;
            let mut rendered = Rendered { renditions: Vec::new(), thumb_hash: None };
            for ((spec, frame), picture) in self.renditions.iter().zip(pictures) {
                cancel.check()?;
                let picture = self.upright(picture);
                if rendered.renditions.is_empty() {
                    rendered.thumb_hash = self.thumb_hash(&picture, frame, opacity.as_ref());
                }
                rendered.renditions.push(self.encode(&picture, spec, cancel)?);
            }
            Ok(rendered)
        })
    }

    /// Makes the pixels of the renditions: decodes, shrinks and turns upright, but does not encode.
    ///
    /// # Errors
    /// Any [`PhotoError`] of the decoder; [`PhotoError::Cancelled`] if the flag is raised meanwhile.
    pub fn pictures(&self, cancel: &CancelFlag) -> Result<Vec<Picture>, PhotoError> {
        let Shrunk { pictures, .. } = self.shrunk(cancel)?;
        Ok(pictures.into_iter().map(|picture| self.upright(picture)).collect())
    }

    /// The pictures as stored. The largest are made first, so that smaller ones can be made of them.
    fn shrunk(&self, cancel: &CancelFlag) -> Result<Shrunk, PhotoError> {
        let decoded = self.decode(cancel)?;
        let mirrored = self.photo.orientation().mirrors_stored();
        let mut order: Vec<(usize, Frame)> =
            self.renditions.iter().map(|(_, frame)| *frame).enumerate().collect();
        order.sort_by(|(_, one), (_, other)| other.scale.total_cmp(&one.scale));
        let mut made: Vec<(usize, Frame, Picture)> = Vec::new();
        for (index, frame) in order {
            cancel.check()?;
            let is_source = |other: &Frame| other.is_whole() && other.scale >= MARGIN * frame.scale;
            let larger = made.iter().rev().find(|(_, other, _)| is_source(other));
            let source = larger.map_or(decoded.source(), |(.., picture)| picture.source(mirrored));
            let picture = source.shrink(frame.part, frame.size, mirrored)?;
            made.push((index, frame, picture));
        }
        made.sort_by_key(|(index, ..)| *index);
        let pictures = made.into_iter().map(|(.., picture)| picture).collect();
        Ok(Shrunk { pictures, opacity: decoded.opacity })
    }

    /// The ThumbHash of an upright picture. A placeholder is worth no photo.
    fn thumb_hash(
        &self,
        picture: &Picture,
        frame: &Frame,
        opacity: Option<&Pixels>,
    ) -> Option<Vec<u8>> {
        let shown = opacity.map(|opacity| {
            let whole = Picture::Packed(opacity.clone());
            let shown =
                whole.source((false, false)).shrink(frame.part, opacity.size, (false, false))?;
            Ok::<_, PhotoError>(self.photo.orientation().apply(shown.into_luma()))
        });
        let profile = self.header.icc_profile.as_deref();
        encode::thumb_hash(picture, shown.transpose().ok()?.as_ref(), profile).ok()
    }

    fn encode(
        &self,
        picture: &Picture,
        spec: &Spec,
        cancel: &CancelFlag,
    ) -> Result<Rendition, PhotoError> {
        let profile = self.header.icc_profile.as_deref();
        let in_srgb = profile
            .filter(|profile| is_too_large(profile, spec, picture.size()))
            .and_then(|profile| srgb::to_srgb(picture, profile));
        let file = match &in_srgb {
            Some(in_srgb) => encode::encode(in_srgb, spec, None, cancel),
            None => encode::encode(picture, spec, profile, cancel),
        }?;
        Ok(Rendition { file, encoding: spec.encoding, size: picture.size() })
    }

    fn upright(&self, picture: Picture) -> Picture {
        let orientation = self.photo.orientation();
        // Samples of chroma lie between pairs of pixels only when the picture is upright.
        self.header.coloured(picture.map(|plane| orientation.apply(plane)))
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

/// Whether a profile is large beside a picture: then the picture is converted to sRGB. A scaled photo keeps its own
/// colours whatever they cost.
fn is_too_large(profile: &[u8], spec: &Spec, size: Size) -> bool {
    let is_in_box = match spec.sizing {
        Sizing::Scale(_) => false,
        Sizing::Fit(_) | Sizing::Cover(_) => true,
    };
    is_in_box && size.pixels() <= SMALL_PICTURE && profile.len() > LARGE_PROFILE
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
    use crate::{Inspected, Policy, Resampling, Spec, inspect};

    fn photo(width: u32, height: u32, channels: usize) -> Vec<u8> {
        let mut pixels = Pixels::black(Size { width, height }, channels);
        pixels.data.iter_mut().enumerate().for_each(|(i, byte)| *byte = (i / 7) as u8);
        encode::jpeg(&Picture::Packed(pixels), 0.9, None).unwrap()
    }

    fn inspected(photo: &[u8]) -> Inspected<'_> {
        inspect(photo, Policy::default(), &CancelFlag::default())
    }

    fn render(photo: &Inspected<'_>, specs: &[Spec], resampling: Resampling) -> Vec<Rendition> {
        let plan = photo.plan(specs, resampling, u64::MAX).unwrap();
        plan.render(&CancelFlag::default()).unwrap().renditions
    }

    /// The size of the thumbnail of a photo with this EXIF orientation.
    fn rendered_size(photo: &[u8], orientation: u16, scale: f64) -> Size {
        let mut photo = inspected(photo);
        photo.facts.orientation = Some(orientation);
        let sizes = [Resampling::Best, Resampling::Fast].map(|resampling| {
            let made = render(&photo, &[Spec::scaled(scale, 0.9)], resampling).remove(0);
            assert_eq!(inspected(&made.file).size(), Some(made.size));
            made.size
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
        let jpeg = Spec::scaled(0.25, 0.9);
        for spec in [jpeg, Spec { encoding: Encoding::WebP, ..jpeg }] {
            let made = render(&inspected(&photo), &[spec], Resampling::Best).remove(0);
            let made = inspected(&made.file);
            assert_eq!(made.header().unwrap().icc_profile.as_ref(), Some(&profile), "{spec:?}");
        }
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
