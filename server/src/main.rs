//! The program `tollgate`.

fn main() -> std::process::ExitCode {
    server::cli::run().into()
}
