//! A load test of a deployed stack, local or real: batches of large photos, uploaded at once or at a
//! rate, and what becomes of each. `make load` runs it against the local AWS.
//!
//! | step | module |
//! |---|---|
//! | the function, its settings, the calls | [`stack`], [`caller`] |
//! | the photos to upload | [`photos`] |
//! | upload them, wait for them | [`run`], [`interrupt`], [`progress`] |
//! | what the function's processes use of this machine | [`processes`] |
//! | every item and every thumbnail is looked at | [`check`] |
//! | how long each step took | [`log`] |
//! | figures of all that | [`report`], [`figures`], [`statistics`], [`cost`] |
//! | shown to people | [`table`], [`page`] |
//!
//! What it needs to be allowed: `lambda:GetFunctionConfiguration` and `lambda:GetFunctionUrlConfig` on the
//! functions, the stack's policy for those who ask for upload URLs or `s3:PutObject` on the originals,
//! `s3:GetObject` on the thumbnails, `dynamodb:BatchGetItem` on the table, `sqs:GetQueueAttributes` on the
//! dead-letter queue and `logs:FilterLogEvents` on the function's log group.
//!
//! What it reckons is tested by `cargo test --profile local --package load-test`.

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
    // Until here, there is nothing to report of what is interrupted.
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
    let letters_before = stack.letters().await;
    let watcher = Watcher::start(stack);
    let outcome = run::run(stack, photos, options, interrupt, progress).await;
    let usage = watcher.and_then(Watcher::stop);
    let Run { uploads, refusals, began, album } = outcome?;
    if interrupt.came() {
        progress.say("interrupted: what was uploaded until now is looked at");
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
    let letters_after = stack.letters().await;
    let letters = letters_before.and_then(|before| Ok(letters_after?.saturating_sub(before)));
    let is_interrupted = interrupt.came();
    Ok(Found { checked, refusals, log, letters, usage, album, is_interrupted })
}

/// Writes the report for programs and for people; tells where.
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
