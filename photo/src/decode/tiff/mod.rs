//! TIFF: the first picture of the file. Page numbers are those of TIFF 6.0.
//!
//! Crates undo the compressions. What the samples mean is decided here, because the tiff crate loses it:
//! it takes the differences of extra samples for those of colours, floating-point numbers for whole ones,
//! and knows neither the order of bits nor palettes.

mod bounds;
mod chunks;
mod codec;
mod fax;
mod rows;
mod stored;

use std::io::{self, ErrorKind, Read};
use std::iter::once;

use self::chunks::{Chunk, chunks};
use self::codec::Compression;
use self::rows::Painter;
use self::stored::{Meaning, Stored, corrupt, tag, unsupported};
use super::deflate::refuse_many_blocks;
use super::raster::refuse_padding;
use crate::container::raw;
use crate::container::tiff::Directory;
use crate::metadata::icc;
use crate::pixels::Decoded;
use crate::pixels::samples::{Colour, to_displayable};
use crate::{CancelFlag, PhotoError, Size};

/// Most bytes of a colour profile.
const MAX_PROFILE_BYTES: usize = 8 << 20;
/// Cap on computed bytes: a tile can declare 2^64 pixels, and the caller still adds to the result.
const MAX_COMPUTED_BYTES: u64 = 1 << 60;
/// Most components of a JPEG in a strip or tile.
const JPEG_COMPONENTS: u64 = 4;
/// Bytes that zune-jpeg holds for a sample: the sample itself, and a coefficient of 16 bits.
const JPEG_BYTES_OF_A_SAMPLE: u64 = 1 + 2;
/// Bytes of a decoder's tables and buffers, and of a palette.
const WORKING_BYTES: u64 = 1 << 20;
/// Bytes that the lists hold for each strip or tile.
const BYTES_OF_A_CHUNK: u64 = 128;

/// The properties of a photo that stand before its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub size: Size,
    /// The embedded colour profile, if it is for the photo's colours: gray, RGB or CMYK.
    pub profile: Option<Vec<u8>>,
    /// Most bytes that decoding takes.
    pub memory: u64,
    stored: Stored,
}

/// Reads the first directory.
///
/// # Errors
/// Any [`PhotoError`] that can be found without decoding the photo; [`PhotoError::Cancelled`].
pub(super) fn header(photo: &[u8], cancel: &CancelFlag) -> Result<Header, PhotoError> {
    let directory = first_directory(photo)?;
    if raw::is_preview(directory) {
        return Err(unsupported("a preview before the photo, as raw files have it"));
    }
    let stored = Stored::read(directory)?;
    cancel.check()?;
    // A photo with a broken profile is decoded without it.
    let profile = directory.field(tag::ICC_PROFILE).ok().flatten().map(|field| field.bytes);
    let profile = profile
        .filter(|profile| profile.len() <= MAX_PROFILE_BYTES)
        .filter(|profile| icc::fits(profile, stored.layout().colours()));
    let profile = profile.map(<[u8]>::to_vec);
    let memory = memory(&stored, photo.len() as u64);
    Ok(Header { size: stored.size, profile, memory, stored })
}

fn first_directory(photo: &[u8]) -> Result<Directory<'_>, PhotoError> {
    Directory::first(photo).ok_or_else(|| PhotoError::Truncated {
        bytes: photo.len(),
        what: "the directory is missing".into(),
    })
}

/// Most bytes that decoding a photo of `file_bytes` takes: the picture, a row of a strip or tile, and what
/// the decoder of its compression holds.
fn memory(stored: &Stored, file_bytes: u64) -> u64 {
    let picture = stored.size.pixels().saturating_mul(stored.layout().bytes_per_pixel());
    let of_compression = match stored.compression {
        // One strip or tile with its coefficients, its part of the file, and the colour profile that
        // zune-jpeg keeps of it.
        Compression::Jpeg => stored
            .chunk
            .width
            .saturating_mul(stored.chunk.height)
            .saturating_mul(JPEG_COMPONENTS * JPEG_BYTES_OF_A_SAMPLE)
            .saturating_add(2 * file_bytes),
        // A row, and the changes of colour in it and in the one before.
        Compression::Fax(_) => stored.chunk.width.saturating_mul(2 * 2 * 8),
        // A whole strip or tile.
        Compression::Lzw => stored.row_bytes().saturating_mul(stored.chunk.height),
        Compression::None | Compression::Deflate | Compression::PackBits => 0,
    };
    // A copy of the file whose bits are put into order.
    let reversed = if stored.is_reversed { file_bytes } else { 0 };
    let lists = stored.chunks().min(bounds::MAX_CHUNKS as u64) * BYTES_OF_A_CHUNK;
    [of_compression, stored.row_bytes(), reversed, lists, WORKING_BYTES]
        .into_iter()
        .fold(picture, u64::saturating_add)
        .min(MAX_COMPUTED_BYTES)
}

