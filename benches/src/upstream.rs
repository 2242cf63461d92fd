//! The upstream: one thread that answers a small fixed JSON to every POST and counts them. Written on bare sockets, so
//! that what is compared are the proxies in front of it.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    failure::{Context as _, Failure, Outcome},
    process, wire,
};

/// The result that every call gets.
const RESULT: &str = r#"{"text":"hello","times":3,"words":["hello","hello","hello"]}"#;

/// Where the count of POSTs so far is read.
const COUNT_PATH: &str = "/count";

/// A request longer than this is refused by closing the connection.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Serves until the parent goes; announces the address on standard output.
pub(crate) fn run() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{}", listener.local_addr()?)?;
        stdout.flush()?;
        let calls = Arc::new(AtomicU64::new(0));
        let mut parent_gone = process::parent_gone();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (stream, _) = accepted?;
                    stream.set_nodelay(true)?;
                    let calls = Arc::clone(&calls);
                    // a connection that breaks is its caller's finding, not ours
                    tokio::spawn(async move { drop(serve(stream, &calls).await) });
                }
                _ = &mut parent_gone => return Ok(()),
            }
        }
    })
}

async fn serve(mut stream: TcpStream, calls: &AtomicU64) -> std::io::Result<()> {
    let answer = answer_with(RESULT);
    let mut buffer = vec![0_u8; REQUEST_BYTES_MAX];
    let mut filled: usize = 0;
    loop {
        let free = buffer.get_mut(filled..).unwrap_or_default();
        if free.is_empty() {
            return Ok(());
        }
        let count = stream.read(free).await?;
        if count == 0 {
            return Ok(());
        }
        filled = filled.saturating_add(count);
        let bytes = buffer.get(..filled).unwrap_or_default();
        let Some(head) = wire::parse_head(bytes) else { continue };
        if bytes.starts_with(b"POST ") {
            let Some(message_bytes) = head.message_bytes() else {
                return stream.write_all(b"HTTP/1.1 411 Length Required\r\ncontent-length: 0\r\n\r\n").await;
            };
            if filled < message_bytes {
                continue;
            }
            calls.fetch_add(1, Ordering::Relaxed);
            stream.write_all(&answer).await?;
        } else {
            stream.write_all(&answer_with(&calls.load(Ordering::Relaxed).to_string())).await?;
            return stream.shutdown().await;
        }
        // callers never pipeline: an answer is read before the next request is written
        filled = 0;
    }
}

fn answer_with(json: &str) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{json}", json.len());
    head.into_bytes()
}

/// How many POSTs the upstream at `address` has received completely.
pub(crate) fn load_count(address: SocketAddr) -> Outcome<u64> {
    let (status, body) = wire::get(address, COUNT_PATH)?;
    if status != 200 {
        return Err(Failure::new(format!("the upstream answered {status} to `{COUNT_PATH}`")));
    }
    let text = String::from_utf8_lossy(&body);
    text.trim().parse().context(|| format!("the upstream counted `{text}`"))
}
