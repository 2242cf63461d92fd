//! A publisher's upstream: a real HTTP server whose own log says what it was asked to do.

use std::{
    io::{self, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use serde_json::Value;

use crate::{connection, patience};

/// One request, in the order of arrival. Entries are added and completed, never removed.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path of the tool.
    pub path: String,
    /// The header `idempotency-key`.
    pub key: String,
    /// The header `x-tollgate-invocation-id`.
    pub invocation: String,
    /// The arguments.
    pub arguments: Value,
    /// The status, from the moment at which the answer is about to be written.
    pub answered: Option<u16>,
}

/// What the upstream does about a request.
#[derive(Debug, Clone)]
pub struct Reaction {
    /// How long it works, in milliseconds.
    pub after_ms: u64,
    /// The status.
    pub status: u16,
    /// The answer.
    pub body: Value,
}

/// Decides what to do about a request.
pub type React = fn(&Received) -> Reaction;

/// A running upstream. Ends when dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    react: React,
    log: Mutex<Vec<Received>>,
    is_over: AtomicBool,
}

impl Upstream {
    /// Starts an upstream on a free port of this machine.
    ///
    /// # Panics
    /// There is no free port.
    pub fn start(react: React) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("the port");
        let shared = Arc::new(Shared { react, log: Mutex::default(), is_over: AtomicBool::new(false) });
        let for_acceptor = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || accept(&listener, &for_acceptor));
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has been asked so far. While the log is held, no answer leaves.
    pub fn log(&self) -> MutexGuard<'_, Vec<Received>> {
        self.shared.lock()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        // Wakes the acceptor, which then sees that it is over; refused if it is gone already.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Received>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().map_while(Result::ok) {
        if shared.is_over.load(Ordering::Acquire) {
            return;
        }
        let shared = Arc::clone(shared);
        // A connection that breaks is its caller's loss; the log has what came in.
        std::thread::spawn(move || drop(serve(stream, &shared)));
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(message) = connection::read_message(&mut stream)? {
        let header = |name: &str| message.header(name).unwrap_or_default().to_owned();
        let received = Received {
            path: message.start.split(' ').nth(1).unwrap_or_default().to_owned(),
            key: header("idempotency-key"),
            invocation: header("x-tollgate-invocation-id"),
            arguments: serde_json::from_slice(&message.body).unwrap_or(Value::Null),
            answered: None,
        };
        let reaction = (shared.react)(&received);
        let place = {
            let mut log = shared.lock();
            log.push(received);
            log.len() - 1
        };
        patience::pause(Duration::from_millis(reaction.after_ms));
        if let Some(entry) = shared.lock().get_mut(place) {
            entry.answered = Some(reaction.status);
        }
        let body = reaction.body.to_string();
        let head = format!(
            "HTTP/1.1 {} Done\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            reaction.status,
            body.len()
        );
        stream.get_mut().write_all(head.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
