//! One process of the built function between Lambda's Runtime API, which gives it one event after the
//! other, and the local AWS. None of its calls gets any further by itself: each waits until whoever
//! started the process asks what comes next, and lets it go.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::service::{Answer, read_request};
use crate::stack::root;

/// How long a process may take to its next call.
const PATIENCE: Duration = Duration::from_secs(20);
/// What Lambda tells it that it may take, if nothing else is said: the template's timeout.
const TIMEOUT: Duration = Duration::from_secs(60);
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:process";
/// What Lambda tells every function.
const LAMBDAS: [(&str, &str); 5] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "process"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "test"),
];
const RUNTIME_API: &str = "/2018-06-01/runtime/";

/// The process, until this is dropped.
pub struct Lambda {
    process: Process,
    requests: UnboundedReceiver<Request>,
    event: Option<String>,
    timeout: Duration,
    /// The answer to the last event.
    pub answer: Value,
    aws: String,
}

/// A request of the process: head, body, and the connection that waits for the answer.
type Request = (String, Vec<u8>, TcpStream);

/// What a process does.
pub enum Next {
    /// It calls AWS, and waits.
    Call(Call),
    /// It is done with the event, or has failed with an error that makes Lambda try it again.
    End(Result<(), String>),
}

/// A call of the process to AWS.
pub struct Call {
    /// Of DynamoDB and SQS its name, of S3 the method.
    pub name: String,
    /// Of S3 the object.
    pub path: String,
    request: Vec<u8>,
    connection: TcpStream,
    aws: String,
}

impl Lambda {
    /// Starts the function in the environment of a deployed one.
    pub async fn start(environment: &HashMap<String, String>) -> Lambda {
        Lambda::start_function("thumbnail", environment).await
    }

    /// Starts the function of this name.
    pub async fn start_function(name: &str, environment: &HashMap<String, String>) -> Lambda {
        let (process, requests, aws) = start(name, environment).await;
        let (event, answer) = (None, Value::Null);
        Lambda { process, requests, event, timeout: TIMEOUT, answer, aws }
    }

    /// Gives the process an event, once it is done with the one before.
    pub fn invoke(&mut self, event: &Value) {
        self.event = Some(event.to_string());
    }

    /// The same, with another timeout.
    pub fn invoke_within(&mut self, timeout: Duration, event: &Value) {
        self.timeout = timeout;
        self.invoke(event);
    }

    /// After its answer: whether the process asks for another event, rather than to end.
    pub async fn goes_on(&mut self) -> bool {
        loop {
            if self.process.has_ended() {
                return false;
            }
            let asks = timeout(Duration::from_millis(100), self.requests.recv()).await;
            if let Ok(Some((head, ..))) = asks {
                assert!(head.contains("invocation/next"), "it is not done: {head}");
                return true;
            }
        }
    }

    /// Waits for what the process does next with its event.
    pub async fn next(&mut self) -> Next {
        let next = timeout(PATIENCE, self.serve()).await;
        next.unwrap_or_else(|_| panic!("the function did nothing for {} s", PATIENCE.as_secs()))
    }

    /// Lets the process make all calls that it has still to make about its event, and gives its end.
    pub async fn finish(&mut self) -> Result<(), String> {
        loop {
            match self.next().await {
                Next::Call(call) => call.forward().await,
                Next::End(end) => return end,
            }
        }
    }

    /// Ends the process as Lambda does: by SIGKILL, and until it is gone.
    pub fn kill(self) {
        drop(self);
    }

    async fn serve(&mut self) -> Next {
        loop {
            let (head, body, connection) = self.requests.recv().await.unwrap();
            let path = head.split(' ').nth(1).unwrap();
            match path.strip_prefix(RUNTIME_API) {
                Some("invocation/next") => {
                    let event = self.event.take().expect("one event at a time");
                    answer(connection, &invocation("1", &event, self.timeout)).await;
                }
                Some(path) => {
                    answer(connection, &Answer::new("202 Accepted", &[], b"").bytes).await;
                    let error = || String::from_utf8_lossy(&body).into_owned();
                    self.answer = serde_json::from_slice(&body).unwrap_or_default();
                    return Next::End(path.ends_with("/response").then_some(()).ok_or_else(error));
                }
                None => {
                    let call = Call::new(head, &body, connection, self.aws.clone());
                    // Before it asks for its event it opens its connections.
                    if self.event.is_none() {
                        return Next::Call(call);
                    }
                    call.forward().await;
                }
            }
        }
    }
}

/// A process that takes several events at a time, as Lambda Managed Instances have it.
pub struct Instance {
    process: Process,
    requests: UnboundedReceiver<Request>,
    aws: String,
    /// Events that it was not given yet, each with the time that it may take.
    events: VecDeque<(String, Duration)>,
    given: usize,
    /// The ends of the events by their numbers, as often as they were told.
    pub ends: BTreeMap<usize, Vec<Result<(), String>>>,
    /// Calls that wait until they are released.
    held: Vec<Call>,
    /// Connections on which it waits for events.
    waiting: Vec<TcpStream>,
}

