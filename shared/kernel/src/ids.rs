//! Identifiers with a type for each kind of thing.

/// Declares an identifier type around a UUID.
///
/// It converts from and to `Uuid`, shows and reads as the plain UUID in JSON, paths and logs, and has an OpenAPI schema.
#[macro_export]
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// The plain UUID.
            #[must_use]
            pub const fn get(self) -> uuid::Uuid {
                self.0
            }
        }
        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }
        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> std::result::Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

id_type! {
    /// A company (物業公司): one customer of the platform. Nothing crosses this border.
    TenantId
}
id_type! {
    /// One recorded event; also the message id of the public event made of it.
    EventId
}
id_type! {
    /// An estate (小區).
    EstateId
}
id_type! {
    /// A unit (房屋); it has a household.
    UnitId
}
id_type! {
    /// A resident (住戶).
    ResidentId
}
id_type! {
    /// A case (事項) and the complaint, service request, suggestion or inquiry born from it: they share one identifier.
    CaseId
}
id_type! {
    /// A work order (工單).
    WorkOrderId
}

/// Who does something: the subject of an access token, or the name of a service or timer.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct ActorId(String);

impl ActorId {
    /// An actor by name; the caller vouches that it is a subject of a verified token or a name of ours.
    #[must_use]
    pub fn new(subject: impl Into<String>) -> Self {
        Self(subject.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ActorId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
