//! `tollgate policy explain`: how a call would be decided, and why.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use engine::{
    gateway::context::Hints,
    id::InvocationId,
    invocation::Surface,
    policy::{
        Explanation, PolicyId,
        chain::{StepExplanation, Verdict},
    },
    service::explain::{Asker, NotExplained, Question},
};

use super::{Exit, Failure, Ground, Outcome, Subject, say};
use crate::config::Environment;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Endpoint {
    /// `POST /tools/invoke`.
    Gateway,
    /// `POST /invoke/{namespace}/{tool}`.
    Marketplace,
}

impl From<Endpoint> for Surface {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Gateway => Self::Gateway,
            Endpoint::Marketplace => Self::Marketplace,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExplainArgs {
    /// The tool as a caller writes it; `namespace/tool` on the marketplace.
    #[arg(required_unless_present = "invocation")]
    tool: Option<String>,
    /// Instead: why this call (`inv_…`) was denied when it was made.
    #[arg(long, value_name = "ID", conflicts_with = "tool")]
    invocation: Option<InvocationId>,
    /// The endpoint.
    #[arg(long, value_enum, default_value = "gateway")]
    surface: Endpoint,
    /// Gateway: the session key; else the main session.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// Gateway: the agent whose main session it is.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Gateway: the channel that a header hints at.
    #[arg(long)]
    channel: Option<String>,
    /// Gateway: the account on the channel that a header hints at.
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// The e-mail address of the calling account; on the gateway else whoever pays for the agent.
    #[arg(long, value_name = "EMAIL", conflicts_with = "token")]
    account: Option<String>,
    /// The identifier of the calling token (`tok_…`, not the token itself).
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    /// A partner's own name for its end user, with a partner's token.
    #[arg(long, value_name = "NAME", requires = "token")]
    end_user: Option<String>,
    /// When, such as `2026-12-01T09:30:00Z`; else now.
    #[arg(long, value_name = "TIME")]
    at: Option<jiff::Timestamp>,
    /// Ask this policy instead of the one in force.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(ground: &Ground, args: &ExplainArgs, environment: &Environment) -> Outcome {
    if let Some(call) = args.invocation {
        let found = ground.services.find_recorded_explanation(call).await;
        let found = found.map_err(|error| Failure::new(Exit::Database, error))?;
        let missing = || Failure::new(Exit::Refused, format!("there is no denied call `{call}`"));
        return say(&found.ok_or_else(missing)?);
    }
    let subject = ground.subject(args.policy.as_deref(), environment)?;
    let policies = ground.compile(&subject)?;
    let sessions = subject.sessions();
    let question = Question {
        surface: args.surface.into(),
        tool: args.tool.clone().unwrap_or_default(),
        caller: match (&args.account, &args.token) {
            (Some(email), _) => Asker::Account(email.clone()),
            (None, Some(token)) => Asker::Token { token: token.clone(), end_user: args.end_user.clone() },
            (None, None) => Asker::Payer,
        },
        session_key: args.session.clone(),
        agent_id: args.agent.clone(),
        hints: Hints { channel: args.channel.clone(), account: args.account_id.clone(), ..Hints::default() },
        is_owner: ground.callers_own_the_gateway(),
        at_us: args.at.map_or_else(|| ground.services.clock.now_us(), jiff::Timestamp::as_microsecond),
    };
    let asked = ground.asked(&subject, &policies, &sessions);
    let explained = ground.services.explain(asked, &question).await.map_err(|error| not_explained(&error))?;
    let entities = explained.entities.iter().map(|(kind, id)| format!("{kind}::{id:?}"));
    if args.json {
        let mut value = explained.explanation.to_value();
        if let Some(members) = value.as_object_mut() {
            members.insert("entities".to_owned(), entities.collect());
        }
        return say(&value.to_string());
    }
    for line in lines(&explained.explanation, &subject) {
        say(&line)?;
    }
    say(&format!("policies call them {}", entities.collect::<Vec<_>>().join(", ")))
}

fn not_explained(error: &NotExplained) -> Failure {
    let exit = if matches!(error, NotExplained::Store(_)) { Exit::Database } else { Exit::Refused };
    Failure::new(exit, error)
}

fn lines(explanation: &Explanation, subject: &Subject) -> Vec<String> {
    let decision = &explanation.decision;
    let mut lines = Vec::new();
    if let Some(chain) = &explanation.chain {
        let agent = chain.agent.as_deref().unwrap_or("(none that is configured)");
        lines.push(format!("{} for agent {agent}", chain.tool));
        lines.extend(chain.steps.iter().map(|step| step_line(step, subject)));
    }
    let by = decision.determining.iter().map(PolicyId::as_str).collect::<Vec<_>>().join(", ");
    let word = if decision.allowed { "allowed" } else { "denied" };
    lines.push(format!("{word} by {}", if by.is_empty() { "no policy" } else { &by }));
    lines.extend(decision.reason.iter().map(|reason| format!("the caller on the marketplace reads: {reason}")));
    lines.extend(decision.faults.iter().map(|fault| format!("fault: {fault}")));
    lines.push(format!("policy version {}", explanation.version));
    lines
}

fn step_line(step: &StepExplanation, subject: &Subject) -> String {
    let cause = |cause: &engine::policy::chain::Cause| {
        let entry = if cause.entry.is_empty() { String::new() } else { format!("`{}` in ", cause.entry) };
        format!("{entry}{} ({})", cause.key, subject.place_of(&cause.key))
    };
    let (word, why) = match &step.verdict {
        Verdict::Unrestricted => ("-", "restricts nothing for it".to_owned()),
        Verdict::Allowed(by) => ("allows", cause(by)),
        Verdict::Denied(by) => ("DENIES", cause(by)),
        Verdict::NotAllowed { keys } => {
            let lists = keys.iter().map(|key| format!("{key} ({})", subject.place_of(key))).collect::<Vec<_>>();
            ("DENIES", format!("not in {}", lists.join(" or ")))
        }
    };
    let dropped = step.dropped.as_ref().map(|key| format!("; {key} is dropped by the dialect")).unwrap_or_default();
    format!("  {word:<6} {}: {why}{dropped}; {} tools left", step.id, step.tools_left)
}
