//! Invocations that are killed, as Lambda does at the timeout or for memory and a host does when it
//! dies: after the retry all is as if they had not been.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::lambda::{Lambda, Next};
use crate::photos;
use crate::stack::{FOUR_RENDITIONS, File, Letter, Stack};

const BROKEN: &[u8] = b"no photo";

/// When an invocation is killed: its calls to AWS are numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kill {
    /// AWS never hears of this call.
    Before(usize),
    /// AWS has answered this call, but the process never hears of it.
    After(usize),
}

/// What happens to one key. The last of it is what a killed invocation is about.
struct Story<'a> {
    name: &'static str,
    /// Uploads of these bytes, and removals.
    deeds: Vec<Option<&'a [u8]>>,
    /// The renditions of the last, where they are not the default.
    renditions: Option<&'static str>,
    /// The renditions of all but the last, where they are others.
    former: Option<&'static str>,
    /// The calls of the last invocation, as [`invoke`] names them.
    calls: &'static str,
    letters: usize,
}

/// What there is of a key at the end, without times and the key itself.
#[derive(PartialEq)]
struct State {
    item: Value,
    renditions: BTreeMap<String, File>,
}

fn story<'a>(
    name: &'static str,
    deeds: Vec<Option<&'a [u8]>>,
    calls: &'static str,
    letters: usize,
) -> Story<'a> {
    let former = name.ends_with("renamed").then_some("small: scale=0.25");
    Story { name, deeds, renditions: None, former, calls, letters }
}

/// A story of a photo with four renditions.
fn of_four(story: Story<'_>) -> Story<'_> {
    Story { renditions: Some(FOUR_RENDITIONS), ..story }
}

impl Story<'_> {
    /// Lives through the story below a folder of its own. Gives the calls of the last invocation,
    /// its first try if it was killed.
    async fn live(
        &self,
        stack: &Stack,
        environment: &HashMap<String, String>,
        folder: &str,
        kill: Option<Kill>,
    ) -> Vec<String> {
        let key = key(folder);
        let (mut etag, mut calls) = (String::new(), Vec::new());
        let with = |renditions: Option<&str>| {
            let set = renditions.map(|text| ("RENDITIONS".to_owned(), text.to_owned()));
            environment.clone().into_iter().chain(set).collect::<HashMap<_, _>>()
        };
        let (environment, former) = (with(self.renditions), with(self.former.or(self.renditions)));
        for (sequencer, deed) in (1..).zip(&self.deeds) {
            match deed {
                Some(photo) => etag = stack.upload(&key, photo).await,
                None => stack.remove(&key).await,
            }
            let mut record = stack.record(&key, &etag, sequencer);
            if deed.is_none() {
                record["eventName"] = "ObjectRemoved:Delete".into();
            }
            let event = json!({"Records": [record]});
            let is_last = sequencer as usize == self.deeds.len();
            let environment = if is_last { &environment } else { &former };
            let kill = kill.filter(|_| is_last);
            let mut end;
            (end, calls) = invoke(environment, &event, kill).await;
            if kill.is_some() {
                assert_eq!(end, None, "{folder} is killed");
                (end, _) = invoke(environment, &event, None).await;
            }
            assert_eq!(end, Some(Ok(())), "{folder}");
        }
        calls
    }

    /// Whether the letter was sent, but nothing tells the retry so.
    fn is_letter_forgotten(&self, kill: Kill) -> bool {
        let sent = self.calls.split(' ').position(|call| call == "SendMessage");
        sent.is_some_and(|sent| [Kill::After(sent), Kill::Before(sent + 1)].contains(&kill))
    }
}

/// Runs an invocation and lets it call what it likes until it is killed. Gives its end, if it had one
/// of its own, and its calls until then: of DynamoDB and SQS their names, of S3 the methods.
async fn invoke(
    environment: &HashMap<String, String>,
    event: &Value,
    kill: Option<Kill>,
) -> (Option<Result<(), String>>, Vec<String>) {
    let mut lambda = Lambda::start(environment).await;
    lambda.invoke(event);
    let mut calls = Vec::new();
    loop {
        let call = match lambda.next().await {
            Next::Call(call) => call,
            Next::End(end) => return (Some(end), calls),
        };
        let number = calls.len();
        calls.push(call.name.clone());
        if kill == Some(Kill::Before(number)) {
            lambda.kill();
            return (None, calls);
        }
        let answer = call.ask().await;
        if kill == Some(Kill::After(number)) {
            lambda.kill();
            return (None, calls);
        }
        call.answer(&answer).await;
    }
}

fn key(folder: &str) -> String {
    format!("{folder}/a.jpg")
}

async fn state(stack: &Stack, folder: &str) -> State {
    let item = stack.item_now(&key(folder)).await.unwrap();
    let mut item: Value =
        serde_json::from_str(&item.to_string().replace(folder, "folder")).unwrap();
    for name in ["processedAt", "expiresAt"] {
        item.as_object_mut().unwrap().remove(name);
    }
    if let Some(failure) = item["failure"].as_object_mut() {
        failure.remove("deadLetterId");
    }
    let renditions = stack.renditions_of(&key(folder)).await.into_iter();
    let renditions = renditions.map(|(key, file)| (key.replace(folder, "folder"), file)).collect();
    State { item, renditions }
}

