//! Notices of photos, on their way from the stack's topic to the browsers that show the album: `docs/notices.md`.
//!
//! | request | what the server does |
//! |---|---|
//! | `POST /notices` | takes a notice from the worker, which knows the secret |
//! | `GET /events?album=NAME` | server-sent events: `data` is a notice of that album |
//!
//! A notice that nobody waits for is dropped, and so are those to a browser that reads too slowly: its stream ends. A
//! browser connects again by itself, and then lists the album once, so it misses nothing. The ids of the events let it
//! tell what it has seen. Between notices comes an event named `beat`, so that a page notices a dead connection.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use socket2::SockRef;
use thumbnailer::item::album;
use tiny_http::{Request, Server};

use crate::{Answer, JSON, problem, response, send};

/// Each takes a thread.
const MOST_BROWSERS: usize = 64;
/// Notices that a browser may be behind.
const MOST_BEHIND: usize = 256;
/// SNS publishes no longer messages.
const MAX_NOTICE_BYTES: u64 = 262_144;
const BEAT_EVERY: Duration = Duration::from_secs(15);
/// A browser that takes nothing for so long loses its connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\
    Transfer-Encoding: chunked\r\n\r\n";

/// A server of this machine whose answers do not wait for ever for a client that does not read.
pub fn listen(port: u16) -> Result<Server, String> {
    let failed = |error: &dyn std::fmt::Display| format!("cannot listen on port {port}: {error}");
    let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|error| failed(&error))?;
    // Connections inherit it from their listener (Linux).
    let socket = SockRef::from(&listener);
    socket.set_write_timeout(Some(WRITE_TIMEOUT)).map_err(|error| failed(&error))?;
    Server::from_listener(listener, None).map_err(|error| failed(&error))
}

/// The browsers that wait for notices.
pub struct Notices {
    /// Without it, the server takes no notices.
    secret: Option<String>,
    browsers: Mutex<HashMap<u64, Browser>>,
    next: AtomicU64,
}

struct Browser {
    album: String,
    events: SyncSender<Arc<str>>,
}

/// The place of a browser among those that wait.
struct Place<'a> {
    notices: &'a Notices,
    number: u64,
    events: Receiver<Arc<str>>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.notices.browsers().remove(&self.number);
    }
}

impl Notices {
    pub fn new(secret: Option<String>) -> Notices {
        let secret = secret.filter(|secret| !secret.is_empty());
        Notices { secret, browsers: Mutex::default(), next: AtomicU64::new(1) }
    }

    /// Takes a notice from whoever knows the secret.
    pub fn take(&self, request: &mut Request) -> Answer {
        if !self.knows_secret(request) {
            let detail = "a notice needs the secret that the server was started with, in the environment variable \
                NOTICES_SECRET, as `Authorization: Bearer SECRET`";
            return problem(403, "Forbidden", detail);
        }
        let mut body = String::new();
        match request.as_reader().take(MAX_NOTICE_BYTES + 1).read_to_string(&mut body) {
            Ok(read) if read as u64 > MAX_NOTICE_BYTES => {
                problem(413, "Content Too Large", "a notice has at most 262144 bytes")
            }
            Ok(_) => match self.tell(&body) {
                Ok(told) => response(200, JSON, json!({ "told": told }).to_string().as_bytes()),
                Err(flaw) => problem(400, "Bad Request", &flaw),
            },
            Err(error) => problem(400, "Bad Request", &format!("cannot read the notice: {error}")),
        }
    }

    fn knows_secret(&self, request: &Request) -> bool {
        let mut headers = request.headers().iter();
        let given = headers.find(|header| header.field.equiv("Authorization"));
        let given = given.and_then(|header| header.value.as_str().strip_prefix("Bearer "));
        self.secret.is_some() && given == self.secret.as_deref()
    }

    /// Tells a notice to the browsers that show its album, and says how many they are.
    fn tell(&self, body: &str) -> Result<usize, String> {
        let notice: Value = serde_json::from_str(body)
            .map_err(|error| format!("the notice is no JSON: {error}"))?;
        let photo_key = notice["photoKey"].as_str().ok_or("the notice has no photoKey")?;
        // Not that of the notice: one of a removal has none.
        let album = album(photo_key);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        // JSON that is written so has no line breaks, which would end the data.
        let event: Arc<str> = format!("id: {id}\ndata: {notice}\n\n").into();
        let mut browsers = self.browsers();
        // The stream of a browser that is too far behind ends with its channel.
        browsers.retain(|_, browser| {
            browser.album != album || browser.events.try_send(Arc::clone(&event)).is_ok()
        });
        Ok(browsers.values().filter(|browser| browser.album == album).count())
    }

