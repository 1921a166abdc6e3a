//! Pictures and JPEGs for tests.

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::encode;
use crate::{Picture, Pixels, Size};

/// A picture whose channels and sides all differ, so that a test notices if they are swapped.
pub fn gradient(width: u32, height: u32, channels: usize) -> Pixels {
    let mut pixels = Pixels::black(Size { width, height }, channels);
    let row_length = pixels.row_length();
    for (y, row) in pixels.data.chunks_exact_mut(row_length).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(channels).enumerate() {
            let values = [x * 255 / width as usize, y * 255 / height as usize, 64];
            pixel.iter_mut().zip(values).for_each(|(channel, value)| *channel = value as u8);
        }
    }
    pixels
}

pub fn gradient_jpeg(width: u32, height: u32, channels: usize) -> Vec<u8> {
    encode::jpeg(&Picture::Packed(gradient(width, height, channels)), 0.9, None).unwrap()
}

pub fn coded(pixels: &Pixels, progressive: bool, arithmetic: bool) -> Vec<u8> {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(90).unwrap();
    compressor.set_subsamp(Subsamp::Sub2x2).unwrap();
    compressor.set_progressive(progressive).unwrap();
    compressor.set_arithmetic(arithmetic).unwrap();
    let image = Image {
        pixels: pixels.data.as_slice(),
        width: pixels.size.width as usize,
        pitch: pixels.row_length(),
        height: pixels.size.height as usize,
        format: PixelFormat::RGB,
    };
    compressor.compress_to_vec(image).unwrap()
}
