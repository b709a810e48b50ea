//! x

use db_to_cloud_tests::simulator::{self, Kind};

#[test]
fn hunt() {
    let n: u64 = std::env::var("DB_TO_CLOUD_RUNS").ok().and_then(|s| s.parse().ok()).unwrap_or(100);
    let mut fails = std::collections::BTreeMap::<&str, Vec<u64>>::new();
    for kind in [Kind::Strong, Kind::Weak] {
        let began = std::time::Instant::now();
        let mut counts = simulator::Counts::new();
        for seed in 0..n {
            match simulator::run(seed, kind) {
                Ok(c) => c.into_iter().for_each(|(k, v)| *counts.entry(k).or_default() += v),
                Err(f) => fails.entry(f.invariant).or_default().push(seed),
            }
        }
        println!("{kind:?} {:?} {counts:#?} {fails:?}", began.elapsed());
        fails.clear();
    }
}
#[test]
fn one() {
    let seed: u64 = std::env::var("DB_TO_CLOUD_SEED").ok().and_then(|s| s.parse().ok()).unwrap();
    let kind = if std::env::var("WEAK").is_ok() { Kind::Weak } else { Kind::Strong };
    println!("{}", simulator::explain(seed, kind).unwrap());
}
