use serde_json::Value;

use super::*;

/// Calls a tool over HTTP and gives back status and body.
async fn post(address: SocketAddr, path: &str, body: &str) -> (u16, Value) {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(
            rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(
                rustls::crypto::aws_lc_rs::default_provider(),
            ))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth(),
        )
        .no_proxy()
        .build()
        .unwrap();
    let request = client.post(format!("http://{address}{path}")).header("content-type", "application/json");
    let response = request.body(body.to_owned()).send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body:?}")))
}

#[actix_web::test]
async fn each_tool_answers_with_what_it_computed() {
    let (address, server) = serve().await.unwrap();
    let long = "word ".repeat(238);
    let cases: &[(&str, Value, Value)] = &[
        (
            "/text_stats",
            json!({ "text": "One two. Two, THREE!\n\nVier fünf?" }),
            json!({ "characters": 32, "characters_without_spaces": 26, "words": 6, "unique_words": 5, "sentences": 3,
                    "paragraphs": 2, "reading_time_s": 2 }),
        ),
        (
            "/text_stats",
            json!({ "text": "" }),
            json!({ "characters": 0, "characters_without_spaces": 0, "words": 0, "unique_words": 0, "sentences": 0,
                    "paragraphs": 0, "reading_time_s": 0 }),
        ),
        (
            "/text_stats",
            json!({ "text": long }),
            json!({ "characters": 1190, "characters_without_spaces": 952, "words": 238, "unique_words": 1, "sentences": 1,
                    "paragraphs": 1, "reading_time_s": 60 }),
        ),
        (
            "/unit_convert",
            json!({ "value": 26.2, "from": "mi", "to": "km" }),
            json!({ "value": 42.164_812_8, "unit": "km", "from": { "value": 26.2, "unit": "mi" } }),
        ),
        (
            "/unit_convert",
            json!({ "value": -40, "from": "C", "to": "F" }),
            json!({ "value": -40.0, "unit": "F", "from": { "value": -40.0, "unit": "C" } }),
        ),
        (
            "/unit_convert",
            json!({ "value": 3, "from": "lb", "to": "g" }),
            json!({ "value": 1_360.777_11, "unit": "g", "from": { "value": 3.0, "unit": "lb" } }),
        ),
        (
            "/summarize",
            json!({ "text": "Rust is a language. The compiler checks memory. Memory errors are bugs that the compiler finds.", "sentences": 1 }),
            json!({ "summary": "The compiler checks memory.", "sentences_kept": 1,
                    "usage": { "sentences_considered": 3, "credits": 1.5 } }),
        ),
        (
            "/summarize",
            json!({ "text": "Dr. e.g. nobody. Version 1.5 is out" }),
            json!({ "summary": "Dr. e.g. nobody. Version 1.5 is out", "sentences_kept": 2,
                    "usage": { "sentences_considered": 2, "credits": 1.0 } }),
        ),
        (
            "/summarize",
            json!({ "text": " \n" }),
            json!({ "summary": "", "sentences_kept": 0, "usage": { "sentences_considered": 0, "credits": 0.0 } }),
        ),
        ("/sleepy", json!({ "ms": 20 }), json!({ "slept_ms": 20 })),
        ("/flaky", json!({}), json!({ "failed": false })),
        ("/flaky", json!({ "fail": false }), json!({ "failed": false })),
    ];
    for (path, arguments, expected) in cases {
        let (status, body) = post(address, path, &arguments.to_string()).await;
        assert_eq!((status, &body), (200, expected), "{path} {arguments}");
    }
    server.stop().await.unwrap();
}

#[actix_web::test]
async fn what_a_tool_cannot_do_is_refused_with_a_message() {
    let (address, server) = serve().await.unwrap();
    let too_long = json!({ "text": "x".repeat(TEXT_CHARS_MAX + 1) }).to_string();
    let too_many = json!({ "text": "Yes. ".repeat(SENTENCES_CONSIDERED_MAX + 1) }).to_string();
    let cases = [
        ("/text_stats", too_long.as_str(), 422, "`text` has more than 100000 characters"),
        ("/summarize", too_many.as_str(), 422, "`text` has 201 sentences, more than 200"),
        ("/summarize", r#"{"text":"a","sentences":0}"#, 422, "`sentences` is not between 1 and 20"),
        ("/summarize", r#"{"text":"a","sentences":21}"#, 422, "`sentences` is not between 1 and 20"),
        ("/unit_convert", r#"{"value":1,"from":"parsec","to":"m"}"#, 422, "unknown unit `parsec`"),
        ("/unit_convert", r#"{"value":1,"from":"kg","to":"m"}"#, 422, "`kg` and `m` do not measure the same thing"),
        ("/unit_convert", r#"{"value":-1,"from":"K","to":"C"}"#, 422, "`value` is out of range"),
        ("/unit_convert", r#"{"value":1e308,"from":"t","to":"mg"}"#, 422, "`value` is out of range"),
        ("/sleepy", r#"{"ms":20001}"#, 422, "`ms` is more than 20000"),
        ("/flaky", r#"{"fail":true}"#, 500, "failed, as asked"),
    ];
    for (path, arguments, expected_status, message) in cases {
        let (status, body) = post(address, path, arguments).await;
        assert_eq!((status, body), (expected_status, json!({ "error": { "message": message } })), "{path}");
    }
    for body in ["", "{", "[]", r#"{"unknown":1}"#, r#"{"text":5,"value":"a","ms":-1,"fail":"x"}"#] {
        for tool in tools().iter().filter(|tool| (tool.name, body) != ("flaky", "[]")) {
            let (status, answer) = post(address, tool.path, body).await;
            assert_eq!(status, 400, "{} {body}", tool.path);
            assert!(answer.pointer("/error/message").is_some_and(Value::is_string), "{answer}");
        }
    }
    server.stop().await.unwrap();
}

#[actix_web::test]
async fn every_listed_tool_is_served_and_takes_its_own_example() {
    let (address, server) = serve().await.unwrap();
    for tool in tools() {
        let schema: Value = serde_json::from_str(tool.input_schema).unwrap();
        assert_eq!(schema["type"], "object", "{}", tool.name);
        let (status, _) = post(address, tool.path, tool.example_arguments).await;
        assert_eq!(status, if tool.name == "flaky" { 500 } else { 200 }, "{}", tool.name);
    }
    let symbols = serde_json::from_str::<Value>(tools()[1].input_schema).unwrap();
    for symbol in symbols["properties"]["from"]["enum"].as_array().unwrap() {
        let symbol = symbol.as_str().unwrap();
        assert_eq!(units::convert(5.0, symbol, symbol), Ok(5.0), "{symbol}");
    }
    let most = json!({ "text": "Yes. ".repeat(SENTENCES_CONSIDERED_MAX), "sentences": 20 }).to_string();
    let (_, body) = post(address, "/summarize", &most).await;
    assert_eq!(body["usage"]["credits"], f64::from(tools()[2].returned_credits.unwrap().credits_max));
    server.stop().await.unwrap();
    let refused = std::net::TcpStream::connect(address);
    assert!(refused.is_err(), "still listening after the stop");
}
