//! Builds files part by part.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A PNG of these chunks, with a valid end chunk.
pub fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1A\n".to_vec();
    chunks.iter().for_each(|(kind, data)| png.extend(png_chunk(kind, data)));
    png.extend(png_chunk(b"IEND", b""));
    png
}

pub fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.sum().to_be_bytes()].concat()
}

pub fn png_header(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat()
}

pub fn zeros_compressed(count: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for start in (0..count).step_by(zeros.len()) {
        encoder.write_all(&zeros[..zeros.len().min(count - start)]).unwrap();
    }
    encoder.finish().unwrap()
}

/// A JPEG segment.
pub fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 2).to_be_bytes();
    [&[0xFF, marker], &length[..], payload].concat()
}

/// A box of an ISO base media file.
pub fn media_box(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&(data.len() as u32 + 8).to_be_bytes()[..], name, data].concat()
}

/// A HEIF whose meta box holds these boxes.
pub fn heif(boxes: &[Vec<u8>]) -> Vec<u8> {
    let meta = [b"\0\0\0\0", &boxes.concat()[..]].concat();
    [media_box(b"ftyp", b"heic\0\0\0\0mif1heic"), media_box(b"meta", &meta)].concat()
}

/// A chunk of a RIFF file.
pub fn riff_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [name, &(data.len() as u32).to_le_bytes()[..], data, &[0][..data.len() % 2]].concat()
}

pub fn webp(chunks: &[u8]) -> Vec<u8> {
    [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WEBP", chunks].concat()
}

/// A little-endian TIFF: `data`, then one directory whose values are 32-bit numbers.
pub fn tiff(entries: &[(u16, Vec<u32>)], data: &[u8]) -> Vec<u8> {
    let lists: usize = entries.iter().map(|(_, values)| values.len()).filter(|n| *n > 1).sum();
    let directory = 8 + data.len().next_multiple_of(2) + 4 * lists;
    let mut tiff = b"II*\0".to_vec();
    tiff.extend((directory as u32).to_le_bytes());
    tiff.extend(data);
    tiff.resize(8 + data.len().next_multiple_of(2), 0);
    let mut table = (entries.len() as u16).to_le_bytes().to_vec();
    for (tag, values) in entries {
        let place = if values.len() > 1 { tiff.len() as u32 } else { values[0] };
        if values.len() > 1 {
            tiff.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        table.extend([&tag.to_le_bytes()[..], &[4, 0]].concat());
        table.extend([(values.len() as u32).to_le_bytes(), place.to_le_bytes()].concat());
    }
    [tiff, table, vec![0; 4]].concat()
}

/// Offset of the data in a file of [`tiff`].
pub const TIFF_DATA: u32 = 8;

/// A PNG of 8x8 black pixels, with these chunks before and after the picture's.
pub fn small_png(before: &[u8], after: &[u8]) -> Vec<u8> {
    let header = png_chunk(b"IHDR", &png_header(8, 8, 8, 2));
    let pixels = png_chunk(b"IDAT", &zeros_compressed(8 * 25));
    let end = png_chunk(b"IEND", b"");
    [b"\x89PNG\r\n\x1A\n", &header[..], before, &pixels, after, &end].concat()
}

/// A gray TIFF of these strips, each of `rows` rows.
pub fn strips(
    (width, height, rows): (u32, u32, u32),
    compression: u32,
    offsets: Vec<u32>,
    lengths: Vec<u32>,
    data: &[u8],
) -> Vec<u8> {
    let entries = [
        (256, vec![width]),
        (257, vec![height]),
        (258, vec![8]),
        (259, vec![compression]),
        (262, vec![1]),
        (273, offsets),
        (277, vec![1]),
        (278, vec![rows]),
        (279, lengths),
    ];
    tiff(&entries, data)
}
