//! The build logic of Roomful. `cargo xtask --help` lists the commands.

mod ci;
mod codegen;
mod instructions;
mod layers;
mod observability;
mod tidy;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

const HELP: &str = "\
cargo xtask <command>

  ci                every test and check, as `make test` and CI run it
  codegen           write the generated files anew (TypeScript types, golden frames, .env.example)
  codegen --check   fail if a generated file is not what the sources say
  instructions      count what the hot paths take; fail if one takes over 10 % more than crates/bench/instructions.json says
  instructions --write
                    write that file anew
  layers            fail if the crate graph is not the one in crates/xtask/layers.txt
  layers --write    write that file anew; the change shows in review
  observability     fail on dashboards, alerts and runbooks that do not parse, fail their tests, or name what is not there
  tidy              fail on files that are too long and other untidiness";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["ci"] => ci::run(&root()),
        ["codegen"] => codegen::write(&root()),
        ["codegen", "--check"] => codegen::check(&root()),
        ["instructions"] => instructions::check(&root(), &target(&root())),
        ["instructions", "--write"] => instructions::write(&root(), &target(&root())),
        ["layers"] => layers::check(&root()),
        ["layers", "--write"] => layers::write(&root()),
        ["observability"] => observability::check(&root(), &target(&root())),
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

/// Where cargo builds.
fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}
