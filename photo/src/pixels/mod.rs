//! Pictures in memory: from a decoder's samples to what is encoded.

pub(crate) mod cmyk;
mod orientation;
pub(crate) mod samples;
mod shrink;

pub use orientation::Orientation;
pub use shrink::{Decoded, DecodedPlane};

use crate::Size;

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

    /// The picture with its rows as columns.
    pub fn transposed(&self) -> Pixels {
        let mut transposed = Pixels::black(self.size.transposed(), self.channels);
        let width = self.size.width as usize;
        match self.channels {
            1 => transpose::<1>(&self.data, &mut transposed.data, width),
            _ => transpose::<3>(&self.data, &mut transposed.data, width),
        }
        transposed
    }

    /// Swaps left and right.
    pub fn mirror_horizontally(&mut self) {
        let row_length = self.row_length();
        for row in self.data.chunks_exact_mut(row_length) {
            row.reverse();
            if self.channels > 1 {
                row.chunks_exact_mut(self.channels).for_each(<[u8]>::reverse);
            }
        }
    }

    /// Swaps top and bottom.
    pub fn mirror_vertically(&mut self) {
        let row_length = self.row_length();
        let (top, bottom) = self.data.split_at_mut(self.size.height as usize / 2 * row_length);
        for (upper, lower) in
            top.chunks_exact_mut(row_length).zip(bottom.chunks_exact_mut(row_length).rev())
        {
            upper.swap_with_slice(lower);
        }
    }
}

/// Writes rows of `width` pixels as columns.
fn transpose<const CHANNELS: usize>(rows: &[u8], columns: &mut [u8], width: usize) {
    // Tiles of this many pixels a side stay in the cache while they are read across the rows.
    const TILE: usize = 32;
    let (rows, columns) = (rows.as_chunks::<CHANNELS>().0, columns.as_chunks_mut::<CHANNELS>().0);
    let height = rows.len() / width;
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for x in left..width.min(left + TILE) {
                let column = &mut columns[x * height..][top..height.min(top + TILE)];
                let pixels = rows[top * width + x..].iter().step_by(width);
                column.iter_mut().zip(pixels).for_each(|(to, from)| *to = *from);
            }
        }
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
