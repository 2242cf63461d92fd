use super::*;

#[test]
fn a_form_is_encoded_as_browsers_do() {
    let fields = [("name", "Ada L."), ("note", "50 % & ü=\n"), ("empty", "")];
    assert_eq!(encode(fields.into_iter()), "name=Ada+L.&note=50+%25+%26+%C3%BC%3D%0A&empty=");
}

#[test]
fn hidden_fields_stay_and_typed_ones_replace_what_stood_there() {
    let form = html::forms(
        r#"<form method="post" action="/a"><input type="hidden" name="op" value="1"><input name="why" value="x"><button name="step" value="preview">Look</button></form>"#,
    );
    let filled = fill(&form[0], &[("why", "y"), ("step", "confirm")]);
    let filled: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(filled, [("op", "1"), ("why", "y"), ("step", "confirm")]);
}

#[test]
fn cookies_are_kept_until_they_are_taken_away() {
    let visitor = Visitor::new(([127, 0, 0, 1], 1).into());
    visitor.keep("a=1; Path=/; HttpOnly; SameSite=Lax");
    visitor.keep("b=2=3; Max-Age=60");
    visitor.keep("a=; Path=/; Max-Age=0; HttpOnly");
    assert_eq!(visitor.cookies(), [("b".to_owned(), "2=3".to_owned())]);
}

#[test]
fn chunks_are_joined_and_a_cut_is_noticed() {
    assert_eq!(join_chunks(b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n").unwrap(), b"abc0123456789");
    for cut in [&b"3\r\nab"[..], b"3\r\nabc\r\n", b"3\r\nabc", b""] {
        assert!(join_chunks(cut).is_err(), "{cut:?}");
    }
}
