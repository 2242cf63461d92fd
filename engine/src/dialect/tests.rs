use super::{Dialect, DialectError};

#[test]
fn a_dialect_names_what_is_wrong_with_it() {
    let error = Dialect::from_text("{ name: 'x', chain: { subagents: {}, grups: {} } }").unwrap_err();
    let DialectError::Problems(problems) = &error else { panic!("{error}") };
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["`chain.grups` is not a known key", "the document needs the key `http`"]);
}

#[test]
fn a_broken_text_names_line_and_column() {
    let error = Dialect::from_text("{ name: 'x',\n  chain }").unwrap_err();
    assert!(error.to_string().contains("line 2 column 9"), "{error}");
}
