//! Just enough HTTP/1.1 for loopback measurements: heads are parsed in one pass over the bytes, bodies have a
//! `content-length`. Chunked messages are not understood, and are reported as broken rather than guessed at.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::failure::{Context as _, Failure, Outcome};

/// What the head of a message says, once it is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status of an answer; `None` for a request.
    pub(crate) status: Option<u16>,
    /// Bytes up to and including the empty line.
    pub(crate) bytes: usize,
    /// The announced length of the body in bytes; `None` when no readable `content-length` was sent.
    pub(crate) body_bytes: Option<usize>,
}

impl Head {
    /// Bytes of the whole message, `None` when its length was not announced.
    pub(crate) fn message_bytes(&self) -> Option<usize> {
        self.body_bytes.map(|body| self.bytes.saturating_add(body))
    }
}

const CONTENT_LENGTH: &[u8] = b"content-length:";

/// Reads the head at the start of `received`; `None` while its empty line has not arrived.
pub(crate) fn parse_head(received: &[u8]) -> Option<Head> {
    let mut rest = received;
    let mut bytes: usize = 0;
    let mut status = None;
    let mut body_bytes = None;
    let mut is_first = true;
    loop {
        let line_end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(line_end.saturating_add(1))?;
        bytes = bytes.saturating_add(line.len());
        rest = after;
        if is_first {
            status = line.strip_prefix(b"HTTP/1.1 ").and_then(|text| text.get(..3)).and_then(parse_number);
            is_first = false;
        } else if line == b"\r\n" || line == b"\n" {
            return Some(Head { status: status.and_then(|code| u16::try_from(code).ok()), bytes, body_bytes });
        } else if let Some((name, value)) = line.split_at_checked(CONTENT_LENGTH.len())
            && name.eq_ignore_ascii_case(CONTENT_LENGTH)
        {
            body_bytes = parse_number(value.trim_ascii());
        }
    }
}

fn parse_number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Asks `address` for `path` on a connection of its own and returns status and body. Blocking; at most 5 s a step.
pub(crate) fn get(address: SocketAddr, path: &str) -> Outcome<(u16, Vec<u8>)> {
    const STEP_S_MAX: u64 = 5;
    let step = Duration::from_secs(STEP_S_MAX);
    let mut stream = TcpStream::connect_timeout(&address, step).context(|| format!("cannot connect to `{address}`"))?;
    stream.set_read_timeout(Some(step))?;
    stream.set_write_timeout(Some(step))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context(|| format!("no answer from `{address}{path}`"))?;
    let broken = || Failure::new(format!("`{address}{path}` did not answer in HTTP/1.1"));
    let head = parse_head(&answer).ok_or_else(broken)?;
    let body = answer.get(head.bytes..).ok_or_else(broken)?;
    Ok((head.status.ok_or_else(broken)?, body.to_vec()))
}

#[cfg(test)]
mod tests;
