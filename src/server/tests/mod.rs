mod deliveries;
mod listening;
mod metrics;
mod signatures;
