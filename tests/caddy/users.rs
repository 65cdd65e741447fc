//! Users and passwords.

use crate::{
    backend::Backend,
    client::{curl, status},
    rig::{name, rig, secured},
    route::site,
};
use reconcile::proxy::{Driver, Site};
use std::fs;

/// As `htpasswd -nbB ada lovelace` prints it, and `htpasswd -nbB bob builder`.
const ADA: &str = "ada:$2b$05$lvvw.rOiOywEVLQ5cceS6.pYvFt0amNL18tCk2/AIcTMFggw8.tBe\n";
const BOB: &str = "bob:$2b$05$fIIKvjl9sk5TQzY8.PMyt.lQsjWV1HutJUdGEy9KGts4NW5X2NwtG\n";

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_must_be_one_of_the_users() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let users = rig.caddy.folder.path().join("users");
    fs::write(&users, ADA).unwrap();
    let mut route = secured();
    route.basic_auth = Some("users".parse().unwrap());
    let asking = |file: &std::path::Path| {
        let mut site: Site = site(&route, web.address);
        site.routes.values_mut().for_each(|served| served.users = Some(file.to_owned()));
        site
    };
    rig.install(&asking(&users)).await;
    rig.shows("app.example.com").await;
    let get =
        |words: &[&str]| curl("https", "app.example.com", rig.caddy.https, "/", &[&["--http1.1"], words].concat());
    let answer = get(&[]);
    assert_eq!(status(&answer), "401");
    assert!(!answer.contains("web\n"), "{answer}");
    assert_eq!(status(&get(&["-u", "ada:wrong"])), "401");
    assert_eq!(status(&get(&["-u", "ada:lovelace"])), "200");
    assert!(rig.is_as_told().await);
    // Others in the file are seen, and told.
    fs::write(&users, BOB).unwrap();
    assert!(!rig.is_as_told().await);
    rig.install(&asking(&users)).await;
    assert_eq!(status(&get(&["-u", "ada:lovelace"])), "401");
    assert_eq!(status(&get(&["-u", "bob:builder"])), "200");
    fs::write(&users, "ada:$apr1$x$nothing\n").unwrap();
    let error = rig.driver.install(&name(), &asking(&users)).await.unwrap_err();
    let said = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(said, "line 1: caddy takes hashes of bcrypt alone, and this is another");
    assert_eq!(status(&get(&["-u", "bob:builder"])), "200");
}
