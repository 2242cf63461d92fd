//! The tree is what the crate `json5` reads, and nothing that it refuses gets through.

use serde_json::Value as Json;

use super::{accepted, load_with};

/// The complete example of the documentation: real text to damage.
fn example() -> &'static str {
    let document = include_str!("../../../../docs/configuration.md");
    document
        .split_once("```json5\n")
        .and_then(|(_, rest)| rest.split_once("\n```"))
        .map(|(example, _)| example)
        .expect("an example")
}

#[test]
fn values_are_read_as_the_crate_reads_them() {
    for text in [
        "{}",
        "{ a: [] }",
        "{a:{b:[1,-2,+3,.5,5.,1e3,1E-3,0x1F,-0xf,0,-0,18446744073709551615]}}",
        "{ 'a\\'b': \"c\\\"d\", \"\": '', $_: null, \u{e9}: true, \\u0061\u{200d}b: false }",
        "{ a: '\\x41\\u0042\\uD83D\\uDE00\\0\\v\\q\\\n\\\r\n\u{2028}' }",
        "/* a */{// b\n'a' /*:*/ : /*,*/ [ 1 /*]*/ , // ]\r 2, ] /* } */ , }// c",
        "\u{feff}\u{a0}\u{3000}{\u{2029}a\u{b}:\u{c}1}",
        "{ Infinity: 1, NaN: 2, null: 3, true: 4, while: 5 }",
        "{ a: {b: {c: [[[[]]], {}, [{}]]}}, }",
        "{ a: '//', b: \"/* */\", c: '}' }",
    ] {
        let wanted: Json = json5::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let read = accepted(&format!("{{ channels: {{ x: {{ value: {text}\n }} }} }}"));
        assert_eq!(read.policy.channels["x"]["value"], wanted, "for `{text}`");
    }
}

#[test]
fn damaged_files_are_refused_at_a_place_inside_the_text() {
    let example = example();
    let variables = [("SMTP_PASSWORD", "s3cret"), ("FASED_GATEWAY_TOKEN", "t0ken")];
    let line_max = example.lines().count() + 1;
    let mut refused = 0;
    for (offset, c) in example.char_indices().filter(|(offset, _)| offset % 11 == 0) {
        let (before, rest) = example.split_at(offset);
        let (_, after) = rest.split_at(c.len_utf8());
        for damaged in
            [before.to_owned(), format!("{before}{after}"), format!("{before}]{rest}"), format!("{before}\u{0}{after}")]
        {
            let is_json5 = json5::from_str::<serde::de::IgnoredAny>(&damaged).is_ok();
            let Err(error) = load_with(&damaged, &variables).map(drop) else {
                assert!(is_json5, "accepted although it is not JSON5:\n{damaged}");
                continue;
            };
            refused += 1;
            for line in error.lines().filter(|line| line.starts_with("t:")) {
                let mut parts = line.splitn(4, ':').skip(1).map(str::parse::<usize>);
                let (at_line, column) = (parts.next(), parts.next());
                assert!(matches!(at_line, Some(Ok(line)) if (1..=line_max).contains(&line)), "{line}");
                assert!(matches!(column, Some(Ok(1..))), "{line}");
            }
            assert_eq!(is_json5, !error.contains("not valid JSON5"), "{error}");
        }
    }
    assert!(refused > 500, "only {refused} of the damaged files were refused");
}
