//! The cases of states that lie in one place, such as a file (rule C6).

use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::state::{Sibling, StateError, StateStore, Table, Turn, Written};
use futures::future::BoxFuture;

use super::cases::{bytes, keys, put, remove, value, write};
use crate::context::{CaseResult, Stop, check, equal};

/// A place of several states. Each is opened by an address.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the state for this address, as another process would; the first time it is an empty one.
    async fn open(&self, address: &str) -> Arc<dyn StateStore>;
}

pub(super) type Case = (&'static str, for<'a> fn(&'a dyn Place) -> BoxFuture<'a, CaseResult>);

macro_rules! cases {
    ($($name:ident)+) => {
        pub(super) const ALL: &[Case] = &[$((stringify!($name), |place| Box::pin($name(place)))),+];
    };
}

cases! {
    states_of_two_addresses_are_siblings
    a_shared_state_is_one_state_at_both_addresses
    a_replaced_state_is_deleted_with_its_records
    a_copied_state_goes_its_own_way
    a_new_state_is_empty_and_the_one_before_stays
    a_state_is_kept_apart_only_if_it_is_used_elsewhere
    an_unknown_sibling_is_an_error_and_changes_nothing
    a_claim_is_one_of_the_state_that_the_address_leads_to
    a_write_does_not_mix_two_states
}

const KEY: &str = "who";

/// Writes one record into each table.
async fn fill(state: &dyn StateStore, who: &str) -> CaseResult {
    let mut updates = vec![put(Table::Metadata, KEY, who)];
    updates.extend(Table::ALL.map(|table| put(table, who, &record(table))));
    write(state, updates).await
}

/// A record as the protocol has it: an edit may be queued on it.
fn record(table: Table) -> String {
    let (vid, hash) = ("0".repeat(32), "0".repeat(64));
    match table {
        Table::Dirty => r#"{"base":null,"edit":1}"#.to_owned(),
        _ => format!(r#"{{"vid":"{vid}","rev":"1","hash":"{hash}","len":1}}"#),
    }
}

/// Whose records these are, in all tables; none in an empty state. The queue may have more: a place whose
/// application queues its edits itself may queue documents of the state before for the next one.
async fn owner(state: &dyn StateStore) -> CaseResult<Option<String>> {
    let who = value(state, Table::Metadata, KEY).await?;
    let who = who.map(|who| String::from_utf8_lossy(&who).into_owned());
    for table in Table::ALL {
        let mut found = keys(state, table, None, 9).await?;
        let is_own = |key: &String| Some(key) == who.as_ref();
        found.retain(|key| key != KEY && (table != Table::Dirty || is_own(key)));
        equal!(found, Vec::from_iter(who.clone()), "the records in {}", table.name());
    }
    Ok(who)
}

async fn sibling(state: &dyn StateStore, who: &str) -> CaseResult<Sibling> {
    let siblings = state.siblings(KEY).await?;
    let found = siblings.into_iter().find(|(_, found)| *found == bytes(who));
    let missing = || Stop::Failed(format!("the state of {who} is not among the siblings"));
    found.map(|(sibling, _)| sibling).ok_or_else(missing)
}

/// Opens the states of addresses `a` and `b` with records of their own.
async fn two(place: &dyn Place) -> CaseResult<[Arc<dyn StateStore>; 2]> {
    let (a, b) = (place.open("a").await, place.open("b").await);
    fill(&*a, "a").await?;
    fill(&*b, "b").await?;
    Ok([a, b])
}

async fn turn(state: &dyn StateStore, turn: Turn) -> CaseResult {
    let _claim = state.claim().await?;
    check!(state.turn_to(turn).await?, "the state did not turn");
    Ok(())
}

/// Who is found at these addresses by whoever opens them now.
async fn at(place: &dyn Place, addresses: [&str; 2]) -> CaseResult<[Option<String>; 2]> {
    let [first, second] = addresses;
    let first = owner(&*place.open(first).await).await?;
    Ok([first, owner(&*place.open(second).await).await?])
}

fn some(who: [&str; 2]) -> [Option<String>; 2] {
    who.map(|who| Some(who.to_owned()))
}

async fn states_of_two_addresses_are_siblings(place: &dyn Place) -> CaseResult {
    let [a, b] = two(place).await?;
    equal!(a.siblings(KEY).await?.len(), 1, "the siblings of the first");
    let (of_a, of_b) = (sibling(&*a, "b").await?, sibling(&*b, "a").await?);
    check!(of_a != of_b, "two states have one number");
    let none = a.siblings("missing").await?;
    equal!(none, [(of_a, None)], "without such a record");
    let names = ["b", "a", "b"].map(str::to_owned);
    let index = record(Table::Index);
    let expected = vec![vec![bytes(&index), None, bytes(&index)]];
    equal!(a.read_siblings(Table::Index, &names).await?, expected, "the records of the other one");
    equal!(at(place, ["a", "b"]).await?, some(["a", "b"]), "they do not mix");
    Ok(())
}

async fn a_shared_state_is_one_state_at_both_addresses(place: &dyn Place) -> CaseResult {
    let [a, b] = two(place).await?;
    turn(&*b, Turn::Share(sibling(&*b, "a").await?)).await?;
    equal!(owner(&*b).await?.as_deref(), Some("a"), "the store itself");
    equal!(at(place, ["a", "b"]).await?, some(["a", "a"]), "opened again");
    write(&*b, vec![put(Table::Index, "new", "1")]).await?;
    equal!(value(&*a, Table::Index, "new").await?, bytes("1"), "written at the other address");
    write(&*a, vec![remove(Table::Index, "new")]).await?;
    let back = sibling(&*b, "b").await?;
    turn(&*b, Turn::Share(back)).await?;
    equal!(at(place, ["a", "b"]).await?, some(["a", "b"]), "the state before had stayed");
    Ok(())
}

async fn a_replaced_state_is_deleted_with_its_records(place: &dyn Place) -> CaseResult {
    let [a, b] = two(place).await?;
    let c = place.open("c").await;
    turn(&*c, Turn::Replace(sibling(&*c, "b").await?)).await?;
    equal!(at(place, ["c", "b"]).await?, some(["b", "b"]), "a state that was never used");
    turn(&*b, Turn::Replace(sibling(&*b, "a").await?)).await?;
    equal!(at(place, ["a", "b"]).await?, some(["a", "a"]), "opened again");
    equal!(at(place, ["c", "b"]).await?, some(["a", "a"]), "each of its addresses turned");
    equal!(owner(&*c).await?.as_deref(), Some("a"), "a store of another process");
    equal!(a.siblings(KEY).await?, [], "what is left of it");
    let fresh = place.open("fresh").await;
    equal!(owner(&*fresh).await?, None, "a new one does not have its records");
    Ok(())
}

async fn a_copied_state_goes_its_own_way(place: &dyn Place) -> CaseResult {
    let [a, _] = two(place).await?;
    let c = place.open("c").await;
    turn(&*c, Turn::Copy(sibling(&*c, "a").await?)).await?;
    equal!(at(place, ["a", "c"]).await?, some(["a", "a"]), "opened again");
    write(&*c, vec![put(Table::Index, "new", "1")]).await?;
    equal!(value(&*a, Table::Index, "new").await?, None, "written into the copy alone");
    equal!(a.siblings(KEY).await?.len(), 2, "the state that was never used is gone");
    Ok(())
}

async fn a_new_state_is_empty_and_the_one_before_stays(place: &dyn Place) -> CaseResult {
    let [a, _] = two(place).await?;
    turn(&*a, Turn::New).await?;
    equal!(owner(&*a).await?, None, "the store itself");
    equal!(at(place, ["a", "b"]).await?, [None, Some("b".to_owned())], "opened again");
    turn(&*a, Turn::Share(sibling(&*a, "a").await?)).await?;
    equal!(at(place, ["a", "b"]).await?, some(["a", "b"]), "the first one again");
    Ok(())
}

async fn a_state_is_kept_apart_only_if_it_is_used_elsewhere(place: &dyn Place) -> CaseResult {
    let [a, b] = two(place).await?;
    check!(!a.keep_apart().await?, "it is used at one address");
    equal!(a.siblings(KEY).await?.len(), 1, "no copy is made");
    turn(&*b, Turn::Share(sibling(&*b, "a").await?)).await?;
    check!(a.keep_apart().await?, "it is used at another address");
    equal!(at(place, ["a", "b"]).await?, some(["a", "a"]), "opened again");
    write(&*a, vec![put(Table::Index, "new", "1")]).await?;
    equal!(value(&*b, Table::Index, "new").await?, None, "written into the copy alone");
    check!(!a.keep_apart().await?, "it is apart");
    check!(!b.keep_apart().await?, "so is the other");
    Ok(())
}

async fn an_unknown_sibling_is_an_error_and_changes_nothing(place: &dyn Place) -> CaseResult {
    let [a, b] = two(place).await?;
    let own = sibling(&*b, "a").await?;
    for unknown in [Sibling(4711), own] {
        for turn in [Turn::Share(unknown), Turn::Replace(unknown), Turn::Copy(unknown)] {
            let turned = a.turn_to(turn).await;
            check!(turned.is_err(), "{turn:?} answers {turned:?}");
        }
    }
    equal!(at(place, ["a", "b"]).await?, some(["a", "b"]), "nothing changed");
    equal!(a.siblings(KEY).await?.len(), 1, "nothing changed");
    Ok(())
}

async fn a_claim_is_one_of_the_state_that_the_address_leads_to(place: &dyn Place) -> CaseResult {
    let [a, b] = two(place).await?;
    let (before, other) = (b.claim().await?, place.open("b").await);
    check!(b.turn_to(Turn::Share(sibling(&*b, "a").await?)).await?, "the state did not turn");
    let claim = a.claim().await?;
    for store in [&b, &other] {
        check!(matches!(store.claim().await, Err(StateError::Busy)), "claimed twice");
    }
    drop((before, claim));
    let _claim = other.claim().await?;
    check!(matches!(a.claim().await, Err(StateError::Busy)), "claimed twice");
    Ok(())
}

/// A store that was open while another process turned its address.
async fn a_write_does_not_mix_two_states(place: &dyn Place) -> CaseResult {
    let [a, b] = two(place).await?;
    let stale = [place.open("b").await, place.open("b").await];
    for store in &stale {
        equal!(owner(&**store).await?.as_deref(), Some("b"), "before");
    }
    turn(&*b, Turn::Replace(sibling(&*b, "a").await?)).await?;
    // What they expect holds in the other state too. They read it of this one.
    for (store, expected) in stale.iter().zip([vec![], vec![remove(Table::Pending, "c")]]) {
        // It is refused, or not made; later ones are of the state that the address leads to.
        let written = store.write(expected, vec![put(Table::Pending, "b", "2")]).await;
        check!(!matches!(written, Ok(Written::Done)), "a write into the state of the other");
        equal!(value(&*a, Table::Pending, "b").await?, None, "written into it");
        let _claim = store.claim().await?;
        equal!(owner(&**store).await?.as_deref(), Some("a"), "after a claim");
        fill(&**store, "a").await?;
    }
    Ok(())
}
