//! What a stored item must be for an event to write it.
//!
//! A sequencer serves as a fencing token: an event with an older one has lost. The rule stands here
//! twice, as the expression that DynamoDB checks with the write ([`Precondition::condition`]) and as the
//! question that the function asks before it writes ([`Precondition::check`]); a test holds both together.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Status, Stored};
use crate::event::Sequencer;

/// What the stored item must be for an event to write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Precondition {
    /// The item is not of a newer event, nor of this one and READY.
    NotNewer(Sequencer),
    /// The item is what it was before the fetch: it has the `processedAt` that it had then, or is still
    /// not there. This is for events without a sequencer, which nothing else puts in an order.
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
        /// SQS message ID of the dead letter.
        dead_letter_id: String,
    },
}

impl Precondition {
    /// Whether an event with this precondition may write, asked before it does anything else.
    pub fn check(&self, stored: Option<&Stored>) -> Verdict {
        let default = Stored::default();
        let stored = stored.unwrap_or(&default);
        let (holds, is_same_event) = match self {
            Precondition::NotNewer(sequencer) => match &stored.sequencer {
                None => (true, true),
                Some(stored_sequencer) => {
                    let is_same = stored_sequencer == sequencer;
                    let is_unfinished = is_same && stored.status != Some(Status::Ready);
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
                "attribute_not_exists(#sequencer) OR #sequencer < :own \
                 OR (#sequencer = :own AND #status <> :ready)"
            }
            Precondition::Unchanged(Some(_)) => "#processedAt = :seen",
            Precondition::Unchanged(None) => "attribute_not_exists(#processedAt)",
        }
    }

    /// The values that the condition compares with.
    pub(super) fn values(&self) -> Vec<(String, AttributeValue)> {
        let text = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
        match self {
            Precondition::NotNewer(sequencer) => {
                vec![text(":own", sequencer.as_str()), text(":ready", Status::Ready.as_str())]
            }
            Precondition::Unchanged(Some(seen)) => vec![text(":seen", seen)],
            Precondition::Unchanged(None) => vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{failed, not_newer, ready, stored};
    use super::*;

    #[test]
    fn an_event_stands_to_an_item_as_the_order_of_their_sequencers() {
        let item = stored(&ready());
        let verdict = |text| not_newer(text).check(Some(&item));
        assert_eq!(verdict("66112F8D1A2B3C4C"), Verdict::Superseded, "older");
        assert_eq!(verdict("66112F8D1A2B3C4D"), Verdict::Superseded, "the same, done");
        assert_eq!(verdict("66112F8D1A2B3C4E"), Verdict::Proceed, "newer");
        assert_eq!(not_newer("1").check(None), Verdict::Proceed, "no item");
    }

    #[test]
    fn an_event_without_a_sequencer_stands_behind_the_item_it_saw() {
        let item = stored(&ready());
        let verdict =
            |seen: Option<&str>| Precondition::Unchanged(seen.map(Into::into)).check(Some(&item));
        assert_eq!(verdict(Some("1970-01-01T00:00:00.000Z")), Verdict::Proceed, "unchanged");
        assert_eq!(verdict(Some("1970-01-01T00:00:00.001Z")), Verdict::Superseded, "changed");
        assert_eq!(verdict(None), Verdict::Superseded, "it was not there");
        assert_eq!(Precondition::Unchanged(None).check(None), Verdict::Proceed, "nor is it now");
        let of_application = Some(&Stored::default());
        assert_eq!(Precondition::Unchanged(None).check(of_application), Verdict::Proceed);
    }

    #[test]
    fn an_item_that_nothing_orders_or_finishes_may_be_written() {
        let mut unordered = stored(&ready());
        unordered.sequencer = None;
        let mut without_letter = stored(&failed());
        without_letter.dead_letter_id = None;
        for item in [unordered, without_letter] {
            let verdict = not_newer("66112F8D1A2B3C4D").check(Some(&item));
            assert_eq!(verdict, Verdict::Proceed, "{item:?}");
        }
    }

    #[test]
    fn a_failed_photo_has_one_dead_letter_for_each_event() {
        let item = stored(&failed());
        let rejected = Verdict::AlreadyRejected { dead_letter_id: "letter-1".into() };
        assert_eq!(not_newer("66112F8D1A2B3C4D").check(Some(&item)), rejected);
        assert_eq!(not_newer("66112F8D1A2B3C4E").check(Some(&item)), Verdict::Proceed);
        let seen = Precondition::Unchanged(Some("1970-01-01T00:00:00.000Z".into()));
        assert_eq!(seen.check(Some(&item)), rejected);
    }

    /// DynamoDB's comparison of these expressions, term by term (Developer Guide, "Condition and filter
    /// expressions, operators, and functions"): a missing attribute is neither less nor equal, but unequal.
    fn holds(condition: &str, item: &Stored, own: &Sequencer, seen: Option<&str>) -> bool {
        let sequencer = item.sequencer.as_ref();
        condition.split(" OR ").map(|term| term.trim_matches(['(', ')'])).any(|term| match term {
            "attribute_not_exists(#sequencer" => sequencer.is_none(),
            "attribute_not_exists(#processedAt" => item.processed_at.is_none(),
            "#sequencer < :own" => sequencer.is_some_and(|stored| stored.as_str() < own.as_str()),
            "#sequencer = :own AND #status <> :ready" => {
                sequencer == Some(own) && item.status != Some(Status::Ready)
            }
            "#processedAt = :seen" => seen.is_some() && item.processed_at.as_deref() == seen,
            other => panic!("an unknown term: {other}"),
        })
    }

    #[test]
    fn dynamodb_and_the_function_decide_alike() {
        let own = Sequencer::new("5").unwrap();
        let statuses = [None, Some(Status::Ready), Some(Status::Failed), Some(Status::Deleted)];
        for sequencer in [None, Some("4"), Some("5"), Some("6")] {
            for status in statuses {
                for processed_at in [None, Some("then"), Some("now")] {
                    for dead_letter_id in [None, Some("letter")] {
                        let item = Stored {
                            status,
                            sequencer: sequencer.and_then(Sequencer::new),
                            processed_at: processed_at.map(str::to_owned),
                            dead_letter_id: dead_letter_id.map(str::to_owned),
                            ..Stored::default()
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
}
