//! One deployment of template.yaml in the local AWS, and what a test does with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::types::{EventBridgeConfiguration, NotificationConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use chrono::Utc;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use serde_json::{Map, Value, json};
use thumbnailer::aws::s3_config;
use ureq::http::{Request, Response};

use crate::caller::Caller;
use crate::lambda::Lambda;
use crate::photos;

/// How long anything here may take: cold starts of many functions on two busy cores included.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The fingerprint of the default settings, which marks each thumbnail: it changes with what a thumbnail
/// looks like, and then all photos are to be rendered again.
pub const SETTINGS: &str = "d925af5c";

/// Four renditions of each photo.
pub const FOUR_RENDITIONS: &str = "thumbnail: scale=0.25 quality=0.9; grid: fit=400; \
    screen: fit=1600 format=webp; square: cover=200x200";

/// A rendition as S3 has it.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub bytes: Vec<u8>,
    /// The ETag of the original of which it says it was made.
    pub original_etag: Option<String>,
}

/// A deployed stack and clients for it.
pub struct Stack {
    pub name: String,
    pub s3: aws_sdk_s3::Client,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub originals: String,
    pub thumbnails: String,
    pub table: String,
    pub queue_url: String,
    /// The policy for those who ask for upload URLs.
    pub callers_policy: String,
    pub upload_function: String,
    /// Where they ask.
    function_url: String,
    function: String,
    endpoint: String,
    outputs: Value,
}

/// A message of the dead-letter queue.
#[derive(Debug)]
pub struct Letter {
    pub id: String,
    pub body: Value,
    pub error_type: Option<String>,
    pub photo_key: Option<String>,
}

/// What an invocation answered.
#[derive(Debug)]
pub struct Answer {
    /// Of the header X-Amz-Function-Error.
    pub function_error: Option<String>,
    pub payload: Value,
}

impl Stack {
    /// Deploys the template under a name of the test's.
    pub async fn deploy(name: &str) -> Stack {
        Stack::deploy_with(name, &[]).await
    }

    /// Deploys the template with more options of `python -m photos_dev.local_aws deploy`.
    pub async fn deploy_with(name: &str, options: &[&str]) -> Stack {
        expect_functions();
        Stack::deploy_anywhere(name, options).await
    }

    /// Deploys the template, and turns off the bucket's own events: the test sends its own.
    pub async fn silent(name: &str) -> Stack {
        Stack::silent_with(name, &[]).await
    }

    /// The same, with more options.
    pub async fn silent_with(name: &str, options: &[&str]) -> Stack {
        let stack = Stack::deploy_anywhere(name, options).await;
        stack.silence_bucket().await;
        stack
    }

    async fn deploy_anywhere(name: &str, options: &[&str]) -> Stack {
        let endpoint = std::env::var("AWS_ENDPOINT_URL")
            .expect("these tests need the local AWS: run them with `make test`");
        let outputs = deploy(name, options);
        let output = |key: &str| match outputs[key].as_str() {
            Some(output) => output.to_owned(),
            // The second AWS lacks some.
            None if is_second_aws() => String::new(),
            None => panic!("{key} is {}", outputs[key]),
        };
        let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Stack {
            name: name.to_owned(),
            s3: s3(&aws),
            dynamodb: aws_sdk_dynamodb::Client::new(&aws),
            sqs: aws_sdk_sqs::Client::new(&aws),
            originals: output("OriginalsBucketName"),
            thumbnails: output("ThumbnailsBucketName"),
            table: output("PhotosTableName"),
            queue_url: output("DeadLetterQueueUrl"),
            callers_policy: output("UploadUrlCallersPolicyArn"),
            upload_function: output("UploadUrlFunctionName"),
            function_url: output("UploadUrlFunctionUrl"),
            function: output("ThumbnailFunctionName"),
            endpoint,
            outputs,
        }
    }

    /// An output of the stack.
    pub fn output(&self, key: &str) -> &str {
        self.outputs[key].as_str().unwrap()
    }

