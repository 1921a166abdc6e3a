//! A photo's thumbnail: decode what it needs, shrink, turn upright, encode.

use std::panic;

use crate::photo::{CancelFlag, Header, Orientation, PhotoError, Picture, Size, jpeg};

/// How thumbnails are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Thumbnail side over photo side, greater than 0, at most 1.
    pub scale: f64,
    /// IJG quality divided by 100, 0.01 to 1.
    pub quality: f64,
    /// What the pixels may cost.
    pub resampling: Resampling,
}

/// How many of a photo's frequencies go into its thumbnail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resampling {
    /// Decodes at twice the thumbnail's size at least, and shrinks with Lanczos3: not below
    /// Thumbnailator on any photo measured.
    Best,
    /// Decodes at the thumbnail's size where libjpeg-turbo can.
    Fast,
}

impl Resampling {
    /// The smallest of libjpeg-turbo's eighths at which to decode for a thumbnail of this scale.
    fn eighths(self, scale: f64) -> u32 {
        let margin = match self {
            Resampling::Best => 2.0,
            Resampling::Fast => 1.0,
        };
        (1..8).find(|eighths| f64::from(*eighths) >= 8.0 * margin * scale).unwrap_or(8)
    }
}

/// How one photo is made small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The eighths of its size at which a JPEG is decoded.
    pub eighths: u32,
    /// Bytes of memory that it takes at most, the file not counted.
    pub memory: u64,
    /// Whether it is decoded at less than [`Resampling::Best`] would, as memory is short.
    pub is_reduced: bool,
}

impl Options {
    /// The best plan that takes no more than `memory` bytes, else the one that takes the least.
    pub fn plan(&self, header: &Header, memory: u64) -> Plan {
        let least = Resampling::Fast.eighths(self.scale);
        let mut eighths = self.resampling.eighths(self.scale);
        let wanted = eighths;
        while eighths > least && header.memory(eighths, self.scale) > memory {
            eighths -= 1;
        }
        let memory = header.memory(eighths, self.scale);
        Plan { eighths, memory, is_reduced: eighths < wanted }
    }
}

/// A finished thumbnail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// A baseline JPEG, 4:2:0 or gray, without metadata but for the colour profile.
    pub jpeg: Vec<u8>,
    /// As displayed.
    pub size: Size,
}

/// Makes the thumbnail of a photo whose header was read and found within the limits.
///
/// # Errors
/// Any [`PhotoError`] of the decoder; its panics too, as [`PhotoError::DecoderPanic`];
/// [`PhotoError::Cancelled`] if the flag is raised meanwhile.
pub fn render(
    photo: &[u8],
    header: &Header,
    orientation: Orientation,
    options: Options,
    eighths: u32,
    cancel: &CancelFlag,
) -> Result<Thumbnail, PhotoError> {
    without_unwinding(|| {
        let picture = picture(photo, header, orientation, options.scale, eighths, cancel)?;
        cancel.check()?;
        let jpeg = jpeg::encode(&picture, options.quality, header.icc_profile.as_deref())?;
        Ok(Thumbnail { jpeg, size: picture.size() })
    })
}

/// The thumbnail's pixels before they are coded: decoded, shrunk and upright.
///
/// # Errors
/// Any [`PhotoError`] of the decoder; [`PhotoError::Cancelled`] if the flag is raised meanwhile.
pub fn picture(
    photo: &[u8],
    header: &Header,
    orientation: Orientation,
    scale: f64,
    eighths: u32,
    cancel: &CancelFlag,
) -> Result<Picture, PhotoError> {
    let decoded = header.decode(photo, eighths, cancel)?;
    let shrunk = decoded.shrink(header.size.scaled(scale), orientation.mirrors_stored())?;
    drop(decoded);
    cancel.check()?;
    Ok(shrunk.map(|plane| orientation.apply(plane)))
}

/// Makes a decoder's panic a failure of the photo that raised it.
///
/// # Errors
/// Those of `read`, which only reads what it borrows; its panics, as [`PhotoError::DecoderPanic`].
pub fn without_unwinding<T>(read: impl FnOnce() -> Result<T, PhotoError>) -> Result<T, PhotoError> {
    // Nothing half-changed survives an unwinding.
    panic::catch_unwind(panic::AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(PhotoError::DecoderPanic(panic_message(&*panic))))
}

