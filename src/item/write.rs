//! The UpdateItem that commits a record.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use serde_json::{Map, Number, Value};

use super::record::iso8601;
use super::{Place, Precondition, Record, Stored};
use crate::event::Sequencer;

/// Why a record cannot be written as an item.
pub type WriteError = serde_json::Error;

/// Every place where the function may have put a rendition of the photo. A READY write adds its own
/// places and forgets none: a process can be killed after its write and before it deletes former files.
const PLACES: &str = "places";

/// An UpdateItem's texts: one write that sets what is known and removes what is not, and happens only if
/// the stored item is as the precondition wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// `SET ... REMOVE ... ADD ...`
    pub expression: String,
    /// Condition of the write.
    pub condition: String,
    /// `#name` to attribute name, as many names are reserved words.
    pub names: HashMap<String, String>,
    /// `:name` to value.
    pub values: HashMap<String, AttributeValue>,
    /// What the item will tell the next event.
    pub written: Stored,
}

impl Update {
    /// The write that makes `record` the whole of what the function says of a photo.
    ///
    /// # Errors
    /// A record that has no form in DynamoDB.
    pub fn new(record: &Record<'_>, precondition: &Precondition) -> Result<Update, WriteError> {
        let mut set = Vec::new();
        let mut remove = Vec::new();
        let mut names = HashMap::from([(format!("#{PLACES}"), PLACES.to_owned())]);
        let mut values = HashMap::from_iter(precondition.values());
        let mut known = HashMap::new();
        let attributes: Map<String, Value> = serde_json::from_value(serde_json::to_value(record)?)?;
        for (name, value) in attributes {
            match attribute(value) {
                Some(value) => {
                    set.push(format!("#{name} = :{name}"));
                    values.insert(format!(":{name}"), value.clone());
                    known.insert(name.clone(), value);
                }
                None => remove.push(format!("#{name}")),
            }
            names.insert(format!("#{name}"), name);
        }
        let mut written = Stored::parse(&known);
        written.places = written.renditions.values().map(|made| made.place.clone()).collect();
        let add = if written.places.is_empty() {
            remove.push(format!("#{PLACES}"));
            String::new()
        } else {
            let places = written.places.iter().map(Place::as_text).collect();
            values.insert(format!(":{PLACES}"), AttributeValue::Ss(places));
            format!(" ADD #{PLACES} :{PLACES}")
        };
        set.sort_unstable();
        remove.sort_unstable();
        Ok(Update {
            // No status has both `failure` and `expiresAt`, so that there is always one to remove.
            expression: format!("SET {} REMOVE {}{add}", set.join(", "), remove.join(", ")),
            condition: precondition.condition(),
            names,
            values,
            written,
        })
    }
}

impl Update {
    /// The write by which an event takes over an item that is right as it is, so that no older event can
    /// write it any more.
    pub fn take_over(
        sequencer: &Sequencer,
        stored: &Stored,
        processed_at: DateTime<Utc>,
        precondition: &Precondition,
    ) -> Update {
        let processed_at = iso8601(processed_at);
        let names = ["sequencer", "processedAt", "status"];
        let text = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
        let values = [text(":sequencer", sequencer.as_str()), text(":processedAt", &processed_at)];
        Update {
            expression: "SET #sequencer = :sequencer, #processedAt = :processedAt".to_owned(),
            condition: precondition.condition(),
            names: names.map(|name| (format!("#{name}"), name.to_owned())).into(),
            values: values.into_iter().chain(precondition.values()).collect(),
            written: Stored {
                sequencer: Some(sequencer.clone()),
                processed_at: Some(processed_at),
                ..stored.clone()
            },
        }
    }
}

/// A value as DynamoDB has it. What is not known is absent there, rather than null or an empty map.
fn attribute(value: Value) -> Option<AttributeValue> {
    match value {
        Value::Null => None,
        Value::Bool(flag) => Some(AttributeValue::Bool(flag)),
        Value::Number(number) => Some(AttributeValue::N(number_text(&number))),
        Value::String(text) => Some(AttributeValue::S(text)),
        Value::Array(values) => {
            Some(AttributeValue::L(values.into_iter().filter_map(attribute).collect()))
        }
        Value::Object(entries) => {
            let entries = entries.into_iter();
            let known: HashMap<String, AttributeValue> =
                entries.filter_map(|(name, value)| Some((name, attribute(value)?))).collect();
            (!known.is_empty()).then_some(AttributeValue::M(known))
        }
    }
}

