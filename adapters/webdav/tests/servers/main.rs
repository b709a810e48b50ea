//! The adapter at real servers, each started on a free port: Apache, nginx, lighttpd, WsgiDAV,
//! sabre/dav and rclone.

mod conformance;
mod support;
mod sync;
