use super::{Run, Work, parse};

const REPORT: &str = "pgbench (15.14 (Debian 15.14-0+deb12u1))
transaction type: charge.sql
scaling factor: 1
query mode: prepared
number of clients: 16
number of threads: 1
maximum number of tries: 1
duration: 5 s
number of transactions actually processed: 4061
number of failed transactions: 0 (0.000%)
latency average = 19.701 ms
initial connection time = 41.230 ms
tps = 812.123456 (without initial connection time)
";

#[test]
fn the_figures_are_read_from_the_report() {
    let expected = Run { transactions: 4_061, per_s: 812.123_456, mean_ms: 19.701 };
    assert_eq!(parse(REPORT).unwrap(), expected);
}

#[test]
fn a_report_with_failures_or_without_figures_is_none() {
    assert!(parse(&REPORT.replace("transactions: 0 (0.000%)", "transactions: 3 (0.074%)")).is_err());
    assert!(parse(&REPORT.replace("tps", "speed")).is_err());
    assert!(parse(&REPORT.replace("19.701 ms", "ms")).is_err());
    assert!(parse("").is_err());
}

#[test]
fn every_work_has_a_script_of_its_own() {
    let ((one, first), (other, second)) = (Work::HoldCapture.script(), Work::Charge.script());
    assert!(one != other && first.contains("capture(") && second.contains("charge("));
}
