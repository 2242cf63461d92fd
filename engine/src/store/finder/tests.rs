use super::{Query, Sought, postgres};

#[test]
fn postgres_is_given_words_as_values_and_never_as_text_of_the_statement() {
    let words = ["rain", "city"].map(str::to_owned);
    let sought = Sought { words: &words, category: Some("data") };
    let queries: [Query; 2] = [postgres::with_all(&sought), postgres::with_some(&sought)];
    let expected: [&[&str]; 2] = [&["rain city", "data", "rain city", "data"], &["rain", "data", "city", "data"]];
    for (query, expected) in queries.iter().zip(expected) {
        let values: Vec<_> = expected.iter().map(|value| sea_orm::Value::from(*value)).collect();
        assert_eq!(query.values, values);
        for place in 1..=expected.len() {
            assert!(query.sql.contains(&format!("${place}")), "{}", query.sql);
        }
        assert!(!query.sql.contains("rain") && !query.sql.contains("data"), "{}", query.sql);
    }
}