impl Instance {
    /// Starts a process that takes so many events at a time.
    pub async fn start(environment: &HashMap<String, String>, at_a_time: usize) -> Instance {
        let mut environment = environment.clone();
        environment.insert("AWS_LAMBDA_MAX_CONCURRENCY".to_owned(), at_a_time.to_string());
        let (process, requests, aws) = start("thumbnail", &environment).await;
        let (events, ends) = (VecDeque::new(), BTreeMap::new());
        let (given, held, waiting) = (0, Vec::new(), Vec::new());
        Instance { process, requests, aws, events, given, ends, held, waiting }
    }

    /// Puts an event in line.
    pub fn invoke(&mut self, event: &Value, timeout: Duration) {
        self.events.push_back((event.to_string(), timeout));
    }

    /// Serves the process until `is_done`, and holds its calls of this name.
    pub async fn serve_until(&mut self, hold: Option<&str>, is_done: impl Fn(&Instance) -> bool) {
        let serve = async {
            while !is_done(self) {
                let Some((head, body, connection)) = self.requests.recv().await else { return };
                let path = head.split(' ').nth(1).unwrap().to_owned();
                match path.strip_prefix(RUNTIME_API) {
                    Some("invocation/next") => self.give(connection).await,
                    Some(path) => {
                        answer(connection, &Answer::new("202 Accepted", &[], b"").bytes).await;
                        let number = path.split('/').nth(1).unwrap().parse().unwrap();
                        let error = || String::from_utf8_lossy(&body).into_owned();
                        let end = path.ends_with("/response").then_some(()).ok_or_else(error);
                        self.ends.entry(number).or_default().push(end);
                    }
                    None => {
                        let call = Call::new(head, &body, connection, self.aws.clone());
                        match hold {
                            Some(name) if call.name == name => self.held.push(call),
                            _ => drop(tokio::spawn(call.forward())),
                        }
                    }
                }
            }
        };
        let served = timeout(PATIENCE, serve).await;
        served.unwrap_or_else(|_| panic!("nothing happened for {} s", PATIENCE.as_secs()));
    }

    /// Gives the next event, or lets the process wait for one.
    async fn give(&mut self, connection: TcpStream) {
        match self.events.pop_front() {
            Some((event, timeout)) => {
                self.given += 1;
                let number = self.given.to_string();
                answer(connection, &invocation(&number, &event, timeout)).await;
            }
            None => self.waiting.push(connection),
        }
    }

    /// How many calls are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Lets the calls that were held go on.
    pub fn release(&mut self) {
        for call in self.held.drain(..) {
            tokio::spawn(call.forward());
        }
    }

    /// How many events it was given.
    pub fn given(&self) -> usize {
        self.given
    }

    /// Waits until the process has ended.
    pub async fn ended(&mut self) {
        let ended = async {
            while !self.process.has_ended() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, ended).await.expect("the process ends");
    }
}

/// A process that ends, and is gone, when this is dropped.
struct Process(Child);

impl Process {
    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Starts the function. Gives the process, its requests, and the address of the local AWS.
async fn start(
    function: &str,
    environment: &HashMap<String, String>,
) -> (Process, UnboundedReceiver<Request>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let process = Command::new(root().join(format!("target/lambda/{function}/bootstrap")))
        .env_clear()
        .envs(LAMBDAS)
        .envs(environment)
        .env("AWS_LAMBDA_RUNTIME_API", &address)
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .stdout(Stdio::null())
        .spawn()
        .expect("`make build` builds the function");
    let aws = environment["AWS_ENDPOINT_URL"].trim_start_matches("http://").to_owned();
    (Process(process), requests(listener), aws)
}

/// The requests in the order in which they come. A connection can be opened and wait for its first one.
fn requests(listener: TcpListener) -> UnboundedReceiver<Request> {
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                if let Some((head, body)) = read_request(&mut connection).await {
                    let _ = sender.send((head, body, connection));
                }
            });
        }
    });
    receiver
}

impl Call {
    fn new(head: String, body: &[u8], connection: TcpStream, aws: String) -> Call {
        let target = head.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
        let operation = target.and_then(|target| target.split('.').nth(1));
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let path = path.split('?').next().unwrap();
        let close = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        Call {
            name: operation.unwrap_or(method).to_owned(),
            path: path.to_owned(),
            request: [close.as_bytes(), body].concat(),
            connection,
            aws,
        }
    }

    /// Lets the call go to AWS and the answer to the process.
    pub async fn forward(self) {
        let bytes = self.ask().await;
        self.answer(&bytes).await;
    }

    /// Lets the call go to AWS. Gives the answer, of which the process knows nothing yet.
    pub async fn ask(&self) -> Vec<u8> {
        let mut aws = TcpStream::connect(&self.aws).await.unwrap();
        aws.write_all(&self.request).await.unwrap();
        let mut answer = Vec::new();
        aws.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 "), "the local AWS did not answer {}", self.name);
        answer
    }

    /// Lets the answer go to the process.
    pub async fn answer(self, bytes: &[u8]) {
        answer(self.connection, bytes).await;
    }
}

fn invocation(request_id: &str, event: &str, timeout: Duration) -> Vec<u8> {
    let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap() + timeout;
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", request_id),
        ("Lambda-Runtime-Deadline-Ms", &deadline.as_millis().to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN),
    ];
    Answer::new("200 OK", &headers, event.as_bytes()).bytes
}

/// Who asked may have given up since.
async fn answer(mut connection: TcpStream, bytes: &[u8]) {
    let _ = connection.write_all(bytes).await;
}
