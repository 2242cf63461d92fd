use engine::credits::Credits;

use super::{cell::grouped, *};

#[test]
fn what_somebody_typed_never_becomes_markup() {
    let hostile = "\"><svg/onload=alert(1)>'</script>";
    let page = [
        Block::from(Text::new(hostile)),
        Block::from(Facts::new().fact(hostile, Cell::text(hostile)).fact("link", Cell::link(hostile, hostile))),
        Block::from(Table {
            caption: hostile.to_owned(),
            columns: vec![Column::new(hostile)],
            rows: vec![Row::new(hostile, vec![Cell::id(hostile, hostile)])],
            ..Table::default()
        }),
        Block::from(Form::new("/", hostile).field(Field::line("name", hostile).value(hostile).hint(hostile))),
        Block::from(Panes {
            panes: vec![Pane {
                caption: hostile.to_owned(),
                lines: vec![PaneLine { links: vec![Link::new(hostile, hostile)], ..PaneLine::new(hostile, hostile) }],
            }],
        }),
        Block::from(editor(hostile)),
        Block::from(Picture { src: hostile.to_owned(), alt: hostile.to_owned() }),
        Block::from(Code { caption: hostile.to_owned(), text: hostile.to_owned(), is_copied: true }),
    ];
    for block in page {
        let html = block.to_string();
        assert!(!html.contains("<svg"), "{html}");
        assert!(!html.contains("</script"), "{html}");
        assert!(!html.contains("\">\""), "{html}");
    }
}

#[test]
fn amounts_are_grouped_and_keep_every_digit() {
    for (text, shown) in
        [("0", "0"), ("999", "999"), ("1000", "1,000"), ("-1234567.000001", "−1,234,567.000001"), ("0.5", "0.5")]
    {
        assert_eq!(grouped(text), shown);
    }
    let cell = Cell::Money(Credits::from_micros(-1_500_000)).to_string();
    assert!(cell.contains("negative") && cell.contains("−1.5") && cell.contains("value=\"-1.5\""), "{cell}");
}

#[test]
fn a_part_of_a_whole_is_drawn_and_written() {
    let cell = Cell::Share(81).to_string();
    assert!(cell.contains("<meter") && cell.contains("value=\"81\"") && cell.contains("81&nbsp;%</data>"), "{cell}");
    assert!(!cell.contains("style="), "{cell}");
}

#[test]
fn identifiers_are_shown_short_and_kept_whole() {
    let id = "acc_0192f0c1a2b37c4d8e5f60718293a4b5";
    assert_eq!(short_id(id), "acc_0192…93a4b5");
    assert_eq!(short_id("main"), "main");
    assert!(Cell::id(id, "/admin/accounts/x").to_string().contains(&format!("title=\"{id}\"")));
}

#[test]
fn moments_are_read_as_people_and_browsers_write_them() {
    let day = parse_time("2026-11-30").unwrap();
    assert_eq!(parse_time("2026-11-30T00:00"), Some(day));
    assert_eq!(parse_time("2026-11-30T01:00:00+01:00"), Some(day));
    assert_eq!(parse_time("30.11.2026"), None);
    assert_eq!(instant_text(day), "2026-11-30 00:00:00");
}

#[test]
fn a_page_goes_on_behind_its_last_row_and_keeps_its_filters() {
    assert_eq!(
        page_href("/admin/accounts", "email=a&after=x&suspended=", "after", "y"),
        "/admin/accounts?email=a&after=y"
    );
    assert_eq!(page_href("/admin/accounts", "after=x", "after", ""), "/admin/accounts");
}

#[test]
fn bars_are_stacked_within_the_drawing() {
    let bars = Bars {
        title: "calls".to_owned(),
        measure: Measure::Number,
        labels: vec!["1".to_owned(), "2".to_owned()],
        series: vec![
            Series { label: "a".to_owned(), class: "s1", values: vec![10, 0] },
            Series { label: "b".to_owned(), class: "s2", values: vec![10, 1] },
        ],
        ..Bars::default()
    };
    let drawn = bars.rectangles();
    assert_eq!(drawn.len(), 3);
    assert!(drawn.iter().all(|bar| bar.y >= 0 && bar.height > 0 && bar.x + bar.width <= 720));
    assert_eq!(drawn.iter().filter(|bar| bar.x == 0).map(|bar| bar.height).sum::<i64>(), 180);
    assert!(Block::from(bars).to_string().contains("<details>"));
}

#[test]
fn bars_of_money_are_written_as_money() {
    let bars = Bars {
        title: "earned".to_owned(),
        measure: Measure::Money,
        labels: vec!["today".to_owned()],
        series: vec![Series { label: "share".to_owned(), class: "s2", values: vec![1_234_500_000] }],
        ..Bars::default()
    };
    assert_eq!(bars.rectangles()[0].says, "today: share 1,234.5 cr");
    assert_eq!(bars.numbers(), [("today".to_owned(), vec![Cell::Money(Credits::from_micros(1_234_500_000))])]);
}

#[test]
fn a_password_is_never_sent_back() {
    let typed = crate::console::Fields::parse("password=secret&email=a%40b.c").unwrap();
    let form = Form::new("/", "go")
        .field(Field::line("email", "e"))
        .field(Field::password("password", "p", "current-password"))
        .filled(&typed, &crate::console::Problems::default());
    let html = Block::from(form).to_string();
    assert!(html.contains("a@b.c") && !html.contains("secret"), "{html}");
}

/// An editor in which `text` stands wherever something can.
fn editor(text: &str) -> Editor {
    let button = || Button::new(text, text).says(text);
    let entry = LaneEntry { text: text.to_owned(), remove: Some(button()) };
    let list = LaneList { name: text.to_owned(), entries: vec![entry], note: text.to_owned(), add: Some(button()) };
    let lane = Lane {
        title: text.to_owned(),
        key: text.to_owned(),
        choices: vec![button()],
        lists: vec![list],
        buttons: vec![button()],
        note: text.to_owned(),
    };
    let field = Field::line("entry", text).value(text);
    let lanes = Lanes { field, buttons: vec![button()], lanes: vec![lane] };
    let code = Field::new("text", text, Control::Lines { rows: 9, is_code: true }).value(text);
    Editor {
        id: "sheet",
        form: Form::new(text, text).field(code).cancel(text),
        live: text.to_owned(),
        watched: vec!["text"],
        buttons: vec![button(), button()],
        beside: vec![lanes.into(), Ask { action: text.to_owned(), fields: Vec::new(), submit: text.to_owned() }.into()],
    }
}

#[test]
fn an_editor_is_checked_by_the_fields_that_it_watches() {
    let html = Block::from(editor("x")).to_string();
    assert!(html.contains("hx-trigger=\"input changed delay:700ms from:#field-text\""), "{html}");
    assert!(html.contains("hx-target=\"#sheet-beside\"") && html.contains("id=\"sheet-beside\""), "{html}");
    let (before, _) = html.split_once("<button").unwrap();
    assert!(before.contains("textarea"), "the Enter key does what the first button says");
}
