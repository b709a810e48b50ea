//! The bucket itself.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use db_to_cloud::Error;

use crate::client::Client;
use crate::error::Failure;
use crate::{S3Adapter, Service};

impl S3Adapter {
    /// Creates the bucket unless it exists; answers whether it did. For examples and tests: who
    /// mistypes the name of a bucket wants an error, not a new one.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`](db_to_cloud::ErrorKind::Forbidden) if it may not, or if the bucket
    /// belongs to somebody else.
    pub async fn create_bucket_if_missing(&self) -> Result<bool, Error> {
        let bucket = &self.client().config.bucket;
        create_if_missing(self.client()).await.map_err(|f| f.at("create bucket", bucket))
    }
}

async fn create_if_missing(client: &Client) -> Result<bool, Failure> {
    let head = client.sdk.head_bucket().bucket(&client.config.bucket);
    let head = async { Ok(head.send().await?) };
    match client.in_turn(Box::pin(client.timed(0, head))).await {
        Ok(_) => return Ok(false),
        Err(failure) if failure.has_status(404) => {}
        Err(failure) => return Err(failure),
    }
    let create = client.sdk.create_bucket().bucket(&client.config.bucket);
    let create = create.set_create_bucket_configuration(place(client));
    let create = async { Ok(create.send().await?) };
    match client.in_turn(Box::pin(client.timed(0, create))).await {
        Ok(_) => Ok(true),
        // Somebody was faster: it is there. A bucket of a stranger would have answered 403 above.
        Err(failure) if failure.has_status(409) => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// AWS wants to be told where, but for the one region that has no name there.
fn place(client: &Client) -> Option<CreateBucketConfiguration> {
    let region = client.config.region.as_deref().filter(|region| *region != "us-east-1")?;
    let place = BucketLocationConstraint::from(region);
    (client.config.service == Service::Aws)
        .then(|| CreateBucketConfiguration::builder().location_constraint(place).build())
}
