//! What the doctor can find, each with a name that stays: docs/doctor.md has one row for each.

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($topic:ident { $($code:ident = $name:literal,)+ })+) => {
        /// What a finding is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = concat!("`", $name, "`.")] $code,)+)+ }

        impl Code {
            /// All of them, in the order in which they are told.
            pub const ALL: &[Self] = &[$($(Self::$code,)+)+];

            /// Its name, in kebab-case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$code => $name,)+)+ }
            }

            /// What it belongs to.
            #[must_use]
            pub const fn topic(self) -> Topic {
                match self { $($(Self::$code => Topic::$topic,)+)+ }
            }
        }
    };
}

codes! {
    Settings {
        FileUnreadable = "file-unreadable",
        SettingRefused = "setting-refused",
        LimitOff = "limit-off",
        LogLevelVerbose = "log-level-verbose",
        DrainWindowZero = "drain-window-zero",
        NodeLeaseOdd = "node-lease-odd",
        ResumeGraceShort = "resume-grace-short",
        OpenFilesLow = "open-files-low",
    }
    Secrets {
        JwtSecretMissing = "jwt-secret-missing",
        JwtSecretShort = "jwt-secret-short",
        JwtSecretExample = "jwt-secret-example",
        JwtSecretWeak = "jwt-secret-weak",
        AdminPasswordMissing = "admin-password-missing",
        AdminPasswordTwice = "admin-password-twice",
        AdminPasswordExample = "admin-password-example",
        AdminPasswordWeak = "admin-password-weak",
        RedisPasswordMissing = "redis-password-missing",
        RedisPasswordExample = "redis-password-example",
        SecretReused = "secret-reused",
        EnvFileReadable = "env-file-readable",
        EnvDollar = "env-dollar",
    }
    Site {
        SiteUnreachable = "site-unreachable",
        HealthMissing = "health-missing",
        HealthDegraded = "health-degraded",
        PageMissing = "page-missing",
        CspMissing = "csp-missing",
        OpsExposed = "ops-exposed",
        ForwardedProtoLost = "forwarded-proto-lost",
    }
    Tls {
        PlainHttp = "plain-http",
        CertificateExpired = "certificate-expired",
        CertificateExpiring = "certificate-expiring",
        CertificateName = "certificate-name",
        CertificateUntrusted = "certificate-untrusted",
    }
    WebSocket {
        WebSocketUpgrade = "websocket-upgrade",
        WebSocketUnavailable = "websocket-unavailable",
        WebSocketOriginRefused = "websocket-origin-refused",
        WebSocketOriginOpen = "websocket-origin-open",
        WebSocketSubprotocol = "websocket-subprotocol",
        WebSocketConnect = "websocket-connect",
        OriginsLackSite = "origins-lack-site",
        OriginMalformed = "origin-malformed",
        OriginScheme = "origin-scheme",
    }
    Proxy {
        ProxyUpgradeHeaders = "proxy-upgrade-headers",
        ProxyHostHeader = "proxy-host-header",
        ProxyForwardedFor = "proxy-forwarded-for",
        ProxyReadTimeout = "proxy-read-timeout",
        WorkerConnectionsLow = "worker-connections-low",
        WorkerConnectionsBelowMax = "worker-connections-below-max",
        WorkerFilesLow = "worker-files-low",
        TrustedProxiesNone = "trusted-proxies-none",
        TrustedProxiesWide = "trusted-proxies-wide",
    }
    Clock {
        ClockSkewSite = "clock-skew-site",
        ClockSkewRedis = "clock-skew-redis",
    }
    Redis {
        RedisUnreachable = "redis-unreachable",
        RedisRefused = "redis-refused",
        RedisVersion = "redis-version",
        RedisAppendOnly = "redis-appendonly",
        RedisSnapshotsOnly = "redis-snapshots-only",
        RedisAppendFsync = "redis-appendfsync",
        RedisWritesFail = "redis-writes-fail",
        RedisEviction = "redis-eviction",
        RedisMaxMemory = "redis-maxmemory",
        RedisMemoryFull = "redis-memory-full",
        RedisProtectedMode = "redis-protected-mode",
        RedisReplica = "redis-replica",
        RedisClusterState = "redis-cluster-state",
        RedisConfigHidden = "redis-config-hidden",
    }
    Compose {
        ComposePorts = "compose-ports",
        ComposeRedisVolume = "compose-redis-volume",
        ComposeStopGrace = "compose-stop-grace",
        ComposeOpenFiles = "compose-open-files",
        ComposeRestart = "compose-restart",
        ComposeHealthReadiness = "compose-health-readiness",
    }
}

/// What findings are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// What services read, less the secrets.
    Settings,
    /// Secrets, and who can read them.
    Secrets,
    /// What the site answers.
    Site,
    /// Its certificate.
    Tls,
    /// `/ws`, and who may open it.
    WebSocket,
    /// The proxy's own file, and who is believed to be one.
    Proxy,
    /// What time it is.
    Clock,
    /// Redis, as it runs and as it is set up.
    Redis,
    /// The compose file.
    Compose,
}

impl Topic {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Settings,
        Self::Secrets,
        Self::Site,
        Self::Tls,
        Self::WebSocket,
        Self::Proxy,
        Self::Clock,
        Self::Redis,
        Self::Compose,
    ];

    /// For a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Settings => "Settings",
            Self::Secrets => "Secrets",
            Self::Site => "The site",
            Self::Tls => "TLS",
            Self::WebSocket => "WebSocket and origins",
            Self::Proxy => "Proxy",
            Self::Clock => "Clocks",
            Self::Redis => "Redis",
            Self::Compose => "Compose",
        }
    }

    /// The codes that belong to it.
    pub fn codes(self) -> impl Iterator<Item = Code> {
        Code::ALL.iter().copied().filter(move |code| code.topic() == self)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
