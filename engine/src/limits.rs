//! Bounds on what comes from outside.
//!
//! Every bound has one name here, so that the place that enforces it, the document that states it and the test that
//! proves it cannot drift apart. Units are in the names: bytes, characters, counts.

/// How deep JSON may nest. `1` is a bare scalar's container: `[]` has depth 1, `[[]]` depth 2.
///
/// The parser recurses once per level, so this also bounds its stack.
pub const JSON_DEPTH_MAX: usize = 64;

/// How many values (scalars, arrays and objects together) one JSON text may hold.
///
/// A body of [`INVOKE_BODY_BYTES_MAX`] must be usable in full for real data, and the densest real data is a list of
/// numbers (an embedding): about eleven bytes each with its comma. 200,000 values allow that, while a body made only of
/// `0,0,0,…` (a million values, each costing some sixty bytes in memory) is refused early.
pub const JSON_NODES_MAX: usize = 200_000;

/// Largest request body of the two invoke endpoints, in bytes (2 MiB). Exactly this many bytes pass.
pub const INVOKE_BODY_BYTES_MAX: usize = 2_097_152;

/// Largest request body of every other route, in bytes (256 KiB).
pub const BODY_BYTES_MAX: usize = 262_144;

/// Longest idempotency key of a caller, in bytes of UTF-8.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Longest name that a partner may give an end user (`X-Faro-User`), in visible characters.
pub const EXTERNAL_USER_ID_CHARS_MAX: usize = 256;

/// Longest JSON object that a partner may keep beside an end user, in bytes.
pub const END_USER_METADATA_BYTES_MAX: usize = 4_096;

/// How many thresholds a partner may have.
pub const CAP_ALERTS_MAX: u64 = 1_000;

/// How many webhooks a partner may have.
pub const WEBHOOKS_MAX: u64 = 10;

/// How many rows of usage a page has at most.
pub const USAGE_ROWS_MAX: u64 = 500;

/// Over how many days or months usage is asked for at most.
pub const USAGE_SPAN_MAX: usize = 400;

/// Longest namespace slug, in characters.
pub const SLUG_CHARS_MAX: usize = 64;

/// Shortest namespace slug, in characters.
pub const SLUG_CHARS_MIN: usize = 2;

/// For how many days the former slug of a namespace, and the former name of a tool, is kept.
pub const FORMER_NAME_DAYS: i64 = 90;

/// How many former slugs are kept for one publisher.
pub const FORMER_NAMES_MAX: u64 = 50;

/// How many former names of tools are kept for one namespace.
pub const FORMER_TOOL_NAMES_MAX: usize = 1_000;

/// Longest tool name, in characters (the bound of the Model Context Protocol).
pub const TOOL_NAME_CHARS_MAX: usize = 128;

/// Largest input schema of a tool, in bytes.
pub const INPUT_SCHEMA_BYTES_MAX: usize = 65_536;

/// Largest compiled form of one `pattern` of an input schema, in bytes.
pub const SCHEMA_PATTERN_BYTES_MAX: usize = 1_048_576;

/// How many faults of one arguments object are reported.
pub const ARGUMENT_FAULTS_MAX: usize = 20;

/// Up to how many JSON values an arguments object is searched for all of its faults; in a larger one only the first
/// fault is reported, because the validator collects every fault before it hands out any.
pub const ARGUMENT_FAULT_SEARCH_NODES_MAX: usize = 2_000;

/// Longest message of one fault of an arguments object, in characters.
pub const FAULT_MESSAGE_CHARS_MAX: usize = 200;

/// Longest piece of a caller's input that an error message repeats, in characters.
pub const ECHO_CHARS_MAX: usize = 64;

/// Longest JSONPath of a price, in bytes.
pub const COST_PATH_BYTES_MAX: usize = 256;

/// How many arguments may be multiplied into a unit count.
pub const UNIT_FIELDS_MAX: usize = 8;

/// The longest number at a price's path that is recorded with its call, in bytes: of a longer one only that it was a number.
pub const RETURNED_VALUE_BYTES_MAX: usize = 100;

/// Longest name of an argument that counts units, in characters.
pub const UNIT_FIELD_CHARS_MAX: usize = 128;

/// Longest `pricing_description`, in characters.
pub const PRICING_DESCRIPTION_CHARS_MAX: usize = 2_000;

/// Largest `returned_credit_multiplier`. Together with the eighteen decimals that a returned value keeps, it makes sure
/// that what is dropped of the value never moves a charge by more than one micro-credit.
pub const COST_MULTIPLIER_MAX: i64 = 1_000_000_000;

/// Largest exponent, up or down, of a number in an upstream's answer.
pub const UPSTREAM_EXPONENT_MAX: u32 = 30;

/// How many problems of one policy document are reported.
pub const DOCUMENT_PROBLEMS_MAX: usize = 100;

/// Longest session key of a request, in bytes of UTF-8.
pub const SESSION_KEY_BYTES_MAX: usize = 1_024;

/// Longest value of a context header that is passed on, in bytes of UTF-8.
pub const CONTEXT_BYTES_MAX: usize = 1_024;

/// How many sessions the gateway remembers as seen.
pub const SESSIONS_SEEN_MAX: usize = 10_000;

