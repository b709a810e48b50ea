//! The examples are beside this file's folder. What is here makes the README's example a test.

#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
mod readme {}
