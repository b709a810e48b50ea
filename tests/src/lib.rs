//! Tests of db-to-cloud as a whole