/// Decodes the whole picture.
///
/// # Errors
/// Any [`PhotoError`] of the decoder; [`PhotoError::Cancelled`].
pub(super) fn decode(
    photo: &[u8],
    header: &Header,
    cancel: &CancelFlag,
) -> Result<Decoded, PhotoError> {
    let (directory, stored) = (first_directory(photo)?, &header.stored);
    let reversed: Vec<u8> = match stored.is_reversed {
        true => photo.iter().map(|byte| byte.reverse_bits()).collect(),
        false => Vec::new(),
    };
    let chunks = chunks(directory, stored, if stored.is_reversed { &reversed } else { photo })?;
    let tables = match stored.compression {
        Compression::Jpeg => directory.field(tag::JPEG_TABLES)?.map(|field| field.bytes),
        Compression::None
        | Compression::Fax(_)
        | Compression::Lzw
        | Compression::Deflate
        | Compression::PackBits => None,
    };
    refuse_costly_chunks(stored, &chunks, tables, cancel)?;
    let painter = Painter { stored, palette: palette(directory, stored)? };
    let layout = stored.layout();
    let bytes_per_pixel = layout.bytes_per_pixel() as usize;
    let picture_row = header.size.width as usize * bytes_per_pixel;
    let mut picture = vec![0; header.size.height as usize * picture_row];
    let mut row = vec![0; stored.row_bytes() as usize];
    for chunk in chunks.iter().filter(|chunk| painter.shows(chunk.plane)) {
        let failure = |error| photo_error(error, photo.len(), cancel);
        let mut rows = codec::decoded(chunk.data, stored, chunk.height, tables, cancel)?;
        let lines = picture.chunks_exact_mut(picture_row).skip(chunk.top as usize);
        for line in lines.take(chunk.height as usize) {
            cancel.check()?;
            rows.read_exact(&mut row).map_err(failure)?;
            let pixels = line.get_mut(chunk.left as usize * bytes_per_pixel..).unwrap_or_default();
            let shown = pixels.len().min(chunk.width as usize * bytes_per_pixel);
            painter.paint(&mut row, chunk, pixels.get_mut(..shown).unwrap_or_default());
        }
    }
    Ok(to_displayable(picture, header.size, layout, header.profile.as_deref()))
}

/// The verdict on a photo whose data a decoder cannot read.
fn photo_error(error: io::Error, bytes: usize, cancel: &CancelFlag) -> PhotoError {
    if let Err(cancelled) = cancel.check() {
        return cancelled;
    }
    if error.kind() == ErrorKind::UnexpectedEof {
        return PhotoError::image_data_is_missing(bytes);
    }
    if error.kind() == ErrorKind::Unsupported {
        return unsupported("fax with parts that are not compressed");
    }
    PhotoError::Corrupt(format!("the decoder says \"{error}\""))
}

/// The colours of a palette: all red values, then all green, then all blue (page 23).
fn palette(directory: Directory<'_>, stored: &Stored) -> Result<Vec<[u8; 3]>, PhotoError> {
    if stored.meaning != Meaning::Palette {
        return Ok(Vec::new());
    }
    let count = 1 << stored.bits;
    let map = directory.field(tag::COLOR_MAP)?;
    let map = map.filter(|map| map.numbers().len() == 3 * count);
    let map = map.ok_or_else(|| corrupt("its palette has not as many colours as its indices"))?;
    // Some writers write values of 8 bits, which libtiff recognises by their all being small.
    let shift = if map.numbers().all(|value| value < 256) { 0 } else { 8 };
    let channel =
        |number: usize| map.numbers().skip(number * count).map(|value| (value >> shift) as u8);
    let colours = channel(0).zip(channel(1)).zip(channel(2)).take(count);
    Ok(colours.map(|((red, green), blue)| [red, green, blue]).collect())
}

