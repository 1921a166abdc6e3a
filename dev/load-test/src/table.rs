//! The report as a table for people.

use std::collections::BTreeMap;

use crate::cost::Cost;
use crate::figures::Figures;
use crate::report::{Expense, Load, Report};
use crate::statistics::Spread;

/// Number of problems that are shown: more would hide the rest.
const MOST_PROBLEMS: usize = 5;
const NOT_KNOWN: &str = "not known";

/// The report as lines of text.
pub fn table(report: &Report) -> String {
    let mut lines = heading(report);
    lines.push(String::new());
    lines.extend(spreads(&report.total));
    lines.push(String::new());
    lines.extend(batches(&report.batches));
    lines.push(String::new());
    lines.extend(facts(report).into_iter().map(|(name, value)| format!("{name:14}{value}")));
    lines.join("\n")
}

fn heading(report: &Report) -> Vec<String> {
    let Load { batches, batch_size, photos_per_second, upload, is_interrupted, .. } = &report.load;
    let arrival = match photos_per_second {
        Some(rate) => format!("{rate} photos/s"),
        None => "each batch at once".to_owned(),
    };
    let target = &report.target;
    let place = target.endpoint.as_deref().unwrap_or(&target.region);
    let load = format!("{batches} x {batch_size} photos, {arrival}, {upload}");
    let function = format!("{}, {} MB", target.architecture, target.memory_mb);
    let mut lines = vec![format!("{load}; stack {}, {place}, {function}", target.stack)];
    if *is_interrupted {
        let (uploaded, planned) = (report.total.photos, batches * batch_size);
        lines.push(format!("interrupted: {uploaded} of {planned} photos were uploaded"));
    }
    lines
}

/// A line for each duration.
fn spreads(total: &Figures) -> Vec<String> {
    let rows = [
        ("upload to READY", total.latency_ms),
        ("upload", total.upload_ms),
        ("wait for the function", total.wait_ms),
        ("function, all steps", total.duration_ms),
        ("  fetch", total.fetch_ms),
        ("  inspect", total.inspect_ms),
        ("  render", total.render_ms),
        ("  store", total.store_ms),
        ("  commit", total.commit_ms),
        ("  reconcile", total.reconcile_ms),
    ];
    let row = |name: &str, values: [String; 5]| {
        let [p50, p95, p99, max, mean] = values;
        format!("{name:24}{p50:>9}{p95:>9}{p99:>9}{max:>9}{mean:>9}")
    };
    let head = row("ms", ["p50", "p95", "p99", "max", "mean"].map(str::to_owned));
    let rows = rows.into_iter().map(|(name, spread)| match spread {
        Some(Spread { mean, p50, p95, p99, max }) => row(name, [p50, p95, p99, max, mean].map(ms)),
        None => format!("{name:24}{NOT_KNOWN}"),
    });
    [head].into_iter().chain(rows).collect()
}

fn batches(batches: &[Figures]) -> Vec<String> {
    let row = |cells: [String; 10]| {
        let [batch, photos, ready, seconds, rate, p50, p95, p99, max, cold] = cells;
        format!(
            "{batch:6}{photos:>7}{ready:>7}{seconds:>9}{rate:>10}{p50:>9}{p95:>9}{p99:>9}{max:>9}{cold:>6}"
        )
    };
    let head = row([
        "batch", "photos", "READY", "seconds", "photos/s", "p50 ms", "p95 ms", "p99 ms", "max ms",
        "cold",
    ]
    .map(str::to_owned));
    let rows = batches.iter().map(|figures| {
        let decimal = |value: f64| format!("{value:.1}");
        let cell = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let latency = |of: fn(Spread) -> f64| cell(figures.latency_ms.map(of).map(ms));
        let count = |value: Option<usize>| cell(value.map(|count| count.to_string()));
        row([
            count(figures.number),
            figures.photos.to_string(),
            figures.ready.to_string(),
            cell(figures.seconds.map(decimal)),
            cell(figures.photos_per_second.map(decimal)),
            latency(|spread| spread.p50),
            latency(|spread| spread.p95),
            latency(|spread| spread.p99),
            latency(|spread| spread.max),
            count(figures.cold_starts),
        ])
    });
    [head].into_iter().chain(rows).collect()
}

