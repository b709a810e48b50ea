//! Examples of db-to-cloud
