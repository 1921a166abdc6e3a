//! The deployed stack: its settings, and the test's calls to it.

use std::collections::HashMap;
use std::time::Duration;

use aws_calls::answers::reason;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::QueueAttributeName;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use thumbnailer::aws::s3_config;
use thumbnailer::config::Config;
use tokio::time::{sleep, timeout};
use ureq::http::Request;

use crate::caller::Caller;
use crate::photos::Photo;

/// Tries of each call by the SDK.
const TRIES: u32 = 5;
/// Most items that DynamoDB returns at once (API Reference, BatchGetItem).
const MOST_ITEMS: usize = 100;
/// Pause before the test asks again for items that DynamoDB left out because it was throttled.
const UNPROCESSED_PAUSE: Duration = Duration::from_millis(200);
/// Most files in one request to the upload-url function.
const MOST_URLS: usize = 100;

/// An item as DynamoDB returns it.
pub type Item = HashMap<String, AttributeValue>;

/// A deployed stack, and clients for it.
pub struct Stack {
    pub name: String,
    pub function: Function,
    /// The function's settings, read as the function reads them.
    pub config: Config,
    /// URL of the upload-url function.
    upload_function_url: String,
    aws: SdkConfig,
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    caller: Caller,
    /// Longest duration of a call.
    patience: Duration,
}

/// The thumbnail function, as Lambda describes it.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub architecture: String,
    /// Memory in MB of 1024 KB.
    pub memory_mb: u64,
    pub timeout_seconds: u64,
    log_group: String,
}

/// A place to upload a photo to.
pub enum Slot {
    /// A key that the test has chosen.
    Key(String),
    /// An upload of the upload-url function's answer.
    Url { key: String, url: String, headers: Vec<(String, String)> },
}

impl Slot {
    pub fn key(&self) -> &str {
        match self {
            Slot::Key(key) | Slot::Url { key, .. } => key,
        }
    }
}

impl Stack {
    /// Looks up the stack of this name, with the region, credentials and endpoint of the standard AWS
    /// variables and files. No call to it may take longer than `patience`.
    pub async fn find(name: &str, patience: Duration) -> Result<Stack, String> {
        let aws = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
            .timeout_config(TimeoutConfig::builder().operation_timeout(patience).build())
            .load()
            .await;
        let caller = Caller::new(aws.clone(), patience);
        let thumbnail = format!("{name}-thumbnail");
        let configuration = ask_lambda(&caller, "2015-03-31", &thumbnail, "configuration").await?;
        let upload_url = format!("{name}-upload-url");
        let url = ask_lambda(&caller, "2021-10-31", &upload_url, "url").await?;
        let function = Function::read(&thumbnail, &configuration)?;
        let variables = &configuration["Environment"]["Variables"];
        let variable = |name: &str| variables[name].as_str().map(str::to_owned);
        let config = Config::read(variable).map_err(|error| format!("{thumbnail}: {error}"))?;
        let upload_function_url = url["FunctionUrl"].as_str();
        Ok(Stack {
            name: name.to_owned(),
            function,
            config,
            upload_function_url: upload_function_url.unwrap_or_default().to_owned(),
            s3: aws_sdk_s3::Client::from_conf(s3_config(&aws).build()),
            dynamodb: aws_sdk_dynamodb::Client::new(&aws),
            sqs: aws_sdk_sqs::Client::new(&aws),
            caller,
            patience,
            aws,
        })
    }

    /// Endpoint of a local AWS; none for the real one.
    pub fn endpoint(&self) -> Option<&str> {
        self.aws.endpoint_url()
    }

    pub fn region(&self) -> &str {
        self.aws.region().map_or("", AsRef::as_ref)
    }

    /// Upload URLs of these photos in an album.
    pub async fn upload_urls(&self, album: &str, photos: &[&Photo]) -> Result<Vec<Slot>, String> {
        let mut slots = Vec::new();
        for photos in photos.chunks(MOST_URLS) {
            slots.extend(self.ask_for_urls(album, photos).await?);
        }
        Ok(slots)
    }

