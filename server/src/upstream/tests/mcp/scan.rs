//! Which tools a server says that it has.

use engine::{catalog::CredentialPlace, upstream::Credential};

use super::*;
use crate::upstream::{FoundTool, ScanError};

/// A server that answers a request for its tools with what `on_list` says, and remembers the heads of all requests.
fn lister(on_list: impl Fn(&Value) -> String + Send + Sync + 'static) -> (Hostile, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&heads);
    let record = Record::default();
    let hostile = Hostile::start(move |connection| {
        while let Some((head, body)) = connection.read_request() {
            let message: Value = serde_json::from_str(&body).unwrap_or_default();
            let verb = head.split(' ').next().unwrap_or_default();
            let method = message["method"].as_str().unwrap_or(verb).to_owned();
            heard.lock().unwrap().push(head);
            let bytes = match method.as_str() {
                "tools/list" => on_list(&message).into_bytes(),
                method => polite(&record, method, &message),
            };
            connection.write(&bytes);
        }
    });
    (hostile, heads)
}

async fn scan(server: &Hostile, within: Duration) -> Result<Vec<FoundTool>, ScanError> {
    upstreams(allow_private()).list_mcp_tools(&server.url("/mcp"), None, within).await
}

fn page(tools: &Value, next: Option<&str>) -> String {
    match next {
        Some(next) => json!({"tools": tools, "nextCursor": next}).to_string(),
        None => json!({"tools": tools}).to_string(),
    }
}

