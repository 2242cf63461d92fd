use serde_json::json;

use super::*;

#[test]
fn scalars_are_what_the_core_schema_says() {
    for (text, value) in [
        ("null", json!(null)),
        ("~", json!(null)),
        ("", json!(null)),
        ("Null", json!(null)),
        ("nUll", json!("nUll")),
        ("true", json!(true)),
        ("FALSE", json!(false)),
        ("no", json!("no")),
        ("Yes", json!("Yes")),
        ("on", json!("on")),
        ("off", json!("off")),
        ("y", json!("y")),
        ("12", json!(12)),
        ("+12", json!(12)),
        ("-12", json!(-12)),
        ("012", json!(12)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("0b11", json!("0b11")),
        ("1_000", json!("1_000")),
        ("1:30", json!("1:30")),
        ("12e03", json!(12e3)),
        ("1.", json!(1.0)),
        (".5", json!(0.5)),
        ("-2.5e-1", json!(-0.25)),
        ("3.1", json!(3.1)),
        ("3.1.0", json!("3.1.0")),
        ("2020-01-01", json!("2020-01-01")),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("e5", json!("e5")),
        (".", json!(".")),
        ("\"12\"", json!("12")),
        ("'no'", json!("no")),
        ("!!str 12", json!("12")),
        ("!!int 12", json!(12)),
        ("!!float 12", json!(12)),
        ("! 12", json!("12")),
        ("|\n  a\n  b\n", json!("a\nb\n")),
        (">-\n  a\n  b\n", json!("a b")),
        ("\"a\\u0041\\n\"", json!("aA\n")),
        ("a # a note", json!("a")),
        ("a#b", json!("a#b")),
    ] {
        let read = parse(&format!("a: {text}\n")).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read, json!({"a": value}), "{text}");
    }
}

#[test]
fn collections_are_read_in_both_notations() {
    let text = "%YAML 1.2\n---\nopenapi: 3.1.0\npaths:\n  /a:\n    get: &it\n      responses: {200: {description: ok}, 'default': [1, x, ~]}\n    post: *it\nlist:\n- 1\n- - 2\n  - a: b\n    c: d\n...\n";
    let operation = json!({"responses": {"200": {"description": "ok"}, "default": [1, "x", null]}});
    let expected = json!({
        "openapi": "3.1.0",
        "paths": {"/a": {"get": operation, "post": operation}},
        "list": [1, [2, {"a": "b", "c": "d"}]],
    });
    assert_eq!(parse(text).unwrap(), expected);
    let names: Vec<_> = parse(text).unwrap().as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["openapi", "paths", "list"], "in their order");
}

#[test]
fn a_key_is_what_is_written() {
    let read = parse("no: 1\ntrue: 2\n200: 3\n1.0: 4\n&k name: 5\nb: *k\n*k : 6\n");
    let error = read.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.line), ("duplicate key `name` at line 7 column 1", 7));
    let read = parse("no: 1\ntrue: 2\n200: 3\n1.0: 4\n&k name: 5\nb: *k\n").unwrap();
    assert_eq!(read, json!({"no": 1, "true": 2, "200": 3, "1.0": 4, "name": 5, "b": "name"}));
}

#[test]
fn what_is_refused_is_named_with_its_line() {
    for (text, what, line) in [
        ("a: 1\nb: 2\na: 3\n", "duplicate key `a`", 3),
        ("a: {x: 1, y: 2, x: 3}\n", "duplicate key `x`", 1),
        ("a:\n  - [\n", "not YAML", 3),
        ("a: b: c\n", "not YAML", 1),
        ("a: 1\n b: 2\n", "not YAML", 2),
        ("a: *nobody\n", "not YAML", 1),
        ("a: &x [*x]\n", "a part of", 1),
        ("a: &x\n  b: *x\n", "a part of", 2),
        ("a: .inf\n", "JSON has no place for", 1),
        ("a:\n  -.INF\n", "JSON has no place for", 2),
        ("a: .nan\n", "JSON has no place for", 1),
        ("a: 1e999\n", "too large", 1),
        ("a: 0xffffffffffffffffff\n", "too large", 1),
        ("a: 1\n---\nb: 2\n", "second document", 2),
        ("? [a]\n: b\n", "a key must be a text", 1),
        ("? {a: 1}\n: b\n", "a key must be a text", 1),
        ("x: &s [1]\n*s : b\n", "a key must be a text", 2),
        ("x: &s {a: 1}\ny:\n  <<: *s\n", "merge keys", 3),
        ("a: !mine b\n", "a tag", 1),
        ("a: !!binary aGk=\n", "a tag", 1),
        ("a: !!int x\n", "a tag", 1),
        ("a: !!set {b}\n", "a tag", 1),
        ("", "no document", 1),
        ("# only a note\n", "no document", 1),
    ] {
        let error = parse(text).err().unwrap_or_else(|| panic!("{text:?} is accepted"));
        assert!(error.to_string().contains(what), "{text:?}: {error}");
        assert_eq!(error.line, line, "{text:?}: {error}");
    }
}

#[test]
fn depth_is_bounded_however_it_is_written() {
    let flow = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&flow(JSON_DEPTH_MAX)).is_ok());
    assert!(parse(&flow(JSON_DEPTH_MAX + 1)).unwrap_err().to_string().contains("nested deeper"));
    for sign in ["[", "{a: ", "- ", "? "] {
        assert!(parse(&sign.repeat(100_000)).is_err(), "{sign}");
    }
    // of an alias all levels count
    let half = flow(JSON_DEPTH_MAX / 2);
    let inside = |levels: usize| format!("x: &x {half}\ny: {}*x{}\n", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&inside(JSON_DEPTH_MAX / 2 - 1)).is_ok());
    assert!(parse(&inside(JSON_DEPTH_MAX / 2)).unwrap_err().to_string().contains("nested deeper"));
}

#[test]
fn aliases_do_not_multiply() {
    // ten times itself, level by level
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let error = parse(&laughs).unwrap_err();
    assert!(error.to_string().contains("with all copies") && error.line < 8, "{error}");
    // few values, and many bytes
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 1_000].join(", "));
    let error = parse(&long).unwrap_err();
    assert!(error.to_string().contains("with all copies"), "{error}");
    // what lies in each other and is marked on every level
    let marked: String = (0..60).map(|level| format!("&m{level} [")).collect();
    let many = format!("{marked}{}{}", vec!["1"; 20_000].join(","), "]".repeat(60));
    assert!(parse(&many).unwrap_err().to_string().contains("with all copies"));
    // usual ones are fine
    let usual = format!("a: &a {{type: string}}\nb: [{}]\n", vec!["*a"; 1_000].join(", "));
    assert_eq!(parse(&usual).unwrap()["b"].as_array().unwrap().len(), 1_000);
}

#[test]
fn numbers_of_values_are_bounded() {
    let list = |count: usize| "- 1\n".repeat(count);
    assert!(parse(&list(JSON_NODES_MAX - 1)).is_ok());
    let error = parse(&list(JSON_NODES_MAX)).unwrap_err();
    assert_eq!(error.line, JSON_NODES_MAX, "{error}");
    let error = parse(&format!("[{}]", "1,".repeat(FLOW_SIGNS_MAX))).unwrap_err();
    assert!(error.to_string().contains("values"), "{error}");
}
