//! Photos uploaded to the originals bucket, which tells the function of each.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};
use thumbnailer::config::rendition_version;
use turbojpeg::ScalingFactor;

use crate::photos;
use crate::stack::{SETTINGS, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_photo_becomes_a_quarter_size_thumbnail() {
    let options = ["--parameter", "CacheControl=public, max-age=86400"];
    let stack = Stack::deploy_with("thumbnail", &options).await;
    let key = "seoul trip/ref+봄.jpg";
    let photo = photos::reference();
    let etag = stack.upload(key, &photo).await;
    stack.item(key, "READY").await;

    let thumbnail_key = format!("thumbnail/{key}");
    let head = stack.s3.head_object().bucket(&stack.thumbnails).key(&thumbnail_key);
    let head = head.send().await.unwrap();
    assert_eq!(head.content_type(), Some("image/jpeg"));
    assert_eq!(head.cache_control(), Some("public, max-age=86400"));
    assert_eq!(head.metadata().unwrap()["original-etag"], etag);
    assert_eq!(head.metadata().unwrap()["settings"], SETTINGS);

    let jpeg = stack.thumbnail(key).await;
    let segments = photos::segments(&jpeg);
    let markers: Vec<u8> = segments.iter().map(|(marker, _)| *marker).collect();
    let content = |marker| segments.iter().find(|(found, _)| *found == marker).unwrap().1;
    // SOF0 is baseline: 8 bits, 2000 rows of 1331, 3 components, 2x2 1x1 1x1 samples: 4:2:0.
    assert_eq!(content(0xC0), [8, 0x07, 0xD0, 0x05, 0x33, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    assert_eq!(content(0xDB)[1..], LUMINANCE_AT_QUALITY_90);
    let metadata = |marker: &u8| (0xE1..=0xEF).contains(marker) || *marker == 0xFE;
    assert!(!markers.iter().any(metadata), "{markers:02X?}");

    let shown = photos::decode(&jpeg, ScalingFactor::ONE_HALF);
    let expected = photos::decode(&photo, ScalingFactor::ONE_EIGHTH);
    let likeness = photos::psnr(&shown, &expected);
    assert!(likeness > 35.0, "{likeness:.1} dB");
}

/// Table K.1 of T.81 in zigzag order, scaled as the IJG's library does for quality 90: every entry
/// times 20, plus 50, divided by 100, at least 1.
const LUMINANCE_AT_QUALITY_90: [u8; 64] = [
    3, 2, 2, 3, 2, 2, 3, 3, 3, 3, 4, 3, 3, 4, 5, 8, 5, 5, 4, 4, 5, 10, 7, 7, 6, 8, 12, 10, 12, 12,
    11, 10, 11, 11, 13, 14, 18, 16, 13, 14, 17, 14, 11, 11, 16, 22, 16, 17, 19, 20, 21, 21, 21, 12,
    15, 23, 24, 22, 20, 24, 18, 20, 21, 20,
];

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_photos_item_says_what_exiftool_says() {
    let stack = Stack::deploy("item").await;
    let before = Utc::now();
    let key = "tokyo/day 1/ref-5323x8000.jpg";
    let etag = stack.upload(key, &photos::reference()).await;
    let mut item = stack.item(key, "READY").await;

    // What differs from run to run.
    let take = |map: &mut Value, name: &str| map.as_object_mut().unwrap().remove(name).unwrap();
    let time = |value: Value| value.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let processed = time(take(&mut item, "processedAt"));
    let place = format!("{}/thumbnail/{key}", stack.thumbnails);
    assert_eq!(take(&mut item, "places"), json!([place]));
    let uploaded = time(take(&mut item["original"], "uploadedAt"));
    let tolerance = TimeDelta::seconds(2); // S3 gives the time in whole seconds in places
    assert!(
        uploaded > before - tolerance
            && uploaded <= processed + tolerance
            && processed <= Utc::now()
    );
    let sequencer = take(&mut item, "sequencer");
    let sequencer = sequencer.as_str().unwrap();
    assert!(
        sequencer.len() == 32
            && sequencer.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    );
    let thumbnail_bytes = stack.thumbnail(key).await.len();

    assert_eq!(
        item,
        json!({
            "photoKey": "tokyo/day 1/ref-5323x8000.jpg",
            "album": "tokyo/day 1",
            "contentKey": "tokyo/HOXs2wwHvXYqv4dgkPTdNgECX+qfMVNFRcvdaeu89Rw=",
            "status": "READY",
            "original": {
                "bucket": stack.originals,
                "etag": etag,
                "bytes": 3_165_832,
                "width": 5323,
                "height": 8000,
                "format": "JPEG",
                "orientation": 1,
                "contentSha256": "HOXs2wwHvXYqv4dgkPTdNgECX+qfMVNFRcvdaeu89Rw=",
            },
            "renditions": {"thumbnail": {
                "bucket": stack.thumbnails,
                "key": "thumbnail/tokyo/day 1/ref-5323x8000.jpg",
                "version": rendition_version(&etag, SETTINGS),
                "width": 1331,
                "height": 2000,
                "bytes": thumbnail_bytes,
                "contentType": "image/jpeg",
                "thumbHash": "VRkSDQJYdnaIt3j3aIW4h3dzfzH3",
            }},
            "takenAt": "2024-04-06T17:23:41.123+09:00",
            "taken": {"source": "DateTimeOriginal", "offsetSource": "OffsetTimeOriginal"},
            "timelineAt": "2024-04-06T17:23:41.123",
            "location": {"latitude": 35.65858, "longitude": 139.745433, "altitude": 40.25},
            "camera": {
                "make": "Apple",
                "model": "iPhone 15 Pro",
                "lens": "iPhone 15 Pro back triple camera 6.765mm f/1.78",
                "software": "17.4.1",
            },
            "exposure": {
                "time": "1/121",
                "seconds": 0.00826446,
                "fNumber": 1.78,
                "iso": 80,
                "focalLength": 6.765,
                "focalLength35": 24,
                "flash": false,
            },
            "exif": remaining_exif_of_the_reference_photo(),
        })
    );
}

/// By hand from `exiftool -a -G1 -s`, in the words of the EXIF standard.
fn remaining_exif_of_the_reference_photo() -> Value {
    [
        ("ApertureValue", "1.6638 EV"),
        ("Artist", "Clemens Engelhardt, 2018"),
        ("BrightnessValue", "7.03 EV"),
        ("ColorSpace", "sRGB"),
        ("ComponentsConfiguration", "YCbCr_"),
        ("Copyright", "CC0-1.0"),
        ("DateTime", "2024-04-06 17:23:41"),
        ("DateTimeDigitized", "2024-04-06 17:23:41"),
        ("ExifVersion", "2.32"),
        ("ExposureBiasValue", "0 EV"),
        ("ExposureMode", "auto exposure"),
        ("ExposureProgram", "normal program"),
        ("Flash", "not fired, no return light detection function, suppressed"),
        ("FlashpixVersion", "1.0"),
        ("GPSDateStamp", "2024-04-06"),
        ("GPSDestBearing", "215.4 degrees in true direction"),
        ("GPSDestBearingRef", "true direction"),
        ("GPSHPositioningError", "4.75 m"),
        ("GPSImgDirection", "215.4 degrees in true direction"),
        ("GPSImgDirectionRef", "true direction"),
        ("GPSSpeed", "0.13 km/h"),
        ("GPSSpeedRef", "km/h"),
        ("GPSTimeStamp", "08:23:40.12"),
        ("GPSVersionID", "2.3.0.0"),
        ("HostComputer", "iPhone 15 Pro"),
        ("LensMake", "Apple"),
        ("LensSpecification", "2.22-9 mm, f/1.78-2.8"),
        ("MeteringMode", "pattern"),
        ("OffsetTime", "+09:00"),
        ("OffsetTimeDigitized", "+09:00"),
        ("PixelXDimension", "5323 pixels"),
        ("PixelYDimension", "8000 pixels"),
        ("ResolutionUnit", "inch"),
        ("SceneCaptureType", "standard"),
        ("SensingMethod", "one-chip color area sensor"),
        ("ShutterSpeedValue", "6.9189 EV"),
        ("SubSecTimeDigitized", "123"),
        ("WhiteBalance", "auto white balance"),
        ("XResolution", "72 pixels per inch"),
        ("YCbCrPositioning", "centered"),
        ("YResolution", "72 pixels per inch"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), Value::from(value)))
    .collect::<serde_json::Map<String, Value>>()
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_of_every_orientation_come_out_upright_and_alike() {
    let stack = Stack::deploy("orientation").await;
    let keys: Vec<String> = (1..=9).map(|value| format!("turned/{value}.jpg")).collect();
    for (value, key) in (1..).zip(&keys) {
        stack.upload(key, &photos::small_stored_as(value)).await;
    }
    stack.item(&keys[0], "READY").await;
    let first = photos::decode(&stack.thumbnail(&keys[0]).await, ScalingFactor::ONE);
    let upright = photos::decode(&photos::small(), ScalingFactor::ONE_QUARTER);
    assert!(photos::psnr(&first, &upright) > 30.0);
    for (value, key) in (1..).zip(&keys) {
        let item = stack.item(key, "READY").await;
        let original = &item["original"];
        assert_eq!((&original["width"], &original["height"]), (&json!(640), &json!(960)), "{key}");
        assert_eq!(original["orientation"], value, "{key}");
        let shown = photos::decode(&stack.thumbnail(key).await, ScalingFactor::ONE);
        let likeness = photos::psnr(&shown, &first);
        assert!(likeness > 40.0, "{key}: {likeness:.1} dB");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_without_exif_gets_its_item_too() {
    let stack = Stack::deploy("plain").await;
    stack.upload("plain.jpg", &photos::small()).await;
    let item = stack.item("plain.jpg", "READY").await;
    assert_eq!(item["album"], "/");
    let uploaded_at = item["original"]["uploadedAt"].as_str().unwrap();
    assert_eq!(item["timelineAt"], uploaded_at.trim_end_matches('Z'));
    assert_eq!(item["original"].get("orientation"), None);
    let names: Vec<&String> = item.as_object().unwrap().keys().collect();
    for absent in ["takenAt", "taken", "location", "camera", "exposure", "exif"] {
        assert!(!names.iter().any(|name| *name == absent), "{absent} in {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_four_photos_uploaded_at_once_are_all_done() {
    let stack = Stack::deploy("batch").await;
    let keys: Vec<String> = (0..24).map(|number| format!("batch/{number:02}.jpg")).collect();
    let uploads = keys.iter().enumerate().map(|(number, key)| {
        let photo = photos::reference_number(number);
        let stack = &stack;
        async move { stack.upload(key, &photo).await }
    });
    let etags = join_all(uploads).await;
    for (key, etag) in keys.iter().zip(&etags) {
        assert_eq!(stack.item(key, "READY").await["original"]["etag"], **etag);
    }
    let expected: Vec<String> = keys.iter().map(|key| format!("thumbnail/{key}")).collect();
    assert_eq!(stack.thumbnail_keys().await, expected);
    assert_eq!(stack.item_count().await, 24);
    stack.letters(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_application_keeps_in_the_item_survives_a_new_upload() {
    let stack = Stack::deploy("app").await;
    stack.upload("a.jpg", &photos::small()).await;
    stack.item("a.jpg", "READY").await;
    let key = aws_sdk_dynamodb::types::AttributeValue::S("a.jpg".into());
    let likes = aws_sdk_dynamodb::types::AttributeValue::N("7".into());
    let note = aws_sdk_dynamodb::types::AttributeValue::M([("likes".to_owned(), likes)].into());
    let update = stack.dynamodb.update_item().table_name(&stack.table).key("photoKey", key);
    let update =
        update.update_expression("SET app = :app").expression_attribute_values(":app", note);
    update.send().await.unwrap();

    let etag = stack.upload("a.jpg", &photos::small_stored_as(3)).await;
    let started = std::time::Instant::now();
    let item = loop {
        let item = stack.item("a.jpg", "READY").await;
        if item["original"]["etag"] == *etag {
            break item;
        }
        assert!(started.elapsed().as_secs() < 60, "{item}");
    };
    assert_eq!(item["app"], json!({"likes": 7}));
    assert_eq!(item["original"]["orientation"], 3);
    assert_eq!(item["places"].as_array().map(Vec::len), Some(1), "both were at the same place");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_what_a_photo_cost_and_nothing_of_whose_it_is() {
    let stack = Stack::deploy("log").await;
    stack.upload("trip/a.jpg", &photos::reference()).await;
    let item = stack.item("trip/a.jpg", "READY").await;
    let line = stack.log_line("trip/a.jpg", "ready").await;
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["format"], "JPEG");
    assert_eq!(line["bytes"], 3_165_832);
    assert_eq!((&line["width"], &line["height"]), (&json!(5323), &json!(8000)));
    assert_eq!(line["renditionBytes"], item["renditions"]["thumbnail"]["bytes"]);
    for step in ["fetchMs", "inspectMs", "renderMs", "storeMs", "commitMs", "peakMemoryMb"] {
        assert!(line[step].as_f64().unwrap() > 0.0, "{step} in {line}");
    }
    let text = line.to_string();
    for personal in ["35.65", "139.74", "Engelhardt", "iPhone", "2024-04-06"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
}
