//! The part of a platform's server that shows users their photos, with a page that uses it: `make demo`
//! runs it against the local AWS.
//!
//! | request | what the server does |
//! |---|---|
//! | `GET /` | the page, [`assets`] |
//! | `POST /uploads` | calls the upload-url function with its own signature, and passes on the answer |
//! | `GET /photos?album=NAME` | Query: the photos of an album, in the order in which they were taken |
//! | `GET /photo?key=KEY` | GetItem: one photo, with the rest of its EXIF |
//! | `GET /places?album=NAME` | Query: the places of an album as GeoJSON, [`places`] |
//! | `GET /events`, `POST /notices` | tells browsers of photos that are ready: [`notices`] |
//!
//! Each rendition of a `READY` photo has a `url`, valid for [`URL_LIFETIME`]. Photos and renditions do not pass
//! through the server: the page uploads to S3 and downloads from there.
//!
//! The server also runs against a stack in AWS, with the region, credentials and endpoint of the standard
//! AWS variables and files. It needs the stack's policy for callers of the upload-url function,
//! `dynamodb:GetItem` on the table, `dynamodb:Query` on its index and `s3:GetObject` on the thumbnails. The
//! stack's parameter `UploadOrigins` must allow the page to upload, as it does by default.
//!
//! The server knows no users. So it listens on this machine only, and answers only requests whose Host is a
//! name of this machine. Otherwise a page of another host name that resolves to this machine (DNS rebinding)
//! could read albums and places through its visitor's browser.

mod assets;
mod notices;
mod places;

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws_calls::answers::{plain, reason};
use aws_calls::signature::sign;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use thumbnailer::aws::s3_config;
use tiny_http::{Header, Method, Request, Response};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use ureq::http;

use crate::notices::Notices;

const JSON: &str = "application/json";
/// Most bytes of a request that the function reads.
const MAX_BODY_BYTES: u64 = 1 << 21;
/// Long enough for a page to load its pictures, too short for a URL to be of use elsewhere.
const URL_LIFETIME: Duration = Duration::from_secs(300);

const HELP: &str = "\
Serves a page that uploads photos and shows their thumbnails.

usage: demo-server --function-url URL --table NAME [--prefix PREFIX] [--port PORT]

  --function-url URL  URL of the upload-url function: output UploadUrlFunctionUrl of the stack
  --table NAME        table of the photos' items: output PhotosTableName of the stack
  --prefix PREFIX     parameter OriginalsPrefix of the stack (default: empty)
  --port PORT         port of 127.0.0.1 to listen on (default: 8080); 0 for any free one

Region, credentials and endpoint come from the standard AWS variables and files. NOTICES_SECRET is the secret of the
worker that sends notices of photos; without it, the server takes none.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let options = match Options::read(&arguments) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("error: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    function_url: String,
    table: String,
    prefix: String,
    port: u16,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Options, String> {
        let mut given = HashMap::new();
        for pair in arguments.chunks(2) {
            match pair {
                [name, value] => given.insert(name.as_str(), value.clone()),
                _ => return Err(format!("{} has no value", pair[0])),
            };
        }
        let options = Options {
            function_url: given.remove("--function-url").ok_or("--function-url is missing")?,
            table: given.remove("--table").ok_or("--table is missing")?,
            prefix: given.remove("--prefix").unwrap_or_default(),
            port: match given.remove("--port") {
                Some(port) => port
                    .parse()
                    .map_err(|_| format!("--port {port} is not a number from 0 to 65535"))?,
                None => 8080,
            },
        };
        match given.into_keys().next() {
            Some(unknown) => Err(format!("there is no option {unknown}")),
            None => Ok(options),
        }
    }
}

async fn serve(options: Options) -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = notices::listen(options.port)?;
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let port = server.server_addr().to_ip().map_or(options.port, |address| address.port());
    let platform = Arc::new(Platform::new(Options { port, ..options }, aws));
    println!("http://{}/ (Ctrl-C ends it)", server.server_addr());
    for mut request in server.incoming_requests() {
        let platform = Arc::clone(&platform);
        // tiny_http blocks while it reads and writes.
        tokio::task::spawn_blocking(move || {
            // This answer has no end.
            if let Some(album) = platform.album_to_follow(&request) {
                return platform.notices.follow(request, album);
            }
            let response = Handle::current().block_on(platform.answer(&mut request));
            // The client may have gone.
            let _ = send(request, response);
        });
    }
    Ok(())
}

type Answer = Response<io::Cursor<Vec<u8>>>;

