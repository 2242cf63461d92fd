use std::collections::BTreeMap;

use serde_json::json;

use super::{Level, PaidCall, Proxies, Report, Sqlite, median};
use crate::machine::Machine;

fn paid(paid_per_s: f64) -> PaidCall {
    PaidCall { paid_per_s, paid_over_bare: 0.5, p50_ms: 1.0, p99_ms: 2.0, added_p50_ms: 0.25 }
}

pub(super) fn level(nginx: Option<f64>) -> Level {
    let proxies = Proxies {
        bare_per_s: 2000.0,
        bare_p50_ms: 0.75,
        bare_p99_ms: 1.5,
        nginx_per_s: nginx,
        nginx_p50_ms: nginx,
        nginx_p99_ms: nginx,
        bare_over_nginx: nginx,
    };
    Level { paid: paid(1000.0), keyed: paid(900.0), paid_over_nginx: nginx, proxies }
}

pub(super) fn report(nginx: Option<f64>) -> Report {
    let mut report = Report::new(Machine {
        cpu: "a processor".to_owned(),
        cores: 2,
        pinned_to_two_cores: false,
        memory_mib: 4096,
        kernel: "a kernel".to_owned(),
        fdatasync_ms: 0.2,
        load_before: 0.0,
        is_optimised: true,
    });
    report.sqlite = Some(Sqlite { levels: BTreeMap::from([(64, level(nginx))]), ..Sqlite::default() });
    report
}

#[test]
fn the_object_has_the_documented_keys() {
    let object = serde_json::to_value(report(Some(4000.0))).unwrap();
    let level = &object["sqlite"]["64"];
    for (key, value) in [
        ("paid_per_s", json!(1000.0)),
        ("bare_per_s", json!(2000.0)),
        ("nginx_per_s", json!(4000.0)),
        ("paid_over_bare", json!(0.5)),
        ("p50_ms", json!(1.0)),
        ("p99_ms", json!(2.0)),
        ("added_p50_ms", json!(0.25)),
    ] {
        assert_eq!(level[key], value, "{key}");
    }
    assert_eq!(level["keyed"]["paid_per_s"], json!(900.0));
    assert_eq!(object["machine"]["cores"], json!(2));
    assert!(object.get("size").is_none());
}

#[test]
fn a_missing_nginx_is_null_and_not_measured() {
    let report = report(None);
    assert_eq!(serde_json::to_value(&report).unwrap()["sqlite"]["64"]["nginx_per_s"], json!(null));
    assert!(report.to_string().contains("nginx       not measured"), "{report}");
}

#[test]
fn the_median_is_the_middle() {
    for (values, expected) in [
        (vec![], 0.0),
        (vec![3.0], 3.0),
        (vec![9.0, 1.0], 5.0),
        (vec![7.0, 1.0, 2.0], 2.0),
        (vec![4.0, 1.0, 2.0, 3.0], 2.5),
    ] {
        assert!((median(values.clone()) - expected).abs() < 1e-9, "{values:?}");
    }
}
