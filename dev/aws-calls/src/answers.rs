//! AWS's answers in the form that the tools show.

use std::error::Error;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};

/// An attribute as JSON, without DynamoDB's type names.
pub fn plain(value: AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => text.into(),
        AttributeValue::N(number) => serde_json::from_str(&number).unwrap_or(Value::Null),
        AttributeValue::Bool(truth) => truth.into(),
        AttributeValue::L(list) => list.into_iter().map(plain).collect(),
        AttributeValue::M(map) => {
            let members = map.into_iter().map(|(name, value)| (name, plain(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        AttributeValue::B(_)
        | AttributeValue::Bs(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Null(_)
        | AttributeValue::Ss(_)
        | _ => Value::Null, // the items have none of these
    }
}

/// An error with all its sources: the SDK's own text is often only "service error".
pub fn reason(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
