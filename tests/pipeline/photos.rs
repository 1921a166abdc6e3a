//! Test photos: the committed one, and what is made from it in code.

use turbojpeg::{
    Compressor, Decompressor, Image, PixelFormat, ScalingFactor, Subsamp, Transform, TransformOp,
    YuvImage,
};

use crate::stack::root;

/// The reference photo, 5323x8000 pixels.
pub fn reference() -> Vec<u8> {
    std::fs::read(root().join("tests/photos/ref-5323x8000.jpg")).unwrap()
}

/// The reference photo under another ETag: a comment is added before its end.
pub fn reference_number(number: usize) -> Vec<u8> {
    let mut photo = reference();
    let end = photo.len() - 2;
    photo.splice(end..end, [0xFF, 0xFE, 0, 3, number as u8]);
    photo
}

/// A photo of 640x960 pixels without EXIF: the middle of the reference photo's eighth.
pub fn small() -> Vec<u8> {
    let eighth = decode(&reference(), ScalingFactor::ONE_EIGHTH);
    let cropped = Image { width: 640, height: 960, ..eighth.as_deref() };
    turbojpeg::compress(cropped, 95, Subsamp::Sub2x2).unwrap().to_vec()
}

/// The small photo as a camera held in the way that `orientation` says would have stored it.
pub fn small_stored_as(orientation: u16) -> Vec<u8> {
    let stored = match orientation {
        2 => TransformOp::Hflip,
        3 => TransformOp::Rot180,
        4 => TransformOp::Vflip,
        5 => TransformOp::Transpose,
        6 => TransformOp::Rot270,
        7 => TransformOp::Transverse,
        8 => TransformOp::Rot90,
        _ => TransformOp::None,
    };
    let turned = turbojpeg::transform(&Transform::op(stored), &small()).unwrap();
    let [high, low] = orientation.to_be_bytes();
    // One IFD with one entry: tag 0x0112, type SHORT, count 1, and the value.
    let tiff = [
        b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".as_slice(),
        &[high, low, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let length = (tiff.len() as u16 + 2).to_be_bytes();
    [&turned[..2], &[0xFF, 0xE1], &length, &tiff, &turned[2..]].concat()
}

/// A photo of 26615x8000 pixels, 213 megapixels: five times the reference photo, side by side.
pub fn panorama(is_progressive: bool) -> Vec<u8> {
    const TIMES: usize = 5;
    let one = turbojpeg::decompress_to_yuv(&reference()).unwrap();
    let (width, height) = (TIMES * one.width, one.height);
    let length = turbojpeg::yuv_pixels_len(width, 1, height, one.subsamp).unwrap();
    let mut pixels = Vec::with_capacity(length);
    let planes = [one.y_size(), one.uv_size(), one.uv_size()];
    // TurboJPEG's luma has an even number of columns.
    let columns = [width.next_multiple_of(2), width.div_ceil(2), width.div_ceil(2)];
    let mut start = 0;
    for ((width, height), columns) in planes.into_iter().zip(columns) {
        for row in one.pixels[start..start + width * height].chunks_exact(width) {
            pixels.extend(row.iter().cycle().take(columns));
        }
        start += width * height;
    }
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(77).unwrap();
    compressor.set_progressive(is_progressive).unwrap();
    let image =
        YuvImage { pixels: pixels.as_slice(), width, align: 1, height, subsamp: one.subsamp };
    compressor.compress_yuv_to_vec(image).unwrap()
}

/// The picture in a JPEG, as red, green and blue.
pub fn decode(jpeg: &[u8], scale: ScalingFactor) -> Image<Vec<u8>> {
    let mut decompressor = Decompressor::new().unwrap();
    decompressor.set_scaling_factor(scale).unwrap();
    let header = decompressor.read_header(jpeg).unwrap().scaled(scale);
    let (width, height) = (header.width, header.height);
    let pixels = vec![0; width * height * 3];
    let mut image = Image { pixels, width, pitch: width * 3, height, format: PixelFormat::RGB };
    decompressor.decompress(jpeg, image.as_deref_mut()).unwrap();
    image
}

/// How alike two pictures of one size are: the peak signal-to-noise ratio in dB.
pub fn psnr(a: &Image<Vec<u8>>, b: &Image<Vec<u8>>) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let squares = a.pixels.iter().zip(&b.pixels).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let mean_square = squares.sum::<f64>() / a.pixels.len() as f64;
    10.0 * (255.0 * 255.0 / mean_square).log10()
}

/// The segments of a JPEG before its image data: marker and content.
pub fn segments(jpeg: &[u8]) -> Vec<(u8, &[u8])> {
    let mut rest = &jpeg[2..];
    let mut segments = Vec::new();
    while let [0xFF, marker, high, low, ..] = *rest {
        let length = usize::from(u16::from_be_bytes([high, low]));
        segments.push((marker, &rest[4..2 + length]));
        if marker == 0xDA {
            break;
        }
        rest = &rest[2 + length..];
    }
    segments
}
