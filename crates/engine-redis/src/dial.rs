//! Opens one connection of fred's in bounded time, leaves nothing behind when that fails, and says why it did.

use crate::config::{ConnectError, RedisConfig};
use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::ClientLike,
    types::{
        Builder, ConnectHandle,
        config::{Config, ReconnectPolicy},
    },
};
use std::{pin::pin, task::Poll, time::Duration};

/// How long a connection that is given up may take to say good-bye.
const FAREWELL: Duration = Duration::from_millis(250);

/// A connection; it ends when this is dropped.
pub struct Life {
    pub client: Client,
    task: ConnectHandle,
}

impl Life {
    /// Connects. `inbox` is how many messages may wait to be taken from it; fred takes the memory for all of them, in each
    /// of its channels, before there is one.
    pub async fn begin(
        settings: &RedisConfig,
        config: Config,
        policy: Option<ReconnectPolicy>,
        inbox: usize,
    ) -> Result<Self, ConnectError> {
        let mut builder = Builder::from_config(config);
        builder.set_performance_config(settings.performance(inbox)).set_connection_config(settings.connection());
        if let Some(policy) = policy {
            builder.set_policy(policy);
        }
        let client = builder.build().map_err(|e| ConnectError::Config(e.to_string()))?;
        // fred's `init` would go on by itself when nobody waits for it any more. This listens from its first poll on.
        let mut connected = pin!(client.wait_for_connect());
        std::future::poll_fn(|cx| Poll::Ready(connected.as_mut().poll(cx).is_ready())).await;
        let life = Self { client: client.clone(), task: client.connect() };
        match tokio::time::timeout(settings.patience(), connected).await {
            Ok(Ok(())) => Ok(life),
            Ok(Err(e)) => Err(explain(&e)),
            Err(_) => Err(ConnectError::Unreachable("no answer in time".to_owned())),
        }
    }

    /// Waits until it is over.
    pub async fn ended(&mut self) {
        let _ = (&mut self.task).await;
    }

    /// Says good-bye, and ends it.
    pub async fn quit(&self) {
        let _ = tokio::time::timeout(FAREWELL, self.client.quit()).await;
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What an operator can do something with. Neither fred nor Redis repeats a password in what it says.
pub fn explain(error: &Error) -> ConnectError {
    let text = error.details();
    let refused = |why: &str| ConnectError::Refused(format!("{why} ({text})"));
    if is_login(error) {
        return refused("Redis does not accept the user or the password");
    }
    if let Some((_, fault)) = text.split_once("InvalidCertificate(") {
        return refused(match fault {
            // The latter: by somebody of the same name, with another key.
            _ if fault.starts_with("UnknownIssuer") || fault.starts_with("BadSignature") => {
                "nobody we trust has signed Redis' certificate: REDIS_CA_FILE"
            }
            _ if fault.starts_with("NotValidForName") => "Redis' certificate is for another host",
            _ => "Redis' certificate is not good",
        });
    }
    match text {
        _ if text.contains("InvalidMessage(InvalidContentType)") => refused("there is no TLS at this port"),
        _ if text.contains("CertificateRequired") => {
            refused("Redis wants a certificate of ours, which we have not: tls-auth-clients no")
        }
        _ if text.contains("to all sentinel nodes") => {
            ConnectError::Unreachable("no sentinel answers, or none accepts sentinelPassword".to_owned())
        }
        _ => ConnectError::Unreachable(error.to_string()),
    }
}

fn is_login(error: &Error) -> bool {
    let starts = |codes: &[&str]| codes.iter().any(|code| error.details().starts_with(code));
    *error.kind() == ErrorKind::Auth || starts(&["NOAUTH", "WRONGPASS", "NOPERM", "ERR AUTH"])
}
