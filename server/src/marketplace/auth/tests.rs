use actix_web::{App, test, web::Data};
use engine::{
    audit::OpContext,
    credits::Credits,
    service::{
        movements::Note,
        purchases::{ConfirmError, Provider},
    },
};
use serde_json::{Value, json};

use crate::{
    app::{Engine, open_engine},
    config::{Config, ConfigSource, Environment, load},
    http::{
        auth::authenticate_auditor,
        limits::{AuthLimiter, DiscoveryLimiter, InvokeLimiter},
        routes::Mount,
    },
    mail::{Transport, send_due},
    marketplace::{auth::JwtKeys, credits, tokens},
    state::{AppState, InFlight},
    upstream::{EgressRules, HttpUpstreams},
};

struct House {
    state: AppState,
    folder: tempfile::TempDir,
    _writer: std::thread::JoinHandle<()>,
}

async fn house(more: &str) -> House {
    let folder = tempfile::tempdir().unwrap();
    let text =
        format!("{{database: {{url: 'sqlite://{0}/t.db'}}, mail: {{dir: '{0}/mail'}}{more}}}", folder.path().display());
    let source = ConfigSource::Text { name: "test".to_owned(), text };
    let config: Config = load(&source, &Environment::default()).unwrap().config;
    let Engine { services, writer, .. } = open_engine(&config).await.unwrap();
    let config = std::sync::Arc::new(config);
    let auth_limiter = std::sync::Arc::new(AuthLimiter::new(&config.limits));
    let exports = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
    let upstreams = HttpUpstreams::new(EgressRules::default(), std::sync::Arc::clone(&services.clock)).unwrap();
    let (upstreams, webhook_keys) = (std::sync::Arc::new(upstreams), crate::webhooks::WebhookKeys::new(&[7; 32]));
    let told = (&upstreams, &webhook_keys);
    let console = crate::console::open(&services, &config, &auth_limiter, &exports, told).unwrap();
    let state = AppState {
        console: std::sync::Arc::new(console),
        upstreams,
        invoke_limiter: std::sync::Arc::new(InvokeLimiter::new(&config.limits)),
        auth_limiter,
        discovery_limiter: std::sync::Arc::new(DiscoveryLimiter::new(&config.limits)),
        in_flight: std::sync::Arc::new(InFlight::default()),
        errands: std::sync::Arc::default(),
        exports,
        jwt: JwtKeys::new(&[7; 32]),
        webhook_keys,
        gateway: std::sync::Arc::new(crate::gateway::setup::gateway(&config, &"no caller of these has it".into())),
        config,
        services,
    };
    House { state, folder, _writer: writer }
}

impl House {
    /// Sends one request; gives status, body as text, and the headers.
    async fn send(&self, request: test::TestRequest) -> (u16, String) {
        let app = test::init_service(App::new().app_data(Data::new(self.state.clone())).configure(|routes| {
            let mut routes = Mount::on(routes);
            routes.configure(super::configure).configure(tokens::configure).configure(credits::configure);
        }))
        .await;
        let response = test::call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        (status, String::from_utf8(test::read_body(response).await.to_vec()).unwrap())
    }

