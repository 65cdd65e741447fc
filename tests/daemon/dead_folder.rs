//! A place of secrets that does not answer: a mount whose server is gone.

use crate::house::{House, app, service};
use reconcile::secret::RepositoryFiles;
use std::sync::{Arc, Mutex, mpsc};

#[tokio::test(start_paused = true)]
async fn secrets_that_are_not_read_keep_no_other_app_waiting() {
    let house = House::of(&["test"]).await;
    let (answers, asked) = (mpsc::channel::<()>(), Arc::new(Mutex::new(0)));
    let (hangs, count) = (Mutex::new(answers.1), Arc::clone(&asked));
    *house.branch.files.lock().unwrap() = RepositoryFiles::new(move || {
        *count.lock().unwrap() += 1;
        let _ = hangs.lock().unwrap().recv();
        Err("it is gone".to_owned())
    });
    let mut needs = service(1);
    needs["secrets"] = serde_json::json!({"token": {"file": "secrets/token.age"}});
    needs["services"]["one"]["secrets"] = serde_json::json!([{"source": "token"}]);
    let apps = |version| [app("test", "dead", &needs), app("test", "well", &service(version))];
    house.push("c1", &apps(1));
    house.soon("its secrets are asked for", |_| *asked.lock().unwrap() > 0).await;
    house.soon("the other runs", |house| house.version("well").is_some()).await;
    house.push("c2", &apps(2));
    house.soon("the other is brought up to date", |house| house.version("well").as_deref() == Some("2")).await;
    // Whatever is tried meanwhile, one thread alone is waiting.
    assert_eq!(*asked.lock().unwrap(), 1);
    assert!(house.running("dead").is_empty());
    drop(answers.0);
    house.end().await;
}
