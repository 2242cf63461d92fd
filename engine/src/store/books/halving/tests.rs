use super::first_of;

#[test]
fn the_first_number_is_found_after_few_questions() {
    for (last, from, expected) in [
        (0, 1, 1),
        (1, 1, 1),
        (1, 2, 2),
        (2, 2, 2),
        (7, 1, 1),
        (7, 5, 5),
        (7, 7, 7),
        (7, 8, 8),
        (1_000_000, 654_321, 654_321),
        (1_000_000, 2_000_000, 1_000_001),
    ] {
        let mut asked = Vec::new();
        let found = first_of(last, |number| {
            asked.push(number);
            Ok::<_, ()>(number >= from)
        });
        assert_eq!(found, Ok(expected), "{from} of {last}");
        assert!(asked.len() <= 20 && asked.iter().all(|number| (1..=last).contains(number)), "{asked:?}");
    }
}

#[test]
fn a_question_without_an_answer_ends_it() {
    assert_eq!(first_of(9, |number| Err::<bool, _>(number)), Err(5));
}
