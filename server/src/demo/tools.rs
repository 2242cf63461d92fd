//! The demonstration's own upstream: small tools that really do what they say, on loopback.
//!
//! `text_stats` and `unit_convert` have fixed prices in mind, `summarize` reports what it used and can be priced by it,
//! `sleepy` takes its time, and `flaky` fails on demand.

use std::{net::SocketAddr, time::Duration};

use actix_web::{
    App, HttpResponse, HttpServer, ResponseError, dev::ServerHandle, error::InternalError, http::StatusCode, web,
};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinHandle;

mod text;
mod units;

/// The longest text that a tool takes, in characters.
pub const TEXT_CHARS_MAX: usize = 100_000;
/// The most sentences that `summarize` considers in one call. At half a credit each this bounds its price.
pub const SENTENCES_CONSIDERED_MAX: usize = 200;
/// The longest that `sleepy` waits, in milliseconds.
pub const SLEEP_MS_MAX: u64 = 20_000;

const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// One tool, as the demonstration's catalog lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoTool {
    /// Its name within the demonstration's namespace.
    pub name: &'static str,
    /// One line for people.
    pub short_description: &'static str,
    /// The JSON Schema of its arguments, as text.
    pub input_schema: &'static str,
    /// Where it is served, to be appended to `http://{address}`.
    pub path: &'static str,
    /// For a tool that can be priced by what it returns.
    pub returned_credits: Option<ReturnedCredits>,
    /// Arguments that it accepts, as JSON text, for ready-to-paste calls.
    pub example_arguments: &'static str,
}

/// How a tool reports what a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnedCredits {
    /// Where the number of credits stands in the result (RFC 9535).
    pub path: &'static str,
    /// The most that one call can report, in credits.
    pub credits_max: u32,
}

/// The tools, in the order in which they are best shown.
pub fn tools() -> &'static [DemoTool] {
    &TOOLS
}

static TOOLS: [DemoTool; 5] = [
    DemoTool {
        name: "text_stats",
        short_description: "Counts characters, words and sentences of a text and estimates its reading time",
        input_schema: r#"{"type":"object","properties":{"text":{"type":"string","maxLength":100000,"description":"The text to measure"}},"required":["text"],"additionalProperties":false}"#,
        path: "/text_stats",
        returned_credits: None,
        example_arguments: r#"{"text":"The quick brown fox jumps over the lazy dog."}"#,
    },
    DemoTool {
        name: "unit_convert",
        short_description: "Converts between units of length, mass and temperature",
        input_schema: r#"{"type":"object","properties":{"value":{"type":"number"},"from":{"type":"string","enum":["mm","cm","m","km","in","ft","yd","mi","nmi","mg","g","kg","t","oz","lb","st","C","F","K"]},"to":{"type":"string","enum":["mm","cm","m","km","in","ft","yd","mi","nmi","mg","g","kg","t","oz","lb","st","C","F","K"]}},"required":["value","from","to"],"additionalProperties":false}"#,
        path: "/unit_convert",
        returned_credits: None,
        example_arguments: r#"{"value":26.2188,"from":"mi","to":"km"}"#,
    },
    DemoTool {
        name: "summarize",
        short_description: "Picks the sentences that say most about a text; priced by the sentences considered",
        input_schema: r#"{"type":"object","properties":{"text":{"type":"string","maxLength":100000,"description":"The text to summarise, at most 200 sentences"},"sentences":{"type":"integer","minimum":1,"maximum":20,"default":3,"description":"How many sentences to keep"}},"required":["text"],"additionalProperties":false}"#,
        path: "/summarize",
        returned_credits: Some(ReturnedCredits { path: "$.usage.credits", credits_max: 100 }),
        example_arguments: r#"{"text":"Rust is a language. The compiler checks memory. Memory errors are bugs that the compiler finds.","sentences":1}"#,
    },
    DemoTool {
        name: "sleepy",
        short_description: "Waits as many milliseconds as asked, then answers",
        input_schema: r#"{"type":"object","properties":{"ms":{"type":"integer","minimum":0,"maximum":20000,"description":"How long to wait"}},"required":["ms"],"additionalProperties":false}"#,
        path: "/sleepy",
        returned_credits: None,
        example_arguments: r#"{"ms":1500}"#,
    },
    DemoTool {
        name: "flaky",
        short_description: "Works, or fails with an error of its own when asked to",
        input_schema: r#"{"type":"object","properties":{"fail":{"type":"boolean","default":false,"description":"Whether to fail"}},"additionalProperties":false}"#,
        path: "/flaky",
        returned_credits: None,
        example_arguments: r#"{"fail":true}"#,
    },
];

/// The running server. Dropping it leaves the server running until the process ends.
#[derive(Debug)]
pub struct DemoServer {
    handle: ServerHandle,
    task: JoinHandle<std::io::Result<()>>,
}

impl DemoServer {
    /// Stops taking calls, lets open ones end, and returns when the server has stopped.
    ///
    /// # Errors
    ///
    /// The server had failed, or its task had died.
    pub async fn stop(self) -> std::io::Result<()> {
        self.handle.stop(true).await;
        self.task.await.map_err(std::io::Error::other)?
    }
}

