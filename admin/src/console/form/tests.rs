use super::*;
use crate::kit::{Block, Control, Field, Form};

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

#[test]
fn only_a_key_of_ours_is_the_key_of_an_operation() {
    let ours = "req_0192f0c1000070008000000000000001";
    assert_eq!(fields(&format!("op={ours}")).key().map(|key| key.to_string()).as_deref(), Some(ours));
    for text in [
        "",
        "op=",
        "op=approval:apr_0192f0c1000070008000000000000001",
        "op=k1",
        "op=acc_0192f0c1000070008000000000000001",
    ] {
        let mut problems = Problems::default();
        assert_eq!(problems.key(&fields(text)), "", "{text}");
        assert!(problems.of("").is_some(), "{text}");
    }
    let mut problems = Problems::default();
    assert_eq!(problems.key(&fields(&format!("op={ours}"))), ours);
    assert!(problems.is_empty());
}

/// What stands in the hidden fields of a form that was filled in with this.
fn hidden(typed: &Fields) -> String {
    let field = |name: &str| Field::new(name, "", Control::Hidden).value("new");
    let form = Form::new("/", "go").field(field(KEY)).field(field("was")).filled(typed, &Problems::default());
    Block::from(form).to_string()
}

#[test]
fn a_link_does_not_say_what_a_form_was_made_from() {
    let ours = "req_0192f0c1000070008000000000000001";
    let linked = fields(&format!("op={ours}&was=old"));
    assert_eq!(hidden(&linked).matches("value=\"new\"").count(), 2);
    let sent = Fields { is_sent: true, ..linked };
    let html = hidden(&sent);
    assert!(html.contains(ours) && html.contains("value=\"old\""), "{html}");
    let foreign = Fields { is_sent: true, ..fields("op=approval:apr_1&was=old") };
    let html = hidden(&foreign);
    assert!(html.contains("value=\"new\"") && !html.contains("approval:"), "{html}");
}
