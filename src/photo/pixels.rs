//! A decoded picture in memory.

use super::Size;

/// Pixels of 8 bits a channel, rows from the top, no padding between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// `width * height * channels` bytes.
    pub data: Vec<u8>,
    /// In pixels.
    pub size: Size,
    /// 1 (gray) or 3 (red, green, blue).
    pub channels: usize,
}

impl Pixels {
    /// A black picture.
    pub fn black(size: Size, channels: usize) -> Pixels {
        let length = size.width as usize * size.height as usize * channels;
        Pixels { data: vec![0; length], size, channels }
    }

    /// Bytes in one row.
    pub fn row_length(&self) -> usize {
        self.size.width as usize * self.channels
    }
}
