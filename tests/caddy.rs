//! The caddy driver against a real Caddy of its own, told over its admin interface.

#[path = "nginx/backend.rs"]
mod backend;
#[path = "nginx/client.rs"]
mod client;
#[path = "nginx/load.rs"]
mod load;
#[path = "caddy/meddled.rs"]
mod meddled;
#[path = "caddy/newer.rs"]
mod newer;
#[path = "caddy/plain.rs"]
mod plain;
#[path = "nginx/port.rs"]
mod port;
#[path = "caddy/process.rs"]
mod process;
#[path = "caddy/rig.rs"]
mod rig;
#[path = "nginx/route.rs"]
mod route;
#[path = "caddy/secured.rs"]
mod secured;
#[path = "caddy/served.rs"]
mod served;
#[path = "caddy/strings.rs"]
mod strings;
#[path = "caddy/switched.rs"]
mod switched;
#[path = "caddy/users.rs"]
mod users;
