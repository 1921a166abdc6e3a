//! Converts a decoder's samples to pixels that a JPEG can hold: 8 bits, gray or RGB, opaque.

use super::{Area, Decoded, DecodedPlane, Pixels, cmyk};
use crate::Size;

/// Most cells of a side of the grid that tells how opaque a picture is.
const CELLS: u32 = 100;

/// The meaning of a pixel's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub colour: Colour,
    pub alpha: Alpha,
    /// Whether samples have 16 bits, in the machine's byte order, instead of 8.
    pub is_deep: bool,
}

/// The colour model of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Gray,
    Rgb,
    /// YCbCr as in JFIF: full range, with the coefficients of BT.601.
    YCbCr,
    /// Inks, where 0 is no ink.
    Cmyk,
}

/// The sample after the colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpha {
    None,
    Straight,
    /// The colours are already multiplied by alpha (TIFF 6.0 page 69, associated alpha).
    Associated,
}

impl Layout {
    pub fn bytes_per_pixel(self) -> u64 {
        let samples = self.colours() + u8::from(self.alpha != Alpha::None);
        u64::from(samples * if self.is_deep { 2 } else { 1 })
    }

    /// The number of colour samples in a pixel.
    pub fn colours(self) -> u8 {
        match self.colour {
            Colour::Gray => 1,
            Colour::Rgb | Colour::YCbCr => 3,
            Colour::Cmyk => 4,
        }
    }
}

/// Converts samples of this layout to gray or RGB, in place: transparent pixels are put on white, and inks
/// are converted through their colour profile.
pub(crate) fn to_displayable(
    samples: Vec<u8>,
    size: Size,
    layout: Layout,
    profile: Option<&[u8]>,
) -> Decoded {
    let mut data = samples;
    if layout.is_deep {
        to_eight_bits(&mut data);
    }
    let opacity = match layout.alpha {
        Alpha::None => None,
        Alpha::Straight | Alpha::Associated => {
            let colours = usize::from(layout.colours());
            opacity_of(data.iter().skip(colours).step_by(colours + 1), size)
        }
    };
    // White is no ink.
    let white = if layout.colour == Colour::Cmyk { 0 } else { 255 };
    match layout.alpha {
        Alpha::None => {}
        Alpha::Straight => flatten(&mut data, layout.colours(), |colour, alpha| {
            (colour * alpha + white * (255 - alpha) + 127) / 255
        }),
        Alpha::Associated => flatten(&mut data, layout.colours(), |colour, alpha| {
            (colour + white * (255 - alpha) / 255).min(255)
        }),
    }
    let channels = match layout.colour {
        Colour::Gray => 1,
        Colour::Rgb => 3,
        Colour::YCbCr => {
            data.as_chunks_mut().0.iter_mut().for_each(|pixel| *pixel = ycc_to_rgb(*pixel));
            3
        }
        Colour::Cmyk => {
            data = cmyk::to_srgb(data, profile);
            3
        }
    };
    let content = Area::of_size(size.width.into(), size.height.into());
    let plane = DecodedPlane { range: 0..data.len(), size, channels, content };
    Decoded { data, planes: vec![plane], opacity }
}

/// The mean alpha of each cell of a grid over a picture; `None` if all of it is opaque.
pub(crate) fn opacity_of<'a>(
    alpha: impl IntoIterator<Item = &'a u8>,
    Size { width, height }: Size,
) -> Option<Pixels> {
    let size = Size { width: width.min(CELLS), height: height.min(CELLS) };
    let column_of: Vec<usize> = (0..u64::from(width))
        .map(|x| (x * u64::from(size.width) / u64::from(width)) as usize)
        .collect();
    let mut cells = vec![(0u64, 0u64); size.pixels() as usize];
    let mut samples = alpha.into_iter();
    for y in 0..u64::from(height) {
        let row = (y * u64::from(size.height) / u64::from(height)) as usize * size.width as usize;
        for (column, sample) in column_of.iter().zip(samples.by_ref()) {
            let (sum, count) = &mut cells[row + column];
            *sum += u64::from(*sample);
            *count += 1;
        }
    }
    let is_opaque = cells.iter().all(|(sum, count)| *sum == 255 * count);
    let mean = |(sum, count): (u64, u64)| (sum + count / 2).checked_div(count).unwrap_or(255) as u8;
    let data = cells.into_iter().map(mean).collect();
    (!is_opaque).then_some(Pixels { data, size, channels: 1 })
}

