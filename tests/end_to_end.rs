//! Stories of the real binary, git and engines. Few, because each costs seconds; everything smaller is tested where it
//! lives. `make test` brings the engines up and names them in the environment.

mod end_to_end {
    mod world;
}
