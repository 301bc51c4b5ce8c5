//! Grafana's dashboards.

use super::text;
use serde_json::Value;
use std::{collections::BTreeSet, path::PathBuf};

/// Stands for the variables of Grafana when an expression is parsed, so that what is left is PromQL.
const VARIABLES: &[(&str, &str)] =
    &[("$__rate_interval", "1m"), ("$__range", "1h"), ("$__interval", "1m"), ("$job", "x"), ("$instance", "x")];
/// The only way to name a source of data: whoever has another one chooses it.
const SOURCE: &str = "${datasource}";

/// One dashboard.
pub struct Dashboard {
    name: String,
    value: Value,
}

/// Reads all; what is no JSON is a fault.
pub fn read(files: &[PathBuf]) -> Result<Vec<Dashboard>, String> {
    let read = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let value = serde_json::from_str(&text(file)?).map_err(|e| format!("{name}: {e}"))?;
        Ok(Dashboard { name, value })
    };
    files.iter().map(read).collect()
}

impl Dashboard {
    fn panels(&self) -> impl Iterator<Item = &Value> {
        self.value["panels"].as_array().into_iter().flatten()
    }

    /// Every expression with the panel or variable that has it, and with the dashboard's variables filled in.
    pub fn expressions(&self) -> impl Iterator<Item = (String, String)> {
        let of_panels = self.panels().flat_map(|panel| {
            let targets = panel["targets"].as_array().into_iter().flatten();
            targets.map(move |target| (&panel["title"], target["expr"].as_str().unwrap_or_default()))
        });
        let variables = self.value["templating"]["list"].as_array().into_iter().flatten();
        let of_variables =
            variables.filter_map(|variable| Some((&variable["name"], labelled(&variable["definition"])?)));
        of_panels.chain(of_variables).map(|(title, expr)| {
            let place = format!("{}, {}", self.name, title.as_str().unwrap_or_default());
            let filled = VARIABLES.iter().fold(expr.to_owned(), |expr, (name, value)| expr.replace(name, value));
            (place, filled)
        })
    }
}

/// The series in `label_values(series, label)`, which is Grafana's and no PromQL.
fn labelled(definition: &Value) -> Option<&str> {
    definition.as_str()?.strip_prefix("label_values(")?.rsplit_once(',').map(|(series, _)| series)
}

/// What is wrong with them.
pub fn faults(dashboards: &[Dashboard]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut uids = BTreeSet::new();
    for dashboard in dashboards {
        let name = &dashboard.name;
        match dashboard.value["uid"].as_str() {
            None | Some("") => faults.push(format!("{name}: no uid: links to it would break each time it is loaded")),
            Some(uid) if !uids.insert(uid) => faults.push(format!("{name}: another dashboard has the uid {uid}")),
            Some(_) => {}
        }
        let mut ids = BTreeSet::new();
        for panel in dashboard.panels() {
            let title = panel["title"].as_str().unwrap_or("a panel without a title");
            if !panel["id"].as_u64().is_some_and(|id| ids.insert(id)) {
                faults.push(format!("{name}, {title}: its id is missing, or another panel's"));
            }
            if panel["type"] == "row" {
                continue;
            }
            if panel["targets"]
                .as_array()
                .is_none_or(|targets| targets.iter().any(|t| t["expr"].as_str().is_none_or(str::is_empty)))
            {
                faults.push(format!("{name}, {title}: no expression"));
            }
            if panel["datasource"]["uid"] != SOURCE {
                faults.push(format!("{name}, {title}: its source of data is not {SOURCE}"));
            }
            for (field, what) in
                [(&panel["description"], "description"), (&panel["fieldConfig"]["defaults"]["unit"], "unit")]
            {
                if field.as_str().is_none_or(str::is_empty) {
                    faults.push(format!("{name}, {title}: no {what}"));
                }
            }
        }
        for (place, expr) in dashboard.expressions().filter(|(_, expr)| expr.contains('$')) {
            faults.push(format!("{place}: an unknown variable in `{expr}`"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dashboard(uid: &str, panels: Value) -> Dashboard {
        let list = json!([{"name": "job", "definition": "label_values(app_build_info, job)"}, {"name": "datasource"}]);
        Dashboard {
            name: format!("{uid}.json"),
            value: json!({"uid": uid, "panels": panels, "templating": {"list": list}}),
        }
    }

    fn panel(id: u64, expr: &str) -> Value {
        json!({
            "id": id, "type": "stat", "title": format!("p{id}"), "description": "d", "datasource": {"uid": SOURCE},
            "fieldConfig": {"defaults": {"unit": "short"}}, "targets": [{"expr": expr}],
        })
    }

    #[test]
    fn expressions_are_filled_in() {
        let one = dashboard("a", json!([panel(1, "rate(x{job=~\"$job\"}[$__rate_interval])")]));
        let expressions: Vec<_> = one.expressions().collect();
        let expected = [("a.json, p1", "rate(x{job=~\"x\"}[1m])"), ("a.json, job", "app_build_info")];
        assert_eq!(expressions, expected.map(|(place, expr)| (place.to_owned(), expr.to_owned())));
        assert_eq!(faults(&[one]), Vec::<String>::new());
    }

    #[test]
    fn faults_are_told() {
        let one = |change: fn(&mut Value)| {
            let mut panel = panel(1, "up");
            change(&mut panel);
            faults(&[dashboard("a", json!([panel]))]).join("\n")
        };
        assert!(one(|p| p["description"] = "".into()).contains("no description"));
        assert!(one(|p| p["fieldConfig"] = Value::Null).contains("no unit"));
        assert!(one(|p| p["targets"] = json!([{}])).contains("no expression"));
        assert!(one(|p| p["datasource"] = json!({"uid": "abc"})).contains("source of data"));
        assert!(one(|p| p["targets"] = json!([{"expr": "up{job=\"$jbo\"}"}])).contains("unknown variable"));
        let twice = faults(&[dashboard("a", json!([panel(1, "up"), panel(1, "up")])), dashboard("a", json!([]))]);
        assert_eq!(twice.len(), 2, "{twice:?}");
    }
}