/// Refuses strips or tiles that would cost more than those of any photo.
fn refuse_costly_chunks(
    stored: &Stored,
    chunks: &[Chunk<'_>],
    tables: Option<&[u8]>,
    cancel: &CancelFlag,
) -> Result<(), PhotoError> {
    let size = (stored.chunk.width, stored.chunk.height);
    bounds::refuse_larger_chunks(
        chunks.len().div_ceil(if stored.is_planar { stored.samples.into() } else { 1 }),
        size,
        stored.size,
    )?;
    if stored.chunk.is_tile {
        bounds::refuse_odd_tiles(size)?;
    }
    let data: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.data).collect();
    match stored.compression {
        Compression::Jpeg => {
            bounds::refuse_larger_jpegs(&data, tables, size, cancel)?;
            return bounds::refuse_many_scans(&data, cancel);
        }
        Compression::Fax(_) => return bounds::refuse_long_fax(&data, stored.size),
        Compression::None | Compression::Lzw | Compression::Deflate | Compression::PackBits => {}
    }
    let bytes = data.iter().map(|chunk| chunk.len() as u64).sum();
    refuse_padding(bytes, stored.bytes())?;
    match stored.compression {
        Compression::Lzw => bounds::refuse_many_tables(&data, cancel),
        Compression::Deflate => {
            refuse_many_blocks(bytes, data.iter().map(|chunk| once(*chunk)), cancel)
        }
        Compression::None | Compression::Jpeg | Compression::Fax(_) | Compression::PackBits => {
            Ok(())
        }
    }
}

