//! The EXIF orientation: how a stored picture must be turned to stand upright.

use super::{Pixels, Size};

/// Where the stored first row and first column belong in the displayed picture
/// (tag 0x0112, EXIF 2.32 clause 4.6.4 A; TIFF 6.0 page 36).
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
    /// The orientation a tag's value stands for; a missing or illegal one counts as upright.
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

    fn swaps_sides(self) -> bool {
        use Orientation::*;
        matches!(self, Transposed | TurnClockwise | Transversed | TurnCounterClockwise)
    }

    /// The size as displayed of a picture of `stored` size.
    pub fn displayed(self, stored: Size) -> Size {
        if self.swaps_sides() {
            Size { width: stored.height, height: stored.width }
        } else {
            stored
        }
    }

    /// The picture as displayed.
    pub fn apply(self, stored: Pixels) -> Pixels {
        if self == Orientation::Upright {
            return stored;
        }
        let mut displayed = Pixels::black(self.displayed(stored.size), stored.channels);
        let row_length = displayed.row_length();
        for (y, row) in displayed.data.chunks_exact_mut(row_length).enumerate() {
            for (x, pixel) in row.chunks_exact_mut(stored.channels).enumerate() {
                let (stored_x, stored_y) = self.stored_position(x, y, stored.size);
                let start = (stored_y * stored.size.width as usize + stored_x) * stored.channels;
                pixel.copy_from_slice(&stored.data[start..start + stored.channels]);
            }
        }
        displayed
    }

    /// Where the displayed pixel (x, y) is stored.
    fn stored_position(self, x: usize, y: usize, stored: Size) -> (usize, usize) {
        let (right, bottom) = (stored.width as usize - 1, stored.height as usize - 1);
        match self {
            Orientation::Upright => (x, y),
            Orientation::MirroredHorizontally => (right - x, y),
            Orientation::UpsideDown => (right - x, bottom - y),
            Orientation::MirroredVertically => (x, bottom - y),
            Orientation::Transposed => (y, x),
            Orientation::TurnClockwise => (y, bottom - x),
            Orientation::Transversed => (right - y, bottom - x),
            Orientation::TurnCounterClockwise => (right - y, x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the tag's eight values store this picture, written down from the figure in TIFF 6.0:
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
