use super::*;
use crate::kit::Cell;

#[test]
fn a_small_line_has_its_ticks_below() {
    let spark = Spark { says: "\"<calls>".to_owned(), values: vec![0, 4, 2], ticks: vec![1, 0, 1] };
    assert_eq!(spark.points(), "0,16 48,0 96,8");
    assert_eq!(spark.tick_places(), [0, 94]);
    let html = Cell::Spark(spark).to_string();
    assert!(html.contains("role=\"img\"") && !html.contains("<calls>") && !html.contains("style="), "{html}");
    let flat = Spark { says: String::new(), values: vec![0], ticks: Vec::new() };
    assert_eq!((flat.points().as_str(), flat.tick_places()), ("0,16", Vec::new()));
}
