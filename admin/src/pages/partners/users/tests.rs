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
        let span = class_span(&class);
        assert_eq!((span.name.as_str(), span.says.as_str()), (name, "1,200"));
        assert_eq!((span.from, span.to, span.value), (0, 1_200, Cell::Number(1_200)));
    }
}
