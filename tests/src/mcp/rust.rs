//! The server written with `rmcp`: a runtime and a port of its own.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use hyper::{Request, body::Incoming, http::request::Parts, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, InitializeRequestParams,
        InitializeResult, JsonObject, ListToolsResult, MetaObject, PaginatedRequestParams, ServerCapabilities,
        ServerConfig, Tool,
    },
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

use super::{Called, McpServer};

/// A running server. It ends when dropped, with all connections and sessions.
#[derive(Debug)]
pub struct RustServer {
    runtime: Option<Runtime>,
    address: SocketAddr,
    seen: Seen,
}

#[derive(Debug, Clone, Default)]
struct Seen {
    opened: Arc<AtomicUsize>,
    calls: Arc<Mutex<Vec<Called>>>,
}

impl RustServer {
    /// One that answers in events, as the library does by itself.
    ///
    /// # Panics
    /// No port is free.
    pub fn start() -> Self {
        Self::launch("127.0.0.1:0".parse().expect("an address"), Seen::default())
    }

    fn launch(address: SocketAddr, seen: Seen) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let tools = seen.clone();
        let service = StreamableHttpService::new(
            move || Ok(Tools(tools.clone())),
            Arc::new(LocalSessionManager::default()),
            StreamableHttpServerConfig::default(),
        );
        let listener = runtime.block_on(TcpListener::bind(address)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                let answer = service_fn(move |request: Request<Incoming>| {
                    let service = service.clone();
                    async move { Ok::<_, Infallible>(service.handle(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        Self { runtime: Some(runtime), address, seen }
    }

    fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // waits for the task that listens, and for nothing that a client could hold up
            runtime.shutdown_timeout(std::time::Duration::from_secs(10));
        }
    }
}

impl McpServer for RustServer {
    fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    fn opened(&self) -> usize {
        self.seen.opened.load(Ordering::SeqCst)
    }

    fn calls(&self, tool: &str) -> Vec<Called> {
        let calls = self.seen.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| call.tool == tool).cloned().collect()
    }

    fn restart(mut self) -> Self {
        let (address, seen) = (self.address, self.seen.clone());
        self.end();
        Self::launch(address, seen)
    }
}

impl Drop for RustServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// The tools.
#[derive(Debug, Clone)]
struct Tools(Seen);

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        self.0.opened.fetch_add(1, Ordering::SeqCst);
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request)
    }

    /// On two pages.
    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let is_second = request.is_some_and(|request| request.cursor.is_some());
        let (first, second) = NAMES.split_at(2);
        let names = if is_second { second } else { first };
        let mut page = ListToolsResult::with_all_items(names.iter().map(|name| described(name)).collect());
        page.next_cursor = (!is_second).then(|| "2".to_owned());
        Ok(page)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.clone().unwrap_or_default());
        let parts = context.extensions.get::<Parts>();
        let header = |name: &str| {
            let value = parts.and_then(|parts| parts.headers.get(name)).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner).push(Called {
            tool: request.name.to_string(),
            arguments: arguments.clone(),
            meta: json!(context.meta),
            invocation: header("x-tollgate-invocation-id"),
            idempotency_key: header("idempotency-key"),
            key: header("x-key"),
            query: parts.and_then(|parts| parts.uri.query()).unwrap_or_default().to_owned(),
            session: header("mcp-session-id"),
        });
        answer(&request.name, &arguments).await.map(CallToolResponse::from)
    }
}

/// The names of the tools.
const NAMES: [&str; 7] = ["echo", "say", "say_json", "refuse", "priced", "priced_beside", "hang"];

/// A tool as the server describes it.
fn described(name: &'static str) -> Tool {
    let properties = match name {
        "echo" => json!({"q": {"type": "string"}}),
        "priced" | "priced_beside" => json!({"cost": {"type": "number"}}),
        _ => json!({}),
    };
    let schema = json!({"type": "object", "properties": properties});
    let schema: JsonObject = schema.as_object().cloned().unwrap_or_default();
    Tool::new(name, format!("The tool {name}.\nOf the tests."), schema)
}

/// What the tools do.
async fn answer(tool: &str, arguments: &Value) -> Result<CallToolResult, ErrorData> {
    let text = |text: &str| CallToolResult::success(vec![ContentBlock::text(text)]);
    let cost = arguments.get("cost").cloned().unwrap_or_default();
    match tool {
        "echo" => Ok(CallToolResult::structured(json!({"said": arguments}))),
        "say" => Ok(text("hello, world")),
        "say_json" => Ok(text(r#"{"said": 1.50}"#)),
        "refuse" => Ok(CallToolResult::error(vec![ContentBlock::text("there is no such city")])),
        "priced" => Ok(CallToolResult::structured(json!({"cost": cost}))),
        "priced_beside" => {
            let mut result = CallToolResult::structured(json!({"rows": 3}));
            let meta = json!({"cost": cost});
            result.meta = meta.as_object().cloned().map(MetaObject::from);
            Ok(result)
        }
        "hang" => std::future::pending().await,
        other => Err(ErrorData::invalid_params(format!("there is no tool {other}"), None)),
    }
}
