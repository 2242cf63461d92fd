//! Tools: the list, and one of them with what it takes, where its calls go and what they cost.

use actix_web::web::Path;
use engine::{
    id::ToolId,
    policy::console::ConsoleAction,
    service::{
        approvals::{ApprovalFilter, ApprovalState},
        catalog::{Latency, RecentCalls, ToolDetail, ToolFilter, ToolProfile},
        publishing::ToolOffer,
    },
};

use super::{TOOLS, namespace_href, publisher_href, recent_note, tool_href, tool_state, topics, visibility};
use crate::{
    console::{Answer, Fault, Fields, ListedPage, Visit, csv},
    kit::{
        Bars, Cell, Choice, Code, Column, Empty, Facts, Field, Filters, Heading, Link, Notice, Page, Row, Series,
        Table, Text, Tone, page_href,
    },
    pages::{listings, prices},
    text::t,
};

/// What the address narrows the list to; nothing if it names a publisher that there is not.
async fn filter_of(visit: &Visit, fields: &Fields) -> Result<Option<ToolFilter>, Fault> {
    let publisher = match fields.text("publisher") {
        "" => None,
        text => match visit.services().find_publisher(text).await? {
            Some(publisher) => Some(publisher.id),
            None => return Ok(None),
        },
    };
    let is_disabled = match fields.text("disabled") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let (namespace, name) = (fields.text("namespace").to_owned(), fields.text("name").to_owned());
    Ok(Some(ToolFilter { publisher, namespace, name, is_disabled }))
}

fn filters(visit: &Visit, fields: &Fields) -> Filters {
    let chosen = fields.text("disabled");
    let choices = [("", "catalog-any"), ("no", "catalog-enabled"), ("yes", "catalog-disabled")];
    let choices =
        choices.map(|(value, key)| Choice { value: value.to_owned(), label: t(key), is_chosen: value == chosen });
    Filters {
        action: TOOLS.to_owned(),
        fields: vec![
            Field::line("publisher", t("catalog-publisher-slug")).value(fields.text("publisher")),
            Field::line("namespace", t("catalog-namespace")).value(fields.text("namespace")),
            Field::line("name", t("catalog-name-begins")).value(fields.text("name")),
            Field::select("disabled", t("catalog-switch"), choices.into()),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { TOOLS.to_owned() },
    }
}

pub(super) async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let (rows, next) = match filter_of(&visit, &fields).await? {
        Some(filter) => {
            let listed = visit.services().list_tools(&filter, fields.cursor()?).await?;
            (listed.rows, listed.next)
        }
        None => (Vec::new(), None),
    };
    let next = next.map_or_else(String::new, |next| page_href(TOOLS, &visit.query, "after", &next));
    let export = Link::new(t("catalog-export"), page_href(&format!("{TOOLS}/export"), &visit.query, "after", ""));
    let table = Table {
        first: visit.first_href(TOOLS),
        exports: if visit.may(ConsoleAction::ListsExport) { vec![export] } else { Vec::new() },
        ..table(&visit, &rows, next, new_href(fields.text("namespace")))
    };
    let may_create = visit.may(ConsoleAction::ToolCreate);
    let page = Page::new(t("catalog-tools"))
        .tool(may_create, t("catalog-tool-new"), new_href(fields.text("namespace")))
        .with(filters(&visit, &fields))
        .with(table);
    visit.show(page).await
}

/// Where a tool is added, to this namespace if one is named.
pub(super) fn new_href(namespace: &str) -> String {
    match namespace {
        "" => format!("{TOOLS}/new"),
        name => {
            let name = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>();
            format!("{TOOLS}/new?namespace={name}")
        }
    }
}

/// Tools with their state and their price of now; `next` is where more of them are, `new` where one is added.
pub(super) fn table(visit: &Visit, tools: &[ToolProfile], next: String, new: String) -> Table {
    let rows = tools.iter().map(|tool| {
        let href = tool_href(tool.id);
        let publisher = tool
            .seller
            .as_ref()
            .map_or(Cell::None, |(_, publisher)| Cell::link(&publisher.display_name, publisher_href(publisher.id)));
        Row::new(
            href.clone(),
            vec![
                Cell::link(tool.path(), href),
                tool_state(tool),
                prices::price_now(visit, &tool.path()),
                publisher,
                Cell::text(&tool.short_description),
                Cell::Time(tool.created_us),
            ],
        )
    });
    let may_create = visit.may(ConsoleAction::ToolCreate);
    Table {
        caption: t("catalog-tools"),
        columns: vec![
            Column::new(t("catalog-tool")),
            Column::new(t("catalog-state")),
            Column::right(t("prices-price")),
            Column::new(t("catalog-publisher")),
            Column::new(t("catalog-description")),
            Column::new(t("catalog-created")),
        ],
        rows: rows.collect(),
        next,
        empty: Some(Empty {
            text: t("catalog-tools-empty"),
            command: "tollgate apply tollgate.json5".to_owned(),
            link: may_create.then(|| Link::new(t("catalog-tool-new"), new)),
        }),
        ..Table::default()
    }
}

