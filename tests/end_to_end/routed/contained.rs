//! Debian's nginx in a container, with the libraries it needs and a shell.

use crate::world::World;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A proxy in a container of the story.
pub struct Contained {
    /// What the host file says of it, from the driver's name on.
    pub driver: String,
    /// The folder whose files it reads, as this host sees it.
    pub directory: PathBuf,
}

/// Builds the image, and tells its name.
pub fn image(world: &World) -> String {
    let (folder, tag) = (world.scratch("nginx-image"), format!("{}-nginx", world.name));
    let nginx = Path::new("/usr/sbin/nginx");
    let needed = Command::new("ldd").arg(nginx).output().unwrap();
    let needed = String::from_utf8(needed.stdout).unwrap();
    let libraries = needed.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new);
    for file in libraries.chain([nginx]) {
        let to = folder.join("root").join(file.strip_prefix("/").unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
    let root = folder.join("root/etc");
    fs::create_dir_all(root.join("nginx/conf.d")).unwrap();
    fs::write(root.join("passwd"), "root:x:0:0::/:/bin/sh\n").unwrap();
    fs::write(root.join("group"), "root:x:0:\n").unwrap();
    let folders = "/var/log/nginx /var/lib/nginx /run";
    let lines = format!("FROM bb:1\nCOPY root/ /\nRUN [\"/bin/sh\", \"-c\", \"mkdir -p {folders}\"]\n");
    fs::write(folder.join("Dockerfile"), lines).unwrap();
    world.engine.ask(&["build", "-q", "-t", &tag, folder.to_str().unwrap()]);
    tag
}

/// The main file: all it serves is in `conf.d`.
pub fn main_file(world: &World) -> PathBuf {
    let file = world.scratch("nginx").join("nginx.conf");
    let lines = "user root;\nworker_processes 2;\nworker_shutdown_timeout 20s;\nerror_log stderr info;\n\
                 events { worker_connections 512; }\nhttp {\n    access_log off;\n    include /etc/nginx/conf.d/*.conf;\n}\n";
    fs::write(&file, lines).unwrap();
    file
}

/// Runs the image on a network, with its ports on this host and folders of it.
pub fn run(world: &World, (name, network): (&str, &str), ports: (u16, u16), shown: &[(&Path, &str)], command: &[&str]) {
    let image = image(world);
    world.engine.ask(&["network", "create", "--label", &world.label(), network]);
    let (http, https) = (format!("127.0.0.1:{}:80", ports.0), format!("127.0.0.1:{}:443", ports.1));
    let label = world.label();
    let mut words =
        vec!["run", "-d", "--name", name, "--label", &label, "--network", network, "-p", &http, "-p", &https];
    let volumes: Vec<String> = shown.iter().map(|(here, there)| format!("{}:{there}", here.display())).collect();
    words.extend(volumes.iter().flat_map(|volume| ["-v", volume.as_str()]));
    words.push(&image);
    words.extend(command);
    world.engine.ask(&words);
}
