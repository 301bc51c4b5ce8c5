//! How many instructions the hot paths take, against the figures in the repository. Callgrind counts: unlike time, a
//! count is the same on a busy machine, so that a growth is one of the code.

mod compare;

use compare::{Counts, Figures, Tools, Verdict};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

/// The figures that are kept.
const KEPT: &str = "crates/bench/instructions.json";
/// What is counted of a process (`crates/bench/benches/instructions/main.rs`).
const COUNTED: &str = "*counted_by_callgrind*";

/// What one more member of a room costs: from two rooms, so that what a message costs whatever the room is not in it.
const EACH: &str = "fan_out_each";
const FEW: (&str, u64) = ("fan_out_500", 500);
const MANY: (&str, u64) = ("fan_out_10000", 10_000);

/// Counts, and fails when something costs more than is kept.
pub fn check(root: &Path, target: &Path) -> Result<(), String> {
    let kept = fs::read_to_string(root.join(KEPT)).map_err(|e| format!("{KEPT}: {e}"))?;
    let kept: Figures = serde_json::from_str(&kept).map_err(|e| format!("{KEPT}: {e}"))?;
    let now = measure(root, target)?;
    let rows = compare::compare(&kept.instructions, &now.instructions);
    print!("{}", compare::table(&rows));
    if kept.tools != now.tools {
        println!("\nkept figures: {}\nthese:        {}", kept.tools, now.tools);
    }
    for row in rows.iter().filter(|row| row.verdict == Verdict::Fell) {
        println!("\nwarning: {} takes less than is kept: `cargo xtask instructions --write` keeps it so", row.case);
    }
    let faults: Vec<_> = rows.iter().filter_map(compare::Row::fault).collect();
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!(
        "\n{}\nWhere they are spent: `callgrind_annotate {}`.\n\
         If that is meant, `cargo xtask instructions --write`, and say why in the commit.",
        faults.join("\n"),
        profile(target, "CASE").display()
    ))
}

/// Counts, and keeps that.
pub fn write(root: &Path, target: &Path) -> Result<(), String> {
    let now = measure(root, target)?;
    let kept = fs::read_to_string(root.join(KEPT)).unwrap_or_default();
    let kept = serde_json::from_str::<Figures>(&kept).map(|kept| kept.instructions).unwrap_or_default();
    print!("{}", compare::table(&compare::compare(&kept, &now.instructions)));
    let text = serde_json::to_string_pretty(&now).map_err(|e| e.to_string())? + "\n";
    fs::write(root.join(KEPT), text).map_err(|e| format!("{KEPT}: {e}"))?;
    println!("\nwrote {KEPT}");
    Ok(())
}

fn measure(root: &Path, target: &Path) -> Result<Figures, String> {
    let tools = Tools { rustc: output("rustc", &["--version"])?, valgrind: output("valgrind", &["--version"])? };
    println!("building the cases as a release is built");
    let program = build(root)?;
    let listed = output(&program, &["--list"])?;
    let folder = target.join("instructions");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    println!("counting; profiles for callgrind_annotate will be in {}\n", folder.display());

    let cases = Mutex::new(listed.lines());
    let counted = Mutex::new(Ok(Counts::new()));
    let work = || {
        // The guard ends with the statement: whoever counts does not hold up the others.
        while let Some(case) = cases.lock().ok().and_then(|mut cases| cases.next()) {
            let count = count(&program, case, &profile(target, case));
            let Ok(mut counted) = counted.lock() else { return };
            match (count, &mut *counted) {
                (Ok(count), Ok(counts)) => _ = counts.insert(case.to_owned(), count),
                (Err(fault), Ok(_)) => *counted = Err(fault),
                (_, Err(_)) => return,
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut instructions = counted.into_inner().map_err(|_| "a count was given up".to_owned())??;
    if let (Some(few), Some(many)) = (instructions.get(FEW.0), instructions.get(MANY.0)) {
        let each = many.saturating_sub(*few) / (MANY.1 - FEW.1);
        instructions.insert(EACH.to_owned(), each);
    }
    Ok(Figures { tools, instructions })
}

/// Builds the cases as a release is built; where the program is.
fn build(root: &Path) -> Result<PathBuf, String> {
    let args = ["bench", "--package", "bench", "--bench", "instructions", "--no-run", "--locked"];
    let built = Command::new("cargo")
        .args(args)
        .args(["--quiet", "--message-format", "json"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cargo: {e}"))?;
    if !built.status.success() {
        return Err("the cases could not be built".into());
    }
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = messages.filter(|m| m["target"]["name"] == "instructions").find_map(|m| {
        let program = m["executable"].as_str()?;
        Some(PathBuf::from(program))
    });
    program.ok_or_else(|| "cargo did not say where the program is".into())
}

/// Carries one case out under callgrind.
fn count(program: &Path, case: &str, profile: &Path) -> Result<u64, String> {
    let mut out = std::ffi::OsString::from("--callgrind-out-file=");
    out.push(profile);
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(out)
        .arg(program)
        .args(["--case", case])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("valgrind: {e}"))?;
    if !run.status.success() {
        return Err(format!("{case}: valgrind ended with {}\n{}", run.status, String::from_utf8_lossy(&run.stderr)));
    }
    let text = fs::read_to_string(profile).map_err(|e| format!("{}: {e}", profile.display()))?;
    let totals = text.lines().filter_map(|line| line.strip_prefix("totals: "));
    let count = totals.filter_map(|n| n.trim().parse().ok()).next_back().unwrap_or(0);
    if count == 0 {
        return Err(format!("{case}: callgrind saw nothing of {COUNTED}"));
    }
    Ok(count)
}

fn profile(target: &Path, case: &str) -> PathBuf {
    target.join("instructions").join(format!("{case}.callgrind"))
}

fn output(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Result<String, String> {
    let name = program.as_ref().to_string_lossy().into_owned();
    let output = Command::new(program).args(args).output().map_err(|e| format!("{name}: {e}"))?;
    if !output.status.success() {
        return Err(format!("`{name} {}` ended with {}", args.join(" "), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