pub(super) async fn export(visit: Visit) -> Answer {
    let filter = filter_of(&visit, &Fields::parse(&visit.query)?).await?;
    let columns =
        ["id", "tool", "publisher", "disabled", "visibility", "callable", "price", "short_description", "created_at"];
    let asked = visit.clone();
    let page = move |after| -> ListedPage {
        let (visit, filter) = (asked.clone(), filter.clone());
        Box::pin(async move {
            let Some(filter) = filter else { return Ok((Vec::new(), None)) };
            let listed = visit.services().list_tools(&filter, after).await?;
            let row = |tool: &ToolProfile| {
                let path = tool.path();
                let slug = tool.seller.as_ref().map_or_else(String::new, |(_, publisher)| publisher.slug.clone());
                let is_callable = tool.standing() == engine::service::catalog::ToolStanding::Active;
                vec![
                    tool.id.to_string(),
                    path.clone(),
                    slug,
                    tool.is_disabled.to_string(),
                    tool.visibility.to_string(),
                    is_callable.to_string(),
                    prices::spec_now(&visit, &path),
                    tool.short_description.clone(),
                    crate::kit::instant_text(tool.created_us),
                ]
            };
            Ok((listed.rows.iter().map(row).collect(), listed.next.and_then(|next| next.parse().ok())))
        })
    };
    csv(&visit, "tools", &columns, page).await
}

pub(super) async fn load(visit: &Visit, id: &str) -> Result<ToolDetail, Fault> {
    let id: ToolId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_tool(id).await?.ok_or(Fault::NotFound)
}

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let tool = load(&visit, &id).await?;
    let (profile, terms) = (&tool.profile, &tool.terms);
    let own = tool_href(profile.id);
    let (recent, took) = visit.services().recent_calls_of(profile.id).await?;
    let switch = if profile.is_disabled { "catalog-enable" } else { "catalog-disable" };
    let mut page = Page::new(profile.path())
        .under(t("catalog-tools"), TOOLS)
        .tool(visit.may(ConsoleAction::PriceSchedule), t("prices-schedule"), format!("{own}/price"))
        .tool(visit.may(ConsoleAction::ToolChange), t("catalog-change"), format!("{own}/edit"))
        .tool(visit.may(ConsoleAction::ToolDisable), t(switch), format!("{own}/disable"));
    if let Some((namespace, publisher)) = &profile.seller {
        page = page
            .under(publisher.display_name.clone(), publisher_href(publisher.id))
            .under(namespace.name.clone(), namespace_href(namespace.id));
    }
    page.subtitle = vec![tool_state(profile), Cell::id(profile.id, "")];
    if let Some(notice) = waiting(&visit, profile.id).await? {
        page = page.with(notice);
    }
    let offer = visit.services().load_tool_offer(profile.id).await.map_err(listings::fault_of)?;
    page = page
        .with(facts(&tool, &recent))
        .with(offer_facts(profile, &offer))
        .with(Text::new(recent_note(&recent, visit.now_us)));
    if !took.is_empty() {
        page = page.with(latency_bars(t("catalog-latency"), &took));
    }
    if !terms.long_description.is_empty() {
        page = page.with(Text::new(terms.long_description.clone()));
    }
    let schema = Code { caption: t("catalog-schema"), text: terms.input_schema.clone(), is_copied: true };
    let (price_blocks, price_ids) = prices::of_tool(&visit, profile.id).await?;
    let (id, path) = (profile.id.to_string(), profile.path());
    // An import knows it by its path; every price has a name of its own.
    let imported = if profile.seller.is_some() { "tool" } else { "core_tool" };
    let mut names = vec![("tool", id), (imported, path)];
    names.extend(price_ids.into_iter().map(|id| ("price", id)));
    let timeline = super::super::timeline_of(&visit, &names).await?;
    page.blocks.extend(price_blocks);
    let page = page.with(schema).with(Heading::new(t("console-timeline"))).with(timeline);
    visit.show(page).await
}

