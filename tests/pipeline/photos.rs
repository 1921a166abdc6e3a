//! Test photos: the committed one, and what is made from it in code.

use std::io::Cursor;

use exif::experimental::Writer;
use exif::{Field, In, Tag, Value};
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

/// A HEIC of 360x480 pixels as displayed, with EXIF: quarters of [`QUARTERS`]. It is stored turned, and both its
/// properties and its EXIF say so.
pub fn heic() -> Vec<u8> {
    std::fs::read(root().join("tests/photos/quarters-turned.heic")).unwrap()
}

/// Red, green and blue of the HEIC's quarters, as rows of text are read.
pub const QUARTERS: [[u8; 3]; 4] = [[200, 40, 40], [40, 160, 60], [50, 70, 200], [220, 200, 60]];

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
    with_exif(&turned, &[(Tag::Orientation, Value::Short(vec![orientation]))])
}

/// A JPEG with these fields of EXIF in an APP1 segment of its own.
pub fn with_exif(jpeg: &[u8], fields: &[(Tag, Value)]) -> Vec<u8> {
    let segment = [b"Exif\0\0", &exif_block(fields)[..]].concat();
    let length = (segment.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &segment, &jpeg[2..]].concat()
}

pub fn text(text: &str) -> Value {
    Value::Ascii(vec![text.into()])
}

fn exif_block(fields: &[(Tag, Value)]) -> Vec<u8> {
    let fields = fields.iter().cloned();
    let fields: Vec<Field> =
        fields.map(|(tag, value)| Field { tag, ifd_num: In::PRIMARY, value }).collect();
    let mut writer = Writer::new();
    fields.iter().for_each(|field| writer.push_field(field));
    let mut block = Cursor::new(Vec::new());
    writer.write(&mut block, false).unwrap();
    block.into_inner()
}

/// An AVIF with these fields of EXIF and no picture (ISO/IEC 23008-12 annex A): item 1 is of type
/// Exif, and lies in the box of metadata itself.
pub fn avif(fields: &[(Tag, Value)]) -> Vec<u8> {
    let boxed = |name: &[u8; 4], data: &[u8]| {
        [&(data.len() as u32 + 8).to_be_bytes()[..], name, data].concat()
    };
    let item = [b"\0\0\0\0", &exif_block(fields)[..]].concat();
    let entry = boxed(b"infe", b"\x02\0\0\0\0\x01\0\0Exif\0");
    let length = (item.len() as u32).to_be_bytes();
    let place = [b"\x01\0\0\0\x44\0\0\x01\0\x01\0\x01\0\0\0\x01\0\0\0\0", &length[..]].concat();
    let meta = [
        b"\0\0\0\0",
        &boxed(b"iinf", &[b"\0\0\0\0\0\x01", &entry[..]].concat())[..],
        &boxed(b"iloc", &place),
        &boxed(b"idat", &item),
    ];
    [boxed(b"ftyp", b"avif\0\0\0\0mif1avif"), boxed(b"meta", &meta.concat())].concat()
}

/// A photo of 26615x8000 pixels, 213 megapixels: five times the reference photo, side by side.
pub fn panorama(is_progressive: bool) -> Vec<u8> {
    side_by_side(5, is_progressive)
}

/// The reference photo some times: each has 43 megapixels.
pub fn side_by_side(times: usize, is_progressive: bool) -> Vec<u8> {
    let one = turbojpeg::decompress_to_yuv(&reference()).unwrap();
    let (width, height) = (times * one.width, one.height);
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