/// Answers, and lets the browser close the connection, which tiny_http's own answers do not. It gives each connection a
/// thread until it is closed, and may let a new one wait for the thread of another (`TaskPool::spawn` counts a thread that
/// was woken as one that waits). A page that loads many files at once would not get all of them.
fn send(request: Request, answer: Answer) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} \r\nConnection: close\r\n", answer.status_code().0);
    head += &format!("Content-Length: {}\r\n", answer.data_length().unwrap_or(0));
    answer.headers().iter().for_each(|header| head += &format!("{header}\r\n"));
    let mut writer = request.into_writer();
    io::copy(&mut head.as_bytes().chain(&b"\r\n"[..]).chain(answer.into_reader()), &mut writer)?;
    writer.flush()
}

/// The part of a platform's server that deals with photos.
struct Platform {
    options: Options,
    aws: SdkConfig,
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    http: Connector,
    notices: Notices,
    s3_hosts: OnceCell<String>,
}

impl Platform {
    fn new(options: Options, aws: SdkConfig) -> Platform {
        Platform {
            options,
            dynamodb: aws_sdk_dynamodb::Client::new(&aws),
            s3: aws_sdk_s3::Client::from_conf(s3_config(&aws).build()),
            http: Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build(),
            notices: Notices::new(std::env::var("NOTICES_SECRET").ok()),
            s3_hosts: OnceCell::new(),
            aws,
        }
    }

    /// The album of a request for notices.
    fn album_to_follow(&self, request: &Request) -> Option<String> {
        let query = request.url().strip_prefix("/events?")?;
        let is_ours = is_for_this_server(request, self.options.port);
        let is_asked = is_ours && *request.method() == Method::Get;
        is_asked.then(|| format!("{}{}", self.options.prefix, parameter(query, "album")))
    }

    async fn answer(&self, request: &mut Request) -> Answer {
        let port = self.options.port;
        if !is_for_this_server(request, port) {
            let detail = format!("open http://127.0.0.1:{port}/: the server has no other name");
            return problem(421, "Misdirected Request", &detail);
        }
        let url = request.url().to_owned();
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        let answer = match (request.method(), path) {
            (Method::Post, "/uploads") => self.upload_urls(request).await,
            (Method::Get, "/photos") => self.photos(&parameter(query, "album")).await,
            (Method::Post, "/notices") => Ok(self.notices.take(request)),
            (Method::Get, "/photo") => self.photo(&parameter(query, "key")).await,
            (Method::Get, "/places") => self.places(&parameter(query, "album")).await,
            (method, path) => match assets::find(path).filter(|_| *method == Method::Get) {
                Some((media_type, text)) => self.file(media_type, text).await,
                None => Ok(problem(404, "Not Found", "there is no such page")),
            },
        };
        answer.unwrap_or_else(|error| {
            eprintln!("{} {path}: {error}", request.method());
            problem(502, "Bad Gateway", &error)
        })
    }

    async fn file(&self, media_type: &str, text: &str) -> Result<Answer, String> {
        let hosts = self.s3_hosts.get_or_try_init(|| self.find_s3_hosts()).await?;
        let policy = assets::content_security_policy(hosts);
        let header = Header::from_bytes("Content-Security-Policy", policy);
        let header = header.map_err(|()| "the policy of the page is no header")?;
        Ok(response(200, media_type, text.as_bytes()).with_header(header))
    }

    /// Where presigned URLs of any bucket lead: the SDK knows the hosts of the region, or the local AWS.
    async fn find_s3_hosts(&self) -> Result<String, String> {
        let lifetime = PresigningConfig::expires_in(URL_LIFETIME).map_err(reason)?;
        let get = self
            .s3
            .get_object()
            .bucket("bucket")
            .key("key")
            .presigned(lifetime)
            .await
            .map_err(reason)?;
        let url: http::Uri = get.uri().parse().map_err(reason)?;
        let (scheme, host) =
            (url.scheme_str().unwrap_or("https"), url.authority().map_or("", |host| host.as_str()));
        Ok(match host.strip_prefix("bucket.") {
            // A bucket whose name has dots stands in the path.
            Some(region) => format!("{scheme}://*.{region} {scheme}://{region}"),
            None => format!("{scheme}://{host}"),
        })
    }

    /// Passes on the function's answer, refusals included: they are written for the user who chose the files.
    async fn upload_urls(&self, request: &mut Request) -> Result<Answer, String> {
        let mut body = Vec::new();
        let read = request.as_reader().take(MAX_BODY_BYTES + 1).read_to_end(&mut body);
        read.map_err(|error| format!("cannot read the request: {error}"))?;
        let answer = self.http.call(self.signed(body).await?).await.map_err(reason)?;
        let status = answer.status().as_u16();
        let content_type = answer.headers().get("content-type").unwrap_or(JSON).to_owned();
        let body = ByteStream::new(answer.into_body()).collect().await.map_err(reason)?;
        Ok(response(status, &content_type, &body.into_bytes()))
    }

