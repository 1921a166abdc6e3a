//! JPEG: its header, decoding at a fraction of the size, and encoding.
//!
//! The segments are walked here, before any decoding: what the photo will cost is known from the
//! header, and a file without an end is refused rather than shown half grey. Coding is
//! libjpeg-turbo's. Clause and table numbers are those of ITU-T T.81.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

use turbojpeg::{
    Colorspace, Compressor, DecompressHeader, Decompressor, Image, PixelFormat, ScalingFactor,
    Subsamp, YuvImage, YuvPlanesImage,
};

use super::{Decoded, DecodedPlane, PhotoError, Picture, Pixels, Size, icc};

/// Scans of a progressive photo. Encoders write about ten; a hostile file can hold thousands,
/// each of which costs a pass over the whole picture.
pub const MAX_SCANS: u32 = 200;

/// The longest side that libjpeg-turbo decodes, in pixels (jmorecfg.h, JPEG_MAX_DIMENSION).
const MAX_SIDE: u32 = 65_500;

/// What the segments of a JPEG say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// As stored, before orientation.
    pub size: Size,
    /// Components: 1 gray, 3 colour, 4 CMYK or YCCK.
    pub components: u8,
    /// The embedded colour profile, if it is a whole one for gray or RGB.
    pub icc_profile: Option<Vec<u8>>,
}

/// Marker codes (T.81 table B.1), without the 0xFF before them.
mod marker {
    pub const TEM: u8 = 0x01;
    pub const DHT: u8 = 0xC4;
    pub const JPG: u8 = 0xC8;
    pub const DAC: u8 = 0xCC;
    pub const RST0: u8 = 0xD0;
    pub const RST7: u8 = 0xD7;
    pub const SOI: u8 = 0xD8;
    pub const EOI: u8 = 0xD9;
    pub const SOS: u8 = 0xDA;
    pub const APP0: u8 = 0xE0;
    pub const APP1: u8 = 0xE1;
    pub const APP2: u8 = 0xE2;
    pub const APP13: u8 = 0xED;
    pub const APP14: u8 = 0xEE;
    pub const APP15: u8 = 0xEF;
    pub const COM: u8 = 0xFE;
}

impl Header {
    /// Reads a JPEG's segments up to its end-of-image marker; what follows that is not looked at.
    ///
    /// # Errors
    /// [`PhotoError::Truncated`] where the file ends before its image does, [`PhotoError::Corrupt`]
    /// where its segments make no sense, [`PhotoError::UnsupportedFormat`] for lossless,
    /// hierarchical and 12-bit files.
    pub fn read(jpeg: &[u8]) -> Result<Header, PhotoError> {
        let mut frame = None;
        let mut icc_chunks = Vec::new();
        let mut scans = 0;
        for segment in Segments::new(jpeg) {
            let segment = segment?;
            match segment.marker {
                marker::APP2 => icc_chunks.push(segment.payload),
                marker::SOS => {
                    scans += 1;
                    if scans > MAX_SCANS {
                        return Err(PhotoError::Corrupt(format!(
                            "it has more than {MAX_SCANS} scans"
                        )));
                    }
                }
                code if is_frame(code) && frame.is_some() => {
                    return Err(PhotoError::Corrupt("it has two frame headers".into()));
                }
                code if is_frame(code) => frame = Some(read_frame(code, segment.payload)?),
                _ => {}
            }
        }
        let (size, components) =
            frame.ok_or_else(|| PhotoError::Corrupt("no size is given before its end".into()))?;
        if scans == 0 {
            return Err(PhotoError::Corrupt("it holds a size but no image".into()));
        }
        Ok(Header { size, components, icc_profile: icc::profile(&icc_chunks, components) })
    }
}

/// Whether a marker begins a frame: SOF0 to SOF15, three of whose codes mean something else.
fn is_frame(code: u8) -> bool {
    (0xC0..=0xCF).contains(&code) && ![marker::DHT, marker::JPG, marker::DAC].contains(&code)
}

