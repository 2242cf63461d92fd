//! The load driver: a closed loop of keep-alive connections on one thread, the same for every side.
//!
//! Requests are built before the clock starts; a call costs one write, one read and a walk over the answer's head.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::LocalSet,
};

use crate::{
    failure::{Context as _, Failure, Outcome},
    wire,
};

/// The slowest call that the histogram can hold, in nanoseconds: a minute.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// An answer longer than this is broken.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Connections that may break before the run is given up.
const BROKEN_MAX: u64 = 100;

/// Digits of the counter that makes an idempotency key unique.
const KEY_DIGITS: usize = 16;

/// What to drive, and how hard. Read as JSON from standard input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The side to drive: where several processes share the work, the connections are dealt out to them in turn.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The path of the POST.
    pub(crate) path: String,
    /// Who calls; every call is made as one of them.
    pub(crate) callers: Vec<Caller>,
    /// The body, an object.
    pub(crate) body: serde_json::Value,
    /// With it every call carries an `idempotency_key` that begins with this text and is never used twice.
    pub(crate) key_prefix: Option<String>,
    /// Keep-alive connections, each with one call in flight.
    pub(crate) connections: usize,
    /// How long to go on.
    pub(crate) extent: Extent,
}

/// When a drive ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Extent {
    /// After one call as each caller; all are measured.
    EachCallerOnce,
    /// After a warm-up and a measured time, in milliseconds.
    Time {
        /// Driven but not measured.
        warm_up_ms: u64,
        /// Driven and measured.
        measured_ms: u64,
    },
}

/// One identity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Caller {
    /// The bearer token.
    pub(crate) token: String,
    /// Sent as `X-Faro-User`.
    pub(crate) end_user: Option<String>,
}

/// What a drive found. Written as JSON to standard output.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Drive {
    /// Calls answered with 200 within the measured time.
    pub(crate) calls: u64,
    /// The measured time in seconds.
    pub(crate) seconds: f64,
    /// The median latency in milliseconds.
    pub(crate) p50_ms: f64,
    /// The 99th percentile of the latency in milliseconds.
    pub(crate) p99_ms: f64,
    /// All answers of the whole drive by status, the warm-up included.
    pub(crate) answers: BTreeMap<u16, u64>,
    /// Connections that broke while a call was in flight.
    pub(crate) broken: u64,
    /// The first answer that was not 200, for the person who has to find out why.
    pub(crate) first_refusal: Option<String>,
}

impl Drive {
    /// Calls per second.
    pub(crate) fn per_s(&self) -> f64 {
        if self.seconds > 0.0 { count_f64(self.calls) / self.seconds } else { 0.0 }
    }

    /// Calls answered with 200, the warm-up included.
    pub(crate) fn paid_answers(&self) -> u64 {
        self.answers.get(&200).copied().unwrap_or_default()
    }

    /// Fails unless every call of the drive was answered with 200.
    pub(crate) fn check_clean(&self, side: &str) -> Outcome<()> {
        let others = self.answers.iter().filter(|(status, _)| **status != 200).map(|(_, count)| count).sum::<u64>();
        if others == 0 && self.broken == 0 && self.calls > 0 {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{side}: answers by status {:?}, {} broken connections; the first answer that was not 200: {}",
            self.answers,
            self.broken,
            self.first_refusal.as_deref().unwrap_or("none")
        )))
    }
}

/// A count as a float, exact up to 2^53.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts and nanoseconds of one run, below 2^53")]
pub(crate) fn count_f64(count: u64) -> f64 {
    count as f64
}

/// One request, ready to be written.
struct Prepared {
    bytes: Vec<u8>,
    /// Where the digits of the idempotency key stand.
    key_at: Option<usize>,
}

