mod handing_on;
mod judging;
mod keeping;
mod reading;
mod running;
mod storing;
mod timing;
