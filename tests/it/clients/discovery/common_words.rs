//! Words that thousands of tools have.

use tests::{home::Kind, on_both_databases, patience::wait_until};

use super::Market;

on_both_databases!(among_thousands_of_tools_with_a_word_the_ones_that_are_called_so_are_found);

/// More tools than any database ranks, and than SQLite ranks by a word.
const CROWD: usize = 3_300;

/// Puts so many tools into the namespace `geo`, each with the price of `geo/route`. Their names count up, their texts are one.
fn crowd(kind: Kind) -> String {
    let (identifier, number, numbers) = match kind {
        Kind::Sqlite => (
            "randomblob(16)",
            "printf('n%05d', n)",
            format!("WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {CROWD})"),
        ),
        Kind::Postgres => (
            "gen_random_uuid()",
            "'n' || lpad(n::text, 5, '0')",
            format!("WITH c (n) AS (SELECT generate_series(1, {CROWD}))"),
        ),
    };
    let tool = |name: &str, short: &str, from: &str| {
        format!(
            "INSERT INTO tool (id, namespace_id, name, short_description, long_description, input_schema, is_unverified_ok,
                               is_suspended, upstream_method, upstream_url, timeout_ms, created_us)
             {from} SELECT {identifier}, t.namespace_id, {name}, '{short}', '', t.input_schema, t.is_unverified_ok,
                           t.is_suspended, t.upstream_method, t.upstream_url, t.timeout_ms, t.created_us
             FROM tool t{} WHERE t.name = 'route';",
            if from.is_empty() { "" } else { ", c" }
        )
    };
    format!(
        "{} {} {}
         INSERT INTO price_version (id, tool_id, effective_from_us, spec, created_us)
         SELECT {identifier}, t.id, p.effective_from_us, p.spec, p.created_us
         FROM tool t, price_version p JOIN tool r ON r.id = p.tool_id
         WHERE r.name = 'route' AND NOT EXISTS (SELECT 1 FROM price_version o WHERE o.tool_id = t.id);",
        tool(number, "The lantern of a ferry", &numbers),
        tool("'lantern'", "Something else", ""),
        tool("'ferry_lantern'", "Something else", ""),
    )
}

fn among_thousands_of_tools_with_a_word_the_ones_that_are_called_so_are_found(kind: Kind) {
    let market = Market::open(kind);
    market.change(&crowd(kind));
    wait_until("the crowd", || (market.look("/tools/geo/ferry_lantern").status == 200).then_some(()));

    // Equally good: by their names.
    assert_eq!(market.found(None, "q=lantern&limit=2"), ["geo/ferry_lantern", "geo/lantern"]);
    assert_eq!(market.found(None, "q=ferry+lantern&limit=1"), ["geo/ferry_lantern"]);
    let first = market.found(None, "q=lantern&limit=50");
    assert_eq!(first.len(), 50);
    let crowd = &first[2..];
    assert!(crowd.is_sorted() && crowd.iter().all(|name| name.starts_with("geo/n")), "{crowd:?}");
    assert_eq!(market.found(None, "q=lantern&limit=50"), first, "the same ones again");

    // A word that few have tells them apart from those with the common one.
    let mut few = market.found(None, "q=lantern+something&limit=2");
    few.sort_unstable();
    assert_eq!(few, ["geo/ferry_lantern", "geo/lantern"]);
    assert_eq!(market.found(None, "q=lantern+street&limit=1"), ["geo/street_map"]);
}
