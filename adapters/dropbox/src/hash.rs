//! Dropbox's own checksum of a file.

use sha2::{Digest, Sha256};

/// The file is cut into blocks of this size.
const BLOCK: usize = 4 * 1024 * 1024;

/// `content_hash`: the SHA-256 of the SHA-256 of each 4 MiB, in hexadecimal digits
/// ("Content hash" of the developer's guide).
pub(crate) fn content_hash(bytes: &[u8]) -> String {
    let blocks = bytes.chunks(BLOCK).map(Sha256::digest);
    let whole = blocks.fold(Sha256::new(), |whole, block| whole.chain_update(block));
    hex::encode(whole.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_dropbox_computes() {
        let zeros = vec![0; BLOCK + 1];
        let vectors: [(&[u8], &str); 5] = [
            (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"a", "bf5d3affb73efd2ec6c36ad3112dd933efed63c4e1cbffcfa88e2759c144f2d8"),
            (b"hello", "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50"),
            (&zeros[..BLOCK], "c7e946d101855255d919ef0c70718633adf77d3dfb3adeeecf5d0cb4e951be58"),
            (&zeros, "14a4d47f23a30177885d9820122f17d2d3a55fe63f7f5c27b95f689e0b2accd6"),
        ];
        for (bytes, hash) in vectors {
            assert_eq!(content_hash(bytes), hash, "{} bytes", bytes.len());
        }
    }
}
