//! Several renditions of one decoding: `renditions quality PHOTO...` compares each with the same rendition made alone
//! from the full decode, `renditions cost RUNS PHOTO...` measures what each further one costs. Prints JSON lines.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use fast_image_resize::images::{Image as Resized, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use photo::{
    CancelFlag, DctScale, Encoding, Inspected, Pixels, Policy, Rendition, Resampling, Size, Sizing,
    Spec, inspect,
};
use serde_json::json;
use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic, compute_frame_ssimulacra2};

type Outcome<T> = Result<T, Box<dyn Error>>;

const THUMBNAIL: (&str, Spec) = ("thumbnail", Spec::scaled(0.25, 0.9));
const SCREEN: (&str, Spec) = ("fit=1600", fit(1600, Encoding::Jpeg));
const GRID: (&str, Spec) = ("fit=400", fit(400, Encoding::Jpeg));
const COVER: (&str, Spec) = (
    "cover=400x400",
    Spec { sizing: Sizing::Cover(square(400)), encoding: Encoding::Jpeg, quality: 0.9 },
);
const SCREEN_WEBP: (&str, Spec) = ("fit=1600 webp", fit(1600, Encoding::WebP));
const GRID_WEBP: (&str, Spec) = ("fit=400 webp", fit(400, Encoding::WebP));

const fn square(side: u32) -> Size {
    Size { width: side, height: side }
}

/// The quality is each format's default.
const fn fit(side: u32, encoding: Encoding) -> Spec {
    let quality = match encoding {
        Encoding::Jpeg => 0.9,
        Encoding::WebP => 0.8,
    };
    Spec { sizing: Sizing::Fit(square(side)), encoding, quality }
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["quality", photos @ ..] => photos.iter().try_for_each(|path| quality(Path::new(path))),
        ["cost", runs, photos @ ..] => {
            let runs = runs.parse()?;
            photos.iter().try_for_each(|path| cost(Path::new(path), runs))
        }
        _ => Err("usage: renditions quality PHOTO..., or renditions cost RUNS PHOTO...".into()),
    }
}

/// Scores each rendition of one decoding, and the same one made alone from the full decode.
fn quality(path: &Path) -> Outcome<()> {
    let (photo, cancel) = (fs::read(path)?, CancelFlag::default());
    let inspected = inspect(&photo, Policy::default(), &cancel);
    let full = full_decode(&inspected)?;
    let all = [THUMBNAIL, SCREEN, GRID, COVER, SCREEN_WEBP, GRID_WEBP];
    let specs = all.map(|(_, spec)| spec);
    let together = inspected.plan(&specs, Resampling::Best, u64::MAX)?.render(&cancel)?.renditions;
    for ((name, spec), made) in all.iter().zip(together) {
        let mut plan = inspected.plan(&[*spec], Resampling::Best, u64::MAX)?;
        plan.dct_scale = DctScale::FULL;
        let alone = plan.render(&cancel)?.renditions.remove(0);
        let reference = reference(&full, spec.sizing)?;
        let [together, alone] = [&made, &alone].map(|made| score(made, &reference));
        println!(
            "{}",
            json!({
                "photo": path.file_name().unwrap_or_default().to_string_lossy(),
                "rendition": name,
                "bytes": made.file.len(),
                "together": together?,
                "alone": alone?,
            })
        );
    }
    Ok(())
}

