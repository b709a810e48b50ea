//! Storage in the user's Google Drive.
