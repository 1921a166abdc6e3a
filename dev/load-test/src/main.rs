//! A load test of a deployed stack, local or real: it uploads batches of large photos, at once or at a
//! rate, and checks what becomes of each. `make load` runs it against the local AWS.
//!
//! | step | module |
//! |---|---|
//! | find the function and its settings, make calls | [`stack`], [`caller`] |
//! | read or make the photos | [`photos`] |
//! | upload them, wait for them | [`run`], [`interrupt`], [`progress`] |
//! | measure the function's processes on this machine | [`processes`] |
//! | check every item and every thumbnail | [`check`] |
//! | read how long each step took | [`log`] |
//! | compute figures | [`report`], [`figures`], [`statistics`], [`cost`] |
//! | show them | [`table`], [`page`] |
//!
//! It needs these rights: `lambda:GetFunctionConfiguration` and `lambda:GetFunctionUrlConfig` on the
//! functions, the stack's policy for callers of the upload-url function or `s3:PutObject` on the
//! originals, `s3:GetObject` on the thumbnails, `dynamodb:BatchGetItem` on the table,
//! `sqs:GetQueueAttributes` on the dead-letter queue and `logs:FilterLogEvents` on the function's log group.
//!
//! `cargo test --profile local --package load-test` tests its computations.

mod caller;
mod check;
mod cost;
mod figures;
mod interrupt;
mod log;
mod options;
mod page;
mod photos;
mod processes;
mod progress;
mod report;
mod run;
mod stack;
mod statistics;
mod table;

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::check::Outcome;
use crate::interrupt::Interrupt;
use crate::options::Options;
use crate::photos::Photo;
use crate::processes::Watcher;
use crate::progress::Progress;
use crate::report::{Found, Report};
use crate::run::Run;
use crate::stack::Stack;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    match test(&options).await {
        Ok(report) if !report.is_good() => ExitCode::FAILURE,
        Ok(report) if report.load.is_interrupted => ExitCode::from(interrupt::EXIT_CODE),
        Ok(_) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn test(options: &Options) -> Result<Report, String> {
    let progress = Progress::new();
    let stack = Stack::find(&options.stack, options.timeout()).await?;
    let photos = load_photos(options, &progress)?;
    // An interruption before this line ends the test without a report.
    let interrupt =
        Interrupt::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let found = measure(&stack, &photos, options, &interrupt, &progress).await?;
    let report = Report::new(&stack, options, found);
    println!("{}", table::table(&report));
    for path in write(&report, &options.out)? {
        println!("{path}");
    }
    Ok(report)
}

fn load_photos(options: &Options, progress: &Progress) -> Result<Vec<Photo>, String> {
    match &options.photos {
        Some(folder) => photos::of_folder(folder, options.batch_size),
        None => photos::made(&options.out.join("photos"), options.batch_size, progress),
    }
}

async fn measure(
    stack: &Stack,
    photos: &[Photo],
    options: &Options,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<Found, String> {
    let dead_letters_before = stack.dead_letters().await;
    let watcher = Watcher::start(stack);
    let outcome = run::run(stack, photos, options, interrupt, progress).await;
    let usage = watcher.and_then(Watcher::stop);
    let Run { uploads, refusals, began, album } = outcome?;
    if interrupt.came() {
        progress.say("interrupted: checking the photos uploaded so far");
    }
    let checked = check::check(stack, photos, uploads, interrupt, progress).await?;
    let is_ready = |outcome| matches!(outcome, Outcome::Ready | Outcome::Wrong);
    let ready: HashSet<&str> = checked
        .iter()
        .filter(|checked| is_ready(checked.outcome))
        .map(|checked| checked.upload.key.as_str())
        .collect();
    let prefix = format!("{}{album}/", stack.config.originals_prefix);
    let log = log::read(stack, began, &prefix, &ready, interrupt).await;
    let dead_letters_after = stack.dead_letters().await;
    let dead_letters =
        dead_letters_before.and_then(|before| Ok(dead_letters_after?.saturating_sub(before)));
    let is_interrupted = interrupt.came();
    Ok(Found { checked, refusals, log, dead_letters, usage, album, is_interrupted })
}

/// Writes the report as JSON and as HTML, and returns the paths.
fn write(report: &Report, folder: &Path) -> Result<Vec<String>, String> {
    let report = report.to_json().map_err(|error| format!("cannot write the report: {error}"))?;
    let files = [("load.json", format!("{report:#}\n")), ("load.html", page::page(&report))];
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}
