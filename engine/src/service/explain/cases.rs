//! Stored cases: a call each, and how it must be decided.

use serde_json::Value;

use super::{AskedPolicies, Asker, NotExplained, Question};
use crate::{
    document::{Fields, Node, Reader, written::Written},
    gateway::{context::Hints, session_key::SessionSettings},
    invocation::Surface,
    policy::{PolicyId, WrittenPolicy},
    service::{Services, policies::PolicyVersionError},
    store::StoreError,
};

/// A call and how it must be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyCase {
    /// What it shows.
    pub says: Option<String>,
    /// Through which endpoint the call comes.
    pub surface: Surface,
    /// The tool as a caller writes it.
    pub tool: String,
    /// On the gateway: `sessionKey`.
    pub session_key: Option<String>,
    /// On the gateway: `agentId`.
    pub agent_id: Option<String>,
    /// On the gateway: the channel that a header hints at.
    pub channel: Option<String>,
    /// On the gateway: the account on the channel.
    pub account_id: Option<String>,
    /// Whether the caller owns the gateway; `None` for what is usual here.
    pub is_owner: Option<bool>,
    /// Who calls.
    pub caller: Asker,
    /// When, in microseconds since the Unix epoch; `None` for now.
    pub at_us: Option<i64>,
    /// It must be allowed.
    pub is_allowed: bool,
    /// The policies that must determine it; anything goes where this is `None`.
    pub by: Option<Vec<String>>,
}

impl PolicyCase {
    /// Reads the cases of a JSON5 text: one, or a list of them.
    ///
    /// # Errors
    /// Everything that is wrong, a line each.
    pub fn read_all(text: &str) -> Result<Vec<Self>, Vec<String>> {
        let written =
            Written::parse(text).map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let one;
        let values = match written.value() {
            Value::Array(cases) => cases.as_slice(),
            case => {
                one = [case.clone()];
                &one
            }
        };
        let (mut cases, mut problems) = (Vec::new(), Vec::new());
        for (number, value) in (1_usize..).zip(values) {
            let reader = Reader::default();
            let case = reader.root(value).object(read_case).flatten();
            match reader.finish() {
                Ok(_) => cases.extend(case),
                Err(wrong) => problems.extend(wrong.iter().map(|problem| format!("case {number}: {problem}"))),
            }
        }
        if problems.is_empty() { Ok(cases) } else { Err(problems) }
    }

    fn question(&self, usually_owner: bool, now_us: i64) -> Question {
        Question {
            surface: self.surface,
            tool: self.tool.clone(),
            caller: self.caller.clone(),
            session_key: self.session_key.clone(),
            agent_id: self.agent_id.clone(),
            hints: Hints { channel: self.channel.clone(), account: self.account_id.clone(), ..Hints::default() },
            is_owner: self.is_owner.unwrap_or(usually_owner),
            at_us: self.at_us.unwrap_or(now_us),
        }
    }
}

fn read_case(fields: &mut Fields<'_>) -> Option<PolicyCase> {
    let surfaces = [("gateway", Surface::Gateway), ("marketplace", Surface::Marketplace)];
    let says = text(fields, "says");
    let surface = fields.choice("surface", &surfaces).unwrap_or(Surface::Gateway);
    let tool = fields.require("tool").and_then(|node| node.text()).map(str::to_owned);
    let caller = given(fields, "caller").map_or(Some(Asker::Payer), |node| node.object(read_caller).flatten());
    let at_us = given(fields, "at").and_then(|node| read_time(&node));
    let case = PolicyCase {
        says,
        surface,
        tool: tool.unwrap_or_default(),
        session_key: text(fields, "session_key"),
        agent_id: text(fields, "agent_id"),
        channel: text(fields, "channel"),
        account_id: text(fields, "account_id"),
        is_owner: given(fields, "is_owner").and_then(|node| node.flag()),
        caller: caller?,
        at_us,
        is_allowed: false,
        by: given(fields, "by").map(|node| node.texts().into_iter().map(str::to_owned).collect()),
    };
    if fields.take("expect").is_none() {
        fields.node.wrong("needs the key `expect`");
    }
    let is_allowed = fields.choice("expect", &[("allow", true), ("deny", false)])?;
    Some(PolicyCase { is_allowed, ..case })
}

/// A key's value, unless it is null.
fn given<'a>(fields: &mut Fields<'a>, key: &'static str) -> Option<Node<'a>> {
    fields.take(key).filter(|node| !node.value.is_null())
}

fn text(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    given(fields, key).and_then(|node| node.text()).map(str::to_owned)
}

fn read_caller(fields: &mut Fields<'_>) -> Option<Asker> {
    let (account, token) = (text(fields, "account"), text(fields, "token"));
    match (account, token, text(fields, "end_user")) {
        (Some(email), None, None) => Some(Asker::Account(email)),
        (None, Some(token), end_user) => Some(Asker::Token { token, end_user }),
        _ => {
            fields.node.wrong("must have an `account` or a `token`, and not both");
            None
        }
    }
}

fn read_time(node: &Node<'_>) -> Option<i64> {
    match node.text()?.parse::<jiff::Timestamp>() {
        Ok(at) => Some(at.as_microsecond()),
        Err(error) => {
            node.wrong(format!("is no time: {error}"));
            None
        }
    }
}

impl Services {
    /// What is wrong with how `asked` decides a case, if anything. `usually_owner`: what is meant where the case does not say
    /// whether the caller owns the gateway.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn try_policy_case(
        &self,
        asked: AskedPolicies<'_>,
        case: &PolicyCase,
        usually_owner: bool,
    ) -> Result<Option<String>, StoreError> {
        let question = case.question(usually_owner, self.clock.now_us());
        let decision = match self.explain(asked, &question).await {
            Ok(explained) => explained.explanation.decision,
            Err(NotExplained::Store(error)) => return Err(error),
            Err(other) => return Ok(Some(other.to_string())),
        };
        let by: Vec<&str> = decision.determining.iter().map(PolicyId::as_str).collect();
        let word = if decision.allowed { "allowed" } else { "denied" };
        if decision.allowed != case.is_allowed {
            return Ok(Some(format!("is {word} by {}", by.join(", "))));
        }
        let expected = case.by.as_ref().filter(|expected| expected.iter().map(String::as_str).ne(by.iter().copied()));
        Ok(expected.map(|expected| format!("is {word} by {}, not by {}", by.join(", "), expected.join(", "))))
    }

    /// What is wrong with how a policy decides each of these cases; `None` if the policy itself is wrong.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn try_policy_cases(
        &self,
        written: &WrittenPolicy,
        cases: &[PolicyCase],
        usually_owner: bool,
    ) -> Result<Option<Vec<Option<String>>>, StoreError> {
        let Some(setup) = self.gateway_setup() else { return Ok(None) };
        let (policies, offers) = match (self.compile_policy(written).await, setup.offers(&self.snapshot())) {
            (Ok(policies), Ok(offers)) => (policies, offers),
            (Err(PolicyVersionError::Store(error)), _) => return Err(error),
            (Err(_), _) | (_, Err(_)) => return Ok(None),
        };
        let sessions = SessionSettings::of(&written.chain);
        let asked = AskedPolicies { policies: &policies, sessions: &sessions, setup: &setup, offers: &offers };
        let mut tried = Vec::with_capacity(cases.len());
        for case in cases {
            tried.push(self.try_policy_case(asked, case, usually_owner).await?);
        }
        Ok(Some(tried))
    }
}
