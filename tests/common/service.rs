//! A service on this machine that gives literal answers, each connection one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a connection gets.
#[derive(Clone)]
pub struct Answer {
    pub bytes: Vec<u8>,
    /// Whether nothing comes behind them, not even the end of the connection.
    pub is_endless: bool,
}

impl Answer {
    pub fn new(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        Answer { bytes: [head.as_bytes(), b"\r\n", body].concat(), is_endless: false }
    }
}

/// Listens on this machine until the test ends.
pub struct Service {
    pub endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// Gives these answers in turn, and the last one from then on.
    pub fn start(answers: &[Answer]) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, seen) = (answers.to_vec(), requests.clone());
        thread::spawn(move || {
            for (number, connection) in listener.incoming().enumerate() {
                let answer = answers[number.min(answers.len() - 1)].clone();
                let (connection, seen) = (connection.unwrap(), seen.clone());
                thread::spawn(move || serve(connection, &answer, &seen));
            }
        });
        Service { endpoint, requests }
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut connection: TcpStream, answer: &Answer, requests: &Mutex<Vec<String>>) {
    let Some((head, _)) = read_request(&connection) else { return };
    requests.lock().unwrap().push(head);
    // The client may have given up.
    let _ = connection.write_all(&answer.bytes);
    if answer.is_endless {
        let _ = connection.read_to_end(&mut Vec::new());
    }
}

/// Head and body of a request; none of a connection that was opened in vain.
pub fn read_request(connection: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(Some(0), |length| length.trim().parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
