//! Pictures in memory: converts, shrinks and turns a decoder's samples until they can be encoded.

pub(crate) mod cmyk;
mod orientation;
pub(crate) mod samples;
mod shrink;
pub(crate) mod srgb;

pub use orientation::Orientation;
pub(crate) use shrink::memory_along_rows;
pub use shrink::{Area, Decoded, DecodedPlane};

use crate::Size;

/// Pixels of 8 bits per channel, in rows from top to bottom without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// The samples: `width * height * channels` bytes.
    pub data: Vec<u8>,
    /// Width and height in pixels.
    pub size: Size,
    /// Samples per pixel: 1 (gray, luma or chroma) or 3 (red, green, blue).
    pub channels: usize,
}

impl Pixels {
    /// Pixels that are all zero.
    pub fn black(size: Size, channels: usize) -> Pixels {
        let length = size.width as usize * size.height as usize * channels;
        Pixels { data: vec![0; length], size, channels }
    }

    /// The number of bytes in a row.
    pub fn row_length(&self) -> usize {
        self.size.width as usize * self.channels
    }

    /// A copy of the picture with rows and columns swapped.
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
    // Side of a tile in pixels: a tile stays in the cache while it is read across the rows.
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

/// A picture in the colour model in which it was decoded and will be encoded. A photo in YCbCr stays in
/// YCbCr, because converting it to RGB and back costs time and accuracy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// Gray or RGB.
    Packed(Pixels),
    /// Luma, and Cb and Cr of half its width and height, rounded up: 4:2:0.
    Planar([Pixels; 3]),
}

impl Picture {
    /// The size in pixels.
    pub fn size(&self) -> Size {
        match self {
            Picture::Packed(pixels) | Picture::Planar([pixels, ..]) => pixels.size,
        }
    }

    /// The first of its planes.
    pub(crate) fn into_luma(self) -> Pixels {
        match self {
            Picture::Packed(pixels) | Picture::Planar([pixels, ..]) => pixels,
        }
    }

    /// The picture with `change` applied to each plane.
    pub fn map(self, change: impl Fn(Pixels) -> Pixels) -> Picture {
        match self {
            Picture::Packed(pixels) => Picture::Packed(change(pixels)),
            Picture::Planar(planes) => Picture::Planar(planes.map(change)),
        }
    }
}
