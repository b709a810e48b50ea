//! The profiles of the AWS command line: who we are, and in which region.

use std::path::PathBuf;

use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::config::{Region, SharedCredentialsProvider};
use futures::FutureExt;

/// Asks the profile before a request, when what it gave before has ended. Roles are taken on in this
/// region.
pub(crate) fn credentials(name: Option<&str>, region: Option<&str>) -> SharedCredentialsProvider {
    let (name, region) = (name.map(str::to_owned), region.map(|r| Region::new(r.to_owned())));
    SharedCredentialsProvider::new(Profile { name, region })
}

/// Reads the profile anew each time it is asked. The provider of the SDK reads it once, says what is
/// wrong with it once, and to all later and parallel requests only that it said so.
#[derive(Debug)]
struct Profile {
    name: Option<String>,
    region: Option<Region>,
}

impl ProvideCredentials for Profile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let config = ProviderConfig::without_region().with_region(self.region.clone());
        let profile = ProfileFileCredentialsProvider::builder().configure(&config);
        let name = self.name.iter();
        let profile = name.fold(profile, |profile, name| profile.profile_name(name)).build();
        future::ProvideCredentials::new(async move { profile.provide_credentials().await })
    }
}

/// The region that the profile names, or the one that it takes its credentials from.
pub(crate) fn region(name: Option<&str>) -> Option<String> {
    let profile = ProfileFileRegionProvider::builder();
    let profile = name.into_iter().fold(profile, |profile, name| profile.profile_name(name));
    // It reads files, and waits for nothing: no runtime is needed to build an adapter.
    let region = profile.build().region().now_or_never().flatten();
    region.map(|region| region.as_ref().to_owned())
}

/// Whether somebody set up profiles here. Without this a missing variable would be told as a missing
/// profile to those who never heard of profiles.
pub(crate) fn is_set_up(variable: impl Fn(&'static str) -> Option<String>) -> bool {
    let file = |named: &'static str, usual: &str| {
        let at_home = || Some(PathBuf::from(variable("HOME")?).join(".aws").join(usual));
        variable(named).map(PathBuf::from).or_else(at_home)
    };
    let files =
        [file("AWS_CONFIG_FILE", "config"), file("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
    variable("AWS_PROFILE").is_some() || files.into_iter().flatten().any(|file| file.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_set_up_by_a_name_or_a_file() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).display().to_string();
        let with = |set: &[(&str, &str)]| {
            is_set_up(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into()))
        };
        assert!(!with(&[]));
        assert!(!with(&[("HOME", &path("."))]));
        assert!(with(&[("AWS_PROFILE", "work")]));
        std::fs::create_dir(path(".aws")).unwrap();
        std::fs::write(path(".aws/credentials"), "").unwrap();
        assert!(with(&[("HOME", &path("."))]));
        assert!(with(&[("AWS_CONFIG_FILE", &path(".aws/credentials"))]));
        let elsewhere = ("AWS_SHARED_CREDENTIALS_FILE", &*path("elsewhere"));
        assert!(!with(&[("HOME", &path(".")), elsewhere]));
    }
}
