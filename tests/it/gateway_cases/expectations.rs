//! What a case expects, and whether an answer is that.

use serde_json::{Map, Value};
use tests::program::Answer;

/// Whether `answer` is what `expect` says; `None` is a connection that ended without one.
pub(super) fn check(expect: &Map<String, Value>, answer: Option<&Answer>) -> Result<(), String> {
    let Some(answer) = answer else {
        let may_reset = expect.get("may_reset") == Some(&Value::Bool(true));
        return if may_reset { Ok(()) } else { Err("the connection ended without an answer".to_owned()) };
    };
    for (name, wanted) in expect {
        check_one(name, wanted, answer).map_err(|why| {
            let shown: String = answer.body.chars().take(300).collect();
            format!("{name}: {why}; the answer was {} {shown}", answer.status)
        })?;
    }
    Ok(())
}

fn check_one(name: &str, wanted: &Value, answer: &Answer) -> Result<(), String> {
    let entries = || wanted.as_object().into_iter().flatten();
    let texts = || wanted.as_array().into_iter().flatten().filter_map(Value::as_str);
    let header = |name: &str| answer.header(name).unwrap_or_default();
    let demand = |is_so: bool, what: &str| if is_so { Ok(()) } else { Err(what.to_owned()) };
    match name {
        "status" => {
            let is_listed = wanted.as_array().is_some_and(|list| list.contains(&answer.status.into()));
            demand(is_listed || *wanted == answer.status, &format!("expected {wanted}"))
        }
        "tool_available" => demand(
            wanted.as_bool().is_some_and(|wanted| wanted == (answer.status != 404)),
            "the tool's availability is another",
        ),
        "json_subset" => is_subset(wanted, &answer.json, ""),
        "json_equals_at" => entries().try_for_each(|(path, value)| {
            let found = at(&answer.json, path);
            let is_equal = found == Some(value) || found.is_none() && value.is_null();
            demand(is_equal, &format!("`{path}` is {found:?}, expected {value}"))
        }),
        "json_absent" => {
            texts().try_for_each(|path| demand(at(&answer.json, path).is_none(), &format!("`{path}` is there")))
        }
        "error_fields" => texts()
            .try_for_each(|field| demand(answer.json["error"][field].is_string(), &format!("no text `error.{field}`"))),
        "body_contains" => texts().try_for_each(|text| demand(answer.body.contains(text), &format!("no `{text}`"))),
        "body_not_contains" => texts().try_for_each(|text| demand(!answer.body.contains(text), &format!("`{text}`"))),
        "headers" => entries().try_for_each(|(name, value)| {
            demand(value.as_str() == answer.header(name), &format!("`{name}` is `{}`", header(name)))
        }),
        "headers_prefix" => entries().try_for_each(|(name, value)| {
            let is_so = value.as_str().is_some_and(|prefix| header(name).starts_with(prefix));
            demand(is_so, &format!("`{name}` is `{}`", header(name)))
        }),
        "headers_present" => {
            texts().try_for_each(|name| demand(answer.header(name).is_some(), &format!("no `{name}`")))
        }
        "headers_absent" => {
            texts().try_for_each(|name| demand(answer.header(name).is_none(), &format!("`{name}` is there")))
        }
        "header_ranges" => entries().try_for_each(|(name, range)| {
            let value: Option<i64> = header(name).parse().ok();
            let is_so = value.is_some_and(|value| range[0].as_i64() <= Some(value) && Some(value) <= range[1].as_i64());
            demand(is_so, &format!("`{name}` is `{}`, expected {range}", header(name)))
        }),
        // looked at where the answer is compared
        "may_reset" | "same_body_shape_as" => Ok(()),
        unknown => Err(format!("`{unknown}` has no meaning")),
    }
}

/// The value at a dotted path.
fn at<'a>(json: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(json, |value, key| value.get(key))
}

fn is_subset(wanted: &Value, found: &Value, path: &str) -> Result<(), String> {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted.iter().try_for_each(|(key, value)| {
            let path = format!("{path}.{key}");
            found.get(key).ok_or_else(|| format!("no `{path}`")).and_then(|found| is_subset(value, found, &path))
        }),
        _ if wanted == found => Ok(()),
        _ => Err(format!("`{path}` is {found}, expected {wanted}")),
    }
}