    async fn ask_for_urls(&self, album: &str, photos: &[&Photo]) -> Result<Vec<Slot>, String> {
        let files = photos.iter().map(|photo| {
            json!({
                "fileName": photo.name,
                "contentType": photo.content_type,
                "contentLength": photo.bytes.len(),
                "album": album,
            })
        });
        let body = json!({ "files": files.collect::<Vec<_>>() }).to_string();
        // A local AWS finds the function by its Host header alone.
        let url = self.endpoint().unwrap_or(&self.upload_function_url);
        let host = self.upload_function_url.trim_start_matches("https://").trim_end_matches('/');
        let request = Request::post(url).header("host", host);
        let request = request.header("content-type", "application/json").body(body.into_bytes());
        let (status, answer) = self.caller.ask("lambda", request).await?;
        let uploads = answer["uploads"].as_array().filter(|_| status == 201);
        let slots = uploads.map(|uploads| uploads.iter().filter_map(slot).collect::<Vec<_>>());
        match slots {
            Some(slots) if slots.len() == photos.len() => Ok(slots),
            _ => Err(format!("the upload-url function answered {status}: {answer}")),
        }
    }

    /// Uploads a photo, and returns its ETag without quotes.
    pub async fn upload(&self, slot: &Slot, photo: &Photo) -> Result<String, String> {
        let etag = match slot {
            Slot::Key(key) => {
                let put = self.s3.put_object().bucket(&self.config.originals_bucket).key(key);
                let put = put.content_type(&photo.content_type);
                let put = put.body(ByteStream::from(photo.bytes.clone()));
                put.send().await.map_err(reason)?.e_tag
            }
            Slot::Url { url, headers, .. } => {
                let mut request = Request::put(url);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let answer = self.caller.send(request.body(photo.bytes.clone())).await?;
                let status = answer.status().as_u16();
                if status != 200 {
                    let refusal = self.caller.text(answer).await?;
                    return Err(format!("S3 answered {status}: {refusal}"));
                }
                answer.headers().get("etag").map(str::to_owned)
            }
        };
        let etag = etag.ok_or("S3 gave the photo no ETag")?;
        Ok(etag.trim_matches('"').to_owned())
    }

    /// The items that exist for these keys, with all attributes.
    pub async fn items(&self, keys: &[String]) -> Result<Vec<Item>, String> {
        self.read_items(keys, None).await
    }

    /// Those of these keys whose photos are done: READY or FAILED.
    pub async fn done(&self, keys: &[String]) -> Result<Vec<String>, String> {
        let items = self.read_items(keys, Some("photoKey, #status")).await?;
        let is_done = |item: &Item| match item.get("status") {
            Some(AttributeValue::S(status)) => status == "READY" || status == "FAILED",
            _ => false,
        };
        let done = items.into_iter().filter(is_done);
        Ok(done.filter_map(|mut item| item.remove("photoKey")?.as_s().ok().cloned()).collect())
    }

    async fn read_items(
        &self,
        keys: &[String],
        projection: Option<&str>,
    ) -> Result<Vec<Item>, String> {
        let mut items = Vec::new();
        for keys in keys.chunks(MOST_ITEMS) {
            let read = timeout(self.patience, self.read_some_items(keys, projection)).await;
            let read =
                read.unwrap_or_else(|_| Err(format!("no answer within {:?}", self.patience)));
            let table = &self.config.photos_table;
            items.extend(read.map_err(|error| format!("cannot read {table}: {error}"))?);
        }
        Ok(items)
    }

