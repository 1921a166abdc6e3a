//! One process of the built function, and all that it talks to: Lambda's Runtime API, which has one
//! event for it, and the local AWS, on the way to which it can be killed.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::service::{Answer, read_request};
use crate::stack::root;

/// How long a process may take, from its start.
const PATIENCE: Duration = Duration::from_secs(20);
/// What Lambda tells it that it may take: the template's timeout.
const TIMEOUT: Duration = Duration::from_secs(60);
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:kills";
const RUNTIME_API: &str = "/2018-06-01/runtime/";

/// When the process is killed: its calls to AWS are numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// AWS never hears of this call.
    Before(usize),
    /// AWS has answered this call, but the process never hears of it.
    After(usize),
}

/// How the process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Returned,
    /// With an error that makes Lambda try again.
    Failed(String),
    Killed,
}

struct Lambda {
    aws: String,
    process: Mutex<Child>,
    event: Mutex<Option<String>>,
    kill: Option<Kill>,
    calls: Mutex<Vec<String>>,
    ends: Sender<End>,
}

/// Starts the function in the environment of a deployed one and gives it an event; tells how it
/// ended and which calls to AWS it made until then: of DynamoDB and SQS their names, of S3 the methods.
pub fn run(
    environment: &HashMap<String, String>,
    event: &Value,
    kill: Option<Kill>,
) -> (End, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let process = Command::new(root().join("target/lambda/thumbnail/bootstrap"))
        .env_clear()
        .envs(environment)
        .env("AWS_LAMBDA_RUNTIME_API", &address)
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .stdout(Stdio::null())
        .spawn()
        .expect("`make build` builds the function");
    let (ends, end) = channel();
    let lambda = Arc::new(Lambda {
        aws: environment["AWS_ENDPOINT_URL"].trim_start_matches("http://").to_owned(),
        process: Mutex::new(process),
        event: Mutex::new(Some(event.to_string())),
        kill,
        calls: Mutex::default(),
        ends,
    });
    let server = lambda.clone();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let server = server.clone();
            thread::spawn(move || server.serve(connection.unwrap()));
        }
    });
    let end = end.recv_timeout(PATIENCE);
    lambda.end_process();
    let calls = lambda.calls.lock().unwrap().clone();
    let end = end.unwrap_or_else(|_| {
        panic!("no end within {} s; {kill:?}, calls: {calls:?}", PATIENCE.as_secs())
    });
    (end, calls)
}

impl Lambda {
    /// Serves a connection's one request. Who asked may be dead when the answer is there.
    fn serve(&self, mut connection: TcpStream) {
        let Some((head, body)) = read_request(&connection) else { return };
        let path = head.split(' ').nth(1).unwrap();
        let answer = match path.strip_prefix(RUNTIME_API) {
            Some("invocation/next") => self.next_event(),
            Some(path) => Some(self.report(path, &body)),
            None => self.forward(&head, &body),
        };
        if let Some(answer) = answer {
            let _ = connection.write_all(&answer);
        } else {
            // No answer until the process is gone.
            let _ = connection.read_to_end(&mut Vec::new());
        }
    }

    fn next_event(&self) -> Option<Vec<u8>> {
        let event = self.event.lock().unwrap().take()?;
        let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap() + TIMEOUT;
        let headers = [
            ("Lambda-Runtime-Aws-Request-Id", "1"),
            ("Lambda-Runtime-Deadline-Ms", &deadline.as_millis().to_string()),
            ("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN),
        ];
        Some(Answer::new("200 OK", &headers, event.as_bytes()).bytes)
    }

    fn report(&self, path: &str, body: &[u8]) -> Vec<u8> {
        let is_response = path.ends_with("/response");
        let failed = || End::Failed(String::from_utf8_lossy(body).into_owned());
        self.ends.send(if is_response { End::Returned } else { failed() }).unwrap();
        Answer::new("202 Accepted", &[], b"").bytes
    }

    fn forward(&self, head: &str, body: &[u8]) -> Option<Vec<u8>> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(call(head).to_owned());
            calls.len() - 1
        };
        if self.kill == Some(Kill::Before(number)) {
            return self.killed();
        }
        let mut aws = TcpStream::connect(&self.aws).unwrap();
        let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        aws.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        aws.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 "), "the local AWS did not answer {head}");
        if self.kill == Some(Kill::After(number)) {
            return self.killed();
        }
        Some(answer)
    }

    fn killed(&self) -> Option<Vec<u8>> {
        self.end_process();
        self.ends.send(End::Killed).unwrap();
        None
    }

    /// By SIGKILL, and until it is gone.
    fn end_process(&self) {
        let mut process = self.process.lock().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

fn call(head: &str) -> &str {
    let target = head.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
    let (method, _) = head.split_once(' ').unwrap();
    target.and_then(|target| target.split('.').nth(1)).unwrap_or(method)
}
