//! HTTP/1.1 by hand: for requests that no well-behaved client sends, and for many quick ones.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use crate::program::{Answer, parse_answer};

/// The longest that an answer is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// One connection to the program.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    rest: Vec<u8>,
}

/// A request with its length, as text.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\nhost: tollgate\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// Sends `bytes` on a connection of their own; the first answer, or `None` when the program closed without one.
///
/// # Panics
/// There is no connection, or the answer cannot be read.
pub fn send(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut wire = Wire::open(address);
    wire.write(bytes);
    wire.read_answer()
}

impl Wire {
    /// Connects.
    ///
    /// # Panics
    /// Nobody listens.
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the program listens");
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("the delay can be switched off");
        Self { stream, rest: Vec::new() }
    }

    /// Writes, whether the other side wants to read it or not: what it says about it is in the answer.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Says that nothing more comes.
    pub fn end(&mut self) {
        // The other side may have closed already.
        drop(self.stream.shutdown(Shutdown::Write));
    }

    /// The next answer; `None` when the program closed instead.
    ///
    /// # Panics
    /// The program says nothing for a minute, or something that is not an answer.
    pub fn read_answer(&mut self) -> Option<Answer> {
        let head = loop {
            if let Some(at) = self.rest.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.rest.drain(..at + 4).collect();
                let head = String::from_utf8_lossy(&head).trim_end().to_owned();
                if !head.starts_with("HTTP/1.1 100") {
                    break head;
                }
            } else if !self.read_more() {
                return None;
            }
        };
        let answer = parse_answer(&head, "");
        let length = answer.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        while self.rest.len() < length {
            if !self.read_more() {
                return None;
            }
        }
        let body: Vec<u8> = self.rest.drain(..length).collect();
        Some(parse_answer(&head, &String::from_utf8_lossy(&body)))
    }

    /// The next answer, if it begins within `pause`.
    ///
    /// # Panics
    /// It begins and does not end, or is not an answer.
    pub fn answer_within(&mut self, pause: Duration) -> Option<Answer> {
        self.stream.set_read_timeout(Some(pause)).expect("a timeout can be set");
        let begins = self.stream.peek(&mut [0]).is_ok();
        self.stream.set_read_timeout(Some(ANSWER_TIMEOUT)).expect("a timeout can be set");
        if begins { self.read_answer() } else { None }
    }

    /// Everything that comes until the program closes.
    ///
    /// # Panics
    /// The program says nothing for a minute.
    pub fn read_to_end(&mut self) -> String {
        while self.read_more() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned()
    }

    fn read_more(&mut self) -> bool {
        let mut buffer = [0; 16_384];
        match self.stream.read(&mut buffer) {
            Ok(length) => {
                self.rest.extend_from_slice(buffer.get(..length).unwrap_or_default());
                length > 0
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("no answer within {ANSWER_TIMEOUT:?}"),
            Err(_reset) => false,
        }
    }
}