impl Header {
    /// The colour profile that the thumbnail keeps.
    pub fn icc_profile(&self) -> Option<&Vec<u8>> {
        self.profile.as_ref().filter(|_| self.stored.layout().colour != Colour::Cmyk)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sample::gradient_jpeg;

    /// The offset at which the data begins.
    const DATA: u32 = 8;

    /// A TIFF of data and fields of LONGs. The values of JPEG_TABLES are the offset and the length of its bytes,
    /// and fractions are given in thousandths.
    fn tiff(fields: &BTreeMap<u16, Vec<u32>>, data: &[u8]) -> Vec<u8> {
        let mut file = [b"II*\0\0\0\0\0", data].concat();
        let mut directory = (fields.len() as u16).to_le_bytes().to_vec();
        for (tag, values) in fields {
            let (kind, count, place) = match (*tag, &values[..]) {
                (tag::JPEG_TABLES, &[offset, length]) => (7_u16, length, offset),
                (tag::YCBCR_COEFFICIENTS | tag::REFERENCE_BLACK_WHITE, thousandths) => {
                    let place = file.len() as u32;
                    let fractions = thousandths.iter().flat_map(|value| [*value, 1000]);
                    file.extend(fractions.flat_map(u32::to_le_bytes));
                    (5, thousandths.len() as u32, place)
                }
                (_, &[value]) => (4, 1, value),
                (_, values) => {
                    let place = file.len() as u32;
                    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                    (4, values.len() as u32, place)
                }
            };
            directory.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            directory.extend([count.to_le_bytes(), place.to_le_bytes()].concat());
        }
        let first = (file.len() as u32).to_le_bytes();
        file[4..8].copy_from_slice(&first);
        [file, directory, vec![0; 4]].concat()
    }

    /// The fields of a gray picture of 4x4 pixels in two strips, some of which are other ones or, if they have no
    /// values, absent.
    fn fields(others: &[(u16, &[u32])]) -> BTreeMap<u16, Vec<u32>> {
        let usual: [(u16, &[u32]); 8] = [
            (tag::WIDTH, &[4]),
            (tag::HEIGHT, &[4]),
            (tag::BITS_PER_SAMPLE, &[8]),
            (tag::COMPRESSION, &[1]),
            (tag::PHOTOMETRIC, &[1]),
            (tag::STRIP_OFFSETS, &[DATA, DATA + 8]),
            (tag::ROWS_PER_STRIP, &[2]),
            (tag::STRIP_BYTE_COUNTS, &[8, 8]),
        ];
        let all = usual.iter().chain(others).map(|(tag, values)| (*tag, values.to_vec()));
        let mut all: BTreeMap<u16, Vec<u32>> = all.collect();
        all.retain(|_, values| !values.is_empty());
        all
    }

    fn decoded(file: &[u8]) -> Result<Vec<u8>, PhotoError> {
        let cancel = CancelFlag::default();
        Ok(decode(file, &header(file, &cancel)?, &cancel)?.data)
    }

    fn shown(others: &[(u16, &[u32])], data: &[u8]) -> Result<Vec<u8>, PhotoError> {
        decoded(&tiff(&fields(others), data))
    }

    const PIXELS: [u8; 16] =
        [0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240];

    #[test]
    fn lengths_of_strips_that_are_not_compressed_may_be_missing() {
        for lengths in [&[8, 8][..], &[], &[0, 0], &[8, 0], &[8]] {
            let shown = shown(&[(tag::STRIP_BYTE_COUNTS, lengths)], &PIXELS);
            assert_eq!(shown.as_deref(), Ok(&PIXELS[..]), "{lengths:?}");
        }
        // PackBits: eight, or all, bytes as they are.
        let strips = [&[7], &PIXELS[..8], &[7], &PIXELS[8..]].concat();
        let compressed = |lengths| {
            let offsets = (tag::STRIP_OFFSETS, &[DATA, DATA + 9][..]);
            shown(
                &[(tag::COMPRESSION, &[32773]), offsets, (tag::STRIP_BYTE_COUNTS, lengths)],
                &strips,
            )
        };
        assert_eq!(compressed(&[9, 9]).as_deref(), Ok(&PIXELS[..]));
        for lengths in [&[][..], &[9], &[9, 0]] {
            assert_eq!(compressed(lengths).unwrap_err().name(), "CorruptPhoto", "{lengths:?}");
        }
        let strip = [&[15], &PIXELS[..]].concat();
        let only: [(u16, &[u32]); 4] = [
            (tag::COMPRESSION, &[32773]),
            (tag::STRIP_OFFSETS, &[DATA]),
            (tag::ROWS_PER_STRIP, &[]),
            (tag::STRIP_BYTE_COUNTS, &[]),
        ];
        assert_eq!(shown(&only, &strip).as_deref(), Ok(&PIXELS[..]), "up to the end of the file");
    }

    #[test]
    fn a_picture_of_which_a_strip_is_missing_is_refused() {
        for (offsets, lengths, name) in [
            (&[DATA][..], &[8, 8][..], "CorruptPhoto"),
            (&[], &[8, 8], "CorruptPhoto"),
            (&[DATA, 0], &[8, 8], "CorruptPhoto"),
            (&[DATA, 0], &[], "CorruptPhoto"),
            (&[DATA, 1 << 20], &[8, 8], "TruncatedPhoto"),
            (&[DATA, DATA + 8], &[8, 1 << 20], "TruncatedPhoto"),
            (&[DATA, DATA + 8], &[8, 7], "TruncatedPhoto"),
            (&[DATA, DATA], &[100, 100], "CorruptPhoto"), // more than the file has
        ] {
            let others = [(tag::STRIP_OFFSETS, offsets), (tag::STRIP_BYTE_COUNTS, lengths)];
            let refusal = shown(&others, &PIXELS).unwrap_err();
            assert_eq!(refusal.name(), name, "{offsets:?} {lengths:?}: {refusal}");
        }
    }

    #[test]
    fn data_that_breaks_off_is_told_from_data_that_is_invalid() {
        let only = |compression, data: &[u8]| {
            let others: [(u16, &[u32]); 5] = [
                (tag::COMPRESSION, &[compression]),
                (tag::BITS_PER_SAMPLE, if compression == 4 { &[1] } else { &[8] }),
                (tag::ROWS_PER_STRIP, &[]),
                (tag::STRIP_OFFSETS, &[DATA]),
                (tag::STRIP_BYTE_COUNTS, &[data.len() as u32]),
            ];
            shown(&others, data).unwrap_err()
        };
        let short = only(32773, &[[14].as_slice(), &PIXELS[..15]].concat());
        assert_eq!(short.name(), "TruncatedPhoto", "{short}");
        let deflated = only(8, b"no zlib stream");
        assert_eq!(deflated.name(), "CorruptPhoto", "{deflated}");
        let extension = only(4, &[0b0000_0011, 0b1100_0000, 0, 0]);
        assert_eq!(extension.name(), "UnsupportedFormat", "{extension}");
    }

    #[test]
    fn fields_that_are_absent_have_their_defaults() {
        let absent: [(u16, &[u32]); 5] = [
            (tag::BITS_PER_SAMPLE, &[]),
            (tag::COMPRESSION, &[]),
            (tag::ROWS_PER_STRIP, &[]),
            (tag::STRIP_BYTE_COUNTS, &[]),
            (tag::STRIP_OFFSETS, &[DATA]),
        ];
        let shown = shown(&absent, &[0x80, 0x40, 0xA0, 0xF0]).unwrap();
        assert_eq!(shown, [1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 1].map(|bit| 255 * bit));
    }

    #[test]
    fn a_fax_that_does_not_say_what_zero_means_has_white_zeros() {
        let fax = |photometric| {
            let others: [(u16, &[u32]); 6] = [
                (tag::COMPRESSION, &[4]),
                (tag::BITS_PER_SAMPLE, &[1]),
                (tag::PHOTOMETRIC, photometric),
                (tag::ROWS_PER_STRIP, &[]),
                (tag::STRIP_OFFSETS, &[DATA]),
                (tag::STRIP_BYTE_COUNTS, &[2]),
            ];
            // Two white and two black pixels, and three rows like that.
            shown(&others, &[0b0010_1111, 0b1111_1110]).unwrap()
        };
        assert_eq!(fax(&[0]), [255, 255, 0, 0].repeat(4));
        assert_eq!(fax(&[]), fax(&[0]));
        assert_eq!(fax(&[1]), [0, 0, 255, 255].repeat(4));
    }

    #[test]
    fn one_more_sample_is_alpha_unless_the_colours_are_inks() {
        let two_rows: [(u16, &[u32]); 3] = [
            (tag::ROWS_PER_STRIP, &[]),
            (tag::STRIP_OFFSETS, &[DATA]),
            (tag::STRIP_BYTE_COUNTS, &[]),
        ];
        let shown = |samples: &[u32], photometric: &[u32], extra: &[u32], pixel: &[u8]| {
            let others: [(u16, &[u32]); 3] = [
                (tag::SAMPLES_PER_PIXEL, samples),
                (tag::PHOTOMETRIC, photometric),
                (tag::EXTRA_SAMPLES, extra),
            ];
            shown(&[&two_rows[..], &others].concat(), &pixel.repeat(16)).unwrap()
        };
        assert_eq!(shown(&[2], &[1], &[], &[0, 0]), [255; 16], "transparent");
        assert_eq!(shown(&[2], &[1], &[0], &[0, 0]), [0; 16], "said to be no alpha");
        assert_eq!(shown(&[4], &[2], &[], &[9, 9, 9, 0]), [255; 48]);
        assert_eq!(shown(&[5], &[2], &[], &[9, 9, 9, 0, 0]), [9; 48], "two more");
        let inks = shown(&[4], &[5], &[], &[255, 0, 0, 0]);
        assert_eq!(shown(&[5], &[5], &[], &[255, 0, 0, 0, 0]), inks);
    }

    #[test]
    fn ycbcr_of_other_black_white_or_coefficients_is_refused() {
        let ycbcr = |others: &[(u16, &[u32])]| {
            let usual: [(u16, &[u32]); 6] = [
                (tag::SAMPLES_PER_PIXEL, &[3]),
                (tag::PHOTOMETRIC, &[6]),
                (tag::YCBCR_SUBSAMPLING, &[1, 1]),
                (tag::ROWS_PER_STRIP, &[]),
                (tag::STRIP_OFFSETS, &[DATA]),
                (tag::STRIP_BYTE_COUNTS, &[]),
            ];
            shown(&[&usual, others].concat(), &[128; 48])
        };
        const FULL: [u32; 6] = [0, 255_000, 128_000, 255_000, 128_000, 255_000];
        let whole = ycbcr(&[]).unwrap();
        assert_eq!(whole, [128; 48]);
        let stated: [(u16, &[u32]); 2] =
            [(tag::REFERENCE_BLACK_WHITE, &FULL), (tag::YCBCR_COEFFICIENTS, &[299, 587, 114])];
        assert_eq!(ycbcr(&stated).as_ref(), Ok(&whole));
        for at in 0..6 {
            let mut video = FULL;
            video[at] += 16_000;
            let refusal = ycbcr(&[(tag::REFERENCE_BLACK_WHITE, &video)]).unwrap_err();
            assert_eq!(refusal.name(), "UnsupportedFormat", "{video:?}");
        }
        for coefficients in [[213, 587, 114], [299, 715, 114], [299, 587, 72], [330, 587, 114]] {
            let refusal = ycbcr(&[(tag::YCBCR_COEFFICIENTS, &coefficients)]).unwrap_err();
            assert_eq!(refusal.name(), "UnsupportedFormat", "{coefficients:?}");
        }
    }

    #[test]
    fn only_a_picture_that_says_so_is_a_preview() {
        const SUBFILE_TYPE: u16 = 254;
        for kind in [0, 2, 4] {
            assert_eq!(shown(&[(SUBFILE_TYPE, &[kind])], &PIXELS).as_deref(), Ok(&PIXELS[..]));
        }
        for kind in [1, 3] {
            let refusal = shown(&[(SUBFILE_TYPE, &[kind])], &PIXELS).unwrap_err();
            assert!(refusal.to_string().contains("preview"), "{refusal}");
        }
    }

    #[test]
    fn what_is_not_decoded_is_refused_by_its_name() {
        for (tag, code, name) in [
            (tag::COMPRESSION, 6, "JPEG of the old style"),
            (tag::COMPRESSION, 9, "JBIG"),
            (tag::COMPRESSION, 34661, "JBIG"),
            (tag::COMPRESSION, 32771, "fax of rows of whole words"),
            (tag::COMPRESSION, 32766, "NeXT coding"),
            (tag::COMPRESSION, 32809, "ThunderScan coding"),
            (tag::COMPRESSION, 33003, "JPEG 2000"),
            (tag::COMPRESSION, 34677, "LogLuv"),
            (tag::COMPRESSION, 34887, "LERC"),
            (tag::COMPRESSION, 34892, "lossy JPEG of raw samples"),
            (tag::COMPRESSION, 34925, "LZMA"),
            (tag::COMPRESSION, 50000, "Zstandard"),
            (tag::COMPRESSION, 50001, "WebP"),
            (tag::COMPRESSION, 50002, "JPEG XL"),
            (tag::COMPRESSION, 77, "compression 77"),
            (tag::COMPRESSION, 4, "fax of more than one bit"),
            (tag::PHOTOMETRIC, 4, "a transparency mask"),
            (tag::PHOTOMETRIC, 8, "CIELab"),
            (tag::PHOTOMETRIC, 9, "ICCLab"),
            (tag::PHOTOMETRIC, 10, "ITULab"),
            (tag::PHOTOMETRIC, 32803, "a colour filter array"),
            (tag::PHOTOMETRIC, 32845, "LogLuv"),
            (tag::PHOTOMETRIC, 34892, "linear raw samples"),
            (tag::PHOTOMETRIC, 77, "photometric interpretation 77"),
            (tag::SAMPLE_FORMAT, 2, "signed numbers"),
            (tag::SAMPLE_FORMAT, 3, "floating-point numbers"),
            (tag::SAMPLE_FORMAT, 6, "complex numbers"),
            (tag::SAMPLE_FORMAT, 7, "samples of format 7"),
            (tag::BITS_PER_SAMPLE, 17, "samples of 17 bits"),
        ] {
            let refusal = shown(&[(tag, &[code])], &PIXELS).unwrap_err();
            assert_eq!(refusal.name(), "UnsupportedFormat", "{tag} {code}: {refusal}");
            assert!(refusal.to_string().starts_with(&format!("a TIFF of {name} ")), "{refusal}");
        }
        let deep = shown(&[(tag::COMPRESSION, &[7]), (tag::BITS_PER_SAMPLE, &[12])], &PIXELS);
        assert!(deep.unwrap_err().to_string().contains("JPEG of more than 8 bits"));
        for format in [1, 4] {
            let shown = shown(&[(tag::SAMPLE_FORMAT, &[format])], &PIXELS);
            assert_eq!(shown.as_deref(), Ok(&PIXELS[..]), "format {format}");
        }
        let unknown = shown(&[(tag::PHOTOMETRIC, &[])], &PIXELS).unwrap_err();
        assert!(unknown.to_string().contains("unknown meaning"), "{unknown}");
        for (predictor, name) in [(3, "floating-point numbers"), (4, "predictor 4")] {
            let others: [(u16, &[u32]); 2] =
                [(tag::COMPRESSION, &[5]), (tag::PREDICTOR, &[predictor])];
            let refusal = shown(&others, &PIXELS).unwrap_err();
            assert_eq!(refusal.name(), "UnsupportedFormat");
            assert!(refusal.to_string().contains(name), "{refusal}");
        }
    }

    #[test]
    fn fields_that_contradict_each_other_are_refused() {
        for others in [
            &[(tag::WIDTH, &[][..])][..],
            &[(tag::HEIGHT, &[0])],
            &[(tag::BITS_PER_SAMPLE, &[0])],
            &[(tag::SAMPLES_PER_PIXEL, &[0])],
            &[(tag::PHOTOMETRIC, &[2])], // RGB of one sample
            &[(tag::PHOTOMETRIC, &[2]), (tag::SAMPLES_PER_PIXEL, &[2])],
            &[(tag::SAMPLES_PER_PIXEL, &[2]), (tag::PLANAR_CONFIGURATION, &[3])],
            &[(tag::ROWS_PER_STRIP, &[0])],
            &[(tag::TILE_WIDTH, &[0]), (tag::TILE_LENGTH, &[16])],
            &[(tag::TILE_WIDTH, &[16])],
            &[(tag::PHOTOMETRIC, &[3])], // no palette
            &[(tag::PHOTOMETRIC, &[3]), (tag::COLOR_MAP, &[7; 3 * 255])],
            &[(tag::PHOTOMETRIC, &[3]), (tag::COLOR_MAP, &[7; 3 * 257])],
        ] {
            let refusal = shown(others, &PIXELS).unwrap_err();
            assert_eq!(refusal.name(), "CorruptPhoto", "{others:?}: {refusal}");
        }
    }

    /// The tables of a JPEG as a stream of their own, and the stream without them.
    fn without_tables(jpeg: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut tables, mut rest) = (b"\xFF\xD8".to_vec(), b"\xFF\xD8".to_vec());
        let mut at = 2;
        while jpeg[at + 1] != 0xDA {
            let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            let to = if [0xC4, 0xDB].contains(&jpeg[at + 1]) { &mut tables } else { &mut rest };
            to.extend(&jpeg[at..end]);
            at = end;
        }
        rest.extend(&jpeg[at..]);
        tables.extend(b"\xFF\xD9");
        (tables, rest)
    }

