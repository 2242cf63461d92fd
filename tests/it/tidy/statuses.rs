//! Which HTTP status an error has is decided in few files.

use tests::source::lex;

use super::{STATUS_FOLDER_OF_THE_DEMO, check_none, shipped_code, words};

/// The only files of shipped code that know which HTTP status an error has.
const STATUS_FILES: [&str; 4] = [
    "admin/src/console/fault.rs",
    "server/src/gateway/errors.rs",
    "server/src/http/problem.rs",
    "server/src/upstream/http.rs",
];

/// Status names that may stand anywhere: they say that all is well or where to look, and map no error.
const STATUSES_FREE: [&str; 14] = [
    "ACCEPTED",
    "Accepted",
    "CREATED",
    "Created",
    "FOUND",
    "Found",
    "NOT_MODIFIED",
    "NO_CONTENT",
    "NoContent",
    "NotModified",
    "OK",
    "Ok",
    "SEE_OTHER",
    "SeeOther",
];

/// The names behind `marker` in a line: `StatusCode::` in `x == StatusCode::NOT_FOUND` gives `NOT_FOUND`.
fn names_after<'a>(line: &'a str, marker: &'a str) -> impl Iterator<Item = &'a str> {
    line.split(marker).skip(1).filter_map(|rest| words(rest).next().filter(|name| rest.starts_with(name)))
}

/// Whether a line of code decides on an HTTP status of an error.
fn decides_a_status(line: &str) -> bool {
    let constant = names_after(line, "StatusCode::")
        .any(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_') && !STATUSES_FREE.contains(&name));
    let response = names_after(line, "HttpResponse::")
        .any(|name| name.starts_with(|c: char| c.is_ascii_uppercase()) && !STATUSES_FREE.contains(&name));
    let actix_error = words(line).any(|word| word.strip_prefix("Error").is_some_and(is_status_name));
    let is_number = |word: &str| word.parse::<u16>().is_ok_and(|number| (300..600).contains(&number));
    let number = line.to_lowercase().contains("status") && words(line).any(is_number);
    let arm = line.contains("=>") && words(line).next().is_some_and(is_number);
    constant || response || actix_error || number || arm
}

/// The names of actix-web's ready-made errors, `ErrorBadRequest` and its kin, after `Error`.
fn is_status_name(name: &str) -> bool {
    matches!(
        name,
        "BadRequest"
            | "Unauthorized"
            | "PaymentRequired"
            | "Forbidden"
            | "NotFound"
            | "MethodNotAllowed"
            | "RequestTimeout"
            | "Conflict"
            | "Gone"
            | "PayloadTooLarge"
            | "UnprocessableEntity"
            | "TooManyRequests"
            | "InternalServerError"
            | "NotImplemented"
            | "BadGateway"
            | "ServiceUnavailable"
            | "GatewayTimeout"
    )
}

/// Blanks out what utoipa reads: the documented statuses of a handler are part of its description.
fn without_openapi_attributes(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = ["#[utoipa::path", "#[response", "#[openapi"].iter().filter_map(|start| rest.find(start)).min()
    {
        let (before, attribute) = rest.split_at(at);
        let mut depth = 0_usize;
        let end = attribute.char_indices().find(|(_, character)| {
            match character {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => return false,
            }
            depth == 0
        });
        let (attribute, after) = attribute.split_at(end.map_or(attribute.len(), |(at, _)| at + 1));
        out.push_str(before);
        out.extend(attribute.chars().filter(|character| *character == '\n'));
        rest = after;
    }
    out + rest
}

#[test]
fn http_statuses_of_errors_are_decided_in_four_files() {
    let mut found = Vec::new();
    let is_free = |path: &str| STATUS_FILES.contains(&path) || path.starts_with(STATUS_FOLDER_OF_THE_DEMO);
    for file in shipped_code().filter(|file| !is_free(&file.path)) {
        let code = without_openapi_attributes(&lex(&file.text).code);
        let wrong = code.lines().enumerate().filter(|(_, line)| decides_a_status(line));
        found.extend(wrong.map(|(at, line)| format!("{}:{}: {}", file.path, at + 1, line.trim())));
    }
    check_none(&found, "give the error a code; its kind has the status");
}

#[test]
fn the_status_check_tells_a_status_from_other_numbers() {
    let wrong = [
        "return StatusCode::NOT_FOUND;",
        "HttpResponse::BadRequest().finish()",
        "HttpResponse::build(StatusCode::CONFLICT)",
        "if response.status() == 404 {",
        "let status: u16 = 502;",
        "    400 | 422 => Answer::Rejected,",
        ".map_err(error::ErrorForbidden)",
    ];
    let fine = [
        "HttpResponse::Ok().json(view)",
        "StatusCode::from_u16(stored.status)",
        "HttpResponse::build(problem.status())",
        "const PAGE_SIZE_MAX: u32 = 500;",
        "fn status(&self) -> StatusCode {",
        "use actix_web::http::StatusCode;",
        "Err(ErrorBudget::Spent)",
        "let status_bytes_max = 64 * 1024;",
        "16 => Width::Short,",
    ];
    for line in wrong {
        assert!(decides_a_status(line), "{line}");
    }
    for line in fine {
        assert!(!decides_a_status(line), "{line}");
    }
    let handler = "#[utoipa::path(responses((status = 402, body = [Problem])))]\nfn pay() { x[0] }";
    assert_eq!(without_openapi_attributes(handler), "\nfn pay() { x[0] }");
}
