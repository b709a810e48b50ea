//! The adapter at real servers, each started on a free port: Apache, nginx, lighttpd, WsgiDAV,
//! sabre/dav and rclone.

mod choice;
mod conformance;
mod endpoint;
mod errors;
mod faults;
mod redirects;
mod requests;
mod slots;
mod support;
mod sync;
mod weak;
