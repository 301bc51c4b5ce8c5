//! Bodies of the HTTP calls under `/api`.

use crate::{NodeId, Timestamp, event::RoomSummary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All is well.
    Ok,
    /// Something that is needed cannot be reached.
    Degraded,
}

/// `GET /api/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The sum of `checks`.
    pub status: Status,
    /// Of the process that answered.
    #[cfg_attr(feature = "openapi", schema(example = "0.1.0"))]
    pub version: String,
    /// Of the process that answered.
    pub uptime_seconds: u64,
    /// When this was measured.
    pub timestamp: Timestamp,
    /// Chat-nodes with a lease.
    pub nodes: u32,
    /// Sockets of all of them.
    pub connections: u64,
    /// Each thing that was looked at.
    pub checks: BTreeMap<String, Check>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// Whether it is well.
    pub status: Status,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// `GET /api/rooms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoomPage {
    /// The rooms.
    pub rooms: Vec<RoomSummary>,
    /// For the next page; null when this is the last.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub cursor: Option<String>,
}

/// `GET /api/instance`: the process that answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// Its name.
    pub node_id: NodeId,
    /// What it is.
    #[cfg_attr(feature = "openapi", schema(example = "gateway"))]
    pub service: String,
    /// How long it has been running.
    pub uptime_seconds: u64,
}
