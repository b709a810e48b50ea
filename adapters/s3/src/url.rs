//! A storage named by a URL, as on a command line.

use db_to_cloud::Error;
use db_to_cloud_http::percent_decoded;

use crate::error::invalid;
use crate::{Addressing, S3Config, Service};

impl S3Config {
    /// Reads `s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=us-east-1&path-style=true`.
    ///
    /// Without an endpoint it is AWS, with one any other service unless
    /// `service=aws|minio|r2|localstack` says which; `profile=name` names a profile of the AWS
    /// command line, if the feature `profile` is there. Credentials never stand in a URL.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput); the message says what is
    /// wrong, and shows no part of the URL that could be a secret.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        parse(url)
    }

    /// The URL without all that is not the name of the storage, such as the region: two ways to say
    /// the same storage have one name.
    pub fn name(&self) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        let name = format!("s3://{}{slash}{}", self.bucket, self.prefix.trim_matches('/'));
        match &self.endpoint {
            Some(endpoint) => {
                let endpoint = endpoint.trim_end_matches('/').to_ascii_lowercase();
                format!("{name}?endpoint={endpoint}")
            }
            None => name,
        }
    }
}

fn parse(url: &str) -> Result<S3Config, Error> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let wrong = || invalid("url", "write s3://bucket/prefix?endpoint=https://host&region=name");
    let path = match path.split_at_checked(5) {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("s3://") => path,
        _ => return Err(wrong()),
    };
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    if bucket.contains('@') {
        let why = "credentials do not belong into a URL, where others see them: set \
                   AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
        return Err(invalid("url", why));
    }
    if url.contains('#') || bucket.is_empty() {
        return Err(wrong());
    }
    let mut settings = Vec::new();
    for setting in query.split('&').filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').ok_or_else(wrong)?;
        settings.push((name, decoded(value)?));
    }
    let config = S3Config::new(service(&settings)?, bucket.to_owned());
    settings.into_iter().try_fold(config.with_prefix(decoded(prefix)?), set)
}

/// Which service it is decides on the defaults of the other settings.
fn service(settings: &[(&str, String)]) -> Result<Service, Error> {
    let value = |name| settings.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
    match value("service") {
        Some("aws") => Ok(Service::Aws),
        Some("minio") => Ok(Service::Minio),
        Some("r2") => Ok(Service::R2),
        Some("localstack") => Ok(Service::LocalStack),
        Some("other") => Ok(Service::Other),
        Some(_) => Err(invalid("url", "known services are aws, minio, r2, localstack and other")),
        None if value("endpoint").is_some() => Ok(Service::Other),
        None => Ok(Service::Aws),
    }
}

fn set(config: S3Config, (name, value): (&str, String)) -> Result<S3Config, Error> {
    Ok(match (name, value.as_str()) {
        ("service", _) => config,
        ("endpoint", _) => config.with_endpoint(value),
        ("region", _) => config.with_region(value),
        ("path-style", "true") => config.with_addressing(Addressing::Path),
        ("path-style", "false") => config.with_addressing(Addressing::VirtualHost),
        ("path-style", _) => return Err(invalid("url", "path-style is true or false")),
        #[cfg(feature = "profile")]
        ("profile", _) => config.with_credentials(crate::Credentials::Profile(Some(value))),
        #[cfg(not(feature = "profile"))]
        ("profile", _) => {
            return Err(invalid("url", "profiles need a build with the feature profile"));
        }
        _ => {
            let why = "known settings are endpoint, region, path-style, service and profile";
            return Err(invalid("url", why));
        }
    })
}

fn decoded(text: &str) -> Result<String, Error> {
    let wrong = || invalid("url", "write % as %25, ? as %3F, # as %23, & as %26");
    percent_decoded(text).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_bucket_prefix_and_settings() {
        let url = "s3://notes/a/b%20c?endpoint=http://127.0.0.1:9000&region=eu&path-style=true";
        let config = S3Config::from_url(url).unwrap();
        assert_eq!((config.bucket.as_str(), config.prefix.as_str()), ("notes", "a/b c"));
        assert_eq!(config.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!((config.service, config.addressing), (Service::Other, Addressing::Path));
        assert_eq!(config.region.as_deref(), Some("eu"));
        let aws = S3Config::from_url("S3://notes").unwrap();
        assert_eq!((aws.service, aws.addressing), (Service::Aws, Addressing::VirtualHost));
        let r2 = S3Config::from_url("s3://notes?endpoint=https://x.example&service=r2").unwrap();
        assert_eq!((r2.service, r2.addressing), (Service::R2, Addressing::VirtualHost));
    }

    #[test]
    fn two_ways_to_say_the_same_have_one_name() {
        let name = |url| S3Config::from_url(url).unwrap().name();
        let short = name("s3://notes/a?endpoint=http://host:9000");
        assert_eq!(
            short,
            name("s3://notes/a/?region=x&path-style=true&endpoint=HTTP://host:9000/")
        );
        assert_eq!(short, "s3://notes/a?endpoint=http://host:9000");
        assert_ne!(short, name("s3://notes/a"));
        assert_ne!(short, name("s3://notes/b?endpoint=http://host:9000"));
        assert_eq!(name("s3://notes/"), "s3://notes");
    }

    #[test]
    fn a_url_that_is_none_is_refused_without_showing_it() {
        let wrong = [
            "s3:/notes",
            "s3://",
            "http://notes",
            "s3://AKIA:hunter2@notes",
            "s3://notes?hunter2",
            "s3://notes?secret=hunter2",
            "s3://notes?path-style=hunter2",
            "s3://notes?service=hunter2",
            "s3://notes/%zz",
            "s3://notes/%e9",
            "s3://notes#hunter2",
        ];
        for url in wrong {
            let error = S3Config::from_url(url).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
