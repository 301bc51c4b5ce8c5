//! Files that are made from Rust sources and committed, so that a change of the contract shows in review.

use protocol::{
    ClientCommand, ClientId, CorrelationId, Epoch, ErrorCode, Limits, MessageBody, MessageId, NodeId, RawText, RoomId,
    RoomName, SUBPROTOCOL, Seq, ServerEvent, Timestamp, Username, admin,
    close::{CloseCode, Reconnect},
    command::Resume,
    event::{Budget, ChangeKind, Gap, LeaveReason, Member, MessageChange, NoticeLevel, Room, RoomSummary},
    policy::Policy,
    sample,
    typescript::declaration,
};
use serde::Serialize;
use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};
use ts_rs::Config;

/// A generated file: its path from the root, and its text.
type File = (String, String);

/// Writes every generated file.
pub fn write(root: &Path) -> Result<(), String> {
    for (path, text) in files(root)? {
        let full = root.join(&path);
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        if fs::read_to_string(&full).ok().as_ref() != Some(&text) {
            fs::write(&full, text).map_err(|e| format!("{path}: {e}"))?;
            println!("wrote {path}");
        }
    }
    Ok(())
}

/// Fails when a generated file is not what the sources say.
pub fn check(root: &Path) -> Result<(), String> {
    let stale: Vec<String> = files(root)?
        .into_iter()
        .filter(|(path, text)| fs::read_to_string(root.join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| path)
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("out of date: {}\nrun `cargo xtask codegen` and commit what it writes", stale.join(", ")))
}

fn files(root: &Path) -> Result<Vec<File>, String> {
    let mut files = vec![("frontend/src/protocol/generated.ts".to_owned(), typescript())];
    golden("command", &sample::commands(), &mut files)?;
    golden("event", &sample::events(), &mut files)?;
    files.push((".env.example".to_owned(), environment(root)?));
    Ok(files)
}

/// The binary says what it can be told. Asked as a program, so that xtask need not be built with all of the product.
fn environment(root: &Path) -> Result<String, String> {
    let output = Command::new("cargo")
        .args(["run", "--quiet", "--package", "roomful", "--", "env"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cargo: {e}"))?;
    if !output.status.success() {
        return Err("`roomful env` failed".into());
    }
    String::from_utf8(output.stdout).map_err(|e| e.to_string())
}

fn golden<T: Serialize>(kind: &str, samples: &[T], files: &mut Vec<File>) -> Result<(), String> {
    for sample in samples {
        let value = serde_json::to_value(sample).map_err(|e| e.to_string())?;
        let tag = value["type"].as_str().unwrap_or_default();
        let text = serde_json::to_string_pretty(&value).map_err(|e| e.to_string())? + "\n";
        files.push((format!("crates/protocol/tests/frames/{kind}/{tag}.json"), text));
    }
    Ok(())
}

fn typescript() -> String {
    let config = Config::new().with_large_int("number");
    let mut out = String::from("// Generated from crates/protocol by `cargo xtask codegen`. Do not edit.\n\n");
    // What payloads are made of; the payloads themselves come with their enums.
    macro_rules! declare {
        ($($name:ty),* $(,)?) => {
            $(out.push_str(&declaration::<$name>(&config));)*
        };
    }
    declare!(
        ClientId,
        RoomId,
        NodeId,
        MessageId,
        CorrelationId,
        Epoch,
        Seq,
        Timestamp,
        RawText,
        Username,
        RoomName,
        MessageBody,
        ErrorCode,
        Limits,
        Member,
        Room,
        RoomSummary,
        Gap,
        LeaveReason,
        NoticeLevel,
        Budget,
        ChangeKind,
        MessageChange,
        Resume,
    );
    // The dashboard's.
    declare!(
        Policy,
        admin::Session,
        admin::Servers,
        admin::Server,
        admin::Canary,
        admin::Limited,
        admin::LimitPage,
        admin::LimitedOn,
        admin::ClientPage,
        admin::ClientSummary,
        admin::ClientDetail,
        admin::RoomPage,
        admin::RoomRow,
        admin::RoomDetail,
        admin::RoomMessages,
        admin::RoomMessage,
        admin::MessageVersion,
        admin::Removed,
        admin::NewBan,
        admin::Ban,
        admin::BanMade,
        admin::BanPreview,
        admin::BanPage,
        admin::NewNotice,
        admin::Accepted,
        admin::AuditPage,
        admin::AuditEntry,
        admin::AuditAction,
        admin::AuditOutcome,
        admin::Stats,
        admin::Totals,
        admin::Minute,
        admin::NodeMinute,
        admin::LiveToken,
        admin::Live,
    );
    out.push_str(&ClientCommand::typescript(&config));
    out.push_str(&ServerEvent::typescript(&config));
    tables(&mut out);
    out
}

/// What types cannot say: names of events, close codes and what to do after each.
fn tables(out: &mut String) {
    let _ = writeln!(out, "/** Offered in the WebSocket handshake. */\nexport const SUBPROTOCOL = {SUBPROTOCOL:?};\n");
    let _ = writeln!(
        out,
        "/** Every `type` that this version knows. */\nexport const EVENT_TYPES = {:?} as const;\n",
        ServerEvent::TYPES
    );
    out.push_str("/** What to do after a close. */\nexport type AfterClose = 'no' | 'yes' | 'at_once' | 'without_session' | 'when_asked' | 'after_pause';\n\n");
    out.push_str("/** Close codes of the server, and what to do after each. */\nexport const CLOSE_CODES: Readonly<Record<number, { reason: string; reconnect: AfterClose }>> = {\n");
    for code in CloseCode::ALL {
        let reconnect = match code.reconnect() {
            Reconnect::No => "no",
            Reconnect::Yes => "yes",
            Reconnect::AtOnce => "at_once",
            Reconnect::WithoutSession => "without_session",
            Reconnect::WhenAsked => "when_asked",
            Reconnect::AfterPause => "after_pause",
        };
        let _ = writeln!(out, "  {}: {{ reason: {:?}, reconnect: '{reconnect}' }},", code.get(), code.reason());
    }
    out.push_str("};\n\n");
    out.push_str("/** Codes after which the same command can succeed later. */\nexport const RETRYABLE: readonly ErrorCode[] = [\n");
    for code in ErrorCode::ALL.into_iter().filter(|c| c.retryable()) {
        let _ = writeln!(out, "  {},", serde_json::to_string(&code).unwrap_or_default());
    }
    out.push_str("];\n");
}