    /// Uploads an original and gives its ETag.
    pub async fn upload(&self, key: &str, photo: &[u8]) -> String {
        let put = self.s3.put_object().bucket(&self.originals).key(key).body(photo.to_vec().into());
        put.send().await.unwrap().e_tag.unwrap().trim_matches('"').to_owned()
    }

    /// Uploads an original of a content type.
    pub async fn upload_as(&self, key: &str, photo: &[u8], content_type: &str) {
        let put = self.s3.put_object().bucket(&self.originals).key(key).body(photo.to_vec().into());
        put.content_type(content_type).send().await.unwrap();
    }

    /// Keeps so many bytes in a photo's item as an application would: in `app`, beside the key.
    pub async fn keep(&self, photo_key: &str, bytes: usize) {
        let text = AttributeValue::S("x".repeat(bytes));
        let app = AttributeValue::M(HashMap::from([("text".to_owned(), text)]));
        let key = AttributeValue::S(photo_key.to_owned());
        let update = self.dynamodb.update_item().table_name(&self.table).key("photoKey", key);
        let update =
            update.update_expression("SET app = :app").expression_attribute_values(":app", app);
        update.send().await.unwrap();
    }

    /// Removes an original.
    pub async fn remove(&self, key: &str) {
        self.s3.delete_object().bucket(&self.originals).key(key).send().await.unwrap();
    }

    /// Writes a thumbnail as an invocation would have that was about the original of this ETag.
    pub async fn put_thumbnail(&self, photo_key: &str, original_etag: &str) {
        let put = self.s3.put_object().bucket(&self.thumbnails);
        let put = put.key(format!("thumbnail/{photo_key}"));
        let put = put.metadata("original-etag", original_etag).metadata("settings", SETTINGS);
        put.body(photos::small().into()).send().await.unwrap();
    }