type Fact = (&'static str, String);

fn facts(report: &Report) -> Vec<Fact> {
    let Figures { lost, ready, wrong, failed, refused, unfinished, .. } = report.total;
    let losses = format!("{lost} ({ready} items and {ready} thumbnails are correct)");
    let mut facts = vec![("lost", losses)];
    let others =
        [("wrong", wrong), ("failed", failed), ("refused", refused), ("unfinished", unfinished)];
    let others = others.into_iter().filter(|(_, count)| *count > 0);
    facts.extend(others.map(|(name, count)| (name, count.to_string())));
    let total = &report.total;
    let memory = report.target.memory_mb;
    facts.extend([
        ("dead letters", known(report.dead_letters, |count| count.to_string())),
        ("retries", known(total.retries, |count| count.to_string())),
        ("cold starts", known(total.cold_starts, |count| count.to_string())),
        ("peak memory", known(total.peak_memory_mb, |mb| format!("{mb:.0} MB of {memory} MB"))),
        ("CPU", cpu(report)),
        ("throughput", known(total.photos_per_second, |rate| format!("{rate:.1} photos/s"))),
    ]);
    facts.extend(costs(report.cost.as_ref()));
    facts.extend(problems(report));
    facts.extend(report.notes.iter().map(|note| ("note", note.clone())));
    facts
}

fn cpu(report: &Report) -> String {
    let all = known(report.usage.as_ref(), |usage| {
        let noun = if usage.processes == 1 { "process" } else { "processes" };
        format!("{:.1} s in {} {noun}", usage.cpu_ms as f64 / 1000.0, usage.processes)
    });
    report.cpu_ms_a_photo.map_or(all.clone(), |each| format!("{each:.0} ms a photo ({all})"))
}

fn costs(expense: Option<&Expense>) -> Vec<Fact> {
    let Some(expense) = expense else { return vec![("cost", NOT_KNOWN.to_owned())] };
    let Cost { lambda_duration, lambda_requests, s3_requests, dynamo_db_writes, total } =
        expense.dollars_per_million;
    let by_log = format!(
        "${total:.2} per million photos: Lambda ${lambda_duration:.2} and ${lambda_requests:.2} \
         for requests, S3 ${s3_requests:.2}, DynamoDB ${dynamo_db_writes:.2}"
    );
    let by_cpu_time = expense.dollars_per_million_by_cpu_time.map(|cost| {
        let Cost { total, lambda_duration, .. } = cost;
        let why = "here, processes wait for a core";
        format!("${total:.2} if Lambda took only the CPU time (${lambda_duration:.2}): {why}")
    });
    [("cost", by_log)].into_iter().chain(by_cpu_time.map(|text| ("", text))).collect()
}

/// Each problem once, with the first of its photos.
fn problems(report: &Report) -> Vec<Fact> {
    let mut of_photos: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for photo in &report.photos {
        for problem in &photo.problems {
            of_photos.entry(problem).or_default().push(&photo.key);
        }
    }
    let of_photos = of_photos.into_iter().map(|(problem, keys)| match keys.as_slice() {
        [key] => format!("{key}: {problem}"),
        keys => format!("{} photos: {problem}; the first is {}", keys.len(), keys[0]),
    });
    let all: Vec<String> = of_photos.chain(report.refusals.iter().cloned()).collect();
    let more = all.len().saturating_sub(MOST_PROBLEMS);
    let shown = all.into_iter().take(MOST_PROBLEMS).map(|problem| ("problem", problem));
    let rest = (more > 0).then(|| ("", format!("and {more} more problems in load.json")));
    shown.chain(rest).collect()
}

fn known<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NOT_KNOWN.to_owned(), show)
}

/// A duration; below 10 ms, with a decimal.
fn ms(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