    #[test]
    fn the_tables_of_a_jpeg_may_stand_apart() {
        let jpeg = gradient_jpeg(32, 16, 1);
        let picture = |others: &[(u16, &[u32])], jpeg: &[u8], tables: &[u8]| {
            let (offset, length) = (DATA + jpeg.len() as u32, tables.len() as u32);
            let place = [offset, length];
            let usual: [(u16, &[u32]); 7] = [
                (tag::WIDTH, &[32]),
                (tag::HEIGHT, &[16]),
                (tag::COMPRESSION, &[7]),
                (tag::STRIP_OFFSETS, &[DATA]),
                (tag::STRIP_BYTE_COUNTS, &[jpeg.len() as u32]),
                (tag::ROWS_PER_STRIP, &[]),
                (tag::JPEG_TABLES, if length > 0 { &place } else { &[] }),
            ];
            shown(&[&usual, others].concat(), &[jpeg, tables].concat())
        };
        let whole = picture(&[], &jpeg, b"").unwrap();
        assert_eq!(whole.len(), 32 * 16);
        let (tables, rest) = without_tables(&jpeg);
        assert_eq!(picture(&[], &rest, &tables).as_ref(), Ok(&whole));
        assert!(picture(&[], &rest, b"").is_err());

        // A JPEG has its own order of bits.
        assert_eq!(picture(&[(tag::FILL_ORDER, &[2])], &jpeg, b"").as_ref(), Ok(&whole));

        // A JPEG that is no picture of its strip.
        for others in [
            &[(tag::WIDTH, &[33][..])][..],
            &[(tag::WIDTH, &[31])],
            &[(tag::HEIGHT, &[17])],
            &[(tag::PHOTOMETRIC, &[2]), (tag::SAMPLES_PER_PIXEL, &[3])],
        ] {
            let refusal = picture(others, &jpeg, b"").unwrap_err();
            assert_eq!(refusal.name(), "CorruptPhoto", "{others:?}: {refusal}");
        }
        let colours = picture(&[], &gradient_jpeg(32, 16, 3), b"").unwrap_err();
        assert_eq!(colours.name(), "CorruptPhoto", "{colours}");
    }
}
