//! Prometheus' own checker.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

const NAME: &str = "promtool";

/// Where it is.
pub struct Promtool(PathBuf);

impl Promtool {
    /// The one on the path, or one of our own under `target`.
    ///
    /// Debian's package would start a server on port 9090 and at each boot: only the one program is taken out of it, which
    /// needs no rights either.
    pub fn find(target: &Path) -> Result<Self, String> {
        let ours = target.join("tools").join(NAME);
        for path in [PathBuf::from(NAME), ours.clone()] {
            if Command::new(&path).arg("--version").output().is_ok_and(|o| o.status.success()) {
                return Ok(Self(path));
            }
        }
        fetch(&ours).map_err(|fault| {
            format!("{NAME} is needed, and could not be taken from Debian's package `prometheus` ({fault}): install Prometheus")
        })?;
        Ok(Self(ours))
    }

    /// Its output; what it says of a fault is the fault.
    pub fn run(&self, command: &[&str], files: &[PathBuf]) -> Result<String, String> {
        let args: Vec<&OsStr> =
            command.iter().map(OsStr::new).chain(files.iter().map(|file| file.as_os_str())).collect();
        run(self.0.as_os_str(), &args, Path::new("."))
    }

    /// How many rules it finds.
    pub fn count_rules(&self, files: &[PathBuf]) -> Result<usize, String> {
        let output = self.run(&["check", "rules"], files)?;
        let counts =
            output.lines().filter_map(|line| line.trim().strip_prefix("SUCCESS: ")?.strip_suffix(" rules found"));
        counts.map(|count| count.parse::<usize>().map_err(|e| format!("{NAME} counts `{count}`: {e}"))).sum()
    }

    /// Whether it can parse all of them: it looks at expressions only inside rules, so they are made to be some.
    pub fn parse_all(&self, target: &Path, expressions: impl Iterator<Item = (String, String)>) -> Result<(), String> {
        let mut rules = "groups:\n  - name: dashboards\n    rules:\n".to_owned();
        let mut places = Vec::new();
        for (n, (place, expr)) in expressions.enumerate() {
            let _ = writeln!(rules, "      - record: expression_{n}\n        expr: {}", serde_json::Value::from(expr));
            places.push(place);
        }
        let file = target.join("tools").join("dashboards.yml");
        fs::create_dir_all(target.join("tools")).map_err(|e| e.to_string())?;
        fs::write(&file, rules).map_err(|e| format!("{}: {e}", file.display()))?;
        self.run(&["check", "rules"], &[file]).map(drop).map_err(|fault| {
            let place = places.iter().enumerate().find(|(n, _)| fault.contains(&format!("\"expression_{n}\"")));
            format!("{}: {fault}", place.map_or("a dashboard", |(_, place)| place))
        })
    }

    /// Runs the tests of the rules: files at once, for each takes seconds on one core.
    pub fn test(&self, files: &[PathBuf]) -> Result<(), String> {
        let faults: Vec<String> = thread::scope(|scope| {
            let test = |file: &PathBuf| self.run(&["test", "rules"], std::slice::from_ref(file)).err();
            let running: Vec<_> = files.iter().map(|file| scope.spawn(move || test(file))).collect();
            running
                .into_iter()
                .filter_map(|one| one.join().unwrap_or_else(|_| Some("a test panicked".into())))
                .collect()
        });
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }
}

/// Takes the program out of Debian's package.
fn fetch(to: &Path) -> Result<(), String> {
    let folder = to.parent().ok_or("no folder")?.join("package");
    let _ = fs::remove_dir_all(&folder); // of a try that was cut short
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    println!("── taking {NAME} out of Debian's package");
    let download = || apt(&["download", "-qq", "prometheus"], &folder);
    if download().is_err() {
        // A machine that was never asked for a package knows of none.
        apt(&["update", "-qq"], &folder).or_else(|_| {
            run("sudo".as_ref(), &["-n", "apt-get", "update", "-qq"].map(OsStr::new), &folder).map(drop)
        })?;
        download()?;
    }
    let package = super::listed(&folder, "deb")?.remove(0);
    run("dpkg-deb".as_ref(), &["-x".as_ref(), package.as_os_str(), "x".as_ref()], &folder)?;
    // By renaming, so that whoever runs at the same time finds all of it or nothing.
    fs::rename(folder.join("x/usr/bin").join(NAME), to).map_err(|e| format!("{}: {e}", to.display()))?;
    fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))
}

fn apt(args: &[&str], folder: &Path) -> Result<(), String> {
    let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    run("apt-get".as_ref(), &args, folder).map(drop)
}

fn run(program: &OsStr, args: &[&OsStr], folder: &Path) -> Result<String, String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        .output()
        .map_err(|e| format!("{}: {e}", program.display()))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(said(&output.stdout));
    }
    Err(format!("{}\n{}", said(&output.stdout), said(&output.stderr)).trim().to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_what_the_program_said() {
        let fault = run("sh".as_ref(), &["-c", "echo out; echo err >&2; exit 1"].map(OsStr::new), Path::new("/"));
        assert_eq!(fault.unwrap_err(), "out\nerr");
    }
}
