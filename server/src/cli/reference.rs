//! The command line as a document: `docs/cli.md` is what this prints.

use clap::{Arg, Command, CommandFactory as _};

use super::{Cli, Exit, Outcome, say};

const HEAD: &str = "# Command line

What `tollgate --help` knows, in one page. This file is generated; a test compares it with the program.

Commands that only read work beside a running server. A command that writes is handed to the running server of the
database, over a Unix socket beside the SQLite file that only its owner may use; when nobody serves, the command writes
by itself. Either way it does the same, says the same and ends with the same exit code.
";

pub(super) fn run() -> Outcome {
    say(markdown().trim_end())
}

fn markdown() -> String {
    let mut root = Cli::command();
    root.build();
    let codes = Exit::ALL.map(|(exit, number)| format!("| {number} | {} |\n", exit.meaning())).concat();
    let shared: String = root.get_arguments().filter(|arg| is_shown(arg)).map(row).collect();
    let mut parts = vec![
        HEAD.to_owned(),
        format!("\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n{codes}"),
        format!("\n## Arguments of every command\n\n{TABLE_HEAD}{shared}"),
    ];
    write_commands(&mut parts, &mut root);
    parts.concat()
}

const TABLE_HEAD: &str = "| argument | default | meaning |\n| --- | --- | --- |\n";

/// The commands that do something, below `command`.
fn write_commands(parts: &mut Vec<String>, command: &mut Command) {
    for below in command.get_subcommands_mut().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        if below.has_subcommands() {
            write_commands(parts, below);
        } else {
            parts.push(section(below));
        }
    }
}

fn section(command: &mut Command) -> String {
    let name = command.get_bin_name().unwrap_or_default().to_owned();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let own = command.get_arguments().filter(|arg| is_shown(arg) && !arg.is_global_set());
    let rows: String = own.map(row).collect();
    let table = if rows.is_empty() { String::new() } else { format!("\n{TABLE_HEAD}{rows}") };
    format!("\n## `{name}`\n\n{about}.\n\n```text\n{usage}\n```\n{table}")
}

/// Not what every program has.
fn is_shown(arg: &Arg) -> bool {
    !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version")
}

fn row(arg: &Arg) -> String {
    let value = arg.get_value_names().unwrap_or_default().join(" ");
    let takes_value = arg.get_action().takes_values();
    let name = match arg.get_long() {
        Some(long) if takes_value => format!("--{long} <{value}>"),
        Some(long) => format!("--{long}"),
        None => format!("<{value}>"),
    };
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = match (arg.is_required_set(), takes_value, defaults.is_empty()) {
        (true, ..) => "needed".to_owned(),
        (false, true, false) => format!("`{}`", defaults.join(" ")),
        _ => String::new(),
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    format!("| `{name}` | {default} | {} |\n", help.replace('|', "\\|"))
}