    /// Sends the notices of an album until the browser goes.
    pub fn follow(&self, request: Request, album: String) {
        let Some(place) = self.place(album) else {
            let detail = format!("{MOST_BROWSERS} browsers wait for notices already");
            // The client may have gone.
            let _ = send(request, problem(503, "Service Unavailable", &detail));
            return;
        };
        // That it cannot be written to means that the browser has gone.
        let _ = stream(&mut request.into_writer(), &place.events, BEAT_EVERY);
    }

    fn place(&self, album: String) -> Option<Place<'_>> {
        let mut browsers = self.browsers();
        if browsers.len() >= MOST_BROWSERS {
            return None;
        }
        let (events, receiver) = sync_channel(MOST_BEHIND);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        browsers.insert(number, Browser { album, events });
        Some(Place { notices: self, number, events: receiver })
    }

    fn browsers(&self) -> MutexGuard<'_, HashMap<u64, Browser>> {
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer in chunks, each of one event, until there are no more.
fn stream(browser: &mut dyn Write, events: &Receiver<Arc<str>>, beat: Duration) -> io::Result<()> {
    browser.write_all(HEAD.as_bytes())?;
    // A browser takes the connection as open with the first bytes of the body.
    write_chunk(browser, ": notices follow\n\n")?;
    loop {
        match events.recv_timeout(beat) {
            Ok(event) => write_chunk(browser, &event)?,
            Err(RecvTimeoutError::Timeout) => write_chunk(browser, "event: beat\ndata: {}\n\n")?,
            Err(RecvTimeoutError::Disconnected) => return write_chunk(browser, ""),
        }
    }
}

