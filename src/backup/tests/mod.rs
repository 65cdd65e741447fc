mod handing_on;
mod judging;
mod keeping;
mod reading;
mod running;
pub(super) mod small_disk;
mod storing;
mod timing;
