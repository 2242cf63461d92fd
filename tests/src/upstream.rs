//! An upstream of the tests: a script decides what every request gets, and a log says what was asked.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// What was asked.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path.
    pub path: String,
    /// The header lines, with the request line.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Received {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The listening side. It lives until the test's process ends.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Received>>>,
}

impl Upstream {
    /// Runs `script` for every request, which was received completely; the connection ends when it returns false.
    ///
    /// # Panics
    /// No port is free.
    pub fn start(script: impl Fn(&Received, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let log: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (script, shared) = (Arc::new(script), Arc::clone(&log));
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let (script, log) = (Arc::clone(&script), Arc::clone(&shared));
                thread::spawn(move || {
                    while let Some(received) = read_request(&mut stream) {
                        log.lock().unwrap_or_else(PoisonError::into_inner).push(received.clone());
                        if !script(&received, &mut stream) {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, log }
    }

    /// One that answers everything with `body`, a JSON text.
    pub fn answering(body: &'static str) -> Self {
        Self::start(move |_, stream| stream.write_all(json_answer("200 OK", body).as_bytes()).is_ok())
    }

    /// Where a path of it is.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything that was asked so far.
    pub fn received(&self) -> Vec<Received> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often `path` was asked for.
    pub fn count(&self, path: &str) -> usize {
        self.received().iter().filter(|received| received.path == path).count()
    }
}

/// A complete answer with JSON.
pub fn json_answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// Says nothing until the other side goes away.
pub fn hang(stream: &mut TcpStream) {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).is_ok_and(|length| length > 0) {}
}

/// The next request of a connection on which nothing is sent before its answer has come.
fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16_384];
    loop {
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(buffer.get(..length)?);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let path = head.split(' ').nth(1)?.to_owned();
        let received = Received { path, head: head.to_owned(), body: body.to_owned() };
        let announced = received.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        if body.len() >= announced {
            return Some(received);
        }
    }
}
