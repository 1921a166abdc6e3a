//! From printing inks to sRGB.
//!
//! A screen can show a CMYK photo only through its colour profile: the same four numbers are other
//! colours on other paper.

use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};
use std::sync::Arc;

use crate::metadata::icc;

/// Pixels converted at a time.
const STRETCH: usize = 4096;

/// Pixels of four inks, 0 none and 255 all, as sRGB: through the photo's profile, or where that is
/// missing or no CMYK profile at all, as if the inks were ideal.
pub(crate) fn to_srgb(cmyk: Vec<u8>, profile: Option<&[u8]>) -> Vec<u8> {
    let transform = profile.and_then(transform);
    let mut pixels = cmyk;
    let mut rgb = [0; 3 * STRETCH];
    let (mut from, mut to) = (0, 0);
    while from < pixels.len() {
        let inks = &pixels[from..pixels.len().min(from + 4 * STRETCH)];
        let rgb = &mut rgb[..inks.len() / 4 * 3];
        let is_converted =
            transform.as_ref().is_some_and(|transform| transform.transform(inks, rgb).is_ok());
        if !is_converted {
            ideal_inks(inks, rgb);
        }
        from += inks.len();
        // What is written is shorter than what was read: it never overtakes.
        pixels[to..to + rgb.len()].copy_from_slice(rgb);
        to += rgb.len();
    }
    pixels.truncate(to);
    pixels
}

fn transform(profile: &[u8]) -> Option<Arc<Transform8BitExecutor>> {
    let profile = ColorProfile::new_from_slice(&icc::essentials(profile)?).ok()?;
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let (inks, srgb) = (Layout::Rgba, ColorProfile::new_srgb());
    profile.create_transform_8bit(inks, &srgb, Layout::Rgb, TransformOptions::default()).ok()
}

/// Each ink takes away its opposite colour, and black takes all of them.
fn ideal_inks(cmyk: &[u8], rgb: &mut [u8]) {
    for (inks, pixel) in cmyk.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
        let light = 255 - u16::from(inks[3]);
        for (channel, ink) in pixel.iter_mut().zip(inks) {
            *channel = (((255 - u16::from(*ink)) * light + 127) / 255) as u8;
        }
    }
}
