//! The db-to-cloud command line
