//! Width and height.

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Size {
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

impl Size {
    /// The size with both sides multiplied by `scale` and rounded half up, at least 1. This is the rule of
    /// Thumbnailator's `scale(double)`, which applies `Math.round` to each side.
    ///
    /// ```
    /// use photo::Size;
    ///
    /// let photo = Size { width: 5323, height: 8000 };
    /// assert_eq!(photo.scaled(0.25), Size { width: 1331, height: 2000 });
    /// ```
    pub fn scaled(self, scale: f64) -> Size {
        let side = |length: u32| ((f64::from(length) * scale + 0.5).floor() as u32).max(1);
        Size { width: side(self.width), height: side(self.height) }
    }

    /// The size with width and height swapped.
    pub fn transposed(self) -> Size {
        Size { width: self.height, height: self.width }
    }

    /// The number of pixels.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_reference_photo_is_1331_by_2000() {
        let reference = Size { width: 5323, height: 8000 };
        assert_eq!(reference.scaled(0.25), Size { width: 1331, height: 2000 });
    }

    #[test]
    fn sides_round_half_up_and_never_vanish() {
        let scaled = |length| Size { width: length, height: 1 }.scaled(0.25).width;
        assert_eq!([1, 2, 5, 6, 7, 10].map(scaled), [1, 1, 1, 2, 2, 3]);
    }
}
