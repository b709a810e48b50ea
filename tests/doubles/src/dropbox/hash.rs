//! `content_hash`: blocks of 4 MiB, each hashed, and the hashes hashed (facts 2.1).

use sha2::{Digest, Sha256};

const BLOCK: usize = 4 << 20;

/// In lower-case hex.
pub(crate) fn content_hash(content: &[u8]) -> String {
    let mut all = Sha256::new();
    content.chunks(BLOCK).for_each(|block| all.update(Sha256::digest(block)));
    hex::encode(all.finalize())
}

#[cfg(test)]
mod tests {
    use super::content_hash;

    #[test]
    fn the_hashes_of_the_facts() {
        for (content, hash) in [
            (vec![], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"a".to_vec(), "bf5d3affb73efd2ec6c36ad3112dd933efed63c4e1cbffcfa88e2759c144f2d8"),
            (b"hello".to_vec(), "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50"),
            (vec![0; 4 << 20], "c7e946d101855255d919ef0c70718633adf77d3dfb3adeeecf5d0cb4e951be58"),
            (
                vec![0; (4 << 20) + 1],
                "14a4d47f23a30177885d9820122f17d2d3a55fe63f7f5c27b95f689e0b2accd6",
            ),
        ] {
            assert_eq!(content_hash(&content), hash);
        }
    }
}