/// The text that a panic was raised with.
fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::{Format, Pixels, icc, inspect};

    const OPTIONS: Options = Options { scale: 0.25, quality: 0.9, resampling: Resampling::Best };

    fn photo(width: u32, height: u32, channels: usize) -> Vec<u8> {
        let mut pixels = Pixels::black(Size { width, height }, channels);
        pixels.data.iter_mut().enumerate().for_each(|(i, byte)| *byte = (i / 7) as u8);
        jpeg::encode(&Picture::Packed(pixels), 0.9, None).unwrap()
    }

    fn header(photo: &[u8]) -> Header {
        inspect(photo, Format::of(photo), u64::MAX, &CancelFlag::default()).unwrap()
    }

    fn rendered_size(photo: &[u8], orientation: Orientation, scale: f64) -> Size {
        let header = header(photo);
        let sizes = [Resampling::Best, Resampling::Fast].map(|resampling| {
            let options = Options { scale, resampling, ..OPTIONS };
            let eighths = options.plan(&header, u64::MAX).eighths;
            let thumbnail =
                render(photo, &header, orientation, options, eighths, &CancelFlag::default())
                    .unwrap();
            let size_in_file = self::header(&thumbnail.jpeg).size;
            assert_eq!(size_in_file, thumbnail.size);
            size_in_file
        });
        assert_eq!(sizes[0], sizes[1]);
        sizes[0]
    }

    #[test]
    fn the_dct_step_is_the_smallest_that_the_resampling_allows() {
        let scales = [1.0, 0.9, 0.5, 0.4, 0.25, 0.2, 0.125, 0.01];
        let fast = scales.map(|scale| Resampling::Fast.eighths(scale));
        assert_eq!(fast, [8, 8, 4, 4, 2, 2, 1, 1]);
        let best = scales.map(|scale| Resampling::Best.eighths(scale));
        assert_eq!(best, [8, 8, 8, 7, 4, 4, 2, 1]);
    }

    #[test]
    fn sides_follow_thumbnailators_rounding_at_every_remainder_and_scale() {
        for width in 61..=68 {
            let jpeg = photo(width, 40, 3);
            for scale in [0.25, 0.1, 0.3, 0.5, 1.0] {
                let expected = Size { width, height: 40 }.scaled(scale);
                assert_eq!(rendered_size(&jpeg, Orientation::Upright, scale), expected);
            }
        }
    }

    #[test]
    fn thin_photos_keep_their_length() {
        let (wide, tall) = (Size { width: 40, height: 1 }, Size { width: 1, height: 40 });
        for size in [wide, tall] {
            let jpeg = photo(size.width, size.height, 3);
            assert_eq!(rendered_size(&jpeg, Orientation::Upright, 0.5), size.scaled(0.5));
        }
    }

    #[test]
    fn the_colour_profile_is_kept() {
        let profile = icc::sample(b"RGB ", 300);
        let black = Picture::Packed(Pixels::black(Size { width: 16, height: 16 }, 3));
        let photo = jpeg::encode(&black, 0.9, Some(&profile)).unwrap();
        let thumbnail = render(
            &photo,
            &header(&photo),
            Orientation::Upright,
            OPTIONS,
            3,
            &CancelFlag::default(),
        )
        .unwrap();
        assert_eq!(header(&thumbnail.jpeg).icc_profile, Some(profile));
    }

    #[test]
    fn gray_photos_are_resized_too() {
        let expected = Size { width: 19, height: 12 };
        assert_eq!(rendered_size(&photo(64, 40, 1), Orientation::Upright, 0.3), expected);
    }

    #[test]
    fn the_thumbnail_of_a_turned_photo_has_its_sides_swapped() {
        let expected = Size { width: 10, height: 16 };
        assert_eq!(rendered_size(&photo(64, 40, 3), Orientation::TurnClockwise, 0.25), expected);
    }

    #[test]
    fn a_panic_while_rendering_is_a_failure_of_that_photo() {
        let number = 7;
        for (failure, expected) in [
            (without_unwinding::<()>(|| panic!("all is lost")), "all is lost"),
            (without_unwinding(|| panic!("{number} is odd")), "7 is odd"),
        ] {
            assert_eq!(failure, Err(PhotoError::DecoderPanic(expected.to_owned())));
        }
    }
}