/// Serves the tools on a free port of `127.0.0.1` and says on which.
///
/// # Errors
///
/// No port could be opened.
#[expect(clippy::unused_async, reason = "being polled is the proof that there is a runtime to spawn on")]
pub async fn serve() -> std::io::Result<(SocketAddr, DemoServer)> {
    let server = HttpServer::new(|| App::new().configure(configure))
        .workers(1)
        // longer than Tollgate keeps a connection idle, so that it is never this side that closes first
        .keep_alive(Duration::from_secs(75))
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
    let address = server.addrs().first().copied().ok_or_else(|| std::io::Error::other("no address was bound"))?;
    let server = server.run();
    let handle = server.handle();
    let task = tokio::spawn(server);
    Ok((address, DemoServer { handle, task }))
}

fn configure(service: &mut web::ServiceConfig) {
    let json = web::JsonConfig::default().limit(BODY_BYTES_MAX).error_handler(|error, _request| {
        let response = refusal(StatusCode::BAD_REQUEST, &error.to_string());
        InternalError::from_response(error, response).into()
    });
    service
        .app_data(json)
        .route("/text_stats", web::post().to(text_stats))
        .route("/unit_convert", web::post().to(unit_convert))
        .route("/summarize", web::post().to(summarize))
        .route("/sleepy", web::post().to(sleepy))
        .route("/flaky", web::post().to(flaky));
}

/// Why a tool does not take its arguments. Answered with 422.
#[derive(Debug, PartialEq, thiserror::Error)]
enum ToolRefusal {
    #[error("`text` has more than {TEXT_CHARS_MAX} characters")]
    TextTooLong,
    #[error("`text` has {0} sentences, more than {SENTENCES_CONSIDERED_MAX}")]
    TooManySentences(usize),
    #[error("`sentences` is not between 1 and 20")]
    SentencesOutOfRange,
    #[error("unknown unit `{0}`")]
    UnknownUnit(String),
    #[error("`{from}` and `{to}` do not measure the same thing")]
    UnitMismatch { from: String, to: String },
    #[error("`value` is out of range")]
    ValueOutOfRange,
    #[error("`ms` is more than {SLEEP_MS_MAX}")]
    SleepTooLong,
}

impl ResponseError for ToolRefusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::UNPROCESSABLE_ENTITY
    }

    fn error_response(&self) -> HttpResponse {
        refusal(self.status_code(), &self.to_string())
    }
}

fn refusal(status: StatusCode, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "error": { "message": message } }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextStats {
    text: String,
}

async fn text_stats(arguments: web::Json<TextStats>) -> Result<HttpResponse, ToolRefusal> {
    check_length(&arguments.text)?;
    let stats = text::measure(&arguments.text);
    Ok(HttpResponse::Ok().json(json!({
        "characters": stats.characters,
        "characters_without_spaces": stats.characters_without_spaces,
        "words": stats.words,
        "unique_words": stats.unique_words,
        "sentences": stats.sentences,
        "paragraphs": stats.paragraphs,
        "reading_time_s": stats.reading_time_s,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitConvert {
    value: f64,
    from: String,
    to: String,
}

async fn unit_convert(arguments: web::Json<UnitConvert>) -> Result<HttpResponse, ToolRefusal> {
    let UnitConvert { value, from, to } = arguments.into_inner();
    let converted = units::convert(value, &from, &to)?;
    Ok(HttpResponse::Ok().json(json!({ "value": converted, "unit": to, "from": { "value": value, "unit": from } })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Summarize {
    text: String,
    #[serde(default = "default_sentences")]
    sentences: usize,
}

const fn default_sentences() -> usize {
    3
}

async fn summarize(arguments: web::Json<Summarize>) -> Result<HttpResponse, ToolRefusal> {
    let Summarize { text, sentences } = arguments.into_inner();
    check_length(&text)?;
    if !(1..=20).contains(&sentences) {
        return Err(ToolRefusal::SentencesOutOfRange);
    }
    let all = text::split_sentences(&text);
    let considered = u32::try_from(all.len()).ok().filter(|_| all.len() <= SENTENCES_CONSIDERED_MAX);
    let considered = considered.ok_or(ToolRefusal::TooManySentences(all.len()))?;
    let kept = text::pick_sentences(&all, sentences);
    Ok(HttpResponse::Ok().json(json!({
        "summary": kept.join(" "),
        "sentences_kept": kept.len(),
        // halves are exact in binary, so the number is written as `1.5`, never as `1.4999…`
        "usage": { "sentences_considered": considered, "credits": f64::from(considered) / 2.0 },
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sleepy {
    ms: u64,
}

async fn sleepy(arguments: web::Json<Sleepy>) -> Result<HttpResponse, ToolRefusal> {
    if arguments.ms > SLEEP_MS_MAX {
        return Err(ToolRefusal::SleepTooLong);
    }
    tokio::time::sleep(Duration::from_millis(arguments.ms)).await;
    Ok(HttpResponse::Ok().json(json!({ "slept_ms": arguments.ms })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flaky {
    #[serde(default)]
    fail: bool,
}

async fn flaky(arguments: web::Json<Flaky>) -> HttpResponse {
    if arguments.fail {
        refusal(StatusCode::INTERNAL_SERVER_ERROR, "failed, as asked")
    } else {
        HttpResponse::Ok().json(json!({ "failed": false }))
    }
}

fn check_length(text: &str) -> Result<(), ToolRefusal> {
    if text.chars().nth(TEXT_CHARS_MAX).is_none() { Ok(()) } else { Err(ToolRefusal::TextTooLong) }
}

#[cfg(test)]
mod tests;