impl Prepared {
    fn new(plan: &Plan, address: SocketAddr, caller: &Caller) -> Self {
        let body = plan.body.to_string();
        let (before_key, after_key) = match &plan.key_prefix {
            Some(prefix) => {
                (format!(r#"{},"idempotency_key":"{prefix}"#, body.strip_suffix('}').unwrap_or_default()), r#""}"#)
            }
            None => (body, ""),
        };
        let digits = if plan.key_prefix.is_some() { "0".repeat(KEY_DIGITS) } else { String::new() };
        let body_bytes = before_key.len().saturating_add(digits.len()).saturating_add(after_key.len());
        let end_user = caller.end_user.as_ref().map(|user| format!("x-faro-user: {user}\r\n")).unwrap_or_default();
        let until_key = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n{end_user}content-type: application/json\r\n\
             content-length: {body_bytes}\r\n\r\n{before_key}",
            plan.path, address, caller.token
        );
        let key_at = plan.key_prefix.as_ref().map(|_| until_key.len());
        Self { bytes: format!("{until_key}{digits}{after_key}").into_bytes(), key_at }
    }

    /// Fills `buffer` with the request, its key made from `number`.
    fn write_into(&self, buffer: &mut Vec<u8>, number: u64) {
        buffer.clear();
        buffer.extend_from_slice(&self.bytes);
        let digits = self.key_at.and_then(|at| buffer.get_mut(at..at.saturating_add(KEY_DIGITS)));
        let mut rest = number;
        for digit in digits.into_iter().flatten().rev() {
            *digit = b"0123456789abcdef".get(usize::from(rest.to_le_bytes()[0] & 15)).copied().unwrap_or(b'0');
            rest >>= 4;
        }
    }
}

/// One process of the side, and the requests to it: one for each caller.
struct Target {
    address: SocketAddr,
    requests: Vec<Prepared>,
}

/// What the connections of one drive share; one thread, so plain cells do.
struct Shared {
    targets: Vec<Target>,
    callers: u64,
    next: Cell<u64>,
    extent: Extent,
    begin: Instant,
    end: Instant,
    latencies_ns: RefCell<Histogram<u64>>,
    found: RefCell<Drive>,
}

impl Shared {
    fn new(plan: &Plan) -> Outcome<Self> {
        let now = Instant::now();
        let (begin, end) = match plan.extent {
            Extent::EachCallerOnce => (now, now + Duration::from_mins(10)),
            Extent::Time { warm_up_ms, measured_ms } => {
                let begin = now + Duration::from_millis(warm_up_ms);
                (begin, begin + Duration::from_millis(measured_ms))
            }
        };
        if plan.callers.is_empty() || plan.connections == 0 || plan.addresses.is_empty() {
            return Err(Failure::new("a plan needs callers, connections and an address"));
        }
        let target = |address: &SocketAddr| Target {
            address: *address,
            requests: plan.callers.iter().map(|caller| Prepared::new(plan, *address, caller)).collect(),
        };
        let latencies_ns = Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).context(|| "histogram".to_owned())?;
        Ok(Self {
            targets: plan.addresses.iter().map(target).collect(),
            callers: u64::try_from(plan.callers.len()).unwrap_or(u64::MAX),
            next: Cell::new(0),
            extent: plan.extent,
            begin,
            end,
            latencies_ns: RefCell::new(latencies_ns),
            found: RefCell::default(),
        })
    }

    /// Puts the next request to `target` into `buffer`; `false` when the drive is over.
    fn prepare(&self, target: &Target, buffer: &mut Vec<u8>, now: Instant) -> bool {
        let number = self.next.get();
        let chosen = match self.extent {
            Extent::EachCallerOnce if number >= self.callers => return false,
            Extent::EachCallerOnce => number,
            Extent::Time { .. } if now >= self.end => return false,
            Extent::Time { .. } => scatter(number) % self.callers,
        };
        let Some(request) = usize::try_from(chosen).ok().and_then(|index| target.requests.get(index)) else {
            return false;
        };
        self.next.set(number.saturating_add(1));
        request.write_into(buffer, number);
        true
    }

    /// Counts one answer.
    fn record(&self, status: u16, answer: &[u8], asked: Instant, answered: Instant) {
        let mut found = self.found.borrow_mut();
        let count = found.answers.entry(status).or_default();
        *count = count.saturating_add(1);
        if status != 200 {
            if found.first_refusal.is_none() {
                found.first_refusal = Some(String::from_utf8_lossy(answer).into_owned());
            }
        } else if answered >= self.begin && answered <= self.end {
            found.calls = found.calls.saturating_add(1);
            let latency_ns = u64::try_from(answered.duration_since(asked).as_nanos()).unwrap_or(LATENCY_NS_MAX);
            self.latencies_ns.borrow_mut().saturating_record(latency_ns);
        }
    }

