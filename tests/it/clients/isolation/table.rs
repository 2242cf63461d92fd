//! What a row says, and the rows of accounts, callers, lookers and the books.

use super::{house::Who, things::Thing};

/// A request that is about something of somebody's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) party: Party,
    /// `METHOD /path`, as `docs/openapi.json` has it.
    pub(super) route: &'static str,
    /// What is named: the parameters of the path in their order, then those of the query and of the body by their names.
    /// Names that begin with `+` stand in no document: things that are made beforehand, and what a header names; neither do
    /// those with dots, which are inside of what the document leaves open.
    pub(super) ids: &'static [(&'static str, Thing)],
    pub(super) query: &'static str,
    pub(super) body: &'static str,
    /// `name: value`.
    pub(super) header: &'static str,
    pub(super) foreign: Foreign,
    /// What the rightful owner's answer has in it, so that its absence elsewhere says something.
    pub(super) shows: &'static str,
    /// What is the same for its owner after all strangers have tried.
    pub(super) keeps: &'static str,
    /// What the rightful owner gets.
    pub(super) owner_gets: u16,
}

/// Whose things they are, and who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Party {
    pub(super) owner: Who,
    /// Those who could have such a thing themselves: what is not theirs is to them as if it were not there.
    pub(super) strangers: &'static [Who],
    /// Those who are refused before anything is looked for, and with which code.
    pub(super) outsiders: &'static [(Who, u16, &'static str)],
}

/// What a stranger is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    /// One of these statuses, in the same bytes as for something that there is not.
    AsUnknown(&'static [u16]),
    /// Something with nothing of the owner's in it.
    Nothing,
    /// Something of its own, with nothing of the owner's in it, although the owner was there before.
    Own,
    /// One of these statuses, since the owner was there before.
    Taken(&'static [u16]),
}

pub(super) const MISSING: Foreign = Foreign::AsUnknown(&[404]);

/// The body is a picture in a form, as uploads are.
pub(super) const PICTURE: &str = "<picture>";

pub(super) const fn row(
    party: Party,
    route: &'static str,
    ids: &'static [(&'static str, Thing)],
    foreign: Foreign,
) -> Row {
    Row { party, route, ids, query: "", body: "", header: "", foreign, shows: "", keeps: "", owner_gets: 200 }
}

impl Row {
    pub(super) const fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }

    pub(super) const fn body(mut self, body: &'static str) -> Self {
        self.body = body;
        self
    }

    pub(super) const fn header(mut self, header: &'static str) -> Self {
        self.header = header;
        self
    }

    pub(super) const fn shows(mut self, shows: &'static str) -> Self {
        self.shows = shows;
        self
    }

    pub(super) const fn keeps(mut self, keeps: &'static str) -> Self {
        self.keeps = keeps;
        self
    }

    /// A status that is no 2xx, where the design refuses everybody.
    pub(super) const fn refused_to_all(mut self, status: u16) -> Self {
        self.owner_gets = status;
        self
    }
}

const NOBODY: (Who, u16, &str) = (Who::Nobody, 401, "missing_token");
const NO_ACCOUNT: (Who, u16, &str) = (Who::Globex, 403, "session_required");

/// With a token of the account.
const ACCOUNT: Party = Party {
    owner: Who::Alice,
    strangers: &[Who::Bob, Who::BobSignedIn],
    outsiders: &[NOBODY, NO_ACCOUNT, (Who::Unknown, 401, "invalid_token")],
};

/// Signed in.
const SESSION: Party = Party {
    owner: Who::AliceSignedIn,
    strangers: &[Who::BobSignedIn],
    outsiders: &[NOBODY, NO_ACCOUNT, (Who::Bob, 403, "session_required"), (Who::Alice, 403, "session_required")],
};

/// Of an account or a partner alike.
const WALLET: Party = Party {
    owner: Who::Alice,
    strangers: &[Who::Bob, Who::Globex],
    outsiders: &[NOBODY, (Who::Unknown, 401, "invalid_token")],
};