    /// A signed request to the function's URL, which refuses others.
    async fn signed(&self, body: Vec<u8>) -> Result<HttpRequest, String> {
        let function_url = &self.options.function_url;
        // A local AWS finds the function by its Host header alone.
        let url = self.aws.endpoint_url().unwrap_or(function_url);
        let host = function_url.trim_start_matches("https://").trim_end_matches('/');
        let request = http::Request::post(url).header("host", host).header("content-type", JSON);
        let mut request = request.body(body).map_err(reason)?;
        let signed = sign(&mut request, "lambda", &self.aws).await;
        signed.map_err(|error| reason(error.as_ref()))?;
        HttpRequest::try_from(request.map(Into::into)).map_err(reason)
    }

    /// The photos of an album, including failed ones, in the order in which they were taken.
    async fn photos(&self, album: &str) -> Result<Answer, String> {
        let photos = self.found(self.in_album(album)).await?;
        Ok(response(200, JSON, json!({ "photos": photos }).to_string().as_bytes()))
    }

    async fn photo(&self, key: &str) -> Result<Answer, String> {
        // Consistent: a notice may have told of the photo just now.
        let get = self.dynamodb.get_item().table_name(&self.options.table).consistent_read(true);
        let get = get.key("photoKey", AttributeValue::S(key.to_owned()));
        match get.send().await.map_err(reason)?.item {
            Some(item) => {
                let photo = self.with_urls(item).await?;
                Ok(response(200, JSON, photo.to_string().as_bytes()))
            }
            None => Ok(problem(404, "Not Found", "this photo has no item yet")),
        }
    }

    /// The places of an album's photos, in the order in which they were taken.
    async fn places(&self, album: &str) -> Result<Answer, String> {
        let query = self.in_album(album).projection_expression(places::ATTRIBUTES);
        let query = query.expression_attribute_names("#location", "location");
        let photos = self.found(query.filter_expression("attribute_exists(#location)")).await?;
        Ok(response(200, places::MEDIA_TYPE, places::collection(&photos).to_string().as_bytes()))
    }

    fn in_album(&self, album: &str) -> QueryFluentBuilder {
        let album = format!("{}{album}", self.options.prefix);
        let query =
            self.dynamodb.query().table_name(&self.options.table).index_name("album-timeline");
        let query = query.key_condition_expression("album = :album");
        query.expression_attribute_values(":album", AttributeValue::S(album))
    }

    async fn found(&self, query: QueryFluentBuilder) -> Result<Vec<Value>, String> {
        let items = query.into_paginator().items().send().try_collect().await.map_err(reason)?;
        let mut photos = Vec::new();
        for item in items {
            photos.push(self.with_urls(item).await?);
        }
        Ok(photos)
    }

    async fn with_urls(&self, item: HashMap<String, AttributeValue>) -> Result<Value, String> {
        let mut photo = plain(AttributeValue::M(item));
        let renditions = photo.get_mut("renditions").and_then(Value::as_object_mut);
        for rendition in renditions.into_iter().flat_map(|renditions| renditions.values_mut()) {
            // A copy that cannot be made has neither.
            let place = (rendition["bucket"].as_str(), rendition["key"].as_str());
            let (Some(bucket), Some(key)) = place else { continue };
            let lifetime = PresigningConfig::expires_in(URL_LIFETIME).map_err(reason)?;
            let get = self.s3.get_object().bucket(bucket).key(key);
            rendition["url"] = get.presigned(lifetime).await.map_err(reason)?.uri().into();
        }
        Ok(photo)
    }
}

/// Whether a request's one Host (RFC 9110 section 7.2) is a name of this machine, with this port.
fn is_for_this_server(request: &Request, port: u16) -> bool {
    let mut hosts = request.headers().iter().filter(|header| header.field.equiv("Host"));
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_own_host(host.value.as_str(), port),
        _ => false,
    }
}

fn is_own_host(host: &str, port: u16) -> bool {
    let host = host.to_ascii_lowercase();
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| match host.strip_prefix(name) {
        // A browser leaves out the default port of http.
        Some("") => port == 80,
        Some(rest) => rest.strip_prefix(':') == Some(port.to_string().as_str()),
        None => false,
    })
}

/// A parameter of a URL's query, empty if it is missing.
fn parameter(query: &str, name: &str) -> String {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    percent_decode_str(value.unwrap_or_default()).decode_utf8_lossy().into_owned()
}

