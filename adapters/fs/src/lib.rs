//! db-to-cloud through a folder