/// Converts 16 bits to 8: divides by 257 and rounds, so that 65535 becomes 255.
fn to_eight_bits(data: &mut Vec<u8>) {
    let count = data.len() / 2;
    for index in 0..count {
        let sample = u16::from_ne_bytes([data[2 * index], data[2 * index + 1]]);
        data[index] = ((u32::from(sample) + 128) / 257) as u8;
    }
    data.truncate(count);
}

/// Converts a pixel from YCbCr to RGB (JFIF 1.02 page 3).
fn ycc_to_rgb([luma, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (luma, cb, cr) = (f32::from(luma), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let rgb = [luma + 1.402 * cr, luma - 0.344_136 * cb - 0.714_136 * cr, luma + 1.772 * cb];
    rgb.map(|channel| channel.round() as u8)
}

/// Puts every pixel onto white, and drops its alpha.
fn flatten(data: &mut Vec<u8>, colours: u8, on_white: impl Fn(u16, u16) -> u16) {
    let colours = usize::from(colours);
    let count = data.len() / (colours + 1);
    for pixel in 0..count {
        let from = pixel * (colours + 1);
        let alpha = u16::from(data[from + colours]);
        for colour in 0..colours {
            data[pixel * colours + colour] = on_white(u16::from(data[from + colour]), alpha) as u8;
        }
    }
    data.truncate(count * colours);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(samples: &[u8], colour: Colour, alpha: Alpha, is_deep: bool) -> Vec<u8> {
        let size = Size { width: 1, height: 1 };
        to_displayable(samples.to_vec(), size, Layout { colour, alpha, is_deep }, None).data
    }

    #[test]
    fn transparent_pixels_are_put_on_white() {
        let straight =
            |alpha| converted(&[0, 100, 200, alpha], Colour::Rgb, Alpha::Straight, false);
        assert_eq!(straight(255), [0, 100, 200]);
        assert_eq!(straight(0), [255, 255, 255]);
        assert_eq!(straight(51), [204, 224, 244]);
        let associated = converted(&[0, 20, 40, 51], Colour::Rgb, Alpha::Associated, false);
        assert_eq!(associated, [204, 224, 244]);
        let brighter_than_its_alpha =
            converted(&[200, 100], Colour::Gray, Alpha::Associated, false);
        assert_eq!(brighter_than_its_alpha, [255]);
        let inks = |alpha| converted(&[255, 0, 0, 0, alpha], Colour::Cmyk, Alpha::Straight, false);
        assert_eq!(inks(255), [0, 255, 255]);
        assert_eq!(inks(0), [255, 255, 255]);
        assert_eq!(inks(51), [204, 255, 255]);
        let associated = converted(&[51, 0, 0, 0, 51], Colour::Cmyk, Alpha::Associated, false);
        assert_eq!(associated, [204, 255, 255]);
    }

    #[test]
    fn opacity_is_the_mean_of_a_grids_cells() {
        let size = Size { width: 250, height: 2 };
        let alpha = |x: u32| if x < 125 { 255 } else { 0 };
        let row: Vec<u8> = (0..size.width).map(alpha).collect();
        let opacity = opacity_of(&row.repeat(2), size).unwrap();
        assert_eq!(opacity.size, Size { width: 100, height: 2 });
        assert_eq!(opacity.data[..50], [255; 50]);
        assert_eq!(opacity.data[50..100], [0; 50]);
        assert_eq!(opacity.data[100..], opacity.data[..100]);
        assert_eq!(opacity_of(&[255; 500], size), None);
        let one = opacity_of(&[255, 0, 255, 255], Size { width: 2, height: 2 }).unwrap();
        assert_eq!(one.data, [255, 0, 255, 255]);
    }

    #[test]
    fn samples_of_16_bits_are_rounded_to_the_nearest() {
        let samples = [0u16, 128, 129, 0x8000, 65406, 65407, 65535].map(u16::to_ne_bytes).concat();
        let gray = converted(&samples, Colour::Gray, Alpha::None, true);
        assert_eq!(gray, [0, 0, 1, 128, 254, 255, 255]);
    }

    #[test]
    fn each_ink_darkens_its_complementary_colour() {
        let inks = [[0, 0, 0, 0], [255, 0, 0, 0], [0, 0, 0, 255], [0, 255, 51, 51]].concat();
        let rgb = converted(&inks, Colour::Cmyk, Alpha::None, false);
        assert_eq!(rgb, [255, 255, 255, 0, 255, 255, 0, 0, 0, 204, 0, 163]);
    }
}