/// CPU milliseconds of these renditions of a photo.
fn cost(path: &Path, runs: u32) -> Outcome<()> {
    let (photo, cancel) = (fs::read(path)?, CancelFlag::default());
    let sets: [(&str, &[Spec]); 6] = [
        ("thumbnail", &[THUMBNAIL.1]),
        ("thumbnail, fit=400", &[THUMBNAIL.1, GRID.1]),
        ("thumbnail, fit=1600", &[THUMBNAIL.1, SCREEN.1]),
        ("thumbnail, fit=400, fit=1600", &[THUMBNAIL.1, GRID.1, SCREEN.1]),
        ("thumbnail, fit=400 webp", &[THUMBNAIL.1, GRID_WEBP.1]),
        ("thumbnail, fit=400 webp, fit=1600 webp", &[THUMBNAIL.1, GRID_WEBP.1, SCREEN_WEBP.1]),
    ];
    // Each set in turn, so that what disturbs one run disturbs all sets alike.
    let mut spent = vec![f64::MAX; sets.len()];
    let mut bytes = vec![0; sets.len()];
    for _ in 0..runs {
        for (index, (_, specs)) in sets.iter().enumerate() {
            let started = cpu_ms()?;
            let inspected = inspect(black_box(&photo), Policy::default(), &cancel);
            let plan = inspected.plan(specs, Resampling::Best, u64::MAX)?;
            let made = plan.render(&cancel)?.renditions;
            spent[index] = spent[index].min(cpu_ms()? - started);
            bytes[index] = made.iter().map(|made| made.file.len()).sum();
        }
    }
    for (index, (name, _)) in sets.iter().enumerate() {
        println!(
            "{}",
            json!({
                "photo": path.file_name().unwrap_or_default().to_string_lossy(),
                "renditions": name,
                "cpuMs": spent[index],
                "ratio": spent[index] / spent[0],
                "bytes": bytes[index],
            })
        );
    }
    Ok(())
}

/// The photo upright in RGB, at its full size.
fn full_decode(photo: &Inspected<'_>) -> Outcome<Pixels> {
    let decoded = turbojpeg::decompress(photo.bytes, turbojpeg::PixelFormat::RGB)?;
    let size = Size { width: decoded.width as u32, height: decoded.height as u32 };
    Ok(photo.orientation().apply(Pixels { data: decoded.pixels, size, channels: 3 }))
}

/// The rendition as it would be if neither time nor bytes counted.
fn reference(full: &Pixels, sizing: Sizing) -> Outcome<Pixels> {
    let (size, target) = (full.size, sizing.of(full.size));
    let source = ImageRef::new(size.width, size.height, &full.data, PixelType::U8x3)?;
    let mut shrunk = Resized::new(target.width, target.height, PixelType::U8x3);
    let [(width, wide), (height, high)] =
        [(size.width, target.width), (size.height, target.height)]
            .map(|(a, b)| (f64::from(a), f64::from(b)));
    let options = match sizing {
        Sizing::Cover(_) => {
            let scale = (wide / width).max(high / height);
            let (across, down) = (wide / scale, high / scale);
            ResizeOptions::new().crop((width - across) / 2.0, (height - down) / 2.0, across, down)
        }
        Sizing::Scale(_) | Sizing::Fit(_) => ResizeOptions::new(),
    };
    Resizer::new().resize(&source, &mut shrunk, &options)?; // Lanczos3
    Ok(Pixels { data: shrunk.into_vec(), size: target, channels: 3 })
}

fn score(made: &Rendition, reference: &Pixels) -> Outcome<f64> {
    let shown = image::load_from_memory(&made.file)?.into_rgb8();
    let size = Size { width: shown.width(), height: shown.height() };
    let rgb = |data: &[u8], size: Size| {
        let floats = data.chunks_exact(3);
        let floats = floats.map(|pixel| [0, 1, 2].map(|i| f32::from(pixel[i]) / 255.0)).collect();
        let (width, height) = (size.width as usize, size.height as usize);
        Rgb::new(floats, width, height, TransferCharacteristic::SRGB, ColorPrimaries::BT709)
    };
    let (reference, shown) = (rgb(&reference.data, reference.size)?, rgb(shown.as_raw(), size)?);
    Ok(compute_frame_ssimulacra2(reference, shown)?)
}

/// CPU time of this thread so far (Documentation/scheduler/sched-stats.rst of Linux).
fn cpu_ms() -> Outcome<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e6)
}
