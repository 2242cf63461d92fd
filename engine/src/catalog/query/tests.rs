use super::search_words;
use crate::limits::SEARCH_WORDS_MAX;

#[test]
fn a_text_is_the_words_in_it() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("   \t\n", &[]),
        ("weather", &["weather"]),
        ("Weather WEATHER weather", &["weather"]),
        ("What is the weather in Berlin?", &["weather", "berlin"]),
        ("the of and", &[]),
        ("acme/text_stats", &["acme", "text", "stats"]),
        ("Größe ändern", &["größe", "ändern"]),
        ("天気 予報", &["天気", "予報"]),
        ("v2.5", &["v2", "5"]),
    ];
    for (text, expected) in cases {
        assert_eq!(search_words(text), *expected, "{text:?}");
    }
}

#[test]
fn what_means_something_to_a_database_means_nothing_here() {
    let cases: &[(&str, &[&str])] = &[
        ("\"weather", &["weather"]),
        ("weather*", &["weather"]),
        ("-weather", &["weather"]),
        ("name : weather", &["name", "weather"]),
        ("NEAR(weather city, 2)", &["near", "weather", "city", "2"]),
        ("weather AND NOT city", &["weather", "not", "city"]),
        ("weather & !city | (rain <-> snow):*", &["weather", "city", "rain", "snow"]),
        ("'; DROP TABLE tool; --", &["drop", "table", "tool"]),
        ("{name} : ^weather", &["name", "weather"]),
        ("100%_\\", &["100"]),
        ("\0weather\0", &["weather"]),
        ("\u{202e}weather\u{feff}", &["weather"]),
        ("\"\" '' () * - : ^", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(search_words(text), *expected, "{text:?}");
    }
}

#[test]
fn no_more_words_count_than_are_allowed() {
    let many = |count: usize| (0..count).map(|number| format!("w{number}")).collect::<Vec<_>>();
    assert_eq!(search_words(&many(SEARCH_WORDS_MAX).join(" ")), many(SEARCH_WORDS_MAX));
    assert_eq!(search_words(&many(SEARCH_WORDS_MAX + 1).join(" ")), many(SEARCH_WORDS_MAX));
}
