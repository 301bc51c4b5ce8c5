//! Names as they are stored.

use protocol::{ClientId, Username};

/// A name as it is stored: a guest's is empty, since it follows from the id.
pub fn stored(client: ClientId, name: &Username) -> &str {
    if *name == Username::guest(client) { "" } else { name.as_str() }
}

/// The name of a client, as it was stored.
pub fn username(client: ClientId, stored: &str) -> Option<Username> {
    if stored.is_empty() { Some(Username::guest(client)) } else { trusted(stored) }
}

/// A name that was checked before it was stored: by today's rules it might be refused, but it is somebody's.
pub fn trusted<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    use serde::de::{IntoDeserializer, value::Error};
    let deserializer: serde::de::value::StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(deserializer).ok()
}
