//! What is made of a photo, and which part of it at which size that is.

use std::fmt::{self, Display};

use crate::pixels::Area;
use crate::{Orientation, Size};

/// A rendition to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Its size.
    pub sizing: Sizing,
    /// The format of its file.
    pub encoding: Encoding,
    /// The encoder's quality divided by 100, 0.01 to 1. For JPEG it is that of the IJG, for WebP that of libwebp.
    pub quality: f64,
}

/// The size of a rendition. A box has a width and a height as displayed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sizing {
    /// Both sides of the photo as stored, multiplied by this number, greater than 0 and at most 1, and rounded as
    /// [`Size::scaled`] says.
    Scale(f64),
    /// The largest size inside of this box; the photo's own if that is inside.
    Fit(Size),
    /// This box, filled by the photo's centre. No pixel is enlarged: of a photo that is narrower or lower than
    /// the box, a rendition has the photo's own width or height.
    Cover(Size),
}

/// The format of a rendition's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Baseline JPEG, 4:2:0 or gray.
    Jpeg,
    /// Lossy WebP, 4:2:0.
    WebP,
}

/// A rendition's part of a photo, and its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    /// The part of the photo as stored, as fractions of its width and height.
    pub part: Area,
    /// The rendition's size before it is turned upright.
    pub size: Size,
    /// The rendition's pixels for each pixel of the photo, along a side.
    pub scale: f64,
}

impl Spec {
    /// A JPEG of both sides multiplied by `scale`, of this `quality`.
    pub const fn scaled(scale: f64, quality: f64) -> Spec {
        Spec { sizing: Sizing::Scale(scale), encoding: Encoding::Jpeg, quality }
    }
}

impl Encoding {
    /// The media type of such a file.
    pub fn media_type(self) -> &'static str {
        match self {
            Encoding::Jpeg => "image/jpeg",
            Encoding::WebP => "image/webp",
        }
    }

    /// Most pixels of a side: libjpeg-turbo's JPEG_MAX_DIMENSION (jmorecfg.h), libwebp's WEBP_MAX_DIMENSION
    /// (encode.h).
    pub(crate) fn max_side(self) -> u32 {
        match self {
            Encoding::Jpeg => 65_500,
            Encoding::WebP => 16_383,
        }
    }
}

impl Display for Encoding {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str(match self {
            Encoding::Jpeg => "JPEG",
            Encoding::WebP => "WebP",
        })
    }
}

impl Sizing {
    /// The size as displayed of a rendition of a photo of this size as displayed.
    pub fn of(self, displayed: Size) -> Size {
        self.frame(displayed, Orientation::Upright).size
    }

    /// What a rendition of this size shows of a photo.
    pub(crate) fn frame(self, stored: Size, orientation: Orientation) -> Frame {
        // The turn that makes a picture upright swaps its sides, or does not: so does the turn back.
        let ratios = |of_box: Size| {
            let Size { width, height } = orientation.displayed(of_box);
            (
                f64::from(width) / f64::from(stored.width),
                f64::from(height) / f64::from(stored.height),
            )
        };
        let whole =
            |scale| Frame { part: Area::of_size(1.0, 1.0), size: stored.scaled(scale), scale };
        match self {
            Sizing::Scale(scale) => whole(scale),
            Sizing::Fit(of_box) => {
                let (across, down) = ratios(of_box);
                whole(across.min(down).min(1.0))
            }
            Sizing::Cover(of_box) => {
                let (across, down) = ratios(of_box);
                let scale = across.max(down).min(1.0);
                let Frame { size: Size { width, height }, .. } = whole(scale);
                let of_box = orientation.displayed(of_box);
                let size =
                    Size { width: width.min(of_box.width), height: height.min(of_box.height) };
                let (left, width) = centre(size.width, width);
                let (top, height) = centre(size.height, height);
                Frame { part: Area { left, top, width, height }, size, scale }
            }
        }
    }
}

