//! Days and instants that callers may send: of the years 1900 to 2999.
//!
//! RFC 3339 has four digits for the year, and so have the readers of every client; the database ends somewhere, too.
//! Chrono reads what lies far beyond both.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};

/// Something with a year.
pub trait Dated {
    /// Whether it lies in the years 1900 to 2999.
    fn is_of_our_era(&self) -> bool;
}

impl Dated for NaiveDate {
    fn is_of_our_era(&self) -> bool {
        (1900..3000).contains(&self.year())
    }
}

impl Dated for DateTime<Utc> {
    fn is_of_our_era(&self) -> bool {
        self.date_naive().is_of_our_era()
    }
}

impl<T: Dated> Dated for Option<T> {
    fn is_of_our_era(&self) -> bool {
        self.as_ref().is_none_or(T::is_of_our_era)
    }
}

/// Reads a day or an instant, for `#[serde(deserialize_with = "era::read")]` in what callers send.
///
/// # Errors
/// When it has a wrong form or lies in another era.
pub fn read<'de, D: Deserializer<'de>, T: Deserialize<'de> + Dated>(reader: D) -> Result<T, D::Error> {
    let value = T::deserialize(reader)?;
    if value.is_of_our_era() { Ok(value) } else { Err(D::Error::custom("must be of the years 1900 to 2999")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn days_and_instants_of_another_era_are_refused() {
        for day in ["1900-01-01", "2999-12-31"] {
            assert!(read::<_, NaiveDate>(json!(day)).is_ok(), "{day}");
        }
        for day in ["1899-12-31", "3000-01-01", "+262000-01-01", "-0044-03-15"] {
            let error = read::<_, Option<NaiveDate>>(json!(day)).unwrap_err().to_string();
            assert_eq!(error, "must be of the years 1900 to 2999", "{day}");
        }
        assert!(read::<_, DateTime<Utc>>(json!("+262000-01-01T00:00:00Z")).is_err());
        assert_eq!(read::<_, Option<DateTime<Utc>>>(json!(null)).unwrap(), None);
    }
}
