//! The demo's call of the gateway.

use serde_json::{Value, json};
use tests::{
    patience::Ends as _,
    program::{Demo, folder, paste, tollgate},
};

#[test]
fn the_demo_prints_a_call_of_the_gateway_that_works_as_pasted() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let printed = demo.commands().iter().find(|line| line.contains("/tools/invoke")).unwrap();
    let answer = paste(printed);
    assert_eq!((answer.status, &answer.json["ok"]), (200, &json!(true)), "{printed}\n{}", answer.body);
    assert!(answer.json["result"].is_object());
    assert_eq!(answer.header("x-tollgate-credits-charged"), Some("2.5"));
    // Who asks why is told of the same tool and the same payer.
    let asked = tollgate(folder.path(), &["policy", "explain", "text_stats", "--json"]).ended().unwrap();
    let said: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!((&said["decision"], &said["chain"]["tool"]), (&json!("allow"), &json!("demo/text_stats")), "{said}");
    assert!(said["entities"].to_string().contains("Account::\\\"acc_"), "{said}");
}
