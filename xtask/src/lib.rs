//! Commands for people who work on db-to-cloud
