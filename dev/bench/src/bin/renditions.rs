//! Several renditions of one decoding: `renditions quality PHOTO...` compares each with the same rendition made alone
//! from the full decode, `renditions cost RUNS PHOTO...` measures what each further one costs. Prints a table.

use std::error::Error;
use std::fs;
use std::hint::black_box;

use fast_image_resize::images::{Image as Resized, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use photo::{
    CancelFlag, DctScale, Encoding, Inspected, Pixels, Policy, Rendition, Resampling, Size, Sizing,
    Spec, inspect,
};
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
        ["quality", photos @ ..] if !photos.is_empty() => quality(photos),
        ["cost", runs, photos @ ..] if !photos.is_empty() => cost(photos, runs.parse()?),
        _ => Err("usage: renditions quality PHOTO..., or renditions cost RUNS PHOTO...".into()),
    }
}

/// A rendition of a photo among others and alone.
struct Scores {
    together: f64,
    alone: f64,
    bytes: usize,
}

/// Scores each rendition of one decoding, and the same one made alone from the full decode.
fn quality(photos: &[&str]) -> Outcome<()> {
    let all = [THUMBNAIL, SCREEN, GRID, COVER, SCREEN_WEBP, GRID_WEBP];
    let mut scores: Vec<Vec<Scores>> = all.iter().map(|_| Vec::new()).collect();
    for path in photos {
        eprintln!("{path}");
        let photo = fs::read(path)?;
        for (scores, scored) in scores.iter_mut().zip(scored(&photo, &all)?) {
            scores.push(scored);
        }
    }
    println!(
        "| rendition | SSIMULACRA2, one decoding | mean difference from one alone | worst | KB |"
    );
    println!("|---|---:|---:|---:|---:|");
    for ((name, _), scores) in all.iter().zip(scores) {
        let mean =
            |value: fn(&Scores) -> f64| scores.iter().map(value).sum::<f64>() / scores.len() as f64;
        let worst = scores.iter().map(|one| one.together - one.alone).fold(f64::MAX, f64::min);
        let together = mean(|one| one.together);
        let difference = mean(|one| one.together - one.alone);
        let kilobytes = mean(|one| one.bytes as f64) / 1000.0;
        println!("| {name} | {together:.1} | {difference:+.2} | {worst:+.2} | {kilobytes:.1} |");
    }
    Ok(())
}

fn scored(photo: &[u8], all: &[(&str, Spec)]) -> Outcome<Vec<Scores>> {
    let cancel = CancelFlag::default();
    let inspected = inspect(photo, Policy::default(), &cancel);
    let full = full_decode(&inspected)?;
    let specs: Vec<Spec> = all.iter().map(|(_, spec)| *spec).collect();
    let together = inspected.plan(&specs, Resampling::Best, u64::MAX)?.render(&cancel)?.renditions;
    let scored = specs.iter().zip(together).map(|(spec, made)| {
        let mut plan = inspected.plan(&[*spec], Resampling::Best, u64::MAX)?;
        plan.dct_scale = DctScale::FULL;
        let alone = plan.render(&cancel)?.renditions.remove(0);
        let reference = reference(&full, spec.sizing)?;
        let (bytes, together) = (made.file.len(), score(&made, &reference)?);
        Ok(Scores { together, alone: score(&alone, &reference)?, bytes })
    });
    scored.collect()
}

const SETS: [(&str, &[Spec]); 7] = [
    ("thumbnail", &[THUMBNAIL.1]),
    ("thumbnail, fit=400", &[THUMBNAIL.1, GRID.1]),
    ("thumbnail, fit=1600", &[THUMBNAIL.1, SCREEN.1]),
    ("thumbnail, fit=400, fit=1600", &[THUMBNAIL.1, GRID.1, SCREEN.1]),
    ("fit=400", &[GRID.1]),
    ("thumbnail, fit=400 webp", &[THUMBNAIL.1, GRID_WEBP.1]),
    ("thumbnail, fit=400 webp, fit=1600 webp", &[THUMBNAIL.1, GRID_WEBP.1, SCREEN_WEBP.1]),
];

/// Prints the CPU time and the bytes of each set of renditions, as means of the photos.
fn cost(photos: &[&str], runs: u32) -> Outcome<()> {
    let mut spent = [0.0; SETS.len()];
    let mut bytes = [0; SETS.len()];
    for path in photos {
        let photo = fs::read(path)?;
        let mut least = [f64::MAX; SETS.len()];
        // Each set in turn, so that what disturbs one run disturbs all sets alike.
        for run in 0..runs {
            for (index, (_, specs)) in SETS.iter().enumerate() {
                let started = cpu_ms()?;
                let made = rendered(black_box(&photo), specs)?;
                least[index] = least[index].min(cpu_ms()? - started);
                if run == 0 {
                    bytes[index] += made.iter().map(|made| made.file.len()).sum::<usize>();
                }
            }
        }
        spent.iter_mut().zip(least).for_each(|(sum, least)| *sum += least);
    }
    println!("| renditions | CPU, ms | times the thumbnail alone | KB |");
    println!("|---|---:|---:|---:|");
    let count = photos.len() as f64;
    for (index, (name, _)) in SETS.iter().enumerate() {
        let (cpu, ratio) = (spent[index] / count, spent[index] / spent[0]);
        println!(
            "| {name} | {cpu:.1} | {ratio:.2} | {:.0} |",
            bytes[index] as f64 / count / 1000.0
        );
    }
    Ok(())
}

fn rendered(photo: &[u8], specs: &[Spec]) -> Outcome<Vec<Rendition>> {
    let cancel = CancelFlag::default();
    let inspected = inspect(photo, Policy::default(), &cancel);
    Ok(inspected.plan(specs, Resampling::Best, u64::MAX)?.render(&cancel)?.renditions)
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
    std::thread::yield_now(); // the kernel brings the count up to date where it schedules
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e6)
}