/// What only a confirmed address may know of.
const READER: Party = Party {
    owner: Who::Alice,
    strangers: &[Who::Ned, Who::Initech, Who::Nobody],
    outsiders: &[(Who::Unknown, 401, "invalid_token")],
};

/// The same to be called.
const CALLER: Party = Party { owner: Who::Alice, strangers: &[Who::Ned], outsiders: &[NOBODY] };

/// What accounts call.
const PAYER: Party = Party { owner: Who::Alice, strangers: &[Who::Bob], outsiders: &[NOBODY] };

/// What partners call for their users.
const RESELLER: Party = Party { owner: Who::Globex, strangers: &[Who::Initech], outsiders: &[NOBODY] };

/// Whoever knows the password, to whoever does not.
const ADDRESS: Party = Party { owner: Who::AliceHerself, strangers: &[Who::Nobody], outsiders: &[] };

/// The books as a whole.
const AUDITOR: Party =
    Party { owner: Who::Auditor, strangers: &[Who::Alice, Who::Bob, Who::Globex, Who::Unknown], outsiders: &[NOBODY] };

/// The one operator of the agent gateway.
const GATEWAY: Party = Party { owner: Who::Gateway, strangers: &[Who::Alice, Who::Globex], outsiders: &[] };

/// Numbers and hashes that are for everybody.
const EVERYBODY: Party = Party { owner: Who::Alice, strangers: &[Who::Nobody, Who::Bob, Who::Globex], outsiders: &[] };

const HIDDEN: &[(&str, Thing)] = &[("space", Thing::HiddenNamespace), ("tool", Thing::HiddenTool)];
const CREDITS: &str = r#"{"credits": "777.000321"}"#;

