//! An upstream that does whatever a script says, one thread per connection.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The listening side. It lives until the test's process ends.
pub(super) struct Hostile {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    executed: Arc<AtomicUsize>,
}

/// One accepted connection.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    executed: Arc<AtomicUsize>,
    /// Bytes read beyond the last request.
    rest: Vec<u8>,
}

impl Hostile {
    /// Runs `script` for every connection.
    pub(super) fn start(script: impl Fn(&mut Connection) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, executed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let script = Arc::new(script);
        let (seen, done) = (Arc::clone(&connections), Arc::clone(&executed));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                seen.fetch_add(1, Ordering::SeqCst);
                let mut connection = Connection { stream, executed: Arc::clone(&done), rest: Vec::new() };
                let script = Arc::clone(&script);
                thread::spawn(move || script(&mut connection));
            }
        });
        Self { address, connections, executed }
    }

    /// Answers every request on every connection with the same bytes.
    pub(super) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |connection| {
            while connection.read_request().is_some() {
                connection.write(&answer);
            }
        })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections were accepted.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// How many requests arrived completely: a real upstream would have executed them.
    pub(super) fn executed(&self) -> usize {
        self.executed.load(Ordering::SeqCst)
    }
}

impl Connection {
    /// Head and body of the next request, counted as executed. `None` when the other side has closed.
    pub(super) fn read_request(&mut self) -> Option<(String, String)> {
        let head_end = loop {
            match self.rest.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(position) => break position + 4,
                None => self.read_more()?,
            }
        };
        let head = String::from_utf8(self.rest.drain(..head_end).collect()).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
            .unwrap_or(0);
        while self.rest.len() < length {
            self.read_more()?;
        }
        let body = String::from_utf8(self.rest.drain(..length).collect()).unwrap();
        self.count_execution();
        Some((head, body))
    }

    /// For scripts that read a request by themselves.
    pub(super) fn count_execution(&self) {
        self.executed.fetch_add(1, Ordering::SeqCst);
    }

    fn read_more(&mut self) -> Option<()> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) | Err(_) => None,
            Ok(length) => {
                self.rest.extend_from_slice(&buffer[..length]);
                Some(())
            }
        }
    }

    /// Writes everything, or gives up when the other side has closed.
    pub(super) fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Says nothing more until the other side closes.
    pub(super) fn hang(&mut self) {
        while self.read_more().is_some() {}
    }

    pub(super) fn close(&mut self) {
        self.stream.shutdown(Shutdown::Both).ok();
    }
}

/// A complete answer with a correct length.
pub(super) fn answer(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// The answer of an upstream with nothing against us.
pub(super) fn fine() -> String {
    answer("200 OK", "application/json", r#"{"fine":true}"#)
}