/// A number without a point where it needs none: JSON writes the float 35 as `35.0`.
fn number_text(number: &Number) -> String {
    let float = number.as_f64().filter(|_| number.is_f64());
    float.map_or_else(|| number.to_string(), |float| float.to_string())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::sample::{attributes, failed, not_newer, ready, stored};
    use super::super::{PHOTO_KEY, Seen, Status};
    use super::*;

    fn tombstone() -> Record<'static> {
        Record::tombstone(None, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_write_sets_what_is_known_removes_what_is_not_and_touches_nothing_else() {
        let update = Update::new(&failed(), &not_newer("1")).unwrap();
        let (set, remove) = update.expression.split_once(" REMOVE ").unwrap();
        assert!(set.starts_with("SET #album = :album"), "{set}");
        for (name, is_set) in [("failure", true), ("renditions", false), ("takenAt", false)] {
            assert_eq!(set.contains(&format!("#{name} = :{name}")), is_set, "{name}");
            assert_eq!(remove.contains(&format!("#{name}")), !is_set, "{name}");
        }
        assert!(!update.names.values().any(|name| name == "app" || name == PHOTO_KEY));
    }

    #[test]
    fn every_value_and_every_name_of_a_write_is_used() {
        // DynamoDB refuses a write with an unused value or name.
        let seen = |seen: &str| Precondition::unchanged(Seen::At(seen.to_owned()));
        let absent = Precondition::unchanged(Seen::Absent);
        let both = not_newer("1").and_unchanged(Some(&stored(&ready())));
        for precondition in [not_newer("1"), absent, seen("2024"), both] {
            for record in [ready(), failed(), tombstone()] {
                let update = Update::new(&record, &precondition).unwrap();
                let texts = format!("{} {}", update.expression, update.condition);
                let words: Vec<&str> = texts.split([' ', ',', '(', ')']).collect();
                for placeholder in update.values.keys().chain(update.names.keys()) {
                    assert!(words.contains(&placeholder.as_str()), "{placeholder} in {texts}");
                }
                for word in words.iter().filter(|word| word.starts_with([':', '#'])) {
                    let is_known =
                        update.values.contains_key(*word) || update.names.contains_key(*word);
                    assert!(is_known, "{word} in {texts}");
                }
            }
        }
    }

    #[test]
    fn every_write_says_something_of_every_attribute() {
        let names = |record: &Record| {
            let update =
                Update::new(record, &Precondition::unchanged(Seen::At(String::new()))).unwrap();
            let mut names: Vec<String> = update.names.into_values().collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&ready()), names(&failed()));
        assert_eq!(names(&ready()), names(&tombstone()));
        assert_eq!(names(&ready()).len(), 17);
    }

    #[test]
    fn a_ready_item_adds_its_places_and_others_forget_them() {
        let update = Update::new(&ready(), &not_newer("1")).unwrap();
        assert!(update.expression.ends_with(" ADD #places :places"), "{}", update.expression);
        let place = "thumbnails/thumbnail/tokyo/ref-5323x8000.jpg".to_owned();
        assert_eq!(update.values[":places"], AttributeValue::Ss(vec![place]));
        for record in [failed(), tombstone()] {
            let expression = Update::new(&record, &not_newer("1")).unwrap().expression;
            let (set, remove) = expression.split_once(" REMOVE ").unwrap();
            assert!(!set.contains("places") && remove.contains("#places"), "{expression}");
        }
    }

    #[test]
    fn an_event_takes_over_an_item_by_its_sequencer_alone() {
        let (item, own) = (stored(&ready()), Sequencer::new("FF").unwrap());
        let precondition = not_newer("FF").and_unchanged(Some(&item));
        let update = Update::take_over(&own, &item, DateTime::UNIX_EPOCH, &precondition);
        assert_eq!(update.written, Stored { sequencer: Some(own), ..item });
        let texts = format!("{} {}", update.expression, update.condition);
        for placeholder in update.values.keys().chain(update.names.keys()) {
            assert!(texts.contains(placeholder.as_str()), "{placeholder} in {texts}");
        }
    }

    #[test]
    fn a_write_knows_the_item_that_it_has_made() {
        let update = Update::new(&ready(), &not_newer("66112F8D1A2B3C4D")).unwrap();
        let own = stored(&ready());
        assert_eq!(own.status, Some(Status::Ready));
        assert!(update.written.is_same_write(&own));
        let former = Place { bucket: "thumbnails".into(), key: "small/a.jpg".into() };
        let with_former = Stored { places: [former].into(), ..own.clone() };
        assert!(update.written.is_same_write(&with_former), "DynamoDB keeps these");
        let text = |text: &str| Some(text.to_owned());
        for other in [
            Stored { status: Some(Status::Failed), ..own.clone() },
            Stored { processed_at: text("2024"), ..own.clone() },
            Stored { sequencer: Sequencer::new("1"), ..own.clone() },
            Stored { etag: None, ..own.clone() },
        ] {
            assert!(!update.written.is_same_write(&other), "{other:?}");
        }
        let update = Update::new(&tombstone(), &Precondition::unchanged(Seen::Absent)).unwrap();
        assert!(update.written.is_same_write(&stored(&tombstone())));
        assert!(!update.written.is_same_write(&own));
    }

    #[test]
    fn a_number_is_written_as_dynamodb_returns_it() {
        for (number, text) in [
            (Number::from(8000), "8000"),
            (Number::from(-3), "-3"),
            (Number::from(u64::MAX), "18446744073709551615"),
        ] {
            assert_eq!(number_text(&number), text);
        }
        for (float, text) in [(35.0, "35"), (0.00826446, "0.00826446"), (-0.5, "-0.5")] {
            assert_eq!(number_text(&Number::from_f64(float).unwrap()), text);
        }
    }

    #[test]
    fn a_record_has_no_null_and_no_empty_map() {
        fn is_known(value: &AttributeValue) -> bool {
            let is_map_known = match value.as_m() {
                Ok(map) => !map.is_empty() && map.values().all(is_known),
                Err(_) => true,
            };
            is_map_known && !value.is_null()
        }
        for record in [ready(), failed(), tombstone()] {
            for (name, value) in attributes(&record) {
                assert!(is_known(&value), "{name}: {value:?}");
            }
        }
    }
}
