//! Texts that are never printed, and addresses, of which a part is not.

use std::{fmt, ops::Deref, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

/// A text that is never printed.
///
/// One that is read from a file may have several lines while it is being changed: the first is the one in use, the others
/// still count. The file is read again whenever they are asked for.
#[derive(Clone)]
pub struct Secret {
    text: SecretString,
    file: Option<PathBuf>,
}

impl Secret {
    /// All that count now, the one in use first; never empty.
    #[must_use]
    pub fn lines(&self) -> Vec<Self> {
        // A file that is being replaced may be away for a moment; then what was read before counts.
        let read = self.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).map(SecretString::from);
        let text = read.as_ref().unwrap_or(&self.text).expose_secret();
        let lines: Vec<Self> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(Self::from).collect();
        if lines.is_empty() { vec![Self::from("")] } else { lines }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self { text: SecretString::from(text), file: None }
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.text.expose_secret() == other.text.expose_secret()
    }
}

impl ExposeSecret<str> for Secret {
    fn expose_secret(&self) -> &str {
        self.text.expose_secret()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Given)
    }
}

/// As it is set: a text; or as the settings' reader has read it from a file: `text` and `file`.
struct Given;

impl<'de> Visitor<'de> for Given {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::from(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
        let (mut text, mut file) = (None, None);
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            match name.as_str() {
                "text" => text = Some(SecretString::from(value)),
                "file" => file = Some(PathBuf::from(value)),
                _ => return Err(A::Error::custom("a secret has only a text")),
            }
        }
        Ok(Secret { text: text.ok_or_else(|| A::Error::missing_field("text"))?, file })
    }
}

/// An address, or several with commas, that is printed without the user and password in it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Deref for Address {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Address {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&harmless(&self.0))
    }
}

/// A text that may be an address, or several with commas, without users and passwords.
pub(crate) fn harmless(text: &str) -> String {
    // A password may hold a comma or a slash: everything between the scheme and the last @ before the next scheme goes.
    let mut pieces = text.split("://");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |shown, piece| match piece.rsplit_once('@') {
        Some((_, place)) => format!("{shown}://***@{place}"),
        None => format!("{shown}://{piece}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_user_and_password() {
        for (address, shown) in [
            ("nats://nats:4222", "nats://nats:4222"),
            ("nats://me:s3cret@one:4222, tls://s3c@ret@two", "nats://***@one:4222, tls://***@two"),
            ("https://me:s3/c,ret@id.example/jwks", "https://***@id.example/jwks"),
            ("me@example", "me@example"),
        ] {
            assert_eq!(format!("{:?}", Address::from(address)), shown);
            assert_eq!(&*Address::from(address), address);
        }
    }

    fn shown(secret: &Secret) -> Vec<String> {
        secret.lines().iter().map(|line| line.expose_secret().to_owned()).collect()
    }

    #[test]
    fn a_file_is_read_again_and_may_have_an_old_line_behind_the_new_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "old\n").unwrap();
        let secret = Secret { text: SecretString::from("old"), file: Some(file.path().to_owned()) };
        assert_eq!(shown(&secret), ["old"]);
        std::fs::write(file.path(), "new\nold\n").unwrap();
        assert_eq!(shown(&secret), ["new", "old"]);
        std::fs::remove_file(file.path()).unwrap();
        assert_eq!(shown(&secret), ["old"]);
        assert_eq!(format!("{secret:?}"), "***");
    }
}