/// Longest list of a policy document, in entries.
pub const POLICY_LIST_ENTRIES_MAX: usize = 10_000;

/// How many entries all lists of a policy document may have together.
pub const POLICY_ENTRIES_MAX: usize = 100_000;

/// How many objects with lists (`tools` of everybody, of agents, groups, providers and senders) a policy document may
/// have.
pub const POLICY_OBJECTS_MAX: usize = 20_000;

/// Longest entry of a list in a policy document, in bytes.
pub const POLICY_PATTERN_BYTES_MAX: usize = 256;

/// Longest explanation that is recorded with its steps, in bytes: a longer one is recorded without them.
pub const EXPLANATION_BYTES_MAX: usize = 32_768;

/// Longest one-line text of the catalog, in characters: names for people, short descriptions.
pub const LINE_CHARS_MAX: usize = 300;

/// Most tags of a namespace or a tool that somebody gives it in the console.
pub const TAGS_MAX: usize = 50;

/// Longest description that somebody types into the console, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 20_000;

/// Longest text that tools are searched by, in characters.
pub const SEARCH_TEXT_CHARS_MAX: usize = 500;

/// How many different words of such a text are searched for; later ones count for nothing.
pub const SEARCH_WORDS_MAX: usize = 12;

/// How many tools a search gives when nobody says how many.
pub const SEARCH_RESULTS_DEFAULT: usize = 10;

/// How many tools a search gives at most.
pub const SEARCH_RESULTS_MAX: usize = 50;

/// How many of the best tools are looked at until enough are found that the caller may see.
pub const SEARCH_CANDIDATES_MAX: usize = 300;

/// How many namespaces are listed when nobody says how many.
pub const NAMESPACES_LISTED_DEFAULT: usize = 100;

/// How many namespaces are listed at once.
pub const NAMESPACES_LISTED_MAX: usize = 1_000;

/// How many tools of one namespace are listed, in the order of their names.
pub const NAMESPACE_TOOLS_LISTED_MAX: usize = 1_000;

/// Longest deadline of an upstream, in milliseconds.
pub const UPSTREAM_TIMEOUT_MS_MAX: u64 = 600_000;

/// Deadline of an upstream that has none of its own, in milliseconds: the published client gives up at 30 s.
pub const UPSTREAM_TIMEOUT_MS_DEFAULT: u64 = 25_000;

/// How many subschemas the input schema of a tool may have.
pub const SCHEMA_SUBSCHEMAS_MAX: usize = 2_000;

/// How many subschemas may apply to one and the same value, counted as often as they apply.
pub const SCHEMA_APPLICATIONS_MAX: u64 = 10_000;

/// Longest `pattern` of an input schema, in bytes.
pub const SCHEMA_PATTERN_CHARS_MAX: usize = 1_024;

/// How many patterns an input schema may have.
pub const SCHEMA_PATTERNS_MAX: usize = 200;

/// How large all patterns of an input schema may be together when they are compiled: states of an automaton over bytes, roughly
/// counted.
pub const SCHEMA_PATTERNS_SIZE_MAX: u64 = 100_000;

/// How much of what it has worked out one pattern keeps, in bytes.
pub const SCHEMA_PATTERN_CACHE_BYTES_MAX: usize = 262_144;

/// How many steps checking the arguments of one call against its schema may take, at worst. A step is one keyword at one
/// value, or sixteen bytes at one state of a pattern.
pub const ARGUMENT_CHECK_STEPS_MAX: u64 = 20_000_000;

/// Largest object of static or of default arguments of a tool, in bytes.
pub const SET_ARGUMENTS_BYTES_MAX: usize = 16_384;

/// How many static and how many default arguments a tool may have.
pub const SET_ARGUMENTS_MAX: usize = 64;

/// Longest path of a REST tool, in bytes.
pub const REST_PATH_BYTES_MAX: usize = 1_024;

/// Largest body template of a REST tool, in bytes.
pub const REST_TEMPLATE_BYTES_MAX: usize = 16_384;

/// How many arguments a REST tool may place, and how many static headers and query parameters it may have.
pub const REST_ENTRIES_MAX: usize = 64;

/// Longest name of a header or a query parameter of a REST tool, in bytes.
pub const REST_NAME_BYTES_MAX: usize = 128;

/// Longest value of a header or a query parameter that a REST tool sets, or that an argument puts into a path or a header,
/// in bytes.
pub const REST_VALUE_BYTES_MAX: usize = 4_096;

/// Largest `OpenAPI` document, in bytes (2 MiB).
pub const OPENAPI_BYTES_MAX: usize = 2_097_152;

/// How many operations of an `OpenAPI` document are imported.
pub const OPENAPI_OPERATIONS_MAX: usize = 500;

/// How many schemas are copied into the input schema of one operation, through references.
pub const OPENAPI_COPIES_MAX: usize = 2_000;

/// Largest icon or logo, in bytes (2 MiB).
pub const IMAGE_BYTES_MAX: usize = 2_097_152;

/// Largest width and height of an icon or logo, in pixels.
pub const IMAGE_PIXELS_MAX: usize = 4_096;

/// How many nodes (elements, attributes, texts) an SVG image may have.
pub const SVG_NODES_MAX: u32 = 50_000;