/// Everything outside of partners' and publishers' surfaces.
pub(super) const ROWS: &[Row] = &[
    row(ADDRESS, "POST /auth/agent-signup", &[("email", Thing::NewAddress)], Foreign::Taken(&[422]))
        .body(r#"{"email": "{email}"}"#),
    row(ADDRESS, "POST /auth/login", &[("email", Thing::Address)], Foreign::AsUnknown(&[401]))
        .body(r#"{"email": "{email}", "password": "{password}"}"#),
    row(ADDRESS, "POST /auth/password-reset", &[("email", Thing::Address)], Foreign::AsUnknown(&[202]))
        .body(r#"{"email": "{email}"}"#),
    // What accounts own.
    row(WALLET, "GET /credits/balance", &[("+balance", Thing::Balance)], Foreign::Nothing).shows("{+balance}"),
    row(ACCOUNT, "POST /credits/purchase", &[("idempotency_key", Thing::Key)], Foreign::Own)
        .body(r#"{"credits": 7, "idempotency_key": "{idempotency_key}"}"#),
    row(ACCOUNT, "GET /credits/purchases", &[("+purchase", Thing::Purchase)], Foreign::Nothing).shows("{+purchase}"),
    row(WALLET, "GET /credits/transactions", &[("+call", Thing::Call), ("after", Thing::Turn)], Foreign::Nothing)
        .query("?after={after}")
        .shows("{+call}"),
    row(WALLET, "GET /invocations/{id}", &[("id", Thing::Call)], MISSING).shows("{id}"),
    row(ACCOUNT, "GET /tokens/", &[("+token", Thing::Token)], Foreign::Nothing).shows("{+token}"),
    row(SESSION, "POST /tokens/", &[("+token", Thing::Token)], Foreign::Own).body(r#"{"name": "another"}"#),
    row(ACCOUNT, "DELETE /tokens/{id}", &[("id", Thing::Token)], MISSING),
    row(ACCOUNT, "GET /tokens/{id}/caps", &[("id", Thing::CappedToken)], MISSING).shows("777.000321"),
    row(SESSION, "PUT /tokens/{id}/caps/{window}", &[("id", Thing::CappedToken)], MISSING)
        .body(CREDITS)
        .keeps("/tokens/{id}/caps"),
    row(SESSION, "DELETE /tokens/{id}/caps/{window}", &[("id", Thing::CappedToken)], MISSING),
    // What is called.
    row(CALLER, "POST /invoke/{namespace}/{tool_name}", HIDDEN, MISSING).body("{}"),
    row(
        PAYER,
        "POST /invoke/{namespace}/{tool_name}",
        &[
            ("space", Thing::Fixed("acme")),
            ("tool", Thing::Fixed("paid")),
            ("idempotency_key", Thing::Key),
        ],
        Foreign::Own,
    )
    .body(r#"{"idempotency_key": "{idempotency_key}"}"#),
    row(
        RESELLER,
        "POST /invoke/{namespace}/{tool_name}",
        &[
            ("space", Thing::Fixed("acme")),
            ("tool", Thing::Fixed("paid")),
            ("idempotency_key", Thing::Key),
            ("+user", Thing::EndUser),
        ],
        Foreign::Own,
    )
    .body(r#"{"idempotency_key": "{idempotency_key}"}"#)
    .header("x-faro-user: {+user}"),
    row(
        GATEWAY,
        "POST /tools/invoke",
        &[
            ("tool", Thing::Fixed("acme/open")),
            ("agentId", Thing::Fixed("a")),
            ("sessionKey", Thing::AgentSession),
            ("idempotencyKey", Thing::Key),
        ],
        Foreign::AsUnknown(&[401]),
    )
    .body(r#"{"tool": "{tool}", "agentId": "{agentId}", "sessionKey": "{sessionKey}", "idempotencyKey": "{idempotencyKey}"}"#),
    // What is shown of tools.
    row(READER, "GET /tools/{namespace}/{tool_name}", HIDDEN, MISSING).shows("{tool}"),
    row(READER, "GET /docs/namespaces/{slug}/{tool_name}", HIDDEN, MISSING).shows("{tool}"),
    row(READER, "GET /llms/namespaces/{slug}/{tool_name}.md", HIDDEN, MISSING).shows("{tool}"),
    row(READER, "GET /llms/namespaces/{slug}.md", &[("space", Thing::HiddenNamespace)], MISSING).shows("{space}"),
    row(READER, "GET /namespaces/public/{slug}", &[("space", Thing::HiddenNamespace)], MISSING).shows("{space}"),
    row(READER, "GET /namespaces/public", &[("after", Thing::HiddenNamespace)], Foreign::Nothing)
        .query("?after={after}")
        .shows("cellar"),
    row(READER, "GET /tools/search", &[("+space", Thing::HiddenNamespace)], Foreign::Nothing)
        .query("?q=quince&limit=50")
        .shows("{+space}"),
    row(READER, "GET /llms.txt", &[("+space", Thing::HiddenNamespace)], Foreign::Nothing).shows("{+space}"),
    row(READER, "GET /llms-full.txt", &[("+space", Thing::HiddenNamespace)], Foreign::Nothing).shows("{+space}"),
    // The books.
    row(AUDITOR, "GET /ledger/export", &[("account", Thing::Address)], Foreign::AsUnknown(&[401]))
        .query("?format=csv&report=account-statement&account={account}"),
    row(AUDITOR, "GET /ledger/export", &[("publisher", Thing::Fixed("acme"))], Foreign::AsUnknown(&[401]))
        .query("?format=csv&report=publisher-statement&publisher={publisher}"),
    row(AUDITOR, "GET /ledger/export", &[("partner", Thing::Fixed("Globex"))], Foreign::AsUnknown(&[401]))
        .query("?format=csv&report=partner-statement&partner={partner}"),
    row(EVERYBODY, "GET /ledger/checkpoints", &[("before", Thing::Fixed("9"))], Foreign::Nothing)
        .query("?before={before}"),
    row(EVERYBODY, "GET /ledger/checkpoints/{number}", &[("number", Thing::Fixed("1"))], Foreign::Nothing),
];
