use super::*;

/// A tool of which so many micro-credits went back in two refunds.
fn tool(number: usize, micros: i64) -> ToolRefunds {
    ToolRefunds {
        tool: "tol_00000000000000000000000000000000".parse().unwrap(),
        path: format!("acme/tool-{number}"),
        refunds: 2,
        credits: Credits::from_micros(micros),
    }
}

#[test]
fn tools_have_a_bar_each_and_the_many_others_one_together() {
    for (says, count, bars, last) in [
        ("one", 1, 1, ("acme/tool-0", 1_000_000)),
        ("as many as are drawn", 12, 12, ("acme/tool-11", 1_000_000)),
        ("one more", 13, 13, ("other tools: 1", 1_000_000)),
        ("many", 40, 13, ("other tools: 28", 28_000_000)),
    ] {
        let tools: Vec<ToolRefunds> = (0..count).map(|number| tool(number, 1_000_000)).collect();
        let spans = tool_spans(&tools);
        assert_eq!(spans.len(), bars, "{says}");
        let found = spans.last().map(|span| (span.name.as_str(), span.to));
        assert_eq!(found, Some(last), "{says}");
        assert!(spans.iter().all(|span| span.from == 0), "{says}");
    }
    let [span] = &tool_spans(&[tool(1, 1_234_500_000)])[..] else { panic!("one tool, one bar") };
    assert_eq!(span.says, "1,234.5 cr, refunds: 2");
    assert_eq!(span.value, Cell::Money(Credits::from_micros(1_234_500_000)));
}
