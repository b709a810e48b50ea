//! Strict doubles of the services that cannot run here, built from `facts/` and proved with the official
//! clients of the services.
