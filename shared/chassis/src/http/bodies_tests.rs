//! Places of bodies, without a server.

use std::convert::Infallible;

use uuid::Uuid;

use super::*;

const MIB: usize = 1 << 20;

fn caller(name: &str) -> Caller {
    Some((TenantId::from(Uuid::from_u128(1)), name.to_owned()))
}

/// A body that comes in pieces and does not say how long it is.
fn pieces(pieces: usize, of: usize) -> HttpBody {
    let piece = move |_| Ok::<_, Infallible>(Bytes::from(vec![b'x'; of]));
    HttpBody::from_stream(futures::stream::iter((0..pieces).map(piece)))
}

#[tokio::test]
async fn bodies_of_one_and_of_all_are_bounded() {
    let bodies = Bodies::new("test", 6 * MIB);
    let mut held = vec![bodies.place(&caller("one"), 2 * MIB).await.unwrap()];
    let told = bodies.place(&caller("one"), MIB).await;
    assert!(matches!(told, Err(Error::TooManyRequests { .. })), "{told:?}");
    for name in ["two", "three"] {
        held.push(bodies.place(&caller(name), 2 * MIB).await.unwrap());
    }
    let told = bodies.place(&None, MIB).await;
    assert!(matches!(told, Err(Error::TimedOut)), "{told:?}");
    let waiting = caller("four");
    let (place, ()) = tokio::join!(bodies.place(&waiting, 2 * MIB), async { drop(held.pop()) });
    held.push(place.unwrap());
    if let Some(place) = held.last_mut() {
        place.shrink(MIB);
    }
    held.push(bodies.place(&caller("five"), MIB).await.unwrap());
    drop(held);
    assert_eq!(bodies.all.available_permits(), 6 * 1024);
    // Callers who have nothing under way are forgotten.
    let _place = bodies.place(&caller("six"), MIB).await.unwrap();
    assert_eq!(bodies.callers.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_larger_than_its_bound_goes_alone() {
    let bodies = Bodies::new("test", 3 * MIB);
    let large = bodies.place(&caller("one"), 20 * MIB).await.unwrap();
    assert!(bodies.place(&caller("two"), MIB).await.is_err());
    drop(large);
    assert!(bodies.place(&caller("two"), 20 * MIB).await.is_ok());
}

#[tokio::test]
async fn small_ones_and_beginnings_need_no_place_and_in_the_end_each_has_what_it_takes() {
    let bodies = Bodies::new("test", 3 * MIB);
    let all = bodies.place(&None, 3 * MIB).await.unwrap();
    let (small, place) = bodies.read(pieces(FREE, 1), MIB, &None, false).await.unwrap();
    assert_eq!((small.len(), place.is_none()), (FREE, true));
    let told = bodies.read(pieces(FREE + 1, 1), MIB, &None, false).await;
    assert!(matches!(told, Err(Error::TooManyRequests { .. })), "{told:?}");
    drop(all);
    let (large, place) = bodies.read(pieces(40, UNIT), MIB, &None, false).await.unwrap();
    assert_eq!((large.len(), place.as_ref().map(|place| place.all.num_permits())), (40 * UNIT, Some(40)));
    assert_eq!(bodies.all.available_permits(), 3 * 1024 - 40);
    // It is read again where it has been put back.
    let (again, second) = bodies.read(HttpBody::from(large.clone()), MIB, &None, true).await.unwrap();
    assert_eq!((again.as_ptr(), second.is_none()), (large.as_ptr(), true));
    drop(place);
    let told = bodies.read(pieces(1025, 1024), MIB, &None, false).await;
    assert!(matches!(told, Err(Error::TooLarge(_))), "{told:?}");
}
