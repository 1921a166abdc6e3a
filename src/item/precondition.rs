//! What a stored item must be for an event to write it.
//!
//! A sequencer serves as a fencing token: an event with an older one has lost. The rule stands here
//! twice, as the expression that DynamoDB checks with the write ([`Precondition::condition`]) and as the
//! question that the function asks before it writes ([`Precondition::check`]); a test holds both together.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Status, Stored};
use crate::event::Sequencer;

/// What the stored item must be for an event to write it: everything that is asked for here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Precondition {
    /// The item is not of a newer event than that of this sequencer, nor of this one and READY.
    pub not_newer: Option<Sequencer>,
    /// The item is what it was when it was read.
    pub unchanged: Option<Seen>,
}

/// An item as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// It was not there, or only the application had written it.
    Absent,
    /// It had this `processedAt`.
    At(String),
}

impl Seen {
    /// What was seen of this item.
    pub fn of(stored: Option<&Stored>) -> Seen {
        let processed_at = stored.and_then(|stored| stored.processed_at.clone());
        processed_at.map_or(Seen::Absent, Seen::At)
    }
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
    /// The precondition of an event with a sequencer.
    pub fn not_newer(sequencer: Sequencer) -> Precondition {
        Precondition { not_newer: Some(sequencer), unchanged: None }
    }

    /// The precondition of an event without a sequencer, which nothing else puts in an order.
    pub fn unchanged(seen: Seen) -> Precondition {
        Precondition { not_newer: None, unchanged: Some(seen) }
    }

    /// The same, and the item must still be the one that was read.
    pub fn and_unchanged(&self, stored: Option<&Stored>) -> Precondition {
        Precondition { unchanged: Some(Seen::of(stored)), ..self.clone() }
    }

    /// Whether an event about the original of this ETag may write, asked before it does anything else.
    pub fn check(&self, stored: Option<&Stored>, etag: &str) -> Verdict {
        let default = Stored::default();
        let stored = stored.unwrap_or(&default);
        let is_unchanged =
            self.unchanged.as_ref().is_none_or(|seen| *seen == Seen::of(Some(stored)));
        let (is_not_newer, is_same_event) = match (&self.not_newer, &stored.sequencer) {
            (None, _) => (true, stored.etag.as_deref() == Some(etag)),
            (Some(_), None) => (true, true),
            (Some(own), Some(stored_sequencer)) => {
                let is_same = stored_sequencer == own;
                let is_unfinished = is_same && stored.status != Some(Status::Ready);
                (stored_sequencer < own || is_unfinished, is_same)
            }
        };
        match &stored.dead_letter_id {
            _ if !(is_not_newer && is_unchanged) => Verdict::Superseded,
            Some(dead_letter_id) if is_same_event => {
                Verdict::AlreadyRejected { dead_letter_id: dead_letter_id.clone() }
            }
            Some(_) | None => Verdict::Proceed,
        }
    }

    /// The same as a condition expression of DynamoDB.
    pub(super) fn condition(&self) -> String {
        let not_newer = self.not_newer.as_ref().map(|_| {
            "(attribute_not_exists(#sequencer) OR #sequencer < :own \
             OR (#sequencer = :own AND #status <> :ready))"
        });
        let unchanged = self.unchanged.as_ref().map(|seen| match seen {
            Seen::At(_) => "#processedAt = :seen",
            Seen::Absent => "attribute_not_exists(#processedAt)",
        });
        let terms: Vec<&str> = not_newer.into_iter().chain(unchanged).collect();
        terms.join(" AND ")
    }