/// Size and number of components from a frame header (T.81 B.2.2).
fn read_frame(code: u8, payload: &[u8]) -> Result<(Size, u8), PhotoError> {
    let &[precision, h1, h0, w1, w0, components, ..] = payload else {
        return Err(PhotoError::Corrupt("its frame header is too short".into()));
    };
    let kind = match code {
        0xC0..=0xC2 | 0xC9 | 0xCA if precision == 8 => None,
        0xC3 | 0xCB => Some("a lossless JPEG".to_owned()),
        0xC0..=0xC2 | 0xC9 | 0xCA => Some(format!("a JPEG of {precision} bits a sample")),
        _ => Some("a hierarchical JPEG".to_owned()),
    };
    if let Some(kind) = kind {
        return Err(PhotoError::UnsupportedFormat(kind));
    }
    let size = Size {
        width: u32::from(u16::from_be_bytes([w1, w0])),
        height: u32::from(u16::from_be_bytes([h1, h0])),
    };
    match (size.width, size.height, components) {
        (0, ..) | (.., 0) => Err(PhotoError::Corrupt("it has no columns or no components".into())),
        // Its height would follow its image, in a DNL segment (T.81 B.2.5).
        (_, 0, _) => {
            Err(PhotoError::UnsupportedFormat("a JPEG that does not tell its height".into()))
        }
        (w, h, _) if w.max(h) > MAX_SIDE => Err(PhotoError::UnsupportedFormat(format!(
            "a JPEG of {w}x{h} pixels, with a side of more than {MAX_SIDE}"
        ))),
        _ => Ok((size, components)),
    }
}

/// A marker and what belongs to it.
struct Segment<'a> {
    marker: u8,
    /// Without the two bytes of its length.
    payload: &'a [u8],
    /// From the marker to the end of the payload; entropy-coded data follows a scan's.
    position: Range<usize>,
}

/// The segments of a JPEG in order, ending with EOI; entropy-coded data is passed over.
struct Segments<'a> {
    jpeg: &'a [u8],
    position: usize,
    ended: bool,
}

impl<'a> Segments<'a> {
    fn new(jpeg: &'a [u8]) -> Self {
        Segments { jpeg, position: 0, ended: false }
    }

    /// Moves behind the next marker and returns its code. Bytes that belong to no segment, such as
    /// entropy-coded data, are skipped: 0xFF 0x00 is a stuffed data byte (T.81 B.1.1.5), repeated
    /// 0xFF fill (B.1.1.2), and RSTn and TEM stand alone.
    fn next_marker(&mut self) -> Option<u8> {
        loop {
            let rest = self.jpeg.get(self.position..)?;
            self.position += memchr::memchr(0xFF, rest)? + 1;
            match *self.jpeg.get(self.position)? {
                0xFF => {}
                0x00 | marker::TEM | marker::RST0..=marker::RST7 | marker::SOI => {
                    self.position += 1
                }
                code => {
                    self.position += 1;
                    return Some(code);
                }
            }
        }
    }

    fn payload(&mut self) -> Option<&'a [u8]> {
        let length = self.jpeg.get(self.position..self.position + 2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let payload = self.jpeg.get(self.position + 2..self.position + length)?;
        self.position += length;
        Some(payload)
    }

    fn next_segment(&mut self) -> Option<Segment<'a>> {
        let marker = self.next_marker()?;
        let start = self.position - 2;
        let payload = if marker == marker::EOI { &[] } else { self.payload()? };
        let position = start..self.position;
        Some(Segment { marker, payload, position })
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Result<Segment<'a>, PhotoError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let segment = self.next_segment().ok_or_else(|| PhotoError::Truncated {
            bytes: self.jpeg.len(),
            what: "its end-of-image marker is missing".into(),
        });
        self.ended = !matches!(&segment, Ok(segment) if segment.marker != marker::EOI);
        Some(segment)
    }
}

/// Decodes at `eighths` of the size, 1 to 8: the frequencies that a thumbnail cannot show are never
/// computed.
///
/// # Errors
/// [`PhotoError::Truncated`] and [`PhotoError::Corrupt`] by what libjpeg-turbo says of the data,
/// [`PhotoError::UnsupportedFormat`] for CMYK.
pub fn decode(jpeg: &[u8], header: &Header, eighths: u32) -> Result<Decoded, PhotoError> {
    match header.components {
        1 | 3 => {}
        4 => return Err(PhotoError::UnsupportedFormat("a CMYK JPEG".into())),
        n => {
            return Err(PhotoError::UnsupportedFormat(format!("a JPEG of {n} components")));
        }
    }
    let mut decompressor = Decompressor::new().map_err(corrupt)?;
    let (jpeg, decoders_header) = without_header_oddities(&mut decompressor, jpeg)?;
    let Size { width, height } = header.size;
    if (decoders_header.width, decoders_header.height) != (width as usize, height as usize) {
        return Err(PhotoError::Corrupt("its header can be read in two ways".into()));
    }
    let scale = ScalingFactor::new(eighths as usize, 8);
    decompressor.set_scaling_factor(scale).map_err(corrupt)?;
    let is_planar = decoders_header.colorspace == Colorspace::YCbCr
        && decoders_header.subsamp != Subsamp::Unknown;
    let decode = if is_planar { decode_planes } else { decode_packed };
    decode(&mut decompressor, &jpeg, header, decoders_header.scaled(scale))
}

