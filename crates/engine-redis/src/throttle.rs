//! Limits that hold for the whole cluster: `lua/take.lua`.

use crate::{
    RedisNode,
    script::TAKE,
    timeline::{arg, millis},
};
use async_trait::async_trait;
use engine::{Unavailable, port::Throttle};
use protocol::policy::{Policy, Window};
use std::time::Duration;

#[async_trait]
impl Throttle for RedisNode {
    async fn take(&self, policy: Policy, who: &str, window: Window) -> Result<Option<Duration>, Unavailable> {
        let keys = vec![self.shared.keys.limit(policy, who)];
        let args = vec![arg(window.count), millis(window.window.max(Duration::from_millis(1)))];
        let mut reply = self.shared.commands.run(&TAKE, keys, args).await?;
        reply.int()?;
        let wait: u64 = reply.number()?;
        Ok((wait > 0).then(|| Duration::from_millis(wait)))
    }
}