/// How long calls took: the median, and above it what the slower ones took longer.
pub(in crate::pages) fn latency_bars(title: String, took: &[Latency]) -> Bars {
    let ms = |us: i64| us.checked_div(1_000).unwrap_or(0);
    let series = |key: &str, class, value: fn(&Latency) -> i64| Series {
        label: t(key),
        class,
        values: took.iter().map(|part| ms(value(part))).collect(),
    };
    Bars {
        title,
        labels: took.iter().map(|part| crate::kit::instant_text(part.from_us)).collect(),
        series: vec![
            series("catalog-latency-p50", "s1", |part| part.p50_us),
            series("catalog-latency-p95", "s3", |part| part.p95_us.saturating_sub(part.p50_us)),
            series("catalog-latency-p99", "s5", |part| part.p99_us.saturating_sub(part.p95_us)),
        ],
        ticks: Some(Series {
            label: t("catalog-latency-failed"),
            class: "s4",
            values: took.iter().map(|part| i64::try_from(part.failed).unwrap_or(i64::MAX)).collect(),
        }),
        ..Bars::default()
    }
}

/// That somebody has asked for another price.
async fn waiting(visit: &Visit, tool: ToolId) -> Result<Option<Notice>, Fault> {
    let filter = ApprovalFilter {
        state: Some(ApprovalState::Waiting),
        object: Some(tool.to_string()),
        ..ApprovalFilter::default()
    };
    let (waiting, _) = visit.services().list_approvals(&filter, None, 1).await?;
    let notice = || Notice::new(Tone::Warn, t("prices-waits")).link(t("prices-approvals"), "/admin/approvals");
    Ok(waiting.first().map(|_| notice()))
}

/// What its publisher has said of it. Of arguments only the names: what is set may be meant for nobody else.
fn offer_facts(profile: &ToolProfile, offer: &ToolOffer) -> Facts {
    let names = |names: &[String]| Cell::maybe(Some(names.join(", ")).filter(|names| !names.is_empty()));
    let units = offer.units.credits_per_unit.as_ref().map(|credits| format!("{credits} × "));
    let units = Some(format!("{}{}", units.unwrap_or_default(), offer.units.fields.join(" × ")));
    let request = offer.request.as_ref().map(|(method, path)| format!("{method} {path}"));
    Facts::new()
        .fact(t("catalog-visibility"), visibility(profile.visibility))
        .fact(t("catalog-group"), Cell::maybe(offer.group.as_ref().map(|(_, name)| name.as_str())))
        .fact(t("catalog-request"), request.map_or(Cell::None, Cell::Mono))
        .fact(t("catalog-static-args"), names(&offer.static_args))
        .fact(t("catalog-default-args"), names(&offer.default_args))
        .fact(t("catalog-units"), Cell::maybe(units.filter(|units| !units.is_empty())))
        .fact(
            t("catalog-example-prompts"),
            Cell::maybe(Some(offer.example_prompts.join(" · ")).filter(|all| !all.is_empty())),
        )
}

fn facts(tool: &ToolDetail, recent: &RecentCalls) -> Facts {
    let (profile, terms) = (&tool.profile, &tool.terms);
    let number = |count: u64| Cell::Number(i64::try_from(count).unwrap_or(i64::MAX));
    let tier = if terms.is_unverified_ok { "catalog-tier-unverified" } else { "catalog-tier-verified" };
    let seller = profile.seller.as_ref().map_or_else(
        || Cell::text(t("catalog-core")),
        |(_, publisher)| Cell::link(&publisher.display_name, publisher_href(publisher.id)),
    );
    let upstream = tool.mcp_tool.as_ref().map_or_else(
        || format!("{} {}", terms.method, terms.shown_url()),
        |name| format!("MCP {name} {}", terms.shown_url()),
    );
    let about = Facts::new()
        .fact(t("catalog-publisher"), seller)
        .fact(t("catalog-description"), Cell::text(&profile.short_description));
    topics::facts(about, &terms.topics)
        .fact(t("catalog-upstream"), Cell::Mono(upstream))
        .fact(t("catalog-timeout"), Cell::Number(i64::try_from(terms.timeout_ms).unwrap_or(i64::MAX)))
        .fact(t("catalog-tier"), Cell::text(t(tier)))
        .fact(t("catalog-recent-calls"), number(recent.calls))
        .fact(t("catalog-recent-failed"), number(recent.failed))
        .fact(t("catalog-recent-charged"), Cell::Money(recent.charged))
        .fact(
            t("catalog-invocations"),
            Cell::link(t("catalog-invocations-show"), format!("/admin/invocations?tool={}", profile.id)),
        )
        .fact(t("catalog-created"), Cell::Time(profile.created_us))
}
