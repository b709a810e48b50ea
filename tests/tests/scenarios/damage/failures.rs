//! Requests that fail are never taken for absence (lesson 9).

use super::*;

#[test]
fn a_failing_request_is_never_taken_for_absence() {
    use ErrorKind::{
        Forbidden, Full, InvalidInput, Throttled, TimedOut, Unauthorized, Unavailable, Unsupported,
    };
    let kinds = [
        Forbidden,
        Full,
        InvalidInput,
        Throttled,
        TimedOut,
        Unauthorized,
        Unavailable,
        Unsupported,
    ];
    let story = Story::new();
    for prefix in story.representatives() {
        for kind in kinds {
            let _name = Named(format!("{prefix} fails as {kind:?}"));
            for (name, backup) in
                [("fresh", None), ("far", Some(&story.far)), ("near", Some(&story.near))]
            {
                story.world.restore(&story.objects);
                let device = story.device(name, backup);
                device.storage.fail_for_long("get", &prefix, Fault::Refused(kind));
                let before = device.all();
                let result = device.try_sync();
                let asked = device.storage.journal.take();
                story.assert_safe(&device, &before);
                assert!(asked.iter().all(|line| !line.starts_with("delete docs")), "{asked:?}");
                let met = !prefix.starts_with("docs") && asked.iter().any(|l| l.contains(&prefix));
                if met {
                    let error = result.as_ref().map(drop).expect_err("it is an error (rule S9)");
                    assert_eq!(error.kind(), kind, "{name}");
                }
                if result.is_err() {
                    assert_eq!(story.world.commits(), 20, "{name}");
                }
                device.storage.heal();
                device.sync();
                story.world.assert_whole();
                assert_eq!(device.read("late"), Some(large("late")));
                assert_eq!(device.read("large"), Some(large("new")));
            }
        }
    }
}

#[test]
fn a_sign_in_that_ran_out_is_an_error_and_not_a_missing_document() {
    let story = Story::new();
    for kind in [ErrorKind::Unauthorized, ErrorKind::Throttled] {
        for document in ["docs/late", "docs/large", "docs/"] {
            let bob = story.device("far", Some(&story.far));
            bob.storage.fail_for_long("get", document, Fault::Refused(kind));
            let error = bob.try_sync().map(drop).expect_err("a sync that cannot read");
            assert_eq!(error.kind(), kind, "{document}");
        }
    }
}
