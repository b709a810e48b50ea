//! Ids of any kind: two ids never share a key, a key is safe everywhere (rule S4), and the
//! documents sync.

use db_to_cloud::{DocumentId, Key, VersionId};
use db_to_cloud_tests::{World, fuzz};
use proptest::prelude::*;
use proptest::sample::select;

use crate::cases;

/// Ids that other programs stumble over, some of them alike to the eye or on some file systems.
const AWKWARD: [&str; 41] = [
    "",
    " ",
    ".",
    "..",
    "...",
    ".a",
    "a.",
    "a ",
    "/",
    "//",
    "/a",
    "a/",
    "a/b",
    "../a",
    "../../etc/passwd",
    "C:\\a",
    "\\\\host\\a",
    "a\\b",
    "a\0b",
    "\0",
    "\n",
    "a\r\n",
    "con",
    "CON",
    "con.txt",
    "com1",
    "com1.x",
    "COM\u{b9}",
    "lpt0",
    "nul.",
    "~",
    "%2e%2e",
    "_",
    "_2f",
    "a",
    "A",
    "\u{430}",
    "\u{e9}",
    "e\u{301}",
    "\u{212b}",
    "\u{202e}a",
];

fn long_ids() -> Vec<String> {
    // Alike in their first and in their last bytes.
    let long = |middle: &str| format!("{}{middle}{}", "x".repeat(5000), "y".repeat(5000));
    vec![long(""), long("a"), long("A"), long("/"), "_".repeat(60), "_".repeat(61), "z".repeat(120)]
}

fn id() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<f64>().prop_map(|n| n.to_string()),
        any::<i64>().prop_map(|n| n.to_string())
    ];
    let piece =
        prop_oneof![select(&AWKWARD[..]).prop_map(str::to_owned), ".{0,4}", "[a-c_./h]{0,130}"];
    prop_oneof![
        any::<String>(),
        number,
        select(long_ids()),
        prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat()),
    ]
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn two_ids_never_share_a_key_and_every_key_is_safe(one in id(), other in id()) {
        fuzz::ids(format!("{one}\n{other}").as_bytes());
    }

    #[test]
    fn what_is_no_safe_name_is_no_key(text in id()) {
        if let Ok(key) = Key::parse(&text) {
            let safe = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_./".contains(&b);
            prop_assert!(text.bytes().all(safe) && text.len() <= 401, "{key:?}");
            prop_assert!(text.split('/').count() <= 2);
            prop_assert!(text.split('/').all(|s| !s.is_empty() && !s.starts_with('.')));
        }
    }
}

#[test]
fn every_awkward_id_has_a_key_of_its_own() {
    let ids: Vec<_> = AWKWARD.into_iter().map(str::to_owned).chain(long_ids()).collect();
    let mut keys: Vec<_> =
        ids.iter().map(|id| Key::document(&id.as_str().into(), VersionId::from(1))).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), ids.len());
}

#[test]
fn documents_with_awkward_ids_sync_like_any_other() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let texts = AWKWARD.into_iter().map(str::to_owned).chain(long_ids());
    let numbers =
        ["0", "-1", "1.5", "1e308", "5e-324", "18446744073709551615", "9.085716445501721e246"];
    let numbers = numbers.map(|n| serde_json::from_str::<DocumentId>(n).unwrap());
    for id in texts.map(DocumentId::from).chain(numbers) {
        alice.edit(id.clone(), &format!("the text of {id:?}"));
    }
    alice.sync();
    assert!(bob.sync().deferred.is_empty());
    assert_eq!(bob.all().len(), AWKWARD.len() + long_ids().len() + 7);
    assert_eq!(bob.all(), alice.all());
    world.assert_whole();
    for id in AWKWARD.into_iter().step_by(5) {
        bob.delete(id);
    }
    bob.sync();
    alice.sync();
    assert_eq!(alice.all(), bob.all());
}
