//! Encodes a picture as a baseline JPEG.

use std::borrow::Cow;

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp, YuvPlanesImage};

use crate::metadata::icc;
use crate::{PhotoError, Picture, Pixels, Size};

/// Encodes a picture as a baseline JPEG, 4:2:0 or gray, with no metadata except the colour profile.
///
/// `quality` is the IJG scale divided by 100, 0.01 to 1.
///
/// # Errors
/// [`PhotoError::Corrupt`] if libjpeg-turbo refuses the pixels, as it does for a picture that is too large
/// for a JPEG.
pub fn jpeg(
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
    let jpeg = compress().map_err(|error| {
        PhotoError::Corrupt(format!("its thumbnail cannot be encoded: {error}"))
    })?;
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

/// Luma with an odd last column or row repeated: TurboJPEG expects luma for every chroma sample.
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
    use crate::CancelFlag;
    use crate::container::jpeg::Segments;
    use crate::sample::{gradient, gradient_jpeg};

    #[test]
    fn quality_is_the_ijg_scale_divided_by_a_hundred() {
        // The first entry of table K.1 is 16; the IJG's library scales it.
        for (quality, expected) in [(0.25, 32), (0.5, 16), (0.9, 3), (1.0, 1)] {
            let jpeg = jpeg(&Picture::Packed(gradient(8, 8, 1)), quality, None).unwrap();
            let cancel = CancelFlag::default();
            let table =
                Segments::new(&jpeg, &cancel).map(|s| s.unwrap()).find(|s| s.marker == 0xDB);
            assert_eq!(table.unwrap().payload[1], expected, "{quality}");
        }
    }

    #[test]
    fn a_jpeg_is_baseline_420_without_metadata() {
        let jpeg = gradient_jpeg(64, 48, 3);
        let cancel = CancelFlag::default();
        let codes: Vec<u8> =
            Segments::new(&jpeg, &cancel).map(|segment| segment.unwrap().marker).collect();
        assert!(codes.contains(&0xC0), "no baseline frame in {codes:02X?}");
        let metadata = |code: &u8| (0xE1..=0xEF).contains(code) || *code == 0xFE;
        assert!(!codes.iter().any(metadata), "metadata in {codes:02X?}");
        let subsampling = turbojpeg::read_header(&jpeg).unwrap().subsamp;
        assert_eq!(subsampling, Subsamp::Sub2x2);
    }
}
