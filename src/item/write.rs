//! The UpdateItem that commits an item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Attributes, OWNED, Precondition, Stored};

/// An UpdateItem's texts: one write that sets what is known, removes the rest, and holds only if
/// the item is not newer.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// `SET ... REMOVE ...`
    pub expression: String,
    /// What the stored item must be for the write to happen.
    pub condition: &'static str,
    /// `#name` to attribute name: many names are reserved words.
    pub names: HashMap<String, String>,
    /// `:name` to value.
    pub values: HashMap<String, AttributeValue>,
    /// What the item will tell the next event.
    written: Stored,
}

impl Update {
    /// The write that makes `attributes` the whole of what the function says of a photo, if the
    /// precondition holds.
    pub fn new(attributes: Attributes, precondition: &Precondition) -> Update {
        let (known, unknown): (Vec<&str>, Vec<&str>) =
            OWNED.iter().partition(|name| attributes.contains_key(*name));
        let set: Vec<String> = known.iter().map(|name| format!("#{name} = :{name}")).collect();
        let remove: Vec<String> = unknown.iter().map(|name| format!("#{name}")).collect();
        let written = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let written = Stored::parse(&written.collect());
        let values = attributes.into_iter().map(|(name, value)| (format!(":{name}"), value));
        Update {
            // There is always something to remove: no status has `failure`, `renditions` and
            // `expiresAt`.
            expression: format!("SET {} REMOVE {}", set.join(", "), remove.join(", ")),
            condition: precondition.condition(),
            names: OWNED.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect(),
            values: values.chain(precondition.values()).collect(),
            written,
        }
    }

    /// Whether this very write has made the stored item what it is.
    pub fn is_done_in(&self, stored: &Stored) -> bool {
        *stored == self.written
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::sample::{created, failed, not_newer, ready};
    use super::super::{PHOTO_KEY, StoredStatus, tombstone};
    use super::*;
    use crate::event::Sequencer;

    #[test]
    fn a_write_sets_what_is_known_removes_what_is_not_and_touches_nothing_else() {
        let update = Update::new(failed(), &not_newer("1"));
        let (set, remove) = update.expression.split_once(" REMOVE ").unwrap();
        assert!(set.starts_with("SET #album = :album"), "{set}");
        for (name, is_set) in [("failure", true), ("renditions", false), ("takenAt", false)] {
            assert_eq!(set.contains(&format!("#{name} = :{name}")), is_set, "{name}");
            assert_eq!(remove.contains(&format!("#{name}")), !is_set, "{name}");
        }
        assert!(!update.names.values().any(|name| name == "app" || name == PHOTO_KEY));
    }

    #[test]
    fn every_value_of_a_write_is_used() {
        // DynamoDB refuses a write with an unused value or name.
        let unchanged = |seen: Option<&str>| Precondition::Unchanged(seen.map(str::to_owned));
        for precondition in [not_newer("1"), unchanged(None), unchanged(Some("2024"))] {
            let removed = tombstone(None, DateTime::UNIX_EPOCH);
            for attributes in [ready(&created()), failed(), removed] {
                let update = Update::new(attributes, &precondition);
                let texts = format!("{} {}", update.expression, update.condition);
                for placeholder in update.values.keys().chain(update.names.keys()) {
                    assert!(texts.contains(placeholder.as_str()), "{placeholder} in {texts}");
                }
            }
        }
    }

    #[test]
    fn a_write_knows_the_item_that_it_has_made() {
        let stored = |attributes: Attributes| {
            let item = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
            Stored::parse(&item.collect())
        };
        let update = Update::new(ready(&created()), &not_newer("66112F8D1A2B3C4D"));
        let own = stored(ready(&created()));
        assert!(update.is_done_in(&own));
        let text = |text: &str| Some(text.to_owned());
        for other in [
            Stored { status: Some(StoredStatus::Failed), ..own.clone() },
            Stored { processed_at: text("2024"), ..own.clone() },
            Stored { sequencer: Sequencer::new("1"), ..own.clone() },
            Stored { etag: None, ..own.clone() },
        ] {
            assert!(!update.is_done_in(&other), "{other:?}");
        }
        let removal = tombstone(None, DateTime::UNIX_EPOCH);
        let update = Update::new(removal.clone(), &Precondition::Unchanged(None));
        assert!(update.is_done_in(&stored(removal)));
        assert!(!update.is_done_in(&own));
    }
}
