//! What a call carried, where that is kept. The audit trail tells of everybody who looks at it.

use actix_web::web::Path;
use engine::service::payloads::{KeptText, PayloadError};
use serde_json::Value;

use super::{LIST, show};
use crate::{
    console::{Answer, Fault, Visit},
    kit::{Cell, Code, Empty, Facts, Notice, Page, Text, Tone},
    text::{said::Said as _, t, t_with},
};

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let id = show::id_of(&id)?;
    visit.services().find_call(id).await?.ok_or(Fault::NotFound)?;
    let mut page = Page::new(t("invocations-payload-title"))
        .under(t("invocations-title"), LIST)
        .under(t("invocations-one"), super::href(id));
    page.subtitle = vec![Cell::Mono(id.to_string())];
    page.tabs = show::tabs(&visit, id, "invocations-tab-payload");
    let page = match visit.services().read_payload(&visit.context()?, id).await {
        Ok(Some(payload)) => {
            let page = page
                .with(Text::new(t("invocations-payload-told")))
                .with(Facts::new().fact(t("invocations-payload-until"), Cell::Time(payload.until_us)));
            let page = kept(page, "invocations-payload-arguments", &payload.arguments);
            match &payload.answer {
                Some(answer) => kept(page, "invocations-payload-answer", answer),
                None => page.with(Notice::new(Tone::Plain, t("invocations-payload-no-answer"))),
            }
        }
        Ok(None) => page.with(nothing()),
        Err(PayloadError::Sealed(error)) => {
            page.with(Notice::new(Tone::Bad, t_with("invocations-payload-sealed", &[("why", error.said().into())])))
        }
        Err(PayloadError::Store(error)) => return Err(error.into()),
    };
    visit.show(page).await
}

/// A text with its length; JSON in lines, as far as it is whole.
fn kept(page: Page, key: &str, kept: &KeptText) -> Page {
    let length = i64::try_from(kept.text.len()).unwrap_or(i64::MAX);
    let page = if length < kept.bytes {
        let sizes = [("kept", length.into()), ("all", kept.bytes.into())];
        page.with(Notice::new(Tone::Warn, t_with("invocations-payload-cut", &sizes)))
    } else {
        page
    };
    let written = serde_json::from_str::<Value>(&kept.text).and_then(|value| serde_json::to_string_pretty(&value));
    page.with(Code { caption: t(key), text: written.unwrap_or_else(|_not_json| kept.text.clone()), is_copied: true })
}

fn nothing() -> Empty {
    Empty {
        text: t("invocations-payload-none"),
        command: "payloads: { tools: ['NAMESPACE/TOOL'], keep_s: 604800 }".to_owned(),
        link: None,
    }
}
