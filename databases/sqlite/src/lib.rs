//! Client state of db-to-cloud in SQLite
