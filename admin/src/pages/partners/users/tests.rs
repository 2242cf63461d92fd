use super::*;

#[test]
fn classes_are_called_by_their_ends_in_credits() {
    let micros = Credits::from_micros;
    for (from, below, name) in [
        (0, None, "nothing"),
        (1, Some(10), "0.000001 to below 0.00001"),
        (100_000, Some(1_000_000), "0.1 to below 1"),
        (1_000_000_000, Some(10_000_000_000), "1,000 to below 10,000"),
        (1_000_000_000_000_000_000, None, "1,000,000,000,000 and more"),
    ] {
        let class = SpendingClass { from: micros(from), below: below.map(micros), users: 1_200 };
        let span = class_span(&class, None);
        assert_eq!((span.name.as_str(), span.says.as_str()), (name, "1,200"));
        assert_eq!((span.from, span.to, span.value), (0, 1_200, Cell::Number(1_200)));
        assert_eq!(span.note, "");
    }
}

#[test]
fn the_class_of_one_end_user_is_marked_in_words_and_colour() {
    let micros = Credits::from_micros;
    let classes = [(0, None), (1, Some(10)), (10, Some(100)), (100, Some(1_000))];
    let classes = classes.map(|(from, below)| SpendingClass { from: micros(from), below: below.map(micros), users: 1 });
    for (spent, marked) in [(0, 0), (1, 1), (9, 1), (10, 2), (999, 3)] {
        let spans = classes.map(|class| class_span(&class, Some(micros(spent))));
        let here: Vec<usize> = (0..4).filter(|at| spans[*at].note == "← this end user").collect();
        let coloured: Vec<usize> = (0..4).filter(|at| spans[*at].class == "s3").collect();
        assert_eq!((here, coloured), (vec![marked], vec![marked]), "{spent}");
    }
}