    async fn json(&self, method: &str, path: &str, bearer: &str, body: Value) -> (u16, Value) {
        let request = test::TestRequest::with_uri(path)
            .method(method.parse().unwrap())
            .insert_header(("authorization", format!("Bearer {bearer}")))
            .set_payload(body.to_string());
        let (status, text) = self.send(request).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Sends the mails that are due and gives the path of the link in the newest one.
    async fn mailed_link(&self) -> String {
        let transport = Transport::new(&self.state.config.mail, "http://house").unwrap();
        assert_eq!(send_due(&self.state.services, &transport, i64::MAX / 2).await.unwrap(), 1);
        let mut mails: Vec<_> =
            std::fs::read_dir(self.folder.path().join("mail")).unwrap().map(|e| e.unwrap().path()).collect();
        mails.sort();
        let text = std::fs::read_to_string(mails.last().unwrap()).unwrap().replace("=\r\n", "");
        let (_, rest) = text.split_once("http://house").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    async fn post_form(&self, path: &str, form: &str) -> (u16, String) {
        self.send(test::TestRequest::post().uri(path).set_payload(form.to_owned())).await
    }
}

const PASSWORD: &str = "password=correct+horse+battery&again=correct+horse+battery";

#[actix_web::test]
async fn a_stranger_signs_up_confirms_signs_in_and_makes_a_token() {
    let house = house("").await;
    let (status, signup) = house.json("POST", "/auth/agent-signup", "", json!({"email": "Ann@Example.com"})).await;
    assert_eq!(status, 201, "{signup}");
    let key = signup["api_key"].as_str().unwrap().to_owned();
    assert_eq!(signup["token"], signup["api_key"]);
    assert!(key.starts_with("faro_") && key.len() == 48, "{key}");
    let (_, me) = house.json("GET", "/auth/me", &key, json!(null)).await;
    assert_eq!((&me["email"], &me["verified"]), (&json!("ann@example.com"), &json!(false)));
    let (status, refused) = house.json("POST", "/tokens/", &key, json!({"name": "more"})).await;
    assert_eq!((status, &refused["error"]["code"]), (403, &json!("session_required")));

    let link = house.mailed_link().await;
    for _ in 0..2 {
        let (status, page) = house.send(test::TestRequest::get().uri(&link)).await;
        assert!(status == 200 && page.contains("ann@example.com"), "looking uses nothing up: {page}");
    }
    assert_eq!(house.post_form(&link, "password=short&again=short").await.0, 422);
    let (status, page) = house.post_form(&link, PASSWORD).await;
    assert!(status == 200 && page.contains("/auth/login"), "{page}");
    assert_eq!(house.post_form(&link, PASSWORD).await.0, 410, "a link is used once");

    let login = json!({"email": "ann@example.com", "password": "correct horse battery"});
    let (status, session) = house.json("POST", "/auth/login", "", login).await;
    assert_eq!(status, 200, "{session}");
    let session = session["access_token"].as_str().unwrap();
    let (_, me) = house.json("GET", "/auth/me", session, json!(null)).await;
    assert_eq!(me["verified"], true);
    let (status, token) = house.json("POST", "/tokens/", session, json!({"name": "cli"})).await;
    assert_eq!(status, 201, "{token}");
    let second = token["token"].as_str().unwrap();
    let id = token["id"].as_str().unwrap();
    assert_eq!(house.json("GET", "/auth/me", second, json!(null)).await.0, 200);
    assert_eq!(house.json("DELETE", &format!("/tokens/{id}"), &key, json!(null)).await.0, 204);
    assert_eq!(house.json("GET", "/auth/me", second, json!(null)).await.0, 401, "revoked at once");
    let (_, listed) = house.json("GET", "/tokens/", &key, json!(null)).await;
    let active: Vec<_> = listed.as_array().unwrap().iter().map(|token| token["is_active"].clone()).collect();
    assert_eq!(active, [json!(false), json!(true)]);
}

#[actix_web::test]
async fn the_shown_link_sets_a_password_and_verifies_nothing() {
    let house = house("").await;
    let (_, signup) = house.json("POST", "/auth/agent-signup", "", json!({"email": "a@example.com"})).await;
    let url = signup["login_url"].as_str().unwrap();
    let path = url.split_once("18789").unwrap().1;
    assert_eq!(house.post_form(path, PASSWORD).await.0, 200);
    let key = signup["token"].as_str().unwrap();
    let (_, me) = house.json("GET", "/auth/me", key, json!(null)).await;
    assert_eq!((&me["verified"], &me["has_password"]), (&json!(false), &json!(true)));
    let mailed = house.mailed_link().await;
    assert_eq!(house.post_form(&mailed, PASSWORD).await.0, 200, "the mailed link still verifies");
    let (_, me) = house.json("GET", "/auth/me", key, json!(null)).await;
    assert_eq!(me["verified"], true);
}

#[actix_web::test]
async fn bad_requests_name_what_is_wrong() {
    let house = house("").await;
    assert_eq!(house.json("POST", "/auth/agent-signup", "", json!({"email": "a@example.com"})).await.0, 201);
    let cases = [
        ("/auth/agent-signup", r#"{"email": "a@example.com"}"#, 422, "invalid_request"),
        ("/auth/agent-signup", r#"{"email": "A@EXAMPLE.com"}"#, 422, "invalid_request"),
        ("/auth/agent-signup", r#"{"email": "nobody"}"#, 422, "invalid_request"),
        ("/auth/agent-signup", r#"{"email": "b@example.com", "more": 1}"#, 422, "invalid_request"),
        ("/auth/agent-signup", r#"{"email": "b@example.com", "email": "c@example.com"}"#, 422, "invalid_request"),
        ("/auth/agent-signup", "{", 400, "invalid_json"),
        ("/auth/login", r#"{"email": "a@example.com"}"#, 422, "invalid_request"),
        ("/auth/login", r#"{"email": "a@example.com", "password": "wrong wrong wrong"}"#, 401, "invalid_credentials"),
        ("/auth/login", r#"{"email": "z@example.com", "password": "wrong wrong wrong"}"#, 401, "invalid_credentials"),
    ];
    for (path, body, status, code) in cases {
        let (got, text) = house.send(test::TestRequest::post().uri(path).set_payload(body)).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((got, &answer["error"]["code"]), (status, &json!(code)), "{path} {body}: {text}");
    }
    let unknown = format!("/auth/link/v{}", "A".repeat(43));
    assert_eq!(house.post_form(&unknown, PASSWORD).await.0, 410);
    let foreign = test::TestRequest::post().uri(&unknown).insert_header(("sec-fetch-site", "cross-site"));
    assert_eq!(house.send(foreign).await.0, 403);
}

#[actix_web::test]
async fn a_tier_is_an_address_that_is_confirmed_and_credits_to_spend() {
    let credits = |text: &str| Credits::parse_exact(text).unwrap();
    for (is_verified, available, expected) in
        [(false, "0", "unverified"), (false, "5", "unverified"), (true, "0", "verified"), (true, "0.000001", "paid")]
    {
        assert_eq!(super::tier(is_verified, credits(available)), expected, "{is_verified} {available}");
    }
}

#[actix_web::test]
async fn guesses_are_slowed_down() {
    let house = house(", limits: {login_per_account_per_min: 2}").await;
    let guess = || json!({"email": "a@example.com", "password": "guess guess guess"});
    for _ in 0..2 {
        assert_eq!(house.json("POST", "/auth/login", "", guess()).await.0, 401);
    }
    assert_eq!(house.json("POST", "/auth/login", "", guess()).await.0, 429);
}

#[actix_web::test]
async fn a_purchase_is_posted_once() {
    let house = house("").await;
    let services = &house.state.services;
    let (_, signup) = house.json("POST", "/auth/agent-signup", "", json!({"email": "a@example.com"})).await;
    let key = signup["token"].as_str().unwrap();
    let buy = |credits: u32| json!({"credits": credits, "idempotency_key": "once"});
    let (status, first) = house.json("POST", "/credits/purchase", key, buy(50)).await;
    assert_eq!((status, &first["status"], &first["amount_usd"]), (201, &json!("pending"), &json!(0.05)));
    let (_, again) = house.json("POST", "/credits/purchase", key, buy(50)).await;
    assert_eq!(again["purchase_id"], first["purchase_id"]);
    assert_eq!(house.json("POST", "/credits/purchase", key, buy(51)).await.0, 409);
    let id = first["purchase_id"].as_str().unwrap().parse().unwrap();
    services.confirm_purchase(&OpContext::system(), id, None).await.unwrap();
    assert!(matches!(
        services.confirm_purchase(&OpContext::system(), id, None).await,
        Err(ConfirmError::AlreadyConfirmed(_))
    ));
    let account = signup["account_id"].as_str().unwrap().parse().unwrap();
    for _ in 0..2 {
        services
            .purchase(&OpContext::system(), account, Credits::from_micros(1), Provider::Demo, Some("demo"))
            .await
            .unwrap();
        services
            .grant_credits(
                &OpContext::system(),
                account,
                Credits::from_micros(2_000_000),
                None,
                Note { reason: "welcome", key: Some("g") },
            )
            .await
            .unwrap();
    }
    let (_, balance) = house.json("GET", "/credits/balance", key, json!(null)).await;
    assert_eq!(balance["available"], json!(52.000_001));
    let (_, listed) = house.json("GET", "/credits/purchases", key, json!(null)).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn an_auditors_token_opens_the_books_and_nothing_else() {
    let house = house("").await;
    let services = &house.state.services;
    let made = services.create_auditor(&OpContext::system(), "Ernst", 1, None).await.unwrap();
    let secret = secrecy::ExposeSecret::expose_secret(&made.secret).to_owned();
    assert!(secret.starts_with("faro_audit_") && secret.len() == "faro_audit_".len() + 43);
    let asked = |header: String| {
        let request = test::TestRequest::default().insert_header(("authorization", header)).to_http_request();
        let state = house.state.clone();
        async move { authenticate_auditor(&request, &state).await }
    };
    let auditor = asked(format!("Bearer {secret}")).await.unwrap();
    assert_eq!(auditor, made.auditor);
    let (status, answer) = house.json("GET", "/credits/balance", &secret, json!({})).await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!("invalid_token")), "{answer}");
    let (status, _) = house.json("GET", "/tokens/", &secret, json!({})).await;
    assert_eq!(status, 401);

    // A customer's token is no auditor's, whatever it is called.
    let by = OpContext::system();
    let credits = Credits::from_micros(1_000_000);
    let account = services.create_funded_account(&by, "a@example.com", true, "t", credits).await.unwrap();
    let customers = secrecy::ExposeSecret::expose_secret(&account.token.secret).to_owned();
    for wrong in [format!("Bearer {customers}"), "Bearer faro_audit_".to_owned(), format!("Bearer {secret}x")] {
        assert!(asked(wrong).await.is_err());
    }
    services.revoke_auditor(&OpContext::system(), made.auditor.id, None).await.unwrap();
    assert!(asked(format!("Bearer {secret}")).await.is_err(), "at once");
}
