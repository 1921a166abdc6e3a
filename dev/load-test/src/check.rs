//! Checks the item and the renditions of every photo.

use std::collections::HashMap;

use aws_calls::answers::plain;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use photo::{CancelFlag, Policy, Size, inspect};
use serde::Serialize;
use serde_json::Value;
use thumbnailer::config::{RenditionKind, RenditionSetting};

use crate::cost;
use crate::interrupt::Interrupt;
use crate::photos::Photo;
use crate::progress::Progress;
use crate::run::Upload;
use crate::stack::{Item, Stack};

/// Photos whose renditions are downloaded at once.
const AT_ONCE: usize = 8;

/// What became of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Item and renditions are correct.
    Ready,
    /// The item says READY, but it or a rendition is wrong.
    Wrong,
    /// The function rejected the photo.
    Failed,
    /// The photo was not done in time.
    Lost,
    /// The test was interrupted before the photo was done.
    Unfinished,
}

/// An uploaded photo, and what became of it.
pub struct Checked {
    pub upload: Upload,
    pub outcome: Outcome,
    /// Problems of the item and the renditions.
    pub problems: Vec<String>,
    /// Time when S3 had the photo, by S3's clock.
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Time when its item was made, by Lambda's clock. The item was written a moment later.
    pub processed_at: Option<DateTime<Utc>>,
    /// Write units of its item.
    pub write_units: usize,
}

