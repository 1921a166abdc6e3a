//! Scores thumbnails for `make bench`: `quality DIRECTORY PHOTO...` scores each photo's thumbnail in each
//! folder of DIRECTORY, and prints a JSON line for each.
//!
//! A score says how similar a thumbnail is to the photo's full decode shrunk with Lanczos3. A photo that is no JPEG has
//! its full decode, upright, in a PPM beside it.

use std::error::Error;
use std::fs;
use std::iter::zip;
use std::path::{Path, PathBuf};

use fast_image_resize::images::{Image as Resized, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::ImageFormat;
use photo::metadata;
use photo::{CancelFlag, LocationPolicy, Orientation, Pixels, Size};
use serde_json::{Value, json};
use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic, compute_frame_ssimulacra2};
use turbojpeg::PixelFormat;

const SCALE: f64 = 0.25;
/// The marker that begins a JPEG.
const JPEG_START: &[u8] = &[0xff, 0xd8];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let directory = arguments.next().ok_or("usage: quality DIRECTORY PHOTO...")?;
    let mut ways = Vec::new();
    for entry in fs::read_dir(&directory)? {
        ways.push(entry?.file_name());
    }
    for path in arguments {
        let name = path.file_name().ok_or("a photo has no name")?;
        let reference = reference(&path)?;
        for way in &ways {
            let thumbnail = directory.join(way).join(name);
            if thumbnail.exists() {
                let mut line = score(&reference, &thumbnail)
                    .unwrap_or_else(|error| json!({ "error": error.to_string() }));
                line["way"] = way.to_string_lossy().into();
                line["photo"] = name.to_string_lossy().into();
                println!("{line}");
            }
        }
    }
    Ok(())
}

fn score(reference: &Pixels, thumbnail: &Path) -> Outcome<Value> {
    let jpeg = fs::read(thumbnail)?;
    let shown = decode(&jpeg)?;
    if shown.size != reference.size {
        let [is, should] =
            [shown.size, reference.size].map(|size| format!("{}x{}", size.width, size.height));
        return Err(format!("the thumbnail has {is} pixels, not {should}").into());
    }
    Ok(json!({
        "bytes": jpeg.len(),
        "psnr": psnr(reference, &shown),
        "ssim": ssim(reference, &shown)?,
        "ssimulacra2": ssimulacra2(reference, &shown)?,
    }))
}

/// The thumbnail as it would be if neither time nor bytes counted.
fn reference(path: &Path) -> Outcome<Pixels> {
    let photo = fs::read(path)?;
    if !photo.starts_with(JPEG_START) {
        return shrink(&full_decode(&path.with_extension("ppm"))?);
    }
    let facts = metadata::read(&photo, LocationPolicy::Off, &CancelFlag::default());
    Ok(Orientation::from_exif(facts.orientation).apply(shrink(&decode(&photo)?)?))
}

fn full_decode(ppm: &Path) -> Outcome<Pixels> {
    let full = image::load_from_memory_with_format(&fs::read(ppm)?, ImageFormat::Pnm)?.into_rgb8();
    let size = Size { width: full.width(), height: full.height() };
    Ok(Pixels { data: full.into_raw(), size, channels: 3 })
}

fn shrink(full: &Pixels) -> Outcome<Pixels> {
    let (size, target) = (full.size, full.size.scaled(SCALE));
    let source = ImageRef::new(size.width, size.height, &full.data, PixelType::U8x3)?;
    let mut shrunk = Resized::new(target.width, target.height, PixelType::U8x3);
    Resizer::new().resize(&source, &mut shrunk, &ResizeOptions::new())?; // Lanczos3
    Ok(Pixels { data: shrunk.into_vec(), size: target, channels: 3 })
}

fn decode(jpeg: &[u8]) -> turbojpeg::Result<Pixels> {
    let decoded = turbojpeg::decompress(jpeg, PixelFormat::RGB)?;
    let size = Size { width: decoded.width as u32, height: decoded.height as u32 };
    Ok(Pixels { data: decoded.pixels, size, channels: 3 })
}

