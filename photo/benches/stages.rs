//! Measures the cost of each stage, from a photo to its thumbnail: `make bench-stages`.

#![allow(
    clippy::disallowed_methods,
    reason = "the library is pure, but its benchmarks read a file"
)]
#![allow(clippy::expect_used, reason = "a benchmark has nobody to report a failure to")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use photo::metadata;
use photo::{
    CancelFlag, LocationPolicy, Orientation, Plan, Policy, Resampling, Spec, encode, inspect,
};
use sha2::{Digest, Sha256};

const SCALE: f64 = 0.25;

fn stages(criterion: &mut Criterion) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/photos/ref-5323x8000.jpg");
    let photo = std::fs::read(path).expect("the reference photo is committed");
    let cancel = CancelFlag::default();
    let inspected = inspect(&photo, Policy::default(), &cancel);
    let size = inspected.header().expect("it is whole").size;

    let mut group = criterion.benchmark_group("reference photo");
    group.sample_size(20);
    // The function does this while it fetches.
    group.bench_function("SHA-256", |bench| {
        bench.iter(|| Sha256::digest(black_box(&photo)));
    });
    group.bench_function("header and EXIF", |bench| {
        bench.iter(|| inspect(black_box(&photo), Policy::default(), &cancel));
    });
    group.bench_function("EXIF", |bench| {
        bench.iter(|| metadata::read(black_box(&photo), LocationPolicy::Exact, &cancel));
    });
    let plan = |resampling| {
        inspected.plan(&[Spec::scaled(SCALE, 0.9)], resampling, u64::MAX).expect("it is whole")
    };
    for resampling in [Resampling::Fast, Resampling::Best] {
        let plan = plan(resampling);
        let name = |stage| format!("{stage}, {resampling:?}");
        group.bench_function(name("decode"), |bench| {
            bench.iter(|| black_box(&plan).decode(&cancel));
        });
        let decoded = plan.decode(&cancel).expect("it is whole");
        group.bench_function(name("resize"), |bench| {
            bench.iter(|| decoded.shrink(size.scaled(SCALE), (false, false)));
        });
        group.bench_function(name("whole"), |bench| {
            bench.iter(|| whole(black_box(&plan), &cancel));
        });
    }
    let upright = plan(Resampling::Fast).pictures(&cancel).expect("it is whole").remove(0);
    for orientation in
        [Orientation::UpsideDown, Orientation::TurnClockwise, Orientation::Transposed]
    {
        group.bench_function(format!("orient, {orientation:?}"), |bench| {
            bench.iter(|| upright.clone().map(|plane| orientation.apply(plane)));
        });
    }
    group.bench_function("ThumbHash", |bench| {
        bench.iter(|| encode::thumb_hash(black_box(&upright), None, None));
    });
    group.bench_function("encode", |bench| {
        bench.iter(|| encode::jpeg(black_box(&upright), 0.9, None));
    });
    group.finish();
}

fn whole(plan: &Plan, cancel: &CancelFlag) -> usize {
    plan.render(cancel).map_or(0, |rendered| rendered.renditions.len())
}

criterion_group!(benches, stages);
criterion_main!(benches);
