//! The lists of the console as the routes name them, and how each is empty, has one row, has more than a page, and is asked
//! for something that makes no sense. Who adds a list adds a row.

/// A list, and how its states are reached.
pub(in crate::clients::console) struct List {
    /// As `admin::routes` has it.
    pub(in crate::clients::console) route: &'static str,
    pub(super) none: Nothing,
    pub(super) one: One,
    pub(super) many: Many,
    pub(super) place: Place,
    pub(super) broken: Broken,
}

/// What is asked for so that there is nothing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Nothing {
    /// This, where nothing has happened yet; of what belongs to something, at something new.
    New(&'static str),
    /// This, of the samples.
    Sample(&'static str),
    /// It is never empty: why.
    Never(&'static str),
}

/// What is asked for so that there is one row.
#[derive(Debug, Clone, Copy)]
pub(super) enum One {
    /// This, of the samples.
    Row(&'static str),
    /// The same in the table with this caption.
    RowOf(&'static str, &'static str),
    /// This, where nothing has happened yet.
    Begun(&'static str),
    /// It is not told by a number: why.
    Unknown(&'static str),
}

/// What is asked for so that there is more than a page.
#[derive(Debug, Clone, Copy)]
pub(super) enum Many {
    /// This, once [`super::fill`] has filled the lists.
    Pages(&'static str),
    /// It has never so many, or never here: why.
    Few(&'static str),
}

/// How a list says where it goes on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Behind something of the program's own: anything else is refused. With what is asked for besides.
    Marked(&'static str),
    /// Behind a name that somebody else has given: anything is one.
    Named,
    /// It is on one page, and bounded.
    Whole,
}

/// What becomes of a filter that makes no sense.
#[derive(Debug, Clone, Copy)]
pub(super) enum Broken {
    /// A word that is none of the list counts as none: the same is shown as for this.
    AsIf(&'static str, &'static str),
    /// It is said beside the field, which keeps what was typed, and no row is shown.
    Refused(&'static str),
    /// It finds nobody: no row is shown, and the page says so.
    FindsNothing(&'static str),
    /// There is no such page.
    Gone(&'static str),
    /// It is narrowed by nothing.
    None,
}

use Broken::{AsIf, FindsNothing, Gone, Refused};
use Many::{Few, Pages};
use Nothing::{Never, New, Sample};
use One::{Begun, Row, RowOf, Unknown};
use Place::{Marked, Named, Whole};

const fn list(route: &'static str, none: Nothing, one: One, many: Many, place: Place, broken: Broken) -> List {
    List { route, none, one, many, place, broken }
}

/// What a part of something has: told by its own tests.
const PART: One = Unknown("how much there is is told by the tests of what it belongs to");
const PARTS: Many = Few("one of the samples never has so many");

pub(in crate::clients::console) const LISTS: &[List] = &[
    list(
        "/accounts",
        New(""),
        Row("?email=demo%40tollgate.localhost"),
        Pages(""),
        Marked(""),
        AsIf("?suspended=nonsense", ""),
    ),
    list("/accounts/{id}", New(""), PART, PARTS, Marked(""), Broken::None),
    list("/accounts/{id}/caps", New(""), PART, PARTS, Whole, Broken::None),
    list(
        "/approvals",
        New("?view=all"),
        Row("?view=all&kind=refund.create"),
        Pages("?view=all"),
        Marked("?view=all"),
        AsIf("?view=all&state=nonsense", "?view=all"),
    ),
    list(
        "/audit",
        Sample("?object=nothing-is-called-this"),
        Row("?action=period.close"),
        Pages(""),
        Marked(""),
        Refused("?from=someday"),
    ),
    list(
        "/chargebacks",
        New("?state=lost"),
        Row("?state=open"),
        Pages("?state=lost"),
        Marked(""),
        AsIf("?state=nonsense", "?state=any"),
    ),
    list("/invocations", New(""), Row("?partner=Globex"), Pages(""), Marked(""), FindsNothing("?outcome=nonsense")),
    list(
        "/ledger/accounts",
        Sample("?owner=nobody-is-called-this"),
        Row("?kind=partner_margin"),
        Pages(""),
        Marked(""),
        AsIf("?kind=nonsense", ""),
    ),
    list("/ledger/accounts/{id}", New(""), PART, PARTS, Marked(""), Refused("?until=someday")),
    list(
        "/ledger/checkpoints",
        Never("one is signed at the start"),
        Begun(""),
        Few("one an hour"),
        Marked(""),
        Broken::None,
    ),
    list(
        "/ledger/journal",
        Sample("?until=2020-01-01T00:00"),
        Row("?kind=payout"),
        Pages(""),
        Marked(""),
        Refused("?until=someday"),
    ),
    list("/ledger/periods", New(""), Row(""), Few("a month each"), Marked(""), Broken::None),
    list(
        "/ledger/trial-balance",
        Never("now it has a line for each class"),
        PART,
        PARTS,
        Marked("?period=1"),
        Gone("?period=nonsense"),
    ),
    list(
        "/listings",
        New(""),
        Row(""),
        Few("publishers hand in one by one, and no form here does it for them"),
        Marked(""),
        AsIf("?state=nonsense", ""),
    ),
    list(
        "/mail",
        Sample("?state=cancelled"),
        Unknown("mails are written with what causes them, one or more for each"),
        Pages(""),
        Marked(""),
        AsIf("?state=nonsense", ""),
    ),
    list("/namespaces/{id}", New(""), RowOf("Tools", ""), PARTS, Whole, Broken::None),
    list(
        "/operators",
        Never("whoever asks is one"),
        Unknown("whoever asks is one, too"),
        Few("nobody lets fifty people in for a test"),
        Marked(""),
        Broken::None,
    ),
    list("/operators/auditors", New(""), Row(""), Few("the samples have one"), Marked(""), Broken::None),
    list("/operators/{id}", New(""), PART, PARTS, Whole, Broken::None),
    list("/partners", New(""), Row(""), Pages(""), Marked(""), AsIf("?suspended=nonsense", "")),
    list(
        "/partners/deliveries",
        New("?state=sent"),
        Row("?state=sent"),
        Few("a part of a limit is told of once in its window"),
        Marked(""),
        AsIf("?state=nonsense", "?state=failed"),
    ),
    list("/partners/{id}", New(""), PART, PARTS, Whole, Broken::None),
    list("/partners/{id}/alerts", New(""), Row(""), PARTS, Marked(""), Broken::None),
    list("/partners/{id}/caps", New(""), PART, PARTS, Whole, Broken::None),
    list(
        "/partners/{id}/events",
        New(""),
        Row(""),
        Few("a part of a limit is told of once in its window"),
        Marked(""),
        Broken::None,
    ),
    list("/partners/{id}/statement", New(""), PART, PARTS, Whole, Broken::None),
    list("/partners/{id}/statements", New(""), PART, PARTS, Whole, Broken::None),
    list(
        "/partners/{id}/statements/{period}",
        Never("sums of nothing are sums"),
        PART,
        PARTS,
        Marked(""),
        Broken::None,
    ),
    list("/partners/{id}/tokens", New(""), Row(""), Pages(""), Marked(""), Broken::None),
    list("/partners/{id}/usage", New(""), PART, PARTS, Marked(""), Refused("?from=someday")),
    list("/partners/{id}/users", New(""), Row(""), Pages(""), Named, AsIf("?blocked=nonsense", "")),
    list("/partners/{id}/users/{user}", Sample(""), PART, PARTS, Whole, Broken::None),
    list("/partners/{id}/webhooks", New(""), Row(""), Few("ten at most"), Whole, Broken::None),
    list("/partners/{id}/webhooks/{webhook}", New(""), Row(""), PARTS, Marked(""), Broken::None),
    list("/payouts", New("?view=paid"), Row("?view=paid"), Pages("?view=paid"), Marked("?view=paid"), Broken::None),
    list(
        "/payouts",
        New("?view=partners"),
        Row("?view=partners"),
        Pages("?view=partners"),
        Marked("?view=partners"),
        Broken::None,
    ),
    list(
        "/policies",
        Sample("?author=nobody-is-called-this"),
        Row("?state=draft"),
        Pages(""),
        Marked(""),
        AsIf("?state=nonsense", ""),
    ),
    list(
        "/policies/{number}/replay",
        Sample("?cell=deny-allow"),
        PART,
        PARTS,
        Marked("?cell=deny-allow"),
        AsIf("?n=nonsense", ""),
    ),
    list("/publishers", New(""), Row("?name=Acme"), Pages(""), Marked(""), AsIf("?suspended=nonsense", "")),
    list("/publishers/{id}", New(""), RowOf("Namespaces", ""), PARTS, Marked(""), Broken::None),
    list("/purchases", New(""), Row("?state=pending"), Pages(""), Marked(""), AsIf("?state=nonsense", "")),
    list(
        "/refunds",
        New("?kind=adjustment"),
        Row("?kind=refund"),
        Pages("?kind=adjustment"),
        Marked("?kind=adjustment"),
        AsIf("?kind=nonsense", ""),
    ),
    list("/tools", New(""), Row("?name=lookup"), Pages(""), Marked(""), AsIf("?disabled=nonsense", "")),
    list(
        "/tools/{id}",
        Never("a tool has a price from the start"),
        PART,
        Few("a price waits for its time"),
        Marked(""),
        Broken::None,
    ),
];

/// Pages with something on them that may be empty, and that is no list: why.
pub(super) const NO_LISTS: [(&str, &str); 5] = [
    ("/", "parts of other lists, each of which leads there"),
    ("/search", "what is found of every kind, ten at most"),
    ("/audit/{place}", "the fields of one entry, and what was told with it"),
    ("/invocations/{id}", "the money of one call"),
    ("/invocations/{id}/payload", "what one call carried, if that is kept"),
];
