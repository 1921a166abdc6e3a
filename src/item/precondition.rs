//! What a stored item must be for an event to write it.
//!
//! A sequencer is what others call a fencing token: who comes with an older one has lost. The rule
//! stands here twice, as the expression that DynamoDB checks with the write ([`Precondition::condition`])
//! and as what the function asks before it writes ([`Precondition::check`]); a test holds them together.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::event::Sequencer;

/// What a stored item tells those who would write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// None where the application alone has written the item.
    pub status: Option<StoredStatus>,
    /// ETag of the original, without quotes.
    pub etag: Option<String>,
    /// Sequencer of the event that wrote it.
    pub sequencer: Option<Sequencer>,
    /// Time of that write, ISO 8601 UTC with milliseconds.
    pub processed_at: Option<String>,
    /// SQS message ID of the dead letter that keeps a FAILED photo.
    pub dead_letter_id: Option<String>,
}

/// The status of a stored item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredStatus {
    /// The photo has its thumbnail.
    Ready,
    /// The photo will never have one.
    Failed,
    /// A tombstone: the photo was removed.
    Deleted,
}

impl Stored {
    /// Of an item as DynamoDB returns it. What is none of the function's values counts as missing.
    pub fn parse(item: &HashMap<String, AttributeValue>) -> Stored {
        let text = |name: &str| item.get(name)?.as_s().ok().map(String::as_str);
        let dead_letter_id = |failure: &AttributeValue| {
            failure.as_m().ok()?.get("deadLetterId")?.as_s().ok().cloned()
        };
        Stored {
            status: text("status").and_then(StoredStatus::parse),
            etag: text("etag").map(str::to_owned),
            sequencer: text("sequencer").and_then(Sequencer::new),
            processed_at: text("processedAt").map(str::to_owned),
            dead_letter_id: item.get("failure").and_then(dead_letter_id),
        }
    }

    /// Whether it is of a photo that is there, READY or not.
    pub fn is_of_photo(&self) -> bool {
        matches!(self.status, Some(StoredStatus::Ready | StoredStatus::Failed))
    }
}

impl StoredStatus {
    /// As it stands in items.
    pub fn as_str(self) -> &'static str {
        match self {
            StoredStatus::Ready => "READY",
            StoredStatus::Failed => "FAILED",
            StoredStatus::Deleted => "DELETED",
        }
    }

    fn parse(text: &str) -> Option<StoredStatus> {
        let all = [StoredStatus::Ready, StoredStatus::Failed, StoredStatus::Deleted];
        all.into_iter().find(|status| status.as_str() == text)
    }
}

/// What the stored item must be for an event to write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Not of a newer event, nor of this one and READY.
    NotNewer(Sequencer),
    /// What it was before the fetch: the `processedAt` it had then, if it was there. For events
    /// without a sequencer, of which nothing else says whether they are the newest.
    Unchanged(Option<String>),
}

/// How a stored item stands to an event about the same photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The event may write: there is no item, or an older or unfinished one.
    Proceed,
    /// The item is of a newer event, or this event's work is done.
    Superseded,
    /// This event's photo failed before, and this dead letter keeps it.
    AlreadyRejected {
        /// SQS message ID.
        dead_letter_id: String,
    },
}

impl Precondition {
    /// Whether an event with this precondition may write, for those who must know before they do.
    pub fn check(&self, stored: Option<&Stored>) -> Verdict {
        let default = Stored::default();
        let stored = stored.unwrap_or(&default);
        let (holds, is_same_event) = match self {
            Precondition::NotNewer(sequencer) => match &stored.sequencer {
                None => (true, true),
                Some(stored_sequencer) => {
                    let is_same = stored_sequencer == sequencer;
                    let is_unfinished = is_same && stored.status != Some(StoredStatus::Ready);
                    (stored_sequencer < sequencer || is_unfinished, is_same)
                }
            },
            Precondition::Unchanged(seen) => (stored.processed_at == *seen, true),
        };
        match &stored.dead_letter_id {
            _ if !holds => Verdict::Superseded,
            Some(dead_letter_id) if is_same_event => {
                Verdict::AlreadyRejected { dead_letter_id: dead_letter_id.clone() }
            }
            Some(_) | None => Verdict::Proceed,
        }
    }

