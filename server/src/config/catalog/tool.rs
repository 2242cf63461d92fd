//! Tools of the catalog and where their calls go.

use engine::limits::{UPSTREAM_TIMEOUT_MS_DEFAULT, UPSTREAM_TIMEOUT_MS_MAX};
use serde_json::{Map, Value as Json};

use super::{
    Names,
    pricing::{PricingItem, PricingMode},
};
use crate::config::{
    error::Place,
    fingerprint::fingerprint,
    reader::{Fields, Value},
    values::{parse_http_url, parse_line},
};

/// One element of `catalog.core_tools` or of a namespace's `tools`.
#[derive(Debug, Clone)]
pub struct ToolItem {
    /// The name, unique in its namespace.
    pub name: String,
    /// One line for lists and search.
    pub short_description: String,
    /// The whole description.
    pub long_description: Option<String>,
    /// The category, when it differs from the namespace's.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Who may call it.
    pub tier: Option<Tier>,
    /// The JSON Schema of the arguments: an object, or a boolean.
    pub input_schema: Json,
    /// Where its calls go.
    pub upstream: UpstreamItem,
    /// What a call costs; nothing when absent.
    pub pricing: Option<PricingItem>,
    /// Where it was written.
    pub place: Place,
    /// SHA-256 of the whole item, in hexadecimal.
    pub fingerprint: String,
}

/// Which accounts may call a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Every account; only for tools that cost nothing.
    Unverified,
    /// Accounts with a verified e-mail address.
    Verified,
    /// Verified accounts with credits; only for tools that cost something.
    Paid,
}

/// Where a tool's calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamItem {
    /// An HTTP endpoint.
    Http {
        /// The method.
        method: HttpMethod,
        /// An absolute URL.
        url: String,
        /// The deadline in milliseconds.
        timeout_ms: u64,
    },
    /// A tool of an MCP server (streamable HTTP).
    Mcp {
        /// The server's URL.
        url: String,
        /// The tool's name there; its own name unless the file says another one.
        tool: String,
        /// The deadline in milliseconds.
        timeout_ms: u64,
    },
    /// A tool that Tollgate answers itself.
    Builtin {
        /// The name of the built-in tool.
        name: String,
    },
}

/// The methods of an `http` upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl HttpMethod {
    /// The method as sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl ToolItem {
    pub(super) fn read(fields: &mut Fields<'_>, names: &mut Names) -> Option<Self> {
        let name = fields.require("name").and_then(|value| names.read(&value, parse_tool_name));
        let short_description = fields.text("short_description").unwrap_or_default();
        let long_description = fields.text("long_description");
        let category = fields.parsed("category", parse_line);
        let tags = fields.list("tags", |item| item.parsed(parse_line));
        let tier_value = fields.take("tier");
        let tier = tier_value.as_ref().and_then(read_tier);
        let input_schema = match fields.take("input_schema") {
            Some(value) => read_schema(&value),
            None => Some(Json::Object(Map::new())),
        };
        let upstream = fields.required_section("upstream", |upstream| UpstreamItem::read(upstream, name.as_deref()));
        let pricing = fields.optional("pricing", PricingItem::read);
        // none when the price is broken, which has been said
        let is_free = pricing.as_ref().map_or(Some(true), |pricing| pricing.as_ref().map(PricingItem::is_free));
        if let Some(value) = &tier_value {
            match (tier, is_free) {
                (Some(Tier::Unverified), Some(false)) => {
                    value.wrong("is `unverified`, which is only for tools that cost nothing");
                }
                (Some(Tier::Paid), Some(true)) => value.wrong("is `paid`, which is only for tools that cost something"),
                _ => {}
            }
        }
        Some(Self {
            name: name?,
            short_description,
            long_description,
            category,
            tags,
            tier,
            input_schema: input_schema?,
            upstream: upstream??,
            pricing: pricing.flatten(),
            place: fields.place.clone(),
            fingerprint: fingerprint(fields.members(), &[]),
        })
    }
}

