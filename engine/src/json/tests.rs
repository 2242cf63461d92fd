use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn kind(text: &str) -> JsonErrorKind {
    parse(text).expect_err(text).kind().clone()
}

fn place(text: &str) -> (usize, usize) {
    let error = parse(text).expect_err(text);
    (error.line(), error.column())
}

#[test]
fn numbers_stay_as_they_were_written() {
    for text in ["0", "-0", "1.50", "1e3", "1E+3", "123456789012345678901234567890", "0.10000000000000000000001"] {
        assert_eq!(parse(text), Ok(Json::Number(text)));
    }
}

#[test]
fn what_rfc_8259_does_not_allow_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{}}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{1:2}",
        "01",
        "-",
        "-a",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "Infinity",
        "tru",
        "nul",
        "True",
        "truefalse",
        "1 2",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "\"\u{0}\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\n\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud800x\"",
        "// c\n1",
        "\u{feff}1",
        "1e400",
        "-1e400",
        "\u{a0}1",
    ] {
        assert!(matches!(kind(text), JsonErrorKind::Syntax(_)), "{text:?} gives {:?}", kind(text));
        assert!(serde_json::from_str::<Value>(text).is_err(), "serde_json accepts {text:?}");
        assert_eq!(parse(text).unwrap_err().code(), Code::InvalidJson);
    }
}

#[test]
fn a_long_number_is_accepted_within_the_range_of_a_double_and_refused_beyond() {
    let long_fraction = format!("0.{}1", "0".repeat(5_000));
    assert!(parse(&long_fraction).is_ok());
    let huge = "9".repeat(310);
    assert_eq!(kind(&huge), JsonErrorKind::Syntax("number out of range"));
    let just_large = "9".repeat(300);
    assert!(parse(&just_large).is_ok());
}

