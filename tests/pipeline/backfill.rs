//! `make backfill DIRECT=1`: photos that are in the bucket before the function sees them, and photos whose settings
//! have changed.
//!
//! The photos are few, so that the test takes seconds. BACKFILL_PHOTOS has another number: `make backfill-check`
//! takes 500.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use aws_sdk_s3::types::NotificationConfiguration;
use serde_json::Value;

use crate::stack::{Stack, root};

const PHOTOS: usize = 60;
/// Each tenth photo is broken.
const BROKEN_EACH: usize = 10;
/// Invocations at once: few, so that the backfill is not over before it is interrupted.
const AT_ONCE: usize = 2;

fn photos() -> usize {
    let given = std::env::var("BACKFILL_PHOTOS").ok();
    given.map_or(PHOTOS, |number| number.parse().expect("BACKFILL_PHOTOS is a number"))
}

/// `python -m photos_dev.stack.backfill --direct` over this stack.
fn backfill(stack: &Stack, options: &[&str]) -> Command {
    let mut command = Command::new(root().join(".venv/bin/python"));
    command.args(["-m", "photos_dev.stack.backfill", "--direct", "--stack", stack.name.as_str()]);
    command.args(["--at-once", &AT_ONCE.to_string()]).args(options);
    command
}

fn run(stack: &Stack, options: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = backfill(stack, options).output().unwrap();
    let said = String::from_utf8(stdout).unwrap();
    assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    show(&said);
    (status.code(), said)
}

/// What `make backfill-check` shows: all but the failures, of which there are many.
fn show(said: &str) {
    for line in said.lines().filter(|line| !line.starts_with("failed ")) {
        println!("{line}");
    }
}

/// Presses Ctrl-C.
fn interrupt(process: &Child) {
    let sent = Command::new("kill").args(["-s", "INT", &process.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// A small photo, as which no other is, or the first half of one.
fn photo(number: usize) -> Vec<u8> {
    let golden = root().join("photo/tests/golden/photos/jpeg-420.jpg");
    let mut photo = std::fs::read(golden).unwrap();
    let comment = format!("{number:08}");
    let mut segment = vec![0xFF, 0xFE, 0, 2 + comment.len() as u8];
    segment.extend(comment.as_bytes());
    photo.splice(2..2, segment);
    if is_broken(number) {
        photo.truncate(photo.len() / 2);
    }
    photo
}

fn is_broken(number: usize) -> bool {
    number.is_multiple_of(BROKEN_EACH)
}

fn key(number: usize) -> String {
    format!("tokyo trip/{number:04}+ü.jpg")
}

/// How often the function has come to the end of each photo.
async fn ends(stack: &Stack) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for line in stack.log_lines(&format!("{}-thumbnail", stack.name)).await {
        if let (Some("photo"), Some(key)) = (line["message"].as_str(), line["key"].as_str()) {
            *ends.entry(key.to_owned()).or_default() += 1;
        }
    }
    ends
}

/// The width of a photo's rendition.
async fn width(stack: &Stack, number: usize) -> Value {
    let item = stack.item_now(&key(number)).await.unwrap();
    item["renditions"]["thumbnail"]["width"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_that_the_function_never_saw_are_done_once_across_an_interruption_and_again_when_settings_change()
 {
    let all = photos();
    let (good, broken) = (all - all.div_ceil(BROKEN_EACH), all.div_ceil(BROKEN_EACH));
    let stack = Stack::deploy("backfill-direct").await;
    let notified = stack.s3.get_bucket_notification_configuration().bucket(&stack.originals);
    let notified = notified.send().await.unwrap().lambda_function_configurations;
    stack.silence_bucket().await;
    for number in 0..all {
        stack.upload(&key(number), &photo(number)).await;
    }
    assert_eq!(stack.item_count().await, 0);
    let again = NotificationConfiguration::builder().set_lambda_function_configurations(notified);
    let put = stack.s3.put_bucket_notification_configuration().bucket(&stack.originals);
    put.notification_configuration(again.build()).send().await.unwrap();

    // What it would do.
    let (code, said) = run(&stack, &["--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with(&format!("{all} objects with ")), "{said}");
    assert_eq!(stack.item_count().await, 0);

    // Ctrl-C when a few photos are done.
    let mut command = backfill(&stack, &[]);
    let mut first = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while stack.item_count().await < all / 6 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    interrupt(&first);
    let mut said = String::new();
    first.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(130), "{said}");
    show(&said);
    let done: usize = said.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(said.starts_with(&format!("interrupted: {done} of {all} are done")), "{said}");
    assert!((all / 6..all).contains(&done), "{said}");
    assert_eq!(stack.item_count().await, done, "those in flight are finished");

    // The same command goes on.
    let (code, said) = run(&stack, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("{good} of {all} tasks succeeded, {broken} failed")), "{said}");
    let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("failed  ")).collect();
    assert_eq!(failed.len(), broken, "those of the first run too: {said}");
    for (number, line) in (0..all).filter(|&number| is_broken(number)).zip(failed) {
        assert!(line.starts_with(&format!("failed  {}: TruncatedPhoto: ", key(number))), "{line}");
    }
    assert_eq!(stack.item_count().await, all);
    let thumbnails: Vec<String> = (0..all)
        .filter(|&number| !is_broken(number))
        .map(|number| format!("thumbnail/{}", key(number)))
        .collect();
    assert_eq!(stack.thumbnail_keys().await, thumbnails);
    let ends_of_all = ends(&stack).await;
    assert_eq!(ends_of_all.len(), all);
    assert!(
        ends_of_all.values().all(|&times| times == 1),
        "nothing is done twice: {ends_of_all:?}"
    );
    assert_eq!(stack.waiting_letters().await, 0, "the list of failures is the letter");

    // What is READY stays as it is.
    let before = stack.item_now(&key(1)).await;
    let (code, said) = run(&stack, &["--prefix", "tokyo trip/0001"]);
    assert_eq!((code, &said[..24]), (Some(0), "1 of 1 tasks succeeded, "), "{said}");
    assert_eq!(stack.item_now(&key(1)).await, before);

    // New settings reach old photos.
    let former = width(&stack, 1).await.as_u64().unwrap();
    let half = ["--parameter", "Renditions=thumbnail: scale=0.5 quality=0.9"];
    let stack = Stack::deploy_with("backfill-direct", &half).await;
    let (code, said) = run(&stack, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("{good} of {all} tasks succeeded, {broken} failed")), "{said}");
    for number in (0..all).filter(|&number| !is_broken(number)) {
        assert_eq!(width(&stack, number).await, former * 2, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said() {
    let stack = Stack::deploy_with("backfill-job", &["--parameter", "Backfill=true"]).await;
    let mut command = backfill(&stack, &[]);
    let output = command.args(["--stack", "no-such-stack"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: no stack no-such-stack"), "{said}");

    // Without --direct it is a job, which the local AWS does not know.
    let mut command = Command::new(root().join(".venv/bin/python"));
    command.args(["-m", "photos_dev.stack.backfill", "--stack", stack.name.as_str()]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("DIRECT=1"), "{said}");
}
