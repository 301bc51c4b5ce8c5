//! Ports that fail, or never answer.

use async_trait::async_trait;
use engine::{
    PortError, Ports, Unavailable,
    port::{
        Attached, Attachment, Beat, Claim, Directory, Joined, Listing, MembersPage, NewRoom, NodeLease, NodeRecord,
        RoomRules, RoomsPage, Swept, Throttle,
    },
};
use protocol::{
    ClientId, NodeId, RoomId, Username,
    policy::{Policy, Window},
};
use std::{future::pending, sync::Arc, time::Duration};

/// How a backend is away.
#[derive(Clone, Copy)]
pub enum Away {
    /// It says so at once.
    Refusing,
    /// It never answers.
    Hanging,
}

impl Away {
    async fn answer<T>(self) -> Result<T, Unavailable> {
        match self {
            Self::Refusing => Err(Unavailable("redis://10.1.2.3:6379: connection refused".to_owned())),
            Self::Hanging => pending().await,
        }
    }
}

/// The same ports, with a backend that is away.
pub fn away(ports: Ports, how: Away) -> Ports {
    Ports { directory: Arc::new(how), throttle: Arc::new(how), ..ports }
}

#[async_trait]
impl Throttle for Away {
    async fn take(&self, _: Policy, _: &str, _: Window) -> Result<Option<Duration>, Unavailable> {
        self.answer().await
    }
}

#[async_trait]
impl Directory for Away {
    async fn register(&self, _: &NodeId, _: Duration) -> Result<NodeLease, Unavailable> {
        self.answer().await
    }
    async fn begin_anew(&self, _: &NodeLease, _: Duration) -> Result<NodeLease, PortError> {
        Ok(self.answer().await?)
    }
    async fn heartbeat(&self, _: &NodeLease, _: Duration, _: u32) -> Result<Beat, Unavailable> {
        self.answer().await
    }
    async fn deregister(&self, _: &NodeLease, _: Duration) -> Result<(), Unavailable> {
        self.answer().await
    }
    async fn nodes(&self) -> Result<Vec<NodeRecord>, Unavailable> {
        self.answer().await
    }
    async fn attach(&self, _: &Attachment, _: Claim) -> Result<Attached, PortError> {
        Ok(self.answer().await?)
    }
    async fn detach(&self, _: ClientId, _: &Attachment, _: Duration) -> Result<(), Unavailable> {
        self.answer().await
    }
    async fn rename(&self, _: ClientId, _: &Attachment, _: Username) -> Result<(), PortError> {
        Ok(self.answer().await?)
    }
    async fn create_room(&self, _: ClientId, _: &Attachment, _: NewRoom, _: RoomRules) -> Result<Joined, PortError> {
        Ok(self.answer().await?)
    }
    async fn join(&self, _: ClientId, _: &Attachment, _: RoomId, _: RoomRules) -> Result<Joined, PortError> {
        Ok(self.answer().await?)
    }
    async fn leave(&self, _: ClientId, _: &Attachment, _: RoomId) -> Result<(), PortError> {
        Ok(self.answer().await?)
    }
    async fn end_room(&self, _: RoomId) -> Result<u32, PortError> {
        Ok(self.answer().await?)
    }
    async fn rooms_of(&self, _: ClientId, _: &Attachment) -> Result<Vec<RoomId>, PortError> {
        Ok(self.answer().await?)
    }
    async fn listing(&self, _: RoomId, _: usize) -> Result<Listing, PortError> {
        Ok(self.answer().await?)
    }
    async fn members(&self, _: RoomId, _: Option<ClientId>, _: usize) -> Result<MembersPage, PortError> {
        Ok(self.answer().await?)
    }
    async fn rooms(&self, _: Option<&str>, _: usize) -> Result<RoomsPage, PortError> {
        Ok(self.answer().await?)
    }
    async fn sweep(&self) -> Result<Swept, Unavailable> {
        self.answer().await
    }
}
