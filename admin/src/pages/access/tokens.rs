//! Tokens of an account or a partner: listed, made, revoked.

use actix_web::web::Payload;
use engine::{
    id::TokenId,
    service::{
        caps::CapHolder,
        recent::{RECENT_CALLS, Recent, RecentBy, TokenUse},
        tokens::{CreateTokenError, NewToken, RevokeTokenError, TokenNote, TokenOwner, TokenView},
    },
};
use secrecy::ExposeSecret as _;

use super::Holder;
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{
        Block, Cell, Column, Control, Empty, Facts, Field, Form, Link, Notice, Page, Row, Secret, Spark, Table, Text,
        Tone, page_href,
    },
    text::{said::Said as _, t, t_with},
};

fn state(token: &TokenView) -> Cell {
    match token.revoked_us {
        None => Cell::state(t("partners-token-active"), Tone::Good),
        Some(_) => Cell::state(t("partners-token-revoked"), Tone::Bad),
    }
}

/// The end of a secret, as people recognise it.
fn hint(token: &TokenView) -> Cell {
    Cell::Mono(format!("…{}", token.hint))
}

fn last_used(recent: Option<&Recent>) -> Cell {
    recent.map_or_else(
        || Cell::text(t_with("partners-not-lately", &[("count", RECENT_CALLS.into())])),
        |recent| Cell::Time(recent.last_us),
    )
}

/// Its calls over the time of the newest calls of everybody, with a tick wherever some were turned away.
fn spark(used: &TokenUse) -> Cell {
    let values = [("calls", used.recent.calls.into()), ("away", used.turned_away.into())];
    Cell::Spark(Spark {
        says: t_with("partners-token-spark-says", &values),
        values: used.calls.clone(),
        ticks: used.turned_away_calls.clone(),
    })
}

/// The tokens, the newest first: the page that the address names, of the list at `path`.
pub(in crate::pages) async fn list(visit: &Visit, holder: &Holder, path: &str) -> Result<Block, Fault> {
    let after = Fields::parse(&visit.query)?.cursor()?;
    let listed = visit.services().list_owned_tokens_page(holder.owner, after).await?;
    let tokens = listed.rows;
    let ids: Vec<TokenId> = tokens.iter().map(|token| token.id).collect();
    let used = visit.services().recent_tokens(&ids).await?;
    let may_revoke = holder.may_change_tokens(visit);
    let rows = tokens.iter().map(|token| {
        let used = used.get(&token.id.uuid());
        let seen = used.map(|used| &used.recent);
        let revoke = match token.revoked_us {
            None if may_revoke => {
                Cell::link(t("partners-token-revoke"), format!("{}/tokens/{}/revoke", holder.href, token.id))
            }
            revoked_us => Cell::time(revoked_us),
        };
        let cells = vec![
            Cell::text(&token.name),
            hint(token),
            state(token),
            Cell::Time(token.created_us),
            last_used(seen),
            Cell::Number(seen.map_or(0, |seen| seen.calls)),
            Cell::Number(used.map_or(0, |used| used.turned_away)),
            used.map_or(Cell::None, spark),
            revoke,
        ];
        Row { tone: if token.revoked_us.is_some() { Tone::Bad } else { Tone::Plain }, ..Row::new("", cells) }
    });
    let new = Link::new(t("partners-token-new"), format!("{}/tokens/new", holder.href));
    Ok(Table {
        caption: t("partners-tokens"),
        columns: vec![
            Column::new(t("partners-token-name")),
            Column::new(t("partners-token-hint")),
            Column::new(t("partners-state")),
            Column::new(t("partners-token-created")),
            Column::new(t("partners-token-used")),
            Column::right(t_with("partners-calls-of", &[("count", RECENT_CALLS.into())])),
            Column::right(t("partners-token-away")),
            Column::new(t("partners-token-spark")),
            Column::new(t("partners-token-ended")),
        ],
        rows: rows.collect(),
        first: visit.first_href(path),
        next: listed.next.map_or_else(String::new, |next| page_href(path, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("partners-tokens-empty"),
            command: match holder.owner {
                TokenOwner::Account(_) => "curl -H 'Authorization: Bearer …' …/tokens/ -d '{\"name\": \"laptop\"}'",
                // Only an operator makes the first one.
                TokenOwner::Partner(_) => "",
            }
            .to_owned(),
            link: may_revoke.then_some(new),
        }),
        ..Table::default()
    }
    .into())
}

fn new_page(visit: &Visit, holder: &Holder, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{}/tokens/new", holder.href), t("partners-token-new"))
        .field(Field::line("name", t("partners-token-name")).hint(t("partners-token-name-hint")).required())
        .field(Field::line("reason", t("console-reason")).required())
        .once(visit)
        .step_up(visit, holder.token_action)
        .cancel(holder.href.clone())
        .filled(typed, problems);
    holder.page(t("partners-token-new")).with(Text::new(t("partners-token-new-text"))).with(form)
}

/// The form that makes a token.
pub(in crate::pages) async fn ask_new(visit: Visit, holder: Holder) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    visit.show(new_page(&visit, &holder, &typed, &Problems::default())).await
}

