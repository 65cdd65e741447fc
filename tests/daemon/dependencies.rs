//! Apps that depend on others, in this environment and in another.

use crate::house::{House, app, service};
use reconcile::value::AppId;
use serde_json::Value;

pub fn depending(environment: &str, name: &str, manifest: &Value, on: (&str, &str)) -> reconcile::desired::Desired {
    let mut app = app(environment, name, manifest);
    app.sync.depends_on = [AppId::new(&on.0.parse().unwrap(), &on.1.parse().unwrap())].into();
    app
}

fn broken() -> Value {
    let mut broken = service(1);
    broken["services"]["one"]["image"] = "nowhere:1".into();
    broken
}

#[tokio::test(start_paused = true)]
async fn an_app_waits_until_what_it_depends_on_is_well_and_then_goes_at_once() {
    let house = House::of(&["test", "shared"]).await;
    let web = depending("test", "web", &service(1), ("shared", "proxy"));
    let api = depending("test", "api", &service(1), ("test", "web"));
    house.push("c1", &[web.clone(), api.clone(), app("shared", "proxy", &broken())]);
    house.quiet().await;
    assert!(house.running("web").is_empty() && house.running("api").is_empty(), "something went before its time");
    house.push("c2", &[web, api, app("shared", "proxy", &service(2))]);
    house.until("all run", |house| ["proxy", "web", "api"].iter().all(|app| house.version(app).is_some())).await;
    let started = |app: &str| {
        house.model.by_hand(|world| {
            let of_app = |labels: &std::collections::BTreeMap<String, String>| {
                labels.get("reconcile.app").is_some_and(|of| of == app)
            };
            world.containers.values().find(|it| of_app(&it.labels)).unwrap().started_at.unwrap()
        })
    };
    assert!(started("proxy") < started("web") && started("web") < started("api"));
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_changes_together_goes_in_order() {
    let house = House::of(&["test"]).await;
    let all = |version| {
        [app("test", "database", &service(version)), depending("test", "web", &service(version), ("test", "database"))]
    };
    house.push("c1", &all(1));
    house.until("both run", |house| house.version("web").is_some()).await;
    house.push("c2", &all(2));
    house.until("the first is new", |house| house.version("database").as_deref() == Some("2")).await;
    house.until("the second is new", |house| house.version("web").as_deref() == Some("2")).await;
    house.end().await;
}
