//! What is set apart, and what it must not harm.
