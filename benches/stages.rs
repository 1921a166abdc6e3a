//! What each stage of a photo's way costs: `make bench-stages`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use thumbnailer::exif::{self, LocationPolicy};
use thumbnailer::photo::{CancelFlag, Format, Header, Orientation, inspect, jpeg};
use thumbnailer::thumbnail::{Options, Resampling, picture, render};

const SCALE: f64 = 0.25;

fn stages(criterion: &mut Criterion) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/photos/ref-5323x8000.jpg");
    let photo = std::fs::read(path).expect("the reference photo is committed");
    let header = |photo: &[u8]| {
        inspect(photo, Format::of(photo), u64::MAX, &CancelFlag::default()).expect("it is whole")
    };
    let known = header(&photo);

    let mut group = criterion.benchmark_group("reference photo");
    group.sample_size(20);
    group.bench_function("header", |bench| bench.iter(|| header(black_box(&photo))));
    group.bench_function("EXIF", |bench| {
        bench.iter(|| exif::read(black_box(&photo), LocationPolicy::Exact, &CancelFlag::default()));
    });
    for resampling in [Resampling::Fast, Resampling::Best] {
        let options = Options { scale: SCALE, quality: 0.9, resampling };
        let eighths = options.plan(&known, u64::MAX).eighths;
        let name = |stage| format!("{stage}, {resampling:?}");
        group.bench_function(name("decode"), |bench| {
            bench.iter(|| known.decode(black_box(&photo), eighths, &CancelFlag::default()));
        });
        let decoded = known.decode(&photo, eighths, &CancelFlag::default()).expect("it is whole");
        group.bench_function(name("resize"), |bench| {
            bench.iter(|| decoded.shrink(known.size.scaled(SCALE), (false, false)));
        });
        group.bench_function(name("whole"), |bench| {
            bench.iter(|| whole(black_box(&photo), &known, options, eighths));
        });
    }
    let upright = picture(&photo, &known, Orientation::Upright, SCALE, 2, &CancelFlag::default())
        .expect("it is whole");
    for orientation in
        [Orientation::UpsideDown, Orientation::TurnClockwise, Orientation::Transposed]
    {
        group.bench_function(format!("orient, {orientation:?}"), |bench| {
            bench.iter(|| upright.clone().map(|plane| orientation.apply(plane)));
        });
    }
    group.bench_function("encode", |bench| {
        bench.iter(|| jpeg::encode(black_box(&upright), 0.9, None));
    });
    group.finish();
}

fn whole(photo: &[u8], header: &Header, options: Options, eighths: u32) -> usize {
    let thumbnail =
        render(photo, header, Orientation::Upright, options, eighths, &CancelFlag::default());
    thumbnail.map_or(0, |thumbnail| thumbnail.jpeg.len())
}

criterion_group!(benches, stages);
criterion_main!(benches);
