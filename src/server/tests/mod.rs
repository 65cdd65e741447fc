mod deliveries;
mod listening;
mod signatures;
