//! Notices of photos (the template's parameter Notices), as docs/notices.md promises them. In place of the filter and
//! the template of the pipe, which the local AWS ignores, a function does what AWS says of both (dev/photos_dev).

use std::collections::HashMap;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::QueueAttributeName;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use ureq::http::Request;

use crate::caller::Caller;
use crate::photos;
use crate::service::{Answer, read_request};
use crate::stack::{PATIENCE, Stack, root};

/// A key that is no JSON between quotation marks.
const KEY: &str = "trip/\"good\" \\ 봄.jpg";

async fn notices_on(name: &str) -> Stack {
    Stack::deploy_with(name, &["--parameter", "Notices=true"]).await
}

/// A queue that is subscribed to the stack's topic.
struct Queue<'a> {
    stack: &'a Stack,
    url: String,
}

impl Queue<'_> {
    async fn subscribe<'a>(stack: &'a Stack, name: &str, filter_policy: Option<&str>) -> Queue<'a> {
        let topic = stack.output("NoticesTopicArn");
        let name = format!("{}-{name}", stack.name);
        let created = stack.sqs.create_queue().queue_name(name).send().await.unwrap();
        let url = created.queue_url.unwrap();
        let arn = QueueAttributeName::QueueArn;
        let got = stack.sqs.get_queue_attributes().queue_url(&url).attribute_names(arn.clone());
        let arn = got.send().await.unwrap().attributes.unwrap()[&arn].clone();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }]});
        let set = stack.sqs.set_queue_attributes().queue_url(&url);
        set.attributes(QueueAttributeName::Policy, policy.to_string()).send().await.unwrap();

        let mut attributes = vec![("RawMessageDelivery", "true")];
        if let Some(policy) = filter_policy {
            attributes.extend([("FilterPolicyScope", "MessageBody"), ("FilterPolicy", policy)]);
        }
        let mut form = format!(
            "Action=Subscribe&Version=2010-03-31&Protocol=sqs&TopicArn={topic}&Endpoint={arn}"
        );
        for (number, (key, value)) in (1..).zip(attributes) {
            let value = percent_encode(value.as_bytes(), NON_ALPHANUMERIC);
            let entry = format!("&Attributes.entry.{number}");
            form.push_str(&format!("{entry}.key={key}{entry}.value={value}"));
        }
        let request = Request::post(std::env::var("AWS_ENDPOINT_URL").unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.into())
            .unwrap();
        let response = Caller::root().send("sns", request).await;
        assert_eq!(response.status(), 200, "{}", response.body());
        Queue { stack, url }
    }

    async fn receive(&self) -> Vec<Value> {
        let receive = self.stack.sqs.receive_message().queue_url(&self.url).wait_time_seconds(1);
        let messages = receive.max_number_of_messages(10).send().await.unwrap().messages;
        let bodies = messages.unwrap_or_default();
        bodies.iter().map(|one| serde_json::from_str(one.body().unwrap()).unwrap()).collect()
    }

    /// The notices of so many states, and those that come within two seconds after them.
    async fn notices(&self, expected: usize) -> Vec<Value> {
        let (started, mut found) = (Instant::now(), Vec::new());
        while found.len() < expected {
            assert!(started.elapsed() < PATIENCE, "only these came: {found:#?}");
            found.extend(self.receive().await);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        found.extend(self.receive().await);
        found
    }
}

fn text<'a>(notice: &'a Value, attribute: &str) -> &'a str {
    notice["item"][attribute]["S"].as_str().unwrap_or_default()
}

/// The notice of a photo that has a status, of which there is one.
fn about<'a>(notices: &'a [Value], photo_key: &str, status: &str) -> &'a Value {
    let is_it =
        |notice: &&Value| text(notice, "photoKey") == photo_key && notice["status"] == status;
    let found: Vec<&Value> = notices.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{status} of {photo_key}: {notices:#?}");
    found[0]
}

