//! All SQL of intake.

pub mod article;
pub mod case;
pub mod desk_check;
pub mod file;
pub mod import;
pub mod inquiry;
mod list;
pub mod people;
pub mod place;
pub mod register;
pub mod rulebook;
pub mod rules;
pub mod staff;
pub mod stewardship;
pub mod visit;