    /// Counts a connection that broke; fails when there were too many.
    fn record_broken(&self, cause: &Failure) -> Outcome<()> {
        let mut found = self.found.borrow_mut();
        found.broken = found.broken.saturating_add(1);
        if found.broken > BROKEN_MAX {
            return Err(Failure::new(format!("more than {BROKEN_MAX} connections broke, the last with: {cause}")));
        }
        Ok(())
    }
}

/// Spreads consecutive numbers evenly and without a pattern (the finaliser of splitmix64).
pub(crate) fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Reads a plan from standard input, drives it, writes what it found to standard output.
pub(crate) fn run() -> Outcome<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let plan: Plan = serde_json::from_str(&text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let found = runtime.block_on(LocalSet::new().run_until(drive(&plan)))?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&found)?)?;
    Ok(())
}

async fn drive(plan: &Plan) -> Outcome<Drive> {
    let shared = Rc::new(Shared::new(plan)?);
    let started = Instant::now();
    let connections: Vec<_> = (0..plan.connections)
        .map(|index| {
            let shared = Rc::clone(&shared);
            tokio::task::spawn_local(async move { keep_calling(&shared, index).await })
        })
        .collect();
    for connection in connections {
        connection.await.context(|| "a connection's task failed".to_owned())??;
    }
    let latencies_ns = shared.latencies_ns.borrow();
    let mut found = shared.found.borrow().clone();
    found.seconds = match plan.extent {
        Extent::EachCallerOnce => started.elapsed(),
        Extent::Time { measured_ms, .. } => Duration::from_millis(measured_ms),
    }
    .as_secs_f64();
    found.p50_ms = count_f64(latencies_ns.value_at_quantile(0.50)) / 1e6;
    found.p99_ms = count_f64(latencies_ns.value_at_quantile(0.99)) / 1e6;
    Ok(found)
}

/// One connection after the other until the drive is over; `index` says to which process.
async fn keep_calling(shared: &Shared, index: usize) -> Outcome<()> {
    let target = shared.targets.iter().cycle().nth(index).ok_or_else(|| Failure::new("nobody to call"))?;
    loop {
        let stream =
            TcpStream::connect(target.address).await.context(|| format!("cannot connect to `{}`", target.address))?;
        stream.set_nodelay(true)?;
        match call_until_over(shared, target, stream).await {
            Ok(()) => return Ok(()),
            Err(broken) => shared.record_broken(&broken)?,
        }
    }
}

async fn call_until_over(shared: &Shared, target: &Target, mut stream: TcpStream) -> Outcome<()> {
    let mut request = Vec::new();
    let mut answer = vec![0_u8; ANSWER_BYTES_MAX];
    let mut asked = Instant::now();
    while shared.prepare(target, &mut request, asked) {
        stream.write_all(&request).await?;
        let (status, answer_bytes) = read_answer(&mut stream, &mut answer).await?;
        let answered = Instant::now();
        shared.record(status, answer.get(..answer_bytes).unwrap_or_default(), asked, answered);
        asked = answered;
    }
    Ok(())
}

/// Reads one whole answer into `buffer`; returns its status and its length in bytes.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Outcome<(u16, usize)> {
    let mut filled: usize = 0;
    loop {
        let count = stream.read(buffer.get_mut(filled..).unwrap_or_default()).await?;
        if count == 0 {
            return Err(Failure::new("the connection ended inside an answer, or the answer is too long"));
        }
        filled = filled.saturating_add(count);
        let Some(head) = wire::parse_head(buffer.get(..filled).unwrap_or_default()) else { continue };
        let message = head.status.zip(head.message_bytes());
        let (status, answer_bytes) = message.ok_or_else(|| Failure::new("an answer without status or length"))?;
        if filled > answer_bytes {
            return Err(Failure::new("more bytes than the answer announced"));
        }
        if filled == answer_bytes {
            return Ok((status, answer_bytes));
        }
    }
}

#[cfg(test)]
mod tests;
