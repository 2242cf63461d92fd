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
fn common_words_have_to_be_there_and_rank_only_where_there_are_no_others() {
    let cases: &[(&[(&str, i64)], &[&str], &[&str])] = &[
        (&[("rain", 3)], &[r#"name : ("rain")"#, r#""rain""#, r#""rain""#], &[r#""rain""#]),
        (
            &[("rain", 3), ("city", RARE_MAX)],
            &[r#"name : ("rain" AND "city")"#, r#""rain" AND "city""#, r#""rain" AND "city""#],
            &[r#""rain""#, r#""city""#],
        ),
        (
            &[("rain", 3), ("tool", RARE_MAX + 1)],
            &[r#"name : ("rain" AND "tool")"#, r#""rain" AND "tool""#, r#""rain""#],
            &[r#""rain""#],
        ),
        (&[("tool", RARE_MAX + 1)], &[r#"name : ("tool")"#, r#""tool""#], &[r#""tool""#]),
        (&[("rain", 3), ("snowx", 0)], &[], &[r#""rain""#]),
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
    let query = with_some(&sought, &counted(&[("rain", 1)]));
    assert_eq!(
        expressions(query),
        ["Data \"and\" AI", "(\"rain\") AND category : \"Data \"\"and\"\" AI\""],
        "a quotation mark ends nothing"
    );
}

#[test]
fn what_is_ranked_of_all_words_together_is_bounded() {
    let many: Vec<String> = (0..12).map(|number| format!("w{number}")).collect();
    let counts: Vec<(&str, i64)> = many.iter().map(|word| (&**word, 1)).collect();
    let limits = |count: usize| {
        let sought = Sought { words: &many[..count], category: None };
        let sql = with_some(&sought, &counted(&counts[..count])).unwrap().sql;
        let limits = sql.match_indices("LIMIT ").map(|(at, found)| &sql[at + found.len()..]);
        let numbers =
            limits.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<usize>().unwrap());
        numbers.take(count).sum::<usize>()
    };
    assert_eq!([1, 6, 12].map(limits), [150, 900, 900]);
}
