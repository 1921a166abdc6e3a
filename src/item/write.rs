//! The UpdateItem that commits a record.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Precondition, Record, Stored};

/// Why a record cannot be written as an item.
pub type WriteError = serde_dynamo::Error;

/// The renditions that a READY item had before this write. The names of files are kept as long as the
/// files may be there: who writes the item removes them after that, and may be killed in between.
const REPLACED: &str = "replaced";

/// An UpdateItem's texts: one write that sets what is known and removes what is not, and happens only if
/// the stored item is as the precondition wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// `SET ... REMOVE ...`
    pub expression: String,
    /// Condition of the write.
    pub condition: &'static str,
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
        let mut names = HashMap::from([(format!("#{REPLACED}"), REPLACED.to_owned())]);
        let mut values = HashMap::from_iter(precondition.values());
        let mut known = HashMap::new();
        let attributes: HashMap<String, AttributeValue> = serde_dynamo::to_item(record)?;
        for (name, value) in attributes {
            match known_part(value) {
                Some(value) => {
                    set.push(format!("#{name} = :{name}"));
                    values.insert(format!(":{name}"), value.clone());
                    known.insert(name.clone(), value);
                }
                None => remove.push(format!("#{name}")),
            }
            names.insert(format!("#{name}"), name);
        }
        // DynamoDB takes the value of #renditions from the item as it was before the write.
        if known.contains_key("renditions") {
            set.push(format!("#{REPLACED} = if_not_exists(#renditions, :none)"));
            values.insert(":none".to_owned(), AttributeValue::M(HashMap::new()));
        } else {
            remove.push(format!("#{REPLACED}"));
        }
        set.sort_unstable();
        remove.sort_unstable();
        Ok(Update {
            // No status has both `failure` and `expiresAt`, so that there is always one to remove.
            expression: format!("SET {} REMOVE {}", set.join(", "), remove.join(", ")),
            condition: precondition.condition(),
            names,
            values,
            written: Stored::parse(&known),
        })
    }
}

/// A value without its unknown parts: these are absent, rather than null or an empty map.
fn known_part(value: AttributeValue) -> Option<AttributeValue> {
    if value.is_null() {
        return None;
    }
    let AttributeValue::M(map) = value else { return Some(value) };
    let entries = map.into_iter();
    let known: HashMap<String, AttributeValue> =
        entries.filter_map(|(name, value)| Some((name, known_part(value)?))).collect();
    (!known.is_empty()).then_some(AttributeValue::M(known))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::sample::{attributes, failed, not_newer, ready, stored};
    use super::super::{PHOTO_KEY, Status};
    use super::*;
    use crate::event::Sequencer;

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
        let unchanged = |seen: Option<&str>| Precondition::Unchanged(seen.map(str::to_owned));
        for precondition in [not_newer("1"), unchanged(None), unchanged(Some("2024"))] {
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
                Update::new(record, &Precondition::Unchanged(Some(String::new()))).unwrap();
            let mut names: Vec<String> = update.names.into_values().collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&ready()), names(&failed()));
        assert_eq!(names(&ready()), names(&tombstone()));
        assert_eq!(names(&ready()).len(), 16);
    }

    #[test]
    fn only_a_ready_item_remembers_the_renditions_that_were_there_before() {
        let expression = |record: &Record| Update::new(record, &not_newer("1")).unwrap().expression;
        let remembers = "#replaced = if_not_exists(#renditions, :none)";
        assert!(expression(&ready()).contains(remembers));
        for record in [failed(), tombstone()] {
            let (set, remove) = expression(&record)
                .split_once(" REMOVE ")
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .unwrap();
            assert!(!set.contains("replaced") && remove.contains("#replaced"));
        }
    }

    #[test]
    fn a_write_knows_the_item_that_it_has_made() {
        let update = Update::new(&ready(), &not_newer("66112F8D1A2B3C4D")).unwrap();
        let own = stored(&ready());
        assert_eq!(own.status, Some(Status::Ready));
        assert!(update.written.is_same_write(&own));
        let with_replaced = Stored { replaced: own.renditions.clone(), ..own.clone() };
        assert!(update.written.is_same_write(&with_replaced), "DynamoDB has added these");
        let text = |text: &str| Some(text.to_owned());
        for other in [
            Stored { status: Some(Status::Failed), ..own.clone() },
            Stored { processed_at: text("2024"), ..own.clone() },
            Stored { sequencer: Sequencer::new("1"), ..own.clone() },
            Stored { etag: None, ..own.clone() },
        ] {
            assert!(!update.written.is_same_write(&other), "{other:?}");
        }
        let update = Update::new(&tombstone(), &Precondition::Unchanged(None)).unwrap();
        assert!(update.written.is_same_write(&stored(&tombstone())));
        assert!(!update.written.is_same_write(&own));
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
