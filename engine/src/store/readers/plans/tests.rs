use super::*;

#[test]
fn a_plan_tells_no_texts_of_its_values() {
    for (step, told) in [
        ("Index Cond: (email = 'ada@example.com'::text)", "Index Cond: (email = '?'::text)"),
        ("Filter: ((a = 'it''s'::text) AND (b > 7))", "Filter: ((a = '?''?'::text) AND (b > 7))"),
        ("SEARCH invocation USING PRIMARY KEY (id>?)", "SEARCH invocation USING PRIMARY KEY (id>?)"),
    ] {
        assert_eq!(without_texts(step), told);
    }
    assert_eq!(one_line("SELECT a\n        FROM b"), "SELECT a FROM b");
}