/// Checks the items and the renditions of all uploads.
pub async fn check(
    stack: &Stack,
    photos: &[Photo],
    uploads: Vec<Upload>,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<Vec<Checked>, String> {
    let keys: Vec<String> = uploads.iter().map(|upload| upload.key.clone()).collect();
    let items = stack.items(&keys).await?;
    let key = |item: &Item| item.get("photoKey")?.as_s().ok().cloned();
    let mut items: HashMap<String, Item> =
        items.into_iter().filter_map(|item| Some((key(&item)?, item))).collect();
    let bar = progress.bar("items and renditions checked", uploads.len());
    let uploads = uploads.into_iter().map(|upload| (items.remove(&upload.key), upload));
    let checked = stream::iter(uploads.collect::<Vec<_>>()).map(async |(item, upload)| {
        let photo = &photos[upload.number % photos.len()];
        let checked = one(stack, photo, upload, item, interrupt).await;
        bar.advance();
        checked
    });
    Ok(checked.buffered(AT_ONCE).collect().await)
}

async fn one(
    stack: &Stack,
    photo: &Photo,
    upload: Upload,
    item: Option<Item>,
    interrupt: &Interrupt,
) -> Checked {
    let write_units = item.as_ref().map_or(0, cost::write_units);
    let item = item.map_or(Value::Null, |item| {
        item.into_iter().map(|(name, value)| (name, plain(value))).collect()
    });
    let time = |text: &Value| text.as_str()?.parse::<DateTime<Utc>>().ok();
    let uploaded_at = time(&item["original"]["uploadedAt"]);
    let processed_at = time(&item["processedAt"]);
    let mut problems = Vec::new();
    let outcome = match item["status"].as_str() {
        Some("READY") => {
            problems.extend(original_problems(&item["original"], &upload.etag, photo.size()));
            problems.extend(rendition_problems(stack, photo, &item).await);
            if uploaded_at.is_none() || processed_at.is_none() {
                problems.push("the item lacks original.uploadedAt or processedAt".to_owned());
            }
            if problems.is_empty() { Outcome::Ready } else { Outcome::Wrong }
        }
        Some("FAILED") => {
            let text = |member: &str| item["failure"][member].as_str().unwrap_or_default();
            problems.push(format!("{}: {}", text("type"), text("message")));
            Outcome::Failed
        }
        _ if interrupt.came() => Outcome::Unfinished,
        status => {
            problems.push(match status {
                Some(status) => format!("at the timeout, the item's status is {status}"),
                None => "at the timeout, there is no item".to_owned(),
            });
            Outcome::Lost
        }
    };
    Checked { upload, outcome, problems, uploaded_at, processed_at, write_units }
}

/// What a READY item says wrongly of the original.
fn original_problems(original: &Value, etag: &str, size: Size) -> Vec<String> {
    let found = [
        ("original.etag", &original["etag"], Value::from(etag)),
        ("original.width", &original["width"], size.width.into()),
        ("original.height", &original["height"], size.height.into()),
    ];
    let wrong = found.into_iter().filter(|(_, found, expected)| *found != expected);
    wrong.map(|(name, found, expected)| format!("{name} is {found}, not {expected}")).collect()
}

/// What is wrong with the renditions that an item names.
async fn rendition_problems(stack: &Stack, photo: &Photo, item: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for setting in &stack.config.renditions {
        let rendition = &item["renditions"][&setting.name];
        let found = match (rendition["bucket"].as_str(), rendition["key"].as_str()) {
            (Some(bucket), Some(key)) => stack.object(bucket, key).await.and_then(|file| {
                file_problem(&file, rendition, size(setting, photo)).map_or(Ok(()), Err)
            }),
            // A copy says why it cannot be made.
            _ if rendition["absent"].is_string() => Ok(()),
            _ => Err("the item lacks its bucket or key".to_owned()),
        };
        problems
            .extend(found.err().map(|problem| format!("renditions.{}: {problem}", setting.name)));
    }
    problems
}

/// The size as displayed that a rendition has to have.
fn size(setting: &RenditionSetting, photo: &Photo) -> Size {
    match setting.kind {
        RenditionKind::Made(spec) => photo.rendition_size(spec.sizing),
        RenditionKind::Copy(_) => photo.size(),
    }
}

/// A problem of a rendition's file, whose size in pixels is that in its header.
fn file_problem(file: &[u8], rendition: &Value, expected: Size) -> Option<String> {
    let of_item = [&rendition["bytes"], &rendition["width"], &rendition["height"]];
    let right = [file.len() as u64, expected.width.into(), expected.height.into()];
    if of_item.map(Value::as_u64) != right.map(Some) {
        return Some(format!(
            "the item says {of_item:?} of bytes, width and height, not {right:?}"
        ));
    }
    let inspected = inspect(file, Policy::default(), &CancelFlag::default());
    match inspected.header() {
        Ok(_) if inspected.size() == Some(expected) => None,
        Ok(_) => Some(format!("it has {:?}, not {expected:?}", inspected.size())),
        Err(error) => Some(format!("it is no picture: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use turbojpeg::{Image, PixelFormat, Subsamp};

    use super::*;

    const SIZE: Size = Size { width: 532, height: 800 };
    const THUMBNAIL: Size = Size { width: 133, height: 200 };

    #[test]
    fn an_item_has_to_be_of_the_photo_that_was_uploaded() {
        let original = json!({"etag": "abc", "width": 532, "height": 800});
        assert_eq!(original_problems(&original, "abc", SIZE), [""; 0]);
        for (member, wrong, problem) in [
            ("etag", json!("abd"), "original.etag is \"abd\", not \"abc\""),
            ("width", json!(800), "original.width is 800, not 532"),
            ("height", Value::Null, "original.height is null, not 800"),
        ] {
            let mut original = original.clone();
            original[member] = wrong;
            assert_eq!(original_problems(&original, "abc", SIZE), [problem]);
        }
        assert_eq!(original_problems(&Value::Null, "abc", SIZE).len(), 3);
    }

    #[test]
    fn a_rendition_has_to_have_its_pixels_and_its_bytes() {
        let pixels = vec![0; 133 * 200];
        let image =
            Image { pixels, width: 133, pitch: 133, height: 200, format: PixelFormat::GRAY };
        let jpeg = turbojpeg::compress(image.as_deref(), 90, Subsamp::Gray).unwrap();
        let rendition = json!({"bytes": jpeg.len(), "width": 133, "height": 200});
        assert_eq!(file_problem(&jpeg, &rendition, THUMBNAIL), None);
        let wrong = |member: &str, value: Value| {
            let mut rendition = rendition.clone();
            rendition[member] = value;
            file_problem(&jpeg, &rendition, THUMBNAIL)
        };
        for problem in [
            wrong("bytes", Value::Null),
            wrong("width", json!(132)),
            wrong("height", json!("200")),
            file_problem(&jpeg, &rendition, Size { width: 134, ..THUMBNAIL }),
            file_problem(&jpeg, &rendition, THUMBNAIL.transposed()),
            file_problem(&jpeg[1..], &rendition, THUMBNAIL),
            file_problem(&vec![7; jpeg.len()], &rendition, THUMBNAIL),
        ] {
            assert!(problem.is_some());
        }
    }
}
