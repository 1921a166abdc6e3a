//! The EXIF orientation: the turn that makes a stored picture upright.

use super::Pixels;
use crate::Size;

/// The side of the displayed picture on which the first stored row and column lie (tag 0x0112, EXIF 2.32
/// clause 4.6.4 A; TIFF 6.0 page 36).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orientation {
    /// 1: as stored.
    #[default]
    Upright,
    /// 2: mirrored left to right.
    MirroredHorizontally,
    /// 3: turned by 180 degrees.
    UpsideDown,
    /// 4: mirrored top to bottom.
    MirroredVertically,
    /// 5: mirrored along the main diagonal.
    Transposed,
    /// 6: must be turned 90 degrees clockwise.
    TurnClockwise,
    /// 7: mirrored along the other diagonal.
    Transversed,
    /// 8: must be turned 90 degrees counter-clockwise.
    TurnCounterClockwise,
}

impl Orientation {
    /// The orientation for a tag's value. A missing or illegal value counts as upright.
    pub fn from_exif(value: Option<u16>) -> Orientation {
        match value {
            Some(2) => Orientation::MirroredHorizontally,
            Some(3) => Orientation::UpsideDown,
            Some(4) => Orientation::MirroredVertically,
            Some(5) => Orientation::Transposed,
            Some(6) => Orientation::TurnClockwise,
            Some(7) => Orientation::Transversed,
            Some(8) => Orientation::TurnCounterClockwise,
            _ => Orientation::Upright,
        }
    }

    /// The steps that turn a stored picture upright: whether to transpose it, then to mirror it left to
    /// right, then top to bottom.
    fn steps(self) -> (bool, bool, bool) {
        match self {
            Orientation::Upright => (false, false, false),
            Orientation::MirroredHorizontally => (false, true, false),
            Orientation::UpsideDown => (false, true, true),
            Orientation::MirroredVertically => (false, false, true),
            Orientation::Transposed => (true, false, false),
            Orientation::TurnClockwise => (true, true, false),
            Orientation::Transversed => (true, true, true),
            Orientation::TurnCounterClockwise => (true, false, true),
        }
    }

    /// The orientation with these steps.
    fn of_steps(steps: (bool, bool, bool)) -> Orientation {
        match steps {
            (false, false, false) => Orientation::Upright,
            (false, true, false) => Orientation::MirroredHorizontally,
            (false, true, true) => Orientation::UpsideDown,
            (false, false, true) => Orientation::MirroredVertically,
            (true, false, false) => Orientation::Transposed,
            (true, true, false) => Orientation::TurnClockwise,
            (true, true, true) => Orientation::Transversed,
            (true, false, true) => Orientation::TurnCounterClockwise,
        }
    }

    /// This turn, and then one of 90 degrees counter-clockwise.
    pub fn turned_counter_clockwise(self) -> Orientation {
        // Such a turn swaps rows and columns, then top and bottom.
        let (transpose, horizontally, vertically) = self.steps();
        Orientation::of_steps((!transpose, vertically, !horizontally))
    }

    /// This turn, and then left and right swapped.
    pub fn mirrored_horizontally(self) -> Orientation {
        let (transpose, horizontally, vertically) = self.steps();
        Orientation::of_steps((transpose, !horizontally, vertically))
    }

    /// This turn, and then top and bottom swapped.
    pub fn mirrored_vertically(self) -> Orientation {
        let (transpose, horizontally, vertically) = self.steps();
        Orientation::of_steps((transpose, horizontally, !vertically))
    }

    /// Whether the stored picture is mirrored along its width and along its height.
    pub fn mirrors_stored(self) -> (bool, bool) {
        let (transpose, horizontally, vertically) = self.steps();
        if transpose { (vertically, horizontally) } else { (horizontally, vertically) }
    }

    /// The displayed size of a picture of `stored` size.
    pub fn displayed(self, stored: Size) -> Size {
        let (transpose, ..) = self.steps();
        if transpose { stored.transposed() } else { stored }
    }

    /// Turns a stored picture upright.
    pub fn apply(self, stored: Pixels) -> Pixels {
        let (transpose, mirror_horizontally, mirror_vertically) = self.steps();
        let mut displayed = if transpose { stored.transposed() } else { stored };
        if mirror_horizontally {
            displayed.mirror_horizontally();
        }
        if mirror_vertically {
            displayed.mirror_vertically();
        }
        displayed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How this picture is stored under each of the tag's eight values, after the figure in TIFF 6.0:
    /// ```text
    /// a b c
    /// d e f
    /// ```
    const STORED: [(u16, u32, &[u8]); 8] = [
        (1, 3, b"abcdef"),
        (2, 3, b"cbafed"),
        (3, 3, b"fedcba"),
        (4, 3, b"defabc"),
        (5, 2, b"adbecf"),
        (6, 2, b"cfbead"),
        (7, 2, b"fcebda"),
        (8, 2, b"daebfc"),
    ];

    #[test]
    fn every_orientation_is_displayed_upright() {
        for (value, width, data) in STORED {
            let size = Size { width, height: 6 / width };
            let stored = Pixels { data: data.to_vec(), size, channels: 1 };
            let displayed = Orientation::from_exif(Some(value)).apply(stored);
            assert_eq!(displayed.data, b"abcdef", "orientation {value}");
            assert_eq!(displayed.size, Size { width: 3, height: 2 }, "orientation {value}");
        }
    }

    #[test]
    fn a_further_turn_is_made_after_the_first() {
        let size = Size { width: 3, height: 2 };
        for (value, width, data) in STORED {
            let first = Orientation::from_exif(Some(value));
            let stored = Pixels {
                data: data.to_vec(),
                size: Size { width, height: 6 / width },
                channels: 1,
            };
            let upright = Pixels { data: b"abcdef".to_vec(), size, channels: 1 };
            for (both, second) in [
                (first.turned_counter_clockwise(), Orientation::TurnCounterClockwise),
                (first.mirrored_horizontally(), Orientation::MirroredHorizontally),
                (first.mirrored_vertically(), Orientation::MirroredVertically),
            ] {
                let expected = second.apply(upright.clone());
                assert_eq!(both.apply(stored.clone()), expected, "{value}, {second:?}");
            }
        }
    }

    #[test]
    fn pictures_larger_than_a_tile_are_turned_completely() {
        let size = Size { width: 70, height: 45 };
        let pixel = |x: u32, y: u32| (x * 7 + y * 31) as u8;
        let rows = (0..size.height).flat_map(|y| (0..size.width).map(move |x| pixel(x, y)));
        let stored = Pixels { data: rows.collect(), size, channels: 1 };
        let turned = Orientation::TurnClockwise.apply(stored);
        for y in 0..size.width {
            for x in 0..size.height {
                let found = turned.data[(y * size.height + x) as usize];
                assert_eq!(found, pixel(y, size.height - 1 - x), "at {x}, {y}");
            }
        }
    }

    #[test]
    fn a_pixels_channels_stay_together() {
        let stored =
            Pixels { data: b"rgbRGB".to_vec(), size: Size { width: 2, height: 1 }, channels: 3 };
        assert_eq!(Orientation::UpsideDown.apply(stored).data, b"RGBrgb");
    }

    #[test]
    fn missing_and_illegal_values_count_as_upright() {
        for value in [None, Some(0), Some(9), Some(u16::MAX)] {
            assert_eq!(Orientation::from_exif(value), Orientation::Upright);
        }
    }
}
