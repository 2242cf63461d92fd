use super::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn counted(counts: &[(&str, i64)]) -> Counted {
    let owned: Vec<(String, i64)> = counts.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect();
    Counted::of(owned.iter().map(|(word, count)| (word, *count)))
}

/// The expressions that a query gives FTS5.
fn expressions(query: Option<Query>) -> Vec<String> {
    let texts = query.into_iter().flat_map(|query| query.values).map(|value| match value {
        Value::String(Some(text)) => text,
        other => panic!("{other:?} is no text"),
    });
    texts.collect()
}

#[test]
fn common_words_count_only_where_there_are_no_others() {
    let cases: &[(&[(&str, i64)], &[&str], &[&str])] = &[
        (&[("rain", 3)], &["\"rain\""], &["\"rain\""]),
        (&[("rain", 3), ("city", RARE_MAX)], &["\"rain\" AND \"city\""], &["\"rain\"", "\"city\""]),
        (&[("rain", 3), ("tool", RARE_MAX + 1)], &["\"rain\""], &["\"rain\""]),
        (&[("tool", RARE_MAX + 1)], &["\"tool\"", "name : (\"tool\")"], &["\"tool\""]),
        (&[("rain", 3), ("snowx", 0)], &[], &["\"rain\""]),
        (&[("snowx", 0)], &[], &[]),
    ];
    for (counts, all, some) in cases {
        let counted = counted(counts);
        let words: Vec<String> = counts.iter().map(|(word, _)| (*word).to_owned()).collect();
        let sought = Sought { words: &words, category: None };
        assert_eq!(expressions(with_all(&sought, &counted)), *all, "{counts:?}");
        assert_eq!(expressions(with_some(&sought, &counted)), *some, "{counts:?}");
    }
}

#[test]
fn a_category_is_found_by_its_words_and_compared_as_it_is_written() {
    let words = words("rain");
    let sought = Sought { words: &words, category: Some("Data \"and\" AI") };
    let query = with_all(&sought, &counted(&[("rain", 1)]));
    assert_eq!(
        expressions(query),
        ["Data \"and\" AI", "(\"rain\") AND category : \"Data \"\"and\"\" AI\""],
        "a quotation mark ends nothing"
    );
}
