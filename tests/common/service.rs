//! A service on this machine that gives literal answers, each connection one.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a connection gets.
#[derive(Clone, Default)]
pub struct Answer {
    pub bytes: Vec<u8>,
    /// Whether nothing comes behind them, not even the end of the connection.
    pub is_endless: bool,
    /// Whether the connection is torn down behind them, by TCP's RST.
    pub is_reset: bool,
}

impl Answer {
    pub fn new(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        Answer { bytes: [head.as_bytes(), b"\r\n", body].concat(), ..Answer::default() }
    }
}

/// Listens on this machine until the test ends.
pub struct Service {
    pub endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// Gives these answers in turn, and the last one from then on.
    pub async fn start(answers: &[Answer]) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, seen) = (answers.to_vec(), requests.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let (connection, _) = listener.accept().await.unwrap();
                let answer = answers[number.min(answers.len() - 1)].clone();
                tokio::spawn(serve(connection, answer, seen.clone()));
            }
        });
        Service { endpoint, requests }
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut connection: TcpStream, answer: Answer, requests: Arc<Mutex<Vec<String>>>) {
    let Some((head, _)) = read_request(&mut connection).await else { return };
    requests.lock().unwrap().push(head);
    // The client may have given up.
    let _ = connection.write_all(&answer.bytes).await;
    if answer.is_endless {
        let _ = connection.read_to_end(&mut Vec::new()).await;
    }
    if answer.is_reset {
        connection.set_zero_linger().unwrap();
    }
}

/// Head and body of a request; none of a connection that was opened in vain.
pub async fn read_request(connection: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(Some(0), |length| length.trim().parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.ok()?;
    Some((head, body))
}
