//! The nginx driver against a real nginx of its own: what it serves, what it refuses, and that a switch loses nothing.

#[path = "nginx/backend.rs"]
mod backend;
#[path = "nginx/client.rs"]
mod client;
#[path = "nginx/load.rs"]
mod load;
#[path = "nginx/port.rs"]
mod port;
#[path = "nginx/process.rs"]
mod process;
#[path = "nginx/refused.rs"]
mod refused;
#[path = "nginx/rig.rs"]
mod rig;
#[path = "nginx/route.rs"]
mod route;
#[path = "nginx/secured.rs"]
mod secured;
#[path = "nginx/served.rs"]
mod served;
#[path = "nginx/shared.rs"]
mod shared;
#[path = "nginx/strings.rs"]
mod strings;
#[path = "nginx/switched.rs"]
mod switched;