#[tokio::test]
async fn all_pages_are_read_with_the_secret_and_no_other_host_hears_it() {
    let (server, heads) = lister(|message| {
        let tool = |name: &str| json!([{"name": name, "description": "d", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}}]);
        let text = match message["params"]["cursor"].as_str() {
            None => page(&tool("a"), Some("2")),
            Some("2") => page(&tool("b"), None),
            Some(_) => page(&json!([]), None),
        };
        reply(message, &text)
    });
    let credential = Credential::new(
        "Bearer 0123456789".into(),
        "Authorization".to_owned(),
        CredentialPlace::Header,
        &server.url("/"),
    );
    let upstreams = upstreams(allow_private());
    let wait = Duration::from_secs(10);
    let found = upstreams.list_mcp_tools(&server.url("/mcp"), credential.map(Arc::new), wait).await.unwrap();
    assert_eq!(found.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(found[0].input_schema, r#"{"type":"object"}"#);
    assert_eq!(found[0].annotations, json!({"readOnlyHint": true}));
    let heads = heads.lock().unwrap().clone();
    assert!(
        heads.len() >= 3 && heads.iter().all(|head| head.contains("authorization: Bearer 0123456789")),
        "{heads:?}"
    );
    // a secret that is for another host goes nowhere
    let other =
        Credential::new("0123456789".into(), "X-Key".to_owned(), CredentialPlace::Header, "https://example.com");
    let (server, heads) = lister(|message| reply(message, &page(&json!([]), None)));
    let refused = upstreams.list_mcp_tools(&server.url("/mcp"), other.map(Arc::new), wait).await.unwrap_err();
    assert!(matches!(refused, ScanError::NoSession(_)), "{refused:?}");
    assert_eq!(*heads.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_names_its_secret_there_tells_it_to_nobody() {
    let wait = Duration::from_secs(10);
    let credential = |server: &Hostile| {
        let secret = "Bearer ab/cd+0123456789";
        let place = CredentialPlace::Header;
        Credential::new(secret.into(), "Authorization".to_owned(), place, &server.url("/")).map(Arc::new)
    };
    let upstreams = upstreams(allow_private());
    let (server, _) = lister(|message| {
        let long = format!("{} ab/cd+0123456789", "x".repeat(engine::limits::DESCRIPTION_CHARS_MAX - 10));
        let text = json!({"tools": [
            {
                "name": "ab/cd+0123456789", "title": "ab%2Fcd%2B0123456789", "description": "as ab/cd+0123456789",
                "inputSchema": {"type": "object", "properties": {"ab/cd+0123456789": {"default": "Bearer ab%2fcd%2b0123456789"}}},
                "annotations": {"title": "ab/cd+0123456789"},
            },
            {"name": "b", "title": format!("{}ab/cd+0123456789", "y".repeat(190)), "description": long, "inputSchema": {}},
        ]});
        reply(message, &text.to_string().replace("as ab/cd+", r"as ab\/cd\u002B"))
    });
    let found = upstreams.list_mcp_tools(&server.url("/mcp"), credential(&server), wait).await.unwrap();
    let told = format!("{found:?}");
    assert!(!told.contains("ab/c") && !told.to_lowercase().contains("ab%2fc") && !told.contains("01234"), "{told}");
    assert_eq!((found[0].name.as_str(), found[0].description.as_str()), ("[credential]", "as [credential]"));
    assert_eq!(found[0].title.as_deref(), Some("[credential]"));
    assert_eq!(found[0].annotations, json!({"title": "[credential]"}));
    let schema: Value = serde_json::from_str(&found[0].input_schema).unwrap();
    assert_eq!(schema["properties"], json!({"[credential]": {"default": "[credential]"}}));
    // nor in why it does not list them
    let (server, _) = lister(|message| {
        let error = json!({"code": -32000, "message": format!("{}ab/cd+0123456789", "z".repeat(180))});
        let body = json!({"jsonrpc": "2.0", "id": message["id"], "error": error}).to_string();
        answer("200 OK", "application/json", &body)
    });
    let refused = upstreams.list_mcp_tools(&server.url("/mcp"), credential(&server), wait).await.unwrap_err();
    assert!(matches!(refused, ScanError::Refused(_)), "{refused:?}");
    assert!(!format!("{refused:?} {refused}").contains("ab/c"), "{refused:?}");
}

#[tokio::test]
async fn where_a_name_leads_is_for_the_log_alone() {
    let within = std::net::IpAddr::from([10, 1, 2, 3]);
    let (upstreams, _) = upstreams_with_names(EgressRules::default(), move |_, _| vec![within]);
    let wait = Duration::from_secs(10);
    let scanned = upstreams.list_mcp_tools("https://inside.example/mcp", None, wait).await.unwrap_err();
    let fetched = upstreams.fetch_text("https://inside.example/a.md", 1_000, wait).await.unwrap_err();
    let told = "there is no connection, none is allowed, or it broke";
    assert_eq!(scanned.to_string(), format!("the MCP server cannot be reached: {told}"));
    assert_eq!(fetched.to_string(), format!("cannot be fetched: {told}"));
    for details in [scanned.details(), fetched.details()] {
        assert!(details.is_some_and(|details| details.contains("10.1.2.3")), "{details:?}");
    }
}

#[tokio::test]
async fn a_webhook_at_a_closed_name_is_refused_alike_wherever_the_name_leads() {
    let told = "may not be called: its host has no address, or none that is allowed";
    let cases: [(&str, &[[u8; 4]], &str); 5] = [
        ("nowhere", &[], "no address"),
        ("within", &[[10, 1, 2, 3]], "10.1.2.3"),
        ("here", &[[127, 0, 0, 1]], "127.0.0.1"),
        ("a cloud's metadata", &[[169, 254, 169, 254]], "169.254.169.254"),
        ("within, twice", &[[192, 168, 0, 1], [10, 1, 2, 3]], "10.1.2.3"),
    ];
    for (name, addresses, logged) in cases {
        let found: Vec<std::net::IpAddr> = addresses.iter().copied().map(std::net::IpAddr::from).collect();
        let (upstreams, asked) = upstreams_with_names(EgressRules::default(), move |_, _| found.clone());
        let refused = upstreams.check_hook("https://inside.example/told").await.unwrap_err();
        assert_eq!((refused.to_string().as_str(), asked.load(Ordering::Relaxed)), (told, 1), "{name}");
        assert!(refused.details().is_some_and(|details| details.contains(logged)), "{name}: {refused:?}");
    }
    // What the URL itself says is no secret.
    let (upstreams, _) = upstreams_with_names(EgressRules::default(), |_, _| Vec::new());
    let refused = upstreams.check_hook("https://10.1.2.3/told").await.unwrap_err();
    assert!(refused.to_string().contains("10.1.2.3") && refused.details().is_none(), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_list_of_tools_is_a_clear_error() {
    for result in [
        "{}",
        "[]",
        "\"hello\"",
        r#"{"tools":{}}"#,
        r#"{"tools":[{"description":"no name"}]}"#,
        r#"{"tools":[{"name":"a"}]}"#,
        r#"{"tools":[{"name":"a","inputSchema":[]}]}"#,
        r#"{"tools":[{"name":"","inputSchema":{}}]}"#,
    ] {
        let (server, _) = lister(move |message| reply(message, result));
        let error = scan(&server, Duration::from_secs(10)).await.unwrap_err();
        assert!(matches!(error, ScanError::Refused(_)), "{result}: {error:?}");
    }
    let same = r#"{"tools":[{"name":"a","inputSchema":{}},{"name":"a","inputSchema":{}}]}"#;
    let (server, _) = lister(move |message| reply(message, same));
    let error = scan(&server, Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(error, ScanError::TooMuch(_)), "{error:?}");
}

#[tokio::test]
async fn a_list_without_end_is_left() {
    let pages = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&pages);
    let (server, _) = lister(move |message| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        reply(message, &page(&json!([]), Some(&format!("page-{number}"))))
    });
    let error = scan(&server, Duration::from_secs(30)).await.unwrap_err();
    assert!(matches!(error, ScanError::TooMuch(_)), "{error:?}");
    assert!(pages.load(Ordering::SeqCst) <= 100, "{pages:?}");
    // the same page again
    let (server, _) = lister(|message| reply(message, &page(&json!([]), Some("again"))));
    let error = scan(&server, Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(error, ScanError::TooMuch(_)), "{error:?}");
    // one page with too many
    let many: Vec<_> = (0..1_001).map(|number| json!({"name": format!("t{number}"), "inputSchema": {}})).collect();
    let (server, _) = lister(move |message| reply(message, &page(&json!(many), None)));
    let error = scan(&server, Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(error, ScanError::TooMuch(_)), "{error:?}");
    // pages of tools that say too much, wherever they do
    for place in ["description", "annotations"] {
        let pages = AtomicUsize::new(0);
        let (server, _) = lister(move |message| {
            let number = pages.fetch_add(1, Ordering::SeqCst);
            let said = json!({"title": "x".repeat(1 << 20)});
            let said = if place == "description" { said["title"].clone() } else { said };
            let tool = json!({"name": format!("t{number}"), "inputSchema": {}, place: said});
            let next = format!("page-{number}");
            reply(message, &page(&json!([tool]), (number < 20).then_some(&*next)))
        });
        let error = scan(&server, Duration::from_secs(30)).await;
        let is_left = matches!(&error, Err(ScanError::TooMuch(_)));
        // Of a description only the beginning is kept.
        assert_eq!(is_left, place == "annotations", "{place}: {:?}", error.map(|tools| tools.len()));
    }
}

#[tokio::test]
async fn a_server_that_hangs_or_is_not_there_is_left_in_time() {
    let (server, _) = lister(|_| String::new());
    let started = Instant::now();
    let error = scan(&server, Duration::from_millis(700)).await.unwrap_err();
    assert!(matches!(error, ScanError::Late(_)), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let upstreams = upstreams(EgressRules::default());
    let error = upstreams.list_mcp_tools(&server.url("/mcp"), None, Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(error, ScanError::NoSession(_)), "{error:?}");
}

#[tokio::test]
async fn who_stops_waiting_stops_the_asking() {
    let (server, heads) = lister(|_| String::new());
    let (upstreams, url) = (upstreams(allow_private()), server.url("/mcp"));
    let heard = |verb: &str| heads.lock().unwrap().iter().filter(|head| head.starts_with(verb)).count();
    let until = async |verb: &str, count: usize| {
        let started = Instant::now();
        while heard(verb) < count {
            assert!(started.elapsed() < Duration::from_secs(9), "{verb} {count}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    {
        let asking = upstreams.list_mcp_tools(&url, None, Duration::from_secs(60));
        tokio::select! {
            found = asking => panic!("it hangs: {found:?}"),
            // the session, that it is open, and the tools
            () = until("POST ", 3) => {}
        }
    }
    until("DELETE ", 1).await;
}