impl Frame {
    /// Whether the rendition shows the whole photo.
    pub fn is_whole(&self) -> bool {
        self.part == Area::of_size(1.0, 1.0)
    }
}

/// The start and the length of the middle `shown` of `all` pixels, as fractions.
fn centre(shown: u32, all: u32) -> (f64, f64) {
    let length = f64::from(shown) / f64::from(all);
    ((1.0 - length) / 2.0, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPRIGHT: Orientation = Orientation::Upright;
    const TURNED: Orientation = Orientation::TurnClockwise;

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    /// The size as displayed of a rendition of a photo that is stored in this size.
    fn displayed(sizing: Sizing, stored: Size, orientation: Orientation) -> (u32, u32) {
        let Size { width, height } = orientation.displayed(sizing.frame(stored, orientation).size);
        (width, height)
    }

    #[test]
    fn a_scale_multiplies_the_sides_as_stored() {
        let sizing = Sizing::Scale(0.25);
        assert_eq!(displayed(sizing, size(5323, 8000), UPRIGHT), (1331, 2000));
        assert_eq!(displayed(sizing, size(5323, 8000), TURNED), (2000, 1331));
        assert_eq!(displayed(sizing, size(1, 1), UPRIGHT), (1, 1));
    }

    #[test]
    fn a_rendition_that_fits_is_inside_of_its_box_as_displayed_and_never_enlarged() {
        for (of_box, stored, orientation, expected) in [
            (size(400, 400), size(5323, 8000), UPRIGHT, (266, 400)),
            (size(400, 400), size(5323, 8000), TURNED, (400, 266)),
            (size(1600, 900), size(4000, 3000), UPRIGHT, (1200, 900)),
            (size(1600, 900), size(3000, 4000), TURNED, (1200, 900)),
            (size(1600, 900), size(3000, 4000), UPRIGHT, (675, 900)),
            (size(400, 400), size(300, 200), UPRIGHT, (300, 200)),
            (size(400, 400), size(400, 1), UPRIGHT, (400, 1)),
            (size(1, 1), size(65_000, 3), UPRIGHT, (1, 1)),
        ] {
            let sizing = Sizing::Fit(of_box);
            assert_eq!(displayed(sizing, stored, orientation), expected, "{sizing:?} {stored:?}");
        }
        for side in 1..2000 {
            let (width, height) = displayed(Sizing::Fit(size(999, 777)), size(side, 1500), UPRIGHT);
            assert!(width <= 999 && height <= 777 && width <= side, "{side}: {width}x{height}");
            assert!(width == side.min(999) || height == 777 || width.abs_diff(side) <= 1);
        }
    }

    #[test]
    fn a_rendition_that_covers_fills_its_box_with_the_photos_centre() {
        for (of_box, stored, orientation, expected) in [
            (size(400, 400), size(5323, 8000), UPRIGHT, (400, 400)),
            (size(400, 300), size(4000, 3000), UPRIGHT, (400, 300)),
            (size(400, 300), size(3000, 4000), TURNED, (400, 300)),
            (size(400, 400), size(300, 1000), UPRIGHT, (300, 400)),
            (size(400, 400), size(300, 200), UPRIGHT, (300, 200)),
            (size(1, 1000), size(1000, 1000), UPRIGHT, (1, 1000)),
        ] {
            let sizing = Sizing::Cover(of_box);
            assert_eq!(displayed(sizing, stored, orientation), expected, "{sizing:?} {stored:?}");
        }
        let frame = Sizing::Cover(size(400, 400)).frame(size(4000, 8000), UPRIGHT);
        assert_eq!(frame.part, Area { left: 0.0, top: 0.25, width: 1.0, height: 0.5 });
        assert!(!frame.is_whole());
        assert!(Sizing::Cover(size(400, 800)).frame(size(4000, 8000), UPRIGHT).is_whole());
    }
}