    /// Waits until the photo has no thumbnail.
    pub async fn no_thumbnail(&self, photo_key: &str) {
        let (key, started) = (format!("thumbnail/{photo_key}"), Instant::now());
        while self.thumbnail_keys().await.contains(&key) {
            assert!(started.elapsed() < PATIENCE, "{key} is still there");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The READY item of a photo, once it is of one of this width.
    pub async fn item_of(&self, photo_key: &str, width: u32) -> Value {
        let started = Instant::now();
        loop {
            let item = self.item(photo_key, "READY").await;
            if item["original"]["width"] == width {
                return item;
            }
            assert!(started.elapsed() < PATIENCE, "{item}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Turns off the bucket's own events, for tests that send theirs.
    pub async fn silence_bucket(&self) {
        let none = NotificationConfiguration::builder().build();
        let request = self.s3.put_bucket_notification_configuration().bucket(&self.originals);
        request.notification_configuration(none).send().await.unwrap();
    }

    /// The item of a photo as plain JSON, once it has one with this status.
    pub async fn item(&self, photo_key: &str, status: &str) -> Value {
        let started = Instant::now();
        let mut last = None;
        while started.elapsed() < PATIENCE {
            last = self.item_now(photo_key).await;
            match &last {
                Some(item) if item["status"] == status => return last.unwrap(),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        panic!("{photo_key} did not become {status}; its item: {last:?}");
    }

    /// The item of a photo as it is now.
    pub async fn item_now(&self, photo_key: &str) -> Option<Value> {
        let key = AttributeValue::S(photo_key.to_owned());
        let get = self.dynamodb.get_item().table_name(&self.table).key("photoKey", key);
        get.consistent_read(true)
            .send()
            .await
            .unwrap()
            .item
            .map(|item| plain(AttributeValue::M(item)))
    }

    /// How many items the table holds.
    pub async fn item_count(&self) -> usize {
        let scan = self.dynamodb.scan().table_name(&self.table).consistent_read(true);
        scan.send().await.unwrap().count as usize
    }

    /// The bytes of a photo's thumbnail.
    pub async fn thumbnail(&self, photo_key: &str) -> Vec<u8> {
        let key = format!("thumbnail/{photo_key}");
        let get = self.s3.get_object().bucket(&self.thumbnails).key(key);
        get.send().await.unwrap().body.collect().await.unwrap().to_vec()
    }

    /// The ETag of the original of which a photo's thumbnail says it was made, if there is one.
    pub async fn thumbnail_of(&self, photo_key: &str) -> Option<String> {
        let key = format!("thumbnail/{photo_key}");
        let head = self.s3.head_object().bucket(&self.thumbnails).key(key).send().await;
        head.ok()?.metadata()?.get("original-etag").cloned()
    }

    /// All renditions of a photo, by their keys.
    pub async fn renditions_of(&self, photo_key: &str) -> BTreeMap<String, File> {
        let mut renditions = BTreeMap::new();
        let below = format!("/{photo_key}");
        for key in self.thumbnail_keys().await {
            if key.strip_suffix(".webp").unwrap_or(&key).ends_with(&below) {
                let get = self.s3.get_object().bucket(&self.thumbnails).key(&key);
                let got = get.send().await.unwrap();
                let original_etag = got.metadata().and_then(|all| all.get("original-etag"));
                let original_etag = original_etag.cloned();
                let bytes = got.body.collect().await.unwrap().to_vec();
                renditions.insert(key, File { bytes, original_etag });
            }
        }
        renditions
    }

    /// Whether a photo is READY, and has the renditions that its item names, and no others.
    pub async fn expect_whole(&self, photo_key: &str, etag: &str) -> Value {
        let item = self.item_now(photo_key).await.unwrap();
        let found = (&item["status"], &item["original"]["etag"]);
        assert_eq!(found, (&"READY".into(), &etag.into()), "{photo_key}");
        let files = self.renditions_of(photo_key).await;
        let named = item["renditions"].as_object().unwrap().values();
        let named: BTreeSet<&str> = named.map(|made| made["key"].as_str().unwrap()).collect();
        let there: BTreeSet<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(there, named, "{photo_key}");
        for (key, file) in files {
            assert_eq!(file.original_etag.as_deref(), Some(etag), "{key}");
        }
        item
    }

    /// The keys of all thumbnails, in order.
    pub async fn thumbnail_keys(&self) -> Vec<String> {
        self.keys(&self.thumbnails).await
    }

    /// The keys of all originals, in order.
    pub async fn original_keys(&self) -> Vec<String> {
        self.keys(&self.originals).await
    }

    /// The bytes of an original.
    pub async fn original(&self, key: &str) -> Vec<u8> {
        let get = self.s3.get_object().bucket(&self.originals).key(key);
        get.send().await.unwrap().body.collect().await.unwrap().to_vec()
    }

    async fn keys(&self, bucket: &str) -> Vec<String> {
        let list = self.s3.list_objects_v2().bucket(bucket).send().await.unwrap();
        let mut keys: Vec<String> =
            list.contents().iter().map(|object| object.key().unwrap().to_owned()).collect();
        keys.sort();
        keys
    }

    /// Takes `expected` letters out of the dead-letter queue, in the order of their photos, and
    /// makes sure that no further one is there.
    pub async fn letters(&self, expected: usize) -> Vec<Letter> {
        let started = Instant::now();
        let mut letters = Vec::new();
        while letters.len() < expected {
            assert!(started.elapsed() < PATIENCE, "only these letters came: {letters:#?}");
            letters.extend(self.receive_letters().await);
        }
        letters.extend(self.receive_letters().await);
        assert_eq!(letters.len(), expected, "{letters:#?}");
        letters.sort_by(|a, b| a.photo_key.cmp(&b.photo_key));
        letters
    }

    /// Takes all letters out of the dead-letter queue.
    pub async fn all_letters(&self) -> Vec<Letter> {
        let mut letters = Vec::new();
        loop {
            match self.receive_letters().await {
                received if received.is_empty() => return letters,
                received => letters.extend(received),
            }
        }
    }

    /// How many letters the queue would give now.
    pub async fn waiting_letters(&self) -> usize {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.sqs.get_queue_attributes().queue_url(&self.queue_url);
        let output = request.attribute_names(name.clone()).send().await.unwrap();
        output.attributes().unwrap()[&name].parse().unwrap()
    }

    async fn receive_letters(&self) -> Vec<Letter> {
        let receive = self.sqs.receive_message().queue_url(&self.queue_url);
        let received = receive
            .max_number_of_messages(10)
            .wait_time_seconds(1)
            .message_attribute_names("All")
            .send()
            .await
            .unwrap();
        received
            .messages()
            .iter()
            .map(|message| {
                let attribute = |name: &str| {
                    let attribute = message.message_attributes()?.get(name)?;
                    attribute.string_value().map(str::to_owned)
                };
                Letter {
                    id: message.message_id().unwrap().to_owned(),
                    body: serde_json::from_str(message.body().unwrap()).unwrap(),
                    error_type: attribute("ErrorType"),
                    photo_key: attribute("PhotoKey"),
                }
            })
            .collect()
    }

    /// Invokes the function with an event and waits for its answer.
    pub async fn invoke(&self, event: &Value) -> Answer {
        if is_second_aws() {
            return self.invoke_here(event).await;
        }
        let response = self.post_event(event, "RequestResponse").await;
        let error = response.headers().get("x-amz-function-error");
        Answer {
            function_error: error.map(|error| error.to_str().unwrap().to_owned()),
            payload: serde_json::from_str(response.body()).unwrap(),
        }
    }

    /// Uploads originals, and invokes the function with the event of all of them.
    pub async fn process(&self, photos: &[(&str, Vec<u8>)]) {
        let mut records = Vec::new();
        for (key, photo) in photos {
            let etag = self.upload(key, photo).await;
            let mut record = self.record(key, &etag, 1);
            record["eventTime"] = Utc::now().to_rfc3339().into();
            records.push(record);
        }
        let answer = self.invoke(&json!({"Records": records})).await;
        assert_eq!(answer.function_error, None, "{answer:?}");
    }

    /// The same as [`Stack::invoke`], in a process of this machine's.
    async fn invoke_here(&self, event: &Value) -> Answer {
        let mut lambda = Lambda::start(&self.environment().await).await;
        lambda.invoke(event);
        let function_error = lambda.finish().await.err().map(|_| "Unhandled".to_owned());
        Answer { function_error, payload: lambda.answer.take() }
    }

    /// Invokes the function as S3 does: nobody waits, and Lambda tries it again where it fails.
    pub async fn invoke_later(&self, event: &Value) {
        assert_eq!(self.post_event(event, "Event").await.status(), 202);
    }

    async fn post_event(&self, event: &Value, invocation: &str) -> Response<String> {
        let request = self.invocation(&self.function, event, invocation);
        expect_functions();
        Caller::root().send("lambda", request).await
    }

    /// A request to invoke a function, not by its URL.
    pub fn invocation(&self, function: &str, event: &Value, kind: &str) -> Request<Vec<u8>> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.endpoint);
        let request = Request::post(url).header("x-amz-invocation-type", kind);
        request.body(event.to_string().into()).unwrap()
    }

    /// A request to the upload-url function, to its URL's host on this machine.
    pub fn to_function_url(&self, method: &str, body: impl Into<Vec<u8>>) -> Request<Vec<u8>> {
        expect_functions();
        let host = self.function_url.trim_start_matches("https://").trim_end_matches('/');
        let request = Request::builder().method(method).uri(format!("{}/", self.endpoint));
        let request = request.header("host", host).header("content-type", "application/json");
        request.body(body.into()).unwrap()
    }

    /// What the upload-url function answers to who may ask it.
    pub async fn ask_for_urls(&self, body: &str) -> Response<String> {
        if !is_second_aws() {
            return Caller::root().send("lambda", self.to_function_url("POST", body)).await;
        }
        let mut environment = self.environment_of(&self.upload_function).await;
        // The URLs are of AWS itself.
        environment.insert("AWS_ENDPOINT_URL_S3".to_owned(), self.endpoint.clone());
        answer_for_urls(&environment, body).await
    }

    /// A user of the account's, with a policy or without any right.
    pub async fn new_user(&self, name: &str, policy: Option<&str>) -> Caller {
        let name = format!("{}-{name}", self.name);
        self.iam("CreateUser", &[("UserName", &name)]).await;
        if let Some(policy) = policy {
            self.iam("AttachUserPolicy", &[("UserName", &name), ("PolicyArn", policy)]).await;
        }
        let key = self.iam("CreateAccessKey", &[("UserName", &name)]).await;
        Caller::new(element(&key, "AccessKeyId"), element(&key, "SecretAccessKey"))
    }

    /// What a role may do with a resource: "allowed", or a kind of "Deny".
    pub async fn decision(&self, role: &str, action: &str, resource: &str) -> String {
        let parameters = [
            ("PolicySourceArn", role),
            ("ActionNames.member.1", action),
            ("ResourceArns.member.1", resource),
        ];
        let answer = self.iam("SimulatePrincipalPolicy", &parameters).await;
        element(&answer, "EvalDecision").to_owned()
    }

    /// The document of a managed policy.
    pub async fn policy(&self, arn: &str) -> Value {
        let parameters = [("PolicyArn", arn), ("VersionId", "v1")];
        let answer = self.iam("GetPolicyVersion", &parameters).await;
        let document = percent_decode_str(element(&answer, "Document")).decode_utf8().unwrap();
        serde_json::from_str(&document).unwrap()
    }

    async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let mut form = format!("Action={action}&Version=2010-05-08");
        for (name, value) in parameters {
            let value = percent_encode(value.as_bytes(), NON_ALPHANUMERIC);
            form.push_str(&format!("&{name}={value}"));
        }
        let request = Request::post(format!("{}/", self.endpoint))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.into())
            .unwrap();
        let response = Caller::root().send("iam", request).await;
        assert_eq!(response.status(), 200, "{}", response.body());
        response.into_body()
    }

    /// The environment that Lambda gives the function.
    pub async fn environment(&self) -> HashMap<String, String> {
        self.environment_of(&self.function).await
    }

    async fn environment_of(&self, function: &str) -> HashMap<String, String> {
        let configuration = self.configuration(function).await;
        let variables = configuration["Environment"]["Variables"].as_object().unwrap();
        let set = variables.iter().map(|(name, value)| (&name[..], value.as_str().unwrap()));
        let memory = configuration["MemorySize"].to_string();
        let lambdas = [
            ("AWS_LAMBDA_FUNCTION_NAME", function),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
            ("AWS_ENDPOINT_URL", &self.endpoint),
        ];
        let all = set.chain(lambdas).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let account = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"];
        all.chain(account.map(|name| (name.to_owned(), std::env::var(name).unwrap()))).collect()
    }

    /// What Lambda says of a function.
    pub async fn configuration(&self, function: &str) -> Value {
        let url = format!("{}/2015-03-31/functions/{function}/configuration", self.endpoint);
        let request = Request::get(url).body(vec![]).unwrap();
        let response = Caller::root().send("lambda", request).await;
        serde_json::from_str(response.body()).unwrap()
    }

    /// The function's log line about a photo that came to this end.
    pub async fn log_line(&self, photo_key: &str, outcome: &str) -> Value {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let lines = self.log_lines(&self.function).await;
            let is_it = |line: &Value| line["key"] == photo_key && line["outcome"] == outcome;
            if let Some(line) = lines.into_iter().find(is_it) {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the log says nothing of {photo_key}");
    }

    /// The lines that a function has logged so far.
    pub async fn log_lines(&self, function: &str) -> Vec<Value> {
        expect_functions();
        let request = json!({"logGroupName": format!("/aws/lambda/{function}")});
        let request = Request::post(&self.endpoint)
            .header("x-amz-target", "Logs_20140328.FilterLogEvents")
            .header("content-type", "application/x-amz-json-1.1")
            .body(request.to_string().into())
            .unwrap();
        let response = Caller::root().send("logs", request).await;
        let answer: Value = serde_json::from_str(response.body()).unwrap();
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        let messages = events.iter().filter_map(|event| event["message"].as_str());
        messages.filter_map(|message| serde_json::from_str(message).ok()).collect()
    }

    /// A sample of events/ about this stack's bucket.
    pub fn sample(&self, name: &str) -> Value {
        let path = root().join("events").join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).unwrap();
        serde_json::from_str(&text.replace("photos-originals-000000000000", &self.originals))
            .unwrap()
    }

    /// A record about an object of this stack's bucket, as S3 would send it.
    pub fn record(&self, key: &str, etag: &str, sequencer: u32) -> Value {
        let mut record = self.sample("put")["Records"][0].take();
        let encoded: String = key
            .bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' => {
                    char::from(byte).into()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect();
        record["s3"]["object"] =
            json!({"key": encoded, "eTag": etag, "sequencer": format!("{sequencer:016X}")});
        record
    }
}

/// A bucket that is there before any stack, and tells EventBridge of its objects.
pub async fn create_bucket(name: &str) {
    let s3 = s3(&aws_config::load_defaults(BehaviorVersion::latest()).await);
    s3.create_bucket().bucket(name).send().await.unwrap();
    let events = EventBridgeConfiguration::builder().build();
    let events = NotificationConfiguration::builder().event_bridge_configuration(events).build();
    let request = s3.put_bucket_notification_configuration().bucket(name);
    request.notification_configuration(events).send().await.unwrap();
}

fn s3(aws: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(s3_config(aws).build())
}

/// Whether the tests run against the second emulator, which runs no functions: `make second-opinion`.
fn is_second_aws() -> bool {
    std::env::var_os("SECOND_AWS").is_some()
}

/// What a process of the upload-url function answers.
pub async fn answer_for_urls(
    environment: &HashMap<String, String>,
    body: &str,
) -> Response<String> {
    let mut lambda = Lambda::start_function("upload-url", environment).await;
    let context = json!({"timeEpoch": 0, "http": {"method": "POST"}});
    lambda.invoke(&json!({"requestContext": context, "body": body, "isBase64Encoded": false}));
    lambda.finish().await.unwrap();
    let answer = &lambda.answer;
    let mut response = Response::builder().status(answer["statusCode"].as_u64().unwrap() as u16);
    for (name, value) in answer["headers"].as_object().unwrap() {
        response = response.header(name, value.as_str().unwrap());
    }
    response.body(answer["body"].as_str().unwrap().to_owned()).unwrap()
}

/// Ends a test that needs functions which AWS runs, where there are none. second_aws/verdict.py knows it by this.
fn expect_functions() {
    assert!(!is_second_aws(), "this AWS runs no functions");
}

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn deploy(name: &str, options: &[&str]) -> Value {
    let mut command = Command::new(root().join(".venv/bin/python"));
    let aws = if is_second_aws() { "photos_dev.second_aws" } else { "photos_dev.local_aws" };
    command.args(["-m", aws, "deploy", "--stack", name]).args(options);
    let output = command.output().expect("`make setup` installs .venv");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What stands in the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap();
    rest.split_once('<').unwrap().0
}

/// An attribute as plain JSON: texts as texts, numbers as numbers.
fn plain(value: AttributeValue) -> Value {
    if let AttributeValue::M(map) = value {
        let entries = map.into_iter().map(|(name, value)| (name, plain(value)));
        return Value::Object(entries.collect::<Map<String, Value>>());
    }
    if let Ok(texts) = value.as_ss() {
        return texts.iter().map(String::as_str).collect();
    }
    if let Ok(number) = value.as_n() {
        return serde_json::from_str(number).unwrap();
    }
    let text = value.as_s().map(|text| text.as_str().into());
    text.unwrap_or_else(|value| value.as_bool().copied().unwrap().into())
}
