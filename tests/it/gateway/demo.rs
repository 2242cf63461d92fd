//! The demo's call of the gateway.

use serde_json::json;
use tests::program::{Demo, folder, paste};

#[test]
fn the_demo_prints_a_call_of_the_gateway_that_works_as_pasted() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let printed = demo.commands().iter().find(|line| line.contains("/tools/invoke")).unwrap();
    let answer = paste(printed);
    assert_eq!((answer.status, &answer.json["ok"]), (200, &json!(true)), "{printed}\n{}", answer.body);
    assert!(answer.json["result"].is_object());
    assert_eq!(answer.header("x-tollgate-credits-charged"), Some("2.5"));
}
