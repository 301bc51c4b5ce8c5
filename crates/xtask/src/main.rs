//! The build logic of Roomful. `cargo xtask --help` lists the commands.

mod ci;
mod codegen;
mod layers;
mod tidy;

use std::{path::PathBuf, process::ExitCode};

const HELP: &str = "\
cargo xtask <command>

  ci                every test and check, as `make test` and CI run it
  codegen           write the generated files anew (TypeScript types, golden frames, .env.example)
  codegen --check   fail if a generated file is not what the sources say
  layers            fail if the crate graph is not the one in crates/xtask/layers.txt
  layers --write    write that file anew; the change shows in review
  tidy              fail on files that are too long and other untidiness";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["ci"] => ci::run(&root()),
        ["codegen"] => codegen::write(&root()),
        ["codegen", "--check"] => codegen::check(&root()),
        ["layers"] => layers::check(&root()),
        ["layers", "--write"] => layers::write(&root()),
        ["tidy"] => tidy::check(&root()),
        [] | ["--help" | "-h" | "help"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("no such command: {}\n\n{HELP}", args.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root, wherever the command was given.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or(here.clone(), PathBuf::from)
}