impl PricingItem {
    fn is_free(&self) -> bool {
        matches!(&self.mode, PricingMode::FixedPerRequest { cost } if cost.micro_credits() == 0)
    }
}

impl UpstreamItem {
    /// `own_name` is that of the tool: what it is called on an MCP server where nothing else is said.
    fn read(fields: &mut Fields<'_>, own_name: Option<&str>) -> Option<Self> {
        const KINDS: [&str; 3] = ["http", "mcp", "builtin"];
        let kind = fields.require("kind").and_then(|value| {
            value.parsed(|text| {
                KINDS
                    .into_iter()
                    .find(|kind| *kind == text)
                    .ok_or_else(|| "must be one of `http`, `mcp`, `builtin`".to_owned())
            })
        });
        let methods = [
            ("GET", HttpMethod::Get),
            ("POST", HttpMethod::Post),
            ("PUT", HttpMethod::Put),
            ("PATCH", HttpMethod::Patch),
            ("DELETE", HttpMethod::Delete),
        ];
        let method_value = fields.take("method");
        let method = method_value.as_ref().map(|value| value.choice(&methods));
        let url_value = fields.take("url");
        let url = url_value.as_ref().and_then(|value| value.parsed(|text| parse_http_url(text).map(String::from)));
        let timeout_value = fields.take("timeout_ms");
        let timeout_ms = timeout_value.as_ref().map(|value| value.whole_number(1..=UPSTREAM_TIMEOUT_MS_MAX));
        let tool_value = fields.take("tool");
        let tool = tool_value.as_ref().and_then(|value| value.parsed(parse_line));
        let name_value = fields.take("name");
        let name = name_value.as_ref().and_then(|value| value.parsed(parse_line));

        let kind = kind?;
        let given = [
            ("method", &method_value, &["http"][..]),
            ("url", &url_value, &["http", "mcp"][..]),
            ("timeout_ms", &timeout_value, &["http", "mcp"][..]),
            ("tool", &tool_value, &["mcp"][..]),
            ("name", &name_value, &["builtin"][..]),
        ];
        let mut is_complete = true;
        for (key, value, kinds) in given {
            let is_needed = kinds.contains(&kind);
            match value {
                Some(value) if !is_needed => value.wrong(format!("has no meaning for the kind `{kind}`")),
                None if is_needed && !matches!(key, "method" | "timeout_ms" | "tool") => {
                    is_complete = false;
                    let text = format!("`{}` needs the key `{key}` for the kind `{kind}`", fields.path);
                    fields.reader.problem(&fields.place, text);
                }
                _ => {}
            }
        }
        if !is_complete {
            return None;
        }
        let timeout_ms = timeout_ms.unwrap_or(Some(UPSTREAM_TIMEOUT_MS_DEFAULT));
        match kind {
            "http" => Some(Self::Http {
                method: method.unwrap_or(Some(HttpMethod::Post))?,
                url: url?,
                timeout_ms: timeout_ms?,
            }),
            "mcp" => {
                let tool = if tool_value.is_some() { tool } else { own_name.map(str::to_owned) };
                Some(Self::Mcp { url: url?, tool: tool?, timeout_ms: timeout_ms? })
            }
            _ => Some(Self::Builtin { name: name? }),
        }
    }
}

fn read_tier(value: &Value<'_>) -> Option<Tier> {
    value.choice(&[("unverified", Tier::Unverified), ("verified", Tier::Verified), ("paid", Tier::Paid)])
}

fn read_schema(value: &Value<'_>) -> Option<Json> {
    let json = value.json()?;
    if json.is_object() || json.is_boolean() {
        return Some(json);
    }
    value.wrong(format!("must be a JSON Schema (an object or a boolean), not {}", value.node.type_name()));
    None
}

fn parse_tool_name(text: &str) -> Result<String, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if (1..=128).contains(&text.len()) && text.chars().all(is_name) && !text.starts_with('.') {
        return Ok(text.to_owned());
    }
    Err("must be a tool's name: 1 to 128 letters, digits, `_`, `-` and inner `.`".to_owned())
}