/// PSNR in dB, over all three channels.
fn psnr(a: &Pixels, b: &Pixels) -> f64 {
    let squares = zip(&a.data, &b.data).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    10.0 * (255.0 * 255.0 / (squares.sum::<f64>() / a.data.len() as f64)).log10()
}

/// SSIM of luma, as its authors define it: the mean over all windows of 11x11 pixels, weighted by a Gaussian
/// of 1.5 pixels (Wang, Bovik, Sheikh, Simoncelli: "Image quality assessment", 2004, section III-B).
fn ssim(a: &Pixels, b: &Pixels) -> Outcome<f64> {
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    let width = a.size.width as usize;
    if a.size.width.min(a.size.height) < WINDOW as u32 {
        return Err("the thumbnail is smaller than the window of SSIM, 11x11 pixels".into());
    }
    let [a, b] = [a, b].map(luma);
    let products = |a: &[f64], b: &[f64]| zip(a, b).map(|(a, b)| a * b).collect::<Vec<f64>>();
    let [aa, bb, ab] = [products(&a, &a), products(&b, &b), products(&a, &b)];
    let [a, b, aa, bb, ab] = [a, b, aa, bb, ab].map(|plane| windows(&plane, width));
    let sum: f64 = (0..a.len())
        .map(|i| {
            let (squares, product) = (a[i] * a[i] + b[i] * b[i], a[i] * b[i]);
            let (variances, covariance) = (aa[i] + bb[i] - squares, ab[i] - product);
            (2.0 * product + C1) * (2.0 * covariance + C2) / ((squares + C1) * (variances + C2))
        })
        .sum();
    Ok(sum / a.len() as f64)
}

/// Pixels on each side of the window of SSIM.
const WINDOW: usize = 11;

/// The weighted mean in each window that lies within the plane.
fn windows(plane: &[f64], width: usize) -> Vec<f64> {
    let distance = |i: usize| i as f64 - (WINDOW / 2) as f64;
    let weights: [f64; WINDOW] =
        std::array::from_fn(|i| (-distance(i).powi(2) / (2.0 * 1.5 * 1.5)).exp());
    let total: f64 = weights.iter().sum();
    let mean = |values: &[f64], step: usize| {
        let weighted = weights.iter().enumerate().map(|(i, weight)| weight * values[i * step]);
        weighted.sum::<f64>() / total
    };
    let rows = plane.chunks_exact(width);
    let across: Vec<f64> =
        rows.flat_map(|row| row.windows(WINDOW).map(|window| mean(window, 1))).collect();
    let width = width - (WINDOW - 1);
    let starts = 0..across.len() - (WINDOW - 1) * width;
    starts.map(|start| mean(&across[start..], width)).collect()
}

/// Luma as JPEG defines it: ITU-R BT.601.
fn luma(rgb: &Pixels) -> Vec<f64> {
    let weighted = |pixel: &[u8]| {
        zip([0.299, 0.587, 0.114], pixel).map(|(weight, value)| weight * f64::from(*value)).sum()
    };
    rgb.data.chunks_exact(3).map(weighted).collect()
}

fn ssimulacra2(a: &Pixels, b: &Pixels) -> Outcome<f64> {
    let rgb = |pixels: &Pixels| {
        let floats = pixels.data.chunks_exact(3);
        let floats = floats.map(|pixel| [0, 1, 2].map(|i| f32::from(pixel[i]) / 255.0)).collect();
        let (width, height) = (pixels.size.width as usize, pixels.size.height as usize);
        Rgb::new(floats, width, height, TransferCharacteristic::SRGB, ColorPrimaries::BT709)
    };
    Ok(compute_frame_ssimulacra2(rgb(a)?, rgb(b)?)?)
}
