//! A market to search in: tools with names and texts of made-up words, of which a few stand in nearly every text and most in
//! next to none, as words do.

use engine::{
    catalog::Topics,
    pricing::PricingSpec,
    service::catalog::{DeclaredCatalog, DeclaredNamespace, DeclaredPublisher, DeclaredTool},
};
use serde_json::json;

use crate::driver::scatter;

/// How many words there are.
pub(super) const WORDS: usize = 20_000;
/// How many tools a namespace has.
const TOOLS_OF_EACH: usize = 100;
/// How many namespaces are made at once.
pub(super) const NAMESPACES_AT_ONCE: usize = 50;
/// What namespaces are about, in turn.
pub(super) const CATEGORIES: [&str; 8] = ["data", "finance", "travel", "media", "maps", "science", "news", "health"];

const SYLLABLES: [&str; 20] = [
    "ka", "lo", "mi", "ter", "ra", "so", "ven", "du", "pha", "ri", "to", "gen", "mar", "bel", "qui", "zo", "pe", "nal",
    "xi", "fo",
];

/// Draws words, the same ones from the same beginning.
#[derive(Debug)]
pub(super) struct Draw(u64);

impl Draw {
    pub(super) const fn from(begin: u64) -> Self {
        Self(begin)
    }

    /// A number below `end`, each as likely as the others.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = scatter(self.0.wrapping_add(1));
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.0 % end).unwrap_or(0)
    }

    /// The place of a word: the tenth as likely as the first, the hundredth as the tenth, and so on, as words are. Every octave
    /// of places is as likely as the others.
    fn place(&mut self) -> usize {
        let octave = self.below(15);
        let begin = 1_usize << octave;
        begin.saturating_add(self.below(begin)).saturating_sub(1).min(WORDS.saturating_sub(1))
    }

    fn text(&mut self, count: usize) -> String {
        let words: Vec<String> = (0..count).map(|_| word(self.place())).collect();
        words.join(" ")
    }
}

/// The word at a place, of which there are [`WORDS`]; those in front are the common ones.
pub(super) fn word(place: usize) -> String {
    let mut rest = place.saturating_add(1);
    let mut word = String::from("w");
    while rest > 0 {
        word.push_str(SYLLABLES.get(rest % SYLLABLES.len()).copied().unwrap_or_default());
        rest = rest.checked_div(SYLLABLES.len()).unwrap_or(0);
    }
    word
}

/// The namespaces from `first` on, to before `end`.
pub(super) fn catalog(first: usize, end: usize) -> DeclaredCatalog {
    let namespaces = (first..end).map(namespace).collect();
    let slug = format!("seller-{first}");
    DeclaredCatalog {
        core_tools: Vec::new(),
        publishers: vec![DeclaredPublisher {
            display_name: format!("Seller {first}"),
            share_bps: 8_000,
            namespaces,
            fingerprint: slug.clone(),
            slug,
        }],
        accounts: Vec::new(),
        partners: Vec::new(),
    }
}

/// How many namespaces so many tools are in.
pub(super) const fn namespaces_of(tools: usize) -> usize {
    tools.div_ceil(TOOLS_OF_EACH)
}

fn namespace(number: usize) -> DeclaredNamespace {
    let name = format!("market-{number}");
    let category = CATEGORIES.get(number % CATEGORIES.len()).map(|category| (*category).to_owned());
    let first = number.saturating_mul(TOOLS_OF_EACH);
    DeclaredNamespace {
        listing_name: None,
        description: format!("What market {number} sells"),
        topics: Topics { category, tags: vec![word(number % WORDS)] },
        tools: (first..first.saturating_add(TOOLS_OF_EACH)).map(tool).collect(),
        fingerprint: name.clone(),
        name,
    }
}

fn tool(number: usize) -> DeclaredTool {
    let mut draw = Draw::from(u64::try_from(number).unwrap_or(0) << 16);
    let schema = json!({
        "type": "object",
        "properties": {
            "text": { "type": "string", "minLength": 1, "maxLength": 200, "description": draw.text(8) },
            "count": { "type": "integer", "minimum": 1, "maximum": 100, "description": draw.text(8) },
        },
        "required": ["text"],
        "additionalProperties": false,
    });
    let pricing = PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some("0.25".to_owned()),
        ..PricingSpec::default()
    };
    DeclaredTool {
        name: format!("{}_{}_{number}", word(draw.place()), word(draw.place())),
        short_description: format!("Tool {number}: {}", draw.text(10)),
        long_description: format!("This tool works on data. {}", draw.text(60)),
        topics: Topics::default(),
        input_schema: schema.to_string(),
        is_unverified_ok: false,
        method: "POST".to_owned(),
        url: format!("http://127.0.0.1:9/tool{number}"),
        mcp_tool: None,
        timeout_ms: 30_000,
        pricing,
        fingerprint: "1".to_owned(),
    }
}