    async fn read_some_items(
        &self,
        keys: &[String],
        projection: Option<&str>,
    ) -> Result<Vec<Item>, String> {
        let table = &self.config.photos_table;
        let key =
            |key: &String| HashMap::from([("photoKey".to_owned(), AttributeValue::S(key.clone()))]);
        let mut wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.iter().map(key).collect()))
            .consistent_read(true)
            .set_projection_expression(projection.map(str::to_owned));
        if projection.is_some() {
            wanted = wanted.expression_attribute_names("#status", "status");
        }
        let wanted = wanted.build().map_err(reason)?;
        let mut items = Vec::new();
        let mut missing = HashMap::from([(table.clone(), wanted)]);
        loop {
            let get = self.dynamodb.batch_get_item().set_request_items(Some(missing));
            let answer = get.send().await.map_err(reason)?;
            let read = answer.responses.and_then(|mut tables| tables.remove(table));
            items.extend(read.unwrap_or_default());
            missing = answer.unprocessed_keys.unwrap_or_default();
            if missing.is_empty() {
                return Ok(items);
            }
            sleep(UNPROCESSED_PAUSE).await;
        }
    }

    /// The bytes of an object.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Vec<u8>, String> {
        let cannot = |error: String| format!("cannot read s3://{bucket}/{key}: {error}");
        let get = self.s3.get_object().bucket(bucket).key(key).send().await;
        let body = get.map_err(|error| cannot(reason(error)))?.body.collect().await;
        Ok(body.map_err(|error| cannot(reason(error)))?.to_vec())
    }

    /// Approximate number of messages in the dead-letter queue, including those being tried again.
    pub async fn dead_letters(&self) -> Result<u64, String> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let url = &self.config.dead_letter_queue_url;
        let get = self.sqs.get_queue_attributes().queue_url(url);
        let answer = get.set_attribute_names(Some(counts.to_vec())).send().await;
        let answer = answer.map_err(|error| format!("cannot read {url}: {}", reason(error)))?;
        let attributes = answer.attributes.unwrap_or_default();
        let count = |name| attributes.get(name).and_then(|text| text.parse::<u64>().ok());
        counts
            .iter()
            .map(|name| count(name).ok_or(format!("the attributes of {url} lack {name}")))
            .sum()
    }

    /// All log messages of the function and of Lambda since a time.
    pub async fn log(&self, since: DateTime<Utc>) -> Result<Vec<String>, String> {
        let group = &self.function.log_group;
        let mut messages = Vec::new();
        let mut token = Value::Null;
        loop {
            let mut wanted =
                json!({ "logGroupName": group, "startTime": since.timestamp_millis() });
            if token.is_string() {
                wanted["nextToken"] = token;
            }
            let mut page = self.log_page(wanted).await?;
            let events = page["events"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let texts = events.iter().filter_map(|event| event["message"].as_str());
            messages.extend(texts.map(str::to_owned));
            token = page["nextToken"].take();
            if !token.is_string() {
                return Ok(messages);
            }
        }
    }

    async fn log_page(&self, wanted: Value) -> Result<Value, String> {
        let request = Request::post(self.caller.url("logs"))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", "Logs_20140328.FilterLogEvents")
            .body(wanted.to_string().into_bytes());
        match self.caller.ask("logs", request).await? {
            (200, page) => Ok(page),
            (status, refusal) => {
                Err(format!("CloudWatch Logs answered FilterLogEvents with {status}: {refusal}"))
            }
        }
    }
}

impl Function {
    fn read(name: &str, configuration: &Value) -> Result<Function, String> {
        let number = |member: &str| {
            let number = configuration[member].as_u64();
            number.ok_or_else(|| format!("Lambda's configuration of {name} lacks {member}"))
        };
        let text = |value: &Value, default: &str| value.as_str().unwrap_or(default).to_owned();
        let log_group = &configuration["LoggingConfig"]["LogGroup"];
        Ok(Function {
            name: name.to_owned(),
            architecture: text(&configuration["Architectures"][0], "x86_64"),
            memory_mb: number("MemorySize")?,
            timeout_seconds: number("Timeout")?,
            log_group: text(log_group, &format!("/aws/lambda/{name}")),
        })
    }
}

/// Asks Lambda about a function, by a version of its API.
async fn ask_lambda(
    caller: &Caller,
    version: &str,
    function: &str,
    what: &str,
) -> Result<Value, String> {
    let url = format!("{}/{version}/functions/{function}/{what}", caller.url("lambda"));
    match caller.ask("lambda", Request::get(&url).body(vec![])).await? {
        (200, answer) => Ok(answer),
        (404, _) => {
            Err(format!("no function {function} at {url}: deploy the stack, or name it by --stack"))
        }
        (status, refusal) => Err(format!("Lambda answered {url} with {status}: {refusal}")),
    }
}

/// An upload of the upload-url function's answer, without the length: HTTP clients set it themselves.
fn slot(upload: &Value) -> Option<Slot> {
    let headers = upload["headers"].as_object()?.iter();
    let headers = headers.filter(|(name, _)| name.as_str() != "content-length");
    let headers = headers.map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Some(Slot::Url {
        key: upload["photoKey"].as_str()?.to_owned(),
        url: upload["url"].as_str()?.to_owned(),
        headers: headers.collect::<Option<_>>()?,
    })
}