    /// The values that the condition compares with.
    pub(super) fn values(&self) -> Vec<(String, AttributeValue)> {
        let text = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
        let mut values = Vec::new();
        if let Some(sequencer) = &self.not_newer {
            values.push(text(":own", sequencer.as_str()));
            values.push(text(":ready", Status::Ready.as_str()));
        }
        if let Some(Seen::At(seen)) = &self.unchanged {
            values.push(text(":seen", seen));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{failed, not_newer, ready, stored};
    use super::*;

    /// ETag of the sample event's original.
    const ETAG: &str = "936bcb05997c4c4812eb695dac0aff00";

    #[test]
    fn an_event_stands_to_an_item_as_the_order_of_their_sequencers() {
        let item = stored(&ready());
        let verdict = |text| not_newer(text).check(Some(&item), ETAG);
        assert_eq!(verdict("66112F8D1A2B3C4C"), Verdict::Superseded, "older");
        assert_eq!(verdict("66112F8D1A2B3C4D"), Verdict::Superseded, "the same, done");
        assert_eq!(verdict("66112F8D1A2B3C4E"), Verdict::Proceed, "newer");
        assert_eq!(not_newer("1").check(None, ETAG), Verdict::Proceed, "no item");
    }

    fn seen(text: &str) -> Precondition {
        Precondition::unchanged(Seen::At(text.to_owned()))
    }

    #[test]
    fn an_event_without_a_sequencer_stands_behind_the_item_it_saw() {
        let item = stored(&ready());
        let verdict = |precondition: Precondition| precondition.check(Some(&item), ETAG);
        let absent = Precondition::unchanged(Seen::Absent);
        assert_eq!(verdict(seen("1970-01-01T00:00:00.000Z")), Verdict::Proceed, "unchanged");
        assert_eq!(verdict(seen("1970-01-01T00:00:00.001Z")), Verdict::Superseded, "changed");
        assert_eq!(verdict(absent.clone()), Verdict::Superseded, "it was not there");
        assert_eq!(absent.check(None, ETAG), Verdict::Proceed, "nor is it now");
        let of_application = Some(&Stored::default());
        assert_eq!(absent.check(of_application, ETAG), Verdict::Proceed);
    }

    #[test]
    fn both_parts_of_a_precondition_must_hold() {
        let item = stored(&ready());
        let newer = not_newer("66112F8D1A2B3C4E").and_unchanged(Some(&item));
        assert_eq!(newer.check(Some(&item), ETAG), Verdict::Proceed);
        let changed = Stored { processed_at: Some("2024".to_owned()), ..item.clone() };
        assert_eq!(newer.check(Some(&changed), ETAG), Verdict::Superseded);
        let older = not_newer("1").and_unchanged(Some(&item));
        assert_eq!(older.check(Some(&item), ETAG), Verdict::Superseded);
    }

    #[test]
    fn an_item_that_nothing_orders_or_finishes_may_be_written() {
        let mut unordered = stored(&ready());
        unordered.sequencer = None;
        let mut without_letter = stored(&failed());
        without_letter.dead_letter_id = None;
        for item in [unordered, without_letter] {
            let verdict = not_newer("66112F8D1A2B3C4D").check(Some(&item), ETAG);
            assert_eq!(verdict, Verdict::Proceed, "{item:?}");
        }
    }

    #[test]
    fn a_failed_photo_has_one_dead_letter_for_each_event() {
        let item = stored(&failed());
        let rejected = Verdict::AlreadyRejected { dead_letter_id: "letter-1".into() };
        assert_eq!(not_newer("66112F8D1A2B3C4D").check(Some(&item), ETAG), rejected);
        assert_eq!(not_newer("66112F8D1A2B3C4E").check(Some(&item), ETAG), Verdict::Proceed);
        let seen = seen("1970-01-01T00:00:00.000Z");
        assert_eq!(seen.check(Some(&item), ETAG), rejected);
        assert_eq!(seen.check(Some(&item), "of another photo"), Verdict::Proceed);
    }

    /// DynamoDB's comparison of these expressions, term by term (Developer Guide, "Condition and filter
    /// expressions, operators, and functions"): a missing attribute is neither less nor equal, but unequal.
    fn holds(condition: &str, item: &Stored, own: &Sequencer, seen: &str) -> bool {
        let sequencer = item.sequencer.as_ref();
        let term = |term: &str| match term.trim_matches(['(', ')']) {
            "attribute_not_exists(#sequencer" => sequencer.is_none(),
            "attribute_not_exists(#processedAt" => item.processed_at.is_none(),
            "#sequencer < :own" => sequencer.is_some_and(|stored| stored.as_str() < own.as_str()),
            "#sequencer = :own" => sequencer == Some(own),
            "#status <> :ready" => item.status != Some(Status::Ready),
            "#processedAt = :seen" => item.processed_at.as_deref() == Some(seen),
            other => panic!("an unknown term: {other}"),
        };
        let all = |terms: &str| terms.split(" AND ").all(term);
        let any = |terms: &str| terms.split(" OR ").any(all);
        match condition.rsplit_once(") AND ") {
            Some((first, second)) => any(first) && term(second),
            None => any(condition),
        }
    }

    #[test]
    fn dynamodb_and_the_function_decide_alike() {
        let own = Sequencer::new("5").unwrap();
        let statuses = [None, Some(Status::Ready), Some(Status::Failed), Some(Status::Deleted)];
        let fences = [None, Some(own.clone())];
        let seens = [None, Some(Seen::Absent), Some(Seen::At("then".to_owned()))];
        for sequencer in [None, Some("4"), Some("5"), Some("6")] {
            for status in statuses {
                for processed_at in [None, Some("then"), Some("now")] {
                    let item = Stored {
                        status,
                        sequencer: sequencer.and_then(Sequencer::new),
                        processed_at: processed_at.map(str::to_owned),
                        dead_letter_id: Some("letter".to_owned()),
                        ..Stored::default()
                    };
                    for (not_newer, unchanged) in
                        fences.iter().flat_map(|fence| seens.iter().map(move |seen| (fence, seen)))
                    {
                        let precondition = Precondition {
                            not_newer: not_newer.clone(),
                            unchanged: unchanged.clone(),
                        };
                        if precondition == Precondition::default() {
                            continue; // no event writes without any
                        }
                        let writes = holds(&precondition.condition(), &item, &own, "then");
                        let verdict = precondition.check(Some(&item), ETAG);
                        assert_eq!(
                            writes,
                            verdict != Verdict::Superseded,
                            "{precondition:?} {item:?}"
                        );
                    }
                }
            }
        }
    }
}