/// Luma and chroma as they are in the file, each at its own resolution.
fn decode_planes(
    decompressor: &mut Decompressor,
    jpeg: &[u8],
    header: &Header,
    scaled: DecompressHeader,
) -> Result<Decoded, PhotoError> {
    let DecompressHeader { width, height, subsamp, .. } = scaled;
    let length = turbojpeg::yuv_pixels_len(width, 1, height, subsamp).map_err(corrupt)?;
    let mut image = YuvImage { pixels: vec![0; length], width, align: 1, height, subsamp };
    let (luma, chroma) = (image.y_size(), image.uv_size());
    let result = decompressor.decompress_to_yuv(jpeg, image.as_deref_mut());
    result.or_else(|error| verdict(&error.to_string(), jpeg.len()))?;

    let (across, down) = content(header, decompressor.scaling_factor());
    let (step_x, step_y) = subsamp.size();
    let mut start = 0;
    let mut plane = |(width, height): (usize, usize), content| {
        let range = start..start + width * height;
        start = range.end;
        let size = Size { width: width as u32, height: height as u32 };
        DecodedPlane { range, size, channels: 1, content }
    };
    let subsampled = (across / step_x as f64, down / step_y as f64);
    let planes =
        vec![plane(luma, (across, down)), plane(chroma, subsampled), plane(chroma, subsampled)];
    Ok(Decoded { data: image.pixels, planes })
}

/// Gray, or RGB where the file holds that or a sampling that has no planes of its own.
fn decode_packed(
    decompressor: &mut Decompressor,
    jpeg: &[u8],
    header: &Header,
    scaled: DecompressHeader,
) -> Result<Decoded, PhotoError> {
    let (channels, format) = match header.components {
        1 => (1, PixelFormat::GRAY),
        _ => (3, PixelFormat::RGB),
    };
    let size = Size { width: scaled.width as u32, height: scaled.height as u32 };
    let mut pixels = Pixels::black(size, channels);
    let image = Image {
        pitch: pixels.row_length(),
        width: scaled.width,
        height: scaled.height,
        pixels: pixels.data.as_mut_slice(),
        format,
    };
    let result = decompressor.decompress(jpeg, image);
    result.or_else(|error| verdict(&error.to_string(), jpeg.len()))?;
    let content = content(header, decompressor.scaling_factor());
    let plane = DecodedPlane { range: 0..pixels.data.len(), size, channels, content };
    Ok(Decoded { data: pixels.data, planes: vec![plane] })
}

/// How many scaled samples the picture itself has; the decoder rounds that up.
fn content(header: &Header, scale: ScalingFactor) -> (f64, f64) {
    let scaled = |side: u32| f64::from(side) * scale.num() as f64 / scale.denom() as f64;
    (scaled(header.size.width), scaled(header.size.height))
}

/// The photo, or where the decoder complains of its header, what of it the picture needs.
///
/// TurboJPEG takes a warning about the header, such as stray bytes between segments or a broken
/// colour profile, for an error and does not decode at all.
fn without_header_oddities<'a>(
    decompressor: &mut Decompressor,
    jpeg: &'a [u8],
) -> Result<(Cow<'a, [u8]>, DecompressHeader), PhotoError> {
    if let Ok(header) = decompressor.read_header(jpeg) {
        return Ok((Cow::Borrowed(jpeg), header));
    }
    let essentials = essentials(jpeg);
    match decompressor.read_header(&essentials) {
        Ok(header) => Ok((Cow::Owned(essentials), header)),
        Err(error) => Err(corrupt(error)),
    }
}