/// A refusal in the format of RFC 9457, like those of the function.
fn problem(status: u16, title: &str, detail: &str) -> Answer {
    let problem = json!({ "status": status, "title": title, "detail": detail });
    response(status, "application/problem+json", problem.to_string().as_bytes())
}

fn response(status: u16, content_type: &str, body: &[u8]) -> Answer {
    let header = |name: &str, value: &str| Header::from_bytes(name, value).ok();
    let headers = [
        header("Content-Type", content_type),
        header("Cache-Control", "no-store"),
        header("X-Content-Type-Options", "nosniff"),
        header("Referrer-Policy", "no-referrer"),
    ];
    let response = Response::from_data(body).with_status_code(status);
    headers.into_iter().flatten().fold(response, Response::with_header)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::sync::Barrier;
    use std::thread;

    use aws_sdk_s3::config::{Credentials, Region, SharedCredentialsProvider};
    use tiny_http::TestRequest;

    use super::*;

    #[test]
    fn only_this_machines_names_with_the_servers_port_are_its_own() {
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LocalHost:8080"] {
            assert!(is_own_host(host, 8080), "{host}");
        }
        for host in [
            "",
            "localhost",
            "127.0.0.1",
            "localhost:80",
            "localhost:08080",
            "localhost:80800",
            "localhost:8080:8080",
            "localhost.:8080",
            "localhost.evil.example:8080",
            "127.0.0.1.evil.example:8080",
            "evil.example:8080",
            "127.0.0.2:8080",
            "0.0.0.0:8080",
            "::1:8080",
        ] {
            assert!(!is_own_host(host, 8080), "{host}");
        }
        assert!(is_own_host("localhost", 80) && is_own_host("localhost:80", 80));
    }

    async fn answer(hosts: &[&str], endpoint: Option<&str>) -> Answer {
        let options = Options {
            function_url: "http://function.example/".to_owned(),
            table: "photos".to_owned(),
            prefix: String::new(),
            port: 8080,
        };
        let mut aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "test", "test", None, None, "test",
            )));
        aws.set_endpoint_url(endpoint.map(str::to_owned));
        let request = hosts.iter().fold(TestRequest::new(), |request, host| {
            request.with_header(Header::from_bytes("Host", *host).unwrap())
        });
        Platform::new(options, aws.build()).answer(&mut request.into()).await
    }

    async fn status(hosts: &[&str]) -> u16 {
        answer(hosts, None).await.status_code().0
    }

    #[test]
    fn a_browser_that_opens_many_connections_at_once_is_answered_on_each() {
        let server = notices::listen(0).unwrap();
        let address = server.server_addr().to_ip().unwrap();
        thread::spawn(move || {
            for request in server.incoming_requests() {
                thread::spawn(|| send(request, response(200, "text/plain", b"whole")).unwrap());
            }
        });
        let all_are_answered = Barrier::new(40);
        thread::scope(|threads| {
            for _ in 0..40 {
                threads.spawn(|| {
                    let mut browser = TcpStream::connect(address).unwrap();
                    browser.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    browser.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
                    let mut answer = Vec::new();
                    while !answer.ends_with(b"whole") {
                        let mut byte = [0];
                        browser.read_exact(&mut byte).unwrap();
                        answer.extend(byte);
                    }
                    // As a browser does, it keeps the connection if it may.
                    let kept = (!answer.windows(19).any(|line| line == b"\r\nConnection: close"))
                        .then_some(browser);
                    all_are_answered.wait();
                    drop(kept);
                });
            }
        });
    }

    #[tokio::test]
    async fn a_request_under_another_name_is_refused() {
        assert_eq!(status(&["127.0.0.1:8080"]).await, 200);
        assert_eq!(status(&["evil.example:8080"]).await, 421);
        assert_eq!(status(&[]).await, 421);
        assert_eq!(status(&["127.0.0.1:8080", "evil.example:8080"]).await, 421);
    }

    #[tokio::test]
    async fn the_page_may_load_pictures_from_s3_alone() {
        for (endpoint, hosts) in [
            (None, "https://*.s3.eu-central-1.amazonaws.com https://s3.eu-central-1.amazonaws.com"),
            (Some("http://127.0.0.1:4566"), "http://127.0.0.1:4566"),
        ] {
            let page = answer(&["127.0.0.1:8080"], endpoint).await;
            let policy =
                page.headers().iter().find(|header| header.field.equiv("Content-Security-Policy"));
            let policy = policy.unwrap().value.as_str();
            assert!(policy.starts_with("default-src 'self'; "), "{policy}");
            assert!(policy.contains(&format!("img-src 'self' data: {hosts};")), "{policy}");
            assert!(policy.contains(&format!("connect-src 'self' {hosts};")), "{policy}");
        }
    }
}
