//! HTTP/1.1 on a bare socket, for tests that must know what was sent before a connection broke.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::program::Answer;

/// A server that says nothing for so long is stuck: the test fails.
const SILENCE: Duration = Duration::from_mins(1);

/// A caller with one kept connection.
#[derive(Debug)]
pub struct Caller {
    address: String,
    headers: Vec<(String, String)>,
    stream: Option<BufReader<TcpStream>>,
}

impl Caller {
    /// A caller of `address` (`host:port`) that sends these headers with every request.
    pub fn new(address: &str, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { address: address.to_owned(), headers, stream: None }
    }

    /// Sends one request and reads its answer. Nothing is ever sent twice: what to do after a broken connection is for
    /// the caller to decide.
    ///
    /// # Errors
    /// The connection could not be made, or broke before the answer was complete.
    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(connect(&self.address)?),
        };
        let mut request = Vec::new();
        write!(request, "{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address)?;
        for (name, value) in &self.headers {
            write!(request, "{name}: {value}\r\n")?;
        }
        write!(request, "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        stream.get_mut().write_all(&request)?;
        let message = read_message(&mut stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let is_kept = message.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"));
        self.stream = is_kept.then_some(stream);
        let status = message.start.split(' ').nth(1).and_then(|word| word.parse().ok());
        let body = String::from_utf8_lossy(&message.body).into_owned();
        Ok(Answer {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            headers: message.headers,
            json: serde_json::from_str(&body).unwrap_or(Value::Null),
            body,
        })
    }

    /// The same with `POST`.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub fn post(&mut self, path: &str, body: &Value) -> io::Result<Answer> {
        self.ask("POST", path, &body.to_string())
    }

    /// The same with `GET`.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.ask("GET", path, "")
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE))?;
    Ok(stream)
}

/// A request or an answer as it came.
#[derive(Debug)]
pub(crate) struct Message {
    /// The first line.
    pub(crate) start: String,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The next message with a `content-length`; `None` at the end of the connection.
pub(crate) fn read_message(stream: &mut impl BufRead) -> io::Result<Option<Message>> {
    let mut start = String::new();
    if stream.read_line(&mut start)? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim_start().to_owned()));
    }
    let mut message = Message { start: start.trim_end().to_owned(), headers, body: Vec::new() };
    let length = message.header("content-length").map_or(Ok(0), str::parse::<u64>).map_err(io::Error::other)?;
    let read = stream.take(length).read_to_end(&mut message.body)?;
    if u64::try_from(read).is_ok_and(|read| read == length) {
        Ok(Some(message))
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests;
