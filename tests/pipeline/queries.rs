//! What the application's pages ask of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use exif::{Tag, Value};
use serde_json::json;

use crate::photos;
use crate::stack::Stack;

/// A small photo taken at `time`, in the words of the fields that say so.
fn taken(time: &str, offset: Option<&str>, iso: u16) -> Vec<u8> {
    let mut fields = vec![
        (Tag::DateTimeOriginal, photos::text(time)),
        (Tag::PhotographicSensitivity, Value::Short(vec![iso])),
        (Tag::Artist, photos::text("somebody")),
    ];
    fields.extend(offset.map(|offset| (Tag::OffsetTimeOriginal, photos::text(offset))));
    photos::with_exif(&photos::small(), &fields)
}

/// The album "trip", of which the names are in no order, and photos of other albums.
async fn trip(stack: &Stack) {
    let photos = [
        ("trip/c.jpg", taken("2024:04:06 17:23:41", Some("+09:00"), 100)),
        ("trip/b.jpg", taken("2024:04:06 09:00:00", None, 400)),
        ("trip/e.jpg", taken("2024:04:05 23:30:00", Some("-10:00"), 9)),
        ("trip/a.jpg", taken("2024:04:06 12:00:00", Some("+00:00"), 1600)),
        ("trip/d.jpg", photos::small()),
        ("trip/day 2/x.jpg", taken("2024:04:06 10:00:00", None, 100)),
        ("trip 2/x.jpg", taken("2024:04:06 10:00:00", None, 100)),
    ];
    stack.process(&photos).await;
}

/// In the order of the clocks on the walls, whatever their offsets; last the time of the upload.
const IN_ORDER: [&str; 5] = ["trip/e.jpg", "trip/b.jpg", "trip/a.jpg", "trip/c.jpg", "trip/d.jpg"];

fn album(stack: &Stack) -> QueryFluentBuilder {
    let query = stack.dynamodb.query().table_name(&stack.table).index_name("album-timeline");
    query
        .key_condition_expression("album = :album")
        .expression_attribute_values(":album", AttributeValue::S("trip".into()))
}

fn keys(items: &[HashMap<String, AttributeValue>]) -> Vec<&str> {
    items.iter().map(|item| item["photoKey"].as_s().unwrap().as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_query_gives_an_album_in_the_order_in_which_its_photos_were_taken() {
    let stack = Stack::silent("album").await;
    trip(&stack).await;
    let found = album(&stack).send().await.unwrap();
    assert_eq!(keys(found.items()), IN_ORDER);
    let first = &found.items()[0];
    assert_eq!(first["timelineAt"].as_s().unwrap(), "2024-04-05T23:30:00.000");
    assert_eq!(first["exposure"].as_m().unwrap()["iso"].as_n().unwrap(), "9");
    assert!(first.contains_key("renditions") && !first.contains_key("exif"));

    let latest = album(&stack).scan_index_forward(false).limit(1).send().await.unwrap();
    assert_eq!(keys(latest.items()), ["trip/d.jpg"]);

    let day = album(&stack)
        .key_condition_expression("album = :album AND timelineAt BETWEEN :from AND :to")
        .expression_attribute_values(":from", AttributeValue::S("2024-04-06T09".into()))
        .expression_attribute_values(":to", AttributeValue::S("2024-04-06T13".into()));
    assert_eq!(keys(day.send().await.unwrap().items()), ["trip/b.jpg", "trip/a.jpg"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_album_is_given_page_by_page_in_the_same_order() {
    let stack = Stack::silent("pages").await;
    trip(&stack).await;
    let mut pages = album(&stack).limit(2).into_paginator().send();
    let mut sizes = Vec::new();
    let mut all = Vec::new();
    while let Some(page) = pages.try_next().await.unwrap() {
        sizes.push(page.items().len());
        all.extend(keys(page.items()).into_iter().map(str::to_owned));
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(all, IN_ORDER);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_compare_as_numbers_and_reserved_words_need_a_name() {
    let stack = Stack::silent("numbers").await;
    trip(&stack).await;
    let sensitive = album(&stack)
        .filter_expression("exposure.iso > :iso AND #status = :ready")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":iso", AttributeValue::N("100".into()))
        .expression_attribute_values(":ready", AttributeValue::S("READY".into()));
    let found = sensitive.send().await.unwrap();
    assert_eq!(keys(found.items()), ["trip/b.jpg", "trip/a.jpg"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_whose_pixels_cannot_be_decoded_has_its_facts() {
    let stack = Stack::silent("avif").await;
    let degrees = |parts: [u32; 3]| Value::Rational(parts.map(|part| (part, 1).into()).to_vec());
    let photo = photos::avif(&[
        (Tag::Model, photos::text("iPhone 15 Pro")),
        (Tag::DateTimeOriginal, photos::text("2024:04:06 17:23:41")),
        (Tag::OffsetTimeOriginal, photos::text("+09:00")),
        (Tag::GPSLatitudeRef, photos::text("N")),
        (Tag::GPSLatitude, degrees([35, 30, 0])),
        (Tag::GPSLongitudeRef, photos::text("W")),
        (Tag::GPSLongitude, degrees([139, 45, 0])),
    ]);
    stack.process(&[("trip/photo.avif", photo)]).await;
    let item = stack.item("trip/photo.avif", "FAILED").await;
    assert_eq!(item["original"]["format"], "AVIF");
    assert_eq!(item["failure"]["type"], "UnsupportedFormat");
    assert_eq!(item["takenAt"], "2024-04-06T17:23:41+09:00");
    assert_eq!(item["location"], json!({"latitude": 35.5, "longitude": -139.75}));
    assert_eq!(item["camera"], json!({"model": "iPhone 15 Pro"}));
    let found = album(&stack).send().await.unwrap();
    assert_eq!(keys(found.items()), ["trip/photo.avif"], "it has its place in the album");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_location_is_off_no_attribute_tells_the_place() {
    let fields = [
        (Tag::Model, photos::text("iPhone 15 Pro")),
        (Tag::DateTimeOriginal, photos::text("2024:04:06 17:23:41")),
        (Tag::GPSLatitudeRef, photos::text("N")),
        (Tag::GPSLatitude, Value::Rational(vec![(35, 1).into(), (30, 1).into(), (0, 1).into()])),
        (Tag::GPSLongitudeRef, photos::text("E")),
        (Tag::GPSLongitude, Value::Rational(vec![(139, 1).into(), (45, 1).into(), (0, 1).into()])),
        (Tag::GPSAltitude, Value::Rational(vec![(4321, 1).into()])),
        (Tag::GPSMapDatum, photos::text("TOKYO")),
        (Tag::Artist, photos::text("somebody")),
    ];
    let photo = photos::with_exif(&photos::small(), &fields);
    for (policy, expected) in
        [("off", None), ("rounded", Some(json!({"latitude": 35.5, "longitude": 139.75})))]
    {
        let parameter = format!("Location={policy}");
        let stack = Stack::silent_with(policy, &["--parameter", &parameter]).await;
        stack.process(&[("trip/a.jpg", photo.clone())]).await;
        let item = stack.item("trip/a.jpg", "READY").await;
        assert_eq!(item.get("location"), expected.as_ref());
        assert_eq!(item["exif"], json!({"Artist": "somebody"}));
        let text = item.to_string();
        assert!(
            !text.contains("TOKYO") && !text.contains("4321") && !text.contains("GPS"),
            "{text}"
        );
    }
}
