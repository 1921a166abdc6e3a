//! What a thumbnail costs and how good it is, beside Thumbnailator's: `make quality`.
//!
//! The reference of each photo is its full decode, shrunk with Lanczos3. The unit of cost is the
//! floor: the CPU time of decoding the photo at an eighth, which is little more than its Huffman
//! decoding, and of encoding the thumbnail; no thumbnail of this size can be made for less.

use std::error::Error;
use std::path::{Path, PathBuf};

use fast_image_resize::images::{Image as Resized, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic, compute_frame_ssimulacra2};
use thumbnailer::exif::{self, LocationPolicy};
use thumbnailer::photo::jpeg::{self, Header};
use thumbnailer::photo::{Orientation, Picture, Pixels, Size};
use thumbnailer::thumbnail::{Options, Resampling, render};
use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

const SCALE: f64 = 0.25;
const QUALITY: f64 = 0.9;
/// Runs of which the mean CPU time counts.
const RUNS: usize = 10;

/// The means of one way to make thumbnails.
#[derive(Default)]
struct Scores {
    name: &'static str,
    photos: f64,
    floors: f64,
    psnr: f64,
    ssimulacra2: f64,
    bytes: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let usage = "usage: quality DIRECTORY_OF_THUMBNAILATORS_THUMBNAILS PHOTO...";
    let peers = arguments.next().ok_or(usage)?;
    let photos: Vec<PathBuf> = arguments.collect();
    if photos.is_empty() {
        return Err(usage.into());
    }
    let mut scores =
        ["fast", "best", "Thumbnailator"].map(|name| Scores { name, ..Scores::default() });
    let mut worse = Vec::new();
    for (number, path) in photos.iter().enumerate() {
        eprintln!("{} of {}: {}", number + 1, photos.len(), path.display());
        let name = path.file_name().ok_or("a photo has no name")?;
        let [_, best, peer] = score(path, &peers.join(name), &mut scores)?;
        if best < peer {
            worse.push(format!("{} ({best:.2} to {peer:.2})", name.display()));
        }
    }
    println!("| | CPU time, floors | PSNR, dB | SSIMULACRA2 | bytes |");
    println!("|---|---|---|---|---|");
    for Scores { name, photos, floors, psnr, ssimulacra2, bytes } in scores {
        let floors = match floors {
            0.0 => "(another process)".to_owned(),
            floors => format!("{:.2}", floors / photos),
        };
        let [psnr, ssimulacra2, bytes] = [psnr, ssimulacra2, bytes].map(|sum| sum / photos);
        println!("| {name} | {floors} | {psnr:.2} | {ssimulacra2:.2} | {bytes:.0} |");
    }
    println!("\nMeans of {} photos.", photos.len());
    match worse.as_slice() {
        [] => println!("`best` is below Thumbnailator's SSIMULACRA2 on no photo."),
        _ => println!("`best` is below Thumbnailator's SSIMULACRA2 on: {}.", worse.join(", ")),
    }
    Ok(())
}

/// Adds one photo to the scores; returns the SSIMULACRA2 of each way.
fn score(path: &Path, peer: &Path, scores: &mut [Scores; 3]) -> Result<[f64; 3], Box<dyn Error>> {
    let photo = std::fs::read(path)?;
    let header = Header::read(&photo)?;
    let facts = exif::read(&photo, LocationPolicy::Off);
    let orientation = Orientation::from_exif(facts.orientation);
    let reference = orientation.apply(shrink(decode(&photo, ScalingFactor::ONE)?, header.size)?);
    let picture = Picture::Packed(reference.clone());
    let floor = mean_cpu_ms(|| decode(&photo, ScalingFactor::ONE_EIGHTH).is_ok())
        + mean_cpu_ms(|| jpeg::encode(&picture, QUALITY, None).is_ok());
    let mut results = [0.0; 3];
    for (way, result) in scores.iter_mut().zip(&mut results) {
        let resampling = match way.name {
            "fast" => Some(Resampling::Fast),
            "best" => Some(Resampling::Best),
            _ => None,
        };
        let thumbnail = match resampling {
            Some(resampling) => {
                let options = Options { scale: SCALE, quality: QUALITY, resampling };
                let run = || render(&photo, &header, orientation, options);
                way.floors += mean_cpu_ms(|| run().is_ok()) / floor;
                run()?.jpeg
            }
            None => std::fs::read(peer)?,
        };
        let shown = decode(&thumbnail, ScalingFactor::ONE)?;
        *result = ssimulacra2(&reference, &shown)?;
        way.photos += 1.0;
        way.psnr += psnr(&reference, &shown);
        way.ssimulacra2 += *result;
        way.bytes += thumbnail.len() as f64;
    }
    Ok(results)
}

fn decode(jpeg: &[u8], scale: ScalingFactor) -> Result<Pixels, turbojpeg::Error> {
    let mut decompressor = Decompressor::new()?;
    decompressor.set_scaling_factor(scale)?;
    let header = decompressor.read_header(jpeg)?.scaled(scale);
    let size = Size { width: header.width as u32, height: header.height as u32 };
    let mut decoded = Pixels::black(size, 3);
    let (width, height) = (header.width, header.height);
    let (pitch, format) = (decoded.row_length(), PixelFormat::RGB);
    let pixels = decoded.data.as_mut_slice();
    decompressor.decompress(jpeg, Image { pixels, width, pitch, height, format })?;
    Ok(decoded)
}

fn shrink(full: Pixels, size: Size) -> Result<Pixels, Box<dyn Error>> {
    let target = size.scaled(SCALE);
    let source = ImageRef::new(size.width, size.height, &full.data, PixelType::U8x3)?;
    let mut shrunk = Resized::new(target.width, target.height, PixelType::U8x3);
    Resizer::new().resize(&source, &mut shrunk, &ResizeOptions::new())?; // Lanczos3
    Ok(Pixels { data: shrunk.into_vec(), size: target, channels: 3 })
}

/// The milliseconds that this thread is on a processor for one run, as a mean of several: the kernel
/// counts them in ticks of up to 10 (proc(5), schedstat).
fn mean_cpu_ms(mut run: impl FnMut() -> bool) -> f64 {
    let on_processor = || {
        let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let nanoseconds = statistics.split(' ').next().and_then(|field| field.parse::<f64>().ok());
        nanoseconds.unwrap_or(f64::NAN) / 1e6
    };
    let started = on_processor();
    let succeeded = (0..RUNS).all(|_| run());
    assert!(succeeded, "what could be decoded once can be decoded again");
    (on_processor() - started) / RUNS as f64
}

fn psnr(a: &Pixels, b: &Pixels) -> f64 {
    let squares = a.data.iter().zip(&b.data).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    10.0 * (255.0 * 255.0 / (squares.sum::<f64>() / a.data.len() as f64)).log10()
}

fn ssimulacra2(a: &Pixels, b: &Pixels) -> Result<f64, Box<dyn Error>> {
    let rgb = |pixels: &Pixels| {
        let floats = pixels.data.chunks_exact(3);
        let floats = floats.map(|pixel| [0, 1, 2].map(|i| f32::from(pixel[i]) / 255.0)).collect();
        let (width, height) = (pixels.size.width as usize, pixels.size.height as usize);
        Rgb::new(floats, width, height, TransferCharacteristic::SRGB, ColorPrimaries::BT709)
    };
    Ok(compute_frame_ssimulacra2(rgb(a)?, rgb(b)?)?)
}