/// A chunk of RFC 9112, section 7.1. The empty one is the last.
fn write_chunk(browser: &mut dyn Write, text: &str) -> io::Result<()> {
    write!(browser, "{:x}\r\n{text}\r\n", text.len())?;
    browser.flush()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::{SocketAddr, TcpStream};
    use std::thread;
    use std::time::Instant;

    use tiny_http::Method;

    use super::*;

    const SECRET: &str = "secret";

    /// A server that is nothing but notices.
    fn serve() -> (SocketAddr, Arc<Notices>) {
        let server = listen(0).unwrap();
        let address = server.server_addr().to_ip().unwrap();
        let notices = Arc::new(Notices::new(Some(SECRET.to_owned())));
        let all = Arc::clone(&notices);
        thread::spawn(move || {
            for mut request in server.incoming_requests() {
                let notices = Arc::clone(&all);
                thread::spawn(move || {
                    if *request.method() == Method::Post {
                        let answer = notices.take(&mut request);
                        request.respond(answer).unwrap();
                    } else {
                        let album = request.url().split_once('=').unwrap().1.to_owned();
                        notices.follow(request, album);
                    }
                });
            }
        });
        (address, notices)
    }

    fn follow(address: SocketAddr, album: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET /events?album={album} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        BufReader::new(stream)
    }

    /// The status of an answer, which is there by then.
    fn status(browser: &mut BufReader<TcpStream>) -> String {
        let mut line = String::new();
        browser.read_line(&mut line).unwrap();
        line.split(' ').nth(1).unwrap().to_owned()
    }

    fn next_data(browser: &mut BufReader<TcpStream>) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(browser.read_line(&mut line).unwrap(), 0, "the stream has ended");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).unwrap();
            }
        }
    }

    fn post(address: SocketAddr, secret: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST /notices HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
        )
        .unwrap();
        write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        status(&mut BufReader::new(stream))
    }

    fn notice(photo_key: &str) -> String {
        json!({ "version": "1", "photoKey": photo_key, "status": "READY" }).to_string()
    }

    fn until(is_so: impl Fn() -> bool, what: &str) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < Duration::from_secs(60), "{what}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn waiting(notices: &Notices) -> usize {
        notices.browsers().len()
    }

    #[test]
    fn a_notice_reaches_every_browser_that_shows_its_album_and_no_other() {
        let (address, notices) = serve();
        let mut trip = [follow(address, "trip"), follow(address, "trip")];
        let mut other = follow(address, "other");
        until(|| waiting(&notices) == 3, "all wait");
        // A line break in a key is in one line of data.
        for key in ["trip/a.jpg", "other/b.jpg", "trip/day 2/c.jpg", "trip/d\n.jpg"] {
            assert_eq!(post(address, SECRET, &notice(key)), "200");
        }
        for browser in &mut trip {
            assert_eq!(next_data(browser)["photoKey"], "trip/a.jpg");
            assert_eq!(next_data(browser)["photoKey"], "trip/d\n.jpg");
        }
        assert_eq!(next_data(&mut other)["photoKey"], "other/b.jpg");
    }

    #[test]
    fn a_notice_without_the_secret_or_without_a_photo_is_refused() {
        let (address, _) = serve();
        for secret in ["", "Secret", "secret2"] {
            assert_eq!(post(address, secret, &notice("trip/a.jpg")), "403", "{secret}");
        }
        for body in ["", "[]", "{}", r#"{"photoKey": 1}"#] {
            assert_eq!(post(address, SECRET, body), "400", "{body}");
        }
        let long = notice(&"x".repeat(MAX_NOTICE_BYTES as usize));
        assert_eq!(post(address, SECRET, &long), "413");
    }

    #[test]
    fn a_server_without_a_secret_takes_no_notices() {
        for secret in [None, Some(String::new())] {
            let mut request = tiny_http::TestRequest::new()
                .with_header(tiny_http::Header::from_bytes("Authorization", "Bearer ").unwrap())
                .into();
            assert_eq!(Notices::new(secret).take(&mut request).status_code().0, 403);
        }
    }

    #[test]
    fn a_browser_that_does_not_read_delays_nobody_and_loses_its_place() {
        let (address, notices) = serve();
        let slow = follow(address, "trip");
        let mut quick = follow(address, "trip");
        until(|| waiting(&notices) == 2, "both wait");
        let padding = "x".repeat(100_000);
        // More than the buffers of a connection hold.
        for number in 0..MOST_BEHIND + 300 {
            let body = json!({ "photoKey": "trip/a.jpg", "number": number, "padding": padding });
            let started = Instant::now();
            assert_eq!(post(address, SECRET, &body.to_string()), "200");
            assert_eq!(next_data(&mut quick)["number"], number);
            assert!(started.elapsed() < Duration::from_secs(5), "it waits for the slow one");
        }
        until(|| waiting(&notices) == 1, "the slow one has lost its place");
        drop(slow);
    }

    #[test]
    fn the_stream_of_a_browser_that_was_too_slow_ends_so_that_it_connects_again() {
        let (sender, events) = sync_channel::<Arc<str>>(1);
        sender.send("id: 1\ndata: {}\n\n".into()).unwrap();
        drop(sender);
        let mut written = Vec::new();
        stream(&mut written, &events, BEAT_EVERY).unwrap();
        let text = String::from_utf8(written).unwrap();
        assert!(text.ends_with("10\r\nid: 1\ndata: {}\n\n\r\n0\r\n\r\n"), "{text}");
    }

    #[test]
    fn a_silent_stream_beats_so_that_a_page_notices_a_dead_connection() {
        let (sender, events) = sync_channel::<Arc<str>>(1);
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            drop(sender);
        });
        let mut written = Vec::new();
        stream(&mut written, &events, Duration::from_millis(20)).unwrap();
        assert!(String::from_utf8(written).unwrap().contains("event: beat\ndata: {}\n\n"));
    }

    #[test]
    fn only_so_many_browsers_wait_and_one_that_goes_makes_room() {
        let (address, notices) = serve();
        // One after another: of many connections at once, tiny_http may forget some.
        let connect = |number| {
            let browser = follow(address, "trip");
            until(|| waiting(&notices) == number, "it waits");
            browser
        };
        let mut browsers: Vec<_> = (1..=MOST_BROWSERS).map(connect).collect();
        assert_eq!(status(&mut follow(address, "trip")), "503");
        drop(browsers.pop());
        until(
            || {
                post(address, SECRET, &notice("trip/a.jpg"));
                waiting(&notices) < MOST_BROWSERS
            },
            "its place is free",
        );
        assert_eq!(status(&mut follow(address, "trip")), "200");
    }
}
