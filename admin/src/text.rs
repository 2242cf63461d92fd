//! The words of the console, from Fluent files: `locales/en`, one file for a part of the console.
//!
//! There is one language so far. Pages take every word from here all the same, so that another one is only more files.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

use crate::kit::grouped;

pub(crate) mod said;

/// The files, with their names for messages about mistakes in them.
const FILES: [(&str, &str); 19] = [
    ("console.ftl", include_str!("../locales/en/console.ftl")),
    ("dashboard.ftl", include_str!("../locales/en/dashboard.ftl")),
    ("catalog.ftl", include_str!("../locales/en/catalog.ftl")),
    ("listings.ftl", include_str!("../locales/en/listings.ftl")),
    ("prices.ftl", include_str!("../locales/en/prices.ftl")),
    ("partners.ftl", include_str!("../locales/en/partners.ftl")),
    ("accounts.ftl", include_str!("../locales/en/accounts.ftl")),
    ("invocations.ftl", include_str!("../locales/en/invocations.ftl")),
    ("movements.ftl", include_str!("../locales/en/movements.ftl")),
    ("approvals.ftl", include_str!("../locales/en/approvals.ftl")),
    ("ledger.ftl", include_str!("../locales/en/ledger.ftl")),
    ("policies.ftl", include_str!("../locales/en/policies.ftl")),
    ("audit.ftl", include_str!("../locales/en/audit.ftl")),
    ("operators.ftl", include_str!("../locales/en/operators.ftl")),
    ("mail.ftl", include_str!("../locales/en/mail.ftl")),
    ("health.ftl", include_str!("../locales/en/health.ftl")),
    ("search.ftl", include_str!("../locales/en/search.ftl")),
    ("said.ftl", include_str!("../locales/en/said.ftl")),
    ("deeds.ftl", include_str!("../locales/en/deeds.ftl")),
];

static BUNDLE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    let mut bundle = FluentBundle::new_concurrent("en".parse().into_iter().collect());
    // Invisible marks around values are for mixed directions of writing; they would be copied with identifiers.
    bundle.set_use_isolating(false);
    // Counts, sizes and times read in a sentence as they do in a table. What must stay in one piece, such as the number of
    // a version, is given as text.
    bundle.set_formatter(Some(|value, _memoizer| match value {
        FluentValue::Number(number) => Some(grouped(&number.as_string())),
        _ => None,
    }));
    for (name, text) in FILES {
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(part, errors)| {
            tracing::error!(name, ?errors, "a file of texts has mistakes");
            part
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(name, ?errors, "a text stands twice");
        }
    }
    bundle
});

/// The text with this key. A key without a text is shown as it is: a test finds those.
pub fn t(key: &str) -> String {
    t_with(key, &[])
}

/// The text with this key, with values for its variables.
pub fn t_with(key: &str, values: &[(&str, FluentValue<'_>)]) -> String {
    let Some(pattern) = BUNDLE.get_message(key).and_then(|message| message.value()) else {
        tracing::error!(key, "a text is missing");
        return key.to_owned();
    };
    let args: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, value.clone())).collect();
    BUNDLE.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
}

#[cfg(test)]
mod tests;