/// One letter for each photo that failed, and the item names it. Two where the first try was killed
/// between its letter and its item: SQS cannot send a letter only if there is none, and sending it
/// after the item could lose it. The item then names the one of the retry.
async fn expect_letters(
    stack: &Stack,
    story: &Story<'_>,
    folder: &str,
    kill: Option<Kill>,
    letters: &[Letter],
) {
    let is_of_key = |letter: &&Letter| letter.photo_key.as_deref() == Some(&key(folder));
    let ids: Vec<&str> = letters.iter().filter(is_of_key).map(|letter| &letter.id[..]).collect();
    let is_forgotten = kill.is_some_and(|kill| story.is_letter_forgotten(kill));
    let most = story.letters + usize::from(is_forgotten);
    assert!((story.letters..=most).contains(&ids.len()), "{folder}: {ids:?}");
    let item = stack.item_now(&key(folder)).await.unwrap();
    let named = item["failure"]["deadLetterId"].as_str();
    assert_eq!(named.is_some(), story.letters > 0, "{folder}: {item}");
    assert!(named.is_none_or(|named| ids.contains(&named)), "{folder}: {item} {ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_and_tried_again_ends_as_if_never_killed() {
    let stack = Stack::silent("kills").await;
    let environment = stack.environment().await;
    let (small, other) = (&photos::small()[..], &photos::small_stored_as(6)[..]);
    let rejected_over = "GET GetItem SendMessage UpdateItem HEAD DELETE GetItem HEAD";
    let removed = "GetItem HEAD UpdateItem HEAD DELETE GetItem HEAD";
    let made_elsewhere = "GET PUT UpdateItem HEAD HEAD DELETE GetItem HEAD HEAD";
    let rejected_elsewhere = "GET GetItem HEAD DELETE SendMessage UpdateItem HEAD HEAD";
    let removed_elsewhere = "GetItem HEAD HEAD DELETE UpdateItem HEAD HEAD";
    let four = "GET PUT PUT PUT PUT UpdateItem";
    let four_over_four = "GET PUT PUT PUT PUT UpdateItem HEAD HEAD HEAD HEAD";
    let one_over_four = "GET PUT UpdateItem HEAD HEAD HEAD HEAD DELETE DELETE DELETE \
        GetItem HEAD HEAD HEAD HEAD";
    let four_removed = "GetItem HEAD UpdateItem HEAD HEAD HEAD HEAD DELETE DELETE DELETE DELETE \
        GetItem HEAD HEAD HEAD HEAD";
    let stories = [
        story("good", vec![Some(small)], "GET PUT UpdateItem", 0),
        story("good-over-good", vec![Some(small), Some(other)], "GET PUT UpdateItem HEAD", 0),
        story("broken", vec![Some(BROKEN)], "GET GetItem SendMessage UpdateItem", 1),
        story("broken-over-good", vec![Some(small), Some(BROKEN)], rejected_over, 1),
        story("removed", vec![Some(small), None], removed, 0),
        story("good-renamed", vec![Some(small), Some(other)], made_elsewhere, 0),
        story("broken-renamed", vec![Some(small), Some(BROKEN)], rejected_elsewhere, 1),
        story("removed-renamed", vec![Some(small), None], removed_elsewhere, 0),
        of_four(story("four", vec![Some(small)], four, 0)),
        of_four(story("four-over-four", vec![Some(small), Some(other)], four_over_four, 0)),
        of_four(story("four-removed", vec![Some(small), None], four_removed, 0)),
        Story {
            former: Some(FOUR_RENDITIONS),
            ..story("one-over-four", vec![Some(small), Some(other)], one_over_four, 0)
        },
    ];
    let mut ends = Vec::new();
    for story in &stories {
        let folder = format!("{}/unharmed", story.name);
        let calls = story.live(&stack, &environment, &folder, None).await;
        assert_eq!(calls.join(" "), story.calls, "{folder}");
        let unharmed = state(&stack, &folder).await;
        let is_ready = unharmed.item["status"] == "READY";
        let renditions = if story.renditions.is_some() { 4 } else { 1 };
        let renditions = if is_ready { renditions } else { 0 };
        assert_eq!(unharmed.renditions.len(), renditions, "{folder}");
        ends.push((story, folder, None));
        for number in 0..calls.len() {
            for kill in [Kill::Before(number), Kill::After(number)] {
                let folder = format!("{}/{kill:?}", story.name);
                let made = story.live(&stack, &environment, &folder, Some(kill)).await;
                assert_eq!(made, calls[..=number], "{folder}");
                let killed = state(&stack, &folder).await;
                assert_eq!(killed.item, unharmed.item, "{folder}");
                assert!(killed.renditions.keys().eq(unharmed.renditions.keys()), "{folder}");
                assert!(killed == unharmed, "{folder}: another rendition");
                ends.push((story, folder, Some(kill)));
            }
        }
    }
    let letters = stack.all_letters().await;
    for (story, folder, kill) in ends {
        expect_letters(&stack, story, &folder, kill, &letters).await;
    }
}