#[test]
fn escapes_are_resolved() {
    for (text, expected) in [
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u0041\u00e9\u20AC""#, "A\u{e9}\u{20ac}"),
        (r#""\ud83d\ude00!""#, "\u{1f600}!"),
        (r#""a\u0000b""#, "a\0b"),
        ("\"é😀\u{7f}\u{2028}\"", "é😀\u{7f}\u{2028}"),
        ("\"\"", ""),
    ] {
        assert_eq!(parse(text), Ok(Json::String(expected.into())), "{text}");
    }
}

#[test]
fn strings_without_escapes_borrow_from_the_text() {
    assert!(matches!(parse("\"abc\""), Ok(Json::String(Cow::Borrowed("abc")))));
}

#[test]
fn the_place_of_a_fault_is_told_in_lines_and_characters() {
    for (text, expected) in [
        ("x", (1, 1)),
        ("{\"a\": x}", (1, 7)),
        ("{\n  \"é\": é\n}", (2, 8)),
        ("[1,\n\n2", (3, 2)),
        ("", (1, 1)),
        ("{\"a\":1,\r\n \"a\":2}", (2, 2)),
    ] {
        assert_eq!(place(text), expected, "{text:?}");
    }
    assert_eq!(parse("[1,").unwrap_err().to_string(), "unexpected end of the JSON text at line 1 column 4");
}

#[test]
fn a_key_that_stands_twice_is_refused_with_its_path() {
    let many: String = (0..100).map(|n| format!("\"k{n}\":{n},")).collect::<Vec<_>>().concat();
    for (text, path) in [
        (r#"{"a":1,"a":1}"#.to_owned(), "/a"),
        (r#"{"a":1,"\u0061":2}"#.to_owned(), "/a"),
        (r#"{"x":[0,{"y/z":{"~":1,"~":2}}]}"#.to_owned(), "/x/1/y~1z/~0"),
        (format!("{{{many}\"k7\":0}}"), "/k7"),
        (format!("{{{many}\"k99\":0}}"), "/k99"),
        (r#"{"":1,"":2}"#.to_owned(), "/"),
    ] {
        assert_eq!(kind(&text), JsonErrorKind::DuplicateKey { path: path.to_owned() });
        assert_eq!(parse(&text).unwrap_err().code(), Code::InvalidRequest);
    }
    assert!(parse(&format!("{{{many}\"k100\":0}}")).is_ok());
    assert!(parse(r#"[{"a":1},{"a":1,"A":2,"b":{"a":3}}]"#).is_ok());
}

#[test]
fn the_path_of_a_duplicate_does_not_echo_a_long_key() {
    let key = "k".repeat(10_000);
    let JsonErrorKind::DuplicateKey { path } = kind(&format!("{{\"{key}\":1,\"{key}\":2}}")) else {
        panic!("a duplicate key")
    };
    assert_eq!(path.len(), 1 + limits::ECHO_CHARS_MAX);
}

#[test]
fn depth_is_bounded_exactly() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(limits::JSON_DEPTH_MAX)).is_ok());
    assert_eq!(kind(&nested(limits::JSON_DEPTH_MAX + 1)), JsonErrorKind::TooDeep);
    assert_eq!(kind(&"[".repeat(2_000_000)), JsonErrorKind::TooDeep);
    assert_eq!(kind(&"{\"a\":".repeat(300_000)), JsonErrorKind::TooDeep);
    let full = format!("{}1{}", "{\"a\":".repeat(limits::JSON_DEPTH_MAX), "}".repeat(limits::JSON_DEPTH_MAX));
    assert!(parse(&full).is_ok());
}

#[test]
fn the_number_of_values_is_bounded_exactly() {
    let list = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    let at_the_limit = list(limits::JSON_NODES_MAX - 1);
    assert_eq!(parse(&at_the_limit).unwrap().node_count(), limits::JSON_NODES_MAX);
    let beyond = list(limits::JSON_NODES_MAX);
    assert_eq!(kind(&beyond), JsonErrorKind::TooManyNodes);
    assert_eq!(parse(&beyond).unwrap_err().code(), Code::BodyTooLarge);
}

#[test]
fn a_body_of_the_full_size_with_dense_numbers_is_accepted() {
    let mut body = String::from("[0.12345678");
    while body.len() < limits::INVOKE_BODY_BYTES_MAX - 12 {
        body.push_str(",0.12345678");
    }
    body.push(']');
    assert!(parse(&body).is_ok());
}

#[test]
fn members_keep_the_source_of_their_values() {
    let text = " {\"a\" : [1, 2 ] , \"b\":\"x\\n\",\"\\u0063\": {\"d\":1.0}} ";
    let members = parse_members(text).unwrap();
    let seen: Vec<(&str, &str)> = members.iter().map(|member| (member.name.as_ref(), member.source)).collect();
    assert_eq!(seen, [("a", "[1, 2 ]"), ("b", "\"x\\n\""), ("c", "{\"d\":1.0}")]);
    for member in &members {
        assert_eq!(parse(member.source).as_ref(), Ok(&member.value));
    }
}

#[test]
fn members_of_something_else_are_refused() {
    for text in ["[]", "1", "\"a\"", "null", " true "] {
        let error = parse_members(text).unwrap_err();
        assert_eq!(*error.kind(), JsonErrorKind::NotAnObject, "{text}");
        assert_eq!(error.code(), Code::InvalidRequest);
    }
    for text in ["[", "x", "", "{} {}"] {
        assert!(matches!(parse_members(text).unwrap_err().kind(), JsonErrorKind::Syntax(_)), "{text}");
    }
    let twice = parse_members(r#"{"a":1,"a":2}"#).unwrap_err();
    assert_eq!(*twice.kind(), JsonErrorKind::DuplicateKey { path: "/a".to_owned() });
    assert_eq!(parse_members("{}"), Ok(vec![]));
}

#[test]
fn parts_are_found_by_key_and_by_path() {
    let json = parse(r#"{"a":[{"b":null},true],"s":"x"}"#).unwrap();
    let key = |name: &'static str| Segment::Key(Cow::Borrowed(name));
    assert_eq!(json.get("s").and_then(Json::as_str), Some("x"));
    assert_eq!(json.get("z"), None);
    assert_eq!(json.get_path(&[key("a"), Segment::Index(0), key("b")]), Some(&Json::Null));
    assert_eq!(json.get_path(&[key("a"), Segment::Index(1)]).and_then(Json::as_bool), Some(true));
    assert_eq!(json.get_path(&[key("a"), Segment::Index(2)]), None);
    assert_eq!(json.get_path(&[key("a"), key("0")]), None);
    assert_eq!(json.get_path(&[]), Some(&json));
}

#[test]
fn canonical_text_sorts_keys_and_drops_what_means_nothing() {
    for (text, expected) in [
        (r#" { "b" : 1 , "a" : [ true , null ] } "#, r#"{"a":[true,null],"b":1}"#),
        ("{\"\u{e000}\":1,\"😀\":2,\"Z\":3,\"a\":4,\"\":5}", "{\"\":5,\"Z\":3,\"a\":4,\"\u{e000}\":1,\"😀\":2}"),
        (r#"["\u0041\/\u00e9\u001f\u007f","\"\\\n"]"#, "[\"A/é\\u001f\u{7f}\",\"\\\"\\\\\\n\"]"),
        ("[1,1.0,10e-1,-0]", "[1,1.0,10e-1,-0]"),
        ("{}", "{}"),
        ("[]", "[]"),
    ] {
        assert_eq!(parse(text).unwrap().canonical(), expected);
    }
}

/// Any JSON value whose objects have distinct keys, to any depth that both parsers accept.
fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text that is JSON or nearly so.
fn almost_json() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{", "}", "[", "]", ":", ",", "\"", "\"a\"", "\"b\"", "\\", "\\u", "\\u00e9", "\\ud83d", "\\ude00", "d83d",
        "0", "1", "-", "+", ".", "e", "E", "true", "false", "null", " ", "\n", "é", "\u{1}", "/",
    ]);
    let damaged = (any_value(), any::<prop::sample::Index>(), piece.clone()).prop_map(|(value, index, piece)| {
        let text = value.to_string();
        let at = text.char_indices().map(|(at, _)| at).nth(index.index(text.chars().count())).unwrap();
        let (before, after) = text.split_at(at);
        format!("{before}{piece}{after}")
    });
    prop_oneof![prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()), damaged]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_serde_json_writes_is_read_with_the_same_value(value in any_value()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let json = parse(&text).unwrap();
            prop_assert_eq!(json.to_value(), serde_json::from_str::<Value>(&text).unwrap());
            prop_assert_eq!(serde_json::from_str::<Value>(&json.canonical()).unwrap(), json.to_value());
            let canonical = json.canonical();
            prop_assert_eq!(parse(&canonical).unwrap().canonical(), canonical.clone());
        }
    }

    #[test]
    fn both_parsers_accept_the_same_texts(text in almost_json()) {
        let theirs = serde_json::from_str::<Value>(&text);
        match parse(&text) {
            Ok(json) => prop_assert_eq!(json.to_value(), theirs.unwrap()),
            Err(error) => {
                let is_duplicate = matches!(error.kind(), JsonErrorKind::DuplicateKey { .. });
                prop_assert!(is_duplicate || theirs.is_err(), "only we refuse {:?}: {}", text, error);
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _outcome = parse(&text);
        let _outcome = parse_members(&text);
    }
}

#[test]
fn where_the_last_of_two_equal_keys_counts_it_does_so_at_any_depth() {
    let (members, has_repeats) = parse_members_last_wins(r#"{"a": 1, "b": {"c": 1, "c": [2]}, "a": 3}"#).unwrap();
    let read: Vec<_> = members.iter().map(|member| (&*member.name, member.value.canonical())).collect();
    assert_eq!((read, has_repeats), (vec![("a", "3".to_owned()), ("b", r#"{"c":[2]}"#.to_owned())], true));
    // more members than are compared one by one
    let many: String = (0..40).map(|at| format!("\"k{}\": {at},", at % 20)).collect();
    let text = format!("{{{many} \"z\": 0}}");
    let (members, has_repeats) = parse_members_last_wins(&text).unwrap();
    assert_eq!((members.len(), members[0].source, members[19].source, has_repeats), (21, "20", "39", true));
    let (_, has_repeats) = parse_members_last_wins(r#"{"a": {"b": 1}, "b": 1}"#).unwrap();
    assert!(!has_repeats);
    assert_eq!(parse_members_last_wins("[]").unwrap_err().kind(), &JsonErrorKind::NotAnObject);
    assert!(parse_members_last_wins("{").is_err());
}
