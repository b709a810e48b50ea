//! Test cases that every adapter must pass
