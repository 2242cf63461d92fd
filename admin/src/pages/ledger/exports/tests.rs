use super::*;

fn asked(query: &str) -> (Option<Request>, Vec<String>) {
    let mut problems = Problems::default();
    let wanted = read(&Fields::parse(query).unwrap(), &mut problems);
    (wanted, problems.all().into_iter().map(|(field, _)| field).collect())
}

#[test]
fn a_month_is_a_range() {
    let (wanted, problems) = asked("report=journal&format=csv&month=2027-02");
    assert_eq!(problems, Vec::<String>::new());
    let wanted = wanted.unwrap();
    assert_eq!((wanted.from_us, wanted.to_us), (parse_time("2027-02-01"), parse_time("2027-03-01")));
    assert_eq!((wanted.only, wanted.is_full), (Only::Everything, false));
}

#[test]
fn a_range_is_read_as_it_is_typed() {
    let (wanted, _) = asked("report=postings&format=jsonl&from=2027-01-02T10%3A00&to=2027-01-03&account=main");
    let wanted = wanted.unwrap();
    assert_eq!((wanted.from_us, wanted.to_us), (parse_time("2027-01-02T10:00:00Z"), parse_time("2027-01-03")));
    assert_eq!(wanted.only, Only::Account("main".to_owned()));
}

#[test]
fn what_makes_no_sense_is_said_of_its_field() {
    for (query, field) in [
        ("format=csv", "report"),
        ("report=journal&format=parquet", "format"),
        ("report=postings&format=hledger", "format"),
        ("report=journal&format=csv&full=yes", "full"),
        ("report=account-statement&format=csv", "account"),
        ("report=account-statement&format=csv&publisher=acme", "publisher"),
        ("report=journal&format=csv&account=a&partner=b", "partner"),
        ("report=journal&format=csv&month=2027-13", "month"),
        ("report=journal&format=csv&month=2027-1", "month"),
        ("report=journal&format=csv&month=2027-01&from=2027-01-01", "month"),
        ("report=journal&format=csv&from=tomorrow", "from"),
        ("report=journal&format=csv&from=2027-02-01&to=2027-01-01", "to"),
    ] {
        let (wanted, problems) = asked(query);
        assert_eq!((wanted, problems), (None, vec![field.to_owned()]), "{query}");
    }
}