    /// The same as a condition expression of DynamoDB.
    pub(super) fn condition(&self) -> &'static str {
        match self {
            Precondition::NotNewer(_) => {
                "attribute_not_exists(#sequencer) OR #sequencer < :sequencer \
                 OR (#sequencer = :sequencer AND #status <> :ready)"
            }
            Precondition::Unchanged(Some(_)) => "#processedAt = :seen",
            Precondition::Unchanged(None) => "attribute_not_exists(#processedAt)",
        }
    }

    /// The values in the condition that are none of the item's own.
    pub(super) fn values(&self) -> Option<(String, AttributeValue)> {
        match self {
            Precondition::NotNewer(_) => {
                Some((":ready".to_owned(), AttributeValue::S(StoredStatus::Ready.as_str().into())))
            }
            Precondition::Unchanged(seen) => {
                seen.clone().map(|seen| (":seen".to_owned(), AttributeValue::S(seen)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Attributes;
    use super::super::sample::{created, failed, not_newer, ready};
    use super::*;

    /// What DynamoDB would return of these attributes.
    fn stored(attributes: Attributes) -> Stored {
        let item = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Stored::parse(&item)
    }

    #[test]
    fn an_event_stands_to_an_item_as_the_order_of_their_sequencers() {
        let item = stored(ready(&created()));
        let verdict = |text| not_newer(text).check(Some(&item));
        assert_eq!(verdict("66112F8D1A2B3C4C"), Verdict::Superseded, "older");
        assert_eq!(verdict("66112F8D1A2B3C4D"), Verdict::Superseded, "the same, done");
        assert_eq!(verdict("66112F8D1A2B3C4E"), Verdict::Proceed, "newer");
        assert_eq!(not_newer("1").check(None), Verdict::Proceed, "no item");
    }

    #[test]
    fn an_event_without_a_sequencer_stands_behind_the_item_it_saw() {
        let item = stored(ready(&created()));
        let verdict =
            |seen: Option<&str>| Precondition::Unchanged(seen.map(Into::into)).check(Some(&item));
        assert_eq!(verdict(Some("1970-01-01T00:00:00.000Z")), Verdict::Proceed, "unchanged");
        assert_eq!(verdict(Some("1970-01-01T00:00:00.001Z")), Verdict::Superseded, "changed");
        assert_eq!(verdict(None), Verdict::Superseded, "it was not there");
        assert_eq!(Precondition::Unchanged(None).check(None), Verdict::Proceed, "nor is it now");
    }

    #[test]
    fn an_item_that_nothing_orders_or_finishes_may_be_written() {
        let mut unordered = stored(ready(&created()));
        unordered.sequencer = None;
        let mut without_letter = stored(failed());
        without_letter.dead_letter_id = None;
        for item in [unordered, without_letter] {
            let verdict = not_newer("66112F8D1A2B3C4D").check(Some(&item));
            assert_eq!(verdict, Verdict::Proceed, "{item:?}");
        }
    }

    #[test]
    fn a_failed_photo_has_one_dead_letter_for_each_event() {
        let item = stored(failed());
        let rejected = Verdict::AlreadyRejected { dead_letter_id: "letter-1".into() };
        assert_eq!(not_newer("66112F8D1A2B3C4D").check(Some(&item)), rejected);
        assert_eq!(not_newer("66112F8D1A2B3C4E").check(Some(&item)), Verdict::Proceed);
        let seen = Precondition::Unchanged(Some("1970-01-01T00:00:00.000Z".into()));
        assert_eq!(seen.check(Some(&item)), rejected);
    }

    /// DynamoDB's comparison of these expressions, term by term (Developer Guide, "Condition and filter
    /// expressions, operators, and functions"): what is missing is neither less nor equal, but unequal.
    fn holds(condition: &str, item: &Stored, own: &Sequencer, seen: Option<&str>) -> bool {
        let sequencer = item.sequencer.as_ref();
        condition.split(" OR ").map(|term| term.trim_matches(['(', ')'])).any(|term| match term {
            "attribute_not_exists(#sequencer" => sequencer.is_none(),
            "attribute_not_exists(#processedAt" => item.processed_at.is_none(),
            "#sequencer < :sequencer" => {
                sequencer.is_some_and(|stored| stored.as_str() < own.as_str())
            }
            "#sequencer = :sequencer AND #status <> :ready" => {
                sequencer == Some(own) && item.status != Some(StoredStatus::Ready)
            }
            "#processedAt = :seen" => seen.is_some() && item.processed_at.as_deref() == seen,
            other => panic!("an unknown term: {other}"),
        })
    }

    #[test]
    fn dynamodb_and_the_function_decide_alike() {
        let own = Sequencer::new("5").unwrap();
        let statuses = [
            None,
            Some(StoredStatus::Ready),
            Some(StoredStatus::Failed),
            Some(StoredStatus::Deleted),
        ];
        for sequencer in [None, Some("4"), Some("5"), Some("6")] {
            for status in statuses {
                for processed_at in [None, Some("then"), Some("now")] {
                    for dead_letter_id in [None, Some("letter")] {
                        let item = Stored {
                            status,
                            etag: None,
                            sequencer: sequencer.and_then(Sequencer::new),
                            processed_at: processed_at.map(str::to_owned),
                            dead_letter_id: dead_letter_id.map(str::to_owned),
                        };
                        for (precondition, seen) in [
                            (Precondition::NotNewer(own.clone()), None),
                            (Precondition::Unchanged(None), None),
                            (Precondition::Unchanged(Some("then".to_owned())), Some("then")),
                        ] {
                            let writes = holds(precondition.condition(), &item, &own, seen);
                            let verdict = precondition.check(Some(&item));
                            assert_eq!(writes, verdict != Verdict::Superseded, "{item:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn an_item_of_the_application_alone_says_nothing() {
        let app = AttributeValue::M(HashMap::new());
        let item = Stored::parse(&HashMap::from([("app".to_owned(), app)]));
        assert_eq!(item, Stored::default());
        assert!(!item.is_of_photo());
        assert_eq!(Precondition::Unchanged(None).check(Some(&item)), Verdict::Proceed);
    }
}
