//! Pictures in memory.

use super::Size;

/// Pixels of 8 bits a channel, rows from the top, no padding between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// `width * height * channels` bytes.
    pub data: Vec<u8>,
    /// In pixels.
    pub size: Size,
    /// 1 (gray, luma or chroma) or 3 (red, green, blue).
    pub channels: usize,
}

impl Pixels {
    /// All zero.
    pub fn black(size: Size, channels: usize) -> Pixels {
        let length = size.width as usize * size.height as usize * channels;
        Pixels { data: vec![0; length], size, channels }
    }

    /// Bytes in one row.
    pub fn row_length(&self) -> usize {
        self.size.width as usize * self.channels
    }
}

/// A picture in the form in which it came and will be coded: a photo that is YCbCr stays so, as
/// converting it to RGB and back would cost time and accuracy and win nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// Gray or RGB.
    Packed(Pixels),
    /// Luma, and Cb and Cr of half its width and height, rounded up: 4:2:0.
    Planar([Pixels; 3]),
}

impl Picture {
    /// In pixels.
    pub fn size(&self) -> Size {
        match self {
            Picture::Packed(pixels) | Picture::Planar([pixels, ..]) => pixels.size,
        }
    }

    /// Every plane of it changed by `change`.
    pub fn map(self, change: impl Fn(Pixels) -> Pixels) -> Picture {
        match self {
            Picture::Packed(pixels) => Picture::Packed(change(pixels)),
            Picture::Planar(planes) => Picture::Planar(planes.map(change)),
        }
    }
}
