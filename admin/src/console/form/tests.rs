use super::*;

fn fields(text: &str) -> Fields {
    Fields::parse(text).unwrap()
}

#[test]
fn what_was_typed_is_read_as_it_was_meant() {
    let typed = fields("name=+Ada%20L+&role=owner&role=finance&note=a%0D%0Ab&box=on");
    assert_eq!(typed.text("name"), "Ada L");
    assert_eq!(typed.raw("name"), " Ada L ");
    assert_eq!(typed.all("role").collect::<Vec<_>>(), ["owner", "finance"]);
    assert_eq!(typed.raw("note"), "a\nb");
    assert!(typed.is_on("box"));
    assert_eq!(typed.text("other"), "");
}

#[test]
fn a_form_has_a_bounded_number_of_fields() {
    let many: String = (0..=FIELDS_MAX).map(|n| format!("f{n}=1&")).collect();
    assert!(Fields::parse(&many).is_err());
}

#[test]
fn amounts_are_exact_and_above_zero() {
    for (text, micros) in [
        ("12.5", Some(12_500_000)),
        ("0.000001", Some(1)),
        ("0", None),
        ("-1", None),
        ("1e3", None),
        ("0.0000001", None),
        ("", None),
    ] {
        let mut problems = Problems::default();
        let amount = problems.amount(&fields(&format!("amount={text}")), "amount");
        assert_eq!(amount.map(Credits::micros), micros, "{text}");
        assert_eq!(problems.is_empty(), micros.is_some(), "{text}");
    }
}
