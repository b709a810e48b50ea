//! The file that keeps a sign-in.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_to_cloud_oauth::{FileStore, Refreshing, TokenProvider, TokenStore};

use crate::failure::Failure;
use crate::service::Service;

/// The file of this service: the one that was named, else that of the environment, else one in the
/// user's own folder.
pub(crate) fn store(service: Service, named: Option<&Path>) -> Result<FileStore, Failure> {
    let file = match named {
        Some(file) => file.to_owned(),
        None => match path("DB_TO_CLOUD_TOKENS") {
            Some(file) => file,
            None => folder()?.join(format!("{}.json", service.word())),
        },
    };
    Ok(FileStore::new(file))
}

/// Gives the tokens of the sign-in that is kept, which must allow this scope, and renews them.
pub(crate) async fn provider(
    service: Service,
    named: Option<&Path>,
    scope: Option<&str>,
) -> Result<Arc<dyn TokenProvider>, Failure> {
    let provider = service.provider()?;
    let store = store(service, named)?;
    let mut login = format!("db-to-cloud login {}", service.word());
    if let Some(file) = named {
        login = format!("{login} --tokens {file:?}");
    }
    let (title, place) = (provider.title(), store.place());
    match store.load().await.map_err(Failure::SignIn)? {
        None => return Err(Failure::NotSignedIn { title, place, login }),
        Some(kept) if scope.is_some_and(|scope| !kept.allows(scope)) => {
            return Err(Failure::NotAllowed { title, place, login });
        }
        Some(_) => {}
    }
    let tokens = Refreshing::new(provider, Arc::new(store)).map_err(Failure::SignIn)?;
    Ok(Arc::new(tokens.with_advice(format!("sign in again with `{login}`"))))
}

/// Where configuration belongs, by the XDG Base Directory Specification.
fn folder() -> Result<PathBuf, Failure> {
    // What is not absolute is to be ignored.
    let config = path("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
    let config = config.or_else(|| path("HOME").map(|home| home.join(".config")));
    let why = "neither HOME nor XDG_CONFIG_HOME is set: name a file with --tokens";
    Ok(config.ok_or_else(|| Failure::Usage(why.into()))?.join("db-to-cloud"))
}

fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