/// Makes a token. Its secret stands in this answer and nowhere else: not in the address, not in the session.
pub(in crate::pages) async fn make(mut visit: Visit, holder: Holder, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let name = problems.required(&fields, "name").to_owned();
    let reason = problems.required(&fields, "reason").to_owned();
    problems.key(&fields);
    visit.permit(holder.token_action, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let note = TokenNote { reason: Some(&reason), key: fields.key() };
        match visit.services().create_owned_token(&visit.context()?, holder.owner, &name, note).await {
            Ok(token) => return visit.show(shown_once(&holder, &token)).await,
            Err(CreateTokenError::Store(error)) => return Err(error.into()),
            Err(error @ CreateTokenError::Name(_)) => problems.add("name", error.said()),
            Err(CreateTokenError::MadeBefore(_)) => problems.add("", t("partners-token-made-before")),
            Err(error @ CreateTokenError::TooMany) => problems.add("", error.said()),
        }
    }
    visit.show_refused(new_page(&visit, &holder, &fields, &problems)).await
}

/// The only page that ever shows the secret.
fn shown_once(holder: &Holder, token: &NewToken) -> Page {
    let kept = Link::new(t("partners-token-kept"), holder.href.clone());
    let mut page = holder
        .page(t("partners-token-made"))
        .with(secret(token))
        .with(Facts::new().fact(t("partners-token-name"), Cell::text(&token.view.name)));
    page.tools.push(kept);
    page
}

/// The secret of a token that was just made.
pub(in crate::pages) fn secret(token: &NewToken) -> Secret {
    Secret { text: t("partners-token-secret"), secret: token.secret.expose_secret().to_owned() }
}

async fn load(visit: &Visit, holder: &Holder, token: &str) -> Result<TokenView, Fault> {
    let id: TokenId = token.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_owned_token(holder.owner, id).await?.ok_or(Fault::NotFound)
}

fn revoke_page(
    visit: &Visit,
    (holder, token): (&Holder, &TokenView),
    (typed, problems): (&Fields, &Problems),
    preview: Vec<Block>,
) -> Page {
    let page = holder.page(t("partners-token-revoke"));
    if let Some(revoked_us) = token.revoked_us {
        let facts = Facts::new()
            .fact(t("partners-token-name"), Cell::text(&token.name))
            .fact(t("partners-token-hint"), hint(token))
            .fact(t("partners-token-ended"), Cell::Time(revoked_us));
        return page.with(Notice::new(Tone::Warn, t("partners-token-revoked-already"))).with(facts);
    }
    let form = Form::new(format!("{}/tokens/{}/revoke", holder.href, token.id), t("partners-token-revoke"))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, holder.token_action)
        .danger()
        .cancel(holder.href.clone())
        .filled(typed, problems)
        .preview(preview)
        .previewed();
    let facts = Facts::new()
        .fact(t("partners-token-name"), Cell::text(&token.name))
        .fact(t("partners-token-hint"), hint(token))
        .fact(t("partners-token-created"), Cell::Time(token.created_us));
    page.with(Text::new(t("partners-token-revoke-text"))).with(facts).with(form)
}

/// What revoking it would do: who calls with it, and what it could still spend.
async fn effect(visit: &Visit, holder: &Holder, token: &TokenView) -> Result<Vec<Block>, Fault> {
    let recent = visit.services().recent_calls(RecentBy::Token).await?;
    let seen = recent.get(&token.id.uuid());
    let others = visit.services().list_active_tokens(holder.owner).await?;
    let others = others.iter().filter(|other| other.id != token.id).count();
    let caps = visit.services().list_caps_of(&[CapHolder::Token(token.id)], visit.now_us).await?;
    let calls = t_with("partners-calls-of", &[("count", RECENT_CALLS.into())]);
    let mut blocks: Vec<Block> = vec![
        Facts::new()
            .fact(t("partners-token-used"), last_used(seen))
            .fact(calls, Cell::Number(seen.map_or(0, |seen| seen.calls)))
            .fact(t("partners-token-others"), Cell::Number(i64::try_from(others).unwrap_or(i64::MAX)))
            .fact(t("partners-caps"), Cell::Number(i64::try_from(caps.len()).unwrap_or(i64::MAX)))
            .into(),
    ];
    if others == 0 {
        let last = match holder.owner {
            TokenOwner::Account(_) => "partners-token-last-of-account",
            TokenOwner::Partner(_) => "partners-token-last-of-partner",
        };
        blocks.push(Notice::new(Tone::Warn, t(last)).into());
    }
    Ok(blocks)
}

/// The form that revokes a token.
pub(in crate::pages) async fn ask_revoke(visit: Visit, holder: Holder, token: &str) -> Answer {
    let token = load(&visit, &holder, token).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(revoke_page(&visit, (&holder, &token), (&typed, &Problems::default()), Vec::new())).await
}

/// Shows what revoking a token would do, and then revokes it.
pub(in crate::pages) async fn revoke(mut visit: Visit, holder: Holder, token: &str, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let token = load(&visit, &holder, token).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    if problems.is_empty() && fields.text("step") != "confirm" {
        let preview = effect(&visit, &holder, &token).await?;
        return visit.show(revoke_page(&visit, (&holder, &token), (&fields, &problems), preview)).await;
    }
    visit.permit(holder.token_action, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let done = visit.services().revoke_owned_token(&visit.context()?, holder.owner, token.id, Some(&reason)).await;
        return match done {
            Ok(()) => visit.go(&holder.href, &t("partners-token-revoked-done")).await,
            Err(RevokeTokenError::NotFound) => Err(Fault::NotFound),
            Err(RevokeTokenError::Store(error)) => Err(error.into()),
        };
    }
    let preview = effect(&visit, &holder, &token).await?;
    visit.show_refused(revoke_page(&visit, (&holder, &token), (&fields, &problems), preview)).await
}

/// A token's name as a field.
pub(in crate::pages) fn name_field() -> Field {
    Field::new("token", t("partners-token-name"), Control::Line("text")).hint(t("partners-token-name-hint"))
}
