use engine::id::ToolId;

use super::*;

fn no_tool() -> ToolId {
    "tol_00000000000000000000000000000000".parse().unwrap()
}

/// A tool of which so many micro-credits went back in two refunds.
fn tool(number: usize, micros: i64) -> ToolRefunds {
    ToolRefunds {
        tool: no_tool(),
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

#[test]
fn reasons_have_a_bar_each_and_the_many_others_one_together() {
    for (says, count, bars, last) in [
        ("one", 1, 1, ("because 0", 2)),
        ("as many as are drawn", 12, 12, ("because 11", 2)),
        ("many", 40, 13, ("other reasons: 28", 56)),
    ] {
        let reasons: Vec<ReasonRefunds> = (0..count)
            .map(|number| ReasonRefunds {
                reason: format!("because {number}"),
                refunds: 2,
                credits: Credits::from_micros(1_500_000),
            })
            .collect();
        let spans = reason_spans(&reasons);
        assert_eq!(spans.len(), bars, "{says}");
        assert_eq!(spans.last().map(|span| (span.name.as_str(), span.to)), Some(last), "{says}");
        assert_eq!(spans[0].says, "1.5 cr, refunds: 2", "{says}");
    }
}

#[test]
fn a_rate_outside_its_band_is_said_to_be() {
    let rate = |rate: i64| ToolRate {
        tool: no_tool(),
        path: format!("acme/{rate}"),
        refunded: 3,
        paid_calls: 1_000,
        rate,
        low: 1_000,
        high: 9_000,
    };
    let tools = vec![rate(999), rate(1_000), rate(9_000), rate(9_001)];
    let bands = rate_bands(&RefundRates { from_us: 0, mean: 5_000, tools });
    let notes: Vec<&str> = bands.rows.iter().map(|row| row.note.as_str()).collect();
    assert_eq!(notes, ["below its band", "", "", "above its band"]);
    assert_eq!(bands.rows[0].of, [Cell::Number(3), Cell::Number(1_000)]);
}