/// The filter policy that the page shows for one album.
fn policy_of_an_album() -> String {
    let page = std::fs::read_to_string(root().join("docs/notices.md")).unwrap();
    let (_, section) = page.split_once("\n## One album only\n").unwrap();
    let (_, block) = section.split_once("```json\n").unwrap();
    block.split_once("```").unwrap().0.replace("tokyo trip/", "trip/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_hears_of_each_photo_that_is_ready_or_failed_or_removed() {
    let stack = notices_on("notices").await;
    let all = Queue::subscribe(&stack, "all", None).await;
    let trip = Queue::subscribe(&stack, "trip", Some(&policy_of_an_album())).await;

    stack.upload(KEY, &photos::small()).await;
    stack.upload("other/bad.jpg", b"\"no photo\" at all").await;
    let item = stack.item(KEY, "READY").await;
    let failure = stack.item("other/bad.jpg", "FAILED").await;
    let told = all.notices(2).await;
    assert_eq!(told.len(), 2, "{told:#?}");
    let ready = about(&told, KEY, "READY");
    assert_eq!(ready["version"], "1");
    assert_eq!(text(ready, "album"), "trip");
    assert_eq!(text(ready, "processedAt"), item["processedAt"]);
    let thumbnail = &ready["item"]["renditions"]["M"]["thumbnail"]["M"];
    assert_eq!(thumbnail["key"]["S"], format!("thumbnail/{KEY}"));
    assert_eq!(ready["item"].get("failure"), None, "what the item lacks is absent");
    let failed = about(&told, "other/bad.jpg", "FAILED");
    let message = failed["item"]["failure"]["M"]["message"]["S"].as_str().unwrap();
    assert_eq!(message, failure["failure"]["message"]);
    assert!(message.contains('"'), "it quotes the file: {message}");

    // The application's own writes are told too, and known by their time.
    stack.keep(KEY, 10).await;
    let again = all.notices(1).await;
    assert_eq!(again.len(), 1, "{again:#?}");
    assert_eq!(text(&again[0], "processedAt"), item["processedAt"]);

    // A tombstone that stands for no photo is not told.
    stack.invoke(&json!({"Records": [stack.record("trip/gone.jpg", "abc", 1)]})).await;
    stack.item("trip/gone.jpg", "DELETED").await;
    stack.remove(KEY).await;
    stack.item(KEY, "DELETED").await;
    let removed = all.notices(1).await;
    assert_eq!(removed.len(), 1, "{removed:#?}");
    assert_eq!(about(&removed, KEY, "DELETED")["item"].get("album"), None);

    let of_trip = trip.notices(3).await;
    let statuses: Vec<&str> = of_trip.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["READY", "READY", "DELETED"], "{of_trip:#?}");
    assert!(of_trip.iter().all(|one| text(one, "photoKey") == KEY), "{of_trip:#?}");
    assert_eq!(stack.waiting_letters().await, 1, "the broken photo's, and none of a notice");
}

/// Starts a server that takes requests, and gives what each has said.
async fn server() -> (String, tokio::sync::mpsc::UnboundedReceiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notices", listener.local_addr().unwrap());
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let (head, body) = read_request(&mut connection).await.unwrap();
                sender.send((head, serde_json::from_slice(&body).unwrap())).unwrap();
                connection.write_all(&Answer::new("200 OK", &[], b"").bytes).await.unwrap();
            });
        }
    });
    (url, receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_worker_passes_notices_on_as_plain_json() {
    let stack = notices_on("notices-worker").await;
    let (url, mut received) = server().await;
    let mut deploy = Command::new(root().join(".venv/bin/python"));
    deploy.args([
        "-m",
        "photos_dev.stack.worker",
        "--stack",
        &stack.name,
        "--url",
        &url,
        "--secret",
        "s3cret",
    ]);
    let output = deploy.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    stack.upload(KEY, &photos::small()).await;
    let item = stack.item(KEY, "READY").await;
    stack.upload("bad.jpg", b"no photo at all").await;
    stack.item("bad.jpg", "FAILED").await;
    stack.remove(KEY).await;
    stack.item(KEY, "DELETED").await;
    let mut told = HashMap::new();
    for _ in 0..3 {
        let (head, notice) =
            tokio::time::timeout(PATIENCE, received.recv()).await.unwrap().unwrap();
        assert!(head.to_lowercase().contains("authorization: bearer s3cret"), "{head}");
        told.insert(notice["status"].as_str().unwrap().to_owned(), notice);
    }
    let expected = json!({
        "version": "1", "photoKey": KEY, "album": "trip", "status": "READY", "timelineAt": item["timelineAt"],
        "sequencer": item["sequencer"], "processedAt": item["processedAt"], "rendition": item["renditions"]["thumbnail"],
    });
    assert_eq!(told["READY"], expected);
    assert_eq!(told["FAILED"]["failure"]["type"], "NotAPhoto");
    assert_eq!(told["FAILED"]["album"], "/");
    let of_tombstone: Vec<&String> = told["DELETED"].as_object().unwrap().keys().collect();
    assert_eq!(of_tombstone.len(), 5, "{of_tombstone:?}");
    assert_eq!(told["DELETED"]["photoKey"], KEY);
}