/// The photo without metadata and without bytes that belong to no segment. JFIF's APP0 and Adobe's
/// APP14 stay, for they say what the components' colours are; but for what they cannot say.
fn essentials(jpeg: &[u8]) -> Vec<u8> {
    let segments: Vec<Segment> = Segments::new(jpeg).map_while(Result::ok).collect();
    let mut essentials = vec![0xFF, marker::SOI];
    for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
        let Range { start, end } = segment.position;
        match (segment.marker, segment.payload) {
            (marker::APP1..=marker::APP13 | marker::APP15 | marker::COM, _) => {}
            // Only versions 1.x of JFIF and transforms 0 to 2 of Adobe are defined.
            (marker::APP0, [b'J', b'F', b'I', b'F', 0, 0 | 2..=255, ..]) => {}
            (marker::APP14, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, 3..=255, ..]) => {}
            (marker::SOS, _) => essentials.extend_from_slice(&jpeg[start..next.position.start]),
            _ => essentials.extend_from_slice(&jpeg[start..end]),
        }
    }
    essentials.extend([0xFF, marker::EOI]);
    essentials
}

/// What libjpeg-turbo's complaint about the image data (its jerror.h) means for the photo.
///
/// It tells the first complaint only, which may hide a worse one: none is harmless but that of stray
/// bytes before the end, behind which nothing is decoded.
fn verdict(message: &str, bytes: usize) -> Result<(), PhotoError> {
    let says = |phrase| message.contains(phrase);
    if says("extraneous bytes before marker 0xd9") {
        Ok(())
    } else if says("Premature end of JPEG file") || says("premature end of data segment") {
        Err(PhotoError::Truncated { bytes, what: "image data is missing".into() })
    } else if says("not implemented") {
        Err(PhotoError::UnsupportedFormat("a JPEG of this kind of sampling".into()))
    } else {
        Err(corrupt(message))
    }
}

fn corrupt(complaint: impl Display) -> PhotoError {
    PhotoError::Corrupt(format!("libjpeg-turbo says \"{complaint}\""))
}

/// Encodes a baseline JPEG, 4:2:0, without any metadata but the colour profile.
///
/// `quality` is the IJG scale divided by 100, 0.01 to 1.
///
/// # Errors
/// [`PhotoError::Corrupt`] if libjpeg-turbo refuses the pixels, which no size that a JPEG can have does.
pub fn encode(
    picture: &Picture,
    quality: f64,
    icc_profile: Option<&[u8]>,
) -> Result<Vec<u8>, PhotoError> {
    let compress = || {
        let mut compressor = Compressor::new()?;
        compressor.set_quality((quality * 100.0).round() as i32)?;
        match picture {
            Picture::Packed(pixels) => compress_packed(&mut compressor, pixels),
            Picture::Planar(planes) => compress_planes(&mut compressor, planes),
        }
    };
    let jpeg = compress()
        .map_err(|error| PhotoError::Corrupt(format!("its thumbnail cannot be coded: {error}")))?;
    Ok(match icc_profile {
        Some(profile) => icc::embed(jpeg, profile),
        None => jpeg,
    })
}

fn compress_packed(compressor: &mut Compressor, pixels: &Pixels) -> turbojpeg::Result<Vec<u8>> {
    let (format, subsampling) = match pixels.channels {
        1 => (PixelFormat::GRAY, Subsamp::Gray),
        _ => (PixelFormat::RGB, Subsamp::Sub2x2),
    };
    compressor.set_subsamp(subsampling)?;
    compressor.compress_to_vec(Image {
        pixels: pixels.data.as_slice(),
        width: pixels.size.width as usize,
        pitch: pixels.row_length(),
        height: pixels.size.height as usize,
        format,
    })
}

fn compress_planes(
    compressor: &mut Compressor,
    [luma, cb, cr]: &[Pixels; 3],
) -> turbojpeg::Result<Vec<u8>> {
    let padded_luma = padded_to_even(luma);
    compressor.compress_yuv_planes_to_vec(&YuvPlanesImage {
        y_plane: padded_luma.as_ref(),
        u_plane: cb.data.as_slice(),
        v_plane: cr.data.as_slice(),
        width: luma.size.width as usize,
        height: luma.size.height as usize,
        y_stride: luma.size.width.next_multiple_of(2) as usize,
        u_stride: cb.row_length(),
        v_stride: cr.row_length(),
        subsamp: Subsamp::Sub2x2,
    })
}

