//! A runner of `make bench`: `thumbnails WAY DIRECTORY RUNS PHOTO...` makes thumbnails with this crate or
//! with the `image` crate, or measures the floor. dev/photos_dev/benches/peers/run.py describes the arguments
//! and the output of a runner.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Instant;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::imageops::FilterType;
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageEncoder};
use photo::{CancelFlag, Encoding, Policy, Resampling, Size, Sizing, Spec, inspect};
use serde_json::json;
use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor, Subsamp};

const SCALE: f64 = 0.25;
/// JPEG quality on the IJG scale.
const QUALITY: u8 = 90;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, directory, runs, photos @ ..] = arguments.as_slice() else {
        return Err("usage: thumbnails WAY DIRECTORY RUNS PHOTO...".into());
    };
    let runs: u32 = runs.parse()?;
    for (number, path) in photos.iter().map(PathBuf::from).enumerate() {
        let photo = fs::read(&path)?;
        let make = prepare(way, &photo)?;
        if number == 0 {
            make()?; // work that a process does once is not a photo's cost
        }
        let (cpu, started) = (cpu_ms()?, Instant::now());
        let mut thumbnail = Vec::new();
        for _ in 0..runs {
            thumbnail = black_box(make()?);
        }
        let wall = started.elapsed().as_secs_f64() * 1000.0;
        let [cpu, wall] = [cpu_ms()? - cpu, wall].map(|ms| ms / f64::from(runs));
        let name = path.file_name().ok_or("a photo has no name")?;
        fs::write(Path::new(directory).join(name), thumbnail)?;
        println!("{}", json!({ "photo": name.to_string_lossy(), "cpuMs": cpu, "wallMs": wall }));
    }
    let versions = match way.as_str() {
        "image" | "image-thumbnail" => format!("image {}", version_of("image")),
        "floor" => format!("turbojpeg {}", version_of("turbojpeg")),
        _ => {
            format!("version {}, turbojpeg {}", env!("CARGO_PKG_VERSION"), version_of("turbojpeg"))
        }
    };
    println!("{}", json!({ "versions": versions, "peakMemoryMb": peak_memory_mb()? }));
    Ok(())
}

type Make<'a> = Box<dyn Fn() -> Outcome<Vec<u8>> + 'a>;

/// A function that makes the thumbnail of this photo.
fn prepare<'a>(way: &str, photo: &'a [u8]) -> Outcome<Make<'a>> {
    Ok(match way {
        "best" => Box::new(|| by_this_crate(photo, &[THUMBNAIL], Resampling::Best)),
        "fast" => Box::new(|| by_this_crate(photo, &[THUMBNAIL], Resampling::Fast)),
        "three-jpegs" => Box::new(|| by_this_crate(photo, &THREE_JPEGS, Resampling::Best)),
        "three-webps" => Box::new(|| by_this_crate(photo, &THREE_WEBPS, Resampling::Best)),
        "image" => Box::new(|| {
            let lanczos3 = |full: &DynamicImage, size: Size| {
                full.resize_exact(size.width, size.height, FilterType::Lanczos3)
            };
            by_image(photo, lanczos3)
        }),
        "image-thumbnail" => {
            Box::new(|| by_image(photo, |full, size| full.thumbnail_exact(size.width, size.height)))
        }
        "floor" => {
            let quarter = decode(photo, ScalingFactor::ONE_QUARTER)?; // only to have pixels to encode
            Box::new(move || floor(photo, &quarter))
        }
        _ => {
            return Err(format!(
                "WAY {way} is unknown: best, fast, three-jpegs, three-webps, image, image-thumbnail or floor"
            )
            .into());
        }
    })
}

const THUMBNAIL: Spec = Spec::scaled(SCALE, 0.9);
const THREE_JPEGS: [Spec; 3] =
    [THUMBNAIL, fit(1600, Encoding::Jpeg, 0.9), fit(400, Encoding::Jpeg, 0.9)];
const THREE_WEBPS: [Spec; 3] =
    [THUMBNAIL, fit(1600, Encoding::WebP, 0.8), fit(400, Encoding::WebP, 0.8)];

const fn fit(side: u32, encoding: Encoding, quality: f64) -> Spec {
    Spec { sizing: Sizing::Fit(Size { width: side, height: side }), encoding, quality }
}

/// Makes these renditions, and returns the first.
fn by_this_crate(photo: &[u8], specs: &[Spec], resampling: Resampling) -> Outcome<Vec<u8>> {
    let cancel = CancelFlag::default();
    let inspected = inspect(photo, Policy::default(), &cancel);
    let mut made = inspected.plan(specs, resampling, u64::MAX)?.render(&cancel)?.renditions;
    Ok(made.swap_remove(0).file)
}

fn by_image(
    photo: &[u8],
    shrink: impl Fn(&DynamicImage, Size) -> DynamicImage,
) -> Outcome<Vec<u8>> {
    let mut decoder = JpegDecoder::new(Cursor::new(photo))?;
    let (orientation, profile) = (decoder.orientation()?, decoder.icc_profile()?);
    let full = DynamicImage::from_decoder(decoder)?;
    let (width, height) = full.dimensions();
    let mut thumbnail = shrink(&full, Size { width, height }.scaled(SCALE));
    thumbnail.apply_orientation(orientation);
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile)?;
    }
    encoder.encode_image(&thumbnail)?;
    Ok(jpeg)
}

/// Decodes at an eighth and encodes a thumbnail. That is little more than Huffman decoding, which every
/// baseline JPEG needs, and encoding.
fn floor(photo: &[u8], quarter: &Image<Vec<u8>>) -> Outcome<Vec<u8>> {
    black_box(decode(photo, ScalingFactor::ONE_EIGHTH)?);
    let jpeg = turbojpeg::compress(quarter.as_deref(), QUALITY.into(), Subsamp::Sub2x2)?;
    Ok(jpeg.to_vec())
}

fn decode(photo: &[u8], scale: ScalingFactor) -> turbojpeg::Result<Image<Vec<u8>>> {
    let mut decompressor = Decompressor::new()?;
    decompressor.set_scaling_factor(scale)?;
    let header = decompressor.read_header(photo)?.scaled(scale);
    let (width, height, pitch) = (header.width, header.height, header.width * 3);
    let pixels = vec![0; pitch * height];
    let mut decoded = Image { pixels, width, pitch, height, format: PixelFormat::RGB };
    decompressor.decompress(photo, decoded.as_deref_mut())?;
    Ok(decoded)
}

/// CPU time of this process's threads so far (proc(5), schedstat).
fn cpu_ms() -> Outcome<f64> {
    std::thread::yield_now(); // the kernel brings the count up to date where it schedules
    let mut nanoseconds = 0.0;
    for thread in fs::read_dir("/proc/self/task")? {
        let statistics = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += statistics.split(' ').next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(nanoseconds / 1e6)
}

/// Peak memory of this process (proc(5), VmHWM).
fn peak_memory_mb() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

/// The version of a crate that this program is built with.
fn version_of(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"\nversion = \"");
    let version = include_str!("../../../../Cargo.lock").split_once(&name).map(|(_, rest)| rest);
    version.and_then(|rest| rest.split('"').next()).unwrap_or("of an unknown version")
}
