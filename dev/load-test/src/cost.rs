//! Cost of the photos in AWS, by its list prices in us-east-1 as of 2026-11, without free tiers.
//!
//! The cost leaves out storage, transfer and alarms, and the parts that the stack can do without: logs,
//! traces, and the upload-url function, which takes one call for a whole batch.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

/// Dollars for a GB-second of a function on x86_64 (<https://aws.amazon.com/lambda/pricing/>, 2026-11).
const GB_SECOND_X86_64: f64 = 0.000_016_666_7;
/// Dollars for a GB-second of a function on arm64 (<https://aws.amazon.com/lambda/pricing/>, 2026-11).
const GB_SECOND_ARM64: f64 = 0.000_013_333_4;
/// Dollars for an invocation (<https://aws.amazon.com/lambda/pricing/>, 2026-11).
const INVOCATION: f64 = 0.20 / 1e6;
/// Dollars for a PUT to S3 Standard (<https://aws.amazon.com/s3/pricing/>, 2026-11).
const PUT: f64 = 0.005 / 1e3;
/// Dollars for a GET from S3 Standard (<https://aws.amazon.com/s3/pricing/>, 2026-11).
const GET: f64 = 0.0004 / 1e3;
/// Dollars for a HEAD to S3 Standard (<https://aws.amazon.com/s3/pricing/>, 2026-11).
const HEAD: f64 = 0.0004 / 1e3;
/// Dollars for a write unit on demand (<https://aws.amazon.com/dynamodb/pricing/on-demand/>, 2026-11).
const WRITE_UNIT: f64 = 0.625 / 1e6;

/// Bytes that a write unit writes (DynamoDB Developer Guide, "DynamoDB on-demand capacity mode").
const BYTES_PER_WRITE_UNIT: usize = 1024;
/// Attribute that the index `album-timeline` leaves out (template.yaml).
const NOT_IN_INDEX: &str = "exif";

/// Calls and time that photos took in AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Used {
    pub photos: usize,
    pub invocations: usize,
    /// Billed time times the function's memory, in GB of 1024 MB.
    pub gb_seconds: f64,
    /// PUTs of originals and of thumbnails.
    pub puts: usize,
    pub gets: usize,
    pub heads: usize,
    /// Write units of the items and of their entries in the index.
    pub write_units: usize,
}

/// Dollars per million photos.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    pub lambda_duration: f64,
    pub lambda_requests: f64,
    pub s3_requests: f64,
    pub dynamo_db_writes: f64,
    pub total: f64,
}

/// Dollars for a GB-second of a function on this architecture.
pub fn gb_second(architecture: &str) -> f64 {
    if architecture == "arm64" { GB_SECOND_ARM64 } else { GB_SECOND_X86_64 }
}

impl Cost {
    /// The cost per million photos; none if there are no photos.
    pub fn of(used: &Used, gb_second: f64) -> Option<Cost> {
        if used.photos == 0 {
            return None;
        }
        let per_million = 1e6 / used.photos as f64;
        let s3 = used.puts as f64 * PUT + used.gets as f64 * GET + used.heads as f64 * HEAD;
        let lambda_duration = used.gb_seconds * gb_second * per_million;
        let lambda_requests = used.invocations as f64 * INVOCATION * per_million;
        let s3_requests = s3 * per_million;
        let dynamo_db_writes = used.write_units as f64 * WRITE_UNIT * per_million;
        Some(Cost {
            lambda_duration,
            lambda_requests,
            s3_requests,
            dynamo_db_writes,
            total: lambda_duration + lambda_requests + s3_requests + dynamo_db_writes,
        })
    }
}

/// A function's time in GB-seconds.
pub fn gb_seconds(ms: f64, memory_mb: u64) -> f64 {
    ms / 1000.0 * memory_mb as f64 / 1024.0
}

/// Write units of a new item and of its entry in the index.
pub fn write_units(item: &HashMap<String, AttributeValue>) -> usize {
    let whole: usize = item.iter().map(|(name, value)| name.len() + bytes(value)).sum();
    let left_out = item.get(NOT_IN_INDEX).map_or(0, |value| NOT_IN_INDEX.len() + bytes(value));
    [whole, whole - left_out].iter().map(|bytes| bytes.div_ceil(BYTES_PER_WRITE_UNIT)).sum()
}

/// Bytes of an attribute without its name (DynamoDB Developer Guide, "DynamoDB item sizes and formats").
fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => {
            // A byte for two digits, one more, and one for the sign.
            let digits = number.chars().filter(char::is_ascii_digit).count();
            digits.div_ceil(2) + 1 + usize::from(number.starts_with('-'))
        }
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + bytes(value)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + bytes(value)).sum::<usize>()
        }
        // Of these types, the function writes only booleans.
        AttributeValue::Bool(_)
        | AttributeValue::B(_)
        | AttributeValue::Bs(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Null(_)
        | AttributeValue::Ss(_)
        | _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_photos_cost_what_each_price_times_each_use_comes_to() {
        let used = Used {
            photos: 2,
            invocations: 2,
            gb_seconds: 2.0 * gb_seconds(100.0, 2048),
            puts: 4,
            gets: 2,
            heads: 2,
            write_units: 10,
        };
        let cost = Cost::of(&used, gb_second("x86_64")).unwrap();
        let is = |dollars: f64, expected: f64| (dollars - expected).abs() < 0.001;
        assert!(is(cost.lambda_duration, 3.333), "0.2 GB-s a photo: {cost:?}");
        assert!(is(cost.lambda_requests, 0.20), "{cost:?}");
        assert!(is(cost.s3_requests, 10.80), "two PUT, a GET and a HEAD: {cost:?}");
        assert!(is(cost.dynamo_db_writes, 3.125), "{cost:?}");
        assert!(is(cost.total, 17.458), "{cost:?}");
        let arm = Cost::of(&used, gb_second("arm64")).unwrap();
        assert!(is(arm.lambda_duration, 2.667), "{arm:?}");
        assert_eq!(Cost::of(&Used::default(), gb_second("arm64")), None);
    }

    #[test]
    fn an_item_takes_units_for_itself_and_for_what_of_it_is_in_the_index() {
        let text = |length| AttributeValue::S("x".repeat(length));
        let item = |photo_key, exif| {
            HashMap::from([
                ("photoKey".to_owned(), text(photo_key)),
                ("exif".to_owned(), text(exif)),
            ])
        };
        assert_eq!(write_units(&item(1, 1)), 2);
        assert_eq!(write_units(&item(1016 - 5, 1)), 2, "1024 bytes");
        assert_eq!(write_units(&item(1017 - 5, 1)), 3, "1025 bytes");
        assert_eq!(write_units(&item(1, 3000)), 4);
    }

    #[test]
    fn an_attribute_is_as_large_as_dynamodb_says() {
        let number = |number: &str| AttributeValue::N(number.to_owned());
        let map = AttributeValue::M(HashMap::from([("width".to_owned(), number("1331"))]));
        for (value, expected) in [
            (AttributeValue::S("東京".to_owned()), 6),
            (number("8000"), 3),
            (number("-0.25"), 4),
            (AttributeValue::Bool(true), 1),
            (map, 3 + 1 + 5 + 3),
            (AttributeValue::L(vec![AttributeValue::Bool(false)]), 3 + 1 + 1),
        ] {
            assert_eq!(bytes(&value), expected, "{value:?}");
        }
    }
}