/// TurboJPEG wants luma for every chroma sample: an odd last column or row is there twice.
fn padded_to_even(luma: &Pixels) -> Cow<'_, [u8]> {
    let Size { width, height } = luma.size;
    if width % 2 == 0 && height % 2 == 0 {
        return Cow::Borrowed(&luma.data);
    }
    let rows = luma.data.chunks_exact(luma.row_length());
    let last_row = rows.clone().next_back().filter(|_| height % 2 == 1);
    let mut padded = Vec::with_capacity(luma.data.len() + (width + height) as usize + 1);
    for row in rows.chain(last_row) {
        padded.extend_from_slice(row);
        padded.extend(row.last().filter(|_| width % 2 == 1));
    }
    Cow::Owned(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose channels and sides cannot be mistaken for each other.
    fn gradient(width: u32, height: u32, channels: usize) -> Pixels {
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

    fn gradient_jpeg(width: u32, height: u32, channels: usize) -> Vec<u8> {
        encode(&Picture::Packed(gradient(width, height, channels)), 0.9, None).unwrap()
    }

    /// The whole photo at a quarter of its size.
    fn quarter(jpeg: &[u8]) -> Result<Decoded, PhotoError> {
        decode(jpeg, &Header::read(jpeg)?, 2)
    }

    #[test]
    fn the_header_tells_size_and_components() {
        for channels in [1, 3] {
            let header = Header::read(&gradient_jpeg(37, 21, channels)).unwrap();
            assert_eq!(header.size, Size { width: 37, height: 21 });
            assert_eq!(usize::from(header.components), channels);
        }
    }

    #[test]
    fn decoding_at_a_quarter_is_the_picture_at_a_quarter() {
        for (channels, samples) in [(1, 1), (3, 3)] {
            let jpeg = gradient_jpeg(400, 240, channels);
            let size = Size { width: 100, height: 60 };
            let picture = quarter(&jpeg).unwrap().shrink(size, (false, false)).unwrap();
            let again = encode(&picture, 1.0, None).unwrap();
            let image = turbojpeg::decompress(&again, PixelFormat::RGB).unwrap();
            let expected = gradient(100, 60, channels);
            for (pixel, expected) in image.pixels.chunks(3).zip(expected.data.chunks(samples)) {
                let worst = pixel.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(worst <= Some(8), "{pixel:?} instead of {expected:?}");
            }
        }
    }

    #[test]
    fn every_sampling_is_decoded_to_the_same_picture() {
        let (pixels, size) = (gradient(403, 241, 3), Size { width: 101, height: 60 });
        for subsamp in [
            Subsamp::None,
            Subsamp::Sub2x1,
            Subsamp::Sub2x2,
            Subsamp::Sub1x2,
            Subsamp::Sub4x1,
            Subsamp::Sub1x4,
        ] {
            let image = Image {
                pixels: pixels.data.as_slice(),
                width: 403,
                pitch: 3 * 403,
                height: 241,
                format: PixelFormat::RGB,
            };
            let jpeg = turbojpeg::compress(image, 95, subsamp).unwrap();
            let picture = decode(&jpeg, &Header::read(&jpeg).unwrap(), 3).unwrap();
            let again = encode(&picture.shrink(size, (false, false)).unwrap(), 1.0, None).unwrap();
            let shown = turbojpeg::decompress(&again, PixelFormat::RGB).unwrap();
            let expected = gradient(101, 60, 3);
            for (at, (pixel, expected)) in
                shown.pixels.chunks(3).zip(expected.data.chunks(3)).enumerate()
            {
                let worst = pixel.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(
                    worst <= Some(12),
                    "{subsamp:?} at {at}: {pixel:?} instead of {expected:?}"
                );
            }
        }
    }

    #[test]
    fn every_prefix_of_a_photo_is_refused() {
        let jpeg = gradient_jpeg(64, 48, 3);
        for length in 0..jpeg.len() {
            assert!(
                matches!(Header::read(&jpeg[..length]), Err(PhotoError::Truncated { .. })),
                "{length} of {} bytes",
                jpeg.len()
            );
        }
    }

    #[test]
    fn missing_image_data_is_refused_even_before_an_end_marker() {
        let mut jpeg = gradient_jpeg(640, 480, 3);
        jpeg.truncate(jpeg.len() / 2);
        jpeg.extend([0xFF, marker::EOI]);
        assert!(matches!(quarter(&jpeg), Err(PhotoError::Truncated { .. })));
    }

    #[test]
    fn what_follows_the_end_marker_is_no_part_of_the_photo() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let followed = [&jpeg[..], b"\xFF\xC0 a second image or an editor's notes"].concat();
        assert_eq!(quarter(&followed), quarter(&jpeg));
    }

    fn coded(pixels: &Pixels, progressive: bool, arithmetic: bool) -> Vec<u8> {
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

    /// Where the segments begin that follow the JFIF header.
    const BEHIND_JFIF: usize = 20;

    #[test]
    fn oddities_of_the_header_cost_no_pixel() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let (jfif, rest) = jpeg.split_at(BEHIND_JFIF);
        let mut jfif_2 = jpeg.clone();
        jfif_2[11] = 2;
        let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\x07";
        for odd in [
            [jfif, &[0, 0, 0], rest].concat(),
            [jfif, b"\xFF\xE2\0\x10ICC_PROFILE\0\x02\x01", rest].concat(),
            [jfif, b"\xFF\xFE\0\x04hi", &[0], rest].concat(),
            [&jpeg[..2], adobe, rest].concat(),
            jfif_2,
        ] {
            assert_eq!(quarter(&odd), quarter(&jpeg));
        }
    }

    #[test]
    fn an_oddity_of_the_header_does_not_hide_missing_data() {
        let jpeg = gradient_jpeg(640, 480, 3);
        let (jfif, rest) = jpeg.split_at(BEHIND_JFIF);
        let half = [jfif, &[0, 0, 0], &rest[..rest.len() / 2], &[0xFF, marker::EOI]].concat();
        let refusal = quarter(&half).unwrap_err();
        assert!(matches!(refusal, PhotoError::Truncated { .. }), "{refusal}");
    }

    #[test]
    fn stray_bytes_are_tolerated_only_where_they_hide_nothing() {
        // More than the decoder reads ahead of a scan's end.
        let stray = [0; 100];
        let jpeg = coded(&gradient(64, 48, 3), true, false);
        let (image, end) = jpeg.split_at(jpeg.len() - 2);
        let before_the_end = [image, &stray, end].concat();
        assert_eq!(quarter(&before_the_end), quarter(&jpeg));

        let last_scan = memchr::memmem::rfind(&jpeg, &[0xFF, marker::DHT]).unwrap();
        let (image, last_scan) = jpeg.split_at(last_scan);
        let between_scans = [image, &stray, last_scan].concat();
        assert!(matches!(quarter(&between_scans), Err(PhotoError::Corrupt(_))));
    }

    #[test]
    fn missing_and_wrong_image_data_are_told_apart() {
        let missing = "Corrupt JPEG data: premature end of data segment";
        assert!(matches!(verdict(missing, 9), Err(PhotoError::Truncated { bytes: 9, .. })));
        let cut_off = "Premature end of JPEG file";
        assert!(matches!(verdict(cut_off, 9), Err(PhotoError::Truncated { .. })));
        let wrong = "Corrupt JPEG data: bad Huffman code";
        assert!(matches!(verdict(wrong, 9), Err(PhotoError::Corrupt(_))));
    }

    #[test]
    fn progressive_and_arithmetic_photos_are_decoded_as_the_baseline_one() {
        let pixels = gradient(400, 240, 3);
        let baseline = quarter(&coded(&pixels, false, false)).unwrap();
        for (progressive, arithmetic) in [(true, false), (false, true), (true, true)] {
            let decoded = quarter(&coded(&pixels, progressive, arithmetic));
            assert_eq!(decoded.as_ref(), Ok(&baseline), "{progressive} {arithmetic}");
        }
    }

    #[test]
    fn a_cmyk_photo_is_refused_by_name() {
        let pixels = [0; 4 * 8 * 8];
        let (pixels, format) = (&pixels[..], PixelFormat::CMYK);
        let image = Image { pixels, width: 8, pitch: 32, height: 8, format };
        let jpeg = turbojpeg::compress(image, 90, Subsamp::None).unwrap();
        let refusal = quarter(&jpeg).unwrap_err();
        assert_eq!(refusal, PhotoError::UnsupportedFormat("a CMYK JPEG".into()));
    }

    #[test]
    fn restart_markers_stuffed_and_fill_bytes_are_image_data() {
        let data = b"\x11\xFF\x00\x22\xFF\xD0\x33\xFF\xD7\xFF\x01\xFF\xFF\xFF";
        let jpeg = [b"\xFF\xD8\xFF\xDA\0\x03\x44", &data[..], b"\xD9"].concat();
        let segments: Vec<(u8, Vec<u8>)> = Segments::new(&jpeg)
            .map(|segment| segment.unwrap())
            .map(|segment| (segment.marker, segment.payload.to_vec()))
            .collect();
        assert_eq!(segments, [(marker::SOS, vec![0x44]), (marker::EOI, vec![])]);
    }

    #[test]
    fn a_photo_of_no_scan_or_two_frames_is_refused() {
        let jpeg = gradient_jpeg(8, 8, 1);
        let find = |code| memchr::memmem::find(&jpeg, &[0xFF, code]).unwrap();
        let (frame, tables) = (find(0xC0), find(marker::DHT));
        let no_scan = [&jpeg[..tables], &[0xFF, marker::EOI]].concat();
        let two_frames = [&jpeg[..tables], &jpeg[frame..]].concat();
        for bad in [no_scan, two_frames] {
            assert!(matches!(Header::read(&bad), Err(PhotoError::Corrupt(_))));
        }
    }

    #[test]
    fn more_scans_than_any_encoder_writes_are_refused() {
        let jpeg = gradient_jpeg(8, 8, 1);
        let scan = memchr::memmem::find(&jpeg, &[0xFF, marker::SOS]).unwrap();
        let with_scans = |count| {
            let scans = jpeg[scan..jpeg.len() - 2].repeat(count);
            Header::read(&[&jpeg[..scan], &scans, &[0xFF, marker::EOI]].concat())
        };
        assert!(with_scans(200).is_ok());
        assert!(matches!(with_scans(201), Err(PhotoError::Corrupt(_))));
    }

    #[test]
    fn quality_is_the_ijg_scale_divided_by_a_hundred() {
        // The first entry of table K.1, 16, scaled as the IJG's library does.
        for (quality, expected) in [(0.25, 32), (0.5, 16), (0.9, 3), (1.0, 1)] {
            let jpeg = encode(&Picture::Packed(gradient(8, 8, 1)), quality, None).unwrap();
            let table = Segments::new(&jpeg).map(|s| s.unwrap()).find(|s| s.marker == 0xDB);
            assert_eq!(table.unwrap().payload[1], expected, "{quality}");
        }
    }

    #[test]
    fn lossless_hierarchical_and_twelve_bit_files_are_named() {
        let frame = |code| read_frame(code, &[12, 0, 8, 0, 8, 1]).unwrap_err().to_string();
        assert!(frame(0xC1).contains("12 bits"));
        assert!(frame(0xC3).contains("lossless"));
        assert!(frame(0xC5).contains("hierarchical"));
    }

    #[test]
    fn a_header_that_the_decoder_reads_otherwise_is_refused() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let header =
            Header { size: Size { width: 640, height: 48 }, ..Header::read(&jpeg).unwrap() };
        assert!(matches!(decode(&jpeg, &header, 2), Err(PhotoError::Corrupt(_))));
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let frame = |size: [u8; 4], components| {
            read_frame(0xC0, &[&[8], &size[..], &[components]].concat()).unwrap_err().name()
        };
        assert_eq!(frame([0, 8, 0, 0], 3), "CorruptPhoto", "no width");
        assert_eq!(frame([0, 8, 0, 8], 0), "CorruptPhoto", "no components");
        assert_eq!(frame([0, 0, 0, 8], 3), "UnsupportedFormat", "a height given later");
        assert_eq!(frame([0xFF, 0xDD, 0, 8], 3), "UnsupportedFormat", "65501 rows");
        assert!(read_frame(0xC0, &[8, 0xFF, 0xDC, 0xFF, 0xDC, 3]).is_ok(), "65500 rows");
    }

    #[test]
    fn the_encoder_writes_baseline_420_and_no_metadata() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let codes: Vec<u8> = Segments::new(&jpeg).map(|segment| segment.unwrap().marker).collect();
        assert!(codes.contains(&0xC0), "no baseline frame in {codes:02X?}");
        let metadata = |code: &u8| (0xE1..=0xEF).contains(code) || *code == 0xFE;
        assert!(!codes.iter().any(metadata), "metadata in {codes:02X?}");
        let subsampling = turbojpeg::read_header(&jpeg).unwrap().subsamp;
        assert_eq!(subsampling, Subsamp::Sub2x2);
    }
}
