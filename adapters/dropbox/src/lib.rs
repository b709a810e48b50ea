//! Storage in the user's Dropbox.
