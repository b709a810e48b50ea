//! A folder whose files are the documents
